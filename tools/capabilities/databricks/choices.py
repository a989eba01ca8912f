"""Offers node types that the region has and the quota carries, and composes the picked one."""

from __future__ import annotations

from tools.capabilities.databricks import variables
from tools.rules.azure import placing
from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.sizes import Claim
from tools.rules.request.choosing import candidate_of
from tools.values.manifest import Part
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick
from tools.values.requirements import Needs
from tools.values.situation import Situation
from tools.values.snapshot import SubscriptionSnapshot

GENERAL = (
    ("Standard_E8ds_v5", "8 GiB a core carry joins, and its local disk caches what is read from storage."),
    ("Standard_L8s_v3", "Its NVMe disks cache much, at a higher price."),
    ("Standard_D8s_v5", "4 GiB a core, for transforms without large joins."),
    ("Standard_D4s_v5", "Half the size, for small work."),
)
GPU = (
    ("Standard_NC4as_T4_v3", "One T4: the modest graphics processor first."),
    ("Standard_NC8as_T4_v3", "One T4 with twice the cores."),
    ("Standard_NC24ads_A100_v4", "One A100, for models that a T4's 16 GB do not hold."),
)


def offer(needs: Needs, situation: Situation) -> PartOffer:
    seen = situation.subscription
    if no := placing.no_region(needs, seen):
        return no
    candidates: list[Candidate] = []
    exclusions: list[Exclusion] = []
    for rank, (size, why) in enumerate(_sizes(needs)):
        reason = _excluded(size, needs.whole("max_workers"), needs, seen)
        if reason:
            exclusions.append(Exclusion(subject=size, reason=reason))
        else:
            candidates.append(_candidate(size, why, rank, needs, seen))
    return PartOffer(
        label=needs.label,
        candidates=tuple(candidates),
        exclusions=tuple(exclusions),
        summary=f"{len(candidates)} node types fit the quota of {needs.text('region')}.",
        counter_offer="" if candidates else _counter_offer(needs, seen),
    )


def compose(needs: Needs, offer: PartOffer, pick: Pick, situation: Situation) -> Part:
    return variables.part(needs, candidate_of(offer, pick), pick, situation)


def _sizes(needs: Needs) -> tuple[tuple[str, str], ...]:
    asked = needs.text("node_type")
    if asked:
        return ((asked, "As asked for."),)
    if needs.yes("gpu"):
        kind = needs.text("gpu_kind")
        return tuple(one for one in GPU if not kind or azure_sizes.sizes()[one[0]].gpu_kind == kind) or tuple(
            (size.name, f"One {kind}, as asked for.") for size in azure_sizes.gpu_sizes(kind)
        )
    return GENERAL


def nodes(size: str, workers: int) -> tuple[Claim, ...]:
    """The driver is a node of the same pool."""
    return (Claim(size, workers + 1),)


def _excluded(size: str, workers: int, needs: Needs, seen: SubscriptionSnapshot) -> str:
    region = needs.text("region")
    problem = azure_sizes.sku_problem(size, seen, region)
    if problem:
        return problem
    short = next((s for s in azure_sizes.quota_sums(nodes(size, workers), seen, region) if not s.holds), None)
    if short is None:
        return ""
    used = short.terms[0][1]
    return (
        f"{workers} workers and a driver take {short.total - used:g} vCPU of {short.subject}, and {short.limit - used:g} of "
        f"{short.limit:g} are left"
    )


def _candidate(size: str, why: str, rank: int, needs: Needs, seen: SubscriptionSnapshot) -> Candidate:
    region = needs.text("region")
    sums = azure_sizes.quota_sums(nodes(size, needs.whole("max_workers")), seen, region)
    full = azure_sizes.worst(sums)
    known = azure_sizes.sizes()[size]
    return Candidate(
        id=f"{region}/{size}",
        title=f"{size} in {region}, {needs.text('min_workers')} to {needs.text('max_workers')} workers",
        score=round(1.0 - 0.1 * rank, 2),
        reasons=(why, f"{known.cpu_count} vCPU and {known.memory_gib:g} GiB a node."),
        binding=full.subject if full else "",
        sums=sums,
        choice=(("size", size),),
    )


def _counter_offer(needs: Needs, seen: SubscriptionSnapshot) -> str:
    """Fewer workers of the first size that carries some; verified by the same rule."""
    most = needs.whole("max_workers")
    for size, _ in _sizes(needs):
        fits = next((n for n in range(most - 1, 0, -1) if not _excluded(size, n, needs, seen)), 0)
        if fits:
            return f"It would fit with {fits} worker{'s' if fits > 1 else ''} of {size} instead of {most}."
    return "Ask for the quota in the portal under Quotas, or say another region."
