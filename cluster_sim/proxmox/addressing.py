"""Which address a guest has: what cloud-init was told, else a lease of the network its first card is on."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, ip_interface

from .cluster import Cluster
from .configuration import nets
from .lines import Net, read_pairs
from .state import Guest, Network


@dataclass(frozen=True)
class GuestAddress:
    mac: str
    address: IPv4Interface
    gateway: IPv4Address
    asked: bool = False
    """By DHCP."""


def network_of(cluster: Cluster, net: Net) -> Network | None:
    """What is at the end of a card's wire: a vnet by its name, or the VLAN that its tag, or the port of its bridge, says. None when
    nothing of what it sends gets anywhere."""
    vnet = next((n for n in cluster.networks if n.vnet is not None and n.vnet == net.bridge), None)
    bridge = cluster.bridges.get(net.bridge or "")
    if vnet or bridge is None or (net.tag and not bridge.lets_through(net.tag)):
        return vnet
    tag = net.tag or bridge.wire_tag
    return next((n for n in cluster.networks if n.tag == tag and n.bridge in (None, bridge.name)), None)


def address_of(cluster: Cluster, guest: Guest) -> GuestAddress | None:
    """None when nothing on its network would give it an address."""
    cards = nets(guest)
    if not cards:
        return None
    key, net = next(iter(cards.items()))
    network = network_of(cluster, net)
    wanted = read_pairs(guest.config.get(f"ipconfig{key.removeprefix('net')}", "ip=dhcp"))
    told = wanted.get("ip", "dhcp")
    if told != "dhcp":
        fixed = ip_interface(told)
        if not isinstance(fixed, IPv4Interface):
            return None
        return GuestAddress(str(net.mac), fixed, IPv4Address(wanted.get("gw", network.gateway if network else str(fixed.ip))))
    if network is None or not network.dhcp:
        return None
    subnet = IPv4Network(network.subnet)
    return GuestAddress(
        str(net.mac),
        IPv4Interface(f"{_lease(cluster, guest, str(net.mac), network)}/{subnet.prefixlen}"),
        IPv4Address(network.gateway),
        asked=True,
    )


def take_address(cluster: Cluster, guest: Guest) -> None:
    """As it starts."""
    card = address_of(cluster, guest)
    guest.held = (card.mac, str(card.address), str(card.gateway)) if card else None


def held_address(cluster: Cluster, guest: Guest) -> GuestAddress | None:
    """What the guest itself would say: the address it got when it started, whatever its configuration says by now."""
    if guest.held is None:
        return address_of(cluster, guest)
    mac, address, gateway = guest.held
    return GuestAddress(mac, IPv4Interface(address), IPv4Address(gateway))


def _lease(cluster: Cluster, guest: Guest, mac: str, network: Network) -> str:
    """The same address for the same card for as long as it is in the world; the guest's number where that is free."""
    subnet = IPv4Network(network.subnet)
    if mac in cluster.leases and IPv4Address(cluster.leases[mac]) in subnet:
        return cluster.leases[mac]
    if guest.fixed_address:
        cluster.leases[mac] = guest.fixed_address
        return guest.fixed_address
    taken = set(cluster.leases.values()) | {g.fixed_address for g in cluster.guests.values()} | {network.gateway}
    first, last = int(subnet.network_address) + network.leases_from, int(subnet.broadcast_address) - 1
    wished = int(subnet.network_address) + guest.vmid % 1000
    for number in [*([wished] if first <= wished <= last else []), *range(first, last + 1)]:
        if str(IPv4Address(number)) not in taken:
            cluster.leases[mac] = str(IPv4Address(number))
            return cluster.leases[mac]
    raise RuntimeError(f"Network {network.name} ({network.subnet}) has no free address left.")
