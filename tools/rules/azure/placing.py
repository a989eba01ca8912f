"""Where an Azure part goes and what it is called: region, names, tags, and the part with what every Azure part has.

How names are made up is in tools.rules.azure.names; whether everything holds is found out in tools.rules.azure.checks.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network, ip_network
from typing import Protocol

from tools.rules.azure import names as azure_names
from tools.rules.azure.names import RULES, Base
from tools.rules.names import naming
from tools.rules.request.reading import Reading
from tools.values.manifest import Cloud, Command, Configure, Part, Resource
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick
from tools.values.requirements import Needs
from tools.values.site import Site
from tools.values.situation import Situation
from tools.values.snapshot import SubscriptionSnapshot
from tools.values.trouble import RequestProblem
from tools.values.value import Json, Named

NUMBERS_MAX = 99
"""Numbers that are tried behind a name before it is given up."""
RANGES = (IPv4Network("10.64.0.0/10"),)
"""Where the site says no others: seldom used, and apart from the 10.0.0.0/16 that most hubs have."""
BLOCKS_MAX = 4096
"""Ranges that are tried before it is given up."""
TAG_CHARACTERS_MAX = 256
GROUP_FACTS = ("team_group", "administrators")
"""Facts that name an Entra group by its object id."""
Names = tuple[tuple[str, str], ...]


def read_name(reading: Reading, fact: str, kind: str) -> None:
    """A name of the operator's own, if it was said and Azure takes it."""
    if fact not in reading.facts:
        return
    name = reading.facts[fact].value.strip()
    problem = azure_names.name_problem(kind, name)
    if problem:
        reading.refuse(problem, fact)
    else:
        reading.said(fact, name)


def regions_of(needs: Needs, site: Site) -> tuple[str, ...]:
    region = needs.text("region")
    return (region,) if region else ()


def region_problem(region: str, seen: SubscriptionSnapshot) -> str:
    """A whole sentence; empty when the subscription has the region, or did not tell its regions."""
    known = [r.name for r in seen.regions]
    return "" if not known or region in known else naming.unknown("region of this subscription", region, known)


def no_region(needs: Needs, seen: SubscriptionSnapshot) -> PartOffer | None:
    """An offer of nothing, when the subscription does not have the region."""
    problem = region_problem(needs.text("region"), seen)
    return nothing(needs, f"region {needs.text('region')}", problem.rstrip(".")) if problem else None


def nothing(needs: Needs, subject: str, reason: str, counter_offer: str = "") -> PartOffer:
    shut = (Exclusion(subject=subject, reason=reason),)
    return PartOffer(label=needs.label, candidates=(), exclusions=shut, counter_offer=counter_offer)


def must_survive(needs: Needs) -> bool:
    """The loss of a zone: it is for production, or was asked to be highly available."""
    return needs.text("environment") == "production" or needs.yes("high_availability")


def tags_of(needs: Needs, site: Site) -> Names:
    """On everything that takes tags. The site's own tags of the environment go before ours."""
    environment, team = needs.text("environment"), needs.text("team")
    given = {"owner": team, "team": team, "environment": environment, "managed_by": "berth"}
    given["not_done"] = re.sub(r"[^\w .,:;/-]", "", "; ".join(needs.not_included), flags=re.ASCII)[:TAG_CHARACTERS_MAX]
    of_site = dict(site.environment(environment).tags)
    # For Azure `Owner` and `owner` are one tag.
    said = {name.lower() for name in of_site}
    return tuple((name, value) for name, value in {**given, **of_site}.items() if value and (name in of_site or name not in said))


def base_of(needs: Needs, number: int = 1) -> Base:
    return Base(needs.text("workload"), needs.text("team"), needs.text("environment"), needs.text("region"), number)


def names_of(needs: Needs, situation: Situation, *kinds: str, **said: str) -> Names:
    """(kind, name) of a resource group and of each kind, by convention with the first number whose group is free, or as it was said.

    A kind may have a purpose before it: `jobs_identity`. Raises RequestProblem when no name is free.
    """
    seen, reserved = situation.subscription, situation.reserved.widest.names
    groups = {g.name.lower() for g in seen.groups} | {name.lower() for name in reserved}
    bases = (base_of(needs, number) for number in range(1, NUMBERS_MAX + 1))
    base = next((one for one in bases if one.name("resource_group").lower() not in groups), None)
    if base is None:
        raise RequestProblem("There are no free names left.", f"{NUMBERS_MAX} of that name exist.", "Say another name.")
    found: dict[str, str] = {}
    for key in ("resource_group", *kinds):
        kind = azure_names.kind_of(key)
        if RULES[kind].scope == "global":
            taken = {*seen.names_taken, *(azure_names.check_key(kind, name) for name in reserved)}
            name = azure_names.free_global(base, kind, _salt(needs, situation.site), taken)
        else:
            name = base.name(kind, key.removesuffix(kind).rstrip("_"))
        found[key] = said.get(key) or (key == "resource_group" and needs.text(key)) or name
    if lacking := [RULES[azure_names.kind_of(key)].noun for key, name in found.items() if not name]:
        raise RequestProblem("A global name is taken.", f"No name for the {' and the '.join(lacking)} was free.", "Say another name.")
    return tuple(found.items())


