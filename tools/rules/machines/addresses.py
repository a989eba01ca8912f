"""Fixed addresses of machines against the network that they are to be on. Whether a text is an address at all is read in
tools.rules.request.attaching; whether somebody else has it, nobody here can see."""

from __future__ import annotations

import ipaddress

from tools.rules.machines.places import network_of
from tools.values.offer import Exclusion
from tools.values.requirements import Needs
from tools.values.snapshot import ClusterSnapshot, Network


def clashes(needs: Needs, snapshot: ClusterSnapshot) -> tuple[Exclusion, ...]:
    """Why these addresses cannot be on that network, each with what would do."""
    network = network_of(snapshot, needs.text("network"), needs.text("bridge"))
    if network is None:
        return ()  # which is told where the network is looked for
    found = ((one, problem(one, needs.text("gateway"), network)) for one in needs.strings("address"))
    return tuple(Exclusion(subject=f"address {one}", reason=reason) for one, reason in found if reason)


def problem(address: str, gateway: str, network: Network) -> str:
    """Empty when there is none."""
    whole = with_prefix(address, network)
    if "/" not in whole:
        return f"the cluster does not tell the subnet of network {network.name}: say the address with its prefix, such as {address}/24"
    fixed = ipaddress.IPv4Interface(whole)
    if network.subnet and ":" not in network.subnet and fixed.ip not in ipaddress.IPv4Network(network.subnet):
        return f"it is not in network {network.name}, which is {network.subnet}"
    if fixed.network.num_addresses > 2 and fixed.ip in (fixed.network.network_address, fixed.network.broadcast_address):
        return f"it is the first or last one of {fixed.network}, which no machine has"
    if gateway == str(fixed.ip):
        return "it is the gateway's own"
    if gateway and ipaddress.IPv4Address(gateway) not in fixed.network:
        return f"its gateway {gateway} is not in {fixed.network}"
    return ""


def spelled(needs: Needs, network: Network) -> tuple[str, ...]:
    """As the module takes them, each with its prefix; none when the network gives them."""
    return tuple(with_prefix(one, network) for one in needs.strings("address"))


def with_prefix(address: str, network: Network) -> str:
    known = network.subnet and ":" not in network.subnet
    return f"{address}/{network.subnet.partition('/')[2]}" if "/" not in address and known else address
