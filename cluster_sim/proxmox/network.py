"""Bridges of nodes, and the software-defined network on top of them.

Both are as the world file says; nobody changes them here.
"""

from __future__ import annotations

from ipaddress import IPv4Network, ip_address
from typing import Any

from .call import Call
from .errors import failed

_SDN = ("SDN.Audit", "SDN.Use", "SDN.Allocate")


def interfaces(call: Call) -> list[dict[str, Any]]:
    wanted = call.get("type")
    cluster, node = call.cluster, call.cluster.nodes[call.node]
    rows: list[dict[str, Any]] = []
    for number, (name, bridge) in enumerate(cluster.bridges.items()):
        port = f"eno{number + 1}"
        rows.append(_row(port, "eth", 3 + 2 * number, method="manual", exists=1))
        row = _row(name, "bridge", 4 + 2 * number, autostart=1, bridge_ports=port, bridge_stp="off", bridge_fd="0")
        if bridge.get("vlan_aware"):
            row |= {"bridge_vlan_aware": 1, "bridge_vids": "2-4094"}
        if number == 0:
            # The node's own address, in the network the first world network describes, is on its first bridge.
            subnet = next((IPv4Network(n.subnet) for n in cluster.networks if _holds(n.subnet, node.address)), None)
            if subnet:
                gateway = next(n.gateway for n in cluster.networks if n.subnet == str(subnet))
                row |= {"method": "static", "address": node.address, "netmask": str(subnet.prefixlen), "gateway": gateway}
                row |= {"cidr": f"{node.address}/{subnet.prefixlen}"}
        rows.append(row)
    if wanted in (None, "eth", "bridge", "any_bridge", "any_local_bridge", "include_sdn", "vnet"):
        vnets = [_row(str(n.vnet), "vnet", 20, method="manual") for n in cluster.networks if n.vnet] if cluster.zone else []
        kinds = {"eth": ["eth"], "vnet": ["vnet"], "any_bridge": ["bridge", "vnet"]}.get(str(wanted), ["bridge"])
        if wanted is None:
            return rows
        if wanted == "include_sdn":
            return rows + vnets
        return [r for r in rows + vnets if r["type"] in kinds]
    return []


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


def _holds(subnet: str, address: str) -> bool:
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