def names_to_check(*kinds: str) -> Callable[[Needs, Site], tuple[str, ...]]:
    """For a footing: globally unique names of these kinds that a part would take, and the Entra group that it gives roles to, as the scan
    asks for them."""

    def wanted(needs: Needs, site: Site) -> tuple[str, ...]:
        groups = tuple(f"{azure_names.GROUP}:{needs.text(name)}" for name in GROUP_FACTS if needs.text(name))
        if not needs.field("region") or not needs.field("environment"):
            return groups
        base, salt = base_of(needs), _salt(needs, site)
        return (*groups, *(azure_names.check_key(kind, name) for kind in kinds for name in azure_names.global_names(base, kind, salt)))

    return wanted


def _salt(needs: Needs, site: Site) -> str:
    """Other subscriptions get other global names."""
    return site.environment(needs.text("environment")).subscription_id


def address_space(needs: Needs, situation: Situation, group: str, prefix_length: int) -> str:
    """A range that no network of the subscription has and no other part is promised: of the site's own, and beginning where the name of
    the group says, so that two requests seldom want the same one. Raises RequestProblem when none is free."""
    taken = tuple(filter(None, (*map(_range, _ranges_seen(situation)), *map(_range, situation.reserved.widest.names))))
    plan = situation.site.environment(needs.text("environment")).network.ranges or RANGES
    blocks = [(one, 2 ** (prefix_length - one.prefixlen)) for one in plan if one.prefixlen <= prefix_length]
    total = sum(count for _, count in blocks)
    first = int.from_bytes(hashlib.sha256(group.encode()).digest()[:4]) % max(total, 1)
    for step in range(min(total, BLOCKS_MAX)):
        number = (first + step) % total
        for one, count in blocks:
            if number < count:
                found = ip_network((int(one.network_address) + number * 2 ** (32 - prefix_length), prefix_length))
                if not any(found.overlaps(other) for other in taken):
                    return str(found)
                break
            number -= count
    raise RequestProblem(
        "No range of addresses is free.",
        f"Every /{prefix_length} of {', '.join(map(str, plan))} that was looked at is taken by a network of the subscription.",
        "Give the environment more ranges in the site's file.",
    )


def _ranges_seen(situation: Situation) -> Iterator[str]:
    return (one for network in situation.subscription.networks for one in network.ranges)


def _range(text: str) -> IPv4Network | None:
    """None for what is no range: among names that are promised there are others."""
    try:
        return IPv4Network(text) if "/" in text else None
    except ValueError:
        return None


def joined(needs: Needs, site: Site) -> dict[str, Json]:
    """Variables of a module whose network is joined to the site's: the hub that it is peered with, and where the zones of names are."""
    network = site.environment(needs.text("environment")).network
    return {"hub_id": network.hub, "dns_zones_id": network.dns_zones}


def part_of(
    needs: Needs,
    candidate: Candidate,
    pick: Pick,
    situation: Situation,
    *,
    names: Names,
    resources: tuple[Resource, ...],
    variables: dict[str, Json],
    commands: tuple[Command, ...],
    region: str = "",
    module: str = "",
    facts: Named = (),
    savings: tuple[str, ...] = (),
    configure: Configure | None = None,
    confirm: str = "",
) -> Part:
    """`region` and `module` are those that were asked for and of the capability's own name, unless they are said. `variables` are the
    module's own, besides those that every Azure module gets from `Part.cloud`."""
    return Part(
        label=needs.label,
        capability=needs.capability,
        platform=needs.platform,
        needs=needs,
        candidate=candidate.id,
        because=" ".join(filter(None, [pick.because, *candidate.reasons])),
        module=module or needs.capability,
        cloud=Cloud(
            subscription_id=situation.subscription.subscription_id,
            region=region or needs.text("region"),
            names=names,
            tags=tags_of(needs, situation.site),
        ),
        variables=variables,
        resources=resources,
        commands=commands,
        facts=facts,
        savings=savings,
        configure=configure,
        confirm=confirm,
    )


LOG_DAYS, LOG_DAYS_FREE = 90, 31
"""How long every module keeps logs, and how long Azure keeps them for nothing: Azure Monitor Logs cost calculations, read 2026-11-29."""
DAYS_A_MONTH = 365 / 12


def log_meters(monthly_gb: float) -> tuple[tuple[str, float], ...]:
    """What comes in, and what of it is kept beyond the days that are free."""
    kept = monthly_gb * (LOG_DAYS - LOG_DAYS_FREE) / DAYS_A_MONTH
    return ("log_analytics.ingestion", monthly_gb), ("log_analytics.retention", round(kept, 2))


def zone_meters(needs: Needs, site: Site) -> tuple[tuple[str, float], ...]:
    """A private DNS zone that a service makes for itself; none where the site has them."""
    return () if site.environment(needs.text("environment")).network.dns_zones else (("dns.zone", 1.0),)


class Made(Protocol):
    def __call__(self, name: str, kind: str, size: str, because: str, *meters: tuple[str, float]) -> Resource: ...


def resources_in(needs: Needs, group: str) -> Made:
    """Makes rows of what a part makes in its group, each with all that it is charged for by the month."""
    where = f"{needs.text('region')}, {group}"

    def made(name: str, kind: str, size: str, because: str, *meters: tuple[str, float]) -> Resource:
        return Resource(name=name, kind=kind, where=where, size=size, because=because, meters=meters)

    return made


def for_operator(purpose: str, *argv: str) -> Command:
    """A command of the guide that needs a login of the operator's own, so it is printed and not run."""
    return Command(purpose=purpose, argv=argv, runs_here=False)
