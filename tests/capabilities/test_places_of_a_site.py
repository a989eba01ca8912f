"""Networks, addresses, high availability and rights of machines, from what is said to a plan's values, on sites of several kinds."""

from __future__ import annotations

from typing import Any

import pytest
from clusters import NAMES, SITE, facts, four_nodes, guest, template
from machine_chain import POSTGRESQL, VM, composed, errors, grown, offered, only, reviewed, situation, spoilt

from tools.capabilities import chain
from tools.capabilities.postgresql.variables import OWN_NETWORK
from tools.rules.machines import networks, rights
from tools.rules.plans.picking import pick_by_rule
from tools.values.machine import Machine
from tools.values.request import Item, Relation, Request, Wish
from tools.values.requirements import Requirements
from tools.values.site import Environment, Reserved, Site, SiteNetwork
from tools.values.snapshot import ClusterSnapshot, Network, Registered

BRIDGE = Network(name="vmbr0", bridge="vmbr0", vlan_tag=None, nodes=NAMES, vlan_ids="2-99")
AWARE = four_nodes(networks=(BRIDGE, Network(name="vmbr1", bridge="vmbr1", vlan_tag=None, nodes=NAMES[:2])))
DMZ: dict[str, Any] = {"name": "DMZ", "bridge": "vmbr0", "vlan_tag": 40, "subnet": "10.0.40.0/24", "gateway": "10.0.40.1", "dhcp": False}
DMZ |= {"dns_servers": ["10.0.40.2"], "domain": "dmz.example.org"}


def site_of(**more: Any) -> ClusterSnapshot:
    return networks.as_known(AWARE, [SiteNetwork.model_validate(DMZ | more)])


def machines(said: dict[str, str], seen: ClusterSnapshot, reserved: Reserved = Reserved()) -> tuple[Machine, ...]:
    manifest = composed("virtual_machine", VM | said, seen, reserved)
    assert errors(reviewed(manifest, seen)) == []
    return only(manifest).machines


def test_a_tag_that_nobody_is_on_yet_stands_in_the_machine() -> None:
    [one] = machines({"network": "40", "vlan": "40", "bridge": "vmbr0"}, AWARE)
    assert (one.bridge, one.vlan_tag, one.address, one.card) == ("vmbr0", 40, "dhcp", "vmbr0, VLAN 40")
    [elsewhere] = machines({"network": "vmbr1"}, AWARE)
    assert (elsewhere.bridge, elsewhere.vlan_tag) == ("vmbr1", None)
    assert elsewhere.node in NAMES[:2]
    _, offer = offered("virtual_machine", VM | {"network": "140", "vlan": "140", "bridge": "vmbr0"}, AWARE)
    assert not offer.parts[0].candidates and any("2-99" in one.reason for one in offer.parts[0].exclusions)


def test_addresses_come_from_the_pool_of_the_site_and_are_free() -> None:
    busy = guest(105, "old", "pve2").model_copy(update={"addresses": ("10.0.40.11",)})
    seen = site_of(pool=["10.0.40.10-10.0.40.14"]).model_copy(update={"guests": (busy,)})
    held = Reserved(addresses=frozenset({"10.0.40.10"}))
    made = machines({"network": "dmz", "count": "2"}, seen, held)
    assert [m.address for m in made] == ["10.0.40.12/24", "10.0.40.13/24"]
    assert {(m.gateway, m.dns_servers, m.domain) for m in made} == {("10.0.40.1", ("10.0.40.2",), "dmz.example.org")}
    assert chain.reserves(only(composed("virtual_machine", VM | {"network": "dmz"}, seen, held))).addresses == {"10.0.40.12"}


def test_what_the_sites_register_has_is_not_chosen_and_what_it_has_of_a_machine_is_not_in_that_machines_way() -> None:
    known = (
        Registered(address="10.0.40.10", who="NetBox (printer)"),
        Registered(address="10.0.40.11", last="10.0.40.12", who="NetBox (a range that it keeps)"),
        Registered(address="10.0.40.14", who="NetBox (Berth run-gone web: VM 9 (web-01))", vm_id=9),
    )
    seen = site_of(pool=["10.0.40.10-10.0.40.15"]).model_copy(update={"registered": known})
    made = composed("virtual_machine", VM | {"network": "dmz", "count": "2"}, seen)
    assert [m.address for m in only(made).machines] == ["10.0.40.13/24", "10.0.40.15/24"]
    own = Registered(address="10.0.40.13", who="NetBox (ours)", vm_id=only(made).machines[0].vm_id)
    assert errors(reviewed(made, seen.model_copy(update={"registered": (*known, own)}))) == []
    other = own.model_copy(update={"vm_id": 9})
    assert "address" in errors(reviewed(made, seen.model_copy(update={"registered": (*known, other)})))


