"""A check of every PostgreSQL database on machines: that each carries the connections asked for. Its words are the service's own."""

from __future__ import annotations

from tools.rules.sizing import sizing
from tools.values.manifest import Part
from tools.values.review import Finding, Severity, fault


def carries(part: Part) -> Finding | None:
    """That each machine carries the connections asked for, by what is published."""
    least = sizing.postgresql_least(part.needs.whole("concurrent_users"))
    small = [m for m in part.machines if least and (m.memory_mib < least.memory_mib or m.cpu_count < least.cpu_count)]
    if least is None or not small:
        return None
    machine = small[0]
    told = fault(
        "database.small",
        machine=machine.name,
        cpu_count=machine.cpu_count,
        memory_mib=machine.memory_mib,
        users=part.needs.whole("concurrent_users"),
        source=f"{least.source.title} ({least.source.date})",
        cpu_least=least.cpu_count,
        memory_least_mib=least.memory_mib,
    )
    return told.finding("size.connections", part.label, machine.name, Severity.WARNING)
