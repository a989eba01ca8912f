"""What the loss of a node would do: its guests are placed on the nodes that are left, the largest first, up to the brim.

Sums alone prove nothing: a guest of 96 GiB has no place on three nodes with 40 GiB left each. Whether a plan is refused for it is decided
by whoever asks. Of others only memory is looked at; machines of this request that are highly available go to nodes that can run them.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Collection
from dataclasses import dataclass

from tools.rules.machines.capacity import MIB, Room, counts, memory_taken
from tools.rules.names.text import spell_memory
from tools.values.snapshot import Node

NODES_PROVED_MAX = 5
"""Up to so many nodes a loss may be refused: the larger a cluster, the more its head-room does."""
NODES_PROVED_MIN = 3
"""Of two nodes, one would have to stay empty."""
NEW = "a machine of this request"


@dataclass(frozen=True)
class Mover:
    """What has to start on another node."""

    memory_mib: int
    what: str
    new: bool = False
    """Of this request."""
    nodes: tuple[str, ...] = ()
    """That can run it; empty: any."""

    @property
    def spelt(self) -> str:
        return f"{self.what} ({spell_memory(self.memory_mib)})"


@dataclass(frozen=True)
class Loss:
    """Of one node."""

    node: str
    moves: tuple[tuple[Mover, str], ...]
    """Who goes to which node."""
    homeless: tuple[Mover, ...]


def losses(room: Room, only: Collection[str] | None = None) -> tuple[Loss, ...]:
    """Of each node that is online, or of these; none where nothing is left."""
    online = survivors(room)
    if len(online) < 2:
        return ()
    movers = _movers(room)
    free = {node.name: math.floor(node.memory_bytes / MIB) - memory_taken(room, node)[0] for node in online}
    ordered = sorted((size, name) for name, size in free.items())
    return tuple(_loss(node.name, movers.get(node.name, []), ordered, free) for node in online if only is None or node.name in only)


def survivors(room: Room) -> tuple[Node, ...]:
    return tuple(node for node in room.snapshot.nodes if node.online and node.memory_bytes and not node.maintenance)


def newly_homeless(before: tuple[Loss, ...], after: tuple[Loss, ...]) -> tuple[tuple[str, Mover], ...]:
    """(node that is lost, who finds no place): of this request, or because of it."""
    already = {(loss.node, mover.what) for loss in before for mover in loss.homeless}
    return tuple((loss.node, mover) for loss in after for mover in loss.homeless if mover.new or (loss.node, mover.what) not in already)


def proved(room: Room) -> bool:
    """Whether a plan is refused that leaves somebody homeless."""
    return room.environment.refuses_node_loss and NODES_PROVED_MIN <= len(survivors(room)) <= NODES_PROVED_MAX


def _loss(lost: str, movers: list[Mover], ordered: list[tuple[int, str]], free: dict[str, int]) -> Loss:
    best = _placed(lost, movers, ordered, free, tightest=True)
    if not best.homeless:
        return best
    other = _placed(lost, movers, ordered, free, tightest=False)
    return min(best, other, key=lambda loss: sum(mover.memory_mib for mover in loss.homeless))


def _placed(lost: str, movers: list[Mover], ordered: list[tuple[int, str]], free: dict[str, int], tightest: bool) -> Loss:
    """Each on the node that it fills most, or on the emptiest one."""
    left = ordered.copy()
    del left[bisect_left(left, (free[lost], lost))]
    moves, homeless = [], []
    for mover in movers:
        fitting = range(bisect_left(left, (mover.memory_mib, "")), len(left))
        at = next((i for i in (fitting if tightest else reversed(fitting)) if not mover.nodes or left[i][1] in mover.nodes), None)
        if at is None:
            homeless.append(mover)
            continue
        size, name = left.pop(at)
        insort(left, (size - mover.memory_mib, name))
        moves.append((mover, name))
    return Loss(lost, tuple(moves), tuple(homeless))


def _movers(room: Room) -> dict[str, list[Mover]]:
    """By node, the largest first: guests that count, what is promised to other plans, and this request."""
    found: dict[str, list[Mover]] = {}
    promised = {node: math.ceil(size / MIB) for node, size in room.reserved.memory_bytes}
    held = {one.vm_id: one for one in room.reserved.machines if not one.made}
    there = set()
    for guest in room.snapshot.guests:
        there.add(guest.vm_id)
        if guest.vm_id in room.own_vm_ids or not counts(guest, room.environment.counts_stopped):
            continue
        memory_mib = math.ceil(guest.memory_bytes / MIB)
        if guest.vm_id in held:
            memory_mib = max(memory_mib, held[guest.vm_id].memory_mib)
        found.setdefault(guest.node, []).append(Mover(memory_mib, f"VM {guest.vm_id} {guest.name}".strip()))
    for one in held.values():
        promised[one.node] = promised.get(one.node, 0) - one.memory_mib
        if one.vm_id not in there:
            found.setdefault(one.node, []).append(Mover(one.memory_mib, f"VM {one.vm_id} of another plan"))
    for node, memory_mib in promised.items():
        if memory_mib > 0:
            found.setdefault(node, []).append(Mover(memory_mib, "what is promised to other plans"))
    for taking in room.taken:
        found.setdefault(taking.node, []).append(Mover(taking.memory_mib, taking.name or NEW, True, taking.nodes))
    return {node: sorted(movers, key=_largest_first) for node, movers in found.items()}


def _largest_first(mover: Mover) -> tuple[int, str]:
    return (-mover.memory_mib, mover.what)
