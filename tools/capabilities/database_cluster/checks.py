"""Checks of a part besides those of every machine: that it can lose one of its machines, and that each carries the connections."""

from __future__ import annotations

from collections.abc import Iterator

from tools.capabilities.database_cluster.facts import LEAST
from tools.capabilities.database_cluster.variables import BACKUP_FOLDER
from tools.capabilities.on_machines import Check
from tools.rules.databases.checks import too_small
from tools.values.manifest import Part
from tools.values.review import Finding, Severity, fault


def checks(part: Part) -> Iterator[Check]:
    yield "size.connections", _carries(part)
    yield "members", _survives(part)
    yield "backup.place", _is_elsewhere(part)


def _survives(part: Part) -> Finding | None:
    etcd, members = part.needs.whole("etcd_members"), len(part.machines)
    if members >= LEAST and LEAST <= etcd <= members and etcd % 2:
        return None
    return fault("database_cluster:members.few", members=members, etcd=etcd, least=LEAST).finding("members", part.label, part.label)


def _is_elsewhere(part: Part) -> Finding | None:
    if part.needs.text("backup_folder") != BACKUP_FOLDER:
        return None
    found = fault("database_cluster:backup.here", machine=part.machines[0].name, folder=BACKUP_FOLDER)
    return found.finding("backup.place", part.label, part.machines[0].name, Severity.NOTE)


def _carries(part: Part) -> Finding | None:
    if (found := too_small(part)) is None:
        return None
    machine, size = found
    told = fault(
        "database_cluster:size.small",
        machine=machine.name,
        cpu_count=machine.cpu_count,
        memory_mib=machine.memory_mib,
        users=part.needs.whole("concurrent_users"),
        source=f"{size.source.title} ({size.source.date})",
        cpu_least=size.cpu_count,
        memory_least_mib=size.memory_mib,
    )
    return told.finding("size.connections", part.label, machine.name, Severity.WARNING)
