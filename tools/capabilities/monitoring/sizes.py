"""How large a monitoring machine is: its disk by what it keeps, by Prometheus' own formula; arithmetic on published and measured rows.

needed disk = retention in seconds × samples a second × bytes a sample, at most a share of the disk, and the system's own room besides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tools.data import table
from tools.rules.sizing import formulas
from tools.rules.sizing.sizing import SYSTEM_DISK_GIB, Assumption
from tools.values.requirements import Source

MACHINES_ASSUMED, MACHINES_MAX = 50, 2_000
RETENTION_DAYS = 15
"""Prometheus' own default."""
RETENTION_DAYS_MAX = 3_650


@dataclass(frozen=True)
class Minimum:
    """What installs and runs, by the community's scripts: a lower bound."""

    cpu_count: int
    memory_mib: int
    disk_gib: int


_FIGURES = {row["figure"]: float(row["value"]) for row in table("monitoring")}
LEAST = next(
    Minimum(int(row["cpu_count"]), int(row["memory_mib"]), int(row["disk_gib"]))
    for row in table("community-minimums")
    if row["application"] == "Prometheus"
)
_UNKNOWN = "No size by load is published for Prometheus' processors and memory."
_COMMUNITY = "community-scripts/ProxmoxVE, 2026-08-08, row Prometheus"
_BYTES, SHARE = _FIGURES["bytes_per_sample"], _FIGURES["disk_share"]
DISK_GIB_MIN = SYSTEM_DISK_GIB + LEAST.disk_gib


def _ours(value: int, high: int, why: str, least: str, low: int) -> Assumption:
    source = Source(title=f"Berth's own assumption; lower end: {_COMMUNITY}, {least}", date="2026-11-29", grade="assumption")
    return Assumption(value, low, high, why, source)


CPU = _ours(2, 4, _UNKNOWN, f"{LEAST.cpu_count} vCPU", LEAST.cpu_count)
MEMORY_MIB = _ours(2048, 8192, _UNKNOWN, f"{LEAST.memory_mib} MiB", LEAST.memory_mib)


def samples_per_second(machines: int) -> float:
    """Of so many machines and of the monitoring itself."""
    return (machines * _FIGURES["series_machine"] + _FIGURES["series_itself"]) / _FIGURES["scrape_seconds"]


def disk_gib(machines: int, retention_days: int) -> int:
    data = formulas.prometheus_data_gib(samples_per_second(machines), retention_days, _BYTES)
    return math.ceil(data / SHARE) + SYSTEM_DISK_GIB


def disk(machines: int, retention_days: int) -> Assumption:
    wanted = max(disk_gib(machines, retention_days), DISK_GIB_MIN)
    return Assumption(
        wanted,
        max(_half(wanted), DISK_GIB_MIN),
        wanted * 3,
        f"{retention_days} days of {samples_per_second(machines):,.0f} samples a second, {_BYTES:g} bytes each, filling "
        f"{SHARE:.0%} of the disk, and {SYSTEM_DISK_GIB} GiB for the system. {machines} machines give "
        f"{_FIGURES['series_machine']:g} figures each, every {_FIGURES['scrape_seconds']:g} s.",
        Source(title=f"{formulas.PROMETHEUS}; figures of a machine measured by Berth, 2026-11-29", date=formulas.TAKEN, grade="formula"),
    )


def _half(wanted: int) -> int:
    """At 1 byte a sample, the better end of what Prometheus' documentation says."""
    return math.ceil((wanted - SYSTEM_DISK_GIB) / 2) + SYSTEM_DISK_GIB


def data_max_mib(disk: int) -> int:
    """What Prometheus may fill of a disk; the oldest figures go first."""
    return math.floor((disk - SYSTEM_DISK_GIB) * SHARE * 1024)
