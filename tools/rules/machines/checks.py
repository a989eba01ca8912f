"""Checks machines against a snapshot from the manifest alone, whatever the offer said: every check is made, each fault is a kind with data.

Where a machine should go instead is not decided here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tools.rules.machines import addresses, affinity, disks, networks, templates
from tools.rules.machines.capacity import GIB, Room, cpu_sum, memory_sum, node_problem, storage_sum
from tools.rules.machines.disks import spell_data_disk
from tools.rules.machines.keeping import resting_on
from tools.rules.machines.reaching import able
from tools.rules.names import naming, processors
from tools.rules.request.reading import CPU_COUNT_MAX, MEMORY_MIB_MIN
from tools.values.machine import Machine, without_prefix
from tools.values.manifest import Part
from tools.values.requirements import ALL_ALIKE, Needs, Origin
from tools.values.review import Fault, Finding, Severity, fault
from tools.values.site import Reserved, Site
from tools.values.snapshot import ClusterSnapshot, Guest, Node, Storage, Template
from tools.values.value import sha256

Checked = tuple[tuple[Finding, ...], tuple[str, ...]]


@dataclass(frozen=True)
class Scene:
    """All that a check of one machine may look at."""

    part: Part
    snapshot: ClusterSnapshot
    site: Site
    reserved: Reserved
    room: Room
    """After all machines of the part."""
    owned: dict[int, Guest]
    """Machines of the part that exist already, by VM id."""
    before: Room
    """Without the part."""

    def reckoned(self, machine: Machine) -> Node | None:
        """Its node; none where that is silent, so that what it has is not known: the check of the node tells that."""
        node = self.snapshot.node(machine.node)
        return node if node is not None and node.online else None

    @property
    def own_ids(self) -> frozenset[int]:
        """Of the part's machines, also of those that are about to be made: their addresses may be registered already."""
        return frozenset(self.owned) | {m.vm_id for m in self.part.machines}

    def storage(self, machine: Machine, name: str = "") -> Storage | None:
        """That of its system disk, or the one called so, as its node sees it."""
        return next((s for s in self.snapshot.storages if s.name == (name or machine.storage) and s.node == machine.node), None)

    def needs(self, machine: Machine) -> Needs:
        """Of the machine's own group."""
        needs = self.part.needs
        return needs.of(next((one for one in needs.kinds if one.name == machine.group), ALL_ALIKE))

    def template(self, machine: Machine) -> Template | None:
        return next((t for t in self.snapshot.templates if t.vm_id == machine.template_vm_id), None)


# One machine at a time: a fault, or nothing.


def _name_valid(m: Machine, scene: Scene) -> Fault | None:
    problem = naming.name_problem(m.name)
    return fault("name.invalid", problem=problem) if problem else None


def _name_free(m: Machine, scene: Scene) -> Fault | None:
    taken = next((g for g in scene.snapshot.guests if g.name == m.name and g.vm_id not in scene.owned), None)
    if taken:
        return fault("name.taken", name=m.name, vm_id=taken.vm_id, node=taken.node)
    if m.name in scene.reserved.names or (m.vm_id not in scene.owned and sha256(m.name.encode()) in scene.snapshot.hidden_names):
        return fault("name.promised", name=m.name)
    return fault("name.twice", name=m.name) if sum(1 for other in scene.part.machines if other.name == m.name) > 1 else None


def _vm_id_free(m: Machine, scene: Scene) -> Fault | None:
    taken = next((g for g in scene.snapshot.guests if g.vm_id == m.vm_id and g.vm_id not in scene.owned), None)
    if taken:
        return fault("vm_id.taken", vm_id=m.vm_id, name=taken.name, node=taken.node)
    if m.vm_id in scene.reserved.vm_ids:
        return fault("vm_id.promised", vm_id=m.vm_id)
    if sum(1 for other in scene.part.machines if other.vm_id == m.vm_id) > 1:
        return fault("vm_id.twice", vm_id=m.vm_id)
    if m.vm_id in range(first := scene.needs(m).whole("vm_id"), first + len(scene.part.machines)) and first:
        return None
    if not scene.site.vm_id_low <= m.vm_id <= scene.site.vm_id_high and m.vm_id not in scene.owned:
        return fault("vm_id.outside", vm_id=m.vm_id, low=scene.site.vm_id_low, high=scene.site.vm_id_high)
    return None


