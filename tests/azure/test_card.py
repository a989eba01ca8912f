"""The card of a data workspace: read in a few minutes, with what each assumption would change of the cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.hearing.facts import said
from tools.capabilities import chain
from tools.capabilities.swings import swings
from tools.platforms import estimate
from tools.rules.plans.card import card_of
from tools.rules.plans.difference import difference
from tools.rules.words import telling
from tools.rules.words.rendering import draw
from tools.values.manifest import Manifest
from tools.values.plan import Change, PartPlan, Plan, Swing
from tools.values.snapshot import SubscriptionSnapshot

from .conftest import PRICES, composed, required, situation
from .test_data_workspace import WORDS

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
LINES_MAX = 60


def plan_of(manifest: Manifest, snapshot: SubscriptionSnapshot) -> Plan:
    review = chain.review(manifest, situation(snapshot))
    changes = [Change(address=f"azapi_resource.{one.name}", action="create", name=one.name) for one in manifest.parts[0].resources]
    sums = dict.fromkeys(("plan_sha256", "plan_json_sha256", "inputs_sha256", "state_sha256"), "0" * 64)
    return Plan(
        run_id="run-1",
        conversation="talk",
        kind="create",
        requester="ops",
        manifest_digest=manifest.digest,
        review_digest=review.digest,
        snapshot_digests=(),
        policy_version="1",
        parts=(PartPlan(label=manifest.parts[0].label, changes=tuple(changes), providers=(), **sums),),
        estimate=estimate(manifest.parts, situation(snapshot)),
        approvals=(("vp", "Graphics processors are dear."), ("security", "It is much data.")),
        made_at=NOW,
        expires_at=NOW + timedelta(days=3),
    )


@pytest.fixture(scope="module")
def swung(seen: SubscriptionSnapshot) -> tuple[Swing, ...]:
    return swings(said(WORDS), required(WORDS), situation(seen))


def test_the_card_of_a_workspace_fits_sixty_lines(seen: SubscriptionSnapshot, swung: tuple[Swing, ...]) -> None:
    manifest = composed(WORDS, seen)
    plan = plan_of(manifest, seen)
    card = draw(telling.plan(plan, manifest, chain.review(manifest, situation(seen)), ("cost centre 12",), None, swung))
    assert len(card.splitlines()) <= LINES_MAX, card
    assert plan.estimate.total and f"{plan.estimate.total:,.2f} USD" in card and "8,000" in card
    assert all(one in card for one in plan.estimate.savings[:3]) and "cost centre 12" in card
    assert all(f"approve {plan.digest[:12]} as {role}" in card and reason in card for role, reason in plan.approvals)


def test_an_assumption_says_what_it_would_change(seen: SubscriptionSnapshot, swung: tuple[Swing, ...]) -> None:
    known = {one.field: one for one in swung}
    for field, words in (("retention_days", "7 days retention"), ("gpu_hours", "20 GPU hours a month")):
        [least] = [estimate(composed(f"{WORDS}, {words}", seen).parts, situation(seen)).total]
        assert known[field].low == pytest.approx(least, abs=0.01), "as if it had been said"
    manifest = composed(WORDS, seen)
    [part] = card_of(plan_of(manifest, seen), manifest, None, swings=swung).parts
    shown = [known[field.name].spread for one in part.assumed for field in one.fields if field.name in known]
    assert shown == sorted(shown, reverse=True), "the dearest first"
    assert {"environment", "region"} <= {field.name for one in part.assumed for field in one.fields}


def test_an_edit_tells_what_it_changes_and_what_it_costs(seen: SubscriptionSnapshot) -> None:
    before, after = composed(WORDS, seen), composed(f"{WORDS}, 14 days retention", seen)
    costs = estimate(before.parts, situation(seen)), estimate(after.parts, situation(seen))
    turns = {turn.name: (turn.before, turn.after) for turn in difference(before, after, costs)}
    assert turns["retention_days"] == ("30 days", "14 days") and turns["stored_gb"][0] == "50 TB"
    assert turns["cost"] == (f"{costs[0].total:,.0f}", f"{costs[1].total:,.0f} USD a month")


def test_what_is_not_in_the_sum_is_named_and_a_price_that_moves_says_so(seen: SubscriptionSnapshot) -> None:
    found = estimate(composed("spark for the ml team, 1 TB daily, 5 TB stored, in eastus", seen).parts, situation(seen))
    priced = {line.price_row.partition("@")[0] for line in found.lines if line.amount}
    assert {"log_analytics.retention", "alert.metric", "adls.hot.reads"} <= priced
    assert {line.unit for line in found.lines if line.amount is None} == {"adls.hot.writes.ZRS"}
    spot = next(line for line in found.lines if line.price_row.startswith("vm_spot."))
    captured = next(row.captured_at for row in PRICES if row.row == spot.price_row)
    assert any("Spot prices move" in one and captured in one for one in found.assumptions)


def test_a_cluster_that_azure_runs_is_called_so(seen: SubscriptionSnapshot) -> None:
    manifest = composed("AKS with 2 nodes", seen)
    heard = telling.requirements(required("AKS"), ())
    for told in (telling.plan(plan_of(manifest, seen), manifest, None), telling.why(manifest, None), heard):
        assert "AKS cluster" in draw(told) and "k3s" not in draw(told)


ONE_MACHINE = (
    "a Debian VM with 2 cores, 8 GB and 60 GB in Azure, development",
    "a web server in Azure, development",
    "redis for 2 GB of data in Azure, production",
    "an NFS server in Azure for development with 200 GB of data",
    "a postgres for 100 users in Azure, production",
)


@pytest.mark.parametrize("words", ONE_MACHINE)
def test_the_card_of_one_machine_in_azure_is_read_in_a_minute(words: str, seen: SubscriptionSnapshot) -> None:
    manifest = composed(words, seen)
    plan = plan_of(manifest, seen).model_copy(update={"approvals": (("operator", "Every plan is approved by a person."),)})
    card = draw(telling.plan(plan, manifest, None, swings=swings(said(words), required(words), situation(seen))))
    assert len(card.split()) <= 150, card
    assert len(card.splitlines()) <= 25, card
