"""Machines on a Proxmox cluster, as every capability that makes some needs them: from needs to an offer, from a pick to machines.

Checking the result is in tools.rules.machine_checks; what runs on the machines belongs to the capabilities.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable

from tools.rules import naming, placement
from tools.rules.capacity import Room
from tools.rules.counter import counter_offer
from tools.rules.placement import Demand
from tools.values.manifest import Command, Configure, Part, Resource, Secret
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick, Range
from tools.values.requirements import Needs, Origin
from tools.values.site import Environment, Reserved, Site
from tools.values.snapshot import ClusterSnapshot, Snapshot
from tools.values.trouble import RequestProblem
from tools.values.value import Json, Value

SIZES = ("cpu_count", "memory_mib", "disk_gib")
MODULE = "machines"
SSH_KEY = Secret(name="ssh_key", kind="ssh_key")


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


def demand_of(needs: Needs) -> Demand:
    disk = needs.field("disk_gib")
    return Demand(
        count=number(needs, "count", 1),
        cpu_count=number(needs, "cpu_count"),
        memory_mib=number(needs, "memory_mib"),
        disk_gib=number(needs, "disk_gib"),
        network=text(needs, "network"),
        os=text(needs, "os") or "debian",
        node=text(needs, "node"),
        storage=text(needs, "storage"),
        prefer_shared=text(needs, "environment") == "production",
        disk_said=disk is not None and disk.origin is Origin.SAID,
    )


def offer(needs: Needs, snapshot: Snapshot, site: Site, reserved: Reserved) -> PartOffer:
    seen = cluster(snapshot)
    room = Room.of(seen, environment_of(needs, site), reserved)
    demand = demand_of(needs)
    ranges = ranges_of(needs)
    clash = _name_clash(needs, demand, seen, site, reserved)
    if not seen.quorate:
        clash = (Exclusion(subject="the cluster", reason="it has no quorum, so nothing in it can be changed"),)
    if clash:
        return PartOffer(
            capability=needs.capability, candidates=(), exclusions=clash, counter_offer=_free_name(needs, demand, seen, reserved)
        )
    found, shut = placement.places(demand, seen)
    ranked, full = placement.candidates(demand, found, room)
    return PartOffer(
        capability=needs.capability,
        candidates=ranked,
        exclusions=(*shut, *full),
        ranges=ranges,
        summary=placement.summary(room),
        counter_offer="" if ranked else counter_offer(demand, room),
    )


def ranges_of(needs: Needs) -> tuple[Range, ...]:
    """Sizes that nobody asked for may be settled within the range that was stated with them."""
    return tuple(
        Range(name=f.name, low=f.low, high=f.high, default=float(f.value), unit=f.unit, source=f.source, because=f.because)
        for f in needs.fields
        if f.name in SIZES and f.origin is not Origin.SAID and f.low is not None and f.high is not None
        if isinstance(f.value, int | float)
    )


def taken_names(snapshot: ClusterSnapshot, reserved: Reserved) -> frozenset[str]:
    return frozenset(g.name for g in snapshot.guests) | reserved.names


def _name_clash(needs: Needs, demand: Demand, snapshot: ClusterSnapshot, site: Site, reserved: Reserved) -> tuple[Exclusion, ...]:
    if not needs.field("name"):
        return ()
    by_name = {g.name: f"VM {g.vm_id} on {g.node}" for g in snapshot.guests}
    clashes = [n for n in naming.numbered(text(needs, "name"), demand.count) if n in by_name or n in reserved.names]
    return tuple(
        Exclusion(subject=f"name {n}", reason=f"it is taken by {by_name.get(n, 'a plan that is not carried out yet')}")
        for n in clashes
    )


def _free_name(needs: Needs, demand: Demand, snapshot: ClusterSnapshot, reserved: Reserved) -> str:
    taken = taken_names(snapshot, reserved)
    name = text(needs, "name")
    for look in range(2, 100):
        free = f"{name}-{look}"
        if free and not set(naming.numbered(free, demand.count)) & taken and not naming.name_problem(free):
            return f"The name {free} is free."
    return ""


def candidate_of(part_offer: PartOffer, pick: Pick) -> Candidate:
    for candidate in part_offer.candidates:
        if candidate.id == pick.candidate:
            return candidate
    offered = ", ".join(c.id for c in part_offer.candidates) or "nothing"
    raise RequestProblem(
        "That is not among the candidates.",
        f"{naming.shorten(pick.candidate)} was picked; offered were: {offered}.",
        "Pick one of these.",
    )


def settled(needs: Needs, part_offer: PartOffer, pick: Pick) -> dict[str, int]:
    """The sizes, with those that the pick settled within the offer's ranges."""
    sizes = {name: number(needs, name) for name in SIZES}
    ranges = {r.name: r for r in part_offer.ranges}
    for name, value in pick.settings:
        allowed = ranges.get(name)
        if allowed is None:
            names = ", ".join(ranges) or "none"
            raise RequestProblem(
                "That cannot be settled.", f"{naming.shorten(name)} has no range in the offer; those that have: {names}."
            )
        if not math.isfinite(value) or not allowed.low <= value <= allowed.high:
            raise RequestProblem(
                "A number is outside its range.",
                f"{name} was set to {value:g}; the offer allows {allowed.low:g} to {allowed.high:g} {allowed.unit}.".strip(),
                "Choose a number within the range.",
            )
        sizes[name] = math.ceil(value)
    return sizes


