"""Checks of a Redis part besides those of every machine: that its memory and its disk hold the data that was said."""

from __future__ import annotations

from collections.abc import Iterator

from tools.capabilities.on_machines import Check
from tools.capabilities.redis import sizes
from tools.capabilities.redis.sizes import Figure
from tools.values.manifest import Part
from tools.values.review import Finding, Severity, fault


def checks(part: Part) -> Iterator[Check]:
    data_mib = part.needs.whole("data_mib")
    yield "size.memory", _fits(part, data_mib) or _saves(part, data_mib)
    yield "size.disk", _is_kept(part, data_mib)


def _fits(part: Part, data_mib: int) -> Finding | None:
    least_mib = sizes.memory_least_mib(data_mib)
    small = next((m for m in part.every_machine if m.memory_mib < least_mib), None)
    if small is None:
        return None
    if least_mib > sizes.LEAST.memory_mib:
        found = fault(
            "redis:memory.less_than_data",
            machine=small.name,
            memory_mib=small.memory_mib,
            data_mib=data_mib,
            memory_least_mib=least_mib,
        )
    else:
        found = fault("redis:memory.least", machine=small.name, memory_mib=small.memory_mib, memory_least_mib=least_mib)
    return found.finding("size.memory", part.label, small.name)


def _saves(part: Part, data_mib: int) -> Finding | None:
    enough_mib = sizes.memory_comfortable_mib(data_mib)
    small = next((m for m in part.every_machine if m.memory_mib < enough_mib), None)
    if small is None:
        return None
    found = fault(
        "redis:memory.while_saving",
        machine=small.name,
        memory_mib=small.memory_mib,
        data_mib=data_mib,
        memory_enough_mib=enough_mib,
        source=_told(sizes.FIGURES["saving_factor_max"]),
    )
    return found.finding("size.memory", part.label, small.name, Severity.WARNING)


def _is_kept(part: Part, data_mib: int) -> Finding | None:
    least_gib = sizes.disk_least_gib(data_mib)
    small = next((m for m in part.every_machine if data_mib and m.disk_gib < least_gib), None)
    if small is None:
        return None
    found = fault(
        "redis:disk.small",
        machine=small.name,
        disk_gib=small.disk_gib,
        data_mib=data_mib,
        disk_least_gib=least_gib,
        source=_told(sizes.FIGURES["disk_factor_low"]),
    )
    return found.finding("size.disk", part.label, small.name)


def _told(figure: Figure) -> str:
    return f"{figure.source}, {figure.taken}"
