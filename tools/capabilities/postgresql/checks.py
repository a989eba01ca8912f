"""Checks of a PostgreSQL part besides those of every machine: that the size carries the connections asked for, and who can reach it."""

from __future__ import annotations

from collections.abc import Iterator

from tools.capabilities.on_machines import Check
from tools.rules.databases.checks import carries
from tools.values.manifest import Part
from tools.values.review import Severity, fault


def checks(part: Part) -> Iterator[Check]:
    yield "size.connections", carries(part)
    unknown = fault("postgresql:network.unknown").finding("network.subnet", part.label, part.label, Severity.NOTE)
    yield "network.subnet", None if dict(part.facts).get("subnet") else unknown
