"""The places of a cluster with one more machine on each, kept up to date while machines are assigned to them one after the other.

Which place is best is decided in tools.rules.machines.placement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tools.rules.machines.capacity import MIB, Room, cpu_sum, guests, memory_sum, storage_sum
from tools.rules.machines.places import Demand, Place
from tools.values.offer import Sum
from tools.values.snapshot import ClusterSnapshot

SHAPES_MAX = 16
"""Usual sizes of machines that are looked at, the most frequent first."""


@dataclass(frozen=True)
class Measured:
    """A place with one more machine on it."""

    place: Place
    memory: Sum
    cpu: Sum
    storage: Sum

    @property
    def sums(self) -> tuple[Sum, Sum, Sum]:
        return (self.memory, self.cpu, self.storage)

    @property
    def fits(self) -> bool:
        return self.memory.holds and self.cpu.holds and self.storage.holds

    @property
    def tightest(self) -> Sum:
        return max(self.sums, key=lambda one: one.fullness)


class Ground:
    """Mutable, and local to one placement: sums are reckoned once a node and once a storage, and again when something was put there."""

    def __init__(self, demand: Demand, found: Iterable[Place], room: Room) -> None:
        self.demand = demand
        self.places = tuple(found)
        self.room = room
        self._nodes: dict[str, tuple[Sum, Sum]] = {}
        self._storages: dict[tuple[str, str, int], Sum] = {}

    def measure(self, place: Place) -> Measured:
        taking = place.taking(self.demand)
        node = place.node.name
        if node not in self._nodes:
            after = self.room.after([taking])
            self._nodes[node] = (memory_sum(after, place.node), cpu_sum(after, place.node))
        key = (place.storage.name, "" if place.storage.shared else node, taking.disk_gib)
        if key not in self._storages:
            self._storages[key] = storage_sum(self.room.after([taking]), place.storage)
        memory, cpu = self._nodes[node]
        return Measured(place, memory, cpu, self._storages[key])

    def fitting(self) -> list[Measured]:
        return [m for m in map(self.measure, self.places) if m.fits]

    def take(self, place: Place) -> None:
        self.room = self.room.after([place.taking(self.demand)])
        self._nodes.pop(place.node.name, None)
        for key in [key for key in self._storages if key[0] == place.storage.name]:
            del self._storages[key]


@dataclass(frozen=True)
class Shape:
    """A usual size of machines in this cluster."""

    cpu_count: int
    memory_mib: int
    weight: float
    """How often it is met, times how large it is."""


def shapes(snapshot: ClusterSnapshot) -> tuple[Shape, ...]:
    """Learnt from the machines that are there: what is asked for tomorrow will look like them."""
    met = Counter((g.cpu_count, round(g.memory_bytes / MIB)) for g in guests(snapshot) if g.cpu_count > 0 and g.memory_bytes > 0)
    if not met:
        return ()
    cpu_mean = sum(cpu * n for (cpu, _), n in met.items()) / met.total()
    memory_mean = sum(memory * n for (_, memory), n in met.items()) / met.total()
    return tuple(
        Shape(cpu, memory, n * max(cpu / cpu_mean, memory / memory_mean))
        for (cpu, memory), n in sorted(met.items(), key=lambda item: (-item[1], item[0]))[:SHAPES_MAX]
    )


def loss(m: Measured, demand: Demand, usual: tuple[Shape, ...]) -> float:
    """How many machines of the usual sizes fit less on that node afterwards, by weight: the fragments that the new one leaves."""
    memory_left, cpu_left = m.memory.limit - m.memory.total, m.cpu.limit - m.cpu.total
    lost = 0.0
    for shape in usual:
        before = min((memory_left + demand.memory_mib) // shape.memory_mib, (cpu_left + demand.cpu_count) // shape.cpu_count)
        after = min(memory_left // shape.memory_mib, cpu_left // shape.cpu_count)
        lost += shape.weight * max(0.0, before - after)
    return lost
