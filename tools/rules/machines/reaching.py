"""Which nodes can run a machine: those that have its networks and see its disks. Where it is put is decided in
tools.rules.machines.placement."""

from __future__ import annotations

from tools.rules.machines import networks
from tools.values.machine import Machine
from tools.values.snapshot import ClusterSnapshot


def able(machine: Machine, snapshot: ClusterSnapshot) -> tuple[str, ...]:
    """Of the nodes that are online: of any other nothing is known. Without a shared storage that is the one it is on."""
    there = [networks.at(snapshot, card.bridge, card.vlan_tag) for card in machine.every_card]
    seen = [{s.node for s in snapshot.storages if s.name == name and (s.shared or s.node == machine.node)} for name in machine.storages]
    nodes = frozenset(node.name for node in snapshot.nodes if node.online)
    common = nodes.intersection(*(one.nodes if one else () for one in there), *seen)
    return tuple(node.name for node in snapshot.nodes if node.name in common)
