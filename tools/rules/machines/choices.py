"""From needs to an offer and from a pick to machines with no choice left, as every capability that makes machines does it.

Checking the result is in tools.rules.machines.review; what runs on the machines belongs to the capabilities.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import islice

from tools.rules.machines import addresses, affinity, disks, groups, networks, placement
from tools.rules.machines.capacity import room_of
from tools.rules.machines.groups import SIZES
from tools.rules.machines.keeping import resting_on, size_of, where_of
from tools.rules.machines.networks import wish_of
from tools.rules.machines.places import Demand
from tools.rules.machines.rights import rights_of
from tools.rules.names import naming, processors
from tools.rules.request.choosing import as_settled, candidate_of, settled_numbers
from tools.values.machine import AnyMachine, Machine
from tools.values.manifest import Part, Resource, Secret
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick
from tools.values.requirements import Needs, Origin
from tools.values.site import Reserved, Site
from tools.values.situation import Situation
from tools.values.snapshot import ClusterSnapshot, Network, Template
from tools.values.trouble import RequestProblem
from tools.values.value import Json, sha256

MODULE = "machines"
"""The folder under terraform/."""
STAY = "stay"
"""The candidate of machines that exist already."""
KEPT = "kept "
"""How a candidate's choice begins that says of how many machines of a group the addresses stay; the group's name follows."""
SSH_KEY = Secret(name="ssh_key", kind="ssh_key")


def offer(needs: Needs, situation: Situation) -> PartOffer:
    seen, reserved = situation.cluster, situation.reserved
    room = room_of(situation, needs.text("environment"), highly_available=needs.yes("high_availability"))
    named = _name_clash(needs, seen, reserved)
    clash = (*named, *_id_clash(needs, seen, reserved), *addresses.clashes(needs, seen, reserved))
    if not seen.quorate:
        clash = (Exclusion(subject="the cluster", reason="it has no quorum, so nothing in it can be changed"),)
    if clash:
        free = _free_name(needs, seen, reserved.widest) if named else ""
        return PartOffer(label=needs.label, candidates=(), exclusions=clash, counter_offer=free)
    placed = groups.place_all(needs, room, groups.nodes_of(situation.parts))
    return PartOffer(
        label=needs.label,
        candidates=placed.candidates,
        exclusions=placed.exclusions,
        ranges=placed.ranges,
        summary=placement.summary(room),
        counter_offer=placed.counter_offer,
    )


class TakenNames:
    """Names that a new machine cannot have, some of which are not to be read."""

    def __init__(self, snapshot: ClusterSnapshot, reserved: Reserved) -> None:
        self._names = frozenset(g.name for g in snapshot.guests) | reserved.names
        self._hidden = frozenset(snapshot.hidden_names)

    def __contains__(self, name: object) -> bool:
        return name in self._names or (bool(self._hidden) and sha256(str(name).encode()) in self._hidden)


def _name_clash(needs: Needs, snapshot: ClusterSnapshot, reserved: Reserved) -> tuple[Exclusion, ...]:
    if not needs.field("name"):
        return ()
    by_name = {g.name: f"VM {g.vm_id} on {g.node}" for g in snapshot.guests}
    taken = TakenNames(snapshot, reserved)
    clashes = [n for n in said_names(needs, needs.text("name")) if n in taken]
    others = {n: "a plan that is not carried out yet" if n in reserved.names else "another machine" for n in clashes}
    return tuple(Exclusion(subject=f"name {n}", reason=f"it is taken by {by_name.get(n, others[n])}") for n in clashes)


def _id_clash(needs: Needs, snapshot: ClusterSnapshot, reserved: Reserved) -> tuple[Exclusion, ...]:
    first = needs.whole("vm_id")
    by_id = {g.vm_id: g.name for g in snapshot.guests} | {t.vm_id: t.name for t in snapshot.templates}
    wanted = range(first, first + needs.machine_count) if first else ()
    whose = {one: by_id.get(one, "a plan that is not carried out yet") for one in wanted if one in by_id or one in reserved.vm_ids}
    return tuple(Exclusion(subject=f"VM id {one}", reason=f"it is taken by {who}") for one, who in whose.items())


def _free_name(needs: Needs, snapshot: ClusterSnapshot, reserved: Reserved) -> str:
    taken = TakenNames(snapshot, reserved)
    name = needs.text("name")
    for look in range(2, 100):
        free = f"{name}-{look}"
        if not any(one in taken for one in said_names(needs, free)) and not naming.name_problem(free):
            return f"The name {free} is free."
    return ""


def said_names(needs: Needs, name: str) -> tuple[str, ...]:
    """Of all machines, where they are to be called so; those of a group have its word behind it."""
    return tuple(
        one
        for group in needs.kinds
        if (count := needs.of(group).whole("count", 1))
        for one in naming.numbered(f"{name}-{group.called}" if group.called else name, count)
    )


def machines(needs: Needs, part_offer: PartOffer, pick: Pick, situation: Situation) -> tuple[Machine, ...]:
    """The machines with no choice left: ids from the site's range, names by convention or as said, group by group.

    Raises RequestProblem when the pick is not in the offer, or no id is free.
    """
    seen, site, reserved = situation.cluster, situation.site, situation.reserved.widest
    candidate = candidate_of(part_offer, pick)
    settled = settled_numbers(part_offer, pick)
    made: list[Machine] = []
    first_id, count = needs.whole("vm_id"), len(candidate.places)
    ids = iter(range(first_id, first_id + count) if first_id else free_ids(count, seen, site, reserved))
    cpu_type = needs.text("cpu_type") or processors.choose(seen.nodes)
    called = iter(names_of(needs, seen, site, reserved))
    network = networks.find(seen, wish_of(needs))
    assert isinstance(network, Network), "an offer with candidates has found the network"
    found = {t.vm_id: t for t in seen.templates}
    others = addresses.taken(seen, situation.reserved)
    fixed = iter(_addresses(needs, network, candidate, others))
    fixed6 = iter(addresses.allot6(needs, network))
    cards = iter(addresses.cards_of(needs, seen, others, _all_there(needs, candidate)))
    where = iter(candidate.places)
    for demand in groups.demands_of(needs):
        own = needs.of(group := next(one for one in needs.kinds if one.name == demand.group))
        sizes = {name: math.ceil(settled.get(groups.size_name(group.name, name), own.whole(name))) for name in SIZES}
        for place, address in zip(islice(where, demand.count), islice(fixed, demand.count), strict=True):
            machine = Machine(
                **place.model_dump(),
                name=next(called),
                group=group.name,
                vm_id=next(ids),
                disk_gib=max(sizes["disk_gib"], _disk_least(found.get(place.template_vm_id))),
                data_disks=disks.attach(demand.data_disks, place.disk_interface, _drives(found.get(place.template_vm_id))),
                cpu_count=sizes["cpu_count"],
                cpu_type=cpu_type,
                memory_mib=sizes["memory_mib"],
                bridge=network.bridge,
                vlan_tag=network.vlan_tag,
                address=address,
                gateway=(addresses.gateway_of(needs, network) or None) if address not in ("", addresses.DHCP) else None,
                address6=(address6 := next(fixed6)),
                gateway6=(addresses.gateway6_of(needs, network) or None) if address6 else None,
                cards=next(cards),
                user_name=needs.text("cloud_init_user") or site.user_name,
                public_keys=needs.strings("public_keys"),
                dns_servers=needs.strings("dns_servers") or network.dns_servers or site.dns_servers,
                domain=needs.text("domain") or network.domain or None,
                tags=tags_of(needs, group.called),
                on_boot=needs.yes("start_on_boot") or needs.field("start_on_boot") is None,
                start_order=needs.whole("start_order") or None,
                high_availability=demand.high_availability,
                pool=site.pool or None,
                description=description_of(needs),
            )
            made.append(machine)
    return tuple(made)


def _addresses(needs: Needs, network: Network, candidate: Candidate, others: Mapping[str, str]) -> tuple[str, ...]:
    """One for each machine. Those that exist keep theirs, unless others were said."""
    there = _all_there(needs, candidate)
    fixed = addresses.allot(needs, network, others, needs.machine_count if needs.strings("address") else there.count(False))
    assert not isinstance(fixed, str), "an offer with candidates has found addresses"
    if needs.strings("address"):
        return fixed
    fresh = iter(fixed)
    return tuple(addresses.DHCP if one else next(fresh) for one in there)


def _all_there(needs: Needs, candidate: Candidate) -> tuple[bool, ...]:
    return tuple(there for demand in groups.demands_of(needs) for there in _there(demand, candidate))


def _there(demand: Demand, candidate: Candidate) -> list[bool]:
    """Of each machine of a group, whether it exists and keeps its address."""
    kept = min(demand.count, int(dict(candidate.choice).get(KEPT + demand.group, 0)))
    return [True] * kept + [False] * (demand.count - kept)


def _drives(template: Template | None) -> tuple[str, ...]:
    return template.drives if template else ()


def _disk_least(template: Template | None) -> int:
    """A machine that exists outlives its template."""
    return template.disk_gib if template else 0


def tags_of(needs: Needs, called: str = "") -> tuple[str, ...]:
    """Sorted and in small letters, as Proxmox VE keeps them, so that a second plan finds nothing to change."""
    until = f"until-{needs.text('until')}" if needs.text("until") else ""
    said = (needs.text("environment").lower(), called, needs.text("role"), until, *needs.strings("tags"))
    return tuple(sorted({"berth", needs.capability.lower(), *filter(None, said)}))


def description_of(needs: Needs) -> str | None:
    """What is to be known of a machine by whoever looks at it in Proxmox VE: dates, and what was asked for and is not done."""
    until, needed_by = needs.text("until"), needs.text("needed_by")
    told = [needs.text("vm_notes"), f"Needed by {needed_by}." if needed_by else "", f"Needed until {until}." if until else ""]
    told += [f"Not done: {one}." for one in needs.not_included]
    return "\n".join(filter(None, told)) or None


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


def names_of(needs: Needs, snapshot: ClusterSnapshot, site: Site, reserved: Reserved) -> tuple[str, ...]:
    """In the order of the machines."""
    if needs.field("name"):
        return said_names(needs, needs.text("name"))
    workload, taken = needs.text("workload") or "vm", TakenNames(snapshot, reserved)
    return tuple(
        name
        for group in needs.kinds
        for name in naming.names(f"{workload}-{group.called}" if group.called else workload, needs.of(group).whole("count", 1), taken, site)
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


def base_variables(machines: Iterable[AnyMachine]) -> dict[str, Json]:
    """Of the role `base`, which every machine gets. The operator's account and keys are made by cloud-init already."""
    mounted = {(m.group, disk.serial, disk.folder): None for m in machines for disk in m.data_disks if disk.folder}
    disks = [{"group": group, "serial": serial, "folder": folder} for group, serial, folder in mounted]
    return {"base_timezone": "Etc/UTC", "base_packages": [], "base_users": []} | ({"base_disks": disks} if disks else {})


