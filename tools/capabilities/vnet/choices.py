"""Where a new network is made: in the zone that was said, or in the one that there is; a zone that is not there is made with it. Where
nothing has to be made, that is said. Changing one that exists is in changing.py."""

from __future__ import annotations

from tools.capabilities.vnet.facts import MADE, short
from tools.rules.machines.networks import lets_through
from tools.rules.machines.rights import SDN, Rights
from tools.rules.machines.vnets import SUBNET, VNET, ZONE
from tools.rules.names.text import join_and
from tools.rules.request.choosing import candidate_of
from tools.values.manifest import Part, Resource
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick
from tools.values.requirements import Needs
from tools.values.situation import Situation
from tools.values.snapshot import ClusterSnapshot, Zone
from tools.values.value import Json, Named


def offer(needs: Needs, situation: Situation) -> PartOffer:
    seen, tag, zone_said = situation.cluster, needs.whole("vlan"), needs.text("zone")
    found = _zone(needs, seen)
    if isinstance(found, PartOffer):
        return found
    zone, is_new = found
    if there := next((vnet for known, vnet in zone.tags if known == tag), ""):
        return nothing(needs, f"VLAN {tag}", f"it is vnet {there} of zone {zone.name} already", f"Ask for machines on network {there}.")
    name = called(needs)
    if name in {n.bridge for n in seen.networks}:
        return nothing(needs, name, "a network of this cluster is called that already", "Say another name, as in `called lab2`.")
    if not zone.nodes:
        return nothing(needs, f"zone {zone.name}", "no node that answers has it", "Look at its nodes, or say another zone.")
    made = f"Zone {zone.name} is new, on {zone.bridge}." if is_new else f"Zone {zone.name} is there, on {zone.bridge}."
    reach = f"It lets VLAN {tag} through on {join_and(list(zone.nodes))}."
    choice: Named = (("zone", zone.name), ("bridge", zone.bridge), ("is_new", is_new), ("nodes", ", ".join(zone.nodes)))
    reasons = (made, reach) if zone_said or is_new else (f"{made} It is the only zone of VLANs that fits.", reach)
    candidate = Candidate(id=zone.name, title=f"zone {zone.name} on {zone.bridge}", score=1.0, reasons=reasons, choice=choice)
    return PartOffer(label=needs.label, candidates=(candidate,), summary=f"SDN of the cluster has {_listed(seen)}.")


def nothing(needs: Needs, subject: str, reason: str, counter_offer: str) -> PartOffer:
    return PartOffer(label=needs.label, candidates=(), exclusions=(Exclusion(subject=subject, reason=reason),), counter_offer=counter_offer)


def _zone(needs: Needs, seen: ClusterSnapshot) -> tuple[Zone, bool] | PartOffer:
    """(zone, whether it is new), or why there is none and what to say instead."""
    said, bridge, tag = needs.text("zone"), needs.text("bridge"), needs.whole("vlan")
    known = {zone.name: zone for zone in seen.zones}
    if said in known:
        zone = known[said]
        if zone.kind != MADE:
            why = f"it is of kind {zone.kind}, and VLANs are made in zones of kind {MADE}"
            return nothing(needs, f"zone {said}", why, "Say another zone.")
        if bridge not in ("", zone.bridge):
            why = f"it is on {zone.bridge}, not on {bridge}"
            return nothing(needs, f"zone {said}", why, f"Say `on {zone.bridge}`, or another zone.")
        return (zone, False) if _carries(seen, zone.bridge, tag) else _shut(needs, seen, zone.bridge, tag)
    if not said:
        fitting = [z for z in seen.zones if z.kind == MADE and bridge in ("", z.bridge)]
        if len(fitting) > 1:
            names = join_and([z.name for z in fitting])
            return nothing(needs, "the zone", f"{names} are zones of VLANs", f"Say in which, as in `in zone {fitting[0].name}`.")
        if fitting:
            return (fitting[0], False) if _carries(seen, fitting[0].bridge, tag) else _shut(needs, seen, fitting[0].bridge, tag)
    bridges = {n.bridge: n.nodes for n in seen.networks if n.bridge == n.name and n.bridge in _carrying(seen, tag)}
    if bridge and bridge not in bridges:
        return _shut(needs, seen, bridge, tag)
    able = [bridge] if bridge else list(bridges)
    if not able:
        why = "no bridge of this cluster lets it through"
        return nothing(needs, f"VLAN {tag}", why, "Make a bridge VLAN-aware, or say another VLAN.")
    if not said:
        return nothing(
            needs,
            f"VLAN {tag}",
            f"nothing has to be made for it: {join_and(able)} let{'s' if len(able) == 1 else ''} it through",
            f"Ask for machines on `VLAN {tag} on {able[0]}`. For a vnet of SDN beside it, say in which zone, as in `in zone lan`.",
        )
    if len(able) > 1:
        why = f"{join_and(able)} let VLAN {tag} through"
        return nothing(needs, "the bridge", why, f"Say on which zone {said} is to be, as in `on {able[0]}`.")
    return Zone(name=said, kind=MADE, bridge=able[0], nodes=_nodes(seen, able[0], tag)), True


