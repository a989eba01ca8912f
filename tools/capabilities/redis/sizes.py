"""How large a Redis server is: memory and disk by its data, and how much of its memory the data may take. Arithmetic on published rows.

Redis' own documentation gives two figures: maxmemory is to be 80 to 90 % of the free memory, and while Redis saves, it can use up to twice
the memory that it normally uses. Which keys change while it saves is not known, so memory for twice the data is the choice, and
memory for the data alone is the least.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tools.data import table
from tools.rules.names.text import spell_memory
from tools.rules.request.reading import DISK_GIB_MAX, MEMORY_MIB_MAX
from tools.rules.sizing.sizing import SYSTEM_DISK_GIB, Assumption
from tools.values.requirements import Source

MEMORY_STEP_MIB = 512
GROWTH = 2
"""The range of an assumed memory ends where twice the data would be as comfortable. Berth's own assumption."""


@dataclass(frozen=True)
class Figure:
    value: float
    source: str
    taken: str


@dataclass(frozen=True)
class Minimum:
    """What installs and runs, by the community's scripts: a lower bound."""

    cpu_count: int
    memory_mib: int
    disk_gib: int


FIGURES = {row["figure"]: Figure(float(row["value"]), row["source"], row["taken"]) for row in table("redis")}
_MINIMUMS = {
    row["application"]: Minimum(int(row["cpu_count"]), int(row["memory_mib"]), int(row["disk_gib"]))
    for row in table("community-minimums")
    if row["application"] in ("Debian", "Redis")
}
LEAST = _MINIMUMS["Redis"]
SYSTEM_MIB = _MINIMUMS["Debian"].memory_mib
"""Set aside for the system, of which Redis gets nothing."""
_COMMUNITY = "community-scripts/ProxmoxVE, 2026-08-08, row Redis"

_SHARE_LOW = FIGURES["memory_share_low"].value
_SHARE_HIGH = FIGURES["memory_share_high"].value
_SAVING = FIGURES["saving_factor_max"].value

CPU = Assumption(
    2,
    LEAST.cpu_count,
    4,
    "Redis runs commands one at a time, and a second process saves. No size by load is published for Redis itself.",
    Source(title=f"Berth's own assumption; lower end: {_COMMUNITY}, {LEAST.cpu_count} vCPU", date="2026-11-29", grade="assumption"),
)


def memory_comfortable_mib(data_mib: int) -> int:
    """Enough when every key changes while Redis saves."""
    return _in_steps(data_mib * _SAVING / _SHARE_LOW + SYSTEM_MIB)


def memory_least_mib(data_mib: int) -> int:
    """Enough when hardly any key changes while Redis saves; with less, the data does not fit."""
    return _in_steps(data_mib / _SHARE_HIGH + SYSTEM_MIB)


def memory(data_mib: int) -> Assumption:
    figure = FIGURES["saving_factor_max"]
    return Assumption(
        memory_comfortable_mib(data_mib),
        memory_least_mib(data_mib),
        min(memory_comfortable_mib(data_mib * GROWTH), MEMORY_MIB_MAX),
        f"{spell_memory(data_mib)} of data, {_SAVING:g} times that while Redis saves. It gets {_SHARE_LOW:.0%} of the memory that "
        f"the system leaves free, which takes {spell_memory(SYSTEM_MIB)}.",
        Source(title=figure.source, date=figure.taken, grade="vendor"),
    )


def disk(memory_mib: int, data_mib: int) -> Assumption:
    """By the machine's memory; `data_mib` is 0 where nothing was said of the data."""
    low, high = FIGURES["disk_factor_low"], FIGURES["disk_factor_high"]
    return Assumption(
        _disk_gib(memory_mib * low.value),
        disk_least_gib(data_mib),
        min(_disk_gib(memory_mib * high.value), DISK_GIB_MAX),
        f"{low.value:g} times the memory, and {SYSTEM_DISK_GIB} GiB for the system. The log of writes, its rewriting and the snapshots "
        f"take that much; it is published for Redis Enterprise.",
        Source(title=low.source, date=low.taken, grade="vendor"),
    )


def disk_least_gib(data_mib: int) -> int:
    """The same by the data alone."""
    return max(LEAST.disk_gib, _disk_gib(data_mib * FIGURES["disk_factor_low"].value))


def data_max_mib(memory_mib: int, data_mib: int) -> int:
    """What maxmemory is set to: as much data as there is memory for while Redis saves, or the data that was said where that is more
    and fits at all. Never 0, which Redis takes for no limit."""
    free_mib = memory_mib - SYSTEM_MIB
    careful, most = math.floor(free_mib * _SHARE_LOW / _SAVING), math.floor(free_mib * _SHARE_HIGH)
    return max(1, careful, min(data_mib, most))


DATA_MIB_MAX = math.floor((MEMORY_MIB_MAX - SYSTEM_MIB) * _SHARE_LOW / _SAVING)
"""What the largest machine holds."""


def _in_steps(memory_mib: float) -> int:
    # A share such as 0.8 has no exact value, and a step more for a millionth of a MiB would be no answer.
    return max(LEAST.memory_mib, math.ceil(round(memory_mib / MEMORY_STEP_MIB, 6)) * MEMORY_STEP_MIB)


def _disk_gib(kept_mib: float) -> int:
    return math.ceil(round(kept_mib / 1024, 6)) + SYSTEM_DISK_GIB
