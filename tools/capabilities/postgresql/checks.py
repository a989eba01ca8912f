"""Checks of a PostgreSQL part besides those of every machine: that the size carries the connections asked for, and who can reach it."""

from __future__ import annotations

from collections.abc import Iterator

from tools.capabilities.on_machines import Check
from tools.rules.sizing import sizing
from tools.values.manifest import Part
from tools.values.review import Finding, Severity, fault


def checks(part: Part) -> Iterator[Check]:
    yield "size.connections", _carries(part)
    unknown = fault("postgresql:network.unknown").finding("network.subnet", part.label, part.label, Severity.NOTE)
    yield "network.subnet", None if dict(part.facts).get("subnet") else unknown


def _carries(part: Part) -> Finding | None:
    users = part.needs.whole("concurrent_users")
    size = sizing.postgresql_least(users)
    small = [m for m in part.machines if size and (m.memory_mib < size.memory_mib or m.cpu_count < size.cpu_count)]
    if not size or not small:
        return None
    found = fault(
        "postgresql:size.small",
        machine=small[0].name,
        cpu_count=small[0].cpu_count,
        memory_mib=small[0].memory_mib,
        users=users,
        source=f"{size.source.title} ({size.source.date})",
        cpu_least=size.cpu_count,
        memory_least_mib=size.memory_mib,
    )
    return found.finding("size.connections", part.label, small[0].name, Severity.WARNING)
