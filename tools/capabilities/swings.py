"""What each assumption would change of the cost a month: the whole chain is run with both ends of its range. Pure, as the chain is."""

from __future__ import annotations

from tools.capabilities import catalogue, chain
from tools.platforms import estimate
from tools.rules.plans.picking import pick_by_rule
from tools.rules.request.editing import apply
from tools.values.plan import Swing
from tools.values.request import Edit, Edits, Request
from tools.values.requirements import Field, Needs, Origin, Requirements
from tools.values.situation import Situation
from tools.values.trouble import Trouble

SWINGS_MAX = 10
"""Assumptions of a plan that are tried, two runs of the chain each."""


def swings(request: Request, requirements: Requirements, situation: Situation) -> tuple[Swing, ...]:
    """Of the assumptions that have a range."""
    assumed = [
        (needs, field)
        for needs in requirements.parts
        for field in needs.fields
        if field.origin is Origin.ASSUMED and field.low is not None and field.high is not None and field.low < field.high
    ]
    return tuple(
        Swing(
            part=needs.label,
            field=field.name,
            low=_total(_with(request, requirements, needs, field, field.low or 0.0, situation), situation),
            high=_total(_with(request, requirements, needs, field, field.high or 0.0, situation), situation),
        )
        for needs, field in assumed[:SWINGS_MAX]
    )


def _with(request: Request, requirements: Requirements, needs: Needs, field: Field, value: float, situation: Situation) -> Requirements:
    """As if it had been said, where it can be said: what follows from it is worked out anew. Else as if it had been assumed so."""
    if any(wanted.name == field.name for wanted in catalogue()[needs.capability].WANTED):
        edit = Edit(do="set", item=needs.label, name=field.name, value=f"{value:g}", quote=f"{value:g}")
        said, _ = apply(request, Edits(edits=(edit,)), catalogue())
        return chain.understand(said, situation.site, requirements.requester)
    fields = tuple(one.model_copy(update={"value": value}) if one.name == field.name else one for one in needs.fields)
    parts = tuple(part.model_copy(update={"fields": fields}) if part.label == needs.label else part for part in requirements.parts)
    return requirements.model_copy(update={"parts": parts})


def _total(requirements: Requirements, situation: Situation) -> float | None:
    """None when nothing would fit."""
    try:
        offer = chain.offer(requirements, situation)
        proposal = pick_by_rule(offer) if requirements.complete and all(part.candidates for part in offer.parts) else None
        return estimate(chain.compose(requirements, offer, proposal, situation).parts, situation).total if proposal else None
    except Trouble:
        return None
