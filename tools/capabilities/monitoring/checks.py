"""Checks of a monitoring part besides those of every machine: that its disk holds as many days as figures are to be kept."""

from __future__ import annotations

from collections.abc import Iterator

from tools.capabilities.monitoring import sizes
from tools.capabilities.on_machines import Check
from tools.values.manifest import Part
from tools.values.review import Finding, Severity, fault


def checks(part: Part) -> Iterator[Check]:
    yield "size.disk", _holds(part)


def _holds(part: Part) -> Finding | None:
    watched, days = part.needs.whole("watched"), part.needs.whole("retention")
    least_gib = max(sizes.disk_gib(watched, days), sizes.DISK_GIB_MIN)
    small = next((m for m in part.machines if m.disk_gib < least_gib), None)
    if small is None:
        return None
    found = fault(
        "monitoring:disk.small", machine=small.name, disk_gib=small.disk_gib, days=days, watched=watched, disk_least_gib=least_gib
    )
    return found.finding("size.disk", part.label, small.name, Severity.WARNING)
