"""Sizes on Azure: how many Spark workers a volume of data needs, which GPU serves, and whether the quota carries it. Prices are not here.

No vendor publishes Spark sizes by volume, so this is a model with its assumptions in the open: work = data x passes / throughput.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from tools.data import table
from tools.rules.names import regions as azure_regions
from tools.rules.sizing.sizing import Assumption
from tools.values.offer import Sum
from tools.values.requirements import Source
from tools.values.snapshot import SubscriptionSnapshot

DAYS_A_MONTH = 30
USABLE_RATIO = 0.8
"""Of a worker's cores: the rest is for Kubernetes, the operating system and waiting."""
WORKER, DRIVER, SYSTEM = "Standard_E8ds_v5", "Standard_D4s_v5", "Standard_D4s_v5"
SYSTEM_NODES = {"production": 3}
"""One in each zone; elsewhere two, so that one may be replaced: learn.microsoft.com, "Manage system node pools in AKS", read 2026-11-29."""
SYSTEM_NODES_LEAST = 2
ZONES = ("1", "2", "3")
"""Of every region that has any: learn.microsoft.com, "What are availability zones?", read 2026-12-01."""
WORKERS_MAX = 200
"""One cluster of this size is reviewed by people, not composed here."""
_DATE = "2026-11-24"


def system_nodes(environment: str) -> int:
    return SYSTEM_NODES.get(environment, SYSTEM_NODES_LEAST)


def assumed(value: int, low: int, high: int, because: str) -> Assumption:
    return Assumption(value, low, high, because, Source(title="Berth's own assumption", date=_DATE, grade="assumption"))


THROUGHPUT_GB = assumed(25, 10, 50, "GB that one core works through in an hour: 10 with heavy joins, 50 with light transforms.")
PASSES = assumed(1, 1, 3, "How often the day's data is gone through was not said.")
WINDOW_HOURS = assumed(4, 1, 24, "Within how many hours a day's data is to be done was not said.")
RETENTION_DAYS = assumed(30, 7, 90, "How long data is kept was not said.")
COMPRESSION = assumed(3, 1, 5, "Raw data in Parquet takes about a third; JSON and text less, media all of it.")
GPU_HOURS = assumed(176, 20, 730, "Training in working hours, 22 days of 8 hours a month; the pool is empty otherwise.")
LOG_GB = assumed(100, 20, 300, "Logs a month; the workspace takes no more than its daily cap.")
EGRESS_GB = assumed(100, 10, 1000, "Images, packages and the API through the NAT gateway a month; data never goes there.")


@dataclass(frozen=True)
class Size:
    name: str
    family: str
    cpu_count: int
    memory_gib: float
    gpu_count: int
    gpu_kind: str
    local_disk_gib: int
    retired: bool
    replaced_by: str
    note: str


@cache
def sizes() -> dict[str, Size]:
    return {
        row["size"]: Size(
            name=row["size"],
            family=row["family"],
            cpu_count=int(row["cpu_count"]),
            memory_gib=float(row["memory_gib"]),
            gpu_count=int(row["gpu_count"]),
            gpu_kind=row["gpu_kind"],
            local_disk_gib=int(row["local_disk_gib"]),
            retired=row["status"] == "retired",
            replaced_by=row["replaced_by"],
            note=row["note"],
        )
        for row in table("azure-sizes")
    }


def size_named(text: str) -> Size | None:
    """`NC6s_v3`, `standard_nc6s_v3`, `Standard_NC6s_v3`."""
    plain = text.strip().lower().removeprefix("standard_")
    return next((s for s in sizes().values() if s.name.lower().removeprefix("standard_") == plain), None)


def gpu_sizes(kind: str = "") -> tuple[Size, ...]:
    """The smallest current size of each kind, the modest kinds first; with a kind, only that one."""
    order = ("T4", "A100", "H100")
    found = [s for s in sizes().values() if s.gpu_kind in order and not s.retired and s.gpu_count == 1]
    smallest = {k: min((s for s in found if s.gpu_kind == k), key=lambda s: s.cpu_count) for k in order}
    return tuple(smallest[k] for k in order if k == kind or (not kind and k != "H100"))


def replacement(size: Size) -> str:
    """A whole sentence about a size that is gone."""
    new = sizes()[size.replaced_by]
    return (
        f"{size.name} was {size.note}, so it cannot be had. {new.name} ({new.gpu_count} x {new.gpu_kind}, {new.cpu_count} vCPU, "
        f"{new.memory_gib:g} GiB) stands in for it."
    )


