"""Fixed addresses of machines: said, or of the site's pool, against the network that they are to be on and against who has them already.
Whether a text is an address at all is read in tools.rules.request.attaching."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

from tools.rules.machines import networks
from tools.values.offer import Exclusion
from tools.values.requirements import Needs
from tools.values.site import Reserved
from tools.values.snapshot import ClusterSnapshot, Network

POOL_MAX = 65536
"""Addresses of a pool that are looked at."""
DHCP = "dhcp"


def clashes(needs: Needs, snapshot: ClusterSnapshot, reserved: Reserved, own: frozenset[int] = frozenset()) -> tuple[Exclusion, ...]:
    """Why these machines cannot have addresses on that network, each with what would do. `own`: VM ids of machines that keep theirs."""
    network = networks.find(snapshot, networks.wish_of(needs))
    if isinstance(network, str):
        return ()  # which is told where the network is looked for
    said = needs.strings("address")
    if not said:
        found = allot(needs, network, taken(snapshot, reserved, own))
        return (Exclusion(subject=f"network {network.name}", reason=found),) if isinstance(found, str) else ()
    gateway, others = gateway_of(needs, network), taken(snapshot, reserved, own)
    told = ((one, problem(one, gateway, network) or _whose(one, others)) for one in said)
    return tuple(Exclusion(subject=f"address {one}", reason=reason) for one, reason in told if reason)


def problem(address: str, gateway: str, network: Network) -> str:
    """Empty when there is none."""
    version = ipaddress.ip_interface(address).version
    if network.subnet and ipaddress.ip_network(network.subnet).version != version:
        return f"it is of IPv{version}, and network {network.name} is {network.subnet}"
    whole = with_prefix(address, network)
    if "/" not in whole:
        return f"the cluster does not tell the subnet of network {network.name}: say the address with its prefix, such as {address}/24"
    fixed = ipaddress.ip_interface(whole)
    if network.subnet and fixed.ip not in ipaddress.ip_network(network.subnet):
        return f"it is not in network {network.name}, which is {network.subnet}"
    if fixed.network.num_addresses > 2 and fixed.ip in (fixed.network.network_address, fixed.network.broadcast_address):
        return f"it is the first or last one of {fixed.network}, which no machine has"
    if gateway == str(fixed.ip):
        return "it is the gateway's own"
    if gateway and ipaddress.ip_address(gateway) not in fixed.network:
        return f"its gateway {gateway} is not in {fixed.network}"
    return ""


def taken(snapshot: ClusterSnapshot, reserved: Reserved, own: frozenset[int] = frozenset()) -> dict[str, str]:
    """Who has an address, as far as configurations, agents and other plans tell."""
    promised = dict.fromkeys(reserved.addresses, "a plan that is not carried out yet")
    others = (guest for guest in snapshot.guests if guest.vm_id not in own)
    return promised | {one: f"VM {guest.vm_id} ({guest.name})" for guest in others for one in guest.addresses}


def _whose(address: str, others: Mapping[str, str]) -> str:
    who = others.get(address.partition("/")[0])
    return f"it is taken by {who}" if who else ""


def allot(needs: Needs, network: Network, others: Mapping[str, str], *, some_have_theirs: bool = False) -> tuple[str, ...] | str:
    """One for each machine, as the module takes them; or why there are none and what to say instead. `some_have_theirs`: the first of
    them exist and keep what they have, which counts as taken, so fewer may be enough."""
    count = needs.whole("count", 1)
    if said := needs.strings("address"):
        return tuple(with_prefix(one, network) for one in said)
    if not network.pool:
        if network.dhcp:
            return (DHCP,) * count
        example = f"address {next(iter(ipaddress.ip_network(network.subnet).hosts()), '…')}" if network.subnet else "address 10.20.0.50/24"
        return f"nobody gives addresses there, and the site file has no pool for it. Say one for each machine, as in `{example}`"
    if not network.subnet:
        return "the site file has a pool for it and no subnet. Add its `subnet`, or say an address with its prefix"
    gateway = gateway_of(needs, network)
    free = [one for one in _of_pool(network.pool) if one not in others and one != gateway][:count]
    if some_have_theirs:
        return (*(DHCP,) * (count - len(free)), *(with_prefix(one, network) for one in free))
    if len(free) < count:
        spans = ", ".join(network.pool)
        return f"its pool {spans} has {len(free)} free of the {count} that are needed. Widen it in the site file, or say addresses"
    return tuple(with_prefix(one, network) for one in free)


def _of_pool(pool: Iterable[str]) -> Iterator[str]:
    seen = 0
    for span in pool:
        first, _, last = span.partition("-")
        begin, end = ipaddress.ip_address(first), ipaddress.ip_address(last or first)
        for number in range(int(begin), int(end) + 1):
            seen += 1
            if seen > POOL_MAX:
                return
            yield str(type(begin)(number))


def subnet_of(address: str) -> str:
    """Of a fixed one with its prefix; empty where the network gives it."""
    return "" if address == DHCP else str(ipaddress.ip_interface(address).network)


def gateway_of(needs: Needs, network: Network) -> str:
    return needs.text("gateway") or network.gateway


def with_prefix(address: str, network: Network) -> str:
    return f"{address}/{network.subnet.partition('/')[2]}" if "/" not in address and network.subnet else address
