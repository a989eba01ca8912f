"""What would fit when nothing does: the smallest change of the request, found and verified by running the placement rules with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tools.rules import naming, placement, places, templates
from tools.rules.capacity import Room
from tools.rules.places import Demand

MEMORY_STEP_MIB = 256
MEMORY_LEAST_MIB = 512


def counter_offer(demand: Demand, room: Room) -> str:
    """A whole sentence; empty when no single change helps."""
    for wording, changed in (*_corrected_words(demand, room), *_less(demand, room), *_freed(demand)):
        if fits(changed, room):
            return f"It would fit {wording}."
    return ""


def fits(demand: Demand, room: Room) -> bool:
    found, _ = places.places(demand, room.snapshot)
    return bool(placement.assign(demand, found, room, placement.pack)) or bool(
        placement.assign(demand, found, room, placement.spread)
    )


def _corrected_words(demand: Demand, room: Room) -> list[tuple[str, Demand]]:
    """Names that were probably meant."""
    snapshot = room.snapshot
    changes: list[tuple[str, Demand]] = []
    if places.network_of(snapshot, demand.network) is None:
        for name in _near_first(demand.network, [n.name for n in snapshot.networks]):
            changes.append((f"on network {name}", replace(demand, network=name)))
    if demand.node and snapshot.node(demand.node) is None:
        for name in _near_first(demand.node, [n.name for n in snapshot.nodes]):
            changes.append((f"on node {name}", replace(demand, node=name)))
    if not templates.offered(snapshot, demand.os):
        for name in _near_first(demand.os, templates.known(snapshot)):
            changes.append((f"with {name}", replace(demand, os=name)))
    storages = sorted({s.name for s in snapshot.storages})
    if demand.storage and demand.storage.lower() not in map(str.lower, storages):
        for name in _near_first(demand.storage, storages):
            changes.append((f"on storage {name}", replace(demand, storage=name)))
    return changes


def _near_first(word: str, words: list[str]) -> list[str]:
    meant = naming.nearest(word, words)
    return [meant, *sorted(w for w in words if w != meant)][:8] if meant else sorted(words)[:8]


def _less(demand: Demand, room: Room) -> list[tuple[str, Demand]]:
    """Less of one thing, the smallest loss first."""
    losses: list[tuple[float, str, Demand]] = []

    def consider(most: int, least: int, step: int, change: Callable[[int], Demand], wording: Callable[[int], str]) -> None:
        value = _largest(most - 1, least, step, lambda v: fits(change(v), room))
        if value:
            losses.append((1 - value / most, wording(value), change(value)))

    consider(
        demand.memory_mib,
        MEMORY_LEAST_MIB,
        MEMORY_STEP_MIB,
        lambda v: replace(demand, memory_mib=v),
        lambda v: f"with {v / 1024:g} GiB of memory instead of {demand.memory_mib / 1024:g} GiB",
    )
    consider(
        demand.cpu_count,
        1,
        1,
        lambda v: replace(demand, cpu_count=v),
        lambda v: f"with {v} vCPU instead of {demand.cpu_count}",
    )
    consider(
        demand.disk_gib,
        1,
        1,
        lambda v: replace(demand, disk_gib=v),
        lambda v: f"with a disk of {v} GiB instead of {demand.disk_gib} GiB",
    )
    consider(
        demand.count,
        1,
        1,
        lambda v: replace(demand, count=v),
        lambda v: f"with {v} machine{'s' if v > 1 else ''} instead of {demand.count}",
    )
    losses.sort(key=lambda loss: loss[0])
    both = _both(demand, room)
    return [(wording, changed) for _, wording, changed in losses] + both


def _both(demand: Demand, room: Room) -> list[tuple[str, Demand]]:
    """Less memory and fewer vCPUs together, when neither alone is enough."""
    for cpu_count in range(demand.cpu_count - 1, 0, -1):
        memory = _largest(
            demand.memory_mib - 1,
            MEMORY_LEAST_MIB,
            MEMORY_STEP_MIB,
            lambda v, c=cpu_count: fits(replace(demand, cpu_count=c, memory_mib=v), room),  # type: ignore[misc]
        )
        if memory:
            return [
                (
                    f"with {cpu_count} vCPU and {memory / 1024:g} GiB of memory instead of {demand.cpu_count} and {demand.memory_mib / 1024:g} GiB",
                    replace(demand, cpu_count=cpu_count, memory_mib=memory),
                )
            ]
    return []


def _freed(demand: Demand) -> list[tuple[str, Demand]]:
    changes = []
    if demand.node:
        changes.append((f"on another node than {demand.node}", replace(demand, node="")))
    if demand.storage:
        changes.append((f"on another storage than {demand.storage}", replace(demand, storage="")))
    if demand.node and demand.storage:
        changes.append(("on another node and storage", replace(demand, node="", storage="")))
    return changes


def _largest(most: int, least: int, step: int, good: Callable[[int], bool]) -> int:
    """The largest multiple of `step` from `least` to `most` that is good, by halving; 0 when none is."""
    low, high = -(-least // step), most // step
    if high < low or not good(low * step):
        return 0
    while low < high:
        middle = (low + high + 1) // 2
        if good(middle * step):
            low = middle
        else:
            high = middle - 1
    return low * step
