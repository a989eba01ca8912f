"""A change of a network that exists: its alias, a subnet that is added, and its gateway. A VLAN, a zone and a name are for life, since
machines are on it by them."""

from __future__ import annotations

from tools.capabilities.vnet.choices import nothing, resources
from tools.values.manifest import Part
from tools.values.offer import Candidate, PartOffer
from tools.values.requirements import Needs
from tools.values.situation import Situation
from tools.values.value import Named


def stay(old: Part, needs: Needs, situation: Situation) -> PartOffer:
    zone, vnet, subnet = old.variables["zone"], old.variables["vnet"], old.variables["subnet"]
    if needs.whole("vlan") != vnet["tag"]:
        return nothing(needs, f"VLAN {needs.whole('vlan')}", f"{vnet['id']} is VLAN {vnet['tag']} for life", "Ask for another network.")
    if needs.text("zone") not in ("", zone["id"]) or needs.text("bridge") not in ("", zone["bridge"]):
        return nothing(needs, "the zone", f"{vnet['id']} stays in zone {zone['id']} on {zone['bridge']}", "Ask for another network.")
    if subnet and needs.text("subnet") != subnet["cidr"]:
        return nothing(needs, "the subnet", f"{vnet['id']} keeps its subnet {subnet['cidr']}", "Change it in Proxmox VE.")
    nodes = ", ".join(zone["nodes"]) or dict(old.facts)["nodes"]
    choice: Named = (("zone", zone["id"]), ("bridge", zone["bridge"]), ("is_new", zone["made"]), ("nodes", nodes))
    reason = f"It stays vnet {vnet['id']} of zone {zone['id']}."
    return PartOffer(
        label=needs.label, candidates=(Candidate(id=old.candidate, title=zone["id"], score=1.0, reasons=(reason,), choice=choice),)
    )


def keep(old: Part, new: Part) -> Part:
    zone, vnet, said = old.variables["zone"], old.variables["vnet"], new.needs.text("name")
    alias = said if said and said != vnet["id"] else None
    variables = {"zone": zone, "vnet": {**vnet, "alias": alias}, "subnet": new.variables["subnet"]}
    owned = (f"vnets/{vnet['id']}", *((f"zones/{zone['id']}",) if zone["made"] else ()))
    own = {"variables": variables, "resources": tuple(resources(new.needs, variables)), "owned": owned}
    facts = dict(old.facts) | {"subnet": new.needs.text("subnet")}
    return new.model_copy(update=own | {"rights": old.rights, "facts": tuple(facts.items()), "confirm": old.confirm})
