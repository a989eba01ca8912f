"""Where machines may go, ranked: one machine by node and storage, several as whole assignments in which each counts for the next.

What a cluster has room for is reckoned in tools.rules.capacity. What would fit when nothing does is in tools.rules.counter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tools.rules import naming, templates
from tools.rules.capacity import Room, Taking, cpu_sum, failover_sum, fullness, memory_sum, node_problem, spell_sum, storage_sum
from tools.values.offer import Candidate, Exclusion, Sum
from tools.values.snapshot import ClusterSnapshot, Network, Node, Storage, Template

CANDIDATES_MAX = 5
SUBJECTS_NAMED_MAX = 4
SHARED_BONUS = 0.1
"""For production on shared storage: another node can start the machine when its own is lost."""


@dataclass(frozen=True)
class Demand:
    """Alike machines, and what is asked of their place."""

    count: int
    cpu_count: int
    memory_mib: int
    disk_gib: int
    network: str
    os: str = "debian"
    node: str = ""
    storage: str = ""
    prefer_shared: bool = False
    disk_said: bool = False
    """Then a template with a larger disk does not serve; otherwise the disk grows to it."""


@dataclass(frozen=True)
class Place:
    node: Node
    storage: Storage
    template: Template

    @property
    def id(self) -> str:
        return f"{self.node.name}/{self.storage.name}"

    def taking(self, demand: Demand) -> Taking:
        disk_gib = max(demand.disk_gib, self.template.disk_gib)
        return Taking(self.node.name, self.storage.name, demand.cpu_count, demand.memory_mib, disk_gib)


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


def network_of(snapshot: ClusterSnapshot, said: str) -> Network | None:
    """By name, by VLAN tag or by bridge, in this order."""
    word = said.strip().lower()
    spellings: tuple[Callable[[Network], str], ...] = (
        lambda n: n.name,
        lambda n: str(n.vlan_tag),
        lambda n: n.bridge if n.vlan_tag is None else "",
    )
    for spelling in spellings:
        found = next((n for n in snapshot.networks if spelling(n).lower() == word), None)
        if found is not None:
            return found
    return None


def places(demand: Demand, snapshot: ClusterSnapshot) -> tuple[tuple[Place, ...], tuple[Exclusion, ...]]:
    """Every node and storage that could take such a machine if it had room, and why the others could not."""
    wrong = _wrong_words(demand, snapshot)
    if wrong:
        return (), wrong
    network = network_of(snapshot, demand.network)
    assert network is not None  # _wrong_words has looked
    shut: dict[str, list[str]] = {}
    nodes: list[Node] = []
    for node in snapshot.nodes:
        reason = (
            f"{demand.node} was asked for" if demand.node and node.name.lower() != demand.node.lower() else node_problem(node)
        )
        if not reason and node.name not in network.nodes:
            reason = f"network {network.name} ({network.bridge}) is not there"
        if reason:
            shut.setdefault(reason, []).append(node.name)
        else:
            nodes.append(node)
    found: tuple[Place, ...] = ()
    for generation in templates.offered(snapshot, demand.os):
        barred: dict[str, list[str]] = {}
        found = tuple(_reachable(demand, snapshot, nodes, generation, barred))
        if found:
            break
    if nodes:
        shut.update(barred)
    return found, tuple(Exclusion(subject=_listed(subjects), reason=reason) for reason, subjects in shut.items())


def _wrong_words(demand: Demand, snapshot: ClusterSnapshot) -> tuple[Exclusion, ...]:
    """Names in the request that this cluster does not know."""
    wrong: list[Exclusion] = []
    if network_of(snapshot, demand.network) is None:
        known = [n.name for n in snapshot.networks]
        wrong.append(Exclusion(subject=f"network {demand.network}", reason=naming.unknown("network", demand.network, known)))
    node_names = [n.name for n in snapshot.nodes]
    if demand.node and demand.node.lower() not in map(str.lower, node_names):
        wrong.append(Exclusion(subject=f"node {demand.node}", reason=naming.unknown("node", demand.node, node_names)))
    storage_names = {s.name for s in snapshot.storages}
    if demand.storage and demand.storage.lower() not in map(str.lower, storage_names):
        wrong.append(
            Exclusion(subject=f"storage {demand.storage}", reason=naming.unknown("storage", demand.storage, storage_names))
        )
    if not templates.offered(snapshot, demand.os):
        known = templates.known(snapshot)
        reason = naming.unknown("template", demand.os, known)
        if not known:
            reason += " This cluster has no template at all; make one from a cloud image first."
        wrong.append(Exclusion(subject=f"template {demand.os}", reason=reason))
    return tuple(wrong)


def _reachable(
    demand: Demand, snapshot: ClusterSnapshot, nodes: list[Node], generation: tuple[Template, ...], barred: dict[str, list[str]]
) -> Iterable[Place]:
    names = {node.name: node for node in nodes}
    for storage in snapshot.storages:
        node = names.get(storage.node)
        if node is None:
            continue
        subject = f"{node.name}/{storage.name}"
        if demand.storage and storage.name.lower() != demand.storage.lower():
            barred.setdefault(f"{demand.storage} was asked for", []).append(subject)
        elif "images" not in storage.content:
            barred.setdefault("it does not take machine disks", []).append(subject)
        elif not storage.active:
            barred.setdefault("the storage is not active", []).append(subject)
        else:
            reasons = {t: _unfit(t, demand) or templates.out_of_reach(t, node, storage, snapshot) for t in generation}
            # A template on the node itself saves sending the disk over the network.
            near = sorted((t for t in generation if not reasons[t]), key=lambda t: (t.node != node.name, t.vm_id))
            if near:
                yield Place(node, storage, near[0])
            else:
                barred.setdefault(next(iter(reasons.values())), []).append(subject)


def _unfit(template: Template, demand: Demand) -> str:
    if demand.disk_said and demand.disk_gib < template.disk_gib:
        return f"a disk of {demand.disk_gib} GiB cannot hold template {template.name}, whose disk has {template.disk_gib} GiB"
    return ""


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
    exclusions = tuple(Exclusion(subject=_listed(subjects), reason=reason) for reason, subjects in full.items())
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
        reasons.append(f"The disk is copied over the network from {_listed(copied)}.")
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


def _listed(subjects: list[str]) -> str:
    rest = len(subjects) - SUBJECTS_NAMED_MAX
    return ", ".join(subjects[:SUBJECTS_NAMED_MAX]) + (f" and {rest} more" if rest > 0 else "")


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
