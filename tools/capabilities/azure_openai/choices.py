"""Offers the ways in which the region has the models and the quota carries them, and composes the picked one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tools.capabilities.azure_openai import variables
from tools.capabilities.azure_openai.facts import models_of
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


class Way(NamedTuple):
    """How a model is deployed, or why it cannot be: `reason` is empty then, or the rest is."""

    model: str
    kind: str
    version: str = ""
    reason: str = ""

    @property
    def key(self) -> str:
        return f"{self.model}/{self.kind}/{self.version}"


Ways = Callable[[str, str, int], Way]
"""(model, kind, capacity) → its way."""


def offer(needs: Needs, situation: Situation, ways: Ways | None = None) -> PartOffer:
    """`ways` says how each can be; by default, as new ones."""
    seen = situation.subscription
    if no := placing.no_region(needs, seen):
        return no
    find = ways or new_ways(needs, seen)
    kinds, models = KINDS[needs.text("residency")], models_of(needs)
    found = {model: [find(model, kind, capacity) for kind in kinds] for model, capacity in models.items()}
    candidates: dict[str, Candidate] = {}
    for rank, kind in enumerate(kinds):
        # Every model of this kind; one that cannot be so, in the first way that it can.
        chosen = [next((w for w in sorted(each, key=lambda w: w.kind != kind) if not w.reason), None) for each in found.values()]
        used = [one for one in chosen if one is not None]
        if len(used) == len(models) and any(one.kind == kind for one in used):
            candidate = _candidate(needs, kind, used, rank, seen)
            candidates.setdefault(str(candidate.choice), candidate)
    shut = tuple(Exclusion(subject=f"{w.model} as {w.kind}", reason=w.reason) for each in found.values() for w in each if w.reason)
    return PartOffer(
        label=needs.label,
        candidates=tuple(candidates.values()),
        exclusions=shut,
        summary=f"{len(candidates)} of {len(kinds)} kinds of deployment fit in {needs.text('region')}.",
        counter_offer="" if candidates else _counter_offer(needs, kinds, found, seen),
    )


def compose(needs: Needs, offer: PartOffer, pick: Pick, situation: Situation) -> Part:
    candidate = candidate_of(offer, pick)
    ways = [Way(*one.split("/")) for one in str(dict(candidate.choice)["ways"]).split(", ")]
    region, seen = needs.text("region"), situation.subscription
    ends = [ends_on(region, one.model, one.version, one.kind, seen) for one in ways]
    return variables.part(needs, candidate, pick, [(one.model, one.kind, one.version) for one in ways], ends, situation)


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


def new_ways(needs: Needs, seen: SubscriptionSnapshot) -> Ways:
    return lambda model, kind, capacity: way(needs.text("region"), model, kind, capacity, seen)


def way(region: str, model: str, kind: str, capacity: int, seen: SubscriptionSnapshot) -> Way:
    """The newest version, when region and quota carry it."""
    found = versions(model, kind, region, seen)
    if not found:
        return Way(model, kind, reason=_why_not(model, kind, region, seen))
    return Way(model, kind, found[0], short(region, model, kind, capacity, seen))


def _why_not(model: str, kind: str, region: str, seen: SubscriptionSnapshot) -> str:
    if any(p.subject == f"models in {region}" for p in seen.problems):
        return f"which models {region} has could not be read"
    closed = next((one for one in seen.model_ends if one.model.startswith(f"{region}/{model}/") and one.model.endswith(f"/{kind}")), None)
    if closed is None:
        return f"{region} does not offer it so"
    return f"Azure takes no new deployments of it ({closed.stage})" + (f", and ends it on {closed.ends_on}" if closed.ends_on else "")


def ends_on(region: str, model: str, version: str, kind: str, seen: SubscriptionSnapshot) -> str:
    """The day from which Azure answers nothing there any more; empty when it says none."""
    return next((one.ends_on for one in seen.model_ends if one.model == f"{region}/{model}/{version}/{kind}"), "")


def short(region: str, model: str, kind: str, capacity: int, seen: SubscriptionSnapshot) -> str:
    """What the quota lacks for so much more; empty when nothing."""
    quota = room(model, kind, region, seen)
    if quota is None or quota.total + capacity <= quota.limit:
        return ""
    left = max(0.0, quota.limit - quota.total)
    return f"{capacity} thousand tokens a minute are wanted, and {left:g} of {quota.limit:g} are left"


def _with(quota: Sum, capacity: float) -> Sum:
    return quota.model_copy(update={"terms": (*quota.terms, ("wanted", capacity)), "total": quota.total + capacity})


def _candidate(needs: Needs, kind: str, ways: list[Way], rank: int, seen: SubscriptionSnapshot) -> Candidate:
    region, models = needs.text("region"), models_of(needs)
    rooms = ((room(one.model, one.kind, region, seen), models[one.model]) for one in ways)
    sums = tuple(_with(quota, capacity) for quota, capacity in rooms if quota)
    said = ", ".join(f"{one.model} {one.version} as {one.kind} with {models[one.model]} thousand tokens a minute" for one in ways)
    return Candidate(
        id=f"{region}/{kind}",
        title=f"{said}, in {region}",
        score=round(1.0 - 0.1 * rank, 2),
        reasons=(WHY[kind],),
        binding=sums[0].subject if sums else "",
        sums=sums,
        choice=(("ways", ", ".join(one.key for one in ways)),),
    )


def _counter_offer(needs: Needs, kinds: tuple[str, ...], found: Mapping[str, list[Way]], seen: SubscriptionSnapshot) -> str:
    """Less capacity, else another model that the region has so; verified by the same rule."""
    region, models = needs.text("region"), models_of(needs)
    model = next(name for name, ways in found.items() if all(one.reason for one in ways))
    capacity = models[model]
    left = {kind: room(model, kind, region, seen) for kind in kinds if versions(model, kind, region, seen)}
    most = max((int(q.limit - q.total) for q in left.values() if q), default=0)
    if most >= 1 and any(not way(region, model, kind, most, seen).reason for kind in kinds):
        return f"It would fit with {most} thousand tokens a minute instead of {capacity} thousand."
    offered = sorted({row.split("/")[1] for row in seen.models if row.startswith(f"{region}/")} - set(models))
    alike = [name for name in offered if name.startswith("text-") == model.startswith("text-")]
    other = next((n for n in alike if any(not way(region, n, kind, capacity, seen).reason for kind in kinds)), "")
    if other:
        return f"It would fit with {other} instead of {model}."
    elsewhere = sorted({row.split("/")[0] for row in seen.models if row.split("/")[1:2] == [model]})
    return f"{model} is offered in {', '.join(elsewhere[:4])}." if elsewhere else "Say another region, such as eastus2 or swedencentral."
