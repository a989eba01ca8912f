"""Sizes of known applications by their load: a vendor's row, between two rows, or a vendor's formula; else the least that runs.

Where none of these says anything, the answer is what to ask for. PostgreSQL by connections is in tools.rules.sizing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import cache

from tools.data import table
from tools.rules.sizing.application_formulas import FORMULA_UNITS, FORMULAS, Load, Sized
from tools.rules.sizing.formulas import Span
from tools.values.requirements import Source

UNITS: dict[str, str] = {
    "users": "users",
    "clusters": "clusters that it manages",
    "cluster_nodes": "cluster nodes",
    "agents": "agents",
    "clients": "clients",
    "workers": "workers",
    "instances": "instances that it manages",
    "samples_per_second": "samples a second",
    "logins_per_second": "logins a second",
}
ALIASES = {
    "k3s": "K3s server",
    "kubernetes control plane": "OpenShift control plane",
    "openshift": "OpenShift control plane",
    "kafka": "Kafka broker",
    "jitsi": "Jitsi Meet",
    "github enterprise": "GitHub Enterprise Server",
    "msr": "Mirantis Secure Registry",
    "ppem": "Postgres Pro Enterprise Manager",
    "tljh": "Littlest JupyterHub",
    "jupyterhub": "Littlest JupyterHub",
    "the littlest jupyterhub": "Littlest JupyterHub",
    "hashicorp vault": "Vault",
}


@dataclass(frozen=True)
class Unsized:
    """Nothing to size by: what to ask for, and why."""

    application: str
    because: str
    unit: str = ""
    """Of the load that would decide; empty when none would."""
    cpu_count_min: int = 0
    memory_gib_min: float = 0
    source: Source | None = None


@dataclass(frozen=True)
class Row:
    application: str
    tier: str
    load: str
    limits: tuple[tuple[str, float], ...]
    """(unit, the most of it that this size carries)."""
    cpu_count: float | None
    memory_gib: float | None
    disk_gib: float | None
    grade: str
    source: str
    taken: str

    def limit(self, unit: str) -> float:
        return dict(self.limits).get(unit, 0.0)


@cache
def rows() -> tuple[Row, ...]:
    return tuple(
        Row(
            application=row["workload"],
            tier=row["tier"],
            load=row["load"],
            limits=tuple(
                (row[unit], float(row[limit])) for unit, limit in (("unit", "up_to"), ("second_unit", "second_up_to")) if row[unit]
            ),
            cpu_count=_number(row["cpu_count"]),
            memory_gib=_number(row["memory_gib"]),
            disk_gib=_number(row["disk_gib"]),
            grade=row["grade"],
            source=row["source"],
            taken=row["taken"],
        )
        for row in table("sizing-references")
    )


@cache
def published() -> tuple[str, ...]:
    """Applications that a vendor's row or formula sizes."""
    return tuple(sorted({row.application for row in rows()} | set(FORMULAS)))


@cache
def community() -> dict[str, tuple[str, int, float, int]]:
    """(name, vCPUs, GiB of memory, GiB of disk) that an application installs and runs with, by plain name."""
    return {
        plain(row["application"]): (
            row["application"],
            int(row["cpu_count"]),
            int(row["memory_mib"]) / 1024,
            int(row["disk_gib"]),
        )
        for row in table("community-minimums")
        if row["cpu_count"].isdigit() and row["memory_mib"].isdigit() and row["disk_gib"].isdigit()
    }


def plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()


def canonical(name: str) -> str:
    """The application as our tables call it; empty when none of them knows it."""
    word = plain(name)
    word = word.removesuffix(" server") if word not in map(plain, published()) else word
    by_name = {plain(known): known for known in published()} | {plain(alias): known for alias, known in ALIASES.items()}
    return by_name.get(word) or (community()[word][0] if word in community() else "")


def size_for(application: str, load: Load, environment: str = "production") -> Sized | Unsized:
    """The size of one machine of an application: what a formula says of it, and rows for the rest."""
    known = canonical(application)
    mine = tuple(row for row in rows() if row.application == known)
    by_formula = FORMULAS[known](load) if known in FORMULAS else None
    by_rows = _by_rows(mine, load, environment)
    if by_formula and by_rows:
        return _together(by_formula, by_rows)
    if by_formula or by_rows:
        return by_formula or by_rows  # type: ignore[return-value]
    unit = _unit_wanted(known, mine, load)
    if unit:
        most = max((row.limit(unit) for row in mine), default=0)
        beyond = f" Published sizes of {known} end at {most:,.0f} {unit.replace('_', ' ')}." if load.get(unit) and most else ""
        return Unsized(known, f"The size of {known} depends on how many {UNITS.get(unit, unit)} it has.{beyond}", "" if beyond else unit)
    return _least(known or application)


