"""Reviews a PostgreSQL part: its machines as every machine is checked, and that the size carries the connections asked for."""

from __future__ import annotations

from tools.rules.machines import machines
from tools.rules.machines import review as machine_review
from tools.rules.sizing import sizing
from tools.values.manifest import Part
from tools.values.review import Finding, Severity
from tools.values.site import Reserved, Site
from tools.values.snapshot import Snapshot


def review(part: Part, snapshot: Snapshot, site: Site, reserved: Reserved) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    findings, passed = machine_review.review(part, snapshot, site, reserved)
    if not machines.readable(part):
        return findings, passed
    extra = [*_carries(part), *_reachable(part)]
    held = tuple(
        f"{check}:{part.name}:{part.name}"
        for check in ("size.connections", "network.subnet")
        if check not in {f.check for f in extra}
    )
    return (*findings, *extra), (*passed, *held)


def _carries(part: Part) -> tuple[Finding, ...]:
    users = machines.number(part.needs, "concurrent_users")
    size = sizing.postgresql_least(users)
    small = [m for m in machines.machines_in(part) if size and (m.memory_mib < size.memory_mib or m.cpu_count < size.cpu_count)]
    if not size or not small:
        return ()
    one = small[0]
    detail = (
        f"{one.name} has {one.cpu_count} vCPU and {one.memory_mib / 1024:g} GiB; for {users} connections {size.source.title} "
        f"({size.source.date}) names {size.cpu_count} vCPU and {size.memory_mib / 1024:g} GiB."
    )
    return (Finding(severity=Severity.WARNING, check="size.connections", part=part.name, subject=one.name, detail=detail,
                    remedy="Leave the size open, or ask for at least that much."),)  # fmt: skip


def _reachable(part: Part) -> tuple[Finding, ...]:
    if isinstance(part.facts, dict) and part.facts.get("subnet"):
        return ()
    detail = "The cluster does not know the subnet of this network, so only the machine itself may connect to its database."
    return (Finding(severity=Severity.NOTE, check="network.subnet", part=part.name, subject=part.name, detail=detail,
                    remedy="Add a subnet to the network in the cluster's SDN, or open pg_hba.conf by hand."),)  # fmt: skip
