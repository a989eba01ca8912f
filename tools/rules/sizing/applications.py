"""Applications by their names, and their sizes by their load: a vendor's row, between two rows, or a vendor's formula; else the least that
runs.

Where none of these says anything, the answer is what to ask for. PostgreSQL by connections is in tools.rules.sizing.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from tools.data import table
from tools.rules.sizing.application_formulas import FORMULA_UNITS, FORMULAS, Load, Sized
from tools.rules.sizing.formulas import Span
from tools.rules.sizing.sizing import SYSTEM_DISK_GIB, SYSTEM_MEMORY_GIB
from tools.values.requirements import Source

UNITS: dict[str, str] = {
    "users": "users",
    "requests_per_second": "requests a second",
    "clusters": "clusters that it manages",
    "cluster_nodes": "cluster nodes",
    "agents": "agents",
    "clients": "clients",
    "workers": "workers",
    "namespaces": "namespaces",
    "instances": "instances that it manages",
    "partition_replicas": "replicas of partitions",
    "samples_per_second": "samples a second",
    "logins_per_second": "logins a second",
}
SYSTEM = {"memory_gib": SYSTEM_MEMORY_GIB, "disk_gib": float(SYSTEM_DISK_GIB)}
VARIANT = "Alpine-"
"""What the smallest variants of applications are called by; an application that has no other row has that of its variant."""


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
class Least:
    """What an application installs and runs with."""

    row: str
    cpu_count: int
    memory_gib: float
    disk_gib: int


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
    bare: bool
    """The application's own need, without the system's."""
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
            bare=row["bare"] == "yes",
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
def community() -> dict[str, Least]:
    """By plain name."""
    found = {
        row["application"]: Least(row["application"], int(row["cpu_count"]), int(row["memory_mib"]) / 1024, int(row["disk_gib"]))
        for row in table("community-minimums")
    }
    variants = {name.removeprefix(VARIANT): least for name, least in found.items() if name.startswith(VARIANT)}
    return {plain(name): least for name, least in (variants | found).items()}


@cache
def applications() -> dict[str, tuple[str, ...]]:
    """Every application by the name that we have for it, with the words by which it is heard: its names, or, where they mean something else
    as well, its names behind a word that says what is meant."""
    told = _told()
    ordinary, never_for = set(told["ordinary"]["names"]), set(told["ordinary"]["never_for"])
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted(set(_names().values()) - set(told["known_otherwise"]["names"]), key=str.lower):
        own = _spellings(name)
        if name in ordinary:
            behind = [word for word in told["ordinary"]["behind"] if name not in never_for or "for" not in word.split()]
            own = [f"{word} {spelling}" for word in behind for spelling in own]
        found[name] = tuple(dict.fromkeys((*own, *told["also"].get(name, ()))))
    return found


@cache
def ordinary() -> dict[str, str]:
    """Names that mean something else as well, by every spelling: they say enough where a message begins with them."""
    told = _told()["ordinary"]
    return {spelling: name for name in told["names"] if name not in told["never_for"] for spelling in _spellings(name)}


@cache
def _names() -> dict[str, str]:
    """Plain name, of every spelling → the name that we have for it. A vendor's goes before the community's."""
    community_names = [name.removeprefix(VARIANT) if name.startswith(VARIANT) else name for name in _community_names()]
    found: dict[str, str] = {}
    for name in (*published(), *_community_names(), *community_names):
        found.setdefault(plain(name), name)
    return found | {plain(also): name for name, words in _told()["also"].items() for also in words}


def _community_names() -> list[str]:
    return [row["application"] for row in table("community-minimums")]


def _spellings(name: str) -> list[str]:
    """With blanks, with hyphens, in one word, and as it stands in the table; `server` at its end says no more than a machine does."""
    words = plain(name).removesuffix(" server").split()
    return [" ".join(words), "-".join(words), "".join(words), name.lower().removesuffix("-server").removesuffix(" server")]


@cache
def _told() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(resources.files("tools.data").joinpath("application-names.toml").read_text(encoding="utf-8"))


def plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()


def canonical(name: str) -> str:
    """The application as our tables call it; empty when none of them knows it."""
    word = plain(name)
    return _names().get(word) or _names().get(word.removesuffix(" server"), "")


def size_for(application: str, load: Load, environment: str = "production") -> Sized | Unsized:
    """The size of one machine of an application: what a formula says of it, and rows for the rest, with what its system needs."""
    known = canonical(application)
    mine = tuple(row for row in rows() if row.application == known)
    by_formula = FORMULAS[known](load) if known in FORMULAS else None
    by_rows = _by_rows(mine, load, environment)
    if by_formula and by_rows:
        return _together(by_formula, by_rows)
    if by_formula or by_rows:
        return by_formula or by_rows  # type: ignore[return-value]
    unit = _unit_wanted(known, mine, load)
    if not unit:
        return least(known or application)
    most = max((row.limit(unit) for row in mine), default=0)
    if not load.get(unit) or not most:
        return Unsized(known, f"The size of {known} depends on how many {UNITS.get(unit, unit)} it has.", unit)
    beyond = f"Published sizes of {known} on one machine end at {most:,.0f} {unit.replace('_', ' ')}."
    parts = [name for name in published() if name.startswith(f"{known} ") and any(row.limit(unit) > most for row in _rows_of(name))]
    further = f" Beyond, its vendor has one machine or more for each of its parts: {', '.join(parts)}." if parts else ""
    return Unsized(known, beyond + further)


def _rows_of(application: str) -> Iterator[Row]:
    return (row for row in rows() if row.application == application)


def with_system(sized: Sized) -> Sized:
    """The size of the machine: where a figure is the application's own, what its system needs comes on top."""

    def more(span: Span | None, name: str, gib: float) -> Span | None:
        return Span(span.value + gib, span.low + gib, span.high + gib) if span and name in sized.bare else span

    told = " and ".join(f"{gib:g} GiB of {name.removesuffix('_gib')}" for name, gib in SYSTEM.items() if name in sized.bare)
    return replace(
        sized,
        memory_gib=more(sized.memory_gib, "memory_gib", SYSTEM["memory_gib"]),
        disk_gib=more(sized.disk_gib, "disk_gib", SYSTEM["disk_gib"]),
        because=f"{sized.because} {told} for the system on top." if told else sized.because,
        bare=(),
    )


