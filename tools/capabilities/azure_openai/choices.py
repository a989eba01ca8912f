"""Offers the ways in which the region has the model and the quota carries it, and composes the picked one."""

from __future__ import annotations

import math

from tools.capabilities.azure_openai import variables
from tools.rules.azure import placing
from tools.rules.request.choosing import candidate_of
from tools.values.manifest import Part
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick, Sum
from tools.values.requirements import Needs
from tools.values.situation import Situation
from tools.values.snapshot import SubscriptionSnapshot

KINDS = {
    "global": ("GlobalStandard", "DataZoneStandard", "Standard"),
    "zone": ("DataZoneStandard", "Standard"),
    "region": ("Standard",),
}
"""By where prompts may be worked on, the one with the most quota and the newest models first."""
WHY = {
    "GlobalStandard": "Worked on in any region: the largest quota, and the lowest price.",
    "DataZoneStandard": "Worked on within the data zone of the region, at a tenth more.",
    "Standard": "Worked on in the region alone, at a tenth more.",
}


def offer(needs: Needs, situation: Situation) -> PartOffer:
    seen = situation.subscription
    if no := placing.no_region(needs, seen):
        return no
    kinds = KINDS[needs.text("residency")]
    candidates: list[Candidate] = []
    exclusions: list[Exclusion] = []
    for rank, kind in enumerate(kinds):
        version, reason = way(needs, needs.text("model"), kind, thousands(needs), seen)
        if reason:
            exclusions.append(Exclusion(subject=f"{needs.text('model')} as {kind}", reason=reason))
        else:
            candidates.append(_candidate(needs, kind, version, rank, seen))
    return PartOffer(
        label=needs.label,
        candidates=tuple(candidates),
        exclusions=tuple(exclusions),
        summary=f"{len(candidates)} of {len(kinds)} kinds of deployment fit in {needs.text('region')}.",
        counter_offer="" if candidates else _counter_offer(needs, kinds, seen),
    )


def compose(needs: Needs, offer: PartOffer, pick: Pick, situation: Situation) -> Part:
    return variables.part(needs, candidate_of(offer, pick), pick, thousands(needs), situation)


def thousands(needs: Needs) -> int:
    """Capacity as Azure counts it, rounded up."""
    return max(1, math.ceil(needs.number("tokens_per_minute") / 1000))


def versions(model: str, kind: str, region: str, seen: SubscriptionSnapshot) -> tuple[str, ...]:
    """Newest first; dates sort as they are written."""
    rows = (row.split("/") for row in seen.models)
    found = {r[2] for r in rows if len(r) == 4 and r[0] == region and r[1] == model and r[3] == kind}
    return tuple(sorted(found, reverse=True))


def room(model: str, kind: str, region: str, seen: SubscriptionSnapshot) -> Sum | None:
    """What is used of the model's quota, in thousands of tokens a minute; None when the subscription does not tell it."""
    name = f"OpenAI.{kind}.{model}".lower()
    quota = next((q for q in seen.quotas if q.region == region and q.name.lower() == name), None)
    if quota is None:
        return None
    return Sum(
        subject=f"{model} as {kind} in {region}",
        unit="thousand tokens a minute",
        terms=(("in use", quota.used),),
        total=quota.used,
        limit=quota.limit,
    )


def way(needs: Needs, model: str, kind: str, capacity: int, seen: SubscriptionSnapshot) -> tuple[str, str]:
    """(version, reason why not): one of them is empty."""
    region = needs.text("region")
    found = versions(model, kind, region, seen)
    if not found:
        unread = any(p.subject == f"models in {region}" for p in seen.problems)
        return "", f"which models {region} has could not be read" if unread else f"{region} does not offer it so"
    quota = room(model, kind, region, seen)
    if quota is not None and quota.total + capacity > quota.limit:
        left = max(0.0, quota.limit - quota.total)
        return "", f"{capacity} thousand tokens a minute are wanted, and {left:g} of {quota.limit:g} are left"
    return found[0], ""


def _with(quota: Sum, capacity: float) -> Sum:
    return quota.model_copy(update={"terms": (*quota.terms, ("wanted", capacity)), "total": quota.total + capacity})


def _candidate(needs: Needs, kind: str, version: str, rank: int, seen: SubscriptionSnapshot) -> Candidate:
    model, region, capacity = needs.text("model"), needs.text("region"), thousands(needs)
    quota = room(model, kind, region, seen)
    sums = (_with(quota, capacity),) if quota else ()
    return Candidate(
        id=f"{region}/{kind}",
        title=f"{model} {version} as {kind} in {region}, {capacity} thousand tokens a minute",
        score=round(1.0 - 0.1 * rank, 2),
        reasons=(WHY[kind],),
        binding=sums[0].subject if sums else "",
        sums=sums,
        choice=(("kind", kind), ("version", version)),
    )


def _counter_offer(needs: Needs, kinds: tuple[str, ...], seen: SubscriptionSnapshot) -> str:
    """Less capacity, else another model that the region has so; verified by the same rule."""
    model, region = needs.text("model"), needs.text("region")
    left = {kind: room(model, kind, region, seen) for kind in kinds if versions(model, kind, region, seen)}
    most = max((int(q.limit - q.total) for q in left.values() if q), default=0)
    if most >= 1 and any(not way(needs, model, kind, most, seen)[1] for kind in kinds):
        return f"It would fit with {most} thousand tokens a minute instead of {thousands(needs)} thousand."
    offered = sorted({row.split("/")[1] for row in seen.models if row.startswith(f"{region}/")})
    alike = [name for name in offered if name.startswith("text-") == model.startswith("text-") and name != model]
    other = next((n for n in alike if any(not way(needs, n, kind, thousands(needs), seen)[1] for kind in kinds)), "")
    if other:
        return f"It would fit with {other} instead of {model}."
    elsewhere = sorted({row.split("/")[0] for row in seen.models if row.split("/")[1:2] == [model]})
    return f"{model} is offered in {', '.join(elsewhere[:4])}." if elsewhere else "Say another region, such as eastus2 or swedencentral."
