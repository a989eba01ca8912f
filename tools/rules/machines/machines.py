"""The machines of a part, as the Terraform module wants them, and what a change keeps of those that exist.

Where machines go is in tools.rules.machines.choices, whether they may is in tools.rules.machines.review.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from pydantic import ValidationError

from tools.rules.machines.capacity import GIB, MIB, Taking
from tools.rules.names.text import spell_memory
from tools.values.manifest import Command, Manifest, Part, Resource
from tools.values.requirements import Needs
from tools.values.site import Environment, Site
from tools.values.snapshot import ClusterSnapshot, Guest, Snapshot
from tools.values.value import Json, Value

MODULE = "machines"
"""The folder under terraform/."""


class Machine(Value):
    """One entry of the Terraform module's `machines`; the module's variables.tf says the same."""

    name: str
    vm_id: int
    node: str
    template_vm_id: int
    template_node: str
    storage: str
    disk_interface: str
    disk_gib: int
    cpu_count: int
    memory_mib: int
    bridge: str
    vlan_tag: int | None
    address: str = "dhcp"
    gateway: str | None = None
    user_name: str
    public_keys: tuple[str, ...]
    dns_servers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    on_boot: bool = True
    pool: str | None = None


def cluster(snapshot: Snapshot) -> ClusterSnapshot:
    assert isinstance(snapshot, ClusterSnapshot), "a capability whose TARGET is proxmox is handed a cluster"
    return snapshot


def environment_of(needs: Needs, site: Site) -> Environment:
    return site.environment(text(needs, "environment"))


def text(needs: Needs, name: str) -> str:
    found = needs.field(name)
    return str(found.value) if found else ""


def number(needs: Needs, name: str, default: int = 0) -> int:
    found = needs.field(name)
    return int(found.value) if found and isinstance(found.value, int | float) else default


def strings(needs: Needs, name: str) -> tuple[str, ...]:
    found = needs.field(name)
    return found.value if found and isinstance(found.value, tuple) else ()


def variables_of(made: tuple[Machine, ...]) -> Json:
    return {"machines": [m.model_dump(mode="json") for m in made]}


def machines_in(part: Part) -> tuple[Machine, ...]:
    """The machines of a part; pydantic's ValidationError when they are not as the module wants them."""
    listed = part.variables.get("machines", []) if isinstance(part.variables, dict) else []
    return tuple(Machine.model_validate(m) for m in listed)


def readable(part: Part) -> bool:
    try:
        machines_in(part)
    except ValidationError:
        return False
    return True


def taking(machine: Machine, old: Guest | None) -> Taking:
    """What a machine takes; of one that exists the growth is what is new."""
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


def built_on(made: tuple[Machine, ...], snapshot: ClusterSnapshot) -> dict[str, Json]:
    """What the machines rely on, as it was seen: a plan stops when it is different by the time it is carried out."""
    templates = {t.vm_id: t for t in snapshot.templates}
    stores = {(s.name, s.node): s for s in snapshot.storages}
    relied: dict[str, Json] = {}
    for m in made:
        template, storage = templates.get(m.template_vm_id), stores.get((m.storage, m.node))
        if template is not None:
            relied[f"template {m.template_vm_id}"] = template.model_dump(mode="json")
        if storage is not None:
            relied[f"storage {m.storage} of {m.node}"] = {"kind": storage.kind, "shared": storage.shared}
    return relied


def owned_ids(part: Part) -> frozenset[int]:
    """Machines of the part that exist already: a change keeps them, and checks do not count them as others' guests."""
    ids = part.facts.get("owned_vm_ids", []) if isinstance(part.facts, dict) else []
    return frozenset(vm_id for vm_id in ids if isinstance(vm_id, int))


def owning(part: Part, vm_ids: Iterable[int]) -> Part:
    """The same part, knowing which of its machines exist."""
    facts = part.facts if isinstance(part.facts, dict) else {}
    return part.model_copy(update={"facts": {**facts, "owned_vm_ids": sorted(set(vm_ids))}})