def recount(needs: Needs, candidate: Candidate, situation: Situation) -> Candidate:
    """The candidate's places with the numbers that were settled, beside the parts that were picked."""
    room = room_of(situation, needs.text("environment"), highly_available=needs.yes("high_availability"))
    return groups.recount(needs, candidate, room)


def part_of(needs: Needs, offered: PartOffer, pick: Pick, situation: Situation) -> Part:
    """The part with its machines, for a capability to add what runs on them. Raises as `machines` does."""
    made = machines(needs, offered, pick, situation)
    candidate: Candidate = candidate_of(offered, pick)
    needs = as_settled(needs, offered, pick)
    seen = situation.cluster
    on = networks.find(seen, wish_of(needs))
    assert isinstance(on, Network), "an offer with candidates has found the network"
    template = next((t for t in seen.templates if made and t.vm_id == made[0].template_vm_id), None)
    binding = candidate.reasons[0] if candidate.reasons else ""
    why = {group.name: f"{binding} {sizes_because(needs.of(group))}".strip() for group in needs.kinds}
    others = addresses.taken(seen, situation.reserved) | {m.address_alone: m.name for m in made if m.address_alone}
    kept = {name: str(value) for name, value in candidate.choice if name in needs.virtual_addresses}
    virtual = addresses.allot_virtual(needs, on, others, kept)
    assert not isinstance(virtual, Exclusion), "an offer with candidates has found addresses"
    return Part(
        label=needs.label,
        capability=needs.capability,
        platform=needs.platform,
        needs=needs,
        candidate=candidate.id,
        because=" ".join(filter(None, [pick.because, *candidate.reasons])),
        module=MODULE,
        machines=made,
        resources=tuple(
            Resource(
                name=m.name,
                kind="virtual machine",
                where=where_of(m, on.name),
                size=size_of(m),
                because=why[m.group],
            )
            for m in made
        ),
        rests_on=resting_on(made, seen),
        rights=rights_of(made, seen),
        variables=affinity.variables_of(needs, made, seen),
        virtual_addresses=virtual,
        secrets=(SSH_KEY,),
        facts=(
            ("environment", needs.text("environment")),
            ("network", on.name),
            ("subnet", on.subnet or addresses.subnet_of(made[0].address or made[0].address6 or "")),
            ("template", template.name if template else ""),
            ("os", template.os if template else ""),
        ),
    )
