"""How much room a cluster has: arithmetic per node and per storage, in whole units, that a second program can check.

Memory counts as the larger of what is promised to guests and what was really used (p95); processors as what was really used (p95), and
in full for machines that are younger than that history. New machines count in full. Where to put them is decided in
tools.rules.machines.placement, what the loss of a node would do in tools.rules.machines.losing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from tools.rules.machines.reaching import able
from tools.values.machine import Machine
from tools.values.manifest import Part
from tools.values.offer import Sum
from tools.values.site import Environment, Reserved, StoppedGuests
from tools.values.situation import Situation
from tools.values.snapshot import ClusterSnapshot, Guest, Node, Storage

MIB, GIB = 2**20, 2**30


@dataclass(frozen=True)
class Taking:
    """What a machine of ours takes of its node and storage. The `old_` sizes are what a machine that exists already has."""

    node: str
    storage: str
    cpu_count: int
    memory_mib: int
    disk_gib: int
    old_cpu_count: int = 0
    old_memory_mib: int = 0
    old_disk_gib: int = 0
    name: str = ""
    """Empty: it has none yet."""
    further: tuple[tuple[str, int], ...] = ()
    """(storage, what is new in GiB) of its disks on other storages."""
    nodes: tuple[str, ...] = ()
    """That can run it, where it is to start elsewhere when its own is lost. Empty: any."""

    @classmethod
    def of(cls, machine: Machine, old: Guest | None, nodes: tuple[str, ...] = ()) -> Taking:
        """Of a machine that exists the growth is what is new."""
        there = dict(old.data_disks_gib) if old else {}
        was = {
            name: sum(there.get(d.interface, 0) for d in machine.data_disks if (d.storage or machine.storage) == name)
            for name in machine.storages
        }
        return cls(
            machine.node,
            machine.storage,
            machine.cpu_count,
            machine.memory_mib,
            machine.gib_on(machine.storage),
            old.cpu_count if old else 0,
            math.ceil(old.memory_bytes / MIB) if old else 0,
            math.ceil(old.disk_bytes / GIB) + was[machine.storage] if old else 0,
            machine.name,
            tuple((name, machine.gib_on(name) - was[name]) for name in sorted(machine.storages - {machine.storage})),
            nodes,
        )

    def gib_on(self, storage: str) -> int:
        """What is new there."""
        own = self.disk_gib - self.old_disk_gib if storage == self.storage else 0
        return own + sum(gib for name, gib in self.further if name == storage)


@dataclass(frozen=True)
class Others:
    """What others have of a cluster, by node or storage; worked out once."""

    running_mib: dict[str, int] = field(default_factory=dict)
    stopped_mib: dict[str, int] = field(default_factory=dict)
    """Of guests that count though they do not run."""
    there_mib: dict[str, int] = field(default_factory=dict)
    """Of machines that exist and are reserved for another plan, which changes them or has just made them: not both count."""
    held_mib: dict[str, int] = field(default_factory=dict)
    held_cpu_count: dict[str, int] = field(default_factory=dict)
    young_cpu_count: dict[str, int] = field(default_factory=dict)
    """Of machines that run, and that the history of their node does not know."""
    held_gib: dict[tuple[str, str], int] = field(default_factory=dict)
    """By storage and node, of machines that do not exist yet."""

    @classmethod
    def of(cls, snapshot: ClusterSnapshot, environment: Environment, reserved: Reserved, own_vm_ids: frozenset[int]) -> Others:
        census = take_census(snapshot, environment.counts_stopped)
        others = cls(
            running_mib=census.running_mib.copy(),
            stopped_mib=census.stopped_mib.copy(),
            held_mib={node: math.ceil(size / MIB) for node, size in reserved.memory_bytes},
            held_cpu_count=dict(reserved.cpu_count),
        )
        for vm_id in own_vm_ids | reserved.vm_ids:
            guest = census.guests.get(vm_id)
            if guest is None or not counts(guest, environment.counts_stopped):
                continue
            memory_mib = math.ceil(guest.memory_bytes / MIB)
            count = others.running_mib if guest.running else others.stopped_mib
            count[guest.node] -= memory_mib
            if vm_id not in own_vm_ids:
                others.there_mib[guest.node] = others.there_mib.get(guest.node, 0) + memory_mib
        for held in reserved.machines:
            guest = census.guests.get(held.vm_id)
            if guest is None and not held.made:
                for storage, disk_gib in ((held.storage, held.disk_gib), *held.further):
                    at = (storage, held.node)
                    others.held_gib[at] = others.held_gib.get(at, 0) + disk_gib
            elif guest is not None and held.made and guest.running:
                # Of a machine of the part's own, too: what it takes is what it grows by.
                others.young_cpu_count[guest.node] = others.young_cpu_count.get(guest.node, 0) + guest.cpu_count
        return others


@dataclass(frozen=True)
class Census:
    """Who is in a cluster, and what they have of each node, whoever asks."""

    guests: dict[int, Guest]
    running_mib: dict[str, int]
    stopped_mib: dict[str, int]
    """Of those that count though they do not run."""
    sizes: Counter[tuple[int, int]]
    """(vCPUs, MiB) of whoever may run."""


class _Same:
    """A snapshot by what it is, not by what it says: a look at every guest of it costs more than what is done with it."""

    def __init__(self, snapshot: ClusterSnapshot) -> None:
        self.snapshot = snapshot

    def __hash__(self) -> int:
        return id(self.snapshot)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.snapshot is self.snapshot


def take_census(snapshot: ClusterSnapshot, stopped: StoppedGuests) -> Census:
    """One pass over the guests, once a snapshot."""
    return _census(_Same(snapshot), stopped)


@lru_cache(maxsize=4)
def _census(same: _Same, stopped: StoppedGuests) -> Census:
    running: dict[str, int] = {}
    off: dict[str, int] = {}
    found: dict[int, Guest] = {}
    sizes: Counter[tuple[int, int]] = Counter()
    for guest in same.snapshot.guests:
        found[guest.vm_id] = guest
        if guest.template:
            continue
        node, size = guest.node, guest.memory_bytes
        sizes[guest.cpu_count, round(size / MIB)] += 1
        if guest.running:
            running[node] = running.get(node, 0) - (-size // MIB)
        elif counts(guest, stopped):
            off[node] = off.get(node, 0) - (-size // MIB)
    return Census(found, running, off, sizes)


@dataclass(frozen=True)
class Room:
    """A cluster as far as capacity is concerned, with what this request has taken so far."""

    snapshot: ClusterSnapshot
    environment: Environment
    reserved: Reserved
    own_vm_ids: frozenset[int] = frozenset()
    """Machines of the part itself: they are counted by what they take, not as guests too."""
    taken: tuple[Taking, ...] = ()
    others: Others = field(default_factory=Others)

    @classmethod
    def of(
        cls,
        snapshot: ClusterSnapshot,
        environment: Environment,
        reserved: Reserved,
        own_vm_ids: frozenset[int] = frozenset(),
    ) -> Room:
        return cls(snapshot, environment, reserved, own_vm_ids, (), Others.of(snapshot, environment, reserved, own_vm_ids))

    def after(self, takings: Iterable[Taking]) -> Room:
        return replace(self, taken=(*self.taken, *takings))


def room_of(
    situation: Situation, environment: str, parts: Iterable[Part] = (), without: Iterable[Machine] = (), highly_available: bool = False
) -> Room:
    """With these parts and the others of the request that are decided already; and as if some machines were not there. Whoever is promised
    another node gets one, where the site does not say otherwise."""
    placed = (*situation.parts, *parts)
    own = frozenset(int(one) for part in placed if part.machines for one in part.owned)
    old = {g.vm_id: g for g in situation.cluster.guests if g.vm_id in own}
    gone = frozenset(old) | {m.vm_id for m in without}
    site = situation.site.environment(environment)
    if highly_available and not site.node_loss:
        site = site.model_copy(update={"node_loss": "refuse"})
    room = Room.of(situation.cluster, site, situation.reserved, gone)
    seen = situation.cluster
    made = (m for part in placed for m in part.machines)
    return room.after(Taking.of(m, old.get(m.vm_id), able(m, seen) if m.high_availability else ()) for m in made)


def guests(snapshot: ClusterSnapshot, without: frozenset[int] = frozenset()) -> Iterable[Guest]:
    """Whoever may run: a stopped guest can be started at any time, a template cannot."""
    return (g for g in snapshot.guests if not g.template and g.vm_id not in without)


def counts(guest: Guest, stopped: StoppedGuests) -> bool:
    """Whether its memory is promised, everywhere: what runs, and of what does not, whatever the site says. A template never starts."""
    if guest.template or guest.running:
        return not guest.template
    return stopped == "count" or (stopped == "on_boot" and guest.on_boot is not False)


def memory_terms(room: Room, node: Node) -> tuple[list[tuple[str, int]], int]:
    """In MiB, with the limit. What is promised to others and p95 are alternatives; the larger one counts."""
    running, stopped, used, reserved, new, old, limit = _memory(room, node)
    if _promised_counts(running + stopped, used, old):
        also = [("promised to stopped guests", stopped)] if stopped else []
        return [("promised to guests", running), *also, ("reserved", reserved), ("this request", new)], limit
    return [("used, p95", used), ("reserved", reserved), ("this request", new - old)], limit


def memory_taken(room: Room, node: Node) -> tuple[int, int]:
    """The same as one figure, with the limit."""
    running, stopped, used, reserved, new, old, limit = _memory(room, node)
    promised = running + stopped
    return (promised + new if _promised_counts(promised, used, old) else used + new - old) + reserved, limit


def _promised_counts(promised: int, used: int, old: int) -> bool:
    """The p95 has the old size of our own machines in it already, the promises of others have not."""
    return promised >= used - old


def _memory(room: Room, node: Node) -> tuple[int, int, int, int, int, int, int]:
    """Running, stopped, used, reserved, new, old, limit."""
    name, others = node.name, room.others
    new = old = 0
    for t in room.taken:
        if t.node == name:
            new += t.memory_mib
            old += t.old_memory_mib
    there, held = others.there_mib.get(name, 0), others.held_mib.get(name, 0)
    return (
        others.running_mib.get(name, 0),
        others.stopped_mib.get(name, 0),
        used_mib(room, node),
        there if there > held else held,
        new,
        old,
        math.floor(node.memory_bytes / MIB * room.environment.memory_ratio_max),
    )


def memory_sum(room: Room, node: Node) -> Sum:
    terms, limit = memory_terms(room, node)
    return _sum(f"memory of {node.name}", "MiB", terms, limit)


def cpu_terms(room: Room, node: Node) -> tuple[list[tuple[str, float]], float]:
    """In processor threads, with the limit: used (p95), what the history does not know, reserved, and the new vCPUs at full use."""
    used, young, held, new, limit = _cpu(room, node)
    also = [("younger than the history", young)] if young else []
    return [("used, p95", used), *also, ("reserved", held), ("this request", new)], limit


def cpu_taken(room: Room, node: Node) -> tuple[float, float]:
    used, young, held, new, limit = _cpu(room, node)
    return round(used + young + held + new, 2), limit


def _cpu(room: Room, node: Node) -> tuple[float, int, int, int, float]:
    """Used, young, reserved, new, limit."""
    name, new = node.name, 0
    for t in room.taken:
        if t.node == name:
            new += t.cpu_count - t.old_cpu_count
    threads = node.cpu_count
    return (
        math.ceil(_cpu_p95(node) * threads * 100) / 100,
        room.others.young_cpu_count.get(name, 0),
        room.others.held_cpu_count.get(name, 0),
        new,
        math.floor(threads * room.environment.cpu_ratio_max * 100) / 100,
    )


def cpu_sum(room: Room, node: Node) -> Sum:
    terms, limit = cpu_terms(room, node)
    return _sum(f"processors of {node.name}", "threads", terms, limit)


def storage_terms(room: Room, storage: Storage) -> tuple[list[tuple[str, int]], int]:
    """In GiB, with the limit. A shared storage is one storage, whichever node looks at it."""
    new = sum(t.gib_on(storage.name) for t in room.taken if storage.shared or t.node == storage.node)
    held = sum(
        size for (name, node), size in room.others.held_gib.items() if name == storage.name and (storage.shared or node == storage.node)
    )
    limit = math.floor(storage.total_bytes / GIB * room.environment.storage_ratio_max)
    also = [("reserved", held)] if held else []
    return [("used", math.ceil(storage.used_bytes / GIB)), *also, ("this request", new)], limit


def storage_sum(room: Room, storage: Storage) -> Sum:
    terms, limit = storage_terms(room, storage)
    where = storage.name if storage.shared else f"{storage.name} on {storage.node}"
    return _sum(f"storage {where}", "GiB", terms, limit)


def node_problem(node: Node) -> str:
    """Why nothing can be put there; empty when something can."""
    if not node.online:
        return "it is not online"
    if node.maintenance:
        return "it is in maintenance"
    if not node.cpu_count or not node.memory_bytes:
        return "it did not tell its processors and memory"
    if node.load is None or node.load.cpu_ratio_p95 is None or node.load.memory_bytes_p95 is None:
        return "it gave no load figures, without which no head-room can be promised; the scan token needs Sys.Audit"
    return ""


def used_mib(room: Room, node: Node) -> int:
    """By its history, without what is counted as reserved."""
    used = math.ceil((node.load.memory_bytes_p95 or 0) / MIB) if node.load else 0
    return max(0, used - room.others.there_mib.get(node.name, 0))


def _cpu_p95(node: Node) -> float:
    return (node.load.cpu_ratio_p95 or 0.0) if node.load else 0.0


def _sum(subject: str, unit: str, terms: Sequence[tuple[str, float]], limit: float) -> Sum:
    values = tuple((name, float(value)) for name, value in terms)
    return Sum(subject=subject, unit=unit, terms=values, total=round(sum(v for _, v in values), 2), limit=float(limit))