def _node_online(m: Machine, scene: Scene) -> Fault | None:
    node = scene.snapshot.node(m.node)
    if node is None:
        return fault("node.unknown", problem=naming.unknown("node", m.node, [n.name for n in scene.snapshot.nodes]))
    problem = node_problem(node)
    return fault("node.unusable", node=m.node, reason=problem) if problem else None


def _network_there(m: Machine, scene: Scene) -> Fault | None:
    for card in m.every_card:
        nodes = networks.nodes_of(scene.snapshot, card.bridge, card.vlan_tag)
        if nodes is None:
            return fault("network.missing", bridge=card.bridge, vlan_tag=card.vlan_tag)
        if m.node not in nodes:
            return fault("network.elsewhere", bridge=card.bridge, vlan_tag=card.vlan_tag, node=m.node)
    return None


def _storage_there(m: Machine, scene: Scene) -> Fault | None:
    for name in sorted(m.storages):
        storage = scene.storage(m, name)
        if storage is None:
            return fault("storage.missing", storage=name, node=m.node)
        if not storage.active:
            return fault("storage.inactive", storage=name, node=m.node)
        if "images" not in storage.content:
            return fault("storage.without_disks", storage=name)
    return None


def _template_there(m: Machine, scene: Scene) -> Fault | None:
    if m.vm_id in scene.owned:
        return None  # cloned long ago
    template = scene.template(m)
    if template is None or template.node != m.template_node:
        return fault("template.missing", vm_id=m.template_vm_id, node=m.template_node)
    if template.disk_interface != m.disk_interface:
        found, wanted = template.disk_interface, m.disk_interface
        return fault("template.other_disk", template=template.name, found=found, wanted=wanted)
    node, storage = scene.snapshot.node(m.node), scene.storage(m)
    reason = templates.out_of_reach(template, node, storage, templates.Reach.of(scene.snapshot)) if node and storage else ""
    return fault("template.out_of_reach", machine=m.name, reason=reason) if reason else None


def _as_it_rested_on(m: Machine, scene: Scene) -> Fault | None:
    """The template and the storage are still those that were seen when the manifest was composed."""
    if m.vm_id in scene.owned:
        return None
    then = dict(scene.part.rests_on)
    for what, now in resting_on((m,), scene.snapshot):
        was = then.get(what, now)
        if was != now:
            changed = sorted(name.replace("_", " ") for name, value in now if dict(was).get(name) != value)
            return fault("ground.changed", what=what, changed=tuple(changed))
    return None


def _disk_size(m: Machine, scene: Scene) -> Fault | None:
    if old := scene.owned.get(m.vm_id):
        old_gib = math.floor(old.disk_bytes / GIB)
        smaller = m.disk_gib < old_gib
        return fault("disk.shrinks", machine=m.name, old_gib=old_gib, disk_gib=m.disk_gib) if smaller else None
    template = scene.template(m)
    if template and m.disk_gib < template.disk_gib:
        return fault("disk.below_template", disk_gib=m.disk_gib, template=template.name, template_gib=template.disk_gib)
    return None


def _data_disks(m: Machine, scene: Scene) -> Fault | None:
    """As many as asked for, each on an interface of its own, and none that exists shrinks."""
    asked, found = tuple(map(spell_data_disk, disks.asked_of(scene.needs(m)))), tuple(map(spell_data_disk, m.data_disks))
    if asked != found:
        return fault("data_disk.otherwise", machine=m.name, asked=asked, found=found)
    if len({m.disk_interface, *(disk.interface for disk in m.data_disks)}) <= len(found):
        return fault("data_disk.interface", machine=m.name)
    there = dict(scene.owned[m.vm_id].data_disks_gib) if m.vm_id in scene.owned else {}
    small = next((disk for disk in m.data_disks if disk.disk_gib < there.get(disk.interface, 0)), None)
    return fault("disk.shrinks", machine=m.name, old_gib=there[small.interface], disk_gib=small.disk_gib) if small else None


