"""Reads how many machines of each group a service is to have, and how large they are. A group's facts have its name before theirs
(`workers_count`, `workers_memory`), and so have its fields; which groups there are is stated in the service's table."""

from __future__ import annotations

from tools.rules.request.reading import Reading, read_sizes
from tools.rules.sizing.sizing import Assumption

SIZES = (("cpu_count", "cpu_count", "vCPU"), ("memory", "memory_mib", "MiB"), ("disk", "disk_gib", "GiB"))
"""(fact, field, unit)"""


def read_group_count(
    reading: Reading, group: str, otherwise: int, because: str, low: int, high: int, why: str, *, plain: bool = False
) -> int:
    """How many, as it was said, else `otherwise`. `plain`: a number that no group was named with is of this one."""
    name = f"{group}_count"
    fact = "count" if plain and name not in reading.facts and "count" in reading.facts else name
    count = reading.count(fact, group.replace("_", " "), low, high, why)
    if count is not None:
        reading.said(name, count, "machines", fact=fact)
    elif fact not in reading.facts:
        reading.default(name, otherwise, because, "machines")
    return otherwise if count is None else count


def settle_group_sizes(
    reading: Reading, group: str, cpu_count: Assumption, memory_mib: Assumption, disk_gib: Assumption, *, plain: bool = True
) -> None:
    """Each size as it was said of the group, else, where `plain` ones are meant for it, as it was said of all machines, else as assumed."""
    own = dict(zip((fact for fact, _, _ in SIZES), read_sizes(reading, f"{group}_"), strict=True))
    shared = dict(zip((fact for fact, _, _ in SIZES), read_sizes(reading), strict=True)) if plain else {}
    for (fact, field, unit), assumption in zip(SIZES, (cpu_count, memory_mib, disk_gib), strict=True):
        said = f"{group}_{fact}" if f"{group}_{fact}" in reading.facts or not plain else fact
        value = own[fact] if said != fact else shared.get(fact)
        if value is not None:
            reading.said(f"{group}_{field}", value, unit, fact=said)
        elif said not in reading.facts:
            reading.suppose(f"{group}_{field}", assumption, unit)
