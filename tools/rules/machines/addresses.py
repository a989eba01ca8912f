"""Fixed addresses of machines: said, or of the site's pool, against the network that they are to be on and against who has them already.
Whether a text is an address at all is read in tools.rules.request.attaching."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tools.rules.machines import networks
from tools.values.machine import Card, without_prefix
from tools.values.offer import Exclusion
from tools.values.requirements import Needs
from tools.values.site import Reserved
from tools.values.snapshot import ClusterSnapshot, Network
from tools.values.value import Named

POOL_MAX = 65536
"""Addresses of a pool that are looked at."""
DHCP = "dhcp"
WAITS = "a plan that waits for its approval"
"""Such an address is not chosen; who asks for it by name may have it."""


def clashes(needs: Needs, snapshot: ClusterSnapshot, reserved: Reserved, own: frozenset[int] = frozenset()) -> tuple[Exclusion, ...]:
    """Why these machines cannot have addresses on that network, each with what would do. `own`: VM ids of machines that keep theirs."""
    network = networks.find(snapshot, networks.wish_of(needs))
    if isinstance(network, str):
        return ()  # which is told where the network is looked for
    others, found = taken(snapshot, reserved, own), list[Exclusion]()
    said = {one: gateway_of(needs, network) for one in needs.strings("address")}
    said |= {one: gateway6_of(needs, network) for one in needs.strings("address6")}
    told = [(one, problem(one, gateway, network) or _whose(one, others)) for one, gateway in said.items()]
    fixed: tuple[str, ...] | str = needs.strings("address") or allot(needs, network, others, needs.machine_count)
    if isinstance(fixed, str):
        found.append(Exclusion(subject=f"network {network.name}", reason=fixed))
    for further, addresses in further_of(needs, snapshot):
        if isinstance(further, str):
            continue  # which is told where the network is looked for
        told += [(one, problem(one, "", further) or _whose(one, others)) for one in addresses]
        if not addresses and isinstance(why := _given(needs, further, others, needs.machine_count), str):
            found.append(Exclusion(subject=f"network {further.name}", reason=why))
    wrong = (*found, *(Exclusion(subject=f"address {one}", reason=reason) for one, reason in told if reason))
    if wrong or isinstance(fixed, str):
        return wrong
    own_ones = {without_prefix(one): "one of these machines" for one in fixed if one not in ("", DHCP)}
    virtual = allot_virtual(needs, network, others | own_ones, {})
    return (virtual,) if isinstance(virtual, Exclusion) else ()


def further_of(needs: Needs, snapshot: ClusterSnapshot) -> tuple[tuple[Network | str, tuple[str, ...]], ...]:
    """Of each further network card of the machines: its network, or why there is none; and the addresses that were said for it. An address
    is for the card in whose subnet it is, else by the order in which they were said."""
    wishes, left, count = networks.further_wishes(needs), list(needs.strings("more_addresses")), needs.machine_count
    found = [networks.find(snapshot, wish) for wish in wishes]
    each = count * (2 if len(left) > count * len(wishes) else 1)
    mine: list[tuple[str, ...]] = []
    for network in found:
        subnets = [] if isinstance(network, str) else [one for one in (network.subnet, network.subnet6) if one]
        inside = [one for one in left if any(_within(one, subnet) for subnet in subnets)][:each]
        mine.append(tuple(inside))
        left = [one for one in left if one not in inside]
    for number, one in enumerate(mine):
        mine[number], left = (*one, *left[: each - len(one)]), left[each - len(one) :]
    return tuple(zip(found, mine, strict=True))


def _within(address: str, subnet: str) -> bool:
    return ipaddress.ip_interface(address).ip in ipaddress.ip_network(subnet)


def problem(address: str, gateway: str, network: Network) -> str:
    """Empty when there is none."""
    version = ipaddress.ip_interface(address).version
    whole, subnet = with_prefix(address, network), subnet_for(address, network)
    if "/" not in whole:
        example = f"{address}/{24 if version == 4 else 64}"
        told = f"network {network.name} has no subnet of IPv{version} that is known" if network.subnet or network.subnet6 else ""
        told = told or f"the cluster does not tell the subnet of network {network.name}"
        return f"{told}: say the address with its prefix, such as {example}"
    fixed = ipaddress.ip_interface(whole)
    if subnet and fixed.ip not in ipaddress.ip_network(subnet):
        return f"it is not in network {network.name}, which is {subnet}"
    if version == 4 and fixed.network.num_addresses > 2 and fixed.ip in (fixed.network.network_address, fixed.network.broadcast_address):
        return f"it is the first or last one of {fixed.network}, which no machine has"
    if gateway == str(fixed.ip):
        return "it is the gateway's own"
    if gateway and ipaddress.ip_address(gateway) not in fixed.network:
        return f"its gateway {gateway} is not in {fixed.network}"
    return ""


def taken(snapshot: ClusterSnapshot, reserved: Reserved, own: frozenset[int] = frozenset()) -> dict[str, str]:
    """Who has an address, as far as configurations, agents, other plans and the site's register tell."""
    promised = dict.fromkeys(reserved.waiting, WAITS) | dict.fromkeys(reserved.addresses, "a plan that is not carried out yet")
    # A template never starts, so the address that it was made with is nobody's.
    others = (guest for guest in snapshot.guests if guest.vm_id not in own and not guest.template)
    registered = {host: one.who for one in snapshot.registered if one.vm_id not in own for host in _of_pool([f"{one.address}-{one.last}"])}
    return promised | registered | {one: f"VM {guest.vm_id} ({guest.name})" for guest in others for one in guest.addresses}


