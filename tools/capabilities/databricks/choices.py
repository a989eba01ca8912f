"""Offers node types that the region has and the quota carries, and composes the picked one."""

from __future__ import annotations

from tools.capabilities.databricks import variables
from tools.rules.azure import placing as azure_placing
from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.placing import candidate_of, number, subscription, text
from tools.rules.azure.sizes import Wanted
from tools.rules.machines import counter
from tools.values.manifest import Part
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick
from tools.values.requirements import Needs
from tools.values.site import Reserved, Site
from tools.values.snapshot import Snapshot, SubscriptionSnapshot

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


def offer(needs: Needs, snapshot: Snapshot, site: Site, reserved: Reserved) -> PartOffer:
    seen = subscription(snapshot)
    problem = azure_placing.region_problem(needs, seen)
    if problem:
        return PartOffer(
            capability=needs.capability, candidates=(), exclusions=(Exclusion(subject=text(needs, "region"), reason=problem),)
        )
    candidates: list[Candidate] = []
    exclusions: list[Exclusion] = []
    for rank, (size, why) in enumerate(_sizes(needs)):
        reason = _excluded(size, int(number(needs, "max_workers")), needs, seen)
        if reason:
            exclusions.append(Exclusion(subject=size, reason=reason))
            continue
        candidates.append(_candidate(size, why, rank, needs, seen))
    return PartOffer(
        capability=needs.capability,
        candidates=tuple(candidates),
        exclusions=tuple(exclusions),
        summary=f"{len(candidates)} node types fit the quota of {text(needs, 'region')}.",
        counter_offer="" if candidates else _counter_offer(needs, seen),
    )


def compose(needs: Needs, offer: PartOffer, pick: Pick, snapshot: Snapshot, site: Site, reserved: Reserved) -> Part:
    candidate = candidate_of(offer, pick)
    return variables.part(needs, candidate, pick, subscription(snapshot), site, reserved)


def _sizes(needs: Needs) -> tuple[tuple[str, str], ...]:
    asked = text(needs, "node_type")
    if asked:
        return ((asked, "As asked for."),)
    if needs.field("gpu") and needs.field("gpu").value is True:  # type: ignore[union-attr]
        kind = text(needs, "gpu_kind")
        return tuple(one for one in GPU if not kind or azure_sizes.sizes()[one[0]].gpu_kind == kind) or tuple(
            (size.name, f"One {kind}, as asked for.") for size in azure_sizes.gpu_sizes(kind)
        )
    return GENERAL


def _nodes(size: str, workers: int) -> tuple[Wanted, ...]:
    """The driver is a node of the same pool."""
    return (Wanted(size, workers + 1),)


def _excluded(size: str, workers: int, needs: Needs, seen: SubscriptionSnapshot) -> str:
    region = text(needs, "region")
    problem = azure_sizes.sku_problem(size, seen, region)
    if problem:
        return problem
    short = next((s for s in azure_sizes.quota_sums(_nodes(size, workers), seen, region) if not s.holds), None)
    if short is None:
        return ""
    used = short.terms[0][1]
    return (
        f"{workers} workers and a driver take {short.total - used:g} vCPU of {short.subject}, and {short.limit - used:g} of "
        f"{short.limit:g} are left"
    )


def _candidate(size: str, why: str, rank: int, needs: Needs, seen: SubscriptionSnapshot) -> Candidate:
    region = text(needs, "region")
    sums = azure_sizes.quota_sums(_nodes(size, int(number(needs, "max_workers"))), seen, region)
    full = azure_sizes.worst(sums)
    known = azure_sizes.sizes()[size]
    return Candidate(
        id=f"{region}/{size}",
        title=f"{size} in {region}, {text(needs, 'min_workers')} to {text(needs, 'max_workers')} workers",
        score=round(1.0 - 0.1 * rank, 2),
        reasons=(why, f"{known.cpu_count} vCPU and {known.memory_gib:g} GiB a node."),
        binding=f"{full.subject}: {full.total:g} of {full.limit:g} vCPU" if full else "",
        sums=sums,
        choice={"size": size, "region": region},
    )


def _counter_offer(needs: Needs, seen: SubscriptionSnapshot) -> str:
    """Fewer workers of the first size that carries some; verified by the same rule."""
    most = int(number(needs, "max_workers"))
    for size, _ in _sizes(needs):
        fits = counter.largest(most - 1, 1, 1, lambda n, size=size: not _excluded(size, n, needs, seen))  # type: ignore[misc]
        if fits:
            return f"It would fit with {fits} worker{'s' if fits > 1 else ''} of {size} instead of {most}."
    return "Ask for the quota in the portal under Quotas, or say another region."
