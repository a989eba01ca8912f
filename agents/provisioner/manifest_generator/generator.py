"""The manifest generator: the model that picks from the offer. The manifest itself is composed by code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tools.rules.plans.picking import WHY, assert_on_offer, reason
from tools.values.conversation import Conversation
from tools.values.effects import Work
from tools.values.events import Proposed
from tools.values.offer import Pick, Proposal, Range, Sum
from tools.values.requirements import Origin
from tools.values.review import Review, Severity

from ..models import Role, model_for
from ..stage import Speaker, TypedTool, prompt
from ..state import Turn

_REASON = {"why": {"type": "string", "enum": [*WHY]}, "quote": {"type": "string"}}
_SETTING = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "value": {"type": "number"}, **_REASON},
    "required": ["name", "value", "why"],
}
_PICK = {
    "type": "object",
    "properties": {
        "label": {"type": "string"},
        "candidate": {"type": "string"},
        **_REASON,
        "settings": {"type": "array", "items": _SETTING},
    },
    "required": ["label", "candidate", "why"],
}
_SCHEMA = {"type": "object", "properties": {"picks": {"type": "array", "items": _PICK}}, "required": ["picks"]}
WORDS_CHARACTERS_MAX = 1_500
"""Of what the operator typed, the latest: a model decides with it, and has not to hear it again."""
FINDINGS_MAX = 6
REASONS_MAX, SUMS_MAX = 3, 3
"""Of one candidate: the tightest sums bind, the others hardly differ."""


class Propose(TypedTool):
    def __init__(self) -> None:
        super().__init__("propose", "Picks one candidate for every part of the offer.", _SCHEMA, Work.PROPOSE, Work.REFINE)

    def read(self, turn: Turn, args: dict[str, Any]) -> Proposed:
        now = turn.talk.now
        assert now.offer is not None
        shown = [*_texts(offered(now)["parts"])]

        def because(of: dict[str, Any]) -> str:
            return reason(str(of.get("why") or ""), str(of.get("quote") or ""), now.typed, shown)

        picks = tuple(
            Pick(
                label=str(pick["label"]),
                candidate=str(pick["candidate"]),
                settings=tuple((str(s["name"]), float(s["value"])) for s in pick.get("settings") or ()),
                reasons=tuple((str(s["name"]), because(s)) for s in pick.get("settings") or ()),
                because=because(pick),
            )
            for pick in args.get("picks", ())
        )
        assert_on_offer(picks, now.offer, now.tried)
        return Proposed(Proposal(made_by=turn.model, picks=picks))

    def by_rule(self, turn: Turn) -> Proposed:
        return Proposed(None)


def offered(now: Conversation) -> dict[str, Any]:
    """What a model sees: what was typed, the requirements, the offer with its sums and sources; no scanned names beyond the candidates'."""
    assert now.offer is not None and now.requirements is not None
    parts = [
        {
            "label": part.label,
            "service": needs.capability,
            "requirements": {
                f.name: f"{f.value} {f.unit}".strip() + ("" if f.origin is Origin.SAID else f" ({f.origin})")
                for f in needs.fields
                if f.origin is not Origin.DEFAULT
            },
            "candidates": [
                {
                    "id": c.id,
                    "title": c.title,
                    "score": round(c.score, 3),
                    "reasons": list(c.reasons[1 : 1 + REASONS_MAX]),
                    "sums": [one.spelt for one in sorted(c.sums, key=lambda one: one.fullness, reverse=True)[:SUMS_MAX]],
                }
                for c in part.candidates
            ],
            "ranges": [_range(one) for one in part.ranges],
        }
        for needs, part in zip(now.requirements.parts, now.offer.parts, strict=True)
    ]
    return {"words": "\n".join(now.typed)[-WORDS_CHARACTERS_MAX:], "parts": parts, "tried": now.tried}


def context_of(now: Conversation) -> dict[str, Any]:
    """What the prompts are rendered with; in a refinement with what was found."""
    findings = found(now.review)
    return {"context": json.dumps({**offered(now), **({"findings": findings} if findings else {})}, ensure_ascii=False)}


def _range(one: Range) -> dict[str, Any]:
    source = f"{one.source.title} ({one.source.grade}, {one.source.date})" if one.source else one.because
    return {**one.model_dump(mode="json", include={"name", "low", "high", "default", "unit"}), "source": source}


def _texts(value: object) -> Iterator[str]:
    """Every text within."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def found(review: Review | None) -> list[dict[str, Any]]:
    """The findings as data, sums as they are spelt."""
    return [
        {
            "check": one.check,
            "found": one.kind,
            "part": one.part,
            "about": one.subject,
            **{name: value.spelt if isinstance(value, Sum) else value for name, value in one.data},
        }
        for one in (review.findings[:FINDINGS_MAX] if review else ())
        if one.severity is Severity.ERROR
    ]


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
        return context_of(turn.talk.now)

    def question(self, turn: Turn) -> str:
        return self._asked


def manifest_generator() -> Picker:
    return Picker("manifest_generator", "Picks a candidate from the offer.", "pro", __package__, Work.PROPOSE, "Pick from the offer.")
