"""What was picked from an offer, looked up. A pick that is not in the offer is refused, whoever made it."""

from __future__ import annotations

import math

from tools.rules.names import naming
from tools.values.offer import Candidate, PartOffer, Pick
from tools.values.requirements import Field, Needs
from tools.values.trouble import RequestProblem


def candidate_of(offered: PartOffer, pick: Pick) -> Candidate:
    """Raises RequestProblem when the candidate was not offered, or a number of the pick is outside its range."""
    _assert_within(offered, pick)
    for candidate in offered.candidates:
        if candidate.id == pick.candidate:
            return candidate
    names = ", ".join(c.id for c in offered.candidates) or "nothing"
    raise RequestProblem(
        "That is not among the candidates.",
        f"{naming.shorten(pick.candidate)} was picked; offered were: {names}.",
        "Pick one of these.",
    )


def settled_numbers(offered: PartOffer, pick: Pick) -> dict[str, float]:
    """Every number of the offer's ranges: as picked, else its default."""
    return {one.name: one.default for one in offered.ranges} | dict(pick.settings)


def as_settled(needs: Needs, offered: PartOffer, pick: Pick) -> Needs:
    """Numbers that nobody asked for say what was taken, and why, where that is not what was assumed."""
    settled, ranges, reasons = settled_numbers(offered, pick), {one.name: one for one in offered.ranges}, dict(pick.reasons)

    def of(field: Field) -> Field:
        value = math.ceil(settled[field.name]) if field.name in settled else field.value
        if value == field.value:
            return field
        return field.model_copy(update={"value": value, "because": reasons.get(field.name) or ranges[field.name].because})

    return needs.model_copy(update={"fields": tuple(map(of, needs.fields))})


def _assert_within(offered: PartOffer, pick: Pick) -> None:
    ranges = {r.name: r for r in offered.ranges}
    for name, value in pick.settings:
        allowed = ranges.get(name)
        if allowed is None:
            names = ", ".join(ranges) or "none"
            raise RequestProblem("That cannot be settled.", f"{naming.shorten(name)} has no range in the offer; those that have: {names}.")
        if not math.isfinite(value) or not allowed.low <= value <= allowed.high:
            raise RequestProblem(
                "A number is outside its range.",
                f"{name} was set to {value:g}; the offer allows {allowed.low:g} to {allowed.high:g} {allowed.unit}.".strip(),
                "Choose a number within the range.",
            )
