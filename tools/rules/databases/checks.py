"""A check of every PostgreSQL database on machines: that each carries the connections asked for. Its words are the service's own."""

from __future__ import annotations

from tools.rules.sizing import sizing
from tools.rules.sizing.sizing import PostgresqlSize
from tools.values.machine import Machine
from tools.values.manifest import Part


def too_small(part: Part) -> tuple[Machine, PostgresqlSize] | None:
    """The first machine that is, and what is published for so many connections."""
    size = sizing.postgresql_least(part.needs.whole("concurrent_users"))
    small = [m for m in part.machines if size and (m.memory_mib < size.memory_mib or m.cpu_count < size.cpu_count)]
    return (small[0], size) if size and small else None