def machines(
    needs: Needs, part_offer: PartOffer, pick: Pick, snapshot: Snapshot, site: Site, reserved: Reserved
) -> tuple[Machine, ...]:
    """The machines with no choice left: ids from the site's range, names by convention or as said."""
    seen = cluster(snapshot)
    candidate, sizes = candidate_of(part_offer, pick), settled(needs, part_offer, pick)
    chosen = candidate.choice["machines"]
    ids = free_ids(len(chosen), seen, site, reserved)
    called = names_of(needs, len(chosen), seen, site, reserved)
    network = placement.network_of(seen, text(needs, "network"))
    assert network is not None, "an offer with candidates has found the network"
    found = {t.vm_id: t for t in seen.templates}
    return tuple(
        Machine(
            name=name,
            vm_id=vm_id,
            node=place["node"],
            template_vm_id=place["template_vm_id"],
            template_node=place["template_node"],
            storage=place["storage"],
            disk_interface=found[place["template_vm_id"]].disk_interface,
            disk_gib=max(sizes["disk_gib"], found[place["template_vm_id"]].disk_gib),
            cpu_count=sizes["cpu_count"],
            memory_mib=sizes["memory_mib"],
            bridge=network.bridge,
            vlan_tag=network.vlan_tag,
            user_name=site.user_name,
            public_keys=strings(needs, "public_keys"),
            dns_servers=site.dns_servers,
            tags=tags_of(needs),
        )
        for name, vm_id, place in zip(called, ids, chosen, strict=True)
    )


def tags_of(needs: Needs) -> tuple[str, ...]:
    """Sorted and in small letters, as Proxmox VE keeps them, so that a second plan finds nothing to change."""
    return tuple(sorted({"berth", needs.capability.lower(), *filter(None, [text(needs, "environment").lower()])}))


def free_ids(count: int, snapshot: ClusterSnapshot, site: Site, reserved: Reserved) -> tuple[int, ...]:
    taken = {g.vm_id for g in snapshot.guests} | {t.vm_id for t in snapshot.templates} | reserved.vm_ids
    free = [vm_id for vm_id in range(site.vm_id_low, site.vm_id_high + 1) if vm_id not in taken][:count]
    if len(free) < count:
        raise RequestProblem(
            "There are no free VM ids left.",
            f"{count} are needed, and {len(free)} are free between {site.vm_id_low} and {site.vm_id_high}.",
            "Widen the site's range of VM ids, or remove machines that are no longer needed.",
        )
    return tuple(free)