def _address(m: Machine, scene: Scene) -> Fault | None:
    if not m.fixed_addresses:
        return None
    given = Counter(one for other in scene.part.machines for one in other.fixed_addresses)
    others = addresses.taken(scene.snapshot, scene.reserved, scene.own_ids)
    for number, card in enumerate(m.every_card):
        network = networks.at(scene.snapshot, card.bridge, card.vlan_tag)
        for address in (card.address, card.address6 or ""):
            if address in ("", addresses.DHCP):
                continue
            if given[address] > 1 or without_prefix(address) in scene.part.virtual_alone:
                return fault("address.twice", address=address)
            gateway = ((m.gateway6 if ":" in address else m.gateway) or "") if number == 0 else ""
            who = addresses.holder(address, others)
            reason = (addresses.problem(address, gateway, network) if network else "") or (f"it is taken by {who}" if who else "")
            if reason:
                return fault("address.unfit", machine=m.name, address=address, reason=reason)
    return None


def virtual_addresses(scene: Scene) -> Fault | None:
    """As many as asked for, each fit for the network and nobody's."""
    part = scene.part
    if tuple(name for name, _ in part.virtual_addresses) != part.needs.virtual_addresses:
        return fault("virtual.otherwise", asked=part.needs.virtual_addresses, found=tuple(name for name, _ in part.virtual_addresses))
    network = networks.at(scene.snapshot, part.machines[0].bridge, part.machines[0].vlan_tag) if part.machines else None
    others = addresses.taken(scene.snapshot, scene.reserved, scene.own_ids)
    for name, address in part.virtual_addresses:
        said, gateway = str(address), part.machines[0].gateway or ""
        who = addresses.holder(said, others)
        reason = (addresses.problem(said, gateway, network) if network else "") or (f"it is taken by {who}" if who else "")
        if part.needs.text(name) and without_prefix(part.needs.text(name)) != without_prefix(said):
            reason = f"{part.needs.text(name)} was asked for"
        if reason:
            return fault("virtual.unfit", what=name.replace("_", " "), address=said, reason=reason)
    twice = len(part.virtual_alone) < len(part.virtual_addresses)
    return fault("address.twice", address=min(part.virtual_alone)) if twice else None


def together(scene: Scene) -> tuple[Severity, Fault | None]:
    """Two machines on one node, of a group that is to have one a node. Those that exist may have been moved there by the cluster."""
    for group in scene.part.needs.kinds:
        machines = scene.part.of_group(group.name)
        nodes = Counter(m.node for m in machines)
        for node in (one for one, count in nodes.items() if group.one_a_node and count > 1):
            there = [m for m in machines if m.node == node]
            found = fault("group.together", machines=tuple(m.name for m in there), node=node)
            return (Severity.WARNING if all(m.vm_id in scene.owned for m in there) else Severity.ERROR), found
    return Severity.ERROR, None


def beside(scene: Scene, others: Iterable[Part]) -> tuple[Severity, Fault | None]:
    """Whether its machines are where those of its group, and of other items, say. Those that exist may have been moved by the cluster."""
    part, there = scene.part, {one.label: {m.node for m in one.machines} for one in others}
    severity = Severity.WARNING if all(m.vm_id in scene.owned for m in part.machines) else Severity.ERROR
    nodes = {m.node for m in part.machines}
    for group in (one for one in part.needs.kinds if one.together):
        mine = tuple(sorted({m.node for m in part.of_group(group.name)}))
        if len(mine) > 1:
            return severity, fault("group.parted", nodes=mine)
    for label in part.needs.near:
        if (on := there.get(label)) and not nodes <= on:
            return severity, fault("beside.parted", item=label, nodes=tuple(sorted(on)))
    for label in part.needs.away:
        if shared := nodes & there.get(label, set()):
            return severity, fault("beside.together", item=label, node=min(shared))
    return severity, None


def rules_kept(scene: Scene, others: Iterable[Part]) -> tuple[Severity, Fault | None]:
    """Who is to be kept apart, or together, after a node is lost, and has no rule for it. A rule is of one part alone."""
    part, has = scene.part, {one["group"] for one in scene.part.variables.get(affinity.AFFINITIES, ())}
    for group in (one for one in part.needs.kinds if one.one_a_node or one.together):
        mine = tuple(m.name for m in part.of_group(group.name) if m.high_availability)
        if len(mine) > 1 and group.name not in has and not affinity.has_rules(scene.snapshot):
            return Severity.WARNING, fault("group.unruled", machines=mine, version=scene.snapshot.version)
    moving = {one.label for one in others if any(m.high_availability for m in one.machines)}
    beside = next((one for one in (*part.needs.near, *part.needs.away) if one in moving), None)
    if beside and any(m.high_availability for m in part.machines):
        return Severity.WARNING, fault("beside.unruled", item=beside)
    return Severity.WARNING, None


