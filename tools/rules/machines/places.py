"""Where machines of a kind could go at all: nodes, storages and templates that fit together, and why the others do not.

Whether there is room is reckoned in tools.rules.machines.capacity, which place is best in tools.rules.machines.placement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from tools.rules.machines import images, networks, rights, templates
from tools.rules.machines.capacity import Taking, node_problem
from tools.rules.machines.disks import Asked
from tools.rules.machines.networks import Wish
from tools.rules.names import naming
from tools.values.machine import Placement
from tools.values.offer import Exclusion
from tools.values.site import Site
from tools.values.snapshot import ClusterSnapshot, Network, Node, Storage, Template

SUBJECTS_NAMED_MAX = 4


@dataclass(frozen=True)
class Demand:
    """Alike machines, and what is asked of their place."""

    count: int
    cpu_count: int
    memory_mib: int
    disk_gib: int
    wish: Wish
    """Of its network."""
    further: tuple[Wish, ...] = ()
    """Of the networks of their further network cards."""
    high_availability: bool = False
    """Another node must be able to start them."""
    data_disks: tuple[Asked, ...] = ()
    os: str = "debian"
    node: str = ""
    storage: str = ""
    prefer_shared: bool = False
    disk_said: bool = False
    """Then a template with a larger disk does not serve; otherwise the disk grows to it."""
    apart: bool = False
    """Several of them are kept on nodes of their own, on a large cluster too."""
    one_a_node: bool = False
    """Two of them on one node are none."""
    together: bool = False
    """All of them on one node, or none."""
    near: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(item, the nodes it is on), on which they are to be, too."""
    away: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(item, the nodes it is on), on which they may not be."""
    group: str = ""
    """As their group is called; empty: there is no other."""

    @property
    def storages_besides(self) -> frozenset[str]:
        """That are said of their data disks."""
        return frozenset(one.storage for one in self.data_disks if one.storage)

    def data_gib(self, storage: str, system: str | None = None) -> int:
        """Of their data disks on a storage, where the system disk is on it too, or on another one."""
        return sum(one.disk_gib for one in self.data_disks if (one.storage or (storage if system is None else system)) == storage)


class Place(NamedTuple):
    node: Node
    storage: Storage
    template: Template

    @property
    def id(self) -> str:
        return f"{self.node.name}/{self.storage.name}"

    @property
    def placement(self) -> Placement:
        return Placement(
            node=self.node.name,
            storage=self.storage.name,
            template_vm_id=self.template.vm_id,
            template_node=self.template.node,
            disk_interface=self.template.disk_interface,
            cloud_init_on=self.template.cloud_init_on,
        )

    def taking(self, demand: Demand) -> Taking:
        here, name = demand.data_gib(self.storage.name), self.storage.name
        disk_gib = max(demand.disk_gib, self.template.disk_gib) + here
        further = tuple((on, demand.data_gib(on, "")) for on in sorted(demand.storages_besides) if on != name)
        return Taking(self.node.name, name, demand.cpu_count, demand.memory_mib, disk_gib, further=further)


def places(demand: Demand, snapshot: ClusterSnapshot) -> tuple[tuple[Place, ...], tuple[Exclusion, ...]]:
    """Every node and storage that could take such a machine if it had room, and why the others could not."""
    wrong = _wrong_words(demand, snapshot)
    if wrong:
        return (), wrong
    found_networks = [one for wish in (demand.wish, *demand.further) if isinstance(one := networks.find(snapshot, wish), Network)]
    assert len(found_networks) == 1 + len(demand.further)  # _wrong_words has looked
    reached = [(network, frozenset(network.nodes)) for network in found_networks]
    shut: dict[str, list[str]] = {}
    nodes: list[Node] = []
    for node in snapshot.nodes:
        reason = f"{demand.node} was asked for" if demand.node and node.name.lower() != demand.node.lower() else node_problem(node)
        reason = reason or _by_others(demand, node) or _by_data_disks(demand, snapshot, node)
        if not reason and (missing := next((n for n, on in reached if node.name not in on), None)):
            reason = f"network {missing.name} ({missing.bridge}) is not there"
        if reason:
            shut.setdefault(reason, []).append(node.name)
        else:
            nodes.append(node)
    able = frozenset(n.name for n in snapshot.nodes if n.online).intersection(*(on for _, on in reached))
    found: tuple[Place, ...] = ()
    for generation in templates.offered(snapshot, demand.os):
        barred: dict[str, list[str]] = {}
        found = tuple(_reachable(demand, snapshot, nodes, able, generation, barred))
        if found:
            break
    found = _allowed(found, demand, snapshot, barred)
    if nodes:
        shut.update(barred)
    return found, tuple(Exclusion(subject=listed(subjects), reason=reason) for reason, subjects in shut.items())


def _by_others(demand: Demand, node: Node) -> str:
    """Why they may not be on it because of where other items are; empty: they may."""
    far = next((item for item, nodes in demand.near if node.name not in nodes), "")
    close = next((item for item, nodes in demand.away if node.name in nodes), "")
    return f"{far} is on another node, and they are to be on one" if far else f"{close} is there, and they are to be apart" if close else ""


def _by_data_disks(demand: Demand, snapshot: ClusterSnapshot, node: Node) -> str:
    """Why a storage that was said of a data disk does not serve there; empty: it does."""
    there = {s.name: s for s in snapshot.storages if s.node == node.name}
    for name in sorted(demand.storages_besides):
        storage = there.get(name)
        if storage is None or not storage.active:
            return f"storage {name}, which a data disk is to be on, is not there"
        if "images" not in storage.content:
            return f"storage {name}, which a data disk is to be on, does not take machine disks"
        if demand.high_availability and not storage.shared:
            return f"no other node reaches storage {name}, which a data disk is to be on, so none could take over"
    return ""


def _allowed(found: tuple[Place, ...], demand: Demand, snapshot: ClusterSnapshot, barred: dict[str, list[str]]) -> tuple[Place, ...]:
    """Those that the token that makes may use. Where it may use none of them all stay: whoever asked is told the lines that grant one."""
    lacking: dict[rights.Rights, str] = {}
    told: dict[str, list[str]] = {}
    for place in found:
        storages = sorted({place.storage.name, *demand.storages_besides})
        needed = (*rights.clone_rights(place.template), *(one for name in storages for one in rights.storage_rights(name)))
        if needed not in lacking:
            lacking[needed] = rights.spelled(rights.not_held(snapshot.held, needed))
        if lacking[needed]:
            told.setdefault(f"the token that makes lacks {lacking[needed]}", []).append(place.id)
    shut = {one for several in told.values() for one in several}
    if len(shut) == len(found):
        return found
    barred.update(told)
    return tuple(place for place in found if place.id not in shut)


def _wrong_words(demand: Demand, snapshot: ClusterSnapshot) -> tuple[Exclusion, ...]:
    """Names in the request that this cluster does not know."""
    wrong: list[Exclusion] = []
    for wish in (demand.wish, *demand.further):
        if isinstance(found := networks.find(snapshot, wish), str):
            wrong.append(Exclusion(subject=f"network {wish.name}".strip(), reason=found))
    if demand.high_availability and len(snapshot.nodes) < 2:
        reason = "this cluster has one node, so no other could take over. Ask without it"
        wrong.append(Exclusion(subject="high availability", reason=reason))
    node_names = [n.name for n in snapshot.nodes]
    if demand.node and demand.node.lower() not in map(str.lower, node_names):
        wrong.append(Exclusion(subject=f"node {demand.node}", reason=naming.unknown("node", demand.node, node_names)))
    storage_names = {s.name for s in snapshot.storages}
    for name in filter(None, (demand.storage, *sorted(demand.storages_besides))):
        if name.lower() not in map(str.lower, storage_names):
            wrong.append(Exclusion(subject=f"storage {name}", reason=naming.unknown("storage", name, storage_names)))
    if not templates.offered(snapshot, demand.os):
        known = templates.known(snapshot)
        reason = naming.unknown("template", demand.os, known)
        if not known:
            reason += " This cluster has no template at all."
        if advice := images.asked_for(Site(), demand.os):
            reason += f" Say `{advice}`, and ask again when it is there."
        wrong.append(Exclusion(subject=f"template {demand.os}", reason=reason))
    return tuple(wrong)


def _reachable(
    demand: Demand,
    snapshot: ClusterSnapshot,
    nodes: list[Node],
    able: frozenset[str],
    generation: tuple[Template, ...],
    barred: dict[str, list[str]],
) -> Iterable[Place]:
    """`able`: the nodes that have its networks, those included that take nothing new at the moment."""
    names = {node.name: node for node in nodes}
    reach = templates.Reach.of(snapshot)
    usable: dict[tuple[str, str, bool], tuple[Template | None, str]] = {}
    """What is alike for storages of one kind: the template that is near, or why there is none."""
    own = frozenset(t.node for t in generation)
    seen_by = Counter(storage.name for storage in snapshot.storages if storage.node in able)
    for storage in snapshot.storages:
        node = names.get(storage.node)
        if node is None:
            continue
        if demand.storage and storage.name.lower() != demand.storage.lower():
            reason = f"{demand.storage} was asked for"
        elif "images" not in storage.content:
            reason = "it does not take machine disks"
        elif demand.high_availability and not storage.shared:
            reason = "no other node reaches its disks, so none could take over"
        elif demand.high_availability and seen_by[storage.name] < 2:
            reason = "no other node has both its network and its disks, so none could take over"
        elif not storage.active:
            reason = "the storage is not active"
        else:
            key = (node.name if node.name in own else "", storage.name, storage.shared)
            if key not in usable:
                usable[key] = _nearest(demand, generation, node, storage, reach)
            near, reason = usable[key]
            if near is not None:
                yield Place(node, storage, near)
                continue
        barred.setdefault(reason, []).append(f"{node.name}/{storage.name}")


def _nearest(
    demand: Demand, generation: tuple[Template, ...], node: Node, storage: Storage, reach: templates.Reach
) -> tuple[Template | None, str]:
    """A template on the node itself saves sending the disk over the network."""
    reasons = {t: _unfit(t, demand) or templates.out_of_reach(t, node, storage, reach) for t in generation}
    near = sorted((t for t in generation if not reasons[t]), key=lambda t: (t.node != node.name, t.vm_id))
    return (near[0], "") if near else (None, next(iter(reasons.values())))


def _unfit(template: Template, demand: Demand) -> str:
    if demand.disk_said and demand.disk_gib < template.disk_gib:
        return f"a disk of {demand.disk_gib} GiB cannot hold template {template.name}, whose disk has {template.disk_gib} GiB"
    if any(one.folder for one in demand.data_disks) and not templates.is_set_up(template.os):
        return f"the system of template {template.name} is not set up by Berth, so no disk would be mounted there: leave out the folders"
    return ""


def listed(subjects: list[str]) -> str:
    rest = len(subjects) - SUBJECTS_NAMED_MAX
    return ", ".join(subjects[:SUBJECTS_NAMED_MAX]) + (f" and {rest} more" if rest > 0 else "")
