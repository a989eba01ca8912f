"""Zones, vnets and subnets are written down, applied and taken back; a card on a vnet reaches what the zone's bridge lets through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster_sim.proxmox.access import Grant
from cluster_sim.proxmox.saving import restore, save
from cluster_sim.world import World
from tests.cluster_sim.proxmox.driver import SCAN, Driver, Refused


@pytest.fixture
def pve(four_nodes: World) -> Driver:
    pve = Driver(four_nodes)
    pve.cluster.access.grants.append(Grant("/", "berth@pve", "Administrator"))
    return pve


def lab(pve: Driver, **more: Any) -> None:
    """A zone of VLANs with one vnet and its subnet, written down."""
    pve.post("/cluster/sdn/zones", zone="lab", type="vlan", bridge="vmbr0", **more)
    pve.post("/cluster/sdn/vnets", vnet="lab50", zone="lab", tag=50, alias="The lab", **more)
    pve.post("/cluster/sdn/vnets/lab50/subnets", subnet="10.0.50.0/24", type="subnet", gateway="10.0.50.1", **more)


def on_vnet(pve: Driver, vnet: str) -> str:
    """How the start of a machine on it ends."""
    if 201 not in pve.cluster.guests:
        assert pve.clone(201) == "OK"
    pve.call("PUT", "/nodes/pve1/qemu/201/config", {"net0": f"virtio,bridge={vnet}", "ipconfig0": "ip=dhcp"})
    return pve.end(pve.post("/nodes/pve1/qemu/201/status/start"))


def test_what_is_written_down_counts_when_it_is_applied(pve: Driver) -> None:
    before = pve.get("/cluster/sdn/vnets", running=1)
    lab(pve)
    [zone] = [one for one in pve.get("/cluster/sdn/zones", pending=1) if one["zone"] == "lab"]
    assert (zone["state"], zone["pending"]) == ("new", {"bridge": "vmbr0"})
    assert [one["cidr"] for one in pve.get("/cluster/sdn/vnets/lab50/subnets", pending=1)] == ["10.0.50.0/24"]
    assert pve.get("/cluster/sdn/vnets", running=1) == before
    assert "lab50" not in {one["iface"] for one in pve.get("/nodes/pve1/network", type="any_bridge")}
    assert pve.end(pve.call("PUT", "/cluster/sdn", {})) == "OK"
    assert {one["state"] for one in pve.get("/cluster/sdn/zones", pending=1) if "state" in one} == set()
    assert "lab50" in {one["iface"] for one in pve.get("/nodes/pve1/network", type="any_bridge")}
    [vnet] = [one for one in pve.get("/cluster/sdn/vnets", running=1) if one["vnet"] == "lab50"]
    assert (vnet["zone"], vnet["tag"], vnet["alias"], vnet["type"]) == ("lab", 50, "The lab", "vnet")
    assert "sdn/pve1/lab" in {one["id"] for one in pve.get("/cluster/resources", type="sdn")}


def test_a_machine_starts_on_a_vnet_that_runs_and_reaches_its_vlan(pve: Driver) -> None:
    lab(pve)
    pve.post("/cluster/sdn/vnets", vnet="lab20", zone="lab", tag=20)
    assert on_vnet(pve, "lab50") == "start failed: QEMU exited with code 1", "there is no such bridge yet"
    pve.call("PUT", "/cluster/sdn", {})
    assert on_vnet(pve, "lab50") == "OK"
    pve.end(pve.post("/nodes/pve1/qemu/201/status/stop"))
    assert on_vnet(pve, "lab20") == "OK"
    pve.clock.advance(30)
    told = pve.get("/nodes/pve1/qemu/201/agent/network-get-interfaces")["result"]
    shown = [one["ip-address"] for card in told for one in card.get("ip-addresses", []) if one["ip-address-type"] == "ipv4"]
    assert any(one.startswith("10.20.0.") for one in shown), "VLAN 20 of the world is on that bridge, and gives addresses"


def test_a_zone_is_where_its_nodes_and_its_bridge_are(pve: Driver) -> None:
    pve.post("/cluster/sdn/zones", zone="lab", type="vlan", bridge="vmbr0", nodes="pve2")
    pve.post("/cluster/sdn/vnets", vnet="lab50", zone="lab", tag=50)
    pve.call("PUT", "/cluster/sdn", {})
    seen = {node: {one["iface"] for one in pve.get(f"/nodes/{node}/network", type="any_bridge")} for node in ("pve1", "pve2")}
    assert ("lab50" in seen["pve1"], "lab50" in seen["pve2"]) == (False, True)


def test_what_was_written_down_can_be_taken_back_and_removed_in_order(pve: Driver) -> None:
    was = pve.cluster.sdn.running
    lab(pve)
    pve.post("/cluster/sdn/rollback")
    assert pve.cluster.sdn.written == was and not pve.cluster.sdn.changed
    lab(pve)
    pve.call("PUT", "/cluster/sdn", {})
    pve.delete("/cluster/sdn/vnets/lab50/subnets/lab-10.0.50.0-24")
    pve.delete("/cluster/sdn/vnets/lab50")
    pve.delete("/cluster/sdn/zones/lab")
    assert {one["zone"]: one.get("state") for one in pve.get("/cluster/sdn/zones", pending=1)}["lab"] == "deleted"
    pve.call("PUT", "/cluster/sdn", {})
    assert pve.cluster.sdn.running == was


def test_whoever_holds_the_lock_alone_changes_anything(pve: Driver) -> None:
    token = pve.post("/cluster/sdn/lock")
    with pytest.raises(Refused, match="create sdn zone object failed: invalid lock token provided!"):
        lab(pve)
    pve.post("/cluster/sdn/zones", zone="lab", type="simple", **{"lock-token": token})
    pve.call("PUT", "/cluster/sdn", {"lock-token": token})
    pve.put("/cluster/sdn/zones/lab", mtu=1400)
    assert [one["pending"] for one in pve.get("/cluster/sdn/zones", pending=1) if one.get("state") == "changed"] == [{"mtu": 1400}]
    with pytest.raises(Refused, match="configuration has pending changes"):
        pve.post("/cluster/sdn/lock")
    pve.post("/cluster/sdn/lock", **{"allow-pending": 1})
    pve.delete("/cluster/sdn/lock", force=1)
    assert pve.cluster.sdn.lock == ""


@pytest.mark.parametrize(
    ("method", "path", "form", "words"),
    [
        ("POST", "zones", {"zone": "lab", "type": "simple"}, "create sdn zone object failed: sdn zone object ID 'lab' already defined"),
        ("POST", "zones", {"zone": "other", "type": "vlan"}, "missing value for required option 'bridge'"),
        ("POST", "zones", {"zone": "other", "type": "simple", "bridge": "vmbr0"}, "unexpected property 'bridge'"),
        ("POST", "zones", {"zone": "other", "type": "vlan", "bridge": "vmbr0", "dhcp": "dnsmasq"}, "unexpected property 'dhcp'"),
        ("POST", "zones", {"zone": "other", "type": "simple", "dnszone": "example.org"}, "dnszone: missing dns server"),
        ("POST", "zones", {"zone": "other", "type": "simple", "dns": "ns"}, "dns: ns don't exist"),
        ("POST", "zones", {"zone": "other", "type": "evpn"}, "missing value for required option 'controller'"),
        ("POST", "zones", {"zone": "other", "type": "qinq", "bridge": "vmbr0"}, "missing value for required option 'tag'"),
        ("PUT", "zones/lab", {"delete": "bridge"}, "unable to delete required option 'bridge'"),
        ("PUT", "zones/lab", {"delete": "tag"}, "update sdn zone object failed: no such option 'tag'"),
        ("PUT", "zones/lab", {"delete": "mtu", "mtu": 1400}, "cannot set and delete property 'mtu' at the same time!"),
        ("PUT", "zones/lab", {"ipam": "pve"}, "ipam: can't change ipam if a subnet is already defined in this zone"),
        ("PUT", "zones/lab", {"mtu": 1400, "digest": "0" * 40}, "detected modified configuration - file changed by other user? Try again."),
        ("PUT", "vnets/lab50", {"alias": "a", "digest": "0" * 40}, "detected modified configuration"),
        ("PUT", "vnets/lab50", {"delete": "zone"}, "unable to delete required option 'zone'"),
        ("PUT", "vnets/lab50/subnets/lab-10.0.50.0-24", {"delete": "gateway", "digest": "0" * 40}, "detected modified configuration"),
        ("PUT", "zones/none", {"mtu": 1400}, "update sdn zone object failed: sdn 'none' does not exist"),
        ("DELETE", "zones/lab", {}, "delete sdn zone object failed: zone lab is used by vnet lab50"),
        ("DELETE", "vnets/lab50", {}, "vnet: Can't delete vnet if subnets exists"),
        ("POST", "zones", {"zone": "other", "type": "simple", "ipam": "netbox"}, "ipam: netbox not existing"),
        ("POST", "zones", {"zone": "other", "type": "evpn", "controller": "c", "vrf-vxlan": 1}, "Zones of type evpn are not simulated"),
        ("POST", "vnets", {"vnet": "lab50", "zone": "lab", "tag": 51}, "sdn vnet object ID 'lab50' already defined"),
        ("POST", "vnets", {"vnet": "lab51", "zone": "lab", "tag": 50}, "tag: tag 50 already exist in vnet lab50"),
        ("POST", "vnets", {"vnet": "lab51", "zone": "lab"}, "tag: missing vlan tag"),
        ("POST", "vnets", {"vnet": "lab51", "zone": "lab", "tag": 5000}, "tag: vlan tag max value is 4096"),
        ("POST", "vnets", {"vnet": "lab51", "zone": "none", "tag": 5}, "cannot lookup undefined type!"),
        ("PUT", "vnets/none", {"tag": 5}, "sdn vnet 'none' does not exist"),
        ("PUT", "vnets/lab50", {"zone": "lan"}, "zone: can't change zone if subnets exist"),
        ("PUT", "vnets/lab50", {"vlanaware": 1}, "vlanaware: vlanaware vnet is not compatible with subnets"),
        ("POST", "vnets/lab50/subnets", {"subnet": "10.0.50.0/24", "type": "subnet"}, "'lab-10.0.50.0-24' already defined"),
        ("POST", "vnets/lab50/subnets", {"subnet": "10.0.51.5/24", "type": "subnet"}, "value does not look like a valid CIDR network"),
        (
            "POST",
            "vnets/lab50/subnets",
            {"subnet": "10.0.51.0/24", "type": "subnet", "gateway": "10.0.50.1"},
            "gateway: 10.0.50.1 is not in subnet 10.0.51.0/24",
        ),
    ],
)
def test_what_cannot_be_is_refused(pve: Driver, method: str, path: str, form: dict[str, Any], words: str) -> None:
    lab(pve)
    with pytest.raises(Refused) as refused:
        pve.call(method, f"/cluster/sdn/{path}", form)
    assert words in refused.value.reason and refused.value.status in (500, 501)


def test_whoever_knows_what_it_is_changes_it(pve: Driver) -> None:
    lab(pve)
    for where, form in (("zones", {"mtu": 1400}), ("vnets", {"alias": "new"}), ("vnets/lab50/subnets", {"gateway": "10.0.50.2"})):
        one = next(one for one in pve.get(f"/cluster/sdn/{where}") if "lab" in (one.get("zone"), one.get("vnet")))
        id = one.get("subnet") or one.get("vnet") or one["zone"]
        pve.put(f"/cluster/sdn/{where}/{id}", digest=one["digest"], **form)
        with pytest.raises(Refused, match="detected modified configuration"):
            pve.put(f"/cluster/sdn/{where}/{id}", digest=one["digest"], **form)
        assert "digest" not in pve.get(f"/cluster/sdn/{where}", pending=1)[0]


def test_it_takes_the_right_to_allocate(four_nodes: World) -> None:
    pve = Driver(four_nodes, token=SCAN)
    for method, path, form in (
        ("POST", "/cluster/sdn/zones", {"zone": "lab", "type": "simple"}),
        ("POST", "/cluster/sdn/vnets", {"vnet": "lab50", "zone": "lan", "tag": 50}),
        ("DELETE", "/cluster/sdn/vnets/net20", {}),
        ("PUT", "/cluster/sdn", {}),
    ):
        with pytest.raises(Refused) as refused:
            pve.call(method, path, form)
        assert (refused.value.status, "SDN.Allocate" in refused.value.reason) == (403, True)


def test_it_is_kept_when_a_world_is_stopped_and_taken_up_again(pve: Driver, four_nodes: World, tmp_path: Path) -> None:
    lab(pve)
    assert four_nodes.proxmox is not None
    save(pve.cluster, four_nodes.proxmox, tmp_path / "saved.json")
    again = Driver(four_nodes)
    assert restore(again.cluster, four_nodes.proxmox, tmp_path / "saved.json")
    assert again.cluster.sdn == pve.cluster.sdn
