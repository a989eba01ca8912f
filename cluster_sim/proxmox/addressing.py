"""Which addresses a guest has: what cloud-init was told of each card, else a lease of the network that the card is on.

A card of which cloud-init is told nothing stays without an address, where it is told of another; a gateway without an address, or beside
DHCP, voids the whole line (qemu-server, Cloudinit.pm and Network.pm, 2026-11-29)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, ip_address, ip_interface

from . import vnets
from .cluster import Cluster
from .configuration import nets
from .lines import Net, read_pairs
from .state import Guest, Network


@dataclass(frozen=True)
class GuestAddress:
    """Of the first card, by which it is reached: of IPv4, or of IPv6 where it has no other."""

    mac: str
    address: IPv4Interface | IPv6Interface
    gateway: IPv4Address | IPv6Address
    asked: bool = False
    """By DHCP."""


def network_of(cluster: Cluster, net: Net) -> Network | None:
    """What is at the end of a card's wire: a vnet by its name, or the VLAN that its tag, or the port of its bridge, says. None when
    nothing of what it sends gets anywhere."""
    vnet = vnets.network_of(cluster.sdn, net.bridge or "", cluster.networks)
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
    wanted = _told(guest, key)
    told, gateway = (wanted["ip"], "gw") if wanted.get("ip") else (wanted.get("ip6", ""), "gw6")
    if not told or told == "auto":
        return None
    if told != "dhcp":
        fixed = ip_interface(told)
        default = network.gateway if network and network.gateway and fixed.version == 4 else str(fixed.ip)
        return GuestAddress(str(net.mac), fixed, ip_address(wanted.get(gateway, default)))
    if network is None or not network.dhcp:
        return None
    subnet = IPv4Network(network.subnet)
    return GuestAddress(
        str(net.mac),
        IPv4Interface(f"{_lease(cluster, guest, str(net.mac), network)}/{subnet.prefixlen}"),
        IPv4Address(network.gateway),
        asked=True,
    )


def _told(guest: Guest, key: str) -> dict[str, str]:
    """What cloud-init is told of a card; of the first one of a guest that it is told nothing of, what an image does by itself."""
    numbers = [name for name in guest.config if name.startswith("ipconfig")]
    line = guest.config.get(f"ipconfig{key.removeprefix('net')}")
    if line is None:
        return {"ip": "dhcp"} if not numbers and key == next(iter(nets(guest))) else {}
    said = dict(read_pairs(line))
    if ("gw" in said and said.get("ip", "dhcp") == "dhcp") or ("gw6" in said and said.get("ip6", "auto") in ("auto", "dhcp")):
        return {}
    return said if "ip" in said or "ip6" in said else {"ip": "dhcp", "ip6": "dhcp"}


def cards_of(cluster: Cluster, guest: Guest) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Of each network card its MAC, and the addresses that the guest gives it."""
    found = []
    for key, net in nets(guest).items():
        said, mac = _told(guest, key), str(net.mac)
        network = network_of(cluster, net)
        addresses = [one for one in (said.get("ip"), said.get("ip6")) if one and one not in ("dhcp", "auto")]
        if said.get("ip") == "dhcp" and network is not None and network.dhcp:
            addresses.insert(0, f"{_lease(cluster, guest, mac, network)}/{IPv4Network(network.subnet).prefixlen}")
        found.append((mac, tuple(addresses)))
    return tuple(found)


def take_address(cluster: Cluster, guest: Guest) -> None:
    """As it starts."""
    card = address_of(cluster, guest)
    guest.held = (card.mac, str(card.address), str(card.gateway)) if card else None
    guest.held_by_card = cards_of(cluster, guest)


def _lease(cluster: Cluster, guest: Guest, mac: str, network: Network) -> str:
    """The same address for the same card for as long as it is in the world; the guest's number where that is free."""
    subnet = IPv4Network(network.subnet)
    if mac in cluster.leases and IPv4Address(cluster.leases[mac]) in subnet:
        return cluster.leases[mac]
    if guest.fixed_address and IPv4Address(guest.fixed_address) in subnet:
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
