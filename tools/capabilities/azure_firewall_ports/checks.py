"""Reviews a part that opens ports: that the rule has a place of its own, comes before every refusal, and lets in nobody by accident."""

from __future__ import annotations

from tools.capabilities import Reviewed
from tools.capabilities.azure_firewall_ports.choices import PRIORITY_FIRST, PRIORITY_LAST, groups, rules_of
from tools.capabilities.azure_firewall_ports.facts import ADMINISTRATION, INTERNET, holds
from tools.rules.azure.checks import Checks
from tools.values.manifest import Part
from tools.values.review import Severity
from tools.values.situation import Situation
from tools.values.value import Json


def review(part: Part, situation: Situation) -> Reviewed:
    checks = Checks(part, situation)
    group_id = str(part.variables["security_group_id"])
    if group_id:
        there = group_id.lower() in {g.id.lower() for g in groups(checks.seen)}
        text = "" if there else f"The security group {group_id.rpartition('/')[2]} is not there."
        checks.check("group.there", "", text, "Say another, or none for a new one.")
    else:
        text = "A new security group guards nothing until a subnet or a network interface names it."
        checks.note("reach", "", text, "The guide says how to attach it.")
    for rule in part.variables["rules"]:
        _place(checks, group_id, rule)
        _exposure(checks, rule)
    return checks.done()


def _place(checks: Checks, group_id: str, rule: dict[str, Json]) -> None:
    name, priority = str(rule["name"]), int(rule["priority"])
    # The rule itself is not in its own way, in a run that is taken up again.
    own = f"/{name}".lower() if any(one.lower() == f"{group_id}/securityRules/{name}".lower() for one in checks.part.owned) else ""
    others = [r for r in rules_of(group_id, checks.seen) if f"/{r.name}".lower() != own]
    inside = PRIORITY_FIRST <= priority <= PRIORITY_LAST
    checks.check("priority.range", name, "" if inside else "The security group has no free priority.", "Remove rules that are not needed.")
    clash = next((f"Priority {priority} is {r.name}'s." for r in others if r.priority == priority), "")
    checks.check("priority.free", name, clash, "Ask again: another is free.")
    same = next((f"There is a rule {r.name} already." for r in others if r.name.lower() == name.lower()), "")
    checks.check("name.free", name, same, "Ask again.")
    before = next((r for r in others if not r.allow and r.priority < priority), None)
    text = f"{before.name} refuses at priority {before.priority}, before this rule lets anything in." if before else ""
    checks.check("priority.effect", name, text, "Look whether it is meant to.", Severity.WARNING)


def _exposure(checks: Checks, rule: dict[str, Json]) -> None:
    public = INTERNET in rule["sources"] or "*" in rule["sources"]
    open_ = [port for port in ADMINISTRATION if public and any(holds(one, port) for one in rule["ports"])]
    text = f"Port {open_[0]} would be open to the whole internet." if open_ else ""
    checks.check("exposure", rule["name"], text, "Say from which addresses.")
    text = "Anybody on the internet may come in." if public else ""
    checks.check("exposure.public", rule["name"], text, "Name addresses, if it is not for everybody.", Severity.WARNING)