def _together(first: Sized, second: Sized) -> Sized:
    return replace(
        first,
        cpu_count=first.cpu_count or second.cpu_count,
        memory_gib=first.memory_gib or second.memory_gib,
        disk_gib=first.disk_gib or second.disk_gib,
        source=Source(title=f"{first.source.title}; {second.source.title}", date=first.source.date, grade=first.source.grade),
        because=f"{first.because} {second.because}",
        warning=second.warning,
        bare=tuple(name for name in (*first.bare, *second.bare) if getattr(first if name in first.bare else second, name)),
    )


def _by_rows(mine: tuple[Row, ...], load: Load, environment: str) -> Sized | None:
    by_load = [row for row in mine if row.limits]
    units = [unit for unit in load if any(row.limit(unit) for row in by_load)]
    if units:
        found = [_by_unit([row for row in by_load if row.limit(unit)], unit, load[unit]) for unit in units]
        # What carries the one may not carry the other: the larger machine does both.
        return None if None in found else max(filter(None, found), key=_largeness)
    if by_load:
        return None
    tiers = {row.tier: row for row in mine}
    chosen = tiers.get(environment) or tiers.get("recommended") or tiers.get("production") or tiers.get("minimum")
    if chosen is None:
        return None
    return _tier(chosen, tiers.get("minimum", chosen), tiers.get("recommended", chosen))


def _by_unit(mine: list[Row], unit: str, value: float) -> Sized | None:
    carrying = sorted(mine, key=lambda row: row.limit(unit))
    upper = next((row for row in carrying if row.limit(unit) >= value), None)
    if upper is None:
        return None
    lower = [row for row in carrying if row.limit(unit) < value]
    return _between(lower[-1], upper, unit, value) if lower and math.isfinite(upper.limit(unit)) else _exactly(upper)


def _largeness(sized: Sized) -> tuple[float, ...]:
    return tuple(span.value if span else 0.0 for span in (sized.memory_gib, sized.cpu_count, sized.disk_gib))


def _exactly(row: Row) -> Sized:
    because = f"{row.application} for {row.load}."
    return Sized(row.application, _span(row.cpu_count), _span(row.memory_gib), _span(row.disk_gib), _source(row), because)


def _tier(row: Row, least: Row, most: Row) -> Sized:
    because = f"{row.application}, {row.tier} ({row.load})."
    warning = f"This is the least that {row.application} is said to need, not a size for a known load." if row.tier == "minimum" else ""
    alike = least.bare == row.bare

    def span(name: str) -> Span | None:
        low = getattr(least, name)
        return _span(getattr(row, name), low if alike or low is None else low + SYSTEM.get(name, 0), getattr(most, name))

    return Sized(
        row.application,
        span("cpu_count"),
        span("memory_gib"),
        span("disk_gib"),
        _source(row),
        because,
        warning,
        tuple(name for name in SYSTEM if row.bare and getattr(row, name) is not None),
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


def least(name: str) -> Unsized:
    """Without a vendor's size: what is known to be too little, if anything is."""
    found = community().get(plain(name))
    if found is None:
        return Unsized(name, f"I know no published size for {name}.")
    source = Source(title=f"community-scripts/ProxmoxVE, row {found.row}", date="2026-08-08", grade="community minimum")
    because = f"I know no vendor's size for {name}. {lower_bound(name)}"
    return Unsized(name, because, "", found.cpu_count, found.memory_gib, source)


def lower_bound(name: str) -> str:
    """A sentence of what an application is known to run with; empty when nothing is."""
    found = community().get(plain(name))
    if found is None:
        return ""
    sizes = f"{found.cpu_count} vCPU, {found.memory_gib:g} GiB of memory and {found.disk_gib} GiB of disk"
    return f"It installs and runs with {sizes}, which is a lower bound."


def _span(value: float | None, low: float | None = None, high: float | None = None) -> Span | None:
    if value is None:
        return None
    return Span(value, min(value, value if low is None else low), max(value, value if high is None else high))


def _source(row: Row, grade: str = "") -> Source:
    return Source(title=f"{row.source}, {row.application}, {row.load}", date=row.taken, grade=grade or row.grade)


def _number(text: str) -> float | None:
    return float(text) if text else None
