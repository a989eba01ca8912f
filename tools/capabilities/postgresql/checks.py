"""Checks of a PostgreSQL part besides those of every machine: that the size carries the connections asked for, and who can reach it."""

from __future__ import annotations

from collections.abc import Iterator

from tools.capabilities.on_machines import Check
from tools.rules.databases.checks import too_small
from tools.values.manifest import Part
from tools.values.review import Finding, Severity, fault


def checks(part: Part) -> Iterator[Check]:
    yield "size.connections", _carries(part)
    unknown = fault("postgresql:network.unknown").finding("network.subnet", part.label, part.label, Severity.NOTE)
    yield "network.subnet", None if dict(part.facts).get("subnet") else unknown


def _carries(part: Part) -> Finding | None:
    if (found := too_small(part)) is None:
        return None
    machine, size = found
    told = fault(
        "postgresql:size.small",
        machine=machine.name,
        cpu_count=machine.cpu_count,
        memory_mib=machine.memory_mib,
        users=part.needs.whole("concurrent_users"),
        source=f"{size.source.title} ({size.source.date})",
        cpu_least=size.cpu_count,
        memory_least_mib=size.memory_mib,
    )
    return told.finding("size.connections", part.label, machine.name, Severity.WARNING)
