"""A network of SDN from words to a reviewed part: what is heard, where it is made, what needs nothing to be made, and what is refused."""

from __future__ import annotations

import pytest
from clusters import NAMES, SITE, facts, four_nodes
from machine_chain import composed, errors, only, reviewed, situation

from tests.hearing.facts import said as said_by
from tools.capabilities import catalogue, chain
from tools.capabilities.vnet.facts import short
from tools.rules.machines import rights, vnets
from tools.values.manifest import Part
from tools.values.offer import PartOffer
from tools.values.snapshot import ClusterSnapshot, Network, Zone


def bridge(name: str, vlan_ids: str = "2-4094", nodes: tuple[str, ...] = NAMES) -> Network:
    return Network(name=name, bridge=name, vlan_tag=None, nodes=nodes, vlan_ids=vlan_ids)


NET20 = Network(name="net20", bridge="net20", vlan_tag=None, nodes=NAMES, zone="lan", subnet="10.20.0.0/24")
LAN = Zone(name="lan", kind="vlan", bridge="vmbr0", nodes=NAMES, tags=((20, "net20"),))
WITH_ZONE = four_nodes(networks=(bridge("vmbr0"), NET20), zones=(LAN,))
PLAIN = four_nodes(networks=(bridge("vmbr0"), bridge("vmbr1", "")), zones=())
MANY = four_nodes(
    networks=(bridge("vmbr0", "2-99"), bridge("vmbr1", nodes=("pve1", "pve2"))),
    zones=(LAN, Zone(name="lab", kind="vlan", bridge="vmbr1", nodes=("pve1", "pve2")), Zone(name="far", kind="vxlan", nodes=NAMES)),
)

SENTENCES = [
    ("make a VLAN 60 network for the lab, 10.0.60.0/24", {"vlan": 60, "subnet": "10.0.60.0/24"}),
    ("create a vnet dmz in zone z1, tag 30", {"vlan": 30, "name": "dmz", "zone": "z1"}),
    ("a new network lab, VLAN 60, gateway 10.0.60.1, subnet 10.0.60.0/24", {"name": "lab", "gateway": "10.0.60.1"}),
    ("create a new VLAN 60 network called lab in zone lan", {"vlan": 60, "name": "lab", "zone": "lan"}),
    ("set up an SDN vnet called dmz in zone z1, tag 30 on vmbr1, production", {"bridge": "vmbr1", "environment": "production"}),
]


@pytest.mark.parametrize(("sentence", "expected"), SENTENCES, ids=[s[0][:30] for s in SENTENCES])
def test_a_sentence_becomes_complete_needs(sentence: str, expected: dict[str, object]) -> None:
    [needs] = chain.understand(said_by(sentence), SITE, "operator").parts
    assert (needs.capability, needs.missing, needs.problems) == ("vnet", (), ())
    assert expected.items() <= {f.name: f.value for f in needs.fields}.items()


@pytest.mark.parametrize(
    "sentence",
    ["a web server on vnet dmz for development", "a VM on a new VLAN 60 with 2 cores", "PostgreSQL for 50 users on a VLAN 60 network"],
)
def test_a_network_that_machines_are_to_be_on_is_none_that_is_asked_for(sentence: str) -> None:
    assert "vnet" not in [item.capability for item in said_by(sentence).items]


@pytest.mark.parametrize(
    ("said", "disputed"),
    [
        ({"vlan": "5000"}, "vlan"),
        ({"vlan": "60", "zone": "backoffice"}, "zone"),
        ({"vlan": "60", "name": "***"}, "name"),
        ({"vlan": "60", "zone_kind": "vxlan"}, "zone_kind"),
        ({"vlan": "60", "subnet": "10.0.60.5"}, "subnet"),
        ({"vlan": "60", "gateway": "10.0.60.1"}, "gateway"),
        ({"vlan": "60", "subnet": "10.0.60.0/24", "gateway": "10.0.61.1"}, "gateway"),
    ],
)
def test_what_cannot_be_taken_is_asked_about(said: dict[str, str], disputed: str) -> None:
    assert disputed in catalogue()["vnet"].ON["proxmox"].understand(facts(**said), SITE).disputed


@pytest.mark.parametrize(("name", "called"), [("lab", "lab"), ("Back office", "Backoffi"), ("60", ""), ("2nd-floor", "ndfloor"), ("x", "")])
def test_a_name_is_shortened_as_proxmox_takes_it(name: str, called: str) -> None:
    assert short(name) == called


def offered(seen: ClusterSnapshot, **said: str) -> PartOffer:
    needs = catalogue()["vnet"].ON["proxmox"].understand(facts(**said), SITE)
    assert not needs.problems and not needs.missing
    return catalogue()["vnet"].ON["proxmox"].offer(needs, situation(seen))


