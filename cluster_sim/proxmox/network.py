"""Bridges of nodes, which are as the world file says, and what is read of the software-defined network on top of them. It is changed in
sdn.py."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_address
from typing import Any

from . import vnets as kept
from .call import Call
from .cluster import Cluster
from .errors import failed
from .lines import Net
from .parameters import split_list
from .state import Bridge

_SDN = ("SDN.Audit", "SDN.Allocate")


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
    vnets = [_row(name, "vnet", 20, method="manual") for name in cluster.sdn.running["vnets"] if is_on(cluster, name, call.node)]
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
    if net.bridge is None or is_on(cluster, net.bridge, node):
        return ""
    bridge = cluster.bridges.get(net.bridge)
    if bridge is None or node not in bridge.nodes:
        return f"bridge '{net.bridge}' does not exist"
    if net.tag and bridge.kind == "linux" and not bridge.vlan_aware and not bridge.ports:
        return f"no physical interface on bridge '{net.bridge}'"
    return ""


def is_on(cluster: Cluster, vnet: str, node: str) -> bool:
    """Whether a vnet that runs is on that node: where its zone is, and the zone's bridge."""
    row = cluster.sdn.running["vnets"].get(vnet)
    zone = cluster.sdn.running["zones"].get(row["zone"]) if row else None
    if zone is None or (zone.get("nodes") and node not in split_list(zone["nodes"])):
        return False
    bridge = cluster.bridges.get(zone.get("bridge", ""))
    return zone["type"] != "vlan" or (bridge is not None and node in bridge.nodes)


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
    return [
        {"zone": id, **row, **_digest(call, "zones")} for id, row in _objects(call, "zones").items() if call.may(f"/sdn/zones/{id}", *_SDN)
    ]


def vnets(call: Call) -> list[dict[str, Any]]:
    rows = ((id, row, zone_of(call, id)) for id, row in _objects(call, "vnets").items())
    return [{"vnet": id, **row, **_digest(call, "vnets")} for id, row, zone in rows if call.may(f"/sdn/zones/{zone}/{id}", *_SDN)]


def subnets(call: Call) -> list[dict[str, Any]]:
    name = call.values["vnet"]
    zone = zone_of(call, name)
    if not zone:
        raise failed(f"sdn vnet '{name}' does not exist")
    call.require(f"/sdn/zones/{zone}/{name}", *_SDN)
    return [
        {
            **row,
            "subnet": id,
            "id": id,
            "type": "subnet",
            "vnet": name,
            "zone": zone,
            "cidr": (cidr := kept.cidr_of(id)),
            "network": cidr.partition("/")[0],
            "mask": cidr.partition("/")[2],
            **_digest(call, "subnets"),
        }
        for id, row in _objects(call, "subnets").items()
        if (row.get("vnet") or row.get("pending", {}).get("vnet")) == name
    ]


def _digest(call: Call, kind: kept.Kind) -> dict[str, str]:
    """Of what is written down; what runs, and both together, come without one (pending_config)."""
    return {} if call.get("pending") or call.get("running") else {"digest": call.cluster.sdn.digest(kind)}


def _objects(call: Call, kind: kept.Kind) -> kept.Objects:
    """As they are written down; as they run; or both with what differs."""
    known = call.cluster.sdn
    return known.pending(kind) if call.get("pending") else known.running[kind] if call.get("running") else known.written[kind]


def zone_of(call: Call, vnet: str) -> str:
    """Empty when there is no such vnet."""
    known = call.cluster.sdn
    return str((known.written["vnets"].get(vnet) or known.running["vnets"].get(vnet) or {}).get("zone", ""))
