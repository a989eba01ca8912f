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
from tools.values.value import Named

POOL_MAX = 65536
"""Addresses of a pool that are looked at."""
DHCP = "dhcp"


def clashes(needs: Needs, snapshot: ClusterSnapshot, reserved: Reserved, own: frozenset[int] = frozenset()) -> tuple[Exclusion, ...]:
    """Why these machines cannot have addresses on that network, each with what would do. `own`: VM ids of machines that keep theirs."""
    network = networks.find(snapshot, networks.wish_of(needs))
    if isinstance(network, str):
        return ()  # which is told where the network is looked for
    others = taken(snapshot, reserved, own)
    said, gateway = needs.strings("address"), gateway_of(needs, network)
    if said:
        told = ((one, problem(one, gateway, network) or _whose(one, others)) for one in said)
        wrong = tuple(Exclusion(subject=f"address {one}", reason=reason) for one, reason in told if reason)
        fixed: tuple[str, ...] | str = said
    else:
        fixed = allot(needs, network, others, needs.machine_count)
        wrong = (Exclusion(subject=f"network {network.name}", reason=fixed),) if isinstance(fixed, str) else ()
    if wrong or isinstance(fixed, str):
        return wrong
    own_ones = {one.partition("/")[0]: "one of these machines" for one in fixed if one != DHCP}
    virtual = allot_virtual(needs, network, others | own_ones, {})
    return (virtual,) if isinstance(virtual, Exclusion) else ()


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


def allot(needs: Needs, network: Network, others: Mapping[str, str], count: int) -> tuple[str, ...] | str:
    """So many, as the module takes them; or why there are none and what to say instead."""
    if said := needs.strings("address"):
        return tuple(with_prefix(one, network) for one in said)
    if not network.pool:
        if network.dhcp:
            return (DHCP,) * count
        example = f"address {next(iter(ipaddress.ip_network(network.subnet).hosts()), '…')}" if network.subnet else "address 10.20.0.50/24"
        return f"nobody gives addresses there, and the site file has no pool for it. Say one for each machine, as in `{example}`"
    return _from_pool(needs, network, others, count)


def _from_pool(needs: Needs, network: Network, others: Mapping[str, str], count: int) -> tuple[str, ...] | str:
    if not network.subnet:
        return "the site file has a pool for it and no subnet. Add its `subnet`, or say an address with its prefix"
    gateway = gateway_of(needs, network)
    free = [one for one in _of_pool(network.pool) if one not in others and one != gateway][:count]
    if len(free) < count:
        spans = ", ".join(network.pool)
        return f"its pool {spans} has {len(free)} free of the {count} that are needed. Widen it in the site file, or say addresses"
    return tuple(with_prefix(one, network) for one in free)


def allot_virtual(needs: Needs, network: Network, others: Mapping[str, str], kept: Mapping[str, str]) -> Named | Exclusion:
    """(field, address with its prefix) of each that the needs name: as it was said, else as it is kept, else from the site's pool. Or why
    one cannot be."""
    found: dict[str, str] = {}
    for name in needs.virtual_addresses:
        spoken = name.replace("_", " ")
        mine = dict.fromkeys((one.partition("/")[0] for one in found.values()), "another of these")
        said = needs.text(name) or kept.get(name, "")
        if said:
            stays = said.partition("/")[0] == kept.get(name, "").partition("/")[0]
            who = _whose(said, mine if stays else {**others, **mine})
            if reason := problem(said, gateway_of(needs, network), network) or who:
                return Exclusion(subject=f"{spoken} {said}", reason=reason)
            found[name] = with_prefix(said, network)
            continue
        fixed = _from_pool(needs, network, {**others, **mine}, 1) if network.pool else ""
        if isinstance(fixed, str):
            reason = fixed or f"network {network.name} has no pool in the site file to take it from. Say one that is free"
            return Exclusion(subject=spoken, reason=reason)
        found[name] = fixed[0]
    return tuple(found.items())


def settle_virtual(needs: Needs, snapshot: ClusterSnapshot) -> Needs:
    """A virtual address is not asked for where the site has a pool to take it from."""
    network = networks.find(snapshot, networks.wish_of(needs))
    if isinstance(network, str) or not (network.pool and network.subnet):
        return needs
    return needs.model_copy(update={"missing": tuple(one for one in needs.missing if one.name not in needs.virtual_addresses)})


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