@pytest.mark.parametrize(
    ("seen", "said", "zone", "nodes"),
    [
        (WITH_ZONE, {"vlan": "60"}, "lan", NAMES),
        (WITH_ZONE, {"vlan": "60", "zone": "lan"}, "lan", NAMES),
        (WITH_ZONE, {"vlan": "20", "zone": "z1", "name": "lab"}, "z1", NAMES),
        (PLAIN, {"vlan": "60", "zone": "z1"}, "z1", NAMES),
        (MANY, {"vlan": "60", "bridge": "vmbr1"}, "lab", ("pve1", "pve2")),
        (MANY, {"vlan": "300", "zone": "z1"}, "z1", ("pve1", "pve2")),
    ],
)
def test_where_it_is_made(seen: ClusterSnapshot, said: dict[str, str], zone: str, nodes: tuple[str, ...]) -> None:
    [candidate] = offered(seen, **said).candidates
    choice = dict(candidate.choice)
    assert (candidate.id, choice["nodes"], choice["is_new"]) == (zone, ", ".join(nodes), zone == "z1")


@pytest.mark.parametrize(
    ("seen", "said", "subject"),
    [
        (PLAIN, {"vlan": "60"}, "VLAN 60"),  # nothing has to be made
        (WITH_ZONE, {"vlan": "20"}, "VLAN 20"),  # it is net20 already
        (WITH_ZONE, {"vlan": "60", "name": "net20"}, "net20"),
        (WITH_ZONE, {"vlan": "60", "zone": "lan", "bridge": "vmbr1"}, "zone lan"),
        (MANY, {"vlan": "60"}, "the zone"),  # there are two
        (MANY, {"vlan": "60", "zone": "far"}, "zone far"),  # of another kind
        (MANY, {"vlan": "300", "zone": "lan"}, "bridge vmbr0"),  # it does not let it through
        (MANY, {"vlan": "60", "zone": "z1"}, "the bridge"),  # there are two
        (PLAIN, {"vlan": "60", "zone": "z1", "bridge": "vmbr1"}, "bridge vmbr1"),
        (PLAIN, {"vlan": "60", "zone": "z1", "bridge": "vmbr7"}, "bridge vmbr7"),
    ],
)
def test_where_it_is_not_made(seen: ClusterSnapshot, said: dict[str, str], subject: str) -> None:
    found = offered(seen, **said)
    assert not found.candidates and found.counter_offer
    assert [one.subject for one in found.exclusions] == [subject]


SAID = {"vlan": "60", "name": "lab", "zone": "z1", "subnet": "10.0.60.0/24", "gateway": "10.0.60.1"}


def part() -> Part:
    return only(composed("vnet", SAID, WITH_ZONE))


def test_a_part_says_all_that_is_made_and_who_may() -> None:
    made = part()
    assert made.variables == {
        "zone": {"id": "z1", "made": True, "bridge": "vmbr0", "nodes": []},
        "vnet": {"id": "lab", "tag": 60, "alias": None},
        "subnet": {"cidr": "10.0.60.0/24", "gateway": "10.0.60.1"},
    }
    assert [(one.kind, one.name) for one in made.resources] == [("SDN zone", "z1"), ("SDN vnet", "lab"), ("SDN subnet", "10.0.60.0/24")]
    assert [path for path, _ in made.rights] == ["/sdn", "/sdn/zones", "/sdn/zones/z1", "/sdn/zones/z1/lab"]
    assert made.confirm and not made.machines
    assert set(chain.reserves(made).names) == {"SDN zone z1", "SDN vnet lab", "SDN subnet 10.0.60.0/24"}
    assert {line.split()[-1] for line in rights.lines("a@pve!b", made.rights, made.rights).splitlines() if "acl" in line} == {"BerthSdn"}


OTHERS = NET20.model_copy(update={"name": "lab", "bridge": "lab", "zone": "far", "subnet": ""})
NEAR = NET20.model_copy(update={"subnet": "10.0.0.0/16"})


