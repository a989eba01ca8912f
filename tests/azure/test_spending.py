"""What is spent: as Azure charged it where it tells, by the plans elsewhere; each team sees its own."""

from __future__ import annotations

from datetime import date

import pytest

from tools.clients.settings import Settings
from tools.pipeline.spending import QUERY, QUERY_VERSION
from tools.rules.plans import spending as rules
from tools.rules.words.answering import spend, topic_of
from tools.rules.words.rendering import draw
from tools.values.manifest import Manifest
from tools.values.snapshot import SubscriptionSnapshot
from tools.values.spending import Sums

from .conftest import composed, name_of

WORDS = "a storage account for the ml team, 2 TB, in eastus"
ON = date(2026, 11, 30)


def dollars(amount: float) -> Sums:
    return (("USD", amount),)


def euros(amount: float) -> Sums:
    return (("EUR", amount),)


@pytest.fixture
def made(seen: SubscriptionSnapshot) -> tuple[Manifest, str, str]:
    """(manifest of a run, its subscription, its resource group in small letters)."""
    manifest = composed(WORDS, seen)
    part = manifest.parts[0]
    assert part.cloud is not None
    return manifest, part.cloud.subscription_id, name_of(part, "resource_group").lower()


def test_a_run_is_shown_what_its_groups_were_charged(made: tuple[Manifest, str, str]) -> None:
    manifest, subscription, group = made
    found = rules.spending([("run-a", manifest, 42.0, "USD")], {subscription: {group: euros(17.5), "rg-other": euros(100.0)}}, (), ON)
    assert [(one.run_id, one.team, one.charged, one.estimated_monthly) for one in found.spends] == [
        ("run-a", "ml", euros(17.5), dollars(42.0))
    ]
    assert (found.charged, found.others, found.estimated) == (euros(17.5), euros(100.0), dollars(42.0))
    assert found.by_team == {("ml", found.spends[0].environment): (euros(17.5), dollars(42.0))}
    told = draw(spend(found))
    assert "17.5" in told and "EUR" in told and "100" in told and "42" in told


def test_what_is_charged_in_two_currencies_is_never_one_sum(made: tuple[Manifest, str, str]) -> None:
    manifest, subscription, group = made
    columns = [{"name": "Cost"}, {"name": "ResourceGroupName"}, {"name": "Currency"}]
    one = rules.by_group(columns, [[1.0, group, "USD"], [2.0, group, "EUR"], [10.0, "rg-other", "USD"]])
    charged = {subscription: one, "another": {"rg-other": (("GBP", 5.0),)}}
    found = rules.spending([("run-a", manifest, 42.0, "USD"), ("run-b", manifest, 7.0, "CHF")], charged, (), ON)
    assert found.spends[0].charged == (("EUR", 2.0), ("USD", 1.0)) and found.others == (("GBP", 5.0), ("USD", 10.0))
    assert found.estimated == (("CHF", 7.0), ("USD", 42.0))
    assert "5.00 GBP and 10.00 USD" in draw(spend(found))


def test_groups_that_a_service_makes_for_its_machines_are_the_runs(made: tuple[Manifest, str, str]) -> None:
    manifest, subscription, group = made
    charged = {
        group: dollars(1.0),
        f"mc_{group}_aks_eastus": dollars(20.0),
        f"{group}-managed": dollars(300.0),
        f"{group}2": dollars(4000.0),
        f"mc_{group}2_aks_eastus": dollars(50000.0),
    }
    found = rules.spending([("run-a", manifest, 42.0, "USD")], {subscription: charged, "another": {group: dollars(7.0)}}, (), ON)
    assert (found.charged, found.others) == (dollars(321.0), dollars(54007.0))


def test_where_azure_does_not_tell_the_estimate_stands_and_says_so(made: tuple[Manifest, str, str]) -> None:
    found = rules.spending([("run-a", made[0], 42.0, "USD")], {}, ("Azure is away. It cannot be reached.",), ON)
    assert [one.charged for one in found.spends] == [None] and not found.read
    told = draw(spend(found))
    assert "estimate" in told and "Azure is away" in told


def test_a_subscription_that_was_not_read_makes_no_nought(made: tuple[Manifest, str, str]) -> None:
    found = rules.spending([("run-a", made[0], 42.0, "USD")], {"another": {"rg-other": dollars(1.0)}}, (), ON)
    assert [one.charged for one in found.spends] == [None]


def test_nothing_stands_and_nothing_is_spent() -> None:
    found = rules.spending([], {}, (), ON)
    assert (found.charged, found.estimated, found.by_team) == ((), (), {})
    assert "nothing" in draw(spend(found))


def test_columns_of_an_answer_come_in_any_order() -> None:
    columns = [{"name": "Currency"}, {"name": "ResourceGroupName"}, {"name": "Cost"}]
    rows = [["EUR", "RG-A", 1.5], ["EUR", "rg-a", 2.0], ["EUR", "rg-b", "much"]]
    assert rules.by_group(columns, rows) == {"rg-a": euros(3.5)}
    assert rules.by_group([], []) == {}


def test_cost_management_is_asked_as_it_wants_to_be(azure_settings: Settings) -> None:
    from tools.clients.azure import Azure

    path = f"/subscriptions/{azure_settings.arm_subscription_id}/providers/Microsoft.CostManagement/query"
    _, answer = Azure(azure_settings).ask("what was charged", "POST", path, QUERY_VERSION, QUERY)
    found = rules.by_group(answer["properties"]["columns"], answer["properties"]["rows"])
    assert {currency for each in found.values() for currency, _ in each} == {"USD"} and set(found) == {
        "rg-network-hub",
        "rg-monitoring",
        "rg-analytics-old",
    }


@pytest.mark.parametrize(
    "text", ["what do we spend?", "how much do we spend in Azure?", "how much have we spent this month?", "show me our bill"]
)
def test_the_question_is_heard(text: str) -> None:
    assert topic_of(text) == "spend"


@pytest.mark.parametrize("text", ["what does it cost?", "how much would 8 cores cost?", "spend nothing on this"])
def test_other_questions_are_others(text: str) -> None:
    assert topic_of(text) != "spend"
