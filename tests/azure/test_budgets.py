"""A team's budget counts that team's runs and no others; the figures of a refusal are the policy's own, and what is offered instead
passes."""

from __future__ import annotations

import pytest

from tools.capabilities import chain
from tools.capabilities.counter import counter_offer
from tools.platforms import estimate
from tools.rules.plans.judging import judge_by_policy
from tools.rules.plans.policy import Spent, read_policy
from tools.rules.words.findings import sentence
from tools.values.manifest import Manifest
from tools.values.policy import Policy
from tools.values.review import Review, Severity
from tools.values.site import Site
from tools.values.snapshot import SubscriptionSnapshot

from .conftest import POLICY, composed, required, situation

WORDS = "a storage account for the ml team, 2 TB, in eastus"
LIMITED = read_policy("""
version: "1"
rules:
  - id: environment
    when: {environment.name: development}
    must: {environment.monthly_after: {at_most: 500}}
    outcome: reject
    because: What runs in development may cost a team {limit} USD a month.
    remedy: Ask for less.
""")


def judged(seen: SubscriptionSnapshot, policy: Policy, *spent: Spent) -> tuple[Manifest, Review]:
    manifest, at = composed(WORDS, seen), situation(seen)
    return manifest, judge_by_policy(chain.review(manifest, at), manifest, lambda parts: estimate(parts, at), Site(), policy, spent)


def refused(review: Review) -> dict[str, str]:
    return {one.check: sentence(one) for one in review.findings if one.severity is Severity.ERROR}


@pytest.mark.parametrize(
    ("spent", "passes"),
    [
        ((Spent("ml", "production", 14_990.0),), False),
        ((Spent("ml", "production", 8_000.0), Spent("ml", "staging", 6_990.0)), False),
        ((Spent("bi", "production", 14_990.0),), True),
        ((Spent("bi", "production", 14_990.0), Spent("ml", "production", 100.0)), True),
    ],
)
def test_a_team_pays_for_its_own_runs_alone(seen: SubscriptionSnapshot, spent: tuple[Spent, ...], passes: bool) -> None:
    assert (refused(judged(seen, POLICY, *spent)[1]) == {}) is passes


def test_a_limit_counts_its_own_currency_and_says_what_it_does_not_cover(seen: SubscriptionSnapshot) -> None:
    _, review = judged(seen, POLICY, Spent("ml", "production", 20_000.0, "EUR"), Spent("bi", "production", 1.0, "GBP"))
    assert refused(review) == {}
    told = [sentence(one) for one in review.findings if one.kind == "policy.other_currencies"]
    assert len(told) == 1 and "15,000 USD" in told[0] and "EUR" in told[0] and "GBP" not in told[0]
    assert not [
        one for one in judged(seen, POLICY, Spent("ml", "production", 0.0, ""))[1].findings if one.kind == "policy.other_currencies"
    ]


def test_a_budget_of_an_environment_counts_what_the_team_has_there(seen: SubscriptionSnapshot) -> None:
    assert refused(judged(seen, LIMITED, Spent("ml", "production", 9_000.0))[1]) == {}
    told = refused(judged(seen, LIMITED, Spent("ml", "development", 499.0))[1])
    assert set(told) == {"policy.environment"} and "500 USD" in told["policy.environment"]


@pytest.mark.parametrize("limit", [15_000, 2_500])
def test_the_figure_of_a_refusal_is_the_one_that_is_configured(seen: SubscriptionSnapshot, limit: int) -> None:
    rules = tuple(
        rule.model_copy(update={"must": rule.must.model_copy(update={"all": (rule.must.all[0].model_copy(update={"value": limit}),)})})
        if rule.id == "max-budget-per-team"
        else rule
        for rule in POLICY.rules
    )
    told = refused(judged(seen, POLICY.model_copy(update={"rules": rules}), Spent("ml", "production", 20_000.0))[1])
    assert f"{limit:,} USD" in told["policy.max-budget-per-team"]


def test_what_is_offered_instead_is_judged_by_what_the_team_has_spent_too(seen: SubscriptionSnapshot) -> None:
    requirements, at = required(f"{WORDS}, $1 a month"), situation(seen)
    _, review = judged(seen, POLICY, Spent("ml", "production", 15_000.0))
    for spent, offered in (((), "would pass with a budget"), ((Spent("ml", "production", 14_999.0),), "more than the policy allows")):
        assert offered in counter_offer(requirements, review, at, POLICY, spent)
