"""What is wanted to know of Azure OpenAI, and how it becomes typed needs. Which models a region has is told by the snapshot, not here."""

from __future__ import annotations

from tools.rules.azure.facts import SHARED, read_common
from tools.rules.azure.placing import read_name
from tools.rules.names import regions as azure_regions
from tools.rules.request.reading import Reading
from tools.rules.request.wanting import wanted
from tools.values.request import Fact
from tools.values.requirements import Needs, Source
from tools.values.site import Site

MODEL = "gpt-4.1-mini"
TOKENS_A_MINUTE = 50_000
TOKENS_A_MINUTE_MAX = 100_000_000
INPUT_MILLIONS, OUTPUT_MILLIONS = 50, 10
_OURS = Source(title="Berth's own assumption", date="2026-11-24", grade="assumption")

WANTED = wanted(__package__, **SHARED)


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("azure_openai", "azure", WANTED, facts)
    read_common(reading, site, "ai")
    read_name(reading, "resource_group", "resource_group")
    if "model" in reading.facts:
        reading.said("model", reading.facts["model"].value)
    else:
        reading.assumed("model", MODEL, "Which model was not said; this one is good for most, at a fifth of the large one's price.")
    _read_tokens(reading)
    _read_residency(reading)
    return reading.needs()


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
        reading.problems.append(
            f"{region} lies in {'the US' if place == 'US' else place}, so what is sent there does not stay in the "
            f"{value.upper()}. Say a region there, such as {better}."
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
