"""Azure OpenAI: what is understood, what region, quota and residency allow, and an account from the sentence to an empty plan and back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tools.capabilities import chain
from tools.platforms import estimate
from tools.rules.plans.policy import refused
from tools.values.site import Environment, Networking, Site
from tools.values.snapshot import SubscriptionSnapshot

from . import bodies
from .conftest import POLICY, Folder, Look, composed, errors, name_of, offered, owning, required, situation, wanted_changes
from .test_databricks import needs_of, values

WORDS = "Azure OpenAI with gpt-5.4-mini for the ML team in eastus, 50 thousand tokens per minute"


@pytest.mark.parametrize(
    ("words", "names", "expected"),
    [
        (
            "Azure OpenAI",
            ("models", "tokens_per_minute", "input_millions", "output_millions", "residency"),
            (("gpt-5.4-mini",), 50_000, 50, 10, "global"),
        ),
        (WORDS, ("models", "tokens_per_minute", "team", "region"), (("gpt-5.4-mini",), 50_000, "ml", "eastus")),
        ("Azure OpenAI gpt-5-mini, 200k tokens per minute", ("models", "tokens_per_minute"), (("gpt-5-mini",), 200_000)),
        ("Azure OpenAI gpt-5.4 and text-embedding-3-small", ("models",), (("gpt-5.4", "text-embedding-3-small"),)),
        ("Azure OpenAI, 100 million tokens a month", ("input_millions", "output_millions"), (100.0, 20.0)),
        ("Azure OpenAI in swedencentral, data stays in the EU", ("region", "residency"), ("swedencentral", "zone")),
        ("Azure OpenAI in eastus2, data zone", ("residency",), ("zone",)),
        ("Azure OpenAI, regional", ("residency",), ("region",)),
    ],
)
def test_what_is_understood(words: str, names: tuple[str, ...], expected: tuple[object, ...]) -> None:
    needs = needs_of(words)
    assert not needs.missing, "nothing has to be asked for"
    assert not needs.problems
    assert values(needs, *names) == expected


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Azure OpenAI in eastus with data in the EU only", "does not stay in the EU. Say a region there, such as swedencentral"),
        ("Azure OpenAI with 5 tokens per minute", "Say a number from 1,000"),
        ("Azure OpenAI in atlantis, region atlantiseast", "region"),
    ],
)
def test_what_cannot_be_taken_is_told(words: str, said: str) -> None:
    assert said in " ".join(needs_of(words).problems)


@pytest.mark.parametrize(
    ("words", "ids", "counter_offer"),
    [
        (WORDS, ["eastus/GlobalStandard", "eastus/DataZoneStandard"], ""),
        (
            "Azure OpenAI gpt-5.4, eastus, 2 million tokens per minute",
            [],
            "It would fit with 450 thousand tokens a minute instead of 2000 thousand.",
        ),
        ("Azure OpenAI gpt-5.4-mini, eastus, regional", [], "It would fit with"),
        ("Azure OpenAI gpt-5.5, eastus", [], "It would fit with gpt-5.4 instead of gpt-5.5."),
        ("Azure OpenAI text-embedding-3-small, eastus, regional", ["eastus/Standard"], ""),
    ],
)
def test_region_and_quota_decide(seen: SubscriptionSnapshot, words: str, ids: list[str], counter_offer: str) -> None:
    offer = offered(words, seen).parts[0]
    assert [c.id for c in offer.candidates] == ids
    if counter_offer != "It would fit with":
        assert offer.counter_offer == counter_offer
    assert all(s.holds for c in offer.candidates for s in c.sums)


def test_tokens_are_priced_by_model_and_kind(seen: SubscriptionSnapshot) -> None:
    found = estimate(composed(WORDS, seen).parts, situation(seen))
    tokens = {line.price_row.partition("@")[0]: line.amount for line in found.lines if line.path == "tokens"}
    assert tokens == {"openai.GlobalStandard.gpt-5.4-mini.input": 37.5, "openai.GlobalStandard.gpt-5.4-mini.output": 45.0}


@pytest.mark.parametrize(("model", "stage"), [("gpt-4.1", "Deprecated"), ("gpt-5-mini", "Deprecating")])
def test_what_ends_is_not_offered_and_another_is(seen: SubscriptionSnapshot, model: str, stage: str) -> None:
    assert not any(row.split("/")[1] == model for row in seen.models)
    offer = offered(f"Azure OpenAI with {model} in eastus", seen).parts[0]
    assert not offer.candidates
    ends = {one.ends_on for one in seen.model_ends if one.model.startswith(f"eastus/{model}/")}
    assert any(stage in one.reason and ends.pop() in one.reason for one in offer.exclusions)
    instead = offer.counter_offer.removeprefix("It would fit with ").partition(" ")[0]
    assert offered(f"Azure OpenAI with {instead} in eastus", seen).parts[0].candidates


def test_the_plan_says_when_a_model_ends_and_warns_when_that_is_soon(seen: SubscriptionSnapshot) -> None:
    part = composed(WORDS, seen).parts[0]
    end = next(one.ends_on for one in seen.model_ends if one.model == "eastus/gpt-5.4-mini/2026-03-17/GlobalStandard")
    assert any(end in one.because for one in part.resources if one.kind == "model deployment")
    day = datetime.fromisoformat(end).replace(tzinfo=UTC)
    for days, warned in ((91, False), (89, True)):
        at = seen.model_copy(update={"taken_at": day - timedelta(days=days)})
        found, _ = chain.footing(part).review(part, situation(at))
        assert ("model.ends" in {one.check for one in found}) is warned


def test_a_taken_name_is_passed_over(seen: SubscriptionSnapshot) -> None:
    part = composed(WORDS, seen).parts[0]
    first = name_of(part, "openai")
    taken = seen.model_copy(update={"names_taken": (f"Microsoft.CognitiveServices/accounts:{first}",)})
    assert name_of(composed(WORDS, taken).parts[0], "openai") != first
    assert errors(part, taken) == {"name.free"}


def test_review_finds_what_has_moved(seen: SubscriptionSnapshot) -> None:
    part = composed(WORDS, seen).parts[0]

    assert errors(part, seen) == set()
    used = tuple(q.model_copy(update={"used": q.limit}) if "gpt-5.4-mini" in q.name else q for q in seen.quotas)
    assert errors(part, seen.model_copy(update={"quotas": used})) == {"quota"}
    others = tuple(m for m in seen.models if "gpt-5.4-mini" not in m)
    assert errors(part, seen.model_copy(update={"models": others})) == {"model.offered"}
    needs = part.needs.model_copy(
        update={"fields": tuple(f.model_copy(update={"value": "zone"}) if f.name == "residency" else f for f in part.needs.fields)}
    )
    assert errors(part.model_copy(update={"needs": needs}), seen) == {"residency"}


def test_two_asks_in_one_sentence(seen: SubscriptionSnapshot) -> None:
    requirements = required("Databricks and Azure OpenAI for production in westus2")
    assert [part.capability for part in requirements.parts] == ["databricks", "azure_openai"]
    for needs in requirements.parts:
        assert values(needs, "environment", "region") == ("production", "westus2"), "both are shared"
    requirements = required("Databricks with 1-4 workers and Azure OpenAI with gpt-5.4 in eastus")
    assert values(requirements.parts[0], "max_workers", "region") == (4, "eastus")
    assert values(requirements.parts[1], "models") == (("gpt-5.4",),)
    requirements = required("Databricks and Azure OpenAI for the ML team in eastus, 1-4 workers, gpt-5.4")
    assert values(requirements.parts[0], "max_workers", "min_workers", "team") == (4, 1, "ml"), "only one of them has workers"
    assert values(requirements.parts[1], "models", "team") == (("gpt-5.4",), "ml")
    parts = composed("Databricks with 1-4 workers and Azure OpenAI with gpt-5.4 in eastus", seen).parts
    assert len({name_of(part, "resource_group") for part in parts}) == 2


def test_from_a_sentence_to_an_empty_plan_and_back(folder: Callable[[str], Folder], look: Look) -> None:
    regions, names = chain.places_to_look(required(WORDS), Site())
    before = look(regions, names)
    hub = next(one.id for one in before.networks if one.id.endswith("/vnet-hub-eastus"))
    part = composed(WORDS, before, site=Site(environments=(Environment(name="development", network=Networking(hub=hub)),))).parts[0]
    place = folder(part.module)
    place.vary(part)
    plan = place.plan()
    assert bodies.faults(plan) == []
    assert refused(POLICY, part, plan) == ()
    place.apply()
    assert wanted_changes(place.plan()) == []

    place.vary(part, deployments=[{**part.variables["deployments"][0], "capacity_thousands": 80}])
    assert wanted_changes(place.plan()) == ['azapi_resource.deployment["gpt-5.4-mini"]'], "changed in place"
    place.apply()

    after = look(regions, names)
    assert errors(part, after) == {"name.free", "addresses.free"}
    assert errors(owning(part, place), after) == set()
    place.plan(destroy=True)
    place.apply()
    assert place.terraform.state_is_empty()
    # It was purged, so the next one may have the same name.
    assert name_of(composed(WORDS, look(regions, names)).parts[0], "openai") == name_of(part, "openai")
