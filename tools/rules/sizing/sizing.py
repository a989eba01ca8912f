"""Sizes from published figures: PostgreSQL by its connections, its settings by pgtune's rules, assumptions where nothing is published.

Formulas of other workloads stand in tools.rules.sizing.formulas, rows of known applications are looked up in
tools.rules.sizing.applications.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Literal

from tools.data import table
from tools.values.requirements import Source

Load = Literal["web", "oltp", "dw", "mixed", "desktop"]

RESERVED_CONNECTIONS = 3
"""PostgreSQL's superuser_reserved_connections by default: they come on top, so that the users asked for all get in."""


@dataclass(frozen=True)
class PostgresqlSize:
    sku: str
    series: str
    """`burstable`, `general purpose` or `memory optimised`, which has half the vCPUs for its memory."""
    cpu_count: int
    memory_mib: int
    connections_user_max: int
    source: Source


@cache
def postgresql_sizes() -> tuple[PostgresqlSize, ...]:
    """Smallest first: by memory, then by vCPUs."""
    rows = (
        PostgresqlSize(
            sku=row["sku"],
            series=row["series"],
            cpu_count=int(row["cpu_count"]),
            memory_mib=int(row["memory_gib"]) * 1024,
            connections_user_max=int(row["connections_user_max"]),
            source=Source(title=f"{row['source']}, {row['sku']}", date=row["taken"], grade="vendor"),
        )
        for row in table("postgresql-connections")
    )
    return tuple(sorted(rows, key=lambda size: (size.memory_mib, size.cpu_count)))


def postgresql(connections: int) -> PostgresqlSize | None:
    """The smallest published size that carries so many connections of users; None beyond the largest.

    Memory-optimised sizes carry as many with fewer vCPUs. They are the lower end of the range, not the choice: how much each
    connection computes is not known.
    """
    return next((size for size in _ordinary() if size.connections_user_max >= connections), None)


def postgresql_least(connections: int) -> PostgresqlSize | None:
    """The same of all series: the fewest vCPUs that carry them."""
    return next((size for size in postgresql_sizes() if size.connections_user_max >= connections), None)


def postgresql_next(size: PostgresqlSize) -> PostgresqlSize:
    """The next larger one, as the upper end of what is sensible; the largest has none."""
    return next((larger for larger in _ordinary() if larger.memory_mib > size.memory_mib), size)


def _ordinary() -> tuple[PostgresqlSize, ...]:
    return tuple(size for size in postgresql_sizes() if size.series != "memory optimised")


_WORK_MEM_MIN_KB = 4 * 1024
_MAINTENANCE_MAX_KB = 8 * 2**20
_WAL_MAX = {"web": 4, "oltp": 8, "dw": 16, "mixed": 4, "desktop": 2}
_WAL_MIN_MB = {"web": 1024, "oltp": 2048, "dw": 4096, "mixed": 1024, "desktop": 100}
_MAX_WORKER_PROCESSES = 8
"""PostgreSQL's own default, which pgtune counts with below four processors."""