def confined(scene: Scene) -> tuple[Severity, Fault | None]:
    """A machine that is highly available, and of which no rule or group says which nodes can run it. Of those that exist, a network may
    have gone since."""
    part = scene.part
    severity = Severity.WARNING if all(m.vm_id in scene.owned for m in part.machines) else Severity.ERROR
    told = {name: tuple(one["nodes"]) for one in part.variables.get(affinity.CONFINED, ()) for name in one["machines"]}
    online = {node.name for node in scene.snapshot.nodes if node.online}
    for machine in (m for m in part.machines if m.high_availability):
        nodes = able(machine, scene.snapshot)
        if len(nodes) < 2:
            return severity, fault("failover.nowhere", machine=machine.name)
        if told.get(machine.name, nodes if set(nodes) >= online else ()) != nodes:
            return severity, fault("failover.untold", machine=machine.name, nodes=nodes)
    return severity, None


def _bounds(m: Machine, scene: Scene) -> Fault | None:
    if not 1 <= m.cpu_count <= CPU_COUNT_MAX or m.memory_mib < MEMORY_MIB_MIN:
        return fault("size.impossible", cpu_count=m.cpu_count, memory_mib=m.memory_mib)
    node = scene.snapshot.node(m.node)
    if node and node.cpu_count and m.cpu_count > node.cpu_count:
        return fault("size.above_node", machine=m.name, cpu_count=m.cpu_count, node=m.node, node_cpu_count=node.cpu_count)
    return None


def _processor(m: Machine, scene: Scene) -> Fault | None:
    node = scene.snapshot.node(m.node)
    if node is None or processors.serves(node, m.cpu_type) or m.vm_id in scene.owned:
        return None
    return fault("processor.unfit", machine=m.name, cpu_type=m.cpu_type, node=m.node, able=node.cpu_types[-1])


def _as_asked(m: Machine, scene: Scene) -> Fault | None:
    """What was said is kept to the letter, what was assumed stays within its range."""
    for name, value in (("cpu_count", m.cpu_count), ("memory_mib", m.memory_mib), ("disk_gib", m.disk_gib)):
        field = scene.needs(m).field(name)
        if field is None or not isinstance(field.value, int | float):
            continue
        if field.origin is Origin.SAID and value != field.value:
            return fault("asked.otherwise", asked=field.value, unit=field.unit, fact=name, machine=m.name, found=value)
        if name != "disk_gib" and field.low is not None and field.high is not None and not field.low <= value <= field.high:
            return fault("asked.out_of_range", fact=name, machine=m.name, found=value, low=field.low, high=field.high)
    return None


def _headroom_memory(m: Machine, scene: Scene) -> Fault | None:
    node = scene.reckoned(m)
    if node is None or (one := memory_sum(scene.room, node)).holds:
        return None
    return fault("memory.full", sum=one, share=scene.room.environment.memory_ratio_max)


def _headroom_cpu(m: Machine, scene: Scene) -> Fault | None:
    node, environment = scene.reckoned(m), scene.room.environment
    if node is None or (one := cpu_sum(scene.room, node)).holds:
        return None
    return fault("processors.full", sum=one, share=environment.cpu_ratio_max, environment=environment.name)


def _storage_room(m: Machine, scene: Scene) -> Fault | None:
    stores = (scene.storage(m, name) for name in sorted(m.storages))
    sums = (storage_sum(scene.room, storage) for storage in stores if storage and storage.active)
    full = next((one for one in sums if not one.holds), None)
    return fault("storage.full", sum=full, share=scene.room.environment.storage_ratio_max) if full else None


CHECKS: dict[str, Callable[[Machine, Scene], Fault | None]] = {
    "name.valid": _name_valid,
    "name.free": _name_free,
    "vm_id.free": _vm_id_free,
    "node.online": _node_online,
    "network.there": _network_there,
    "storage.there": _storage_there,
    "template.there": _template_there,
    "rests_on": _as_it_rested_on,
    "disk.size": _disk_size,
    "disk.data": _data_disks,
    "address": _address,
    "bounds": _bounds,
    "processor": _processor,
    "as_asked": _as_asked,
    "headroom.memory": _headroom_memory,
    "headroom.cpu": _headroom_cpu,
    "storage.room": _storage_room,
}
