"""Reviews a part that opens ports: that the rule has a place of its own, comes before every refusal, and lets in nobody by accident."""

from __future__ import annotations

from typing import Any

from tools.capabilities.azure_firewall_ports.choices import groups, rules_of
from tools.capabilities.azure_firewall_ports.facts import ADMINISTRATION, INTERNET
from tools.rules.azure import placing as azure_placing
from tools.rules.azure.placing import Checked, subscription
from tools.values.manifest import Part
from tools.values.review import Finding, Severity
from tools.values.site import Reserved, Site
from tools.values.snapshot import SecurityRule, Snapshot, SubscriptionSnapshot

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


def review(part: Part, snapshot: Snapshot, site: Site, reserved: Reserved) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    seen = subscription(snapshot)
    found = [*azure_placing.common_checks(part, seen), _group(part, seen)]
    for rule in part.variables["rules"]:
        found += _rule(rule, _others(part, rule, seen))
    return azure_placing.judged(part, found)


def _id(part: Part, seen: SubscriptionSnapshot) -> str:
    variables = part.variables
    return (
        f"/subscriptions/{seen.subscription_id}/resourceGroups/{variables['resource_group_name']}/providers/Microsoft.Network/"
        f"networkSecurityGroups/{variables['security_group_name']}"
    )


def _group(part: Part, seen: SubscriptionSnapshot) -> Checked:
    if part.variables["make_security_group"]:
        text = "A new security group guards nothing until a subnet or a network interface names it."
        return ("group.attached", NOTE, (text, "The guide says how to attach it."))
    there = _id(part, seen).lower() in {g.id.lower() for g in groups(seen)}
    name = part.variables["security_group_name"]
    return ("group.there", ERROR, None if there else (f"The security group {name} is not there.", "Say another, or none for a new one."))  # fmt: skip


def _others(part: Part, rule: dict[str, Any], seen: SubscriptionSnapshot) -> tuple[SecurityRule, ...]:
    """Rules of the group that are not this one itself, from before a change or in a run that is taken up again."""
    group_id = _id(part, seen)
    mine = f"{group_id}/securityRules/{rule['name']}".lower() in azure_placing.owns(part)
    return tuple(r for r in rules_of(group_id, seen) if not (mine and r.name.lower() == str(rule["name"]).lower()))


def _rule(rule: dict[str, Any], others: tuple[SecurityRule, ...]) -> list[Checked]:
    priority = int(rule["priority"])
    clash = next((r for r in others if r.priority == priority), None)
    same = next((r for r in others if r.name.lower() == str(rule["name"]).lower()), None)
    before = next((r for r in others if not r.allow and r.priority < priority), None)
    public = INTERNET in rule["sources"] or "*" in rule["sources"]
    administration = [p for p in ADMINISTRATION if any(_within(p, one) for one in rule["ports"])]
    return [
        ("priority.range", ERROR, None if 100 <= priority <= 4096 else ("The security group has no free priority.", "Remove rules that are not needed.")),
        ("priority.free", ERROR, (f"Priority {priority} is {clash.name}'s.", "Ask again: another is free.") if clash else None),
        ("name.rule", ERROR, (f"There is a rule {same.name} already.", "Ask again.") if same else None),
        ("rule.effect", WARNING, (f"{before.name} refuses at priority {before.priority}, before this rule lets anything in.", "Look whether it is meant to.") if before else None),
        ("exposure.administration", ERROR, (f"Port {administration[0]} would be open to the whole internet.", "Say from which addresses.") if public and administration else None),
        ("exposure.public", WARNING, ("Anybody on the internet may come in.", "Name addresses, if it is not for everybody.") if public else None),
    ]  # fmt: skip


def _within(port: int, ports: str) -> bool:
    low, _, high = ports.partition("-")
    return int(low) <= port <= int(high or low)
