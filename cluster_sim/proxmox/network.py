"""Bridges of nodes, and the software-defined network on top of them.

Both are as the world file says; nobody changes them here.
"""

from __future__ import annotations

from ipaddress import IPv4Network, ip_address
from typing import Any

from .call import Call
from .cluster import Cluster
from .errors import failed
from .lines import Net
from .state import Bridge

_SDN = ("SDN.Audit", "SDN.Use", "SDN.Allocate")


def interfaces(call: Call) -> list[dict[str, Any]]:
    wanted = call.get("type")
    cluster, node = call.cluster, call.cluster.nodes[call.node]
    rows: list[dict[str, Any]] = []
    for number, bridge in enumerate(cluster.bridges.values()):
        if call.node not in bridge.nodes:
            continue
        rows += [_port(port, bridge, 3 + 2 * number) for port in bridge.ports]
        row = _bridge(bridge, 4 + 2 * number)
        if bridge.name == next(iter(cluster.bridges)):
            # The node's own address, in the network the first world network describes, is on its first bridge.
            network = next((n for n in cluster.networks if holds(n.subnet, node.address)), None)
            if network:
                prefix = IPv4Network(network.subnet).prefixlen
                row |= {"method": "static", "address": node.address, "netmask": str(prefix), "gateway": network.gateway}
                row |= {"cidr": f"{node.address}/{prefix}"}
        rows.append(row)
    vnets = [_row(str(n.vnet), "vnet", 20, method="manual") for n in cluster.networks if n.vnet] if cluster.zone else []
    match wanted:
        case None:
            return rows
        case "include_sdn":
            return rows + vnets
        case "any_bridge":
            return [r for r in rows + vnets if r["type"] in ("bridge", "OVSBridge", "vnet")]
        case "any_local_bridge":
            return [r for r in rows if r["type"] in ("bridge", "OVSBridge")]
        case _:
            return [r for r in rows + vnets if r["type"] == wanted]


def _port(port: str, bridge: Bridge, priority: int) -> dict[str, Any]:
    card, _, vlan = port.partition(".")
    if vlan:
        return _row(port, "vlan", priority, autostart=1, exists=1, **{"vlan-id": vlan, "vlan-raw-device": card})
    if bridge.kind == "ovs":
        return _row(port, "OVSPort", priority, exists=1, ovs_type="OVSPort", ovs_bridge=bridge.name)
    return _row(port, "eth", priority, exists=1)


def _bridge(bridge: Bridge, priority: int) -> dict[str, Any]:
    ports = " ".join(bridge.ports)
    if bridge.kind == "ovs":
        return _row(bridge.name, "OVSBridge", priority, autostart=1, ovs_type="OVSBridge", ovs_ports=ports)
    row = _row(bridge.name, "bridge", priority, autostart=1, bridge_ports=ports, bridge_stp="off", bridge_fd="0")
    return row | ({"bridge_vlan_aware": 1, "bridge_vids": bridge.vids} if bridge.vlan_aware else {})


def plug_problem(cluster: Cluster, node: str, net: Net) -> str:
    """Why a card cannot be plugged in on that node; empty when it can. The words are those of PVE::Network (pve-common, 2026-11-29)."""
    if net.bridge is None or any(n.vnet == net.bridge for n in cluster.networks):
        return ""
    bridge = cluster.bridges.get(net.bridge)
    if bridge is None or node not in bridge.nodes:
        return f"bridge '{net.bridge}' does not exist"
    if net.tag and bridge.kind == "linux" and not bridge.vlan_aware and not bridge.ports:
        return f"no physical interface on bridge '{net.bridge}'"
    return ""


def interface(call: Call) -> dict[str, Any]:
    wanted = call.values["iface"]
    for row in interfaces(Call(call.cluster, call.who, {"node": call.node})):
        if row["iface"] == wanted:
            return {k: v for k, v in row.items() if k != "iface"}
    raise failed("interface does not exist")


def _row(name: str, kind: str, priority: int, **more: Any) -> dict[str, Any]:
    return {
        "iface": name,
        "type": kind,
        "active": 1,
        "priority": priority,
        "families": ["inet"],
        "method": "manual",
        "method6": "manual",
        **more,
    }


def holds(subnet: str, address: str) -> bool:
    return ip_address(address) in IPv4Network(subnet)


def zones(call: Call) -> list[dict[str, Any]]:
    zone = call.cluster.zone
    if not zone or not call.may(f"/sdn/zones/{zone}", *_SDN):
        return []
    bridge = next(iter(call.cluster.bridges))
    return [{"zone": zone, "type": "vlan", "bridge": bridge, "ipam": "pve", "digest": "0" * 40}]


def vnets(call: Call) -> list[dict[str, Any]]:
    zone = call.cluster.zone
    seen = [n for n in call.cluster.networks if n.vnet and call.may(f"/sdn/zones/{zone}/{n.vnet}", *_SDN)]
    return [{"vnet": n.vnet, "zone": zone, "tag": n.tag, "alias": n.name, "type": "vnet", "digest": "0" * 40} for n in seen]


def subnets(call: Call) -> list[dict[str, Any]]:
    name, zone = call.values["vnet"], call.cluster.zone
    network = next((n for n in call.cluster.networks if n.vnet == name), None)
    if network is None:
        raise failed(f"sdn vnet object ID '{name}' does not exist")
    call.require(f"/sdn/zones/{zone}/{name}", "SDN.Audit", "SDN.Allocate")
    subnet = IPv4Network(network.subnet)
    return [
        {
            "subnet": f"{zone}-{subnet.network_address}-{subnet.prefixlen}",
            "id": f"{zone}-{subnet.network_address}-{subnet.prefixlen}",
            "type": "subnet",
            "vnet": name,
            "zone": zone,
            "cidr": network.subnet,
            "network": str(subnet.network_address),
            "mask": str(subnet.prefixlen),
            "gateway": network.gateway,
            "digest": "0" * 40,
        }
    ]
