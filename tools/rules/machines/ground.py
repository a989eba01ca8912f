"""The places of a cluster as columns: what is taken and what may be, a figure a node and a figure a storage, kept up to date while machines
are put there one after the other.

What a place is worth is reckoned here, in one figure a node and one a storage; which place is taken is decided in
tools.rules.machines.placement.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tools.rules.machines.capacity import Room, cpu_sum, cpu_taken, memory_sum, memory_taken, storage_sum, storage_terms, take_census
from tools.rules.machines.losing import Mover, losses, newly_homeless, proved
from tools.rules.machines.places import Demand, Place
from tools.values.offer import Sum
from tools.values.snapshot import Node, Storage

SHAPES_MAX = 16
"""Usual sizes of machines that are looked at, the most frequent first."""
NODES_SMALL_MAX = 5
"""Up to so many nodes, what is new goes where most is left, so that the loss of a node can be carried."""
SHAPE_WEIGHT = 0.1
FULLNESS_WEIGHT = 0.001
"""Of a node's shape, and of how much is left of it: they decide where the fragments are nearly alike. Measured in benchmarks/placement."""
STORAGE_WEIGHT = 0.1
"""Of how much more of its storage a machine takes there than where it takes least: a storage that all nodes share decides nothing."""


@dataclass(frozen=True)
class Shape:
    """A usual size of machines in this cluster."""

    cpu_count: int
    memory_mib: int
    weight: float
    """How often it is met, times how large it is."""


def shapes(room: Room) -> tuple[Shape, ...]:
    """Learnt from the machines that are there: what is asked for tomorrow will look like them."""
    met = Counter({size: n for size, n in take_census(room.snapshot, room.environment.counts_stopped).sizes.items() if min(size) > 0})
    if not met:
        return ()
    cpu_mean = sum(cpu * n for (cpu, _), n in met.items()) / met.total()
    memory_mean = sum(memory * n for (_, memory), n in met.items()) / met.total()
    return tuple(
        Shape(cpu, memory, n * max(cpu / cpu_mean, memory / memory_mean))
        for (cpu, memory), n in sorted(met.items(), key=lambda item: (-item[1], item[0]))[:SHAPES_MAX]
    )


