"""From needs to an offer and from a pick to machines with no choice left, as every capability that makes machines does it.

Checking the result is in tools.rules.machines.review; what runs on the machines belongs to the capabilities.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from tools.rules.machines import placement, places
from tools.rules.machines.capacity import Room
from tools.rules.machines.counter import counter_offer
from tools.rules.machines.machines import (
    MODULE,
    Machine,
    built_on,
    cluster,
    environment_of,
    number,
    size_of,
    strings,
    text,
    variables_of,
)
from tools.rules.machines.places import Demand
from tools.rules.names import naming
from tools.values.manifest import Command, Configure, Part, Resource, Secret
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick, Range
from tools.values.requirements import Needs, Origin
from tools.values.site import Reserved, Site
from tools.values.snapshot import ClusterSnapshot, Snapshot, Template
from tools.values.trouble import RequestProblem
from tools.values.value import Json

SIZES = ("cpu_count", "memory_mib", "disk_gib")
SSH_KEY = Secret(name="ssh_key", kind="ssh_key")


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
    found, shut = places.places(demand, seen)
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
        if isinstance(f.value, int | float) and f.low < f.high
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
    network = places.network_of(seen, text(needs, "network"))
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
            disk_interface=place.get("disk_interface") or found[place["template_vm_id"]].disk_interface,
            disk_gib=max(sizes["disk_gib"], _disk_least(found.get(place["template_vm_id"]))),
            cpu_count=sizes["cpu_count"],
            memory_mib=sizes["memory_mib"],
            bridge=network.bridge,
            vlan_tag=network.vlan_tag,
            user_name=site.user_name,
            public_keys=strings(needs, "public_keys"),
            dns_servers=site.dns_servers,
            tags=tags_of(needs),
            pool=site.pool or None,
        )
        for name, vm_id, place in zip(called, ids, chosen, strict=True)
    )


def _disk_least(template: Template | None) -> int:
    """A machine that exists outlives its template."""
    return template.disk_gib if template else 0


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


def facts_of(made: tuple[Machine, ...], needs: Needs, snapshot: Snapshot) -> dict[str, Json]:
    """For the guide and for checks: what the machines were made from."""
    seen = cluster(snapshot)
    network = places.network_of(seen, text(needs, "network"))
    template = next((t for t in seen.templates if made and t.vm_id == made[0].template_vm_id), None)
    return {
        "environment": text(needs, "environment"),
        "network": text(needs, "network"),
        "subnet": network.subnet if network else "",
        "template": template.name if template else "",
        "os": template.os if template else "",
        "owned_vm_ids": [],
        "built_on": built_on(made, seen),
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