def _together(first: Sized, second: Sized) -> Sized:
    return replace(
        first,
        cpu_count=first.cpu_count or second.cpu_count,
        memory_gib=first.memory_gib or second.memory_gib,
        disk_gib=first.disk_gib or second.disk_gib,
        source=Source(title=f"{first.source.title}; {second.source.title}", date=first.source.date, grade=first.source.grade),
        because=f"{first.because} {second.because}",
        warning=second.warning,
    )


def _by_rows(mine: tuple[Row, ...], load: Load, environment: str) -> Sized | None:
    by_load = [row for row in mine if row.limits]
    for unit in load:
        carrying = sorted((row for row in by_load if row.limit(unit)), key=lambda row: row.limit(unit))
        upper = next((row for row in carrying if row.limit(unit) >= load[unit]), None)
        if upper is not None:
            lower = [row for row in carrying if row.limit(unit) < load[unit]]
            return _between(lower[-1], upper, unit, load[unit]) if lower and math.isfinite(upper.limit(unit)) else _exactly(upper)
        if carrying:
            return None
    if by_load:
        return None
    tiers = {row.tier: row for row in mine}
    chosen = tiers.get(environment) or tiers.get("recommended") or tiers.get("production") or tiers.get("minimum")
    if chosen is None:
        return None
    if environment == "development" and "minimum" in tiers:
        chosen = tiers["minimum"]
    return _tier(chosen, tiers.get("minimum", chosen), tiers.get("recommended", chosen))


def _exactly(row: Row) -> Sized:
    because = f"{row.application} for {row.load}."
    return Sized(row.application, _span(row.cpu_count), _span(row.memory_gib), _span(row.disk_gib), _source(row), because)


def _tier(row: Row, least: Row, most: Row) -> Sized:
    because = f"{row.application}, {row.tier} ({row.load})."
    warning = f"This is the least that {row.application} is said to need, not a size for a known load." if row.tier == "minimum" else ""
    return Sized(
        row.application,
        _span(row.cpu_count, least.cpu_count, most.cpu_count),
        _span(row.memory_gib, least.memory_gib, most.memory_gib),
        _span(row.disk_gib, least.disk_gib, most.disk_gib),
        _source(row),
        because,
        warning,
    )


def _between(lower: Row, upper: Row, unit: str, value: float) -> Sized:
    """Between two published sizes: in proportion, and where the rows go up by doubling, the nearest step between them."""
    share = (value - lower.limit(unit)) / (upper.limit(unit) - lower.limit(unit))

    def step(low: float | None, high: float | None) -> Span | None:
        if low is None or high is None:
            return _span(high)
        if share >= 1:
            return Span(high, low, high)
        doublings = math.log2(high / low) if low > 0 else 0.5
        straight = low + (high - low) * share
        if doublings > 0 and abs(doublings - round(doublings)) < 0.01:
            return Span(low * 2 ** round(math.log2(straight / low)), low, high)
        return Span(straight, low, high)

    because = f"{upper.application} for {value:,.0f} {unit.replace('_', ' ')}: between the sizes for {lower.load} and for {upper.load}."
    return Sized(
        upper.application,
        step(lower.cpu_count, upper.cpu_count),
        step(lower.memory_gib, upper.memory_gib),
        step(lower.disk_gib, upper.disk_gib),
        _source(upper, "between two rows" if share < 1 else ""),
        because if share < 1 else f"{upper.application} for {upper.load}.",
    )


def _unit_wanted(known: str, mine: tuple[Row, ...], load: Load) -> str:
    """The load that decides the size, when it was not said or lies beyond all rows."""
    units = [row.limits[0][0] for row in mine if row.limits] or ([FORMULA_UNITS[known]] if known in FORMULA_UNITS else [])
    said = [unit for row in mine for unit, _ in row.limits if unit in load]
    return said[0] if said else units[0] if units else ""


def _least(name: str) -> Unsized:
    found = community().get(plain(name))
    if found is None:
        return Unsized(name, f"No published size of {name} is known here.")
    app, cpu_count, memory_gib, _ = found
    source = Source(title=f"community-scripts/ProxmoxVE, row {app}", date="2026-08-08", grade="community minimum")
    because = (
        f"No vendor's size of {app} is known here; it installs and runs with {cpu_count} vCPU and "
        f"{memory_gib:g} GiB, which is a lower bound."
    )
    return Unsized(app, because, "", cpu_count, memory_gib, source)


def _span(value: float | None, low: float | None = None, high: float | None = None) -> Span | None:
    if value is None:
        return None
    return Span(value, min(value, value if low is None else low), max(value, value if high is None else high))


def _source(row: Row, grade: str = "") -> Source:
    return Source(title=f"{row.source}, {row.application}, {row.load}", date=row.taken, grade=grade or row.grade)


def _number(text: str) -> float | None:
    return float(text) if text else None
