"""Picks from an offer: which are allowed, which have failed, and which one the rules take. A model picks too, within what is checked
here."""

from __future__ import annotations

from collections.abc import Sequence

from tools.rules.names.foreign import quotable
from tools.rules.names.naming import shorten
from tools.rules.names.text import fold
from tools.values.offer import Offer, Pick, Proposal
from tools.values.review import Review, Severity
from tools.values.trouble import RequestProblem

BY_RULE = "rule"
"""Who made a proposal that no model made."""
WHY = {
    "ranking": "it ranks first",
    "room": "it leaves more room to others",
    "growth": "it leaves room to grow",
    "apart": "the loss of a node takes fewer of them",
    "together": "they are near each other",
    "lean": "it takes less of what there is",
    "faults": "the review found faults with the choice before",
    "words": "it was asked for",
    "facts": "the figures say so",
}
"""The reasons that a model may give, each with the sentence that is shown for it."""
QUOTE_CHARACTERS_MAX = 160


def reason(why: str, quote: str, typed: Sequence[str], facts: Sequence[str]) -> str:
    """A model's reason: a sentence of the list, and words that were typed or that it was shown. Nothing else that it says is part of it.
    Raises RequestProblem when the words are nowhere."""
    sentence, words = WHY.get(why, ""), " ".join(quote.split())
    if not words:
        return f"The model's reason: {sentence}." if sentence else "The model gave no reason."
    said, stands = (any(fold(words) in fold(" ".join(text.split())) for text in texts) for texts in (typed, facts))
    if len(words) > QUOTE_CHARACTERS_MAX or not (said or stands):
        detail = f"{shorten(words)!r} was neither typed nor shown."
        raise RequestProblem("The quote is not there.", detail, "Copy the words, or leave it out.")
    shown = quotable(words)
    if not shown:
        return f"The model's reason: {sentence or 'what was asked for'}."
    return f"The model's reason: {sentence or WHY['words' if said else 'facts']}, {'you said ' if said else ''}“{shown}”."


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
