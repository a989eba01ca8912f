"""Finds the security group, and composes the rule with the first priority that is free and comes before every refusal. No choice is left."""

from __future__ import annotations

from typing import Any

from tools.rules.azure import names as azure_names
from tools.rules.azure import placing as azure_placing
from tools.rules.azure.placing import candidate_of, subscription, text
from tools.rules.machines.machines import strings
from tools.rules.names import naming
from tools.values.manifest import Command, Part, Resource
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick
from tools.values.requirements import Needs
from tools.values.site import Reserved, Site
from tools.values.snapshot import CloudResource, SecurityRule, Snapshot, SubscriptionSnapshot

MODULE = "azure_firewall_ports"
KIND = "microsoft.network/networksecuritygroups"
PRIORITY_FIRST, PRIORITY_LAST, STEP = 100, 4096, 10
NEW = "new"


def offer(needs: Needs, snapshot: Snapshot, site: Site, reserved: Reserved) -> PartOffer:
    seen = subscription(snapshot)
    asked = text(needs, "security_group")
    if not asked:
        problem = azure_placing.region_problem(needs, seen)
        if problem:
            return _none(needs, text(needs, "region"), problem)
        reason = "No security group was named, so a new one is made."
        return _one(needs, f"{text(needs, 'region')}/{NEW}", "a new security group", reason, "")
    there = groups(seen)
    found = [g for g in there if g.name.lower() in (asked.lower(), f"nsg-{asked.lower()}")]
    if len(found) == 1:
        group = found[0]
        return _one(needs, f"{group.region}/{group.name}", f"{group.name} in {group_name(group)}", "As asked for.", group.id)
    if found:
        listed = ", ".join(f"{g.name} in {group_name(g)}" for g in found)
        return _none(needs, asked, f"there are several of that name: {listed}")
    told = naming.unknown("network security group", asked, [g.name for g in there])
    meant = naming.nearest(asked, [g.name for g in there])
    return _none(needs, asked, told, f"It would fit on {meant}." if meant else "Without a name, a new security group is made.")


def compose(needs: Needs, offer: PartOffer, pick: Pick, snapshot: Snapshot, site: Site, reserved: Reserved) -> Part:
    seen = subscription(snapshot)
    candidate = candidate_of(offer, pick)
    existing = next((g for g in groups(seen) if g.id == candidate.choice["group_id"]), None)
    base = azure_placing.base_of(needs, text(needs, "workload", "ports"), seen, reserved.names)
    group = group_name(existing) if existing else azure_placing.group_of(needs, base)
    name = existing.name if existing else base.name("nsg")
    region = existing.region if existing else text(needs, "region")
    rules = rules_of(existing.id, seen) if existing else ()
    rule: dict[str, Any] = {
        "name": rule_name(needs, {r.name.lower() for r in rules}),
        "priority": free_priority(rules),
        "protocol": text(needs, "protocol"),
        "ports": list(strings(needs, "ports")),
        "sources": list(strings(needs, "sources")),
        "description": f"Opened by Berth for {text(needs, 'team')}.",
    }
    public = text(needs, "public_exposure") == "True"
    ports, sources = ", ".join(rule["ports"]), ", ".join(rule["sources"])
    return Part(
        name=needs.capability,
        capability=needs.capability,
        target="azure",
        needs=needs,
        candidate=candidate.id,
        because=" ".join(filter(None, [pick.because, *candidate.reasons])),
        module=MODULE,
        variables={
            "subscription_id": seen.subscription_id,
            "location": region,
            "tags": azure_placing.tags(needs, site),
            "resource_group_name": group,
            "security_group_name": name,
            "make_security_group": existing is None,
            "rules": [rule],
        },
        resources=(
            Resource(
                name=str(rule["name"]),
                kind="security rule",
                where=f"{region}, {group}, {name}",
                size=f"{rule['protocol']} {ports} from {sources}",
                because=f"Priority {rule['priority']} is free. {candidate.reasons[0]}",
            ),
        ),
        commands=(
            Command(
                purpose="List the rules of the security group",
                argv=("az", "network", "nsg", "rule", "list", "--resource-group", group, "--nsg-name", name, "--output", "table"),
                runs_here=False,
            ),
        ),
        facts={"public": public, "existing": existing is not None},
        confirm=f"It opens port {ports} to the whole internet." if public else "",
    )  # fmt: skip


def groups(seen: SubscriptionSnapshot) -> tuple[CloudResource, ...]:
    return tuple(r for r in seen.resources if r.type.lower() == KIND)


def group_name(resource: CloudResource) -> str:
    """The resource group in an ARM id."""
    parts = resource.id.split("/")
    return parts[4] if len(parts) > 4 else ""


def rules_of(group_id: str, seen: SubscriptionSnapshot) -> tuple[SecurityRule, ...]:
    return tuple(r for r in seen.security_rules if r.inbound and r.group_id.lower() == group_id.lower())


def free_priority(rules: tuple[SecurityRule, ...]) -> int:
    """The first free one in steps of ten that comes before every refusal; else any free one before it; else the first free one at all."""
    taken = {r.priority for r in rules}
    end = min((r.priority for r in rules if not r.allow), default=PRIORITY_LAST + 1)
    tries = (*range(PRIORITY_FIRST, end, STEP), *range(PRIORITY_FIRST, PRIORITY_LAST + 1))
    return next((p for p in tries if p not in taken), 0)


def rule_name(needs: Needs, taken: set[str]) -> str:
    ports = "-".join(p.replace("-", "to") for p in strings(needs, "ports"))[:40]
    name = f"allow-{text(needs, 'protocol').lower()}-{ports}"
    tried = (name, *(f"{name}-{n}" for n in range(2, azure_placing.ANOTHER_MAX)))
    free = next((n for n in tried if n.lower() not in taken), f"{name}-{azure_names.short_hash(*sorted(taken))}")
    return free


def _one(needs: Needs, id_: str, title: str, reason: str, group_id: str) -> PartOffer:
    candidate = Candidate(id=id_, title=title, score=1.0, reasons=(reason,), choice={"group_id": group_id})
    return PartOffer(capability=needs.capability, candidates=(candidate,))


def _none(needs: Needs, subject: str, reason: str, counter_offer: str = "") -> PartOffer:
    excluded = (Exclusion(subject=subject, reason=reason),)
    return PartOffer(capability=needs.capability, candidates=(), exclusions=excluded, counter_offer=counter_offer)