def pgtune(memory_mib: int, connections: int, cpu_count: int, load: Load = "web") -> dict[str, str]:
    """pgtune's published rules for Linux and SSDs (le0pard/pgtune configurationSlice.js @7caef27, taken 2026-11-21).

    Sorting memory is shared out among the connections asked for; those reserved for administration come on top.
    """
    memory_kb = memory_mib * 1024
    shared_kb = memory_kb // (16 if load == "desktop" else 4)
    workers = cpu_count if cpu_count >= 4 else _MAX_WORKER_PROCESSES
    settings = {
        "max_connections": str(connections + RESERVED_CONNECTIONS),
        "shared_buffers": _kb(shared_kb),
        "effective_cache_size": _kb(memory_kb // 4 if load == "desktop" else memory_kb * 3 // 4),
        "maintenance_work_mem": _kb(min(memory_kb // (8 if load == "dw" else 16), _MAINTENANCE_MAX_KB)),
        "checkpoint_completion_target": "0.9",
        "wal_buffers": _kb(_wal_buffers_kb(shared_kb)),
        "default_statistics_target": "500" if load == "dw" else "100",
        "random_page_cost": "1.1",
        "effective_io_concurrency": "200",
        "work_mem": _kb(_work_mem_kb(memory_kb, shared_kb, connections, workers, load)),
        "huge_pages": "try" if memory_mib >= 32 * 1024 else "off",
        "min_wal_size": _kb(_WAL_MIN_MB[load] * 1024),
        "max_wal_size": _kb(_WAL_MAX[load] * 2**20),
    }
    if cpu_count >= 4:
        gather = math.ceil(cpu_count / 2)
        settings |= {
            "max_worker_processes": str(cpu_count),
            "max_parallel_workers_per_gather": str(gather if load == "dw" else min(gather, 4)),
            "max_parallel_workers": str(cpu_count),
            "max_parallel_maintenance_workers": str(min(gather, 4)),
        }
    return settings


def _work_mem_kb(memory_kb: int, shared_kb: int, connections: int, workers: int, load: Load) -> int:
    share = (memory_kb - shared_kb) // ((connections + workers) * 3)
    halved = {"mixed": 2, "dw": 2, "desktop": 6}.get(load, 1)
    return max(share // halved, _WORK_MEM_MIN_KB)


def _wal_buffers_kb(shared_kb: int) -> int:
    """3 % of the shared buffers, at most a WAL segment of 16 MB, to which anything near it is rounded."""
    wanted = shared_kb * 3 // 100
    return 16 * 1024 if wanted > 14 * 1024 else max(wanted, 32)


def _kb(size_kb: int) -> str:
    """In the largest unit that divides it, as PostgreSQL writes sizes."""
    for unit, unit_kb in (("GB", 2**20), ("MB", 2**10)):
        if size_kb % unit_kb == 0:
            return f"{size_kb // unit_kb}{unit}"
    return f"{size_kb}kB"


@dataclass(frozen=True)
class Assumption:
    """A size for which nothing is published: a value, the range it may lie in, and why."""

    value: int
    low: int
    high: int
    because: str
    source: Source


def _ours(value: int, low: int, high: int, because: str, lowest: str = "") -> Assumption:
    title = "Berth's own assumption" + (f"; lower end: {lowest}" if lowest else "")
    return Assumption(value, low, high, because, Source(title=title, date="2026-11-24", grade="assumption"))


_COMMUNITY = "community-scripts/ProxmoxVE, 2026-08-08, row"
SYSTEM_DISK_GIB = 8
"""Set aside for the system and its logs beside the data. An assumption, within the one it is part of."""
SYSTEM_MEMORY_GIB = 0.5
"""That a system takes beside what runs on it: the community's row Debian, 512 MiB."""

WEB_CPU = _ours(2, 1, 4, "No size of a web server is published by load.", f"{_COMMUNITY} Caddy, 1 vCPU")
WEB_MEMORY_MIB = _ours(2048, 512, 8192, "No size of a web server is published by load.", f"{_COMMUNITY} Caddy, 512 MiB")
WEB_DISK_GIB = _ours(20, 6, 100, "The size of the site was not said.", f"{_COMMUNITY} Caddy, 6 GiB")
DEV_CPU = _ours(4, 2, 8, "No vendor publishes a size for a development environment.", f"{_COMMUNITY} Docker, 2 vCPU")
DEV_MEMORY_MIB = _ours(8192, 2048, 16384, "No vendor publishes a size for a development environment.", f"{_COMMUNITY} Docker, 2 GiB")
DEV_DISK_GIB = _ours(40, 10, 200, "How much is built there was not said.")
VM_DISK_GIB = _ours(20, 2, 200, "The size of the disk was not said.", f"{_COMMUNITY} Debian, 2 GiB")
DATABASE_DISK_GIB = _ours(40, 10, 500, "The size of the database was not said.", f"{_COMMUNITY} PostgreSQL, 4 GiB")


def database_disk_gib(database_gib: int) -> Assumption:
    """For a database whose size was said: the data, once more half of it for growth, WAL and temporary files, and the system."""
    return _ours(
        math.ceil(database_gib * 1.5) + SYSTEM_DISK_GIB,
        database_gib + SYSTEM_DISK_GIB,
        database_gib * 3 + SYSTEM_DISK_GIB,
        f"{database_gib} GiB of data, half as much again for growth, write-ahead log and temporary files, and "
        f"{SYSTEM_DISK_GIB} GiB for the system.",
    )


def database_with_backups_disk_gib(database_gib: int) -> Assumption:
    """For one that keeps its own backups: room for two full ones beside the data, of which one is being taken, and the log between them."""
    return _ours(
        math.ceil(database_gib * 4) + SYSTEM_DISK_GIB,
        math.ceil(database_gib * 2) + SYSTEM_DISK_GIB,
        database_gib * 6 + SYSTEM_DISK_GIB,
        f"{database_gib} GiB of data, half as much again for growth, write-ahead log and temporary files, two and a half times as much for "
        f"backups and their log, and {SYSTEM_DISK_GIB} GiB for the system.",
    )
