"""Where machines may go, ranked: one machine by node and storage, several as whole assignments in which each counts for the next.

On a small cluster the place with most room left comes first, so that the loss of a node can be carried; on a large one the place
where the new machine leaves the fewest fragments. What would fit when nothing does is in tools.rules.machines.counter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tools.rules.machines.capacity import Room, cpu_sum, failover_sum, memory_sum, storage_sum
from tools.rules.machines.ground import Ground, Measured, Shape, loss, shapes
from tools.rules.machines.places import Demand, Place, listed
from tools.rules.names.text import spell_of
from tools.values.offer import Candidate, Exclusion, Sum

CANDIDATES_MAX = 5
EXCLUSIONS_MAX = 8
NODES_SMALL_MAX = 5
SHARED_BONUS = 0.1
"""For production on shared storage: another node can start the machine when its own is lost."""

Rank = Callable[[Measured, Ground], tuple[float | str, ...]]
"""Smallest first."""


def spread(m: Measured, ground: Ground) -> tuple[float | str, ...]:
    """Where the fewest of these machines are, then where most room is left."""
    there = sum(1 for t in ground.room.taken if t.node == m.place.node.name)
    return (there, m.tightest.fullness, m.place.id)


def pack(m: Measured, ground: Ground) -> tuple[float | str, ...]:
    """Where least room is left, so that large gaps stay for large machines."""
    return (-m.tightest.fullness, m.place.id)


def fit(usual: tuple[Shape, ...]) -> Rank:
    """Where the fewest fragments are left, then where least room is."""
    return lambda m, ground: (loss(m, ground.demand, usual), -m.tightest.fullness, m.place.id)


def assign(demand: Demand, found: Iterable[Place], room: Room, rank: Rank) -> tuple[Place, ...]:
    """A place for each machine, one after the other; empty when they do not all fit."""
    ground = Ground(demand, found, room)
    assigned: list[Place] = []
    for _ in range(demand.count):
        fitting = ground.fitting()
        if not fitting:
            return ()
        assigned.append(min(fitting, key=lambda m: rank(m, ground)).place)
        ground.take(assigned[-1])
    return tuple(assigned)


def fill(demand: Demand, found: Iterable[Place], room: Room) -> tuple[Place, ...]:
    """Any places for all the machines, found in one pass; empty only when there are none.

    Alike machines leave nothing to be clever about but this: what is local to a node serves that node alone, so it is used first.
    """
    ground = Ground(demand, found, room)
    assigned: list[Place] = []
    for place in sorted(ground.places, key=lambda p: (p.storage.shared, p.id)):
        while len(assigned) < demand.count and ground.measure(place).fits:
            assigned.append(place)
            ground.take(place)
    return tuple(assigned) if len(assigned) == demand.count else ()


def candidates(demand: Demand, found: tuple[Place, ...], room: Room) -> tuple[tuple[Candidate, ...], tuple[Exclusion, ...]]:
    """The best few, and which places have no room for a single machine and why."""
    ground = Ground(demand, found, room)
    measured = [ground.measure(place) for place in found]
    fitting = [m for m in measured if m.fits]
    exclusions = _full([m for m in measured if not m.fits])
    usual = shapes(room.snapshot) if len(room.snapshot.nodes) > NODES_SMALL_MAX else ()
    if demand.count == 1:
        ranked = _ranked(fitting, ground, usual)
    else:
        ranked = _assignments(demand, tuple(m.place for m in fitting), room, usual)
        if fitting and not ranked:
            exclusions = (
                *exclusions,
                Exclusion(subject=f"{demand.count} machines", reason="there is room for one, but not for all of them"),
            )
    return tuple(ranked), exclusions[:EXCLUSIONS_MAX]


def _full(measured: list[Measured]) -> tuple[Exclusion, ...]:
    """By what there is too little of, each with the place that comes nearest."""
    short: dict[str, list[Measured]] = {}
    for m in measured:
        broken = next(one for one in m.sums if not one.holds)
        short.setdefault(broken.subject.split(" ")[0], []).append(m)
    exclusions = []
    for what, full in short.items():
        nearest = min((next(one for one in m.sums if not one.holds) for m in full), key=lambda one: one.fullness)
        reason = f"too {'few' if what == 'processors' else 'little'} {what} left: {nearest.spelt}"
        exclusions.append(Exclusion(subject=listed([m.place.id for m in full]), reason=reason))
    return tuple(exclusions)


def _ranked(fitting: list[Measured], ground: Ground, usual: tuple[Shape, ...]) -> list[Candidate]:
    losses = {m.place.id: loss(m, ground.demand, usual) for m in fitting} if usual else {}
    worst = max(losses.values(), default=0.0)

    def score(m: Measured) -> float:
        if worst > 0:
            # Among places that lose equally little, the fuller one: large gaps stay for large machines.
            return 0.9 * (1 - losses[m.place.id] / worst) + 0.1 * m.tightest.fullness
        return 1 - m.tightest.fullness

    best = sorted(fitting, key=lambda m: (-score(m) - _bonus(ground.demand, (m.place,)), m.place.id))[:CANDIDATES_MAX]
    return [_candidate(m.place.id, ground.demand, (m.place,), ground.room, score(m), _keeps(losses.get(m.place.id), worst)) for m in best]


def _keeps(lost: float | None, worst: float) -> str:
    if lost is None or worst <= 0:
        return ""
    return f"It takes {lost / worst:.0%} of the room for machines of the usual sizes that the worst place would."


def _assignments(demand: Demand, fitting: tuple[Place, ...], room: Room, usual: tuple[Shape, ...]) -> list[Candidate]:
    names = sorted({p.storage.name for p in fitting})
    pools = {"": fitting} | {f"/{name}": tuple(p for p in fitting if p.storage.name == name) for name in names}
    ways: dict[str, Rank] = {"spread": spread, "pack": pack} | ({"fit": fit(usual)} if usual else {})
    made: dict[tuple[str, ...], Candidate] = {}
    for how, rank in ways.items():
        for suffix, pool in pools.items():
            assigned = assign(demand, pool, room, rank)
            key = tuple(sorted(p.id for p in assigned))
            if assigned and key not in made:
                made[key] = _candidate(f"{how}{suffix}", demand, assigned, room, _apart(assigned, demand, room), "")
    if not made and (assigned := fill(demand, fitting, room)):
        return [_candidate("fill", demand, assigned, room, _apart(assigned, demand, room), "")]
    # Among equals, alike machines lie on one storage.
    return sorted(made.values(), key=lambda c: (-c.score, len({p.storage for p in c.places}), c.id))[:CANDIDATES_MAX]


def _apart(assigned: tuple[Place, ...], demand: Demand, room: Room) -> float:
    """Room left at the tightest, and on how many nodes they are of those they could be on."""
    after = room.after(place.taking(demand) for place in assigned)
    left = max(0.0, 1 - max(one.fullness for one in sums_of(assigned, after)))
    nodes = len({place.node.name for place in assigned})
    return 0.7 * left + 0.3 * nodes / min(len(assigned), sum(1 for n in room.snapshot.nodes if n.online))


def _bonus(demand: Demand, assigned: tuple[Place, ...]) -> float:
    return SHARED_BONUS if demand.prefer_shared and all(place.storage.shared for place in assigned) else 0.0


def _candidate(id: str, demand: Demand, assigned: tuple[Place, ...], room: Room, score: float, because: str) -> Candidate:
    after = room.after(place.taking(demand) for place in assigned)
    sums = sums_of(assigned, after)
    tightest = max(sums, key=lambda one: one.fullness)
    bonus = _bonus(demand, assigned)
    reasons = [
        f"Tightest resource: {tightest.subject}, {spell_of(tightest.total, tightest.limit, tightest.unit)} used after this change "
        f"({1 - tightest.fullness:.0%} free).",
        because,
        f"{len(assigned)} machines on {len({p.node.name for p in assigned})} nodes." if len(assigned) > 1 else "",
        "On shared storage: another node can take over." if bonus else "",
        *_drawbacks(assigned, after),
    ]
    return Candidate(
        id=id,
        title=_title(assigned),
        score=round(min(1.0, max(0.0, score + bonus)), 3),
        reasons=tuple(filter(None, reasons)),
        binding=tightest.subject,
        sums=sums,
        places=tuple(place.placement for place in assigned),
    )


def _drawbacks(assigned: tuple[Place, ...], after: Room) -> list[str]:
    copied = sorted({p.template.node for p in assigned if p.template.node != p.node.name})
    failover = failover_sum(after)
    return [
        f"The template is copied from {listed(copied)}." if copied else "",
        "The other nodes could not take over from the largest one." if failover and not failover.holds else "",
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
    memory = [memory_sum(room, n) for n in online]
    free_mib = sum(max(0.0, one.limit - one.total) for one in memory)
    most = max(memory, key=lambda one: one.limit - one.total, default=None)
    silent = len(room.snapshot.nodes) - len(online)
    text = f"{len(online)} nodes online" + (f", {silent} not" if silent else "")
    text += f"; {free_mib / 1024:.0f} GiB of memory may still be taken in {room.environment.name}"
    return text + (f", most of it on one node: {(most.limit - most.total) / 1024:.0f} GiB ({most.subject})." if most else ".")
