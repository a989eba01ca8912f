"""Machines of several groups in one part, and an address that moves between them: through the same functions as a service's own."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from clusters import KEY, NAMES, SITE, facts, four_nodes, guest

from tools.capabilities.on_machines import SetUp, on_cluster
from tools.clients.ansible import inventory_json
from tools.clients.ssh import Host
from tools.platforms import certify, proxmox
from tools.rules.machines.facts import EVERY_MACHINE, VIRTUAL_ADDRESS
from tools.rules.plans.card import _alike
from tools.rules.request.attaching import read_virtual_address
from tools.rules.request.grouping import read_group_count, settle_group_sizes
from tools.rules.request.placing import read_placing
from tools.rules.request.reading import Reading
from tools.rules.sizing import sizing
from tools.values.machine import Machine
from tools.values.manifest import Part
from tools.values.offer import PartOffer, Pick
from tools.values.request import Fact
from tools.values.requirements import Group, Needs
from tools.values.review import Severity
from tools.values.site import Reserved, Site
from tools.values.situation import Situation
from tools.values.snapshot import ClusterSnapshot, Network
from tools.values.wanted import Wanted

GROUPS = (Group(name="balancers", called="lb", one_a_node=True), Group(name="applications", called="app"))
SIZES = [
    Wanted(name=f"{group.name}_{fact}", kind="count", meaning="") for group in GROUPS for fact in ("count", "cpu_count", "memory", "disk")
]
WANTED = (*EVERY_MACHINE, VIRTUAL_ADDRESS, *SIZES)
POOL = Network(name="20", bridge="vmbr0", vlan_tag=20, nodes=NAMES, subnet="10.20.0.0/24", pool=("10.20.0.200-10.20.0.206",))


def understand(said: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("tier", "proxmox", WANTED, said)
    counts = (
        read_group_count(reading, "balancers", 2, "Two, so that one can be lost.", 2, 2, "there are two."),
        read_group_count(reading, "applications", 3, "Three.", 1, 10, "ten at most.", plain=True),
    )
    read_placing(reading, site, workload="tier", machines=sum(counts))
    read_virtual_address(reading)
    for group, plain in (("balancers", False), ("applications", True)):
        settle_group_sizes(reading, group, sizing.WEB_CPU, sizing.WEB_MEMORY_MIB, sizing.WEB_DISK_GIB, plain=plain)
    return reading.needs()


STANDS = on_cluster(
    understand,
    SetUp(
        playbook="tier.yml",
        commands=lambda machine, part: (),
        variables=lambda part: {"names": [m.name for m in part.machines], "address": part.virtual_address("virtual_address")},
    ),
    groups=GROUPS,
    virtual_addresses=("virtual_address",),
)


def needs(**said: str) -> Needs:
    known = {"environment": "development", "network": "20", "public_key": KEY}
    found = STANDS.understand(facts(**(known | said)), SITE)
    assert not found.problems, found.problems
    return found.model_copy(update={"label": "tier"})


def look(*machines: Machine, **changes: object) -> Situation:
    """A cluster on which these run already."""
    there = tuple(guest(m.vm_id, m.name, m.node, cpus=m.cpu_count, memory_gib=m.memory_mib / 1024, disk_gib=m.disk_gib) for m in machines)
    seen = four_nodes(**changes)
    return Situation({"proxmox": seen.model_copy(update={"guests": (*seen.guests, *there)})}, SITE)


def compose(wanted: Needs, at: Situation) -> tuple[PartOffer, Part]:
    offered = STANDS.offer(wanted, at)
    assert offered.candidates, offered
    return offered, STANDS.compose(wanted, offered, Pick(label="tier", candidate=offered.candidates[0].id), at)


def test_each_group_has_its_own_count_size_and_names_and_the_sums_are_of_all() -> None:
    wanted = needs(virtual_address="10.20.0.9", cpu_count="4", balancers_cpu_count="1", name="shop", count="4")
    at = look()
    offered, part = compose(wanted, at)
    assert [m.name for m in part.machines] == ["shop-lb-1", "shop-lb-2", *(f"shop-app-{n}" for n in range(1, 5))]
    assert Counter((m.group, m.cpu_count) for m in part.machines) == {("balancers", 1): 2, ("applications", 4): 4}
    assert len({m.node for m in part.of_group("balancers")}) == 2
    assert part.configure and part.configure.variables["address"] == "10.20.0.9/24"
    findings, passed = STANDS.review(part, at)
    assert [f for f in findings if f.severity is Severity.ERROR] == []
    assert {"count:tier:tier", "group.apart:tier:tier", "address.virtual:tier:tier"} <= set(passed)
    by_node = Counter(dict.fromkeys(NAMES, 0))
    for m in part.machines:
        by_node[m.node] += m.memory_mib
    sums = {one.subject: dict(one.terms)["this request"] for one in offered.candidates[0].sums}
    assert {f"memory of {node}": mib for node, mib in by_node.items() if mib} == {k: v for k, v in sums.items() if k.startswith("memory")}
    certificate = certify([part], at)
    assert certificate and {one.name: one.new_mib for one in certificate.nodes if one.new_mib} == {k: v for k, v in by_node.items() if v}
    assert [(alike.machines[0].group, len(alike.machines)) for alike in _alike(part)] == [("balancers", 2), ("applications", 4)]
    assert "group" not in proxmox.variables(part)["machines"][0], "the module does not know it"


def test_names_go_by_the_sites_convention_and_a_word_for_each_group() -> None:
    _, part = compose(needs(virtual_address="10.20.0.9"), look())
    assert [m.name for m in part.machines] == ["tier-lb-01", "tier-lb-02", "tier-app-01", "tier-app-02", "tier-app-03"]


def test_two_that_need_a_node_each_are_refused_where_only_one_node_would_do() -> None:
    networks = (Network(name="20", bridge="vmbr0", vlan_tag=20, nodes=("pve1",), subnet="10.20.0.0/24"),)
    offered = STANDS.offer(needs(virtual_address="10.20.0.9"), look(networks=networks))
    assert offered.candidates == ()
    assert "a node of its own, and 1 node has room" in next(e.reason for e in offered.exclusions if e.subject == "2 balancers")


def test_a_group_that_is_too_large_beside_the_others_is_told_what_would_fit() -> None:
    offered = STANDS.offer(needs(virtual_address="10.20.0.9", memory="90 GB", count="6"), look())
    assert offered.candidates == ()
    assert offered.counter_offer.startswith("Of the applications: it would fit with")


def test_a_change_keeps_each_groups_machines_and_adds_to_its_own() -> None:
    _, old = compose(needs(virtual_address="10.20.0.9", name="shop"), look())
    wanted = needs(virtual_address="10.20.0.9", name="shop", count="5", balancers_memory="4 GB")
    at = look(*old.machines)
    offered = STANDS.stay(old, wanted, at)  # type: ignore[misc]
    part = STANDS.keep(old, STANDS.compose(wanted, offered, Pick(label="tier", candidate="stay"), at))  # type: ignore[misc]
    before, after = ({m.name: (m.vm_id, m.node) for m in one.machines} for one in (old, part))
    assert after.keys() - before.keys() == {"shop-app-4", "shop-app-5"}
    assert {name: after[name] for name in before} == before
    assert {m.memory_mib for m in part.of_group("balancers")} == {4096} != {m.memory_mib for m in part.of_group("applications")}
    assert part.configure and part.configure.variables["names"] == [m.name for m in part.machines]
    assert [f.kind for f in STANDS.review(part, at)[0] if f.severity is Severity.ERROR] == []
    fewer = needs(virtual_address="10.20.0.9", name="shop", count="1")
    offered = STANDS.stay(old, fewer, at)  # type: ignore[misc]
    part = STANDS.keep(old, STANDS.compose(fewer, offered, Pick(label="tier", candidate="stay"), at))  # type: ignore[misc]
    assert [m.name for m in part.machines] == ["shop-lb-1", "shop-lb-2", "shop-app-1"]
    kinds = {"proxmox_virtual_environment_vm", "proxmox_haresource", "terraform_data"}
    kinds |= {f"proxmox_virtual_environment_firewall_{what}" for what in ("rules", "options")}
    assert {address.split(".")[0] for address in part.lets_go} == kinds
    assert [name for name in before if any(f'"{name}"' in address for address in part.lets_go)] == ["shop-app-2", "shop-app-3"]


def test_machines_of_one_group_that_the_cluster_moved_together_are_warned_of_and_new_ones_refused() -> None:
    _, part = compose(needs(virtual_address="10.20.0.9"), look())
    first, second, *others = part.machines
    together = part.model_copy(update={"machines": (first, second.model_copy(update={"node": first.node}), *others)})
    new = {f.kind: f.severity for f in STANDS.review(together, look())[0]}
    there = together.model_copy(update={"owned": tuple(str(m.vm_id) for m in together.machines)})
    moved = {f.kind: f.severity for f in STANDS.review(there, look(*together.machines))[0]}
    assert (new["group.together"], moved["group.together"]) == (Severity.ERROR, Severity.WARNING)


def test_a_machine_too_many_or_of_no_group_does_not_pass_the_review() -> None:
    _, part = compose(needs(virtual_address="10.20.0.9"), look())
    for changed in (part.machines[1:], part.machines[:-1], (*part.machines, part.machines[0].model_copy(update={"group": "strays"}))):
        assert "asked.count" in {f.kind for f in STANDS.review(part.model_copy(update={"machines": changed}), look())[0]}


TAKEN = [
    ("10.20.0.77", "it is taken by VM 100 (app-0)"),
    ("10.20.0.88", "it is taken by a plan that is not carried out yet"),
    ("10.30.0.9", "it is not in network 20"),
]


def _busy() -> Situation:
    seen = four_nodes()
    guests = (seen.guests[0].model_copy(update={"addresses": ("10.20.0.77",)}), *seen.guests[1:])
    return Situation({"proxmox": seen.model_copy(update={"guests": guests})}, SITE, Reserved(addresses=frozenset({"10.20.0.88"})))


@pytest.mark.parametrize(("address", "why"), TAKEN)
def test_a_virtual_address_that_cannot_be_is_refused_and_found_by_the_review(address: str, why: str) -> None:
    offered = STANDS.offer(needs(virtual_address=address), _busy())
    assert offered.candidates == () and why in offered.exclusions[0].reason
    _, part = compose(needs(virtual_address="10.20.0.9"), look())
    other = part.model_copy(update={"virtual_addresses": (("virtual_address", f"{address}/24"),), "needs": needs(virtual_address=address)})
    assert "virtual.unfit" in {f.kind for f in STANDS.review(other.model_copy(update={"needs": _grouped(other)}), _busy())[0]}


def _grouped(part: Part) -> Needs:
    return part.needs.model_copy(update={"groups": GROUPS, "virtual_addresses": ("virtual_address",)})


def test_a_virtual_address_that_nobody_says_is_of_the_sites_pool_reserved_and_kept() -> None:
    asked = needs()
    assert [one.name for one in asked.missing] == ["virtual_address"]
    assert [one.name for one in STANDS.settle(asked, look()).missing] == ["virtual_address"], "this network has no pool"
    networks = (POOL,)
    wanted = STANDS.settle(asked, look(networks=networks))
    assert wanted.missing == ()
    _, part = compose(wanted, look(networks=networks))
    assert part.virtual_address("virtual_address") == "10.20.0.205/24", "behind those of its five machines"
    assert part.virtual_alone < proxmox.reserves(part).addresses
    more = STANDS.settle(needs(count="4"), look(networks=networks))
    at = replace(look(*part.machines, networks=networks), reserved=Reserved(addresses=proxmox.reserves(part).addresses))
    offered = STANDS.stay(part, more, replace(at, reserved=Reserved()))  # type: ignore[misc]
    kept = STANDS.keep(part, STANDS.compose(more, offered, Pick(label="tier", candidate="stay"), at))  # type: ignore[misc]
    assert kept.virtual_addresses == part.virtual_addresses
    assert [m.address for m in kept.machines] == [*(m.address for m in part.machines), "10.20.0.206/24"]


def test_the_inventory_has_a_group_for_each() -> None:
    hosts = [Host("lb-1", "10.0.0.1", "ops", "balancers"), Host("app-1", "10.0.0.2", "ops", "applications"), Host("x", "10.0.0.3", "ops")]
    inventory = json.loads(inventory_json(hosts))["all"]
    assert set(inventory["hosts"]) == {"lb-1", "app-1", "x"}
    assert inventory["children"] == {"balancers": {"hosts": {"lb-1": {}}}, "applications": {"hosts": {"app-1": {}}}}
    assert "children" not in json.loads(inventory_json(hosts[2:]))["all"]


def test_a_part_without_groups_says_what_it_said_before() -> None:
    """A field with a default is not in what a value says, so the digests of older records hold."""
    seen: ClusterSnapshot = four_nodes()
    from tools.capabilities import catalogue

    stands = catalogue()["web_server"].ON["proxmox"]
    wanted = stands.understand(facts(environment="development", network="20", public_key=KEY), SITE).model_copy(update={"label": "web"})
    at = Situation({"proxmox": seen}, SITE)
    offered = stands.offer(wanted, at)
    said = stands.compose(wanted, offered, Pick(label="web", candidate=offered.candidates[0].id), at).said()
    assert not {"virtual_addresses", "groups"} & {*said, *said["needs"]} and "group" not in said["machines"][0]
