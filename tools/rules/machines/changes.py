"""Offers a change of machines that exist: they stay where they are, so only what they grow by has to fit.

What of them is kept when the change is composed is in `keeping`. Fewer machines are the first ones of those there were.
"""

from __future__ import annotations

from tools.rules.machines import addresses, disks, networks, placement
from tools.rules.machines.capacity import Room, Taking, cpu_sum, memory_sum, room_of, storage_sum
from tools.rules.machines.choices import STAY, demand_of, ranges_of
from tools.rules.machines.counter import MEMORY_STEP_MIB, largest
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
    demand = demand_of(needs)
    kept = old.machines[: demand.count]
    nowhere = networks.find(seen, demand.wish)
    owned = frozenset(m.vm_id for m in old.machines)
    clash = (
        (Exclusion(subject=f"network {demand.wish.name}", reason=nowhere),)
        if isinstance(nowhere, str)
        else addresses.clashes(needs, seen, situation.reserved, owned)
    )
    if clash:
        return PartOffer(label=needs.label, candidates=(), exclusions=clash)
    room = room_of(situation, needs.text("environment"), without=old.machines)
    sums = sums_after(kept, demand, room)
    lost = disks.lost(kept, demand.data_disks_gib)
    broken = [one for one in sums if not one.holds]
    ranges = ranges_of(needs)
    summary = placement.summary(room)
    if lost:
        return PartOffer(label=needs.label, candidates=(), exclusions=lost, ranges=ranges, summary=summary)
    if broken:
        exclusions = tuple(Exclusion(subject=one.subject, reason=f"too little room to grow in place: {one.spelt}") for one in broken)
        counter = _counter_offer(kept, demand, room)
        return PartOffer(
            label=needs.label,
            candidates=(),
            exclusions=exclusions,
            ranges=ranges,
            summary=summary,
            counter_offer=counter,
        )
    added = _added(demand, kept, seen, room.after(_takings(kept, demand, seen)))
    if added is None:
        reason = f"there is no room for {demand.count - len(kept)} more of them"
        exclusion = Exclusion(subject=f"{demand.count} machines", reason=reason)
        return PartOffer(label=needs.label, candidates=(), exclusions=(exclusion,), ranges=ranges, summary=summary)
    tightest = max(sums, key=lambda one: one.fullness, default=None)
    candidate = Candidate(
        id=STAY,
        title="the machines stay where they are" + (f", {len(added)} more beside them" if added else ""),
        score=round(max(0.0, 1 - tightest.fullness), 3) if tightest else 0.0,
        reasons=("What exists stays in its place; only what it grows by is new.",)
        + ((f"At the tightest: {tightest.spelt}.",) if tightest else ()),
        binding=tightest.subject if tightest else "",
        sums=sums,
        places=(*(m.placement for m in kept), *added),
    )
    return PartOffer(label=needs.label, candidates=(candidate,), ranges=ranges, summary=summary)


def sums_after(kept: tuple[Machine, ...], demand: Demand, room: Room) -> tuple[Sum, ...]:
    """Of every node and storage of the kept machines, with their new sizes."""
    seen = room.snapshot
    after = room.after(_takings(kept, demand, seen))
    sums: dict[str, Sum] = {}
    for m in kept:
        node = seen.node(m.node)
        storage = next((s for s in seen.storages if (s.name, s.node) == (m.storage, m.node)), None)
        found = [
            *((memory_sum(after, node), cpu_sum(after, node)) if node else ()),
            *((storage_sum(after, storage),) if storage else ()),
        ]
        sums |= {one.subject: one for one in found}
    return tuple(sums.values())


def _takings(kept: tuple[Machine, ...], demand: Demand, seen: ClusterSnapshot) -> list[Taking]:
    guests = {g.vm_id: g for g in seen.guests}
    sizes = {"cpu_count": demand.cpu_count, "memory_mib": demand.memory_mib, "disk_gib": demand.disk_gib}

    def changed(m: Machine) -> Machine:
        attached = disks.attach(demand.data_disks_gib, m.disk_interface, ())
        return m.model_copy(update=sizes | {"data_disks": disks.keep(m.data_disks, attached)})

    return [Taking.of(changed(m), guests.get(m.vm_id)) for m in kept]


def _added(demand: Demand, kept: tuple[Machine, ...], seen: ClusterSnapshot, room: Room) -> tuple[Placement, ...] | None:
    """Places for the machines that are not there yet, on nodes that none of the kept ones is on as far as that goes; None when they do not
    fit."""
    more = demand.count - len(kept)
    if more <= 0:
        return ()
    wanted = Demand(**{**vars(demand), "count": more})
    found, _ = places(wanted, seen)
    taken = {machine.node for machine in kept}
    free = tuple(place for place in found if place.node.name not in taken)
    for choice in (free, found):
        ranked, _ = placement.candidates(wanted, choice, room) if choice else ((), ())
        if ranked:
            return ranked[0].places
    return None


def _counter_offer(kept: tuple[Machine, ...], demand: Demand, room: Room) -> str:
    """Less of one thing with which they would fit, the smallest loss of those there are."""

    def most(name: str, step: int) -> tuple[float, str, int]:
        asked: int = getattr(demand, name)

        def good(value: int) -> bool:
            return all(one.holds for one in sums_after(kept, Demand(**{**vars(demand), name: value}), room))

        found = largest(asked - 1, step, step, good)
        return (found / asked, name, found)

    share, name, value = max(most("memory_mib", MEMORY_STEP_MIB), most("cpu_count", 1), most("disk_gib", 1))
    spelt = {
        "memory_mib": f"{spell_memory(value)} of memory instead of {spell_memory(demand.memory_mib)}",
        "cpu_count": f"{value} vCPU instead of {demand.cpu_count}",
        "disk_gib": f"a disk of {value} GiB instead of {demand.disk_gib} GiB",
    }
    return f"It would fit with {spelt[name]}." if share > 0 else ""
