"""Which network is meant: bridges of every kind, tags, vnets and the site's own names; what contradicts itself is asked about."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.clusters import NAMES, four_nodes
from tools.rules.machines import networks, seeing
from tools.rules.machines.networks import Wish
from tools.rules.names.scanned import Row
from tools.values.requirements import Field, Missing, Needs, Origin
from tools.values.site import SiteNetwork
from tools.values.snapshot import ClusterSnapshot, Network


def bridge(name: str, kind: str = "bridge", **more: Any) -> Row:
    return {"iface": name, "type": kind, **more}


AWARE = bridge("vmbr0", bridge_vlan_aware=1, bridge_vids="2-99 200", bridge_ports="eno1", cidr="10.0.0.11/24", gateway="10.0.0.1")
CLASSIC = bridge("vmbr1", bridge_ports="eno2")
OVS = bridge("vmbr2", "OVSBridge", ovs_ports="eno3")
OF_VLAN = bridge("vmbr40", bridge_ports="bond0.40")
INNER = bridge("vmbr9", bridge_ports="")
OWN_VLAN = {"iface": "vmbr0.50", "type": "vlan", "vlan-id": "50", "cidr": "10.0.50.11/24"}


def cluster(by_node: dict[str, list[Row]], vnets: list[Row] | None = None, configs: dict[int, Row] | None = None) -> ClusterSnapshot:
    bridges = tuple(seeing.bridges(by_node))
    made = seeing.vnets(vnets or [], {"z": {}}, {"dmz": ("10.0.70.0/24", "10.0.70.1")}, tuple(by_node))
    seen = seeing.tagged(configs or {}, bridges, seeing.subnets_of_vlans(by_node))
    return four_nodes(networks=seeing.named_once((*seen, *made, *bridges)))


ONE = cluster({"pve1": [AWARE]})
MANY = cluster(
    {"pve1": [AWARE, CLASSIC, OVS, OF_VLAN, INNER, OWN_VLAN], "pve2": [AWARE, OF_VLAN], "pve3": [bridge("vmbr0", bridge_ports="eno1.7")]},
    [{"vnet": "dmz", "zone": "z", "tag": 70, "alias": "The DMZ"}],
    {110: {"net0": "virtio=AA,bridge=vmbr0,tag=20"}, 111: {"net0": "virtio=AB,bridge=vmbr0,tag=300"}},
)


@pytest.mark.parametrize(
    ("seen", "wish", "found"),
    [
        (ONE, Wish("40", "vmbr0", 40), ("vmbr0", 40, ("pve1",))),
        (ONE, Wish("40", tag=40), ("vmbr0", 40, ("pve1",))),
        (ONE, Wish("vmbr0.40"), ("vmbr0", 40, ("pve1",))),
        (ONE, Wish("vmbr0v40"), ("vmbr0", 40, ("pve1",))),
        (ONE, Wish("vmbr0"), ("vmbr0", None, ("pve1",))),
        (ONE, Wish("vmbr0", tag=0), ("vmbr0", None, ("pve1",))),
        (ONE, Wish(), ("vmbr0", None, ("pve1",))),
        (ONE, Wish("10.0.0.0/24"), ("vmbr0", None, ("pve1",))),
        (MANY, Wish(addresses=("10.0.70.9/24",)), ("dmz", None, ("pve1", "pve2", "pve3"))),
        (MANY, Wish("20"), ("vmbr0", 20, ("pve1", "pve2"))),
        (MANY, Wish("20", tag=20), ("vmbr0", 20, ("pve1", "pve2"))),
        (MANY, Wish("200", "vmbr0", 200), ("vmbr0", 200, ("pve1", "pve2"))),
        (MANY, Wish("300", "vmbr2", 300), ("vmbr2", 300, ("pve1",))),
        (MANY, Wish("300", "vmbr1", 300), ("vmbr1", 300, ("pve1",))),
        (MANY, Wish("vmbr1", tag=0), ("vmbr1", None, ("pve1",))),
        (MANY, Wish("vmbr0"), ("vmbr0", None, ("pve1", "pve2", "pve3"))),
        (MANY, Wish("vmbr40"), ("vmbr40", None, ("pve1", "pve2"))),
        (MANY, Wish("40"), ("vmbr40", None, ("pve1", "pve2"))),
        (MANY, Wish("the dmz"), ("dmz", None, ("pve1", "pve2", "pve3"))),
        (MANY, Wish("70"), ("dmz", None, ("pve1", "pve2", "pve3"))),
        (MANY, Wish("70", "vmbr0", 70), ("vmbr0", 70, ("pve1", "pve2"))),
        (MANY, Wish("10.0.70.0/24"), ("dmz", None, ("pve1", "pve2", "pve3"))),
    ],
)
def test_what_is_said_is_found(seen: ClusterSnapshot, wish: Wish, found: tuple[str, int | None, tuple[str, ...]]) -> None:
    network = networks.find(seen, wish)
    assert isinstance(network, Network), network
    assert (network.bridge, network.vlan_tag, network.nodes) == found
    assert set(network.nodes) <= set(networks.nodes_of(seen, network.bridge, network.vlan_tag) or ())


@pytest.mark.parametrize(
    ("seen", "wish", "names"),
    [
        (ONE, Wish("300", tag=300), ("300", "vmbr0")),  # which does not let it through
        (ONE, Wish("300", "vmbr0", 300), ("300", "2-99 200")),
        (ONE, Wish("99"), ("99", "VLAN 99")),  # nobody said that it is a VLAN
        (ONE, Wish("40", "vmbr7", 40), ("vmbr7",)),
        (ONE, Wish("40", tag=0), ("VLAN 40", "no tag")),
        (ONE, Wish("40", tag=50), ("VLAN 40", "VLAN 50")),
        (ONE, Wish("lab"), ("lab",)),
        (ONE, Wish("10.9.0.0/24"), ("10.9.0.0/24", "10.0.0.0/24")),
        (MANY, Wish("44", tag=44), ("vmbr0", "vmbr1", "vmbr2")),
        (MANY, Wish("the dmz", tag=20), ("20", "the dmz")),
        (MANY, Wish("20", "vmbr40", 20), ("vmbr40",)),
        (MANY, Wish("5", "vmbr9", 5), ("vmbr9",)),
        (MANY, Wish(), ("20", "vmbr0", "dmz")),
    ],
)
def test_what_cannot_be_or_could_be_several_is_asked(seen: ClusterSnapshot, wish: Wish, names: tuple[str, ...]) -> None:
    told = networks.find(seen, wish)
    assert isinstance(told, str)
    assert [name for name in names if name not in told] == []


def test_a_tag_on_several_bridges_is_asked_about() -> None:
    seen = four_nodes(networks=(*four_nodes().networks, Network(name="20", bridge="vmbr1", vlan_tag=20, nodes=NAMES)))
    told = networks.find(seen, Wish("20", tag=20))
    assert isinstance(told, str) and "vmbr0" in told and "vmbr1" in told
    assert isinstance(networks.find(seen, Wish("20", "vmbr1", 20)), Network)


def test_the_site_names_networks_and_tells_what_no_scan_can() -> None:
    known = SiteNetwork.model_validate(
        {"name": "DMZ", "bridge": "vmbr0", "vlan_tag": 40, "subnet": "10.0.40.0/24", "gateway": "10.0.40.1", "pool": ["10.0.40.9"]}
    )
    seen = networks.as_known(ONE, [known])
    for wish in (Wish("dmz"), Wish("40", tag=40), Wish("10.0.40.0/24"), Wish(addresses=("10.0.40.7",))):
        network = networks.find(seen, wish)
        assert isinstance(network, Network)
        assert (network.bridge, network.vlan_tag, network.gateway, network.pool) == ("vmbr0", 40, "10.0.40.1", ("10.0.40.9",))
        assert network.nodes == ("pve1",)


def test_one_network_is_taken_and_several_are_suggested() -> None:
    asked = Missing(name="network", question="Which?", suggestions=("network 20",))
    needs = Needs(capability="virtual_machine", platform="proxmox", missing=(asked,))
    settled = networks.choose(needs, ONE)
    assert (settled.missing, settled.text("network")) == ((), "vmbr0")
    suggested = networks.choose(needs, MANY).missing[0].suggestions
    assert suggested[:2] == ("network 20", "network 7") and len(suggested) == networks.SUGGESTIONS_MAX


@pytest.mark.parametrize(
    ("said", "network", "node"),
    [("vmbr0", "vmbr0", ""), ("PVE1", "vmbr0", "PVE1"), ("nowhere", "vmbr0", "nowhere")],
)
def test_what_a_machine_is_to_be_on_is_the_one_of_node_and_network_that_there_is(said: str, network: str, node: str) -> None:
    field = Field(name="node", value=said, origin=Origin.SAID, words=f"on {said}")
    asked = Missing(name="network", question="Which?")
    settled = networks.choose(Needs(capability="virtual_machine", platform="proxmox", fields=(field,), missing=(asked,)), ONE)
    assert (settled.missing, settled.text("network"), settled.text("node")) == ((), network, node)


INTERFACES = [AWARE, CLASSIC, OVS, OF_VLAN, INNER, OWN_VLAN, bridge("vmbr0", bridge_ports="eno1.7")]
VNETS: list[Row] = [{"vnet": "dmz", "zone": "z", "tag": 70, "alias": "The DMZ"}, {"vnet": "lan", "zone": "z", "tag": 50}]
CARDS = st.builds("virtio=AA,bridge={},tag={}".format, st.sampled_from(["vmbr0", "vmbr1", "vmbr9", "dmz"]), st.sampled_from([20, 50, 70]))
WISHES = st.builds(
    Wish,
    st.sampled_from(
        ["", "20", "50", "70", "20", "vmbr0", "vmbr0.50", "dmz", "The DMZ", "office", "10.0.50.0/24", "10.0.70.0/24", "nothing"]
    ),
    st.sampled_from(["", "", "vmbr0", "vmbr1"]),
    st.sampled_from([None, None, 0, 20, 50]),
)
OFFICE = SiteNetwork(name="office", bridge="vmbr1", vlan_tag=20)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(INTERFACES), min_size=1, max_size=4, unique_by=lambda row: str(row["iface"])), min_size=1, max_size=2
    ),
    st.lists(st.sampled_from(VNETS), unique_by=lambda row: str(row["vnet"])),
    st.lists(CARDS, max_size=4),
    WISHES,
    st.booleans(),
)
def test_what_is_settled_by_the_guests_that_were_read_stays_so_by_all(
    interfaces: list[list[Row]], vnets: list[Row], cards: list[str], wish: Wish, known_to_site: bool
) -> None:
    by_node = {f"pve{number}": rows for number, rows in enumerate(interfaces, 1)}
    tags = [*seeing.subnets_of_vlans(by_node), *(int(str(row["tag"])) for row in vnets)]

    bare = cluster(by_node, vnets)
    runs = [card for card in cards if _is_carried(bare, *re.findall(r"=(\w+)", card)[1:])]

    def seen(count: int) -> ClusterSnapshot:
        of_guests: dict[int, Row] = {100 + number: {"net0": card} for number, card in enumerate(runs[:count])}
        return networks.as_known(cluster(by_node, vnets, of_guests), [OFFICE] if known_to_site else [])

    whole = place(networks.find(seen(len(runs)), wish))
    for count in range(len(runs)):
        if networks.is_settled(seen(count), wish, tags):
            assert place(networks.find(seen(count), wish)) == whole, count


def place(found: Network | str) -> object:
    return isinstance(found, str) or (found.bridge, found.vlan_tag, found.nodes, found.subnet, found.gateway)


def _is_carried(seen: ClusterSnapshot, on: str, tag: str) -> bool:
    """A guest whose bridge is not there, or does not let its tag through, does not start."""
    return any(n.bridge == on and (n.zone != "localnetwork" or networks.lets_through(n, int(tag))) for n in seen.networks)
