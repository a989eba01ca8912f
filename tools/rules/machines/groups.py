"""Machines of several groups: what is asked of each, and places for all of them together, in which each counts for the next. One group that
stands for all machines is one of them; how alike machines are placed is decided in tools.rules.machines.placement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from tools.rules.machines import placement
from tools.rules.machines.capacity import Room
from tools.rules.machines.counter import Trial, counter_offer
from tools.rules.machines.disks import asked_of
from tools.rules.machines.ground import NODES_SMALL_MAX
from tools.rules.machines.losing import losses
from tools.rules.machines.networks import further_wishes, wish_of
from tools.rules.machines.placement import CANDIDATES_MAX, Rank, assign, candidate, candidates, fill, ways
from tools.rules.machines.places import Demand, Place, places
from tools.rules.machines.shrinking import shrink, shrunk
from tools.values.manifest import Part
from tools.values.offer import Candidate, Exclusion, Range
from tools.values.requirements import Group, Needs, Origin

SIZES = ("cpu_count", "memory_mib", "disk_gib")


Others = Mapping[str, Sequence[str]]
"""Of items that have places, by label: the nodes of their machines."""


def demand_of(needs: Needs, group: Group, others: Others = MappingProxyType({})) -> Demand:
    """Of one group of them."""
    own = needs.of(group)
    disk, production = own.field("disk_gib"), own.text("environment") == "production"
    return Demand(
        count=own.whole("count", 1),
        cpu_count=own.whole("cpu_count"),
        memory_mib=own.whole("memory_mib"),
        disk_gib=own.whole("disk_gib"),
        wish=wish_of(own),
        further=further_wishes(own),
        high_availability=own.yes("high_availability"),
        data_disks=asked_of(own),
        os=own.text("os") or "debian",
        node=own.text("node"),
        storage=own.text("storage"),
        prefer_shared=production,
        apart=production,
        disk_said=disk is not None and disk.origin is Origin.SAID,
        one_a_node=group.one_a_node,
        together=group.together,
        near=tuple((label, tuple(others[label])) for label in needs.near if label in others),
        away=tuple((label, tuple(others[label])) for label in needs.away if label in others),
        group=group.name,
    )


def demands_of(needs: Needs, others: Others = MappingProxyType({})) -> tuple[Demand, ...]:
    """In the order of the machines. Groups that are to have no machine are left out."""
    return tuple(demand for group in needs.kinds if (demand := demand_of(needs, group, others)).count)


def nodes_of(parts: Iterable[Part]) -> dict[str, tuple[str, ...]]:
    """By label."""
    return {part.label: tuple(dict.fromkeys(m.node for m in part.machines)) for part in parts if part.machines}


def ranges_of(needs: Needs) -> tuple[Range, ...]:
    """Sizes that nobody asked for may be settled within the range that was stated with them."""
    return tuple(named(one, group.name) for group in needs.kinds for one in _ranges_of(needs.of(group)))


def _ranges_of(needs: Needs) -> tuple[Range, ...]:
    return tuple(
        Range(name=f.name, low=f.low, high=f.high, default=float(f.value), unit=f.unit, source=f.source, because=f.because)
        for f in needs.fields
        if f.name in SIZES and f.origin is not Origin.SAID and f.low is not None and f.high is not None
        if isinstance(f.value, int | float) and f.low < f.high
    )


def named(one: Range, group: str) -> Range:
    """As an offer of several groups calls it: `workers_memory_mib`."""
    return one.model_copy(update={"name": size_name(group, one.name)}) if group else one


def size_name(group: str, name: str) -> str:
    return f"{group}_{name}" if group else name


@dataclass(frozen=True)
class Placed:
    """What came of looking for places."""

    candidates: tuple[Candidate, ...]
    exclusions: tuple[Exclusion, ...]
    ranges: tuple[Range, ...]
    counter_offer: str = ""


def place_all(needs: Needs, room: Room, others: Others = MappingProxyType({})) -> Placed:
    """Places for all machines; sizes that nobody asked for become smaller within their range where nothing fits otherwise."""
    demands = demands_of(needs, others)
    ranges = {group.name: _ranges_of(needs.of(group)) for group in needs.kinds}
    crowd: list[tuple[Demand, tuple[Place, ...]]] = []
    shut: dict[Exclusion, None] = {}
    for demand in demands:
        found, barred = places(demand, room.snapshot)
        crowd.append((demand, found))
        shut |= dict.fromkeys(barred)
    ranked, full = rank(crowd, room)
    if not ranked and all(found for _, found in crowd) and (smaller := _shrink(crowd, ranges, room)) is not None:
        for demand in smaller:
            ranges[demand.group] = shrunk(ranges[demand.group], demand)
        ranked, full = rank([(demand, places(demand, room.snapshot)[0]) for demand in smaller], room)
    return Placed(
        candidates=ranked,
        exclusions=(*shut, *full),
        ranges=tuple(named(one, group.name) for group in needs.kinds for one in ranges[group.name]),
        counter_offer="" if ranked else _counter_offer(crowd, room),
    )


def rank(crowd: Sequence[tuple[Demand, tuple[Place, ...]]], room: Room) -> tuple[tuple[Candidate, ...], tuple[Exclusion, ...]]:
    """The best few for all groups, each with the places it could go to, or why there are none. The places of a candidate stand in the
    order of the groups."""
    if len(crowd) == 1:
        return candidates(*crowd[0], room)
    large = len(room.snapshot.nodes) > NODES_SMALL_MAX
    names = sorted({place.storage.name for _, found in crowd for place in found})
    made: dict[tuple[str, ...], Candidate] = {}
    before = () if large else losses(room)
    for suffix, names_taken in {"": names, **{f"/{name}": [name] for name in names}}.items():
        pool = [(demand, tuple(p for p in found if p.storage.name in names_taken)) for demand, found in crowd]
        for how, order in ways(large).items():
            pairs, badness = _place(pool, room, order)
            key = tuple(sorted(f"{demand.group} {place.id}" for demand, place in pairs))
            if pairs and key not in made:
                nodes = len({place.node.name for _, place in pairs})
                score = (nodes - 1 + max(0.0, 1 - badness)) / len(pairs)
                made[key] = candidate(f"{how}{suffix}", pairs, room, score, "", before)
    ranked = sorted(made.values(), key=lambda one: (-one.score, len({place.storage for place in one.places}), one.id))
    return tuple(ranked[:CANDIDATES_MAX]), () if ranked else _full(crowd, room)


def recount(needs: Needs, was: Candidate, room: Room) -> Candidate:
    """The same places for other sizes, or in another room; as it was where one of them is no place for that any more."""
    crowd = [(demand, places(demand, room.snapshot)[0]) for demand in demands_of(needs)]
    if len(crowd) == 1:
        return placement.recount(was, *crowd[0], room)
    pairs: list[tuple[Demand, Place]] = []
    for demand, found in crowd:
        there = {place.placement: place for place in found}
        mine = was.places[len(pairs) : len(pairs) + demand.count]
        if any(one not in there for one in mine):
            return was
        pairs += [(demand, there[one]) for one in mine]
    before = losses(room) if len(room.snapshot.nodes) <= NODES_SMALL_MAX else ()
    return candidate(was.id, pairs, room, was.score, "", before)


def _place(crowd: Sequence[tuple[Demand, tuple[Place, ...]]], room: Room, order: Rank) -> tuple[list[tuple[Demand, Place]], float]:
    """(group and place of each machine, how bad these are on average); nothing when they do not all fit."""
    assigned: dict[str, tuple[Place, ...]] = {}
    total = 0.0
    for demand, found in sorted(crowd, key=_hardest):
        chosen, badness = assign(demand, found, room, order)
        chosen = chosen or fill(demand, found, room)
        if not chosen:
            return [], 0.0
        assigned[demand.group] = chosen
        total += badness * len(chosen)
        room = room.after(place.taking(demand) for place in chosen)
    pairs = [(demand, place) for demand, _ in crowd for place in assigned[demand.group]]
    return pairs, total / max(1, len(pairs))


def _hardest(one: tuple[Demand, tuple[Place, ...]]) -> tuple[bool, int, int]:
    """As a key: what is hardest to place goes first."""
    demand = one[0]
    return (not demand.one_a_node, -demand.memory_mib, -demand.cpu_count)


def _full(crowd: Sequence[tuple[Demand, tuple[Place, ...]]], room: Room) -> tuple[Exclusion, ...]:
    """Why the first group that finds no places beside the others finds none."""
    for demand, found in sorted(crowd, key=_hardest):
        chosen = fill(demand, found, room)
        if not chosen:
            return candidates(demand, found, room)[1]
        room = room.after(place.taking(demand) for place in chosen)
    return ()


def _shrink(
    crowd: Sequence[tuple[Demand, tuple[Place, ...]]], ranges: dict[str, tuple[Range, ...]], room: Room
) -> tuple[Demand, ...] | None:
    """Group by group, each beside those before it; those that nothing can be taken from come first. None: nothing fits."""
    smaller: dict[str, Demand] = {}
    for demand, found in sorted(crowd, key=lambda one: (bool(ranges[one[0].group]), *_hardest(one))):
        fitting = demand if fill(demand, found, room) else shrink(demand, ranges[demand.group], Trial(room).fits)
        if fitting is None:
            return None
        smaller[demand.group] = fitting
        at = fill(fitting, places(fitting, room.snapshot)[0], room)
        room = room.after(place.taking(fitting) for place in at)
    return tuple(smaller[demand.group] for demand, _ in crowd)


def _counter_offer(crowd: Sequence[tuple[Demand, tuple[Place, ...]]], room: Room) -> str:
    """What would fit of one group, beside all others as they were asked for."""
    if len(crowd) == 1 or not all(found for _, found in crowd):
        return counter_offer(crowd[0][0], room)
    for demand, _ in crowd:
        beside: Room | None = room
        for other, found in sorted(crowd, key=_hardest):
            if other.group == demand.group or beside is None:
                continue
            at = fill(other, found, beside)
            beside = beside.after(place.taking(other) for place in at) if at else None
        if beside is not None and (told := counter_offer(demand, beside)):
            return f"Of the {demand.group.replace('_', ' ')}: {told[0].lower()}{told[1:]}"
    return ""
