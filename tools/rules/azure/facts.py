"""The facts that every request for a cloud may state (facts.toml), and how they become fields, with what stands in."""

from __future__ import annotations

import re

from tools.rules.azure import names as azure_names
from tools.rules.names import naming
from tools.rules.names import regions as azure_regions
from tools.rules.plans import pricing
from tools.rules.request.facts import ENVIRONMENT, PLATFORM
from tools.rules.request.reading import Reading
from tools.rules.request.wanting import wanted
from tools.values.site import Site
from tools.values.trouble import RequestProblem

NOT_SAID = "Not said; names and tags hold it."
REGION_FIRST = "eastus"
"""Assumed when nobody says another: the region whose list prices the shipped snapshot has, and that the shipped policy allows."""
ENVIRONMENT_FIRST = "development"
OBJECT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

REGION, TEAM, BUDGET, NAME, RESOURCE_GROUP, ALERT_EMAIL = wanted(__package__)
OF_AZURE = tuple(one.model_copy(update={"only_in": "azure"}) for one in (REGION, TEAM, BUDGET, RESOURCE_GROUP, ALERT_EMAIL))
"""Of what may stand on machines of a cluster as well."""
REGION_ALONE = REGION.model_copy(update={"only_in": "azure"})
"""Of what may stand on machines as well."""
EVERY_CLOUD = (ENVIRONMENT, PLATFORM, REGION, TEAM, BUDGET, NAME)
SHARED = {
    "every_cloud": EVERY_CLOUD,
    "cloud_without_budget": tuple(one for one in EVERY_CLOUD if one is not BUDGET),
    **{one.name: (one,) for one in (ENVIRONMENT, PLATFORM, REGION, TEAM, BUDGET, RESOURCE_GROUP, ALERT_EMAIL)},
}
"""By the names that sections of a capability's facts.toml have for them."""


def read_common(reading: Reading, site: Site, workload: str) -> None:
    """Fields: environment, region, team, budget_monthly when said, workload."""
    read_where(reading, site)
    _read_workload(reading, workload)


def read_where(reading: Reading, site: Site, otherwise: str = "") -> None:
    """The same of what has names of its own. `otherwise`: the environment where none is said."""
    environment = _read_environment(reading, site, otherwise)
    _read_region(reading, site, environment)
    _read_team(reading, site)
    _read_budget(reading, site, environment)


def read_alert_email(reading: Reading) -> None:
    if "alert_email" not in reading.facts:
        return
    email = reading.facts["alert_email"].value.strip()
    if email.count("@") == 1 and "." in email.split("@")[1] and len(email) <= 254 and " " not in email:
        reading.said("alert_email", email)
    else:
        reading.refuse(f"{naming.shorten(email)} is no e-mail address. Say one such as ml-team@example.org.", "alert_email")


def read_group(reading: Reading, fact: str) -> None:
    """An Entra group, by its object id."""
    if fact not in reading.facts:
        return
    group = reading.facts[fact].value.strip().lower()
    if OBJECT_ID.fullmatch(group):
        reading.said(fact, group)
    else:
        shown = naming.shorten(group)
        reading.refuse(
            f"{shown} is no object id of an Entra group. Say one such as 00000000-0000-0000-0000-000000000000; "
            f"`az ad group show --group {shown} --query id` tells it.",
            fact,
        )


def refuse_places_of_clusters(reading: Reading) -> None:
    for name in ("network", "node", "template"):
        if name in reading.facts:
            said = naming.shorten(reading.facts[name].value)
            reading.refuse(
                f"{said} is a {name} of a cluster, and this is to stand in Azure. Say `on proxmox`, or `forget the {name}`.", "platform"
            )


def _read_environment(reading: Reading, site: Site, otherwise: str) -> str:
    known = [e.name for e in site.environments]
    if "environment" in reading.facts:
        value = reading.facts["environment"].value.strip().lower()
        if value in known:
            reading.said("environment", value)
            return value
        reading.refuse(naming.unknown("environment", value, known), "environment")
        return ""
    if otherwise in known:
        reading.default("environment", otherwise, f"It is {otherwise} by what it is for.")
        return otherwise
    value = ENVIRONMENT_FIRST if ENVIRONMENT_FIRST in known else known[-1]
    reading.assumed("environment", value, "No environment was said; say `production` if it is.")
    return value


def _read_region(reading: Reading, site: Site, environment: str) -> None:
    if "region" in reading.facts:
        region, problem = azure_regions.read(reading.facts["region"].value)
        if problem:
            reading.refuse(problem, "region")
        else:
            reading.said("region", region)
        return
    settled = site.environment(environment).region if environment else ""
    if settled:
        reading.default("region", settled, f"The site's region for {environment}.")
    else:
        reading.assumed("region", REGION_FIRST, NOT_SAID)


def _read_team(reading: Reading, site: Site) -> None:
    said = reading.facts["team"].value if "team" in reading.facts else ""
    slug = azure_names.slug(said)
    if slug:
        reading.said("team", slug)
    elif said:
        reading.refuse(f"{naming.shorten(said)} has no letter or digit that a name could be made of. Say the team's name.", "team")
    elif site.team:
        reading.default("team", azure_names.slug(site.team), "The site's team.")
    else:
        reading.assumed("team", "data", NOT_SAID)


def _read_budget(reading: Reading, site: Site, environment: str) -> None:
    if "budget_monthly" in reading.facts:
        if said := reading.money("budget_monthly", "a budget"):
            amount, currency = said
            try:
                pricing.currency(currency or pricing.CURRENCY)
            except RequestProblem as problem:
                reading.refuse(f"{problem.detail} {problem.remedy}", "budget_monthly")
                return
            reading.said("budget_monthly", amount, "USD a month")
        return
    settled = site.environment(environment).budget_monthly if environment else None
    if settled:
        reading.default("budget_monthly", settled, f"The site's budget for {environment}.", "USD a month")


def _read_workload(reading: Reading, workload: str) -> None:
    if "name" not in reading.facts:
        reading.default("workload", workload, "Names are made from what it is for.")
        return
    said = reading.facts["name"].value.strip()
    slug = azure_names.slug(said, 16)
    if slug and said == said.lower():
        reading.said("workload", slug, fact="name")
    elif slug:
        reading.refuse(
            f"{naming.shorten(said)} cannot be part of Azure names, some of which take small letters and digits only. {slug} would do.",
            "name",
        )
    else:
        reading.refuse(f"{naming.shorten(said)} has no letter or digit that a name could be made of. Say one such as spark.", "name")
