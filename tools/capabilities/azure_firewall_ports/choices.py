"""Finds the security group, and composes rules with the first priorities that are free and come before every refusal. No choice is
left."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tools.capabilities.azure_firewall_ports.facts import INTERNET, wanted_rules
from tools.rules.azure import names as azure_names
from tools.rules.azure import placing
from tools.rules.azure.placing import for_operator, nothing
from tools.rules.names import naming
from tools.rules.request.choosing import candidate_of
from tools.values.manifest import Part, Resource
from tools.values.offer import Candidate, PartOffer, Pick
from tools.values.requirements import Needs
from tools.values.situation import Situation
from tools.values.snapshot import CloudResource, SecurityRule, SubscriptionSnapshot
from tools.values.value import Json

KIND = "microsoft.network/networksecuritygroups"
PRIORITY_FIRST, PRIORITY_LAST, STEP = 100, 4096, 10
ANOTHER_MAX = 20
"""Numbers that are tried behind a rule's name."""


def offer(needs: Needs, situation: Situation) -> PartOffer:
    seen = situation.subscription
    asked, region = needs.text("security_group"), needs.text("region")
    if not asked:
        reason = "No security group was named, so a new one is made."
        return placing.no_region(needs, seen) or _one(needs, f"{region}/new", "a new security group", reason, "")
    there = groups(seen)
    found = [g for g in there if g.name.lower() in (asked.lower(), f"nsg-{asked.lower()}")]
    if len(found) == 1:
        group = found[0]
        return _one(needs, f"{group.region}/{group.name}", f"{group.name} in {group_name(group.id)}", "As asked for.", group.id)
    if found:
        listed = ", ".join(f"{g.name} in {group_name(g.id)}" for g in found)
        return nothing(needs, asked, f"there are several of that name: {listed}")
    told = naming.unknown("network security group", asked, [g.name for g in there])
    meant = naming.nearest(asked, [g.name for g in there])
    return nothing(needs, asked, told, f"It would fit on {meant}." if meant else "Without a name, a new security group is made.")


def compose(needs: Needs, offer: PartOffer, pick: Pick, situation: Situation) -> Part:
    seen = situation.subscription
    candidate = candidate_of(offer, pick)
    group_id = str(dict(candidate.choice)["group_id"])
    existing = next((g for g in groups(seen) if g.id == group_id), None)
    names = () if existing else placing.names_of(needs, situation, "nsg")
    called = dict(names)
    group = group_name(existing.id) if existing else called["resource_group"]
    name = existing.name if existing else called["nsg"]
    region = existing.region if existing else needs.text("region")
    rules = rules_to_make(needs, rules_of(group_id, seen))
    opened = [port for rule in rules if INTERNET in rule["sources"] for port in rule["ports"]]
    rule_list = ("az", "network", "nsg", "rule", "list", "--resource-group", group, "--nsg-name", name, "--output", "table")
    return placing.part_of(
        needs,
        candidate,
        pick,
        situation,
        region=region,
        names=names,
        variables={"security_group_id": _spelt(seen, existing) if existing else "", "rules": rules},
        resources=resources_of(rules, f"{region}, {group}, {name}", candidate.reasons[0]),
        commands=(for_operator("List the rules of the security group", *rule_list),),
        facts=(("public", bool(opened)), ("existing", existing is not None)),
        confirm=f"It opens port {', '.join(opened)} to the whole internet." if opened else "",
    )


def rules_to_make(needs: Needs, there: tuple[SecurityRule, ...]) -> list[dict[str, Json]]:
    """One for all who may come in to the same ports, each with a name and a priority that are free."""
    made: list[dict[str, Json]] = []
    for ports, sources in wanted_rules(needs):
        taken = {*(rule.name.lower() for rule in there), *(str(rule["name"]).lower() for rule in made)}
        priority = free_priority(there, {int(rule["priority"]) for rule in made})
        made.append(
            {
                "name": rule_name(needs.text("protocol"), ports, taken),
                "priority": priority,
                "protocol": needs.text("protocol"),
                "ports": list(ports),
                "sources": list(sources),
                "description": f"Opened by Berth for {needs.text('team')}.",
            }
        )
    return made


def resources_of(rules: Sequence[Json], where: str, reason: str) -> tuple[Resource, ...]:
    return tuple(
        Resource(
            name=str(rule["name"]),
            kind="security rule",
            where=where,
            size=f"{rule['protocol']} {', '.join(rule['ports'])} from {', '.join(rule['sources'])}",
            because=f"Its priority is {rule['priority']}. {reason}",
        )
        for rule in rules
    )


def groups(seen: SubscriptionSnapshot) -> tuple[CloudResource, ...]:
    return tuple(r for r in seen.resources if r.type.lower() == KIND)


def _spelt(seen: SubscriptionSnapshot, group: CloudResource) -> str:
    """Its id as Terraform spells it; Azure's lists spell ids as they like."""
    within = f"/subscriptions/{seen.subscription_id}/resourceGroups/{group_name(group.id)}"
    return f"{within}/providers/Microsoft.Network/networkSecurityGroups/{group.name}"


def group_name(id_: str) -> str:
    """The resource group in an ARM id."""
    parts = id_.split("/")
    return parts[4] if len(parts) > 4 else ""


def rules_of(group_id: str, seen: SubscriptionSnapshot) -> tuple[SecurityRule, ...]:
    return tuple(r for r in seen.security_rules if r.inbound and r.group_id.lower() == group_id.lower())


def free_priority(rules: tuple[SecurityRule, ...], also_taken: Collection[int] = ()) -> int:
    """The first free one in steps of ten that comes before every refusal; else any free one before it; else the first free one at all."""
    taken = {r.priority for r in rules} | set(also_taken)
    end = min((r.priority for r in rules if not r.allow), default=PRIORITY_LAST + 1)
    tries = (*range(PRIORITY_FIRST, end, STEP), *range(PRIORITY_FIRST, PRIORITY_LAST + 1))
    return next((p for p in tries if p not in taken), 0)


def rule_name(protocol: str, ports: Sequence[str], taken: set[str]) -> str:
    name = f"allow-{protocol.lower()}-{'-'.join(p.replace('-', 'to') for p in ports)[:40]}"
    tried = (name, *(f"{name}-{n}" for n in range(2, ANOTHER_MAX)))
    free = next((n for n in tried if n.lower() not in taken), f"{name}-{azure_names.short_hash(*sorted(taken))}")
    return free


def _one(needs: Needs, id_: str, title: str, reason: str, group_id: str) -> PartOffer:
    candidate = Candidate(id=id_, title=title, score=1.0, reasons=(reason,), choice=(("group_id", group_id),))
    return PartOffer(label=needs.label, candidates=(candidate,))
