"""Needs → the part: names, variables for Terraform, and what it costs a month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.capabilities.azure_openai.facts import models_of
from tools.rules.azure import placing
from tools.rules.azure.placing import for_operator
from tools.rules.plans.pricing import HOURS_A_MONTH
from tools.values.manifest import Command, Part
from tools.values.offer import Candidate, Pick
from tools.values.requirements import Needs
from tools.values.situation import Situation

PREFIX_LENGTH = 27
ENDPOINT_GB, LOG_GB = 5.0, 5.0
"""A month, assumed: prompts and answers are text."""


def part(
    needs: Needs, candidate: Candidate, pick: Pick, ways: Sequence[tuple[str, str, str]], ends: Sequence[str], situation: Situation
) -> Part:
    """`ways` are model, kind and version of each deployment, `ends` the days that Azure ends them on. Raises RequestProblem when no name
    is free."""
    names = placing.names_of(needs, situation, "openai", "network", "nsg", "logs")
    group, account = dict(names)["resource_group"], dict(names)["openai"]
    capacities, made = models_of(needs), placing.resources_in(needs, group)
    deployments = [
        {"name": model, "model": model, "version": version, "sku": kind, "capacity_thousands": capacities[model]}
        for model, kind, version in ways
    ]

    return placing.part_of(
        needs,
        candidate,
        pick,
        situation,
        names=names,
        resources=(
            made(account, "Azure OpenAI account", "S0", "No keys: people and programs log in as themselves."),
            *(
                made(
                    model,
                    "model deployment",
                    f"{kind}, {capacities[model]} thousand tokens a minute",
                    f"Version {version} is pinned{f', until Azure ends it on {end}' if end else ''}. {candidate.reasons[0]}",
                    *tokens(needs, model, kind),
                )
                for (model, kind, version), end in zip(ways, ends, strict=True)
            ),
            made(
                "private endpoint",
                "private endpoint",
                "1",
                "The account is reached by it alone.",
                ("private_endpoint.hour", HOURS_A_MONTH),
                ("private_endpoint.data", ENDPOINT_GB),
                *placing.zone_meters(needs, situation.site),
            ),
            made(
                "logs",
                "Log Analytics workspace",
                "1 GB a day at most",
                "Every log of the account, kept for 90 days; no prompt is among them.",
                *placing.log_meters(LOG_GB),
            ),
        ),
        variables={
            "address_space": placing.address_space(needs, situation, group, PREFIX_LENGTH),
            "deployments": deployments,
            **placing.joined(needs, situation.site),
        },
        commands=commands(group, account),
    )


def tokens(needs: Needs, model: str, kind: str) -> Iterator[tuple[str, float]]:
    """Every model of an account is counted with the same tokens a month. What embeds answers with no tokens."""
    yield f"openai.{kind}.{model}.input", needs.number("input_millions")
    if not model.startswith("text-embedding"):
        yield f"openai.{kind}.{model}.output", needs.number("output_millions")


def commands(group: str, account: str) -> tuple[Command, ...]:
    accounts, where = ("az", "cognitiveservices", "account"), ("--resource-group", group, "--name", account)
    return (
        for_operator("Show the account", *accounts, "show", *where, "--query", "properties.endpoint"),
        for_operator("List its deployments", *accounts, "deployment", "list", *where),
    )