def names_of(needs: Needs, count: int, snapshot: ClusterSnapshot, site: Site, reserved: Reserved) -> tuple[str, ...]:
    if needs.field("name"):
        return naming.numbered(text(needs, "name"), count)
    return naming.names(text(needs, "workload") or "vm", count, taken_names(snapshot, reserved), site)


def resources_of(made: tuple[Machine, ...], needs: Needs, candidate: Candidate) -> tuple[Resource, ...]:
    """As a person is told of them."""
    why = sizes_because(needs)
    return tuple(
        Resource(
            name=m.name,
            kind="virtual machine",
            where=f"{m.node}, {m.storage}, network {text(needs, 'network')}",
            size=size_of(m),
            because=f"{candidate.reasons[0] if candidate.reasons else ''} {why}".strip(),
        )
        for m in made
    )


def sizes_because(needs: Needs) -> str:
    """Where the sizes come from, each source named once."""
    parts: dict[str, list[str]] = {}
    for name in SIZES:
        found = needs.field(name)
        if found is None:
            continue
        if found.origin is Origin.SAID:
            why = "as asked for"
        elif found.source is not None:
            why = f"{found.source.title} ({found.source.grade}, {found.source.date})"
        else:
            why = found.because
        parts.setdefault(why, []).append(name.split("_")[0])
    return "; ".join(f"{', '.join(names)}: {why}" for why, names in parts.items()) + "." if parts else ""


def variables_of(made: tuple[Machine, ...]) -> Json:
    return {"machines": [m.model_dump(mode="json") for m in made]}


def machines_in(part: Part) -> tuple[Machine, ...]:
    """The machines of a part; pydantic's ValidationError when they are not as the module wants them."""
    listed = part.variables.get("machines", []) if isinstance(part.variables, dict) else []
    return tuple(Machine.model_validate(m) for m in listed)


def facts_of(made: tuple[Machine, ...], needs: Needs, snapshot: Snapshot) -> dict[str, Json]:
    """For the guide and for checks: what the machines were made from."""
    seen = cluster(snapshot)
    network = placement.network_of(seen, text(needs, "network"))
    template = next((t for t in seen.templates if made and t.vm_id == made[0].template_vm_id), None)
    return {
        "environment": text(needs, "environment"),
        "network": text(needs, "network"),
        "subnet": network.subnet if network else "",
        "template": template.name if template else "",
        "os": template.os if template else "",
        "owned_vm_ids": [],
    }


def base_variables() -> dict[str, Json]:
    """Of the role `base`, which every machine gets. The operator's account and keys are made by cloud-init already."""
    return {"base_timezone": "Etc/UTC", "base_packages": [], "base_users": []}


def part_of(
    needs: Needs,
    candidate: Candidate,
    pick: Pick,
    made: tuple[Machine, ...],
    *,
    facts: dict[str, Json],
    configure: Configure,
    secrets: tuple[Secret, ...] = (),
    commands: Callable[[list[dict[str, Json]], Needs], tuple[Command, ...]],
) -> Part:
    variables = variables_of(made)
    return Part(
        name=needs.capability,
        capability=needs.capability,
        target="proxmox",
        needs=needs,
        candidate=candidate.id,
        because=" ".join(filter(None, [pick.because, *candidate.reasons])),
        module=MODULE,
        variables=variables,
        resources=resources_of(made, needs, candidate),
        secrets=(SSH_KEY, *secrets),
        configure=configure,
        commands=commands(variables["machines"], needs),
        facts=facts,
    )


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
    return owning(
        new.model_copy(
            update={
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
    return f"{machine.cpu_count} vCPU, {machine.memory_mib / 1024:g} GiB, {machine.disk_gib} GiB disk"