def holder(address: str, others: Mapping[str, str]) -> str:
    """Who has it, so that nobody else may; empty when nobody has."""
    who = others.get(without_prefix(address), "")
    return "" if who == WAITS else who


def _whose(address: str, others: Mapping[str, str]) -> str:
    who = holder(address, others)
    return f"it is taken by {who}" if who else ""


def allot(needs: Needs, network: Network, others: Mapping[str, str], count: int) -> tuple[str, ...] | str:
    """So many of IPv4, as the module takes them; or why there are none and what to say instead."""
    if said := needs.strings("address"):
        return tuple(with_prefix(one, network) for one in said)
    if needs.strings("address6") and not network.pool and (not network.dhcp or _is_of_ipv6(network)):
        return ("",) * count
    return _given(needs, network, others, count)


def allot6(needs: Needs, network: Network) -> tuple[str | None, ...]:
    """One of IPv6 for each machine, where they were said."""
    return tuple(with_prefix(one, network) for one in needs.strings("address6")) or (None,) * needs.machine_count


def cards_of(needs: Needs, snapshot: ClusterSnapshot, others: Mapping[str, str], there: Sequence[bool]) -> tuple[tuple[Card, ...], ...]:
    """The further network cards of each machine. An offer with candidates has found their networks and addresses. `there`: whether each
    machine exists, and keeps the addresses that it has."""
    rows: list[tuple[Card, ...]] = [()] * needs.machine_count
    for network, said in further_of(needs, snapshot):
        assert isinstance(network, Network), network
        fixed = [with_prefix(one, network) for one in said if ":" not in one]
        fixed6: list[str | None] = [with_prefix(one, network) for one in said if ":" in one]
        if said:
            given = tuple(fixed or [""] * len(rows))
        else:
            fresh = _given(needs, network, others, list(there).count(False))
            assert not isinstance(fresh, str), fresh
            others = {**others, **{without_prefix(one): "one of these machines" for one in fresh if one != DHCP}}
            each = iter(fresh)
            given = tuple(DHCP if one else next(each) for one in there)
        rows = [
            (*row, Card(bridge=network.bridge, vlan_tag=network.vlan_tag, address=address, address6=address6))
            for row, address, address6 in zip(rows, given, fixed6 or [None] * len(rows), strict=True)
        ]
    return tuple(rows)


def _is_of_ipv6(network: Network) -> bool:
    return ":" in network.subnet


def _given(needs: Needs, network: Network, others: Mapping[str, str], count: int) -> tuple[str, ...] | str:
    """By the network itself, or out of its pool."""
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
        mine = dict.fromkeys((without_prefix(one) for one in found.values()), "another of these")
        said = needs.text(name) or kept.get(name, "")
        if said:
            stays = without_prefix(said) == without_prefix(kept.get(name, ""))
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
    return "" if address in ("", DHCP) else str(ipaddress.ip_interface(address).network)


def subnet_for(address: str, network: Network) -> str:
    """Of the address's own family; empty where it is not known."""
    version = ipaddress.ip_interface(address).version
    return next((one for one in (network.subnet, network.subnet6) if one and ipaddress.ip_network(one).version == version), "")


def gateway_of(needs: Needs, network: Network) -> str:
    return needs.text("gateway") or network.gateway


def gateway6_of(needs: Needs, network: Network) -> str:
    return needs.text("gateway6") or network.gateway6


def with_prefix(address: str, network: Network) -> str:
    subnet = subnet_for(address, network)
    return f"{address}/{subnet.partition('/')[2]}" if "/" not in address and subnet else address
