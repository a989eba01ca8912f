"""Reviews a new network from the manifest and a snapshot alone: nothing of it is another's, and nothing of others is applied with it."""

from __future__ import annotations

import ipaddress

from tools.capabilities import Reviewed
from tools.capabilities.vnet.facts import ID, MADE, TAG_MAX
from tools.rules.machines.networks import lets_through
from tools.rules.machines.vnets import VNET, waiting_of
from tools.values.manifest import Part
from tools.values.review import Fault, Severity, fault
from tools.values.situation import Situation
from tools.values.snapshot import ClusterSnapshot

SHOWN_MAX = 5


def review(part: Part, situation: Situation) -> Reviewed:
    seen, zone, vnet, subnet = situation.cluster, part.variables["zone"], part.variables["vnet"], part.variables["subnet"]
    found = [
        ("sdn.applied", _waiting(part, seen), Severity.ERROR),
        ("name.valid", _names(zone["id"], vnet["id"], vnet["tag"]), Severity.ERROR),
        ("name.free", _name_taken(part, vnet["id"], situation), Severity.ERROR),
        ("zone.fits", _zone(part, seen), Severity.ERROR),
        ("vlan.free", _tag_taken(part, seen), Severity.ERROR),
        ("subnet.valid", _subnet(subnet) if subnet else None, Severity.ERROR),
        ("subnet.free", _subnet_taken(part, subnet["cidr"], seen) if subnet else None, Severity.WARNING),
    ]
    findings = tuple(one.finding(check, part.label, vnet["id"], severity) for check, one, severity in found if one)
    return findings, tuple(f"{check}:{part.label}:{vnet['id']}" for check, one, _ in found if one is None)


def _waiting(part: Part, seen: ClusterSnapshot) -> Fault | None:
    own = waiting_of(part, seen.sdn_waiting) if part.owned else ()
    others = [one for one in seen.sdn_waiting if one not in own]
    return fault("vnet:waiting", things=tuple(others[:SHOWN_MAX])) if others else None


def _names(zone: str, vnet: str, tag: int) -> Fault | None:
    wrong = next((one for one in (zone, vnet) if not ID.fullmatch(one)), None)
    if wrong is not None:
        return fault("vnet:name", name=wrong)
    return None if 1 <= tag <= TAG_MAX else fault("vnet:tag", tag=tag, most=TAG_MAX)


def _name_taken(part: Part, vnet: str, situation: Situation) -> Fault | None:
    if f"vnets/{vnet}" in part.owned:
        return None
    there = {n.bridge.lower() for n in situation.cluster.networks}
    return fault("vnet:taken", name=vnet) if vnet.lower() in there or f"{VNET} {vnet}" in situation.reserved.names else None


def _zone(part: Part, seen: ClusterSnapshot) -> Fault | None:
    zone, tag = part.variables["zone"], part.variables["vnet"]["tag"]
    there = next((one for one in seen.zones if one.name == zone["id"]), None)
    if zone["made"] and there and f"zones/{zone['id']}" not in part.owned:
        return fault("vnet:zone_taken", zone=zone["id"])
    if not zone["made"] and (there is None or (there.kind, there.bridge) != (MADE, zone["bridge"])):
        return fault("vnet:zone_gone", zone=zone["id"], bridge=zone["bridge"])
    carried = any(n.bridge == zone["bridge"] and lets_through(n, tag) for n in seen.networks)
    return None if carried else fault("vnet:shut", bridge=zone["bridge"], tag=tag)


def _tag_taken(part: Part, seen: ClusterSnapshot) -> Fault | None:
    zone, vnet = part.variables["zone"]["id"], part.variables["vnet"]
    tags = next((one.tags for one in seen.zones if one.name == zone), ())
    other = next((name for tag, name in tags if tag == vnet["tag"] and name != vnet["id"]), None)
    return fault("vnet:tag_taken", tag=vnet["tag"], vnet=other, zone=zone) if other else None


def _subnet(subnet: dict[str, str | None]) -> Fault | None:
    cidr, gateway = ipaddress.ip_network(str(subnet["cidr"])), subnet["gateway"]
    inside = gateway is None or ipaddress.ip_address(gateway) in cidr
    return None if inside else fault("vnet:gateway", gateway=gateway, subnet=str(cidr))


def _subnet_taken(part: Part, cidr: str, seen: ClusterSnapshot) -> Fault | None:
    wanted, own = ipaddress.ip_network(cidr), part.variables["vnet"]["id"]
    others = [(n.name, s) for n in seen.networks for s in (n.subnet, n.subnet6) if s and n.bridge != own]
    other = next((o for o in others if (known := ipaddress.ip_network(o[1])).version == wanted.version and known.overlaps(wanted)), None)
    return fault("vnet:subnet_taken", subnet=cidr, name=other[0], other=other[1]) if other else None
