"""Checks of a PostgreSQL part besides those of every machine: that the size carries the connections asked for, and who can reach it."""

from __future__ import annotations

from collections.abc import Iterator

from tools.capabilities.on_machines import Check
from tools.rules.sizing import sizing
from tools.values.manifest import Part
from tools.values.review import Finding, Severity


def checks(part: Part) -> Iterator[Check]:
    yield "size.connections", _carries(part)
    yield "network.subnet", _reachable(part)


def _carries(part: Part) -> Finding | None:
    users = part.needs.whole("concurrent_users")
    size = sizing.postgresql_least(users)
    small = [m for m in part.machines if size and (m.memory_mib < size.memory_mib or m.cpu_count < size.cpu_count)]
    if not size or not small:
        return None
    one = small[0]
    detail = (
        f"{one.name} has {one.cpu_count} vCPU and {one.memory_mib / 1024:g} GiB; for {users} connections {size.source.title} "
        f"({size.source.date}) names {size.cpu_count} vCPU and {size.memory_mib / 1024:g} GiB."
    )
    return Finding(
        severity=Severity.WARNING,
        check="size.connections",
        part=part.label,
        subject=one.name,
        detail=detail,
        remedy="Leave the size open, or ask for at least that much.",
    )


def _reachable(part: Part) -> Finding | None:
    if dict(part.facts).get("subnet"):
        return None
    detail = "The cluster does not know the subnet of this network, so only the machine itself may connect to its database."
    return Finding(
        severity=Severity.NOTE,
        check="network.subnet",
        part=part.label,
        subject=part.label,
        detail=detail,
        remedy="Add a subnet to the network in the cluster's SDN, or open pg_hba.conf by hand.",
    )
