"""Bodies for virtual machines: who is on the operator's network meets them over SSH, where Azure would let a packet through.

A machine is met at its interface's address from the network that the world says the operator is on (`operator_network`), when its own
network is that one or is peered with it, both sides connected, and when its security groups let SSH in from there. A machine that nobody
could meet has no body: nobody could tell. A Debian stands in for any image.

Rules, learn.microsoft.com, from memory: "Virtual network peering" (both sides are made; not transitive), "Network security groups" (by
priority, the first that matches; defaults AllowVnetInBound and DenyAllInBound; the tag VirtualNetwork has the peered networks too; the
subnet's group, then the interface's).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from ipaddress import IPv4Interface, ip_network
from typing import Any

from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.families.network import space_of
from cluster_sim.azure.families.virtual_machines import MACHINE, interfaces_of
from cluster_sim.azure.store import Resource
from cluster_sim.guests.values import Bodies, GuestSpec

GUESTS = IPv4Interface("10.64.0.1/10")
"""Where machines have bodies with a real system: the gateway of the network that all of them share there."""
SSH = 22
RULE = "Microsoft.Network/networkSecurityGroups/securityRules"
PEERING = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"


class Machines:
    """Follows what ARM has: call `follow` after each request."""

    def __init__(self, cloud: Cloud, bodies: Bodies) -> None:
        self._cloud, self._bodies = cloud, bodies
        self._known: dict[str, GuestSpec] = {}

    def follow(self) -> None:
        self._cloud.settle()
        wanted = {spec.key: spec for machine in self._cloud.store.of_type(MACHINE) if (spec := self._spec(machine))}
        for key, spec in self._known.items():
            if key not in wanted:
                self._bodies.destroy(key) if self._cloud.find(spec.key) is None else self._bodies.shutdown(key)
        for key, spec in wanted.items():
            if self._known.get(key) != spec:
                self._bodies.boot(spec)
        self._known = wanted

    def _spec(self, machine: Resource) -> GuestSpec | None:
        profile = machine.properties.get("osProfile") or {}
        interface = next((nic for key in sorted(interfaces_of(machine)) if (nic := self._cloud.find(key))), None)
        configs = (interface.properties.get("ipConfigurations") if interface else None) or [{}]
        config: dict[str, Any] = configs[0].get("properties") or {}
        subnet = self._cloud.find(str((config.get("subnet") or {}).get("id", "")))
        if not machine.complete or not profile or interface is None or subnet is None or not self._reached(interface, subnet):
            return None
        keys = ((profile.get("linuxConfiguration") or {}).get("ssh") or {}).get("publicKeys") or ()
        octets = hashlib.sha256(machine.key.encode()).digest()[:3]
        return GuestSpec(
            key=machine.key,
            hostname=str(profile["computerName"]),
            mac="00:0d:3a:" + ":".join(f"{octet:02x}" for octet in octets),
            address=IPv4Interface(f"{config['privateIPAddress']}/{GUESTS.network.prefixlen}"),
            gateway=GUESTS.ip,
            user=str(profile["adminUsername"]),
            ssh_keys=tuple(str(key["keyData"]) for key in keys),
        )

    def _reached(self, interface: Resource, subnet: Resource) -> bool:
        here, there = self._cloud.find(self._cloud.world.operator_network), self._cloud.find(subnet.id.rpartition("/subnets/")[0])
        if here is None or there is None or (here.key != there.key and not (self._leads(here, there) and self._leads(there, here))):
            return False
        groups = (self._cloud.find(str((one.properties.get("networkSecurityGroup") or {}).get("id", ""))) for one in (subnet, interface))
        return all(group is None or self._lets_ssh_in(group, here) for group in groups)

    def _lets_ssh_in(self, group: Resource, here: Resource) -> bool:
        """From anywhere on the operator's network."""
        rules = (rule.properties for rule in self._cloud.store.of_type(RULE, group.id))
        inbound = [rule for rule in rules if str(rule.get("direction", "")).lower() == "inbound"]
        for rule in sorted(inbound, key=lambda rule: int(rule["priority"])):
            if str(rule.get("protocol", "*")).lower() in ("*", "tcp") and _is_ssh(rule) and _comes_from(rule, here):
                return str(rule.get("access", "")).lower() == "allow"
        return True  # AllowVnetInBound

    def _leads(self, one: Resource, other: Resource) -> bool:
        peerings = (peering for peering in self._cloud.store.of_type(PEERING, one.id) if peering.complete)
        return any(
            str((peering.properties.get("remoteVirtualNetwork") or {}).get("id", "")).lower() == other.key
            and peering.properties.get("allowVirtualNetworkAccess", True)
            for peering in peerings
        )


def _is_ssh(rule: Mapping[str, Any]) -> bool:
    for text in (str(rule.get("destinationPortRange") or ""), *map(str, rule.get("destinationPortRanges") or ())):
        first, _, last = text.partition("-")
        if text == "*" or (first.isdigit() and int(first) <= SSH <= int(last or first)):
            return True
    return False


def _comes_from(rule: Mapping[str, Any], here: Resource) -> bool:
    """Whether the rule is about all that may come from there: of a part alone nobody knows who is meant."""
    said = [str(rule.get("sourceAddressPrefix") or ""), *map(str, rule.get("sourceAddressPrefixes") or ())]
    if {"*", "virtualnetwork"} & {text.lower() for text in said}:
        return True
    ranges = [ip_network(text, strict=False) for text in said if text[:1].isdigit()]
    return all(any(mine.version == one.version and mine.subnet_of(one) for one in ranges) for mine in space_of(here))  # type: ignore[arg-type]
