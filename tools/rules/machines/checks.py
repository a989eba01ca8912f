"""Checks machines against a snapshot from the manifest alone, whatever the offer said: every check is made, each failure has a remedy.

Where a machine should go instead is not decided here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tools.rules.machines import templates
from tools.rules.machines.capacity import GIB, Room, cpu_sum, memory_sum, node_problem, storage_sum
from tools.rules.machines.keeping import resting_on
from tools.rules.names import naming
from tools.rules.request.reading import CPU_COUNT_MAX, MEMORY_MIB_MIN
from tools.values.machine import Machine
from tools.values.manifest import Part
from tools.values.requirements import Origin
from tools.values.review import Finding
from tools.values.site import Reserved, Site
from tools.values.snapshot import ClusterSnapshot, Guest

Checked = tuple[tuple[Finding, ...], tuple[str, ...]]
Trouble = tuple[str, str]
"""(detail, remedy)"""


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


# One machine at a time: trouble, or nothing.


def _name_valid(m: Machine, scene: Scene) -> Trouble | None:
    problem = naming.name_problem(m.name)
    return (problem, "Choose another name.") if problem else None


def _name_free(m: Machine, scene: Scene) -> Trouble | None:
    taken = next((g for g in scene.snapshot.guests if g.name == m.name and g.vm_id not in scene.owned), None)
    if taken:
        return f"The name {m.name} is taken by VM {taken.vm_id} on {taken.node}.", "Choose another name."
    if m.name in scene.reserved.names:
        return f"The name {m.name} is promised to another plan.", "Choose another name, or wait until that plan is done or void."
    if sum(1 for other in scene.part.machines if other.name == m.name) > 1:
        return f"Two machines are called {m.name}.", "Give each its own name."
    return None


def _vm_id_free(m: Machine, scene: Scene) -> Trouble | None:
    taken = next((g for g in scene.snapshot.guests if g.vm_id == m.vm_id and g.vm_id not in scene.owned), None)
    if taken:
        return f"VM id {m.vm_id} is taken by {taken.name} on {taken.node}.", "Compose the manifest again; it chooses a free one."
    if m.vm_id in scene.reserved.vm_ids:
        return f"VM id {m.vm_id} is promised to another plan.", "Compose the manifest again; it chooses a free one."
    if sum(1 for other in scene.part.machines if other.vm_id == m.vm_id) > 1:
        return f"Two machines have VM id {m.vm_id}.", "Compose the manifest again."
    if not scene.site.vm_id_low <= m.vm_id <= scene.site.vm_id_high and m.vm_id not in scene.owned:
        span = f"{scene.site.vm_id_low} to {scene.site.vm_id_high}"
        return f"VM id {m.vm_id} is outside the site's range, {span}.", "Compose the manifest again; it chooses one within."
    return None


def _node_online(m: Machine, scene: Scene) -> Trouble | None:
    node = scene.snapshot.node(m.node)
    if node is None:
        return naming.unknown("node", m.node, [n.name for n in scene.snapshot.nodes]), "Pick another candidate."
    problem = node_problem(node)
    return (f"{m.node} cannot be used: {problem}.", "Pick another candidate, or bring the node back.") if problem else None


def _network_there(m: Machine, scene: Scene) -> Trouble | None:
    alike = [n for n in scene.snapshot.networks if n.bridge == m.bridge and n.vlan_tag == m.vlan_tag]
    tag = f" with VLAN {m.vlan_tag}" if m.vlan_tag is not None else ""
    if not alike:
        return f"There is no network on {m.bridge}{tag}.", "Name a network that this cluster has."
    if not any(m.node in n.nodes for n in alike):
        return f"The network on {m.bridge}{tag} is not on {m.node}.", "Pick a candidate on another node."
    return None


def _storage_there(m: Machine, scene: Scene) -> Trouble | None:
    storage = next((s for s in scene.snapshot.storages if s.name == m.storage and s.node == m.node), None)
    if storage is None:
        return f"{m.node} has no storage {m.storage}.", "Pick another candidate."
    if not storage.active:
        return f"Storage {m.storage} is not active on {m.node}.", "Pick another candidate, or bring the storage back."
    if "images" not in storage.content:
        return f"Storage {m.storage} does not take machine disks.", "Pick another candidate."
    return None


def _template_there(m: Machine, scene: Scene) -> Trouble | None:
    if m.vm_id in scene.owned:
        return None  # cloned long ago
    template = next((t for t in scene.snapshot.templates if t.vm_id == m.template_vm_id), None)
    if template is None or template.node != m.template_node:
        return f"Template {m.template_vm_id} is not on {m.template_node}.", "Compose the manifest again."
    if template.disk_interface != m.disk_interface:
        return (
            f"The system disk of template {template.name} is {template.disk_interface}, not {m.disk_interface}.",
            "Compose the manifest again.",
        )
    node = scene.snapshot.node(m.node)
    storage = next((s for s in scene.snapshot.storages if s.name == m.storage and s.node == m.node), None)
    if node and storage:
        reason = templates.out_of_reach(template, node, storage, scene.snapshot)
        if reason:
            return f"{m.name} cannot be cloned: {reason}.", "Pick another candidate."
    return None


def _as_it_rested_on(m: Machine, scene: Scene) -> Trouble | None:
    """The template and the storage are still those that were seen when the manifest was composed."""
    if m.vm_id in scene.owned:
        return None
    then = dict(scene.part.rests_on)
    for what, now in resting_on((m,), scene.snapshot):
        was = then.get(what, now)
        if was != now:
            changed = ", ".join(sorted(name.replace("_", " ") for name, value in now if dict(was).get(name) != value))
            return (
                f"{what.capitalize()} is not what it was: {changed} changed.",
                "Ask for a new plan; it starts from the world as it is.",
            )
    return None


def _disk_size(m: Machine, scene: Scene) -> Trouble | None:
    old = scene.owned.get(m.vm_id)
    if old:
        old_gib = math.floor(old.disk_bytes / GIB)
        if m.disk_gib < old_gib:
            return (
                f"The disk of {m.name} has {old_gib} GiB, and a disk cannot shrink to {m.disk_gib} GiB.",
                f"Keep {old_gib} GiB or ask for more.",
            )
        return None
    template = next((t for t in scene.snapshot.templates if t.vm_id == m.template_vm_id), None)
    if template and m.disk_gib < template.disk_gib:
        return (
            f"A disk of {m.disk_gib} GiB cannot hold template {template.name}, whose disk has {template.disk_gib} GiB.",
            f"Ask for at least {template.disk_gib} GiB.",
        )
    return None


def _bounds(m: Machine, scene: Scene) -> Trouble | None:
    if not 1 <= m.cpu_count <= CPU_COUNT_MAX or m.memory_mib < MEMORY_MIB_MIN:
        return f"{m.cpu_count} vCPU and {m.memory_mib} MiB cannot be a machine.", "Ask for at least 1 vCPU and 256 MiB."
    node = scene.snapshot.node(m.node)
    if node and node.cpu_count and m.cpu_count > node.cpu_count:
        return (
            f"{m.name} has {m.cpu_count} vCPUs, and {m.node} only {node.cpu_count} threads.",
            f"Ask for at most {node.cpu_count}.",
        )
    return None


def _as_asked(m: Machine, scene: Scene) -> Trouble | None:
    """What was said is kept to the letter, what was assumed stays within its range."""
    for name, value in (("cpu_count", m.cpu_count), ("memory_mib", m.memory_mib), ("disk_gib", m.disk_gib)):
        field = scene.part.needs.field(name)
        if field is None or not isinstance(field.value, int | float):
            continue
        if field.origin is Origin.SAID and value != field.value:
            return (
                f"{field.value} {field.unit} of {name} were asked for, and {m.name} has {value}.",
                "Compose the manifest again.",
            )
        if name != "disk_gib" and field.low is not None and field.high is not None and not field.low <= value <= field.high:
            return (
                f"{name} of {m.name} is {value}, outside its range of {field.low:g} to {field.high:g}.",
                "Choose within the range.",
            )
    return None


def _headroom_memory(m: Machine, scene: Scene) -> Trouble | None:
    node = scene.snapshot.node(m.node)
    if node is None:
        return None
    one = memory_sum(scene.room, node)
    share = f"{scene.room.environment.memory_ratio_max:.0%} of the node"
    return None if one.holds else (f"{one.spelt}, which is {share}.", "Take less memory, or another node.")


def _headroom_cpu(m: Machine, scene: Scene) -> Trouble | None:
    node = scene.snapshot.node(m.node)
    if node is None:
        return None
    one = cpu_sum(scene.room, node)
    share = f"{scene.room.environment.cpu_ratio_max:.0%} of the node in {scene.room.environment.name}"
    return None if one.holds else (f"{one.spelt}, which is {share}.", "Take fewer vCPUs, or another node.")


def _storage_room(m: Machine, scene: Scene) -> Trouble | None:
    storage = next((s for s in scene.snapshot.storages if s.name == m.storage and s.node == m.node), None)
    if storage is None:
        return None
    one = storage_sum(scene.room, storage)
    return None if one.holds else (f"{one.spelt}, which is 80% of the storage.", "Take a smaller disk, or another storage.")


CHECKS: dict[str, Callable[[Machine, Scene], Trouble | None]] = {
    "name.valid": _name_valid,
    "name.free": _name_free,
    "vm_id.free": _vm_id_free,
    "node.online": _node_online,
    "network.there": _network_there,
    "storage.there": _storage_there,
    "template.there": _template_there,
    "rests_on": _as_it_rested_on,
    "disk.size": _disk_size,
    "bounds": _bounds,
    "as_asked": _as_asked,
    "headroom.memory": _headroom_memory,
    "headroom.cpu": _headroom_cpu,
    "storage.room": _storage_room,
}
