"""A change of ports that are open: rules that come, go, and let in others, in the security group that they are in."""

from __future__ import annotations

from collections.abc import Sequence

from tools.capabilities.azure_firewall_ports.choices import groups, resources_of
from tools.rules.azure import changes
from tools.rules.azure.checks import cloud_of
from tools.rules.azure.placing import nothing
from tools.values.manifest import Part
from tools.values.offer import Candidate, PartOffer
from tools.values.requirements import Needs
from tools.values.situation import Situation
from tools.values.value import Json


def stay(old: Part, needs: Needs, situation: Situation) -> PartOffer:
    group_id = _group_id(old)
    name = group_id.rpartition("/")[2]
    asked = needs.text("security_group")
    if asked and asked.lower() not in (name.lower(), name.lower().removeprefix("nsg-")):
        return nothing(needs, asked, f"the rules are in {name}, and a rule stays in its group", "Ask for the ports there by themselves.")
    there = next((one for one in groups(situation.subscription) if one.id.lower() == group_id.lower()), None)
    if there is None:
        return nothing(needs, name, "it is not there any more", "Ask for the ports anew.")
    reason = f"The rules stay in {name}."
    candidate = Candidate(id=old.candidate, title=name, score=1.0, reasons=(reason,), choice=(("group_id", there.id),))
    return PartOffer(label=needs.label, candidates=(candidate,))


def keep(old: Part, new: Part) -> Part:
    """A rule that lets in the same, or else opens the same ports, keeps its name and its priority."""
    cloud, made_here = cloud_of(old), not old.variables["security_group_id"]
    rules, gone = _as_before(new.variables["rules"], old.variables["rules"])
    kept = [str(rule["name"]) for rule in old.variables["rules"] if rule["name"] not in gone]
    return new.model_copy(
        update={
            "cloud": cloud.model_copy(update={"tags": cloud_of(new).tags}),
            "variables": {**new.variables, "security_group_id": old.variables["security_group_id"], "rules": rules},
            "resources": resources_of(rules, old.resources[0].where, new.because),
            "commands": old.commands,
            "facts": tuple((name, not made_here if name == "existing" else value) for name, value in new.facts),
            "owned": (*(changes.ids(cloud) if made_here else ()), *(f"{_group_id(old)}/securityRules/{name}" for name in kept)),
            "lets_go": tuple(f'azapi_resource.rule["{name}"]' for name in gone),
        }
    )


def _group_id(old: Part) -> str:
    cloud = cloud_of(old)
    names = dict(cloud.names)
    made = f"/subscriptions/{cloud.subscription_id}/resourceGroups/{names.get('resource_group')}"
    return str(old.variables["security_group_id"]) or f"{made}/providers/Microsoft.Network/networkSecurityGroups/{names.get('nsg')}"


def _as_before(rules: Sequence[Json], there: Sequence[Json]) -> tuple[list[Json], list[str]]:
    """(the rules, those that exist under their own names; names of those that go)"""
    left = {str(rule["name"]): rule for rule in there}
    found = list(rules)
    for about in ("sources", "ports"):
        for n, rule in enumerate(found):
            alike = (one for one in left.values() if one["protocol"] == rule["protocol"] and set(one[about]) == set(rule[about]))
            before = next(alike, None) if rule is rules[n] else None
            if before:
                found[n] = {**rule, "name": before["name"], "priority": before["priority"]}
                del left[str(before["name"])]
    return found, list(left)