@pytest.mark.parametrize(
    ("said", "more", "reason"),
    [
        ({"address": "10.0.40.8"}, {}, "taken by NetBox (printer)"),
        ({}, {}, "nobody gives addresses there"),
        ({"count": "3"}, {"pool": ["10.0.40.10-10.0.40.11"]}, "has 2 free of the 3"),
        ({"address": "10.0.40.5"}, {}, "taken by VM 105 (old)"),
        ({"address": "10.0.40.6"}, {}, "taken by a plan"),
        ({"address": "10.0.41.6/24", "gateway": "10.0.41.1"}, {}, "not in network DMZ"),
        ({"address": "10.0.40.7"}, {"subnet": "fd00:40::/64", "gateway": "fd00:40::1"}, "of IPv4"),
    ],
)
def test_an_address_that_cannot_be_is_refused_with_the_reason(said: dict[str, str], more: dict[str, Any], reason: str) -> None:
    busy = guest(105, "old", "pve2").model_copy(update={"addresses": ("10.0.40.5",)})
    known = (Registered(address="10.0.40.8", who="NetBox (printer)"),)
    seen = site_of(**more).model_copy(update={"guests": (busy,), "registered": known})
    gateway = {"gateway": "10.0.40.1"} if "address" in said and "gateway" not in said else {}
    _, offer = offered("virtual_machine", VM | {"network": "DMZ"} | gateway | said, seen, Reserved(addresses=frozenset({"10.0.40.6"})))
    assert not offer.parts[0].candidates
    assert any(reason in one.reason for one in offer.parts[0].exclusions), offer.parts[0].exclusions


def test_a_taken_address_is_found_by_the_review_too() -> None:
    manifest = composed("virtual_machine", VM | {"network": "dmz"}, site_of(pool=["10.0.40.10-10.0.40.14"]))
    busy = guest(105, "old", "pve2").model_copy(update={"addresses": ("10.0.40.10",)})
    seen = site_of(pool=["10.0.40.10-10.0.40.14"]).model_copy(update={"guests": (busy,)})
    assert "address" in errors(reviewed(manifest, seen))


def test_a_machine_keeps_the_address_of_the_pool_when_it_is_changed() -> None:
    pool = ["10.0.40.10-10.0.40.11"]
    old = composed("virtual_machine", VM | {"network": "dmz", "name": "svc"}, site_of(pool=pool))
    mine = only(old).machines[0]
    there = guest(mine.vm_id, mine.name, mine.node).model_copy(update={"addresses": (mine.address_alone,)})
    more = grown(old, VM | {"network": "dmz", "name": "svc", "count": "2"}, site_of(pool=pool).model_copy(update={"guests": (there,)}))
    assert not isinstance(more, str), more
    assert [m.address for m in only(more).machines] == ["10.0.40.10/24", "10.0.40.11/24"]


def test_the_gateway_of_a_known_network_is_not_asked_for() -> None:
    seen = site_of()
    item = Item(capability="virtual_machine", label="it", facts=facts(**(VM | {"network": "dmz", "address": "10.0.40.9"})))
    required = chain.understand(Request(items=(item,)), SITE, "operator")
    assert [one.name for one in required.parts[0].missing] == ["gateway"]
    assert chain.settled_by_world(required) == {"proxmox"}
    settled = chain.settle(required, situation(seen))
    assert settled.complete and settled.parts[0].text("gateway") == "10.0.40.1"


def test_a_netmask_belongs_to_its_address() -> None:
    [one] = machines({"network": "vmbr1", "address": "10.0.30.50", "netmask": "255.255.255.0", "gateway": "10.0.30.1"}, AWARE)
    assert (one.address, one.gateway) == ("10.0.30.50/24", "10.0.30.1")


def test_whoever_is_in_the_subnet_of_a_database_may_connect_also_where_the_cluster_does_not_tell_it() -> None:
    said = POSTGRESQL | {"network": "vmbr1"}
    fixed = said | {"address": "10.0.30.50/24", "gateway": "10.0.30.1"}
    allowed = []
    for one in (said, fixed):
        configure = only(composed("postgresql", one, AWARE)).configure
        assert configure is not None
        allowed.append(configure.variables["postgresql_allowed"])
    assert allowed == [[OWN_NETWORK], ["10.0.30.0/24"]]


