"""Bridges as nodes have them: VLAN-aware, classic, Open vSwitch, on some nodes only; what a card on them reaches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster_sim.proxmox.driver import Driver

BRIDGES: dict[str, Any] = {
    "vmbr0": {"vlan_aware": True, "vids": "2-99 200"},
    "vmbr1": {"vlan_aware": False},
    "vmbr2": {"kind": "ovs", "nodes": ["pve1", "pve2"]},
    "vmbr40": {"vlan_aware": False, "ports": ["bond0.40"]},
    "vmbr9": {"vlan_aware": False, "ports": []},
}
NETWORKS: dict[str, Any] = {
    "dmz": {"tag": 40, "subnet": "10.40.0.0/24", "gateway": "10.40.0.1"},
    "office": {"tag": None, "bridge": "vmbr1", "subnet": "10.50.0.0/24", "gateway": "10.50.0.1"},
    "still": {"tag": 60, "subnet": "10.60.0.0/24", "gateway": "10.60.0.1", "dhcp": False},
    "far": {"tag": 300, "subnet": "10.70.0.0/24", "gateway": "10.70.0.1"},
}


@pytest.fixture
def site(changed: Callable[..., Driver]) -> Driver:
    return changed(bridges=BRIDGES, networks=NETWORKS)


def test_a_node_shows_the_bridges_that_it_has(site: Driver) -> None:
    rows = {node: {r["iface"]: r for r in site.get(f"/nodes/{node}/network")} for node in ("pve1", "pve3")}
    here = rows["pve1"]
    assert (here["vmbr0"]["bridge_vlan_aware"], here["vmbr0"]["bridge_vids"], here["vmbr0"]["bridge_ports"]) == (1, "2-99 200", "eno1")
    assert "bridge_vlan_aware" not in here["vmbr1"]
    assert (here["vmbr2"]["type"], here["vmbr2"]["ovs_ports"]) == ("OVSBridge", "eno3")
    assert (here["bond0.40"]["type"], here["bond0.40"]["vlan-id"], here["vmbr40"]["bridge_ports"]) == ("vlan", "40", "bond0.40")
    assert here["vmbr9"]["bridge_ports"] == ""
    assert "vmbr2" not in rows["pve3"]
    assert {r["iface"] for r in site.get("/nodes/pve3/network", type="any_local_bridge")} == {"vmbr0", "vmbr1", "vmbr40", "vmbr9"}


def test_every_card_has_the_addresses_that_cloud_init_was_told_and_others_none(pve: Driver) -> None:
    """Of a gateway beside DHCP, or without an address, Proxmox VE makes nothing at all (qemu-server, Network.pm, 2026-11-29)."""
    assert pve.clone(500) == "OK"
    told = {"ipconfig0": "ip=10.20.0.9/24,gw=10.20.0.1,ip6=2001:db8::9/64", "ipconfig1": "ip=dhcp", "ipconfig2": "ip=dhcp,gw=10.10.0.1"}
    cards = {"net0": "virtio,bridge=net20", "net1": "virtio,bridge=net30", "net2": "virtio,bridge=net10", "net3": "virtio,bridge=net10"}
    pve.put("/nodes/pve1/qemu/500/config", agent="1", **cards, **told)
    assert pve.end(pve.post("/nodes/pve1/qemu/500/status/start")) == "OK"
    pve.clock.advance(60)
    rows = pve.get("/nodes/pve1/qemu/500/agent/network-get-interfaces")["result"]
    seen = {row["name"]: [one["ip-address"] for one in row["ip-addresses"] if not one["ip-address"].startswith("fe80")] for row in rows}
    assert seen.pop("lo") == ["127.0.0.1", "::1"]
    assert seen["eth0"] == ["10.20.0.9", "2001:db8::9"]
    assert len(seen["eth1"]) == 1 and seen["eth1"][0].startswith("10.30.0.")
    assert set(seen) == {"eth0", "eth1"}


@pytest.mark.parametrize("line", ["ip6=10.0.0.5/24", "ip6=2001:db8::5", "gw6=10.0.0.1", "ip=2001:db8::5/64", "gw=2001:db8::1"])
def test_an_address_is_of_its_own_family(pve: Driver, line: str) -> None:
    assert pve.clone(501) == "OK"
    assert pve.answer("PUT", "/nodes/pve1/qemu/501/config", {"ipconfig0": line}).status == 400


@pytest.mark.parametrize(
    ("node", "line", "told", "address"),
    [
        ("pve1", "bridge=vmbr0,tag=40", "dhcp", "10.40.0."),
        ("pve1", "bridge=vmbr1,tag=40", "dhcp", "10.40.0."),  # a classic bridge makes vmbr1v40 by itself
        ("pve1", "bridge=vmbr2,tag=40", "dhcp", "10.40.0."),
        ("pve1", "bridge=vmbr40", "dhcp", "10.40.0."),
        ("pve1", "bridge=vmbr1", "dhcp", "10.50.0."),
        ("pve1", "bridge=vmbr0", "dhcp", ""),  # nothing untagged is on this wire
        ("pve1", "bridge=vmbr0,tag=300", "dhcp", ""),  # its ports do not let that tag through
        ("pve1", "bridge=vmbr2,tag=300", "dhcp", "10.70.0."),
        ("pve1", "bridge=vmbr0,tag=60", "dhcp", ""),  # nobody gives addresses there
        ("pve1", "bridge=vmbr0,tag=60", "10.60.0.9/24", "10.60.0.9"),
        ("pve3", "bridge=vmbr2,tag=40", "dhcp", "bridge 'vmbr2' does not exist"),
        ("pve1", "bridge=vmbr7", "dhcp", "bridge 'vmbr7' does not exist"),
        ("pve1", "bridge=vmbr9,tag=40", "dhcp", "no physical interface on bridge 'vmbr9'"),
        ("pve1", "bridge=vmbr9", "dhcp", ""),
    ],
)
def test_a_card_reaches_what_its_bridge_and_tag_say(site: Driver, node: str, line: str, told: str, address: str) -> None:
    """`told`: by cloud-init. `address`: how that of the agent begins, or why the machine does not start."""
    site.clone(201, name="web-1", target=node)
    guest = f"/nodes/{node}/qemu/201"
    site.put(f"{guest}/config", net0=f"virtio,{line}", ipconfig0="ip=dhcp" if told == "dhcp" else f"ip={told}")
    upid = site.post(f"{guest}/status/start")
    if "bridge" in address:
        assert site.end(upid) == "start failed: QEMU exited with code 1"
        assert address in [row["t"] for row in site.get(f"/nodes/{node}/tasks/{upid}/log")]
        return
    assert site.end(upid) == "OK"
    site.clock.advance(10)
    found = [a["ip-address"] for i in site.get(f"{guest}/agent/network-get-interfaces")["result"] for a in i["ip-addresses"]]
    mine = [one for one in found if one not in ("127.0.0.1", "::1") and not one.startswith("fe80")]
    assert [one.startswith(address) for one in mine] == ([True] if address else [])
