"""The certificate of a placement: the sums of the capacity rules and the moves of a loss, as plain figures."""

from __future__ import annotations

from collections.abc import Sequence

from tools.rules.machines.capacity import Room, cpu_terms, memory_sum, memory_terms, room_of, storage_terms, used_mib
from tools.rules.machines.ground import NODES_SMALL_MAX
from tools.rules.machines.losing import Loss, losses
from tools.values.certificate import Certificate, Lost, Move, NodeRoom, StorageRoom
from tools.values.manifest import Part
from tools.values.situation import Situation
from tools.values.snapshot import Node, Storage


def certify(parts: Sequence[Part], situation: Situation) -> Certificate:
    """Of all parts together. A node is held to the limits of the environment of the last part that is on it."""
    environments = {m.node: part.needs.text("environment") for part in parts for m in part.machines}
    first = next(iter(environments.values()), "")
    rooms = {name: (room_of(situation, name), room_of(situation, name, parts)) for name in {*environments.values(), first}}
    small = len(situation.cluster.nodes) <= NODES_SMALL_MAX
    lost = losses(rooms[first][1], None if small else frozenset(environments))
    shown = {*environments, *(to for loss in lost for _, to in loss.moves), *(loss.node for loss in lost)}
    nodes = [node for node in situation.cluster.nodes if node.name in shown and node.online]
    stores: dict[tuple[str, str], Storage] = {}
    for storage in situation.cluster.storages:
        if any(storage.name in m.storages and m.node == storage.node for part in parts for m in part.machines):
            stores.setdefault((storage.name, "" if storage.shared else storage.node), storage)
    return Certificate(
        nodes=tuple(_node(node, *rooms[environments.get(node.name, first)]) for node in nodes),
        storages=tuple(_storage(s, node, rooms[environments[s.node]][1]) for (_, node), s in stores.items()),
        losses=tuple(map(_lost, lost)),
        all_carried=not any(loss.homeless for loss in lost),
    )


def _lost(loss: Loss) -> Lost:
    gone = (*loss.moves, *((mover, "") for mover in loss.homeless))
    return Lost(node=loss.node, moves=tuple(Move(who=mover.what, memory_mib=mover.memory_mib, to=to) for mover, to in gone))


def _node(node: Node, before: Room, after: Room) -> NodeRoom:
    mine = [t for t in after.taken if t.node == node.name]
    terms, limit = memory_terms(after, node)
    threads, cpu_max = cpu_terms(after, node)
    cpu = dict(threads)
    others = after.others
    return NodeRoom(
        name=node.name,
        memory_mib=int(node.memory_bytes // 2**20),
        memory_mib_max=limit,
        promised_mib=others.running_mib.get(node.name, 0) + others.stopped_mib.get(node.name, 0),
        used_mib=used_mib(after, node),
        reserved_mib=int(dict(terms)["reserved"]),
        new_mib=sum(t.memory_mib for t in mine),
        old_mib=sum(t.old_memory_mib for t in mine),
        cpu_count=node.cpu_count,
        cpu_max=cpu_max,
        cpu_used=round(sum(value for name, value in threads if name not in ("reserved", "this request")), 2),
        cpu_reserved=int(cpu["reserved"]),
        cpu_new=int(cpu["this request"]),
        memory_before_mib=int(memory_sum(before, node).total),
        memory_after_mib=int(memory_sum(after, node).total),
    )


def _storage(storage: Storage, node: str, after: Room) -> StorageRoom:
    terms, limit = storage_terms(after, storage)
    found = dict(terms)
    return StorageRoom(
        name=storage.name,
        node=node,
        gib_max=limit,
        used_gib=found["used"],
        reserved_gib=found.get("reserved", 0),
        new_gib=found["this request"],
    )
