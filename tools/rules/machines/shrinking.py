"""Sizes that nobody asked for become smaller within their stated range, before a request is refused for want of room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tools.rules.machines.counter import MEMORY_STEP_MIB, largest
from tools.rules.machines.places import Demand
from tools.rules.names.text import spell_memory
from tools.values.offer import Range

_STEPS = {"memory_mib": MEMORY_STEP_MIB, "cpu_count": 1, "disk_gib": 1}


def shrink(demand: Demand, ranges: Sequence[Range], fits: Callable[[Demand], bool]) -> Demand | None:
    """One size smaller, the smallest loss; else all as small as they may be, and then each as large as still goes. None: nothing fits."""
    free = [one for one in ranges if one.name in _STEPS and one.low < one.default]
    single = [found for one in free if (found := _largest(demand, one, fits)) is not None]
    if single:
        return max(single, key=lambda found: found.memory_mib * found.cpu_count * found.disk_gib)
    smallest = demand
    for one in free:
        smallest = _with(smallest, one.name, _lowest(one))
    if not free or not fits(smallest):
        return None
    for one in free:
        smallest = _largest(_with(smallest, one.name, round(one.default)), one, fits) or smallest
    return smallest


def _largest(demand: Demand, one: Range, fits: Callable[[Demand], bool]) -> Demand | None:
    value = largest(round(one.default), _lowest(one), _STEPS[one.name], lambda v: fits(_with(demand, one.name, v)))
    return _with(demand, one.name, value) if value else None


def _with(demand: Demand, name: str, value: int) -> Demand:
    changed: dict[str, Any] = {name: value}
    return replace(demand, **changed)


def _lowest(one: Range) -> int:
    step = _STEPS[one.name]
    return -(-round(one.low) // step) * step


def shrunk(ranges: Sequence[Range], demand: Demand) -> tuple[Range, ...]:
    """The ranges with what is taken of them, and why it is less than usual."""
    return tuple(_shrunk(one, demand) for one in ranges)


def _shrunk(one: Range, demand: Demand) -> Range:
    value = getattr(demand, one.name)
    if value >= one.default:
        return one
    said = {
        "memory_mib": f"{spell_memory(one.default)} of memory",
        "cpu_count": f"{one.default:g} vCPU",
        "disk_gib": f"a disk of {one.default:g} GiB",
    }[one.name]
    return one.model_copy(update={"default": float(value), "because": f"There is no room for {said}. {one.because}".strip()})