def understood(site: Site = SITE, **said: str) -> Requirements:
    item = Item(capability="virtual_machine", label="it", facts=facts(**(VM | said)))
    return chain.understand(Request(items=(item,), wishes=(Wish(kind="high_availability", text="must fail over"),)), site, "operator")


def test_what_must_fail_over_is_on_shared_storage_and_looked_after_by_the_cluster() -> None:
    required, at = understood(), situation(four_nodes())
    offer = chain.offer(required, at)
    assert {c.places[0].storage for c in offer.parts[0].candidates} == {"ceph-vm"}
    assert {e.subject.split("/")[-1] for e in offer.parts[0].exclusions if "take over" in e.reason} >= {"local-lvm"}
    said = required.parts[0].field("high_availability")
    assert said is not None and said.words == "must fail over"
    proposal = pick_by_rule(offer)
    assert proposal is not None
    made = only(chain.compose(required, offer, proposal, at))
    assert made.machines[0].high_availability
    assert dict(made.rights)["/"] == ("Sys.Audit", "Sys.Console")
    assert not only(composed("virtual_machine", VM)).machines[0].high_availability


def test_where_there_is_one_node_nothing_can_fail_over() -> None:
    whole = four_nodes()
    alone = four_nodes(nodes=whole.nodes[:1])
    offer = chain.offer(understood(), situation(alone))
    assert not offer.parts[0].candidates
    assert any(e.subject == "high availability" for e in offer.parts[0].exclusions)


def test_an_environment_may_have_it_without_being_asked() -> None:
    site = SITE.model_copy(
        update={"environments": (Environment(name="production", high_availability=True), Environment(name="development"))}
    )
    for environment, expected in (("production", True), ("development", False)):
        item = Item(capability="virtual_machine", label="it", facts=facts(**(VM | {"environment": environment})))
        assert chain.understand(Request(items=(item,)), site, "operator").parts[0].yes("high_availability") is expected


def test_a_node_in_maintenance_takes_nothing_new() -> None:
    seen = four_nodes()
    away = seen.model_copy(update={"nodes": tuple(n.model_copy(update={"maintenance": n.name != "pve2"}) for n in seen.nodes)})
    _, offer = offered("virtual_machine", VM, away)
    assert {place.node for c in offer.parts[0].candidates for place in c.places} == {"pve2"}
    assert any("maintenance" in e.reason for e in offer.parts[0].exclusions)


def test_a_plan_names_the_rights_that_it_needs_and_what_is_lacking_is_granted_by_whole_roles() -> None:
    seen = four_nodes(templates=(template(9000, "debian-12", "pve1").model_copy(update={"cards": (("vmbr0", None), ("lan7", None))}),))
    seen = seen.model_copy(update={"networks": (*seen.networks, Network(name="lan7", bridge="lan7", vlan_tag=None, nodes=NAMES, zone="z"))})
    needed = dict(only(composed("virtual_machine", VM, seen)).rights)
    assert needed["/vms/9000"] == ("VM.Audit", "VM.Clone")
    assert {path for path, privileges in needed.items() if privileges == ("SDN.Use",)} == {
        "/sdn/zones/localnetwork/vmbr0",
        "/sdn/zones/localnetwork/vmbr0/20",
        "/sdn/zones/z/lan7",
    }
    whole = rights.life_rights("agents", "9.2.2")
    held = {"/pool/agents": frozenset(whole[0][1]) - {"Pool.Audit"}}
    missing = rights.lacking(whole, held)
    assert missing == (("/pool/agents", ("Pool.Audit",)),)
    role, acl = rights.lines("berth@pve!apply", missing, whole).splitlines()
    assert "VM.Allocate" in role and "Pool.Audit" in role, "a role on a path replaces what came from above"
    assert acl.strip() == "pveum acl modify /pool/agents --users berth@pve --tokens 'berth@pve!apply' --roles BerthApply"
    anywhere = rights.life_rights("", "8.4.1")
    assert "VM.Monitor" in anywhere[0][1]
    assert "BerthApply" in rights.lines("a@pve!b", anywhere, anywhere), "not the role of templates, which it would widen"
    of_9 = rights.life_rights("", "9.2.2")
    in_pool = (("/pool/agents", whole[0][1]), ("/vms", ("VM.Audit/",)))
    assert "`pool: agents`" in rights.pool_that_would_do(of_9, of_9, in_pool)
    assert rights.pool_that_would_do(of_9, of_9, (("/pool/agents", ("Pool.Audit",)),)) == ""


