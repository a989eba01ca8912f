"""A data workspace from words to an offer, without a cloud but its snapshot: what is understood, what fits the budget, what does not and
why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tools.capabilities import chain
from tools.capabilities.data_workspace.choices import choices
from tools.capabilities.data_workspace.design import Choice, Design
from tools.platforms import estimate
from tools.rules.azure.checks import cloud_of
from tools.rules.plans.picking import pick_by_rule
from tools.rules.plans.reviewing import world_moved
from tools.values.manifest import Part
from tools.values.requirements import Needs, Origin
from tools.values.review import Review, Severity
from tools.values.site import Environment, Site
from tools.values.situation import Situation
from tools.values.snapshot import SubscriptionSnapshot

from .conftest import PRICES, composed, errors, offered, required, situation
from .test_changes import changed

WORDS = "Spark environment for our ML team, 5 TB of customer data daily, GPU for training, $8K/month"


def needs_of(words: str, site: Site | None = None) -> Needs:
    return required(words, site).parts[0]


def values(needs: Needs, *names: str) -> list[Any]:
    return [field.value if (field := needs.field(name)) else None for name in names]


def test_the_sources_own_request_is_understood_without_a_question() -> None:
    needs = needs_of(WORDS)
    assert (needs.missing, needs.problems) == ((), ())
    assert values(needs, "daily_gb", "gpu", "team", "budget_monthly", "region", "environment") == [
        5120,
        True,
        "ml",
        8000,
        "eastus",
        "development",
    ]
    stored = needs.field("stored_gb")
    assert stored and stored.origin is Origin.ASSUMED and (stored.value, stored.low, stored.high) == (51200, 30720, 153600)
    assert "150 TB a month" in stored.because
    assert all(f.because for f in needs.fields if f.origin is not Origin.SAID)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "I need a Spark environment for our ML team to process 5TB of customer data daily. Budget: "
            "$8K/month. Need GPU support for model training.",
            {"daily_gb": 5120, "gpu": True, "team": "ml", "budget_monthly": 8000},
        ),
        (
            "a data workspace for the analytics team in westus2, 500 GB daily, production",
            {"daily_gb": 500, "team": "analytics", "region": "westus2", "environment": "production", "gpu": False},
        ),
        ("spark, 150 TB a month, no GPU", {"daily_gb": 5120, "gpu": False}),
        (
            "spark with 1 TB/day over private endpoints, no spot",
            {"daily_gb": 1024, "storage_path": "private_endpoint", "machines": "on_demand"},
        ),
        ("spark 2 TB per day, 60 days retention, window of 8 hours", {"daily_gb": 2048, "retention_days": 60, "window_hours": 8}),
        ("spark 1 TB daily, GPU 24 hours a day", {"daily_gb": 1024, "gpu": True, "gpu_hours": 720}),
        ("spark 1 TB daily with GPU for 8 hours per day", {"daily_gb": 1024, "gpu": True, "gpu_hours": 240}),
        ("spark cluster in West Europe, 1 TB daily on A100", {"region": "westeurope", "gpu": True, "gpu_kind": "A100"}),
        (
            "spark 1 TB daily, API from 198.51.100.0/24, 203.0.113.7 and 203.0.113.9; also from addresses 198.51.101.1",
            {"api_ranges": ("198.51.100.0/24", "203.0.113.7", "203.0.113.9", "198.51.101.1")},
        ),
    ],
)
def test_sentences(words: str, expected: dict[str, Any]) -> None:
    needs = needs_of(words)
    assert dict(zip(expected, values(needs, *expected), strict=True)) == expected
    assert needs.problems == ()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("spark 1 TB daily in eastus22", "Did you mean eastus2?"),
        ("spark 1 TB daily in eastus and westus2", "You named eastus and westus2"),
        ("spark 1 TB daily, budget €500", "none is in EUR"),
        ("spark 1 TB daily, budget $0", "cannot be a budget"),
        ("spark called MyLake, 1 TB daily", "mylake would do"),
        (
            "spark 1 TB daily, from addresses 198.51.100.0/24 and 10.1.0.0/16",
            "cannot come in: the Kubernetes API sees public addresses only",
        ),
        ("spark 1 TB daily, API from anywhere", "never 0.0.0.0/0"),
    ],
)
def test_words_that_cannot_be_taken(words: str, told: str) -> None:
    assert told in " ".join(needs_of(words).problems)


def test_a_volume_is_asked_for_and_a_retired_size_is_replaced() -> None:
    assert [m.name for m in needs_of("a spark environment").missing] == ["daily_volume"]
    field = needs_of("spark 1 TB daily with GPU on NC6s_v3").field("gpu_kind")
    assert field and field.value == "T4" and "was retired on 2025-09-30" in field.because


def test_the_site_settles_region_budget_and_team() -> None:
    site = Site(environments=(Environment(name="development", region="westus2", budget_monthly=500),), team="Data Platform")
    assert values(needs_of("spark 1 TB daily", site), "region", "budget_monthly", "team") == ["westus2", 500, "dataplatform"]


def test_what_fits_eight_thousand_dollars_and_what_does_not(seen: SubscriptionSnapshot) -> None:
    part = offered(WORDS, seen).parts[0]
    costs = {c.id: Design(needs_of(WORDS), Choice.of(c)).monthly(PRICES) for c in part.candidates}
    assert part.candidates[0].id == "t4/service-endpoint/spot"
    assert all(cost <= 8000 for cost in costs.values())
    # The notes' own reckoning: 3,072 USD for the data path over private endpoints, and 6,912 over a NAT gateway.
    assert costs["t4/private-endpoint/spot"] - costs["t4/service-endpoint/spot"] == pytest.approx(3072 + 3 * 7.30 + 3 * 0.50, abs=0.01)
    told = {e.subject: e.reason for e in part.exclusions}
    assert "6,912 USD a month" in told["data over the NAT gateway"] and "over the budget of 8,000" in told["data over the NAT gateway"]
    assert "an A100 around the clock, over private endpoints, workers on demand" in told
    assert part.counter_offer == ""


def test_every_figure_of_the_estimate_is_a_row_of_the_snapshot_and_adds_up(seen: SubscriptionSnapshot) -> None:
    manifest = composed(WORDS, seen)
    found = estimate(manifest.parts, situation(seen))
    for line in found.lines:
        if line.amount is None:
            assert "not priced" in line.note
        else:
            # What it is charged at is that of the last of its tiers that it reaches: none reaches more than one that is not free.
            [price] = {p.price for p in PRICES if p.row == line.price_row and p.tier_from <= line.quantity} - {0}
            free = sum(p.tier_from for p in PRICES if p.row == line.price_row and p.tier_from <= line.quantity)
            assert line.amount == pytest.approx((line.quantity - free) * price, abs=0.01)
    assert found.total == pytest.approx(sum(x.amount for x in found.lines if x.amount is not None), abs=0.01)
    assert found.total == pytest.approx(Design(manifest.parts[0].needs, next(choices(manifest.parts[0].needs))).monthly(PRICES), abs=0.1)
    assert {"compute", "storage", "data path", "monitoring", "security"} <= {x.path for x in found.lines}
    assert any("adls" in x.unit for x in found.lines if x.amount is None), "writes to three zones cost, and have no row"
    assert found.savings


def test_its_release_of_kubernetes_is_said_and_stays(seen: SubscriptionSnapshot) -> None:
    built = composed(WORDS, seen)
    old = built.parts[0]
    assert old.variables["kubernetes_version"] == "1.34", "what Azure takes by itself is what the plan says"
    assert any("Kubernetes 1.34" in one.size for one in old.resources)
    later = seen.model_copy(
        update={"kubernetes": tuple(one.model_copy(update={"is_default": one.version == "1.35"}) for one in seen.kubernetes)}
    )
    assert composed(WORDS, later).parts[0].variables["kubernetes_version"] == "1.35"
    _, made = changed(WORDS, built, later)
    assert made is not None and made.parts[0].variables["kubernetes_version"] == "1.34", "a change upgrades nothing"
    gone = seen.model_copy(update={"kubernetes": tuple(one for one in seen.kubernetes if one.version != "1.34")})
    assert "release.offered" in errors(old, gone)


def test_a_spot_price_that_has_doubled_is_in_the_next_sum_and_may_end_a_budget(seen: SubscriptionSnapshot) -> None:
    doubled = tuple(one.model_copy(update={"price": one.price * 2}) if one.key.startswith("vm_spot.") else one for one in PRICES)
    before, after = situation(seen), replace(situation(seen), prices=doubled)
    requirements = required("spark 5 TB daily, spot, in eastus, development")
    costs = {}
    for name, at in (("before", before), ("after", after)):
        offer = chain.offer(requirements, at)
        costs[name] = estimate(chain.compose(requirements, offer, pick_by_rule(offer), at).parts, at).total or 0
    assert costs["after"] > costs["before"]
    budget = required(f"spark 5 TB daily, spot, in eastus, development, ${costs['before'] + 1:.0f} a month")
    assert chain.offer(budget, before).parts[0].candidates
    part = chain.offer(budget, after).parts[0]
    assert not part.candidates and part.counter_offer, "what would fit is said"


def test_a_budget_of_eight_dollars_gets_a_counter_offer_that_holds(seen: SubscriptionSnapshot) -> None:
    part = offered("spark 5 TB daily, GPU, $8 a month", seen).parts[0]
    assert part.candidates == ()
    sum_said = part.counter_offer.split("budget of ")[1].split(" USD")[0].replace(",", "")
    assert offered(f"spark 5 TB daily, GPU, ${sum_said} a month", seen).parts[0].candidates


def test_a_quota_of_zero_is_told_and_another_region_is_offered(seen: SubscriptionSnapshot) -> None:
    words = "spark 1 TB daily in westus2 with an A100"
    part = offered(words, seen).parts[0]
    assert part.candidates == ()
    assert any("NotAvailableForSubscription" in e.reason for e in part.exclusions)
    assert part.counter_offer == "It would fit in eastus."
    assert offered(words.replace("westus2", "eastus"), seen).parts[0].candidates


def test_too_much_work_for_the_quota_names_the_window_that_would_do(seen: SubscriptionSnapshot) -> None:
    words = "spark 40 TB daily in eastus, window of 4 hours, no spot"
    part = offered(words, seen).parts[0]
    assert part.candidates == () and "quota" in part.exclusions[0].reason
    hours = int(part.counter_offer.split("window of ")[1].split()[0])
    assert offered(words.replace("of 4", f"of {hours}"), seen).parts[0].candidates
    assert not offered(words.replace("of 4", f"of {hours - 1}"), seen).parts[0].candidates


def test_a_region_that_the_subscription_lacks(seen: SubscriptionSnapshot) -> None:
    lacking = seen.model_copy(update={"regions": tuple(r for r in seen.regions if r.name != "eastus")})
    part = offered(WORDS, lacking).parts[0]
    assert part.candidates == () and part.exclusions[0].subject == "region eastus"


def test_production_prefers_machines_that_nobody_takes_back(seen: SubscriptionSnapshot) -> None:
    assert offered("spark 1 TB daily, production", seen).parts[0].candidates[0].id == "no-gpu/service-endpoint/on-demand"


def test_every_candidate_composes_to_a_clean_part(seen: SubscriptionSnapshot) -> None:
    for candidate in offered(WORDS, seen).parts[0].candidates:
        part = composed(WORDS, seen, candidate.id).parts[0]
        _, passed = chain.footing(part).review(part, situation(seen))
        assert errors(part, seen) == set()
        assert {name.split(":")[0] for name in passed} >= {
            "region",
            "quota",
            "name.valid",
            "name.free",
            "size.offered",
            "budget",
            "addresses",
            "tags",
        }
        assert part.variables["delete_after_days"] == 0, "data is never deleted on an assumption"


def with_cloud(part: Part, **changed: Any) -> Part:
    return part.model_copy(update={"cloud": cloud_of(part).model_copy(update=changed)})


def with_variables(part: Part, **changed: Any) -> Part:
    return part.model_copy(update={"variables": {**part.variables, **changed}})


def with_system_pool(part: Part, **changed: Any) -> Part:
    return with_variables(part, pools=[{**part.variables["pools"][0], **changed}])


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("region", lambda p: with_cloud(p, region="marsnorth")),
        ("tags", lambda p: with_cloud(p, tags=(("owner", "x"),))),
        ("name.valid", lambda p: with_cloud(p, names=(("storage", "Has-Capitals"),))),
        ("size.current", lambda p: with_system_pool(p, vm_size="Standard_NC6s_v3")),
        ("size.offered", lambda p: with_cloud(with_system_pool(p, vm_size="Standard_E8ds_v5"), region="northeurope")),
        ("quota", lambda p: with_system_pool(p, max_count=200)),
        ("addresses", lambda p: with_variables(p, address_space="172.29.0.0/20")),
        ("exposure", lambda p: with_variables(p, api_ranges=["0.0.0.0/0"])),
        ("exposure.public", lambda p: with_variables(p, api_ranges=["198.51.100.0/24", "192.168.7.0/24"])),
        ("tags.valid", lambda p: with_cloud(p, tags=(("owner", "x"), ("environment", "y"), ("cost/centre", "z")))),
        ("tags.valid", lambda p: with_cloud(p, tags=(("owner", "x"), ("environment", "y"), ("note", "z" * 257)))),
        ("addresses.reserved", lambda p: with_variables(p, pod_cidr="172.30.0.0/15")),
        ("addresses.enough", lambda p: with_variables(p, pod_cidr="10.244.0.0/21")),
        ("addresses.reserved", lambda p: with_variables(p, address_space="192.0.2.0/24")),
        ("subscription", lambda p: with_cloud(p, subscription_id="another")),
        ("budget", lambda p: p.model_copy(update={"resources": p.resources * 20})),
    ],
)
def test_the_review_finds(seen: SubscriptionSnapshot, look: Any, check: str, change: Any) -> None:
    wrong = change(composed(WORDS, seen).parts[0])
    assert check in errors(wrong, look(("eastus", "northeurope")) if check == "size.offered" else seen)


def test_a_spot_price_that_has_doubled_since_stops_what_was_within_its_budget(seen: SubscriptionSnapshot) -> None:
    """As the run looks again before it begins."""
    part = composed("Spark environment for our ML team, 5 TB of customer data daily, GPU for training, $2,400/month", seen).parts[0]
    doubled = tuple(one.model_copy(update={"price": one.price * 2}) if one.key.startswith("vm_spot.") else one for one in PRICES)
    looks = {"then": PRICES, "now": doubled}
    found = {name: chain.footing(part).review(part, Situation({"azure": seen}, Site(), prices=prices))[0] for name, prices in looks.items()}
    stopped = {name: [one.check for one in those if one.severity is Severity.ERROR] for name, those in found.items()}
    assert stopped == {"then": [], "now": ["budget"]}
    before, after = (Review(manifest_digest="", findings=found[name]) for name in ("then", "now"))
    assert [one.check for one in world_moved(part, before, after)] == ["budget"]
