"""The manifest generator: the model that picks from the offer, and the stage that composes the manifest from the pick."""

from __future__ import annotations

import json
import re
from typing import Any

from tools.capabilities import chain as values
from tools.rules.words import telling
from tools.values.offer import Offer, Pick, Proposal
from tools.values.trouble import RequestProblem

from .. import pipeline
from ..models import OfflineModel, model_for
from ..stage import Say, Speaker, Stage, TypedTool, prompt
from ..state import Chain, Turn

_SCHEMA = {
    "type": "object",
    "properties": {
        "picks": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "capability": {"type": "string"},
                    "candidate": {"type": "string"},
                    "because": {"type": "string"},
                    "settings": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"name": {"type": "string"}, "value": {"type": "number"}},
                            "required": ["name", "value"],
                        },
                    },
                },
                "required": ["capability", "candidate", "because"],
            },
        }
    },
    "required": ["picks"],
}
REASON_CHARACTERS_MAX = 300


_ADDRESS = re.compile(r"\b(?:[a-z][a-z0-9+.-]*://|www\.)\S*", re.IGNORECASE)
_MARKUP = re.compile(r"[^\w\s.,;:()%'’“”/+=≤≥€$-]")


def plain_sentence(text: str) -> str:
    """A model's reason as words only, on one line: the web UI renders what is shown, and a picture's address can carry data away."""
    return " ".join(_MARKUP.sub("", _ADDRESS.sub("", text)).split())[:REASON_CHARACTERS_MAX]


class Propose(TypedTool):
    def __init__(self) -> None:
        super().__init__("propose", "Picks one candidate for every part of the offer.", _SCHEMA)

    def take(self, turn: Turn, args: dict[str, Any]) -> None:
        chain = turn.chain
        assert chain.offer is not None
        picks = tuple(
            Pick(
                capability=str(pick["capability"]),
                candidate=str(pick["candidate"]),
                settings=tuple((str(s["name"]), float(s["value"])) for s in pick.get("settings") or ()),
                because=plain_sentence(str(pick.get("because", ""))),
            )
            for pick in args.get("picks", ())
        )
        check(picks, chain.offer, chain.tried)
        chain.proposal = Proposal(made_by="rule" if turn.model == OfflineModel().model else turn.model, picks=picks)


def check(picks: tuple[Pick, ...], offer: Offer, tried: tuple[str, ...] = ()) -> None:
    """Raises RequestProblem when a pick is not in the offer, or a number is out of its range."""
    if sorted(p.capability for p in picks) != sorted(p.capability for p in offer.parts):
        raise RequestProblem(
            "The picks do not match the parts.", f"Pick once for each of {', '.join(p.capability for p in offer.parts)}."
        )
    for pick in picks:
        part = next(p for p in offer.parts if p.capability == pick.capability)
        allowed = [c.id for c in part.candidates if f"{part.capability}:{c.id}" not in tried]
        if pick.candidate not in allowed:
            raise RequestProblem(
                "The candidate is not on offer.", f"{pick.candidate!r} cannot be picked.", f"Pick one of {', '.join(allowed)}."
            )
        if tried_as(pick) in tried:
            raise RequestProblem(
                "The choice has failed before.", f"{pick.candidate!r} with these numbers failed the review.", "Pick otherwise."
            )
        ranges = {r.name: r for r in part.ranges}
        for name, number in pick.settings:
            if name not in ranges or not ranges[name].low <= number <= ranges[name].high:
                raise RequestProblem(
                    "A number is outside its range.", f"{name} cannot be {number:g}.", "Leave it out to take the default."
                )


def tried_as(pick: Pick) -> str:
    """What a pick that failed is remembered by: the candidate itself stays open when it was the model's own numbers that failed."""
    numbers = ",".join(f"{name}={number:g}" for name, number in sorted(pick.settings))
    return f"{pick.capability}:{pick.candidate}" + (f":{numbers}" if numbers else "")


def offered(chain: Chain) -> dict[str, Any]:
    """What a model sees of the requirements and the offer: no quotes of others, no scanned names beyond the candidates'."""
    assert chain.offer is not None and chain.requirements is not None
    return {
        "parts": [
            {
                "capability": part.capability,
                "requirements": {f.name: f"{f.value} {f.unit}".strip() for f in needs.fields},
                "candidates": [
                    {"id": c.id, "score": round(c.score, 3), "reasons": c.reasons[:4], "binding": c.binding}
                    for c in part.candidates
                ],
                "ranges": [r.model_dump(mode="json", include={"name", "low", "high", "default", "unit"}) for r in part.ranges],
            }
            for needs, part in zip(chain.requirements.parts, chain.offer.parts, strict=True)
        ],
        "tried": list(chain.tried),
    }


class ManifestGenerator(Speaker):
    def __init__(self) -> None:
        super().__init__(
            name="manifest_generator",
            description="Picks a candidate from the offer.",
            model=model_for("pro"),
            prompt=prompt(__package__),
            tool=Propose(),
        )

    def wanted(self, turn: Turn) -> bool:
        return turn.drafting and turn.chain.offer is not None and turn.chain.proposal is None

    def facts(self, turn: Turn) -> dict[str, Any]:
        return {"context": json.dumps(offered(turn.chain), ensure_ascii=False)}

    def question(self, turn: Turn) -> str:
        return "Pick from the offer."

    def settled(self, turn: Turn) -> bool:
        return turn.chain.proposal is not None

    def fall_back(self, turn: Turn) -> None:
        assert turn.chain.offer is not None
        turn.chain.proposal = values.settle(turn.chain.offer)


class Composer(Stage):
    def wanted(self, turn: Turn) -> bool:
        return turn.drafting and turn.chain.proposal is not None and turn.chain.manifest is None

    def work(self, turn: Turn, say: Say) -> str:
        compose(turn)
        assert turn.chain.manifest is not None
        return telling.manifest(turn.chain.manifest)


def compose(turn: Turn) -> None:
    chain = turn.chain
    assert (
        chain.requirements is not None and chain.offer is not None and chain.proposal is not None and chain.snapshots is not None
    )
    chain.manifest, chain.review = pipeline.drafting.draft(
        turn.world, chain.requirements, chain.offer, chain.proposal, chain.snapshots, chain.parent_digest, turn.built()
    )
    chain.parent_digest = chain.manifest.digest