LOOKS = ("/", ("VM.Clone/", "VM.Audit/"))
MAKES = ("Datastore.AllocateSpace", "Datastore.Audit")


@pytest.mark.parametrize(
    ("held", "storages"),
    [
        ((), {"ceph-vm", "local-lvm"}),  # it could not be looked up
        ((("/", ("VM.Clone/", "VM.Audit/", *(f"{one}/" for one in MAKES))),), {"ceph-vm", "local-lvm"}),
        ((LOOKS, ("/storage/local-lvm", MAKES)), {"local-lvm"}),
        ((LOOKS, ("/storage/ceph-vm", MAKES)), {"ceph-vm"}),
        ((LOOKS, ("/storage", MAKES)), {"ceph-vm", "local-lvm"}),  # nothing goes down, so none would do: the lines that grant it are told
    ],
)
def test_a_place_that_the_token_may_not_use_is_left_out_where_another_will_do(held: rights.Held, storages: set[str]) -> None:
    template_everywhere = tuple(
        template(9000 + n, "debian-12", name, storages=("local-lvm",), shared=False) for n, name in enumerate(NAMES)
    )
    seen = four_nodes().model_copy(update={"held": held, "templates": template_everywhere})
    _, offer = offered("virtual_machine", VM, seen)
    assert {one.places[0].storage for one in offer.parts[0].candidates} <= storages
    left_out = [one.subject for one in offer.parts[0].exclusions if "the token that makes lacks" in one.reason]
    assert bool(left_out) == (len(storages) == 1)


def test_a_machine_without_a_network_is_no_machine() -> None:
    manifest = composed("virtual_machine", VM)
    assert "network.there" in errors(reviewed(spoilt(manifest, bridge="vmbr9")))


OLD = ("kvm64", "x86-64-v2")
ABLE = (*OLD, "x86-64-v2-AES", "x86-64-v3")


def test_what_proxmox_alone_knows_of_a_machine_is_as_it_was_said() -> None:
    told = {"cpu_type": "HOST", "vm_id": "150", "cloud_init_user": "deploy", "vm_notes": "the first", "start_order": "2", "count": "2"}
    one, other = machines({"network": "20"} | told, four_nodes())
    assert (one.cpu_type, one.user_name, one.start_order, one.description) == ("host", "deploy", 2, "the first")
    assert (one.vm_id, other.vm_id) == (150, 151), "outside the site's range, since they were said"
    seen = four_nodes()
    assert ("/", ("Sys.Audit", "Sys.Modify")) in rights.rights_of((one,), seen)
    there = seen.model_copy(update={"guests": (*seen.guests, guest(151, "old", "pve2"))})
    _, offer = offered("virtual_machine", VM | told, there)
    assert [(one.subject, one.reason) for one in offer.parts[0].exclusions] == [("VM id 151", "it is taken by old")]


@pytest.mark.parametrize(
    ("types", "chosen"),
    [
        ({}, "x86-64-v2-AES"),  # no node told its flags
        (dict.fromkeys(NAMES, ABLE), "x86-64-v2-AES"),
        ({NAMES[0]: OLD, NAMES[1]: ABLE}, "x86-64-v2"),  # a machine may have to move
        ({NAMES[0]: OLD[:1]}, "kvm64"),
    ],
)
def test_a_processor_is_of_a_type_that_every_node_can_give(types: dict[str, tuple[str, ...]], chosen: str) -> None:
    seen = four_nodes()
    nodes = tuple(n.model_copy(update={"cpu_types": types.get(n.name, ())}) for n in seen.nodes)
    [one] = machines({}, seen.model_copy(update={"nodes": nodes}))
    assert one.cpu_type == chosen


def test_a_type_of_processor_that_its_node_cannot_give_is_refused() -> None:
    seen = four_nodes()
    nodes = tuple(n.model_copy(update={"cpu_types": OLD}) for n in seen.nodes)
    manifest = composed("virtual_machine", VM | {"cpu_type": "x86-64-v3"}, seen.model_copy(update={"nodes": nodes}))
    assert errors(reviewed(manifest, seen.model_copy(update={"nodes": nodes}))) == ["processor"]


