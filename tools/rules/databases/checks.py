"""A check of every PostgreSQL database on machines: that each of them carries the connections asked for."""

from __future__ import annotations

from tools.rules.sizing import sizing
from tools.values.manifest import Part
from tools.values.review import Finding, Severity, fault


def carries(part: Part) -> Finding | None:
    """Its words stand in the folder of the part's service, as `size.small`."""
    users = part.needs.whole("concurrent_users")
    size = sizing.postgresql_least(users)
    small = [m for m in part.machines if size and (m.memory_mib < size.memory_mib or m.cpu_count < size.cpu_count)]
    if not size or not small:
        return None
    found = fault(
        f"{part.capability}:size.small",
        machine=small[0].name,
        cpu_count=small[0].cpu_count,
        memory_mib=small[0].memory_mib,
        users=users,
        source=f"{size.source.title} ({size.source.date})",
        cpu_least=size.cpu_count,
        memory_least_mib=size.memory_mib,
    )
    return found.finding("size.connections", part.label, small[0].name, Severity.WARNING)
