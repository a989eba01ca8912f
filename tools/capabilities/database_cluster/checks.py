"""Checks of a part besides those of every machine: that it can lose one of its machines, and that each carries the connections."""

from __future__ import annotations

from collections.abc import Iterator

from tools.capabilities.database_cluster.facts import LEAST
from tools.capabilities.database_cluster.variables import BACKUP_FOLDER
from tools.capabilities.on_machines import Check
from tools.rules.databases.checks import carries
from tools.values.manifest import Part
from tools.values.review import Finding, Severity, fault


def checks(part: Part) -> Iterator[Check]:
    yield "size.connections", carries(part)
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
