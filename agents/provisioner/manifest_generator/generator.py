"""The manifest generator: the model that picks from the offer. The manifest itself is composed by code."""

from __future__ import annotations

import json
from typing import Any

from tools.rules.names.foreign import reason_of
from tools.rules.plans.picking import assert_on_offer
from tools.rules.words.findings import remedy, sentence
from tools.values.conversation import Conversation
from tools.values.effects import Work
from tools.values.events import Proposed
from tools.values.offer import Pick, Proposal

from ..models import Role, model_for
from ..stage import Speaker, TypedTool, prompt
from ..state import Turn

_SETTING = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "value": {"type": "number"}},
    "required": ["name", "value"],
}
_PICK = {
    "type": "object",
    "properties": {
        "label": {"type": "string"},
        "candidate": {"type": "string"},
        "because": {"type": "string"},
        "settings": {"type": "array", "items": _SETTING},
    },
    "required": ["label", "candidate", "because"],
}
_SCHEMA = {"type": "object", "properties": {"picks": {"type": "array", "items": _PICK}}, "required": ["picks"]}


class Propose(TypedTool):
    def __init__(self) -> None:
        super().__init__("propose", "Picks one candidate for every part of the offer.", _SCHEMA, Work.PROPOSE, Work.REFINE)

    def read(self, turn: Turn, args: dict[str, Any]) -> Proposed:
        now = turn.talk.now
        assert now.offer is not None
        picks = tuple(
            Pick(
                label=str(pick["label"]),
                candidate=str(pick["candidate"]),
                settings=tuple((str(s["name"]), float(s["value"])) for s in pick.get("settings") or ()),
                because=reason_of(str(pick.get("because", ""))),
            )
            for pick in args.get("picks", ())
        )
        assert_on_offer(picks, now.offer, now.tried)
        return Proposed(Proposal(made_by=turn.model, picks=picks))

    def by_rule(self, turn: Turn) -> Proposed:
        return Proposed(None)


def offered(now: Conversation) -> str:
    """What a model sees of the requirements and the offer, as JSON: no quotes of others, no scanned names beyond the candidates'."""
    assert now.offer is not None and now.requirements is not None
    parts = [
        {
            "label": part.label,
            "requirements": {f.name: f"{f.value} {f.unit}".strip() for f in needs.fields},
            "candidates": [
                {"id": c.id, "score": round(c.score, 3), "reasons": c.reasons[:4], "binding": c.binding} for c in part.candidates
            ],
            "ranges": [r.model_dump(mode="json", include={"name", "low", "high", "default", "unit"}) for r in part.ranges],
        }
        for needs, part in zip(now.requirements.parts, now.offer.parts, strict=True)
    ]
    return json.dumps({"parts": parts, "tried": now.tried}, ensure_ascii=False)


class Picker(Speaker):
    """A model that picks: at first, or again when the review found faults."""

    def __init__(self, name: str, description: str, role: Role, package: str, speaks_on: Work, asked: str) -> None:
        super().__init__(
            name=name,
            description=description,
            model=model_for(role),
            prompt=prompt(package),
            tool=Propose(),
            speaks_on=speaks_on,
        )
        self._asked = asked

    def facts(self, turn: Turn) -> dict[str, Any]:
        review = turn.talk.now.review
        return {
            "context": offered(turn.talk.now),
            "findings": [f"{f.check}, {sentence(f)} {remedy(f)}" for f in review.findings[:6]] if review else [],
        }

    def question(self, turn: Turn) -> str:
        return self._asked


def manifest_generator() -> Picker:
    return Picker("manifest_generator", "Picks a candidate from the offer.", "pro", __package__, Work.PROPOSE, "Pick from the offer.")
