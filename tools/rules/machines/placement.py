"""Where machines may go, ranked: one machine by node and storage, several as whole assignments in which each counts for the next.

Nodes are compared with nodes and storages with storages, so what is alike for all places decides nothing. What a place is worth is in
tools.rules.machines.ground, what would fit when nothing does in tools.rules.machines.counter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from heapq import nsmallest

from tools.rules.machines.capacity import Room, cpu_sum, memory_sum, memory_taken, storage_sum
from tools.rules.machines.ground import STORAGE_WEIGHT, Ground
from tools.rules.machines.losing import Loss, Mover, losses, newly_homeless
from tools.rules.machines.places import Demand, Place, listed
from tools.rules.names.text import spell_memory, spell_of
from tools.values.offer import Candidate, Exclusion, Sum

CANDIDATES_MAX = 5
EXCLUSIONS_MAX = 8
SHARED_BONUS = 0.1
"""For production on shared storage: the disks are there when a node is lost."""

Rank = Callable[[Ground, int, float], tuple[float, ...]]
"""Of a place, by number, with what it is worth; smallest first."""


def apart(ground: Ground, p: int, badness: float) -> tuple[float, ...]:
    """Where the fewest of these machines are, then the best place."""
    there = sum(1 for t in ground.room.taken if t.node == ground.places[p].node.name)
    return (there, badness)


def pack(ground: Ground, p: int, badness: float) -> tuple[float, ...]:
    """Where least room is left, so that large gaps stay for large machines."""
    return (-ground.fullness(ground.node_of(p)), badness)


def fit(ground: Ground, p: int, badness: float) -> tuple[float, ...]:
    """The best place for one, again and again."""
    return (badness,)


def assign(demand: Demand, found: Iterable[Place], room: Room, rank: Rank) -> tuple[tuple[Place, ...], float]:
    """A place for each machine, one after the other, and how bad these are on average; none when they do not all fit."""
    if demand.together:
        return _assign_together(demand, found, room, rank)
    ground = Ground(demand, found, room)
    assigned: list[Place] = []
    total = 0.0
    for _ in range(demand.count):
        worth = _worth(ground)
        ordered = sorted(worth, key=lambda p: (*rank(ground, p, worth[p]), ground.places[p].id))
        best = next((p for p in ordered if _may_take(ground, p, assigned)), None)
        if best is None:
            return (), 0.0
        assigned.append(ground.places[best])
        total += worth[best]
        ground.take(best)
    return tuple(assigned), total / max(1, demand.count)


def _assign_together(demand: Demand, found: Iterable[Place], room: Room, rank: Rank) -> tuple[tuple[Place, ...], float]:
    """On the node where all of them are best."""
    by_node: dict[str, list[Place]] = {}
    for place in found:
        by_node.setdefault(place.node.name, []).append(place)
    alike = replace(demand, together=False)
    tried = (assign(alike, there, room, rank) for there in by_node.values())
    return min((one for one in tried if one[0]), key=lambda one: (one[1], one[0][0].id), default=((), 0.0))


def _may_take(ground: Ground, p: int, assigned: list[Place]) -> bool:
    """Whether one more may go there, with what is there of them already."""
    crowded = ground.demand.one_a_node and any(one.node.name == ground.places[p].node.name for one in assigned)
    return not crowded and not ground.homeless(ground.node_of(p))


def fill(demand: Demand, found: tuple[Place, ...], room: Room) -> tuple[Place, ...]:
    """Any places for all the machines, found in one pass; empty only when there are none.

    Alike machines leave nothing to be clever about but this: what is local to a node serves that node alone, so it is used first. Where the
    loss of a node must be carried, they are kept apart instead when that is not enough.
    """
    if demand.together:
        return assign(demand, found, room, pack)[0]
    ground = Ground(demand, found, room)
    assigned: list[Place] = []
    for p in sorted(range(len(found)), key=lambda p: (found[p].storage.shared, found[p].id)):
        while len(assigned) < demand.count and ground.short(p) is None and _may_take(ground, p, assigned):
            assigned.append(found[p])
            ground.take(p)
    return tuple(assigned) if len(assigned) == demand.count else assign(demand, found, room, apart)[0]


def candidates(demand: Demand, found: tuple[Place, ...], room: Room) -> tuple[tuple[Candidate, ...], tuple[Exclusion, ...]]:
    """The best few, and which places have no room for a single machine and why."""
    ground = Ground(demand, found, room)
    worth = _worth(ground)
    exclusions = _full(ground, worth)
    kept = {p: badness for p, badness in worth.items() if not ground.homeless(ground.node_of(p))}
    exclusions = (*exclusions, *_unsafe(ground, [p for p in worth if p not in kept]))
    if demand.count == 1:
        ranked = _ranked(ground, kept)
    else:
        ranked = _assignments(ground, tuple(found[p] for p in kept))
        if kept and not ranked:
            exclusions = (*exclusions, _not_all(demand, (found[p] for p in kept)))
    return tuple(ranked), exclusions[:EXCLUSIONS_MAX]


def _not_all(demand: Demand, kept: Iterable[Place]) -> Exclusion:
    nodes = len({place.node.name for place in kept})
    reason = "there is room for one, but not for all of them"
    if demand.one_a_node and nodes < demand.count:
        reason = f"each of them is to be on a node of its own, and {nodes} node{'s have' if nodes > 1 else ' has'} room for one"
    elif demand.together:
        reason = "they are to be on one node, and none has room for all of them"
    return Exclusion(subject=f"{demand.count} {demand.group or 'machines'}", reason=reason)


def recount(was: Candidate, demand: Demand, found: tuple[Place, ...], room: Room) -> Candidate:
    """The same places with other numbers, or in another room; as it was where one of them is no place for that any more."""
    numbers = {place.placement: p for p, place in enumerate(found)}
    at = [numbers[one] for one in was.places if one in numbers]
    if not at or len(at) < len(was.places):
        return was
    ground = Ground(demand, found, room)
    worth = {p: badness for p, badness in _worth(ground).items() if not ground.homeless(ground.node_of(p))}
    alone = len(at) == 1 and at[0] in worth
    because = _because(ground, len({ground.node_of(p) for p in worth}))(ground.node_of(at[0])) if alone else ""
    score = 1 - worth[at[0]] if alone else was.score
    return candidate(was.id, [(demand, found[p]) for p in at], room, score, because, ground.before)


def _worth(ground: Ground) -> dict[int, float]:
    """How bad each place is that fits, by number: its node, and how much of its storage is taken."""
    fitting = ground.fitting()
    nodes = ground.badness([ground.node_of(p) for p in fitting])
    shares = {p: ground.storage_share(p) for p in fitting}
    least = min(shares.values(), default=0.0)
    bonus = SHARED_BONUS if ground.demand.prefer_shared else 0.0
    return {
        p: nodes[ground.node_of(p)] + STORAGE_WEIGHT * (share - least) - (bonus if ground.places[p].storage.shared else 0.0)
        for p, share in shares.items()
    }


def _full(ground: Ground, worth: dict[int, float]) -> tuple[Exclusion, ...]:
    """By what there is too little of, each with the place that comes nearest."""
    short: dict[str, list[tuple[float, int]]] = {}
    for p in range(len(ground.places)):
        if p not in worth and (broken := ground.short(p)) is not None:
            what, fullness = broken
            short.setdefault(what, []).append((fullness, p))
    exclusions = []
    for what, full in short.items():
        nearest = ground.sum_of(min(full)[1], what)
        reason = f"too {'few' if what == 'processors' else 'little'} {what} left: {nearest.spelt}"
        exclusions.append(Exclusion(subject=listed([ground.places[p].id for _, p in full]), reason=reason))
    return tuple(exclusions)


def _unsafe(ground: Ground, places: list[int]) -> tuple[Exclusion, ...]:
    """Where a machine has room, but the loss of a node could not be carried any more."""
    found: dict[str, list[str]] = {}
    for p in places:
        found.setdefault(_without(ground.homeless(ground.node_of(p))), []).append(ground.places[p].id)
    return tuple(Exclusion(subject=listed(ids), reason=reason) for reason, ids in found.items())


def _without(homeless: tuple[tuple[str, Mover], ...]) -> str:
    lost, mover = homeless[0]
    return f"if {lost} were lost, no other node would have {spell_memory(mover.memory_mib)} left for {mover.what}"


def _ranked(ground: Ground, worth: dict[int, float]) -> list[Candidate]:
    best = nsmallest(CANDIDATES_MAX, worth, key=lambda p: (worth[p], ground.places[p].id))
    nodes = {ground.node_of(p) for p in worth}
    because = _because(ground, len(nodes))
    return [
        candidate(
            ground.places[p].id, [(ground.demand, ground.places[p])], ground.room, 1 - worth[p], because(ground.node_of(p)), ground.before
        )
        for p in best
    ]


def _because(ground: Ground, nodes: int) -> Callable[[int], str]:
    """Why that node and no other, by the figure that ranks it."""
    if nodes < 2:
        return lambda i: "No other node would do."
    if ground.small or ground.worst <= 0:
        return lambda i: f"{nodes} nodes would do; this one is {ground.fullness(i):.0%} full afterwards, by memory or processors."
    # Of what ranks a node the first is a share of the worst; what its shape adds is far smaller than one percent of it.
    return lambda i: (
        f"{nodes} nodes would do. It takes {min(1.0, ground.badness([i])[i]):.0%} of the room for machines of the usual sizes that the "
        "worst place would."
    )


def _assignments(ground: Ground, fitting: tuple[Place, ...]) -> list[Candidate]:
    demand, room = ground.demand, ground.room
    names = sorted({p.storage.name for p in fitting})
    pools = {"": fitting} | {f"/{name}": tuple(p for p in fitting if p.storage.name == name) for name in names}
    large = not ground.small
    made: dict[tuple[str, ...], tuple[tuple[float, ...], Candidate]] = {}
    for how, rank in ways(large).items():
        for suffix, pool in pools.items():
            assigned, badness = assign(demand, pool, room, rank)
            key = tuple(sorted(p.id for p in assigned))
            if assigned and key not in made:
                score = _score(assigned, badness, demand, large)
                # Among equals, alike machines lie on one storage.
                order = (-score, len({p.storage.name for p in assigned}))
                made[key] = (order, candidate(f"{how}{suffix}", [(demand, p) for p in assigned], room, score, "", ground.before))
    if not made and (assigned := fill(demand, fitting, room)):
        score = _score(assigned, 1.0, demand, large)
        return [candidate("fill", [(demand, p) for p in assigned], room, score, "", ground.before)]
    return [one for _, one in sorted(made.values(), key=lambda found: (found[0], found[1].id))[:CANDIDATES_MAX]]


def ways(large: bool) -> dict[str, Rank]:
    """How several machines may be laid out, by the name of the candidate."""
    return {"spread": apart, "pack": pack, **({"fit": fit} if large else {})}


def _score(assigned: tuple[Place, ...], badness: float, demand: Demand, large: bool) -> float:
    """On how many nodes they are of those they could be on, then how good the places are. On a large cluster the first counts only where
    they are to be kept apart."""
    good = min(1.0, max(0.0, 1 - badness))
    if large and not demand.apart:
        return good
    nodes = len({place.node.name for place in assigned})
    return round((nodes - 1 + good) / len(assigned), 6)


def candidate(
    id: str, machines: Sequence[tuple[Demand, Place]], room: Room, score: float, because: str, before: tuple[Loss, ...]
) -> Candidate:
    """Of each machine, what it takes and where it goes. All are asked to be on shared storage, and to be highly available, or none is."""
    after = room.after(place.taking(demand) for demand, place in machines)
    demand, assigned = machines[0][0], tuple(place for _, place in machines)
    sums = sums_of(assigned, after)
    tightest = max(sums, key=lambda one: one.fullness)
    shared = demand.prefer_shared and all(place.storage.shared for place in assigned)
    reasons = [
        f"Tightest resource: {tightest.subject}, {spell_of(tightest.total, tightest.limit, tightest.unit)} used after this change "
        f"({1 - tightest.fullness:.0%} free).",
        because,
        f"{len(assigned)} machines on {len({p.node.name for p in assigned})} nodes." if len(assigned) > 1 else "",
        "Highly available: when its node is lost, the cluster starts it on another one." if demand.high_availability else "",
        "On shared storage: its disks outlive its node." if shared and not demand.high_availability else "",
        *_drawbacks(assigned, before, after),
    ]
    return Candidate(
        id=id,
        title=_title(assigned),
        score=round(min(1.0, max(0.0, score)), 3),
        reasons=tuple(filter(None, reasons)),
        binding=tightest.subject,
        sums=sums,
        places=tuple(place.placement for place in assigned),
    )


def _drawbacks(assigned: tuple[Place, ...], before: tuple[Loss, ...], after: Room) -> list[str]:
    copied = sorted({p.template.node for p in assigned if p.template.node != p.node.name})
    homeless = newly_homeless(before, losses(after)) if before else ()
    return [
        f"The template is copied from {listed(copied)}." if copied else "",
        f"But {_without(homeless)}." if homeless else "",
    ]


def sums_of(assigned: Iterable[Place], after: Room) -> tuple[Sum, ...]:
    """Of every node and storage used, each once."""
    sums: dict[str, Sum] = {}
    for place in assigned:
        for one in (memory_sum(after, place.node), cpu_sum(after, place.node), storage_sum(after, place.storage)):
            sums[one.subject] = one
    return tuple(sums.values())


def _title(assigned: tuple[Place, ...]) -> str:
    if len(assigned) == 1:
        return f"{assigned[0].node.name}, {assigned[0].storage.name}, from {assigned[0].template.name}"
    counts: dict[str, int] = {}
    for place in assigned:
        counts[place.id] = counts.get(place.id, 0) + 1
    return ", ".join(f"{count} on {id}" for id, count in sorted(counts.items()))


def summary(room: Room) -> str:
    """The cluster's capacity in two lines, however large it is."""
    online = [n for n in room.snapshot.nodes if n.online]
    sums = ((*memory_taken(room, n), n.name) for n in online)
    left = [(limit - taken, name) for taken, limit, name in sums]
    free_mib = sum(max(0, mib) for mib, _ in left)
    most = max(left, default=None)
    silent = len(room.snapshot.nodes) - len(online)
    text = f"{len(online)} nodes online" + (f", {silent} not" if silent else "")
    text += f"; {free_mib / 1024:.0f} GiB of memory may still be taken in {room.environment.name}"
    return text + (f", the most on one node: {most[0] / 1024:.0f} GiB on {most[1]}." if most else ".")
