"""Where machines may go, ranked: one machine by node and storage, several as whole assignments in which each counts for the next.

What a cluster has room for is reckoned in tools.rules.capacity. What would fit when nothing does is in tools.rules.counter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tools.rules.capacity import Room, cpu_sum, failover_sum, fullness, memory_sum, spell_sum, storage_sum
from tools.rules.places import Demand, Place, listed
from tools.values.offer import Candidate, Exclusion, Sum

CANDIDATES_MAX = 5
SHARED_BONUS = 0.1
"""For production on shared storage: another node can start the machine when its own is lost."""


@dataclass(frozen=True)
class Measured:
    """A place with one more machine on it."""

    place: Place
    sums: tuple[Sum, ...]

    @property
    def fits(self) -> bool:
        return all(one.holds for one in self.sums)

    @property
    def tightest(self) -> Sum:
        return max(self.sums, key=fullness)


def measure(place: Place, demand: Demand, room: Room) -> Measured:
    after = room.after([place.taking(demand)])
    return Measured(place, (memory_sum(after, place.node), cpu_sum(after, place.node), storage_sum(after, place.storage)))


def assign(
    demand: Demand, found: tuple[Place, ...], room: Room, best: Callable[[Measured, Room], tuple[float | str, ...]]
) -> tuple[Place, ...]:
    """A place for each machine, one after the other, the smallest `best` first; empty when they do not all fit."""
    assigned: list[Place] = []
    measured = {place.id: measure(place, demand, room) for place in found}
    for _ in range(demand.count):
        fitting = [m for m in measured.values() if m.fits]
        if not fitting:
            return ()
        place = min(fitting, key=lambda m: best(m, room)).place
        assigned.append(place)
        room = room.after([place.taking(demand)])
        for m in tuple(measured.values()):
            if m.place.node.name == place.node.name or m.place.storage.name == place.storage.name:
                measured[m.place.id] = measure(m.place, demand, room)
    return tuple(assigned)


def spread(m: Measured, room: Room) -> tuple[float | str, ...]:
    """Where the fewest of these machines are, then where most room is left."""
    there = sum(1 for t in room.taken if t.node == m.place.node.name)
    return (there, fullness(m.tightest), m.place.id)


def pack(m: Measured, room: Room) -> tuple[float | str, ...]:
    """Where least room is left, so that large gaps stay for large machines."""
    return (-fullness(m.tightest), m.place.id)


def candidates(demand: Demand, found: tuple[Place, ...], room: Room) -> tuple[tuple[Candidate, ...], tuple[Exclusion, ...]]:
    """The best few, and which places have no room for a single machine and why."""
    full: dict[str, list[str]] = {}
    fitting: list[Place] = []
    for place in found:
        m = measure(place, demand, room)
        if m.fits:
            fitting.append(place)
        else:
            broken = next(one for one in m.sums if not one.holds)
            full.setdefault(f"no room: {spell_sum(broken)}", []).append(place.id)
    exclusions = tuple(Exclusion(subject=listed(subjects), reason=reason) for reason, subjects in full.items())
    if demand.count == 1:
        ranked = [_candidate(place.id, demand, (place,), room) for place in fitting]
    else:
        ranked = _assignments(demand, tuple(fitting), room)
    ranked.sort(key=lambda c: (-c.score, c.id))
    return tuple(ranked[:CANDIDATES_MAX]), exclusions


def _assignments(demand: Demand, fitting: tuple[Place, ...], room: Room) -> list[Candidate]:
    pools = {"": fitting} | {
        f"/{name}": tuple(p for p in fitting if p.storage.name == name) for name in sorted({p.storage.name for p in fitting})
    }
    made: dict[tuple[str, ...], Candidate] = {}
    for how, best in (("spread", spread), ("pack", pack)):
        for suffix, pool in pools.items():
            assigned = assign(demand, pool, room, best)
            if assigned:
                made.setdefault(tuple(sorted(p.id for p in assigned)), _candidate(f"{how}{suffix}", demand, assigned, room))
    return list(made.values())


def _candidate(id: str, demand: Demand, assigned: tuple[Place, ...], room: Room) -> Candidate:
    after = room.after(place.taking(demand) for place in assigned)
    sums = sums_of(assigned, after)
    tightest = max(sums, key=fullness)
    reasons = [f"{1 - fullness(tightest):.0%} of the allowed room is left at its tightest: {spell_sum(tightest)}."]
    score = max(0.0, 1 - fullness(tightest))
    if demand.prefer_shared and all(place.storage.shared for place in assigned):
        score = min(1.0, score + SHARED_BONUS)
        reasons.append("Shared storage: another node can start it when its own is lost.")
    if len(assigned) > 1:
        used = {place.node.name for place in assigned}
        apart = len(used) / len(assigned)
        score = score * 0.7 + 0.3 * apart
        reasons.append(f"{len(assigned)} machines on {len(used)} nodes.")
    copied = sorted({f"{p.template.name} of {p.template.node}" for p in assigned if p.template.node != p.node.name})
    if copied:
        reasons.append(f"The disk is copied over the network from {listed(copied)}.")
    failover = failover_sum(after)
    if failover is not None and not failover.holds:
        reasons.append(f"The loss of the largest node could not be carried: {spell_sum(failover)}.")
    return Candidate(
        id=id,
        title=_title(assigned),
        score=round(score, 3),
        reasons=tuple(reasons),
        binding=tightest.subject,
        sums=sums,
        choice={"machines": [_chosen(place) for place in assigned]},
    )


def sums_of(assigned: Iterable[Place], after: Room) -> tuple[Sum, ...]:
    """Of every node and storage used, each once."""
    sums: dict[str, Sum] = {}
    for place in assigned:
        for one in (memory_sum(after, place.node), cpu_sum(after, place.node), storage_sum(after, place.storage)):
            sums[one.subject] = one
    return tuple(sums.values())


def _chosen(place: Place) -> dict[str, object]:
    return {
        "node": place.node.name,
        "storage": place.storage.name,
        "template_vm_id": place.template.vm_id,
        "template_node": place.template.node,
    }


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