def _carries(seen: ClusterSnapshot, bridge: str, tag: int) -> bool:
    return bridge in _carrying(seen, tag)


def _carrying(seen: ClusterSnapshot, tag: int) -> frozenset[str]:
    return frozenset(n.bridge for n in seen.networks if lets_through(n, tag))


def _nodes(seen: ClusterSnapshot, bridge: str, tag: int) -> tuple[str, ...]:
    there = {node for n in seen.networks if n.bridge == bridge and lets_through(n, tag) for node in n.nodes}
    return tuple(node.name for node in seen.nodes if node.name in there)


def _shut(needs: Needs, seen: ClusterSnapshot, bridge: str, tag: int) -> PartOffer:
    known = {n.bridge for n in seen.networks}
    why = f"it does not let VLAN {tag} through" if bridge in known else "there is no such bridge"
    able = sorted(_carrying(seen, tag))
    instead = f"Say `on {able[0]}`." if able else "Make a bridge VLAN-aware, or say another VLAN."
    return nothing(needs, f"bridge {bridge}", why, instead)


def _listed(seen: ClusterSnapshot) -> str:
    return join_and([f"zone {z.name} ({z.kind}, {len(z.tags)} vnets)" for z in seen.zones]) or "no zone"


def called(needs: Needs) -> str:
    return short(needs.text("name")) or f"net{needs.whole('vlan')}"


def compose(needs: Needs, offer: PartOffer, pick: Pick, situation: Situation) -> Part:
    candidate = candidate_of(offer, pick)
    choice, name = dict(candidate.choice), called(needs)
    zone, bridge, nodes = str(choice["zone"]), str(choice["bridge"]), str(choice["nodes"]).split(", ")
    is_new, everywhere = bool(choice["is_new"]), len(nodes) == len(situation.cluster.nodes)
    variables: dict[str, Json] = {
        "zone": {"id": zone, "made": is_new, "bridge": bridge, "nodes": [] if everywhere else nodes},
        "vnet": {"id": name, "tag": needs.whole("vlan"), "alias": needs.text("name") if needs.text("name") != name else None},
        "subnet": {"cidr": needs.text("subnet"), "gateway": needs.text("gateway") or None} if needs.text("subnet") else None,
    }
    return Part(
        label=needs.label,
        capability=needs.capability,
        platform="proxmox",
        needs=needs,
        candidate=candidate.id,
        because=pick.because or candidate.reasons[0],
        module="vnet",
        variables=variables,
        resources=tuple(resources(needs, variables)),
        rights=rights(zone, name, is_new),
        confirm=f"The network of {_spell_nodes(nodes)} is loaded anew when it is applied. Machines keep their connections.",
        facts=(("vnet", name), ("zone", zone), ("nodes", ", ".join(nodes)), ("subnet", needs.text("subnet"))),
    )


def resources(needs: Needs, variables: dict[str, Json]) -> list[Resource]:
    zone, vnet, subnet = variables["zone"], variables["vnet"], variables["subnet"]
    on = f"zone {zone['id']}, {zone['bridge']}"
    found = [Resource(name=vnet["id"], kind=VNET, where=on, size=f"VLAN {vnet['tag']}", because="What was asked for.")]
    if zone["made"]:
        nodes = ", ".join(zone["nodes"]) or "every node"
        found.insert(0, Resource(name=zone["id"], kind=ZONE, where=nodes, size=f"on {zone['bridge']}", because="A vnet is in a zone."))
    if subnet:
        through = f"gateway {subnet['gateway']}" if subnet["gateway"] else "no gateway"
        told = "So that plans know its addresses."
        found.append(Resource(name=subnet["cidr"], kind=SUBNET, where=f"vnet {vnet['id']}", size=through, because=told))
    return found


def rights(zone: str, vnet: str, is_new: bool) -> Rights:
    paths = ("/sdn", f"/sdn/zones/{zone}", f"/sdn/zones/{zone}/{vnet}", *(("/sdn/zones",) if is_new else ()))
    return tuple((path, SDN) for path in sorted(paths))


def _spell_nodes(nodes: list[str]) -> str:
    return join_and(nodes) if len(nodes) <= 4 else f"{len(nodes)} nodes"