def without(snapshot: ClusterSnapshot, vm_ids: Iterable[int]) -> ClusterSnapshot:
    """The cluster as if these machines were not there: what a change of them is offered against."""
    gone = frozenset(vm_ids)
    return snapshot.model_copy(update={"guests": tuple(g for g in snapshot.guests if g.vm_id not in gone)})


def vm_ids(manifest: Manifest) -> frozenset[int]:
    """Of all machines of a manifest: what a change of them is offered `without`."""
    return frozenset(m.vm_id for part in manifest.parts if part.module == MODULE for m in machines_in(part))


def keep_all(old: Manifest, new: Manifest) -> Manifest:
    """A change of what a run has built: each part of machines that was there before keeps its machines in their places."""
    before = {part.name: part for part in old.parts if part.module == MODULE}
    parts = tuple(keep(before[p.name], p) if p.name in before and p.module == MODULE else p for p in new.parts)
    return new.model_copy(update={"parts": parts})


def keep(old: Part, new: Part) -> Part:
    """A change of machines that exist: same names keep their id, node, storage and template; only their sizes change.

    Names by convention are taken over in order. Whether a disk shrinks is for the review to find.
    """
    before, after = machines_in(old), machines_in(new)
    if new.needs.field("name") is None:
        fresh = [m.name for m in after if m.name not in {o.name for o in before}]
        called = [*(o.name for o in before), *fresh][: len(after)]
        after = tuple(m.model_copy(update={"name": name}) for m, name in zip(after, called, strict=True))
    by_name = {o.name: o for o in before}
    kept = tuple(_keep_one(by_name[m.name], m) if m.name in by_name else m for m in after)
    gone = [o.name for o in before if o.name not in {m.name for m in kept}]
    because = {r.name: r.because for r in new.resources}
    places = {m.name: f"{m.node}, {m.storage}, network {text(new.needs, 'network')}" for m in kept}
    resources = tuple(
        Resource(
            name=m.name,
            kind="virtual machine",
            where=places[m.name],
            size=size_of(m),
            because=because.get(m.name, "Kept in its place."),
        )
        for m in kept
    )
    confirm = (
        f"{', '.join(gone)} will be removed, with everything on {'its disk' if len(gone) == 1 else 'their disks'}."
        if gone
        else new.confirm
    )
    renamed = {m.name: k.name for m, k in zip(machines_in(new), kept, strict=True)}
    old_facts, new_facts = (p.facts if isinstance(p.facts, dict) else {} for p in (old, new))
    return owning(
        new.model_copy(
            update={
                "facts": {**new_facts, "built_on": {**new_facts.get("built_on", {}), **old_facts.get("built_on", {})}},
                "variables": variables_of(kept),
                "resources": resources,
                "confirm": confirm,
                "commands": tuple(_renamed(command, renamed) for command in new.commands),
            }
        ),
        (o.vm_id for o in before if o.name in {m.name for m in kept}),
    )


def _keep_one(old: Machine, new: Machine) -> Machine:
    place = {
        name: getattr(old, name) for name in ("vm_id", "node", "storage", "template_vm_id", "template_node", "disk_interface")
    }
    return new.model_copy(update=place)


def _renamed(command: Command, names: dict[str, str]) -> Command:
    """A command about a machine that keeps its old name."""
    if command.machine not in names or names[command.machine] == command.machine:
        return command
    old, new = command.machine, names[command.machine]
    argv = tuple(re.sub(rf"(?<![a-z0-9-]){re.escape(old)}(?![a-z0-9-])", new, word) for word in command.argv)
    return command.model_copy(update={"machine": new, "argv": argv, "expect": command.expect.replace(old, new)})


def size_of(machine: Machine) -> str:
    return f"{machine.cpu_count} vCPU, {spell_memory(machine.memory_mib)}, {machine.disk_gib} GiB disk"