@dataclass(frozen=True)
class SparkSize:
    core_hours_daily: float
    workers: int
    node_hours_monthly: float


def spark(daily_gb: float, window_hours: float, throughput_gb: float, passes: float, worker: str = WORKER) -> SparkSize:
    """Workers that get a day's data done within the window, and the hours that they run."""
    cores = sizes()[worker].cpu_count * USABLE_RATIO
    core_hours = daily_gb * passes / throughput_gb
    return SparkSize(
        core_hours_daily=core_hours,
        workers=max(1, math.ceil(round(core_hours / (cores * window_hours), 6))),
        node_hours_monthly=core_hours / cores * DAYS_A_MONTH,
    )


@dataclass(frozen=True)
class Claim:
    """Machines of one size that a request wants at the most."""

    size: str
    count: int
    spot: bool = False


def quota_sums(wanted: Iterable[Claim], snapshot: SubscriptionSnapshot, region: str) -> tuple[Sum, ...]:
    """In vCPUs, for each family and for all cores of the region; spot machines have a quota of their own. A family that the subscription
    does not list is left out: what cannot be seen is told by the review, not guessed."""
    limits = {q.name.lower(): q for q in snapshot.quotas if q.region == region}
    sums = []
    for name, terms in _by_quota(wanted, snapshot, region).items():
        quota = limits.get(name.lower())
        if quota is None:
            continue
        all_terms = (("in use", quota.used), *terms)
        subject = {"cores": f"all vCPU in {region}", "lowPriorityCores": f"spot vCPU in {region}"}.get(
            name, f"vCPU family {name} in {region}"
        )
        sums.append(Sum(subject=subject, unit="vCPU", terms=all_terms, total=sum(v for _, v in all_terms), limit=quota.limit))
    return tuple(sums)


def quota_names(wanted: Iterable[Claim], snapshot: SubscriptionSnapshot, region: str) -> dict[str, float]:
    """vCPUs of these machines by the name of each quota that counts them, in small letters."""
    return {name.lower(): sum(cores for _, cores in terms) for name, terms in _by_quota(wanted, snapshot, region).items()}


def _by_quota(wanted: Iterable[Claim], snapshot: SubscriptionSnapshot, region: str) -> dict[str, list[tuple[str, float]]]:
    families = {s.name: s for s in snapshot.skus if s.region == region}
    found: dict[str, list[tuple[str, float]]] = {}
    for one in wanted:
        seen = families.get(one.size)
        cores = (seen.cpu_count if seen else sizes()[one.size].cpu_count) * one.count
        family = seen.family if seen else sizes()[one.size].family
        for name in ("lowPriorityCores",) if one.spot else (family, "cores"):
            found.setdefault(name, []).append((f"{one.count} x {one.size}", float(cores)))
    return found


def unseen_families(wanted: Iterable[Claim], snapshot: SubscriptionSnapshot, region: str) -> tuple[str, ...]:
    """Families whose quota the subscription did not tell."""
    families = {s.name: s.family for s in snapshot.skus if s.region == region}
    limits = {q.name.lower() for q in snapshot.quotas if q.region == region}
    names = (("lowPriorityCores" if w.spot else families.get(w.size, sizes()[w.size].family)) for w in wanted)
    return tuple(dict.fromkeys(n for n in names if n.lower() not in limits))


def sku_problem(size: str, snapshot: SubscriptionSnapshot, region: str) -> str:
    """Why the subscription cannot have this size there; empty when it can, or when sizes could not be looked at."""
    there = [s for s in snapshot.skus if s.region == region]
    if not there:
        return ""
    found = next((s for s in there if s.name.lower() == size.lower()), None)
    if found is None:
        elsewhere = sorted({s.region for s in snapshot.skus if s.name.lower() == size.lower() and not s.restricted})
        also = f"; it is offered in {', '.join(elsewhere[:4])}" if elsewhere else ""
        return f"{size} is not offered in {region}{also}"
    return f"{size} is not open to this subscription in {region} ({found.restricted})" if found.restricted else ""


def zones(size: str, snapshot: SubscriptionSnapshot, region: str) -> tuple[str, ...]:
    """Of the region, in which the subscription can have this size; all of them where it did not tell."""
    if not azure_regions.has_zones(region):
        return ()
    found = next((s for s in snapshot.skus if s.region == region and s.name.lower() == size.lower()), None)
    return ZONES if found is None or found.zones is None else found.zones


def worst(sums: Sequence[Sum]) -> Sum | None:
    """The one that is fullest."""
    return max(sums, key=lambda s: s.total / s.limit if s.limit else math.inf, default=None)
