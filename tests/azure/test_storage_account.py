"""A storage account from words to an applied module: names, containers, open addresses, redundancy by price."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tools.capabilities import chain
from tools.platforms import estimate
from tools.rules.plans.policy import refused
from tools.values.site import Site
from tools.values.snapshot import SubscriptionSnapshot

from . import bodies
from .conftest import POLICY, Folder, Look, composed, errors, offered, required, situation, wanted_changes

WORDS = (
    "a storage account for the finance team in eastus with containers raw and curated, data lake, from addresses 198.51.100.0/24; "
    "also from 203.0.113.7"
)


def test_words_become_needs() -> None:
    needs = required(WORDS).parts[0]
    assert (needs.capability, needs.missing, needs.problems) == ("storage_account", (), ())
    got = {f.name: f.value for f in needs.fields}
    assert got["containers"] == ("raw", "curated") and got["team"] == "finance" and got["region"] == "eastus"
    assert got["data_lake"] is True and got["allowed_ranges"] == ("198.51.100.0/24", "203.0.113.7")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("a storage account called MyData", "mydata would do"),
        ("a storage account called my-data-lake-of-the-finance-department", "3 to 24 characters"),
        ("a storage account in eastus22", "Did you mean eastus2?"),
        ("a storage account with containers: Raw", "raw would do"),
        ("a storage account from addresses 10.0.0.0/16", "may be let in"),
        ("a storage account from addresses 0.0.0.0/0", "may be let in"),
    ],
)
def test_words_that_cannot_be_taken(words: str, told: str) -> None:
    assert told in " ".join(required(words).parts[0].problems)


def test_a_name_taken_anywhere_is_told_and_a_free_one_offered(look: Look) -> None:
    words = "a storage account called customerdata"
    regions, names = chain.places_to_look(required(words), Site())
    part = offered(words, look(regions, names)).parts[0]
    assert part.candidates == () and "unique in all of Azure" in part.exclusions[0].reason
    assert part.counter_offer == "Say another name, such as customerdata2."
    free = "a storage account called customerdata2"
    assert offered(free, look(*chain.places_to_look(required(free), Site()))).parts[0].candidates


@pytest.mark.parametrize(
    ("words", "first"),
    [("a storage account", "lrs"), ("a storage account in production", "zrs"), ("a grs storage account", "grs")],
)
def test_redundancy_by_what_it_is_for(seen: SubscriptionSnapshot, words: str, first: str) -> None:
    assert offered(words, seen).parts[0].candidates[0].id == first


def test_a_budget_that_nothing_fits_names_one_that_does(seen: SubscriptionSnapshot) -> None:
    part = offered("a storage account, 50 TB stored, $8 a month", seen).parts[0]
    assert part.candidates == ()
    enough = part.counter_offer.split("budget of ")[1].split(" USD")[0].replace(",", "")
    assert offered(f"a storage account, 50 TB stored, ${enough} a month", seen).parts[0].candidates


def test_the_estimate_has_the_account_and_its_logs(seen: SubscriptionSnapshot) -> None:
    found = estimate(composed("a storage account, 1 TB stored", seen).parts, situation(seen))
    assert found.total == pytest.approx(1024 * 0.0208 + 5 * 2.30 + 9.7 * 0.13 + 262_144 / 10_000 * 0.055, abs=0.02)


def test_applied_planned_again_and_removed(folder: Callable[[str], Folder], look: Look) -> None:
    part = composed(WORDS, look(*chain.places_to_look(required(WORDS), Site()))).parts[0]
    assert errors(part, look()) == set()
    place = folder(part.module)
    place.vary(part)
    plan: Any = place.plan()
    assert bodies.faults(plan) == []
    assert refused(POLICY, part, plan) == ()
    place.apply()
    assert wanted_changes(place.plan()) == []
    place.vary(part, containers=[*part.variables["containers"], "gold"], allowed_ranges=[])
    assert wanted_changes(place.plan()) == ['azapi_resource.container["gold"]', "azapi_resource.storage"]
    place.apply()
    assert wanted_changes(place.plan()) == []
    place.plan(destroy=True)
    place.apply()
    assert place.terraform.state_is_empty()