@pytest.mark.parametrize(
    ("changes", "checks"),
    [
        ({}, []),
        ({"sdn_waiting": ("vnet other",)}, ["sdn.applied"]),
        ({"networks": (bridge("vmbr0"), OTHERS)}, ["name.free"]),
        ({"zones": (LAN.model_copy(update={"name": "z1"}),)}, ["zone.fits"]),
        ({"networks": (bridge("vmbr0", "2-59"),)}, ["zone.fits"]),
        ({"zones": (Zone(name="z1", kind="vlan", bridge="vmbr0", tags=((60, "x"),)),)}, ["zone.fits", "vlan.free"]),
        ({"networks": (bridge("vmbr0"), NEAR)}, []),  # a warning
    ],
)
def test_it_is_reviewed_from_scratch(changes: dict[str, object], checks: list[str]) -> None:
    manifest, seen = composed("vnet", SAID, WITH_ZONE), WITH_ZONE.model_copy(update=changes)
    assert sorted(errors(reviewed(manifest, seen))) == sorted(checks)
    owned = only(manifest).model_copy(update={"owned": ("vnets/lab", "zones/z1", "subnets/z1-10.0.60.0-24")})
    if "name.free" in checks:  # in a run that is taken up again it is its own
        assert not errors(reviewed(manifest.model_copy(update={"parts": (owned,)}), seen))


def test_what_waits_of_its_own_is_in_nobody_s_way() -> None:
    manifest, waiting = composed("vnet", SAID, WITH_ZONE), ("zone z1", "vnet lab", "subnet z1-10.0.60.0-24")
    owned = only(manifest).model_copy(update={"owned": ("zones/z1",)})
    assert not errors(reviewed(manifest.model_copy(update={"parts": (owned,)}), WITH_ZONE.model_copy(update={"sdn_waiting": waiting})))


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        ({"gateway": "10.0.60.254"}, True),
        ({"name": "The lab of all"}, True),
        ({"vlan": "61"}, False),
        ({"zone": "lan"}, False),
        ({"subnet": "10.0.61.0/24", "gateway": "10.0.61.1"}, False),
    ],
)
def test_what_may_be_changed_of_it(said: dict[str, str], changed: bool) -> None:
    stands, old = catalogue()["vnet"].ON["proxmox"], part()
    needs = stands.understand(facts(**(SAID | said)), SITE)
    assert stands.stay is not None and stands.keep is not None
    found = stands.stay(old, needs, situation(WITH_ZONE))
    assert bool(found.candidates) is changed
    if changed:
        new = only(composed("vnet", SAID | said, WITH_ZONE))
        kept = stands.keep(old, new)
        assert (kept.variables["vnet"]["id"], kept.variables["zone"]) == ("lab", old.variables["zone"])
        assert kept.owned == ("vnets/lab", "zones/z1")


def test_whoever_is_on_it_is_found_by_every_card() -> None:
    guests = [{"vmid": 101, "name": "b"}, {"vmid": 100, "name": "a"}, {"vmid": 102, "name": "c"}]
    configs = {
        100: {"net3": "virtio=AA,bridge=lab"},
        101: {"net0": "name=eth0,bridge=lab,type=veth"},
        102: {"net0": "virtio=AA,bridge=lab2"},
    }
    assert vnets.users("lab", guests, configs) == ("VM 100 (a)", "VM 101 (b)")


def test_a_node_without_it_is_named() -> None:
    told = {"pve1": [{"vnet": "lab", "status": "available"}], "pve2": [{"vnet": "lab", "status": "pending"}], "pve3": []}
    assert [sentence.split()[0] for sentence in vnets.missing_on("lab", told)] == ["On", "pve3"]


NEW_ZONE = {"zone": "z60", "state": "new", "type": "vlan", "pending": {"bridge": "vmbr0"}}
NEW_VNET = {"vnet": "lab", "state": "new", "type": "vnet", "pending": {"zone": "z60", "tag": 60}}


@pytest.mark.parametrize(
    ("recorded", "zone", "vnet", "left"),
    [
        ((), NEW_ZONE, NEW_VNET, ["lab", "z60"]),  # the vnet goes first
        (("zones/z60",), NEW_ZONE, NEW_VNET, ["lab"]),
        (("zones/z60", "vnets/lab"), NEW_ZONE, NEW_VNET, []),
        ((), {**NEW_ZONE, "pending": {"bridge": "vmbr1"}}, {**NEW_VNET, "pending": {"zone": "z60", "tag": 61}}, []),  # somebody else's
        ((), {"zone": "z60", "type": "vlan", "bridge": "vmbr0"}, {**NEW_VNET, "state": "changed"}, []),  # they count already
    ],
)
def test_what_was_written_down_and_not_recorded_is_the_parts_own_only_where_it_is_alike(
    recorded: tuple[str, ...], zone: dict[str, object], vnet: dict[str, object], left: list[str]
) -> None:
    part = only(composed("vnet", {"vlan": "60", "name": "lab", "zone": "z60", "bridge": "vmbr0"}, PLAIN))
    found = vnets.half_made(part, recorded, {vnets.ZONE: [zone], vnets.VNET: [vnet], vnets.SUBNET: []})
    assert [one.name for one in found] == left
    assert vnets.to_be_cleared([vnets.removal_of(one) for one in found], part) == found
