"""Offers redundancies for a storage account, each priced, and composes the picked one."""

from __future__ import annotations

from tools.rules.azure import names as azure_names
from tools.rules.azure import placing
from tools.rules.azure.placing import Names, for_operator
from tools.rules.names import regions as azure_regions
from tools.rules.names.text import spell_value
from tools.rules.plans import pricing
from tools.rules.request.choosing import candidate_of
from tools.values.manifest import Command, Part, Resource
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick
from tools.values.requirements import Needs
from tools.values.site import Site
from tools.values.situation import Situation

KINDS = ("LRS", "ZRS", "GRS")
MEANING = {
    "LRS": "Three copies in one data centre.",
    "ZRS": "Three copies in three zones of the region: it outlives one of them.",
    "GRS": "Copies in two regions: it outlives one of them.",
}
OPERATION_MIB = 4
NO_NAMES: Names = (("resource_group", ""), ("storage", ""), ("logs", ""))
"""For reckoning before anything has a name."""


def offer(needs: Needs, situation: Situation) -> PartOffer:
    seen = situation.subscription
    name, region, budget = needs.text("name"), needs.text("region"), needs.number("budget_monthly")
    if no := placing.no_region(needs, seen):
        return no
    if name and _is_taken(name, situation):
        free = next((n for n in (f"{name[:22]}{i}" for i in range(2, 50)) if not _is_taken(n, situation)), "")
        reason = "it is in use, and the name of a storage account is unique in all of Azure"
        return placing.nothing(needs, f"name {name}", reason, f"Say another name, such as {free}.")
    shut: list[Exclusion] = []
    found: list[Candidate] = []
    wanted = needs.text("redundancy")
    costs = {kind: monthly(needs, kind, situation) for kind in ((wanted,) if wanted else KINDS)}
    for kind, cost in costs.items():
        if kind == "ZRS" and not azure_regions.has_zones(region):
            shut.append(Exclusion(subject=kind, reason=f"{region} has no availability zones"))
        elif budget and cost > budget:
            reason = f"it costs {cost:,.2f} USD a month, more than the budget of {budget:,.0f}"
            shut.append(Exclusion(subject=kind, reason=reason))
        else:
            priced = f"about {cost:,.2f} USD a month"
            reasons = (MEANING[kind], f"A{priced[1:]} at list prices.")
            choice = (("redundancy", kind),)
            found.append(Candidate(id=kind.lower(), title=f"{kind}, {priced}", score=_score(kind, needs), reasons=reasons, choice=choice))
    found.sort(key=lambda c: (-c.score, c.id))
    cheapest = min(costs, key=lambda kind: costs[kind])
    raised = f"It would fit with a budget of {costs[cheapest] + 1:,.0f} USD a month, as {cheapest}." if budget else ""
    return PartOffer(
        label=needs.label,
        candidates=tuple(found),
        exclusions=tuple(shut),
        summary=f"{seen.subscription_name or 'The subscription'}, {azure_regions.display(region)}.",
        counter_offer="" if found else raised,
    )


def _score(kind: str, needs: Needs) -> float:
    """Zones for production, one data centre elsewhere; a second region only when it is asked for."""
    first = "ZRS" if needs.text("environment") == "production" else "LRS"
    return {"ZRS": 0.7, "LRS": 0.5, first: 0.9}.get(kind, 0.3)


def _is_taken(name: str, situation: Situation) -> bool:
    return azure_names.check_key("storage", name) in situation.subscription.names_taken or name in situation.reserved.names


def monthly(needs: Needs, redundancy: str, situation: Situation) -> float:
    return pricing.monthly(resources(needs, redundancy, NO_NAMES), needs.text("region"), situation.prices)


def resources(needs: Needs, redundancy: str, called: Names) -> tuple[Resource, ...]:
    names = dict(called)
    made = placing.resources_in(needs, names["resource_group"])
    stored, logs, lake = needs.whole("stored_gb"), needs.whole("log_gb"), needs.yes("data_lake")
    return (
        made(names["resource_group"], "resource group", "", "So that it goes together."),
        made(
            names["storage"],
            "data lake (ADLS Gen2)" if lake else "storage account",
            f"{spell_value(stored, 'GB')}, {redundancy}, containers {', '.join(needs.strings('containers'))}",
            "Identities only, TLS 1.2, closed but for named addresses.",
            (f"blob.hot.{redundancy}", stored),
            (f"{'adls' if lake else 'blob'}.hot.writes", round(stored * 1024 / OPERATION_MIB / 10_000, 2)),
        ),
        made(
            names["logs"],
            "Log Analytics workspace",
            spell_value(logs, "GB a month"),
            "Who wrote and who deleted.",
            *placing.log_meters(logs),
        ),
    )


def compose(needs: Needs, offer: PartOffer, pick: Pick, situation: Situation) -> Part:
    candidate = candidate_of(offer, pick)
    redundancy = str(dict(candidate.choice)["redundancy"])
    names = placing.names_of(needs, situation, "storage", "logs", storage=needs.text("name"))
    saved = monthly(needs, redundancy, situation) - monthly(needs, "LRS", situation)
    return placing.part_of(
        needs,
        candidate,
        pick,
        situation,
        names=names,
        resources=resources(needs, redundancy, names),
        variables={
            "data_lake": needs.yes("data_lake"),
            "redundancy": redundancy,
            "containers": list(needs.strings("containers")),
            "allowed_ranges": list(needs.strings("allowed_ranges")),
        },
        commands=_commands(dict(names), needs.strings("containers")[0]),
        savings=(f"One data centre (LRS) instead of {redundancy}: {saved:,.2f} USD a month less.",) if saved >= 1 else (),
    )


def _commands(names: dict[str, str], container: str) -> tuple[Command, ...]:
    group, account = names["resource_group"], names["storage"]
    storage, log_in = ("az", "storage"), ("--account-name", account, "--auth-mode", "login")
    put = ("--container-name", container, "--file", "README.md")
    return (
        for_operator("List the containers", *storage, "container", "list", *log_in, "--output", "table"),
        for_operator("Put a file there", *storage, "blob", "upload", *log_in, *put),
        for_operator("See its settings", *storage, "account", "show", "--resource-group", group, "--name", account),
    )


def names_to_check(needs: Needs, site: Site) -> tuple[str, ...]:
    name = needs.text("name")
    if not name:
        return placing.names_to_check("storage")(needs, site)
    return tuple(azure_names.check_key("storage", one) for one in (name, *(f"{name[:22]}{i}" for i in range(2, 5))))
