"""Checks machines against a snapshot from the manifest alone, whatever the offer said: every check is made, each failure has a remedy.

Where a machine should go instead is not decided here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from tools.rules import naming, templates
from tools.rules.capacity import GIB, MIB, Room, Taking, cpu_sum, failover_sum, memory_sum, node_problem, spell_sum, storage_sum
from tools.rules.machines import Machine, cluster, environment_of, machines_in, number, text
from tools.rules.reading import CPU_COUNT_MAX, MEMORY_MIB_MIN
from tools.values.manifest import Part
from tools.values.requirements import Origin
from tools.values.review import Finding, Severity
from tools.values.site import Reserved, Site
from tools.values.snapshot import ClusterSnapshot, Guest, Snapshot

Checked = tuple[tuple[Finding, ...], tuple[str, ...]]
Trouble = tuple[str, str]
"""(detail, remedy)"""


@dataclass(frozen=True)
class Scene:
    """All that a check of one machine may look at."""

    part: Part
    machines: tuple[Machine, ...]
    snapshot: ClusterSnapshot
    site: Site
    reserved: Reserved
    room: Room
    """After all machines of the part."""
    owned: dict[int, Guest]
    """Machines of the part that exist already, by VM id."""


def review(part: Part, snapshot: Snapshot, site: Site, reserved: Reserved) -> Checked:
    """(findings, checks that hold)."""
    seen = cluster(snapshot)
    try:
        made = machines_in(part)
    except ValidationError as error:
        fields = ", ".join(sorted({".".join(map(str, e["loc"])) for e in error.errors()}))
        return (
            _finding(
                part, "machines.form", part.name, (f"The machines cannot be read: {fields}.", "Compose the manifest again.")
            ),
        ), ()
    scene = _scene(part, made, seen, site, reserved)
    findings: list[Finding] = []
    passed: list[str] = []
    for check, look in CHECKS.items():
        for machine in made:
            trouble = look(machine, scene)
            if trouble:
                findings.append(_finding(part, check, machine.name, trouble))
            else:
                passed.append(f"{check}:{part.name}:{machine.name}")
    for check, severity, trouble in _whole(scene):
        if trouble:
            findings.append(_finding(part, check, part.name, trouble, severity))
        else:
            passed.append(f"{check}:{part.name}:{part.name}")
    return tuple(_each_once(findings)), tuple(passed)


def _scene(part: Part, made: tuple[Machine, ...], seen: ClusterSnapshot, site: Site, reserved: Reserved) -> Scene:
    ids = part.facts.get("owned_vm_ids", []) if isinstance(part.facts, dict) else []
    owned = {g.vm_id: g for g in seen.guests if g.vm_id in ids}
    room = Room.of(seen, environment_of(part.needs, site), reserved, frozenset(owned)).after(
        _taking(m, owned.get(m.vm_id)) for m in made
    )
    return Scene(part, made, seen, site, reserved, room, owned)


def _taking(machine: Machine, old: Guest | None) -> Taking:
    return Taking(
        machine.node,
        machine.storage,
        machine.cpu_count,
        machine.memory_mib,
        machine.disk_gib,
        old.cpu_count if old else 0,
        math.ceil(old.memory_bytes / MIB) if old else 0,
        math.ceil(old.disk_bytes / GIB) if old else 0,
    )


def _finding(part: Part, check: str, subject: str, trouble: Trouble, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(severity=severity, check=check, part=part.name, subject=subject, detail=trouble[0], remedy=trouble[1])


def _each_once(findings: list[Finding]) -> Iterator[Finding]:
    """Two machines on one full node are one thing to say."""
    said: set[tuple[str, str]] = set()
    for finding in findings:
        if (finding.check, finding.detail) not in said:
            said.add((finding.check, finding.detail))
            yield finding


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
    if sum(1 for other in scene.machines if other.name == m.name) > 1:
        return f"Two machines are called {m.name}.", "Give each its own name."
    return None


def _vm_id_free(m: Machine, scene: Scene) -> Trouble | None:
    taken = next((g for g in scene.snapshot.guests if g.vm_id == m.vm_id and g.vm_id not in scene.owned), None)
    if taken:
        return f"VM id {m.vm_id} is taken by {taken.name} on {taken.node}.", "Compose the manifest again; it chooses a free one."
    if m.vm_id in scene.reserved.vm_ids:
        return f"VM id {m.vm_id} is promised to another plan.", "Compose the manifest again; it chooses a free one."
    if sum(1 for other in scene.machines if other.vm_id == m.vm_id) > 1:
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
    return None if one.holds else (f"{spell_sum(one)}, which is {share}.", "Take less memory, or another node.")


def _headroom_cpu(m: Machine, scene: Scene) -> Trouble | None:
    node = scene.snapshot.node(m.node)
    if node is None:
        return None
    one = cpu_sum(scene.room, node)
    share = f"{scene.room.environment.cpu_ratio_max:.0%} of the node in {scene.room.environment.name}"
    return None if one.holds else (f"{spell_sum(one)}, which is {share}.", "Take fewer vCPUs, or another node.")


def _storage_room(m: Machine, scene: Scene) -> Trouble | None:
    storage = next((s for s in scene.snapshot.storages if s.name == m.storage and s.node == m.node), None)
    if storage is None:
        return None
    one = storage_sum(scene.room, storage)
    return None if one.holds else (f"{spell_sum(one)}, which is 80% of the storage.", "Take a smaller disk, or another storage.")


CHECKS: dict[str, Callable[[Machine, Scene], Trouble | None]] = {
    "name.valid": _name_valid,
    "name.free": _name_free,
    "vm_id.free": _vm_id_free,
    "node.online": _node_online,
    "network.there": _network_there,
    "storage.there": _storage_there,
    "template.there": _template_there,
    "disk.size": _disk_size,
    "bounds": _bounds,
    "as_asked": _as_asked,
    "headroom.memory": _headroom_memory,
    "headroom.cpu": _headroom_cpu,
    "storage.room": _storage_room,
}


def _whole(scene: Scene) -> Iterator[tuple[str, Severity, Trouble | None]]:
    """Checks of the part as a whole."""
    wanted, made = number(scene.part.needs, "count", 1), len(scene.machines)
    count: Trouble = (f"{wanted} machines were asked for, and the manifest has {made}.", "Compose the manifest again.")
    yield "count", Severity.ERROR, None if wanted == made else count
    quorum: Trouble = ("The cluster has no quorum, so nothing in it can be changed.", "Bring its nodes back first.")
    yield "quorum", Severity.ERROR, None if scene.snapshot.quorate else quorum
    failover = failover_sum(scene.room)
    production = text(scene.part.needs, "environment") == "production"
    severity = Severity.WARNING if production else Severity.NOTE
    lost: Trouble | None = None
    if failover is None:
        lost = ("The cluster has one node online: nothing can take over from it.", "Add a node before relying on it.")
    elif not failover.holds:
        lost = (
            f"The loss of the largest node could not be carried: {spell_sum(failover)}.",
            "Add memory or nodes, or stop guests that are not needed.",
        )
    yield "failover.memory", severity, lost
    no_key: Trouble = (
        "Only the run's own SSH key will open these machines.",
        "Name your public key if you want to log in with your own.",
    )
    keyless = any(not m.public_keys for m in scene.machines)
    yield "keys", Severity.NOTE, no_key if keyless else None