class Column:
    """What is taken of each of several things, and how much may be."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.limit: list[float] = []

    def add(self, taken: float, limit: float) -> None:
        self.taken.append(taken)
        self.limit.append(limit)

    def fullness(self, at: int, more: float) -> float:
        return (self.taken[at] + more) / self.limit[at] if self.limit[at] > 0 else math.inf

    def holds(self, at: int, more: float) -> bool:
        return round(self.taken[at] + more, 2) <= self.limit[at]


class Ground:
    """Mutable, and local to one placement."""

    def __init__(self, demand: Demand, found: Iterable[Place], room: Room) -> None:
        self.demand = demand
        self.places = tuple(found)
        self.room = room
        self.small = len(room.snapshot.nodes) <= NODES_SMALL_MAX
        self.usual = () if self.small else shapes(room)
        self.nodes: list[Node] = []
        self.memory, self.cpu, self.storage = Column(), Column(), Column()
        self._storages: list[Storage] = []
        self._at: list[tuple[int, int, int]] = []
        """Of each place: its node, its storage, and the GiB that a machine takes there."""
        self._lay_out()
        self._badness: dict[int, float] = {}
        self.before = losses(room) if self.small else ()
        """What the loss of each node of a small cluster would do without any of these machines."""
        self._homeless: dict[str, tuple[tuple[str, Mover], ...]] = {}
        self.worst = 0.0
        """The most that one more machine costs of the room for usual sizes."""

    def _lay_out(self) -> None:
        nodes: dict[str, int] = {}
        storages: dict[tuple[str, str], int] = {}
        disk_gib = self.demand.disk_gib
        data_gib = {place.storage.name: self.demand.data_gib(place.storage.name) for place in self.places} if self.demand.data_disks else {}
        for place in self.places:
            node, storage = place.node, place.storage
            i = nodes.get(node.name, -1)
            if i < 0:
                i = nodes[node.name] = len(self.nodes)
                self.nodes.append(node)
                self.memory.add(*memory_taken(self.room, node))
                self.cpu.add(*cpu_taken(self.room, node))
            key = (storage.name, "" if storage.shared else node.name)
            j = storages.get(key, -1)
            if j < 0:
                j = storages[key] = len(self._storages)
                self._storages.append(storage)
                terms, limit = storage_terms(self.room, storage)
                self.storage.add(sum(value for _, value in terms), limit)
            least = place.template.disk_gib
            self._at.append((i, j, (disk_gib if disk_gib > least else least) + data_gib.get(storage.name, 0)))

    def fitting(self) -> list[int]:
        """The places, by number, that have room for one more."""
        storage = self.storage
        wide = [self._node_holds(i) for i in range(len(self.nodes))]
        return [p for p, (i, j, gib) in enumerate(self._at) if wide[i] and storage.taken[j] + gib <= storage.limit[j]]

    def _node_holds(self, i: int) -> bool:
        return self.memory.holds(i, self.demand.memory_mib) and self.cpu.holds(i, self.demand.cpu_count)

    def node_of(self, p: int) -> int:
        return self._at[p][0]

    def fullness(self, i: int) -> float:
        """Of a node with one more: of memory or processors, whichever is fuller."""
        return max(self.memory.fullness(i, self.demand.memory_mib), self.cpu.fullness(i, self.demand.cpu_count))

    def storage_share(self, p: int) -> float:
        """Of what is left of the storage, how much one more takes."""
        _, j, gib = self._at[p]
        left = self.storage.limit[j] - self.storage.taken[j]
        return gib / left if left > 0 else 1.0

    def short(self, p: int) -> tuple[str, float] | None:
        """(what there is too little of for one more, how full it would be); None when it fits."""
        i, j, gib = self._at[p]
        if not self.memory.holds(i, self.demand.memory_mib):
            return "memory", self.memory.fullness(i, self.demand.memory_mib)
        if not self.cpu.holds(i, self.demand.cpu_count):
            return "processors", self.cpu.fullness(i, self.demand.cpu_count)
        return None if self.storage.holds(j, gib) else ("storage", self.storage.fullness(j, gib))

    def sum_of(self, p: int, what: str) -> Sum:
        """With one more machine."""
        after, place = self.room.after([self.places[p].taking(self.demand)]), self.places[p]
        if what == "storage":
            return storage_sum(after, place.storage)
        return memory_sum(after, place.node) if what == "memory" else cpu_sum(after, place.node)

    def badness(self, nodes: Iterable[int]) -> dict[int, float]:
        """Of nodes that fit, with one more machine: 0 is best. On a small cluster how full it is. On a larger one the fragments that are
        left, then whether what is left has another shape than what was asked for, then how much is left."""
        wanted = [i for i in dict.fromkeys(nodes) if i not in self._badness]
        if self.small or not self.usual:
            self._badness |= {i: self.fullness(i) for i in wanted}
            return self._badness
        lost = self._lost(wanted)
        self.worst = max(self.worst, max(lost, default=0.0))
        for i, one in zip(wanted, lost, strict=True):
            self._badness[i] = (one / self.worst if self.worst > 0 else 0.0) + self._unlike(i)
        return self._badness

    def _lost(self, wanted: list[int]) -> list[float]:
        """How many machines of the usual sizes fit less on each node afterwards, by weight. In whole MiB and hundredths of a thread."""
        left = [(int(self.memory.limit[i] - self.memory.taken[i]), round(100 * (self.cpu.limit[i] - self.cpu.taken[i]))) for i in wanted]
        # Nodes that are alike are reckoned once.
        before = list(dict.fromkeys(left))
        after = [(m - self.demand.memory_mib, c - 100 * self.demand.cpu_count) for m, c in before]
        lost = [0.0] * len(before)
        for shape in self.usual:
            size, threads, weight = shape.memory_mib, 100 * shape.cpu_count, shape.weight
            fits = [a if (a := m // size) < (b := c // threads) else b for m, c in before]
            still = [a if (a := m // size) < (b := c // threads) else b for m, c in after]
            lost = [one + weight * (x - y) if x > y else one for one, x, y in zip(lost, fits, still, strict=True)]
        of = dict(zip(before, lost, strict=True))
        return [of[one] for one in left]

    def _unlike(self, i: int) -> float:
        memory, cpu = self.memory.limit[i], self.cpu.limit[i]
        free = ((memory - self.memory.taken[i]) / memory, (cpu - self.cpu.taken[i]) / cpu)
        asked = (self.demand.memory_mib / memory, self.demand.cpu_count / cpu)
        length = math.hypot(*free) * math.hypot(*asked)
        cosine = (free[0] * asked[0] + free[1] * asked[1]) / length if length else 1.0
        return SHAPE_WEIGHT * (1 - cosine) + FULLNESS_WEIGHT * (free[0] - asked[0] + free[1] - asked[1])

    def take(self, p: int) -> None:
        i, j, gib = self._at[p]
        self.room = self.room.after([self.places[p].taking(self.demand)])
        self.memory.taken[i] += self.demand.memory_mib
        self.cpu.taken[i] = round(self.cpu.taken[i] + self.demand.cpu_count, 2)
        self.storage.taken[j] += gib
        self._badness.pop(i, None)
        self._homeless.clear()

    def homeless(self, i: int) -> tuple[tuple[str, Mover], ...]:
        """(node that is lost, who would find no place) because of one more machine there; nobody, where the site does not refuse it."""
        if not proved(self.room):
            return ()
        node = self.nodes[i]
        if node.name not in self._homeless:
            p = next(p for p, (at, _, _) in enumerate(self._at) if at == i)
            after = losses(self.room.after([self.places[p].taking(self.demand)]))
            self._homeless[node.name] = newly_homeless(self.before, after)
        return self._homeless[node.name]
