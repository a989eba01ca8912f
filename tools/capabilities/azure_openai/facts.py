"""What is wanted to know of Azure OpenAI, and how it becomes typed needs. Which models a region has is told by the snapshot, not here."""

from __future__ import annotations

import math

from tools.rules.azure.facts import SHARED, read_common
from tools.rules.azure.placing import read_name
from tools.rules.hearing.tokens import quantities
from tools.rules.names import naming
from tools.rules.names import regions as azure_regions
from tools.rules.request.editing import is_besides, values_of
from tools.rules.request.reading import Reading
from tools.rules.request.wanting import wanted
from tools.values.request import Fact
from tools.values.requirements import Needs, Source
from tools.values.site import Site

MODEL = "gpt-5.4-mini"
MODELS_MAX = 30
"""Deployments of one account, by Azure's default quota; Azure OpenAI quotas and limits, 2026-11-29."""
TOKENS_A_MINUTE = 50_000
TOKENS_A_MINUTE_MAX = 100_000_000
INPUT_MILLIONS, OUTPUT_MILLIONS = 50, 10
_OURS = Source(title="Berth's own assumption", date="2026-11-24", grade="assumption")

WANTED = wanted(__package__, **SHARED)


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("azure_openai", "azure", WANTED, facts)
    read_common(reading, site, "ai")
    read_name(reading, "resource_group", "resource_group")
    _read_models(reading)
    _read_tokens(reading)
    _read_residency(reading)
    return reading.needs()


def _read_models(reading: Reading) -> None:
    """`models`: each as `gpt-5`, or as `gpt-5 with 20` where it has so many thousand tokens a minute of its own."""
    if "model" not in reading.facts:
        why = "Which model was not said; this one is good for most, at less than a third of the large one's price."
        reading.assumed("models", (MODEL,), why)
        return
    listed, found = reading.facts["model"].value, dict[str, str]()
    for one in (*((MODEL,) if is_besides(listed) else ()), *values_of(listed)):
        model, _, own = one.partition(" with ")
        minute = quantities.count(own) if own else None
        if own and (minute is None or not 1000 <= minute <= TOKENS_A_MINUTE_MAX):
            reading.refuse(
                f"{naming.shorten(own)} is no number of tokens a minute for {model}. Say a number from 1,000 to {TOKENS_A_MINUTE_MAX:,}.",
                "model",
            )
        found[model] = f"{model} with {-(-minute // 1000)}" if minute else model
    if len(found) > MODELS_MAX:
        reading.refuse(f"{len(found)} models are too many for one account. Say at most {MODELS_MAX}.", "model")
    else:
        reading.said("models", tuple(found.values()), fact="model")


def models_of(needs: Needs) -> dict[str, int]:
    """Each model, with its capacity as Azure counts it: in thousands of tokens a minute, rounded up."""
    each = max(1, math.ceil(needs.number("tokens_per_minute") / 1000))
    parts = (one.partition(" with ") for one in needs.strings("models"))
    return {model: int(own) if own else each for model, _, own in parts}


def _read_residency(reading: Reading) -> None:
    """A data zone is the European Union's or that of the United States, by where the region lies."""
    if "residency" not in reading.facts:
        why = "Prompts may be worked on in any region of Azure, and nothing is stored there, unless it is said otherwise."
        reading.default("residency", "global", why)
        return
    value = reading.facts["residency"].value
    region = next((str(f.value) for f in reading.fields if f.name == "region"), "")
    place = azure_regions.geography(region)
    zone = {"eu": "Europe", "us": "US"}.get(value, "")
    if zone and place and place != zone:
        better = "swedencentral" if value == "eu" else "eastus2"
        reading.refuse(
            f"{region} lies in {'the US' if place == 'US' else place}, so what is sent there does not stay in the "
            f"{value.upper()}. Say a region there, such as {better}.",
            "region",
            "residency",
        )
    else:
        reading.said("residency", "zone" if zone else value)


def _read_tokens(reading: Reading) -> None:
    minute = reading.count(
        "tokens_per_minute", "tokens a minute", 1000, TOKENS_A_MINUTE_MAX, "capacity comes in thousands, and no quota is larger."
    )
    if minute is not None:
        reading.said("tokens_per_minute", minute, "tokens a minute")
    elif "tokens_per_minute" not in reading.facts:
        why = "How many tokens a minute was not said. It is a limit, and costs nothing by itself."
        reading.assumed("tokens_per_minute", TOKENS_A_MINUTE, why, "tokens a minute", low=1000, high=200_000, source=_OURS)
    month = reading.count("tokens_monthly", "tokens a month", 1, 10**13, "an estimate needs some, and no account takes more.")
    if month is not None:
        reading.said("input_millions", round(month / 1e6, 3), "million input tokens a month", fact="tokens_monthly")
        reading.assumed(
            "output_millions",
            round(month / 5e6, 3),
            "An answer has a fifth of its prompt's tokens.",
            "million output tokens a month",
            low=round(month / 1e7, 3),
            high=round(month / 1e6, 3),
            source=_OURS,
        )
    elif "tokens_monthly" not in reading.facts:
        reading.assumed(
            "input_millions",
            INPUT_MILLIONS,
            "How many tokens a month was not said; it is what is paid for.",
            "million input tokens a month",
            low=5,
            high=500,
            source=_OURS,
        )
        reading.assumed(
            "output_millions",
            OUTPUT_MILLIONS,
            "An answer has a fifth of its prompt's tokens.",
            "million output tokens a month",
            low=1,
            high=100,
            source=_OURS,
        )
