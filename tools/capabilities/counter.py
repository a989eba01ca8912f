"""The counter-offer to a policy's refusal: the smallest change of one requirement that would pass, found by running the whole chain with
it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tools.capabilities import chain
from tools.platforms import estimate
from tools.rules.plans.judging import judge_by_policy
from tools.rules.plans.policy import Judgement, Spent, allowed_values, is_about_cost
from tools.values.manifest import Manifest
from tools.values.offer import Offer, Pick, Proposal
from tools.values.policy import Policy
from tools.values.requirements import Requirements
from tools.values.review import Finding, Review, Severity
from tools.values.situation import Situation
from tools.values.trouble import Trouble
from tools.values.value import Json

TRIED_MAX = 12


def counter_offer(
    requirements: Requirements,
    review: Review,
    situation: Situation,
    policy: Policy,
    spent: Sequence[Spent] = (),
    also: Sequence[Callable[[Json], Judgement]] = (),
) -> str:
    """One sentence, or nothing when no single change of what was asked for would pass. It is judged as the request was: `spent` is what
    stands already, `also` are the other judges."""

    def passes(changed: Requirements) -> Manifest | None:
        return _passing(changed, situation, policy, spent, also)

    errors = [f for f in review.findings if f.severity is Severity.ERROR]
    for finding in errors:
        if said := _by_value(requirements, finding, policy, passes):
            return said
    if any(is_about_cost(policy, f) for f in errors):
        return _by_budget(requirements, situation, passes)
    return ""


def _by_value(requirements: Requirements, finding: Finding, policy: Policy, passes: Callable[[Requirements], Manifest | None]) -> str:
    allowed = allowed_values(policy, finding)
    if allowed is None:
        return ""
    name, values = allowed
    for value in values[:TRIED_MAX]:
        if passes(_with(requirements, name, value)) is not None:
            return f"It would pass with {name.replace('_', ' ')} {value}."
    return ""


def _by_budget(
    requirements: Requirements,
    situation: Situation,
    passes: Callable[[Requirements], Manifest | None],
) -> str:
    """The cheapest of what is on offer, and the budget it needs."""
    unbound = _with(requirements, "budget_monthly", None)
    try:
        offer = chain.offer(unbound, situation)
        totals = [
            estimate(chain.compose(unbound, offer, proposal, situation).parts, situation).total or 0.0 for proposal in _proposals(offer)
        ]
    except Trouble:
        return ""
    if not totals:
        return ""
    needed = min(totals)
    if passes(_with(requirements, "budget_monthly", needed)) is None:
        return f"The cheapest that would do costs {needed:,.2f} USD a month, and that is more than the policy allows."
    return f"It would pass with a budget of {needed:,.2f} USD a month: that is the cheapest that would do."


def _passing(
    requirements: Requirements,
    situation: Situation,
    policy: Policy,
    spent: Sequence[Spent],
    also: Sequence[Callable[[Json], Judgement]],
) -> Manifest | None:
    try:
        offer = chain.offer(requirements, situation)
        for proposal in _proposals(offer):
            manifest = chain.compose(requirements, offer, proposal, situation)
            by_rules = chain.review(manifest, situation)
            review = judge_by_policy(by_rules, manifest, lambda parts: estimate(parts, situation), situation.site, policy, spent, also)
            if review.clean:
                return manifest
    except Trouble:
        return None
    return None


def _proposals(offer: Offer) -> Iterator[Proposal]:
    """The first, second … candidate of every part together."""
    if not all(part.candidates for part in offer.parts):
        return
    for i in range(min(TRIED_MAX, max(len(part.candidates) for part in offer.parts))):
        picks = (
            Pick(label=p.label, candidate=p.candidates[min(i, len(p.candidates) - 1)].id, because="A counter-offer.") for p in offer.parts
        )
        yield Proposal(made_by="rule", picks=tuple(picks))


def _with(requirements: Requirements, name: str, value: Json) -> Requirements:
    """The same, with one field of every part that has it changed, or dropped when the value is None."""
    parts = tuple(
        part.model_copy(
            update={
                "fields": tuple(
                    f.model_copy(update={"value": value}) if f.name == name else f
                    for f in part.fields
                    if not (f.name == name and value is None)
                )
            }
        )
        for part in requirements.parts
    )
    return requirements.model_copy(update={"parts": parts})
