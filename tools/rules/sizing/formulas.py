"""Vendors' sizing formulas, as functions: a load in, numbers out. Which one is used for what is in tools.rules.sizing.applications.

Taken 2026-11-21 from the pages each function names; only the arithmetic is theirs. GB is 10^9 bytes where they say GB.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

TAKEN = "2026-11-21"
SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Span:
    """What a formula gives: a value, and the range it may lie in when the vendor names one."""

    value: float
    low: float
    high: float

    @classmethod
    def exactly(cls, value: float) -> Span:
        return cls(value, value, value)


@dataclass(frozen=True)
class Sizes:
    cpu_count: Span | None = None
    memory_gib: Span | None = None
    disk_gib: Span | None = None


LITTLEST_JUPYTERHUB = "The Littlest JupyterHub docs, resource-estimation.md"


def littlest_jupyterhub(
    users: int,
    concurrent_share: float = 0.5,
    memory_gb_per_user: float = 1.0,
    cpu_per_user: float = 0.5,
    disk_gb_per_user: float = 5.0,
) -> Sizes:
    """Memory and processors for those at work at once (40-60 % of a class), disk for all."""

    def memory(share: float) -> float:
        return max(1.0, users * share * memory_gb_per_user + 0.128)

    def cpu(share: float) -> float:
        return users * share * cpu_per_user + 0.2

    low, high = min(0.4, concurrent_share), max(0.6, concurrent_share)
    return Sizes(
        cpu_count=Span(cpu(concurrent_share), cpu(low), cpu(high)),
        memory_gib=Span(memory(concurrent_share), memory(low), memory(high)),
        disk_gib=Span.exactly(users * disk_gb_per_user + 2),
    )


ODOO = "odoo/documentation deploy.rst"
ODOO_USERS_PER_WORKER = 6
ODOO_WORKER_MB = 0.8 * 150 + 0.2 * 1024
"""A light worker takes about 150 MB, a heavy one 1 GB, and a fifth of the requests are heavy."""


def odoo_workers(cpu_count: int) -> int:
    return 2 * cpu_count + 1


def odoo_memory_gib(workers: int) -> float:
    return workers * ODOO_WORKER_MB / 1024


def odoo(users: int) -> Sizes:
    """As many processors as their worked example has: 60 users are 10 workers, served by the 9 of 4 processors."""
    workers = math.ceil(users / ODOO_USERS_PER_WORKER)
    cpu_count = max(1, (workers - 1) // 2)
    generous = max(cpu_count, math.ceil((workers - 1) / 2))
    return Sizes(
        cpu_count=Span(cpu_count, cpu_count, generous),
        memory_gib=Span(
            odoo_memory_gib(odoo_workers(cpu_count)),
            odoo_memory_gib(odoo_workers(cpu_count)),
            odoo_memory_gib(odoo_workers(generous)),
        ),
    )


PROMETHEUS = "prometheus/docs storage.md"


def prometheus_disk_gib(samples_per_second: float, retention_days: float = 15, bytes_per_sample: float = 2) -> Span:
    """Retention times samples times bytes, with the data at most 80-85 % of the disk."""
    data_gib = prometheus_data_gib(samples_per_second, retention_days, bytes_per_sample)
    return Span(data_gib / 0.8, data_gib / 0.85, data_gib / 0.8)


def prometheus_data_gib(samples_per_second: float, retention_days: float = 15, bytes_per_sample: float = 2) -> float:
    return retention_days * SECONDS_A_DAY * samples_per_second * bytes_per_sample / 2**30


KEYCLOAK = "keycloak/keycloak perf_single_cluster_calculation.adoc @67f2db3"
KEYCLOAK_BASE_MB = 1250
"""With 10,000 cached sessions."""


def keycloak(logins_per_second: float, grants_per_second: float = 0, refreshes_per_second: float = 0, machines: int = 1) -> Sizes:
    """Per machine. The high end is their limit: 150 % more processors, and memory by (base - 300) / 0.7."""
    cpu = (logins_per_second / 15 + grants_per_second / 120 + refreshes_per_second / 120) / machines
    memory_gib = KEYCLOAK_BASE_MB / 1024
    return Sizes(
        cpu_count=Span(cpu, cpu, cpu * 2.5),
        memory_gib=Span(memory_gib, memory_gib, max(memory_gib, (KEYCLOAK_BASE_MB - 300) / 0.7 / 1024)),
    )


ARTIFACTORY = "JFrog Artifactory system requirements"


def artifactory_disk_gib(artifacts_gib: float) -> Span:
    """Three times what is stored."""
    return Span.exactly(artifacts_gib * 3)


REDIS_ENTERPRISE = "redis/docs embeds/hardware-requirements-embed.md"


def redis_enterprise(data_gb: float, replicated: bool = True) -> Sizes:
    """30 % of the memory stays free; a replica doubles the data; the persistent disk has three to four times the memory."""
    memory = data_gb * (2 if replicated else 1) / 0.7
    return Sizes(memory_gib=Span.exactly(memory), disk_gib=Span(memory * 3, memory * 3, memory * 4))


MATTERMOST = "Mattermost docs, file storage by usage"
_MATTERMOST_MB = {"low": (1, 5), "medium": (5, 25), "high": (25, 100)}


def mattermost_files_gb(users: int, months: int, usage: str = "medium") -> Span:
    """So many MB a user and month, by how much is shared."""
    low, high = (users * months * mb / 1000 for mb in _MATTERMOST_MB[usage])
    return Span(high, low, high)


IMMICH = "immich-app/immich docs/install/requirements.md"


def immich_disk_gib(library_gib: float) -> Span:
    """The library, 10-20 % more for thumbnails and transcoded videos, and 1-3 GB of database."""
    return Span(library_gib * 1.2 + 3, library_gib * 1.1 + 1, library_gib * 1.2 + 3)


OPENPROJECT = "opf/openproject docs system-requirements @08c7861"


def openproject(users: int) -> Sizes:
    """Beyond 500 active users: 4-6 processors, 6-8 GiB and 20-50 GiB of disk for every 500."""
    groups = math.ceil(users / 500)
    return Sizes(
        cpu_count=Span(groups * 6, groups * 4, groups * 6),
        memory_gib=Span(groups * 8, groups * 6, groups * 8),
        disk_gib=Span(groups * 50, groups * 20, groups * 50),
    )
