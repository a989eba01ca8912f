"""Picks from an offer: which are allowed, which have failed, and which one the rules take. A model picks too, within what is checked
here."""

from __future__ import annotations

from collections.abc import Sequence

from tools.values.offer import Offer, Pick, Proposal
from tools.values.review import Review, Severity
from tools.values.trouble import RequestProblem

BY_RULE = "rule"
"""Who made a proposal that no model made."""


def assert_on_offer(picks: Sequence[Pick], offer: Offer, tried: Sequence[str] = ()) -> None:
    """Raises RequestProblem when a pick is not in the offer or has failed before, or a number is out of its range."""
    if sorted(p.label for p in picks) != sorted(p.label for p in offer.parts):
        raise RequestProblem("The picks do not match the parts.", f"Pick once for each of {', '.join(p.label for p in offer.parts)}.")
    for pick in picks:
        part = next(p for p in offer.parts if p.label == pick.label)
        allowed = [c.id for c in part.candidates if f"{part.label}:{c.id}" not in tried]
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
                raise RequestProblem("A number is outside its range.", f"{name} cannot be {number:g}.", "Leave it out to take the default.")


def tried_as(pick: Pick) -> str:
    """What a pick that failed is remembered by: the candidate itself stays open when it was the model's own numbers that failed."""
    numbers = ",".join(f"{name}={number:g}" for name, number in sorted(pick.settings))
    return f"{pick.label}:{pick.candidate}" + (f":{numbers}" if numbers else "")


def failed_picks(proposal: Proposal, review: Review) -> tuple[str, ...]:
    """Of the parts that the review has errors about: a good pick of another part stays open."""
    faulty = {f.part for f in review.findings if f.severity is Severity.ERROR}
    return tuple(tried_as(pick) for pick in proposal.picks if pick.label in faulty)


def pick_by_rule(offer: Offer, tried: Sequence[str] = ()) -> Proposal | None:
    """The best candidate of each part that has not been tried; None when a part has none left."""
    because = "The better ranked ones failed the review." if tried else "It ranks first."
    picks = []
    for part in offer.parts:
        left = [c for c in part.candidates if f"{part.label}:{c.id}" not in tried]
        if not left:
            return None
        picks.append(Pick(label=part.label, candidate=left[0].id, because=because))
    return Proposal(made_by=BY_RULE, picks=tuple(picks))
