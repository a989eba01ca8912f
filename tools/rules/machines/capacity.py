"""How much room a cluster has: arithmetic per node and per storage, in whole units, that a second program can check.

Memory counts as the larger of what is promised to guests and what was really used (p95); processors as what was really used (p95).
New machines count in full. Where to put them is decided in tools.rules.machines.placement.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from tools.values.machine import Machine
from tools.values.offer import Sum
from tools.values.site import Environment, Reserved
from tools.values.snapshot import ClusterSnapshot, Guest, Node, Storage

STORAGE_RATIO_MAX = 0.8
"""Thin pools and Ceph go read-only when full, so a fifth stays free, like the fifth of memory in contract F49."""

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

    @classmethod
    def of(cls, machine: Machine, old: Guest | None) -> Taking:
        """Of a machine that exists the growth is what is new."""
        there = dict(old.data_disks_gib) if old else {}
        return cls(
            machine.node,
            machine.storage,
            machine.cpu_count,
            machine.memory_mib,
            machine.disks_gib,
            old.cpu_count if old else 0,
            math.ceil(old.memory_bytes / MIB) if old else 0,
            math.ceil(old.disk_bytes / GIB) + sum(there.get(disk.interface, 0) for disk in machine.data_disks) if old else 0,
        )


@dataclass(frozen=True)
class Room:
    """A cluster as far as capacity is concerned, with what this request has taken so far."""

    snapshot: ClusterSnapshot
    environment: Environment
    reserved: Reserved
    own_vm_ids: frozenset[int] = frozenset()
    """Machines of the part itself: they are counted by what they take, not as guests too."""
    taken: tuple[Taking, ...] = ()
    promised_mib: dict[str, int] = field(default_factory=dict)
    """By node; worked out once."""
    there_mib: dict[str, int] = field(default_factory=dict)
    """By node, of machines that exist and are reserved for another plan, which changes them or has just made them: not both count."""

    @classmethod
    def of(
        cls,
        snapshot: ClusterSnapshot,
        environment: Environment,
        reserved: Reserved,
        own_vm_ids: frozenset[int] = frozenset(),
    ) -> Room:
        promised: dict[str, int] = {}
        there: dict[str, int] = {}
        for guest in guests(snapshot, own_vm_ids):
            count = there if guest.vm_id in reserved.vm_ids else promised
            count[guest.node] = count.get(guest.node, 0) + math.ceil(guest.memory_bytes / MIB)
        return cls(snapshot, environment, reserved, own_vm_ids, (), promised, there)

    def after(self, takings: Iterable[Taking]) -> Room:
        return Room(
            self.snapshot,
            self.environment,
            self.reserved,
            self.own_vm_ids,
            (*self.taken, *takings),
            self.promised_mib,
            self.there_mib,
        )


def guests(snapshot: ClusterSnapshot, without: frozenset[int] = frozenset()) -> Iterable[Guest]:
    """Whoever may run: a stopped guest can be started at any time, a template cannot."""
    return (g for g in snapshot.guests if not g.template and g.vm_id not in without)


def memory_sum(room: Room, node: Node) -> Sum:
    """In MiB. What is promised to others and p95 are alternatives; the larger one counts."""
    mine = [t for t in room.taken if t.node == node.name]
    new = sum(t.memory_mib for t in mine)
    old = sum(t.old_memory_mib for t in mine)
    promised = room.promised_mib.get(node.name, 0)
    there = room.there_mib.get(node.name, 0)
    used = max(0, _used_mib(node) - there)
    reserved = max(there, math.ceil(dict(room.reserved.memory_bytes).get(node.name, 0) / MIB))
    limit = math.floor(node.memory_bytes / MIB * room.environment.memory_ratio_max)
    # The p95 has the old size of our own machines in it already, the promises of others have not.
    if promised + new >= used + new - old:
        terms = [("promised to guests", promised), ("reserved", reserved), ("this request", new)]
    else:
        terms = [("used, p95", used), ("reserved", reserved), ("this request", new - old)]
    return _sum(f"memory of {node.name}", "MiB", terms, limit)


def cpu_sum(room: Room, node: Node) -> Sum:
    """In processor threads: used (p95), reserved, and the new vCPUs at full use."""
    mine = [t for t in room.taken if t.node == node.name]
    used = math.ceil(_cpu_p95(node) * node.cpu_count * 100) / 100
    reserved = dict(room.reserved.cpu_count).get(node.name, 0)
    new = sum(t.cpu_count - t.old_cpu_count for t in mine)
    limit = math.floor(node.cpu_count * room.environment.cpu_ratio_max * 100) / 100
    return _sum(f"processors of {node.name}", "threads", [("used, p95", used), ("reserved", reserved), ("this request", new)], limit)


def storage_sum(room: Room, storage: Storage) -> Sum:
    """In GiB. A shared storage is one storage, whichever node looks at it."""
    new = sum(t.disk_gib - t.old_disk_gib for t in room.taken if t.storage == storage.name and (storage.shared or t.node == storage.node))
    where = storage.name if storage.shared else f"{storage.name} on {storage.node}"
    limit = math.floor(storage.total_bytes / GIB * STORAGE_RATIO_MAX)
    return _sum(f"storage {where}", "GiB", [("used", math.ceil(storage.used_bytes / GIB)), ("this request", new)], limit)


def failover_sum(room: Room) -> Sum | None:
    """Memory when the largest node is lost: everything, on the nodes that are left, up to the brim. None for a single node."""
    online = [n for n in room.snapshot.nodes if n.online]
    if len(online) < 2:
        return None
    largest = min(online, key=lambda n: (-n.memory_bytes, n.name))
    needed = [memory_sum(room, node) for node in online]
    left = math.floor(sum(n.memory_bytes for n in online if n.name != largest.name) / MIB)
    terms = [(f"of {node.name}", one.total) for node, one in zip(online, needed, strict=True)]
    if len(terms) > 4:
        terms = [(f"of {len(terms)} nodes", sum(total for _, total in terms))]
    return _sum(f"memory without {largest.name}", "MiB", terms, left)


def node_problem(node: Node) -> str:
    """Why nothing can be put there; empty when something can."""
    if not node.online:
        return "it is not online"
    if not node.cpu_count or not node.memory_bytes:
        return "it did not tell its processors and memory"
    if node.load is None or node.load.cpu_ratio_p95 is None or node.load.memory_bytes_p95 is None:
        return "it gave no load figures, without which no head-room can be promised; the scan token needs Sys.Audit"
    return ""


def _used_mib(node: Node) -> int:
    return math.ceil((node.load.memory_bytes_p95 or 0) / MIB) if node.load else 0


def _cpu_p95(node: Node) -> float:
    return (node.load.cpu_ratio_p95 or 0.0) if node.load else 0.0


def _sum(subject: str, unit: str, terms: list[tuple[str, float]] | list[tuple[str, int]], limit: float) -> Sum:
    values = tuple((name, float(value)) for name, value in terms)
    return Sum(subject=subject, unit=unit, terms=values, total=round(sum(v for _, v in values), 2), limit=float(limit))
