"""Needs → the part: names, variables for Terraform, and what it costs a month."""

from __future__ import annotations

from tools.capabilities.azure_openai.facts import account_name
from tools.rules.azure import placing as azure_placing
from tools.rules.azure.placing import number, text
from tools.rules.plans.pricing import HOURS_A_MONTH
from tools.values.manifest import Command, Part, Resource
from tools.values.offer import Candidate, Pick
from tools.values.requirements import Needs
from tools.values.site import Reserved, Site
from tools.values.snapshot import SubscriptionSnapshot

MODULE = "azure_openai"
NETWORK = "10.140.0.0/27"
ENDPOINT_GB, LOG_GB = 5.0, 5.0
"""A month, assumed: prompts and answers are text."""


def part(needs: Needs, candidate: Candidate, pick: Pick, seen: SubscriptionSnapshot, site: Site, reserved: Reserved) -> Part:
    choice = candidate.choice
    base = azure_placing.base_of(needs, text(needs, "workload", "ai"), seen, reserved.names)
    group, account = azure_placing.group_of(needs, base), account_name(needs, seen.names_taken)
    deployment = {
        "name": choice["model"],
        "model": choice["model"],
        "version": choice["version"],
        "sku": choice["kind"],
        "capacity_thousands": choice["capacity"],
    }
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
            "location": choice["region"],
            "tags": azure_placing.tags(needs, site),
            "resource_group_name": group,
            "account_name": account,
            "names": {
                "virtual_network": base.name("network"),
                "security_group": base.name("nsg"),
                "log_workspace": base.name("logs"),
            },
            "address_space": NETWORK,
            "deployments": [deployment],
        },
        resources=resources_of(needs, candidate, group, account),
        commands=commands(group, account),
        facts={"model": choice["model"], "version": choice["version"], "kind": choice["kind"], "savings": []},
    )


def resources_of(needs: Needs, candidate: Candidate, group: str, account: str) -> tuple[Resource, ...]:
    choice = candidate.choice
    where = f"{choice['region']}, {group}"
    key = f"openai.{choice['kind']}.{choice['model']}"
    tokens = [(f"{key}.input", number(needs, "input_millions"))]
    if not str(choice["model"]).startswith("text-embedding"):
        tokens.append((f"{key}.output", number(needs, "output_millions")))
    return (
        Resource(name=account, kind="Azure OpenAI account", where=where, size="S0", because="No keys: people and programs log in as themselves."),
        Resource(name=str(choice["model"]), kind="model deployment", where=where, size=f"{choice['kind']}, {choice['capacity']} thousand tokens a minute",
                 because=f"Version {choice['version']} is pinned. {candidate.reasons[0]}", meters=tuple(tokens)),
        Resource(name="private endpoint", kind="private endpoint", where=where, size="1", because="The account is reached by it alone.",
                 meters=(("private_endpoint.hour", HOURS_A_MONTH), ("private_endpoint.data", ENDPOINT_GB))),
        Resource(name="logs", kind="Log Analytics workspace", where=where, size="1 GB a day at most", because="Every log of the account, kept for 90 days; no prompt is among them.",
                 meters=(("log_analytics.ingestion", LOG_GB),)),
    )  # fmt: skip


def commands(group: str, account: str) -> tuple[Command, ...]:
    where = ("--resource-group", group, "--name", account)
    return (
        Command(
            purpose="Show the account", argv=("az", "cognitiveservices", "account", "show", *where, "--query", "properties.endpoint"), runs_here=False
        ),
        Command(purpose="List its deployments", argv=("az", "cognitiveservices", "account", "deployment", "list", *where), runs_here=False),
    )  # fmt: skip