APART, TOGETHER = Relation(kind="apart", to="", quote="on different nodes"), Relation(kind="near", to="", quote="on one node")


@pytest.mark.parametrize(
    ("version", "environment", "count", "relations", "rules"),
    [
        ("9.2.2", "production", 2, (), ["negative"]),
        ("9.2.2", "production", 4, (), []),  # no node would be left for one whose node is lost
        ("9.2.2", "production", 4, (APART,), ["negative"]),
        ("9.2.2", "development", 2, (), []),
        ("9.2.2", "development", 2, (APART,), ["negative"]),
        ("9.2.2", "development", 2, (TOGETHER,), ["positive"]),
        ("9.2.2", "development", 1, (APART,), []),
        ("8.4.16", "production", 2, (APART,), []),
    ],
)
def test_rules_keep_machines_apart_or_together_when_a_node_is_lost(
    version: str, environment: str, count: int, relations: tuple[Relation, ...], rules: list[str]
) -> None:
    seen = four_nodes().model_copy(update={"version": version})
    said = VM | {"environment": environment, "count": str(count), "high_availability": "yes", "memory": "2 GB", "name": "svc"}
    item = Item(capability="virtual_machine", label="it", facts=facts(**said), relations=relations)
    required = chain.understand(Request(items=(item,)), SITE, "operator")
    at = situation(seen)
    offer = chain.offer(required, at)
    made = chain.compose(required, offer, pick_by_rule(offer), at)
    found = only(made).variables.get("affinities", [])
    assert [one["affinity"] for one in found] == rules
    assert all(one["machines"] == [m.name for m in only(made).machines] for one in found)
    nodes = {m.node for m in only(made).machines}
    assert len(nodes) == (1 if TOGETHER in relations else count if APART in relations else len(nodes))
    unruled = [f.kind for f in reviewed(made, seen).findings if f.check == "group.rules"]
    assert unruled == (["group.unruled"] if version.startswith("8") else [])


LARGER_ELSEWHERE = {"network": "30", "high_availability": "yes", "memory": "2 GB", "name": "svc"}


@pytest.mark.parametrize(
    ("version", "count", "nodes", "by_group"),
    [("9.2.2", "1", NAMES[:2], False), ("8.4.16", "2", NAMES[:2], True), ("9.2.2", "2", NAMES, False)],
)
def test_whoever_not_every_node_can_run_is_kept_on_those_that_can(version: str, count: str, nodes: tuple[str, ...], by_group: bool) -> None:
    seen = four_nodes().model_copy(update={"version": version})
    everywhere = set(nodes) == set(NAMES)
    manifest = composed("virtual_machine", VM | LARGER_ELSEWHERE | {"count": count} | ({"network": "20"} if everywhere else {}), seen)
    found = only(manifest).variables.get("confined", [])
    assert [(set(one["nodes"]), one["by_group"], one["machines"]) for one in found] == (
        [] if everywhere else [(set(nodes), by_group, [m.name for m in only(manifest).machines])]
    )
    assert errors(reviewed(manifest, seen)) == []
    untold = manifest.model_copy(update={"parts": (only(manifest).model_copy(update={"variables": {}}),)})
    assert errors(reviewed(untold, seen)) == ([] if everywhere else ["group.nodes"])


def test_high_availability_is_not_promised_where_no_other_node_could_run_it() -> None:
    seen = four_nodes()
    alone = tuple(n.model_copy(update={"nodes": NAMES[:1]}) if n.name == "30" else n for n in seen.networks)
    _, offer = offered("virtual_machine", VM | LARGER_ELSEWHERE, seen.model_copy(update={"networks": alone}))
    assert not offer.parts[0].candidates
    assert "no other node has both its network and its disks, so none could take over" in {e.reason for e in offer.parts[0].exclusions}


def test_the_loss_of_a_node_is_proved_by_nodes_that_can_run_what_was_on_it() -> None:
    """pve2 is the only other node with network 30: whether the others are empty says nothing."""
    full = guest(120, "giant", "pve2", memory_gib=92)
    seen = four_nodes().model_copy(update={"guests": (*four_nodes().guests, full)})
    said = VM | LARGER_ELSEWHERE | {"memory": "32 GB", "environment": "production", "node": "pve1"}
    assert errors(reviewed(composed("virtual_machine", said, seen), seen)) == ["failover.memory"]
    assert errors(reviewed(composed("virtual_machine", said | {"network": "20"}, seen), seen)) == []
