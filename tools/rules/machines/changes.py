"""Offers a change of machines that exist: they stay where they are, so only what they grow by has to fit.

What of them is kept when the change is composed is in `keeping`. Fewer machines are the first ones of those there were, in each group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from tools.rules.machines import addresses, disks, networks, placement
from tools.rules.machines.capacity import Room, Taking, cpu_sum, memory_sum, room_of, storage_sum
from tools.rules.machines.choices import KEPT, STAY
from tools.rules.machines.counter import MEMORY_STEP_MIB, largest
from tools.rules.machines.groups import demands_of, ranges_of
from tools.rules.machines.places import Demand, places
from tools.rules.names.text import spell_memory
from tools.values.machine import Machine, Placement
from tools.values.manifest import Part
from tools.values.offer import Candidate, Exclusion, PartOffer, Sum
from tools.values.requirements import Needs
from tools.values.situation import Situation
from tools.values.snapshot import ClusterSnapshot


def stay(old: Part, needs: Needs, situation: Situation) -> PartOffer:
    """One candidate: the machines of `old` in their places with the new sizes, and places for those that are added."""
    seen = situation.cluster
    staying = [Staying(demand, old.of_group(demand.group)[: demand.count]) for demand in demands_of(needs)]
    kept = tuple(machine for one in staying for machine in one.kept)
    network = networks.find(seen, networks.wish_of(needs))
    owned = frozenset(m.vm_id for m in old.machines)
    clash = (
        (Exclusion(subject=f"network {networks.wish_of(needs).name}", reason=network),)
        if isinstance(network, str)
        else addresses.clashes(needs, seen, situation.reserved, owned)
    )
    if clash or isinstance(network, str):
        return PartOffer(label=needs.label, candidates=(), exclusions=clash)
    room = room_of(situation, needs.text("environment"), without=old.machines)
    sums = sums_after(staying, room)
    lost = tuple(one for each in staying for one in disks.lost(each.kept, each.demand.data_disks))
    broken = [one for one in sums if not one.holds]
    ranges = ranges_of(needs)
    summary = placement.summary(room)
    if barred := (*_away(kept, seen), *_elsewhere(old, staying, needs), *lost, *_all_at_once(old, staying, needs)):
        return PartOffer(label=needs.label, candidates=(), exclusions=barred, ranges=ranges, summary=summary)
    if broken:
        exclusions = tuple(Exclusion(subject=one.subject, reason=f"too little room to grow in place: {one.spelt}") for one in broken)
        counter = _counter_offer(staying, room)
        return PartOffer(
            label=needs.label,
            candidates=(),
            exclusions=exclusions,
            ranges=ranges,
            summary=summary,
            counter_offer=counter,
        )
    after, added = room.after(_takings(staying, seen)), dict[str, tuple[Placement, ...]]()
    for one in staying:
        more = _added(one, seen, after)
        if more is None:
            return PartOffer(label=needs.label, candidates=(), exclusions=(_no_room_for_more(one),), ranges=ranges, summary=summary)
        added[one.demand.group] = more.places
        after = after.after(more.takings)
    new = sum(map(len, added.values()))
    tightest = max(sums, key=lambda one: one.fullness, default=None)
    same = all((m.bridge, m.vlan_tag) == (network.bridge, network.vlan_tag) for m in kept)
    candidate = Candidate(
        id=STAY,
        title="the machines stay where they are" + (f", {new} more beside them" if new else ""),
        score=round(max(0.0, 1 - tightest.fullness), 3) if tightest else 0.0,
        reasons=("What exists stays in its place; only what it grows by is new.",)
        + ((f"At the tightest: {tightest.spelt}.",) if tightest else ()),
        binding=tightest.subject if tightest else "",
        sums=sums,
        places=tuple(place for one in staying for place in (*(m.placement for m in one.kept), *added[one.demand.group])),
        choice=(*((KEPT + one.demand.group, len(one.kept)) for one in staying), *old.virtual_addresses) if same else (),
    )
    return PartOffer(label=needs.label, candidates=(candidate,), ranges=ranges, summary=summary)


@dataclass(frozen=True)
class Staying:
    """A group, as it is to be, and its machines that exist and are to stay."""

    demand: Demand
    kept: tuple[Machine, ...]

    @property
    def more(self) -> int:
        return self.demand.count - len(self.kept)


class Added(NamedTuple):
    places: tuple[Placement, ...]
    takings: tuple[Taking, ...]


def _no_room_for_more(one: Staying) -> Exclusion:
    reason = f"there is no room for {one.more} more of them"
    if one.demand.one_a_node:
        reason += ", each on a node that none of the others is on"
    return Exclusion(subject=f"{one.demand.count} {one.demand.group or 'machines'}", reason=reason)


def _away(kept: tuple[Machine, ...], seen: ClusterSnapshot) -> tuple[Exclusion, ...]:
    """Nodes of theirs that do not answer: what they have is not known, and nothing can be changed on them."""
    names = dict.fromkeys(m.node for m in kept)
    found = (node for node in seen.nodes if node.name in names and not node.online)
    return tuple(Exclusion(subject=node.name, reason="it is not online. Ask again when it is") for node in found)


def _all_at_once(old: Part, staying: Sequence[Staying], needs: Needs) -> Iterator[Exclusion]:
    """What keeps a quorum: other sizes start a machine again, and Terraform changes and removes machines side by side."""
    quorum = {group.name: group.called or "machine" for group in needs.kinds if group.quorum}
    for one in (one for one in staying if one.demand.group in quorum):
        sizes, before = (one.demand.cpu_count, one.demand.memory_mib), len(old.of_group(one.demand.group))
        if before > len(one.kept):
            yield Exclusion(
                subject=f"fewer {quorum[one.demand.group]}s",
                reason=f"going from {before} to {len(one.kept)} takes {before - len(one.kept)} of them away at once, and what they keep "
                "needs a majority of them. Make a new one of that size, and move what is in it",
            )
        if len(one.kept) > 1 and any((m.cpu_count, m.memory_mib) != sizes for m in one.kept):
            yield Exclusion(
                subject=f"other sizes of its {quorum[one.demand.group]}s",
                reason=f"all {len(one.kept)} would start again at once, and most of them must run at any time. "
                "Ask for another one of that size, and move what is in it",
            )


def sums_after(staying: Sequence[Staying], room: Room) -> tuple[Sum, ...]:
    """Of every node and storage of the kept machines, with their new sizes."""
    seen = room.snapshot
    after = room.after(_takings(staying, seen))
    sums: dict[str, Sum] = {}
    for m in (machine for one in staying for machine in one.kept):
        node = seen.node(m.node)
        stores = [s for s in seen.storages if s.node == m.node and s.name in m.storages]
        found = [
            *((memory_sum(after, node), cpu_sum(after, node)) if node else ()),
            *(storage_sum(after, storage) for storage in stores),
        ]
        sums |= {one.subject: one for one in found}
    return tuple(sums.values())


def _elsewhere(old: Part, staying: Sequence[Staying], needs: Needs) -> Iterator[Exclusion]:
    """A storage or node that was not asked for before, and not for a new machine. One that the cluster moved is where it should be."""
    for fact, where, move in (("storage", "its disk is on", "moves no disks"), ("node", "it is on", "moves no machines")):
        said = needs.text(fact)
        if said.lower() == old.needs.text(fact).lower():
            continue
        for machine in (m for one in staying if one.demand.count == len(one.kept) for m in one.kept):
            there = getattr(machine, fact)
            if said and said.lower() != there.lower():
                by_hand = f"`qm migrate {machine.vm_id} {said} --online` on that node does; or say" if fact == "node" else "Say"
                reason = f"{where} {there}, and a plan {move}. {by_hand} `{fact} {there}`"
                yield Exclusion(subject=machine.name, reason=reason)


def _takings(staying: Sequence[Staying], seen: ClusterSnapshot) -> list[Taking]:
    guests = {g.vm_id: g for g in seen.guests}

    def changed(m: Machine, demand: Demand) -> Machine:
        sizes = {"cpu_count": demand.cpu_count, "memory_mib": demand.memory_mib, "disk_gib": demand.disk_gib}
        attached = disks.attach(demand.data_disks, m.disk_interface, ())
        return m.model_copy(update=sizes | {"data_disks": disks.keep(m.data_disks, attached)})

    return [Taking.of(changed(m, one.demand), guests.get(m.vm_id)) for one in staying for m in one.kept]


def _added(one: Staying, seen: ClusterSnapshot, room: Room) -> Added | None:
    """Places for the machines that are not there yet, on nodes that none of the kept ones is on as far as that goes; None when they do not
    fit."""
    if one.more <= 0:
        return Added((), ())
    wanted = replace(one.demand, count=one.more)
    found, _ = places(wanted, seen)
    taken = {machine.node for machine in one.kept}
    free = tuple(place for place in found if place.node.name not in taken)
    for choice in (free,) if wanted.one_a_node else (free, found):
        ranked, _ = placement.candidates(wanted, choice, room) if choice else ((), ())
        if ranked:
            placed = {place.placement: place for place in choice}
            return Added(ranked[0].places, tuple(placed[at].taking(wanted) for at in ranked[0].places))
    return None


def _counter_offer(staying: Sequence[Staying], room: Room) -> str:
    """Less of one thing with which they would fit, the smallest loss of those there are."""

    def most(at: Staying, name: str, step: int) -> tuple[float, str, int, Demand]:
        asked: int = getattr(at.demand, name)

        def good(value: int) -> bool:
            less = Staying(Demand(**{**vars(at.demand), name: value}), at.kept)
            return all(one.holds for one in sums_after([less if one is at else one for one in staying], room))

        found = largest(asked - 1, step, step, good)
        return (found / asked, name, found, at.demand)

    steps = (("memory_mib", MEMORY_STEP_MIB), ("cpu_count", 1), ("disk_gib", 1))
    share, name, value, demand = max((most(at, *step) for at in staying if at.kept for step in steps), key=lambda one: one[:3])
    spelt = {
        "memory_mib": f"{spell_memory(value)} of memory instead of {spell_memory(demand.memory_mib)}",
        "cpu_count": f"{value} vCPU instead of {demand.cpu_count}",
        "disk_gib": f"a disk of {value} GiB instead of {demand.disk_gib} GiB",
    }
    whose = f" for the {demand.group.replace('_', ' ')}" if demand.group else ""
    return f"It would fit with {spelt[name]}{whose}." if share > 0 else ""
