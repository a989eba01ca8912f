"""Names, regions, Spark sizes and quota sums: tables, and properties that hold for anything."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.capabilities import chain
from tools.platforms import estimate
from tools.rules.azure import names as azure_names
from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.checks import cloud_of
from tools.rules.azure.names import RULES, Base
from tools.rules.azure.sizes import Claim
from tools.rules.names import regions as azure_regions
from tools.rules.plans.judging import judge_by_policy
from tools.values.site import Environment, Site
from tools.values.snapshot import Quota, Sku, SubscriptionSnapshot

from .conftest import NOW, POLICY, composed, situation


@pytest.mark.parametrize(
    ("words", "region"),
    [
        ("in East US", "eastus"),
        ("in the East US 2 region", "eastus2"),
        ("eastus2", "eastus2"),
        ("us-east-2", "eastus2"),
        ("eus2", "eastus2"),
        ("somewhere in West Europe, please", "westeurope"),
        ("UK South", "uksouth"),
        ("Germany West Central", "germanywestcentral"),
    ],
)
def test_regions_by_any_of_their_names(words: str, region: str) -> None:
    assert azure_regions.named(words) == (region,)


@pytest.mark.parametrize("words", ["the customer's east side", "our central team", "vnet-eastus-01", "10.0.0.0/16", ""])
def test_what_is_no_region(words: str) -> None:
    assert azure_regions.named(words) == ()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("eastus22", "Did you mean eastus2?"),
        ("westeuorpe", "Did you mean westeurope?"),
        ("eastus and westus2", "You named eastus and westus2"),
        ("mars", "There is no Azure region called mars."),
    ],
)
def test_regions_that_cannot_be_taken(words: str, told: str) -> None:
    assert told in azure_regions.read(words)[1]


@given(st.sampled_from(azure_regions.names()))
def test_every_region_is_found_by_name_and_by_what_the_portal_calls_it(name: str) -> None:
    assert azure_regions.read(name) == (name, "")
    assert azure_regions.read(azure_regions.display(name)) == (name, "")


@pytest.mark.parametrize(
    ("kind", "name", "better"),
    [
        ("storage", "MyData", "mydata"),
        ("storage", "my-data_lake", "mydatalake"),
        ("storage", "ab", ""),
        ("vault", "1vault", "vault"),
        ("vault", "kv--x", "kv-x"),
        ("pool", "GPU-Pool", "gpupool"),
        ("container", "Bronze Data", "bronze-data"),
        ("cluster", "-aks", "aks"),
    ],
)
def test_names_that_azure_refuses_are_repaired(kind: str, name: str, better: str) -> None:
    problem = azure_names.name_problem(kind, name)
    assert RULES[kind].noun in problem
    assert azure_names.repair(kind, name) == better
    assert not better or f"{better} would do." in problem


words = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=16)


@given(
    words,
    words,
    st.sampled_from(["production", "staging", "development"]),
    st.sampled_from(azure_regions.names()),
    st.integers(1, 99),
)
def test_names_by_convention_may_be_used(workload: str, team: str, environment: str, region: str, number: int) -> None:
    base = Base(workload, team, environment, region, number)
    for kind in ("resource_group", "cluster", "network", "logs", "nat_gateway", "public_ip", "identity"):
        assert azure_names.name_problem(kind, base.name(kind)) == ""
    for kind in ("storage", "vault", "openai", "registry"):
        several = list(azure_names.global_names(base, kind, "a"))
        assert [azure_names.name_problem(kind, name) for name in several] == [""] * azure_names.TRIES_MAX
        assert len(set(several)) == azure_names.TRIES_MAX
        assert several == list(azure_names.global_names(base, kind, "a")) != list(azure_names.global_names(base, kind, "b"))


@given(st.sampled_from(sorted(RULES)), st.text(max_size=120))
def test_a_repaired_name_may_always_be_used(kind: str, name: str) -> None:
    better = azure_names.repair(kind, name)
    assert not better or azure_names.name_problem(kind, better) == ""


def test_a_global_name_that_is_taken_gives_way_to_the_next() -> None:
    base = Base("spark", "ml", "development", "eastus")
    first, second, *_ = azure_names.global_names(base, "storage", "")
    assert azure_names.free_global(base, "storage", "", ()) == first
    assert azure_names.free_global(base, "storage", "", [f"Microsoft.Storage/storageAccounts:{first}"]) == second
    every = [azure_names.check_key("storage", name) for name in azure_names.global_names(base, "storage", "")]
    assert azure_names.free_global(base, "storage", "", every) == ""


@pytest.mark.parametrize(
    ("daily_gb", "window", "throughput", "passes", "workers"),
    [
        (5120, 4, 25, 1, 8),
        (5120, 24, 25, 1, 2),
        (5120, 4, 10, 1, 20),
        (5120, 4, 25, 3, 24),
        (1, 4, 25, 1, 1),
        (100 * 1024, 4, 25, 1, 160),
    ],
)
def test_workers_for_a_volume_and_a_window(daily_gb: int, window: int, throughput: int, passes: int, workers: int) -> None:
    """The notes' own case: 5 TB, one pass, 25 GB a core-hour, 4 hours: about 8 x E8ds_v5."""
    assert azure_sizes.spark(daily_gb, window, throughput, passes).workers == workers


@given(st.integers(1, 10**6), st.integers(1, 24), st.integers(10, 50), st.integers(1, 3))
def test_the_workers_get_it_done_and_one_less_would_not(daily_gb: int, window: int, throughput: int, passes: int) -> None:
    found = azure_sizes.spark(daily_gb, window, throughput, passes)
    one = azure_sizes.sizes()[azure_sizes.WORKER].cpu_count * azure_sizes.USABLE_RATIO * window
    assert found.workers * one >= found.core_hours_daily * (1 - 1e-6)
    assert found.workers == 1 or (found.workers - 1) * one < found.core_hours_daily


def test_retired_sizes_are_explained_and_replaced_by_current_ones() -> None:
    retired = [size for size in azure_sizes.sizes().values() if size.retired]
    assert {s.name for s in retired} == {"Standard_NC6s_v3", "Standard_NC12s_v3", "Standard_NC24s_v3"}
    for size in retired:
        assert "retired on 2025-09-30" in azure_sizes.replacement(size)
        assert not azure_sizes.sizes()[size.replaced_by].retired
    assert [s.gpu_kind for s in azure_sizes.gpu_sizes()] == ["T4", "A100"]
    assert azure_sizes.size_named("nc6s_V3") == azure_sizes.sizes()["Standard_NC6s_v3"]


def _snapshot(**quotas: tuple[float, float]) -> SubscriptionSnapshot:
    given_: Any = [Quota(region="eastus", name=name, used=used, limit=limit) for name, (used, limit) in quotas.items()]
    skus = (
        Sku(name="Standard_D4s_v5", region="eastus", family="dsv5", cpu_count=4, memory_gib=16),
        Sku(name="Standard_E8ds_v5", region="eastus", family="edsv5", cpu_count=8, memory_gib=64),
        Sku(
            name="Standard_E8ds_v5",
            region="westus2",
            family="edsv5",
            cpu_count=8,
            memory_gib=64,
            restricted="NotAvailableForSubscription",
        ),
    )
    return SubscriptionSnapshot(endpoint="x", taken_at=NOW, subscription_id="x", quotas=tuple(given_), skus=skus)


def test_quota_counts_families_all_cores_and_spot_by_itself() -> None:
    seen = _snapshot(dsv5=(90, 100), edsv5=(0, 64), cores=(90, 350), lowPriorityCores=(0, 10))
    wanted = [Claim("Standard_D4s_v5", 2), Claim("Standard_E8ds_v5", 8), Claim("Standard_E8ds_v5", 2, spot=True)]
    sums = {s.subject: (s.total, s.limit, s.holds) for s in azure_sizes.quota_sums(wanted, seen, "eastus")}
    assert sums == {
        "vCPU family dsv5 in eastus": (98, 100, True),
        "vCPU family edsv5 in eastus": (64, 64, True),
        "all vCPU in eastus": (162, 350, True),
        "spot vCPU in eastus": (16, 10, False),
    }
    assert azure_sizes.unseen_families(wanted, _snapshot(cores=(0, 1)), "eastus") == ("dsv5", "edsv5", "lowPriorityCores")


def test_sizes_that_a_region_does_not_have() -> None:
    seen = _snapshot()
    assert azure_sizes.sku_problem("Standard_E8ds_v5", seen, "eastus") == ""
    assert "NotAvailableForSubscription" in azure_sizes.sku_problem("Standard_E8ds_v5", seen, "westus2")
    assert (
        azure_sizes.sku_problem("Standard_D4s_v5", seen, "westus2") == "Standard_D4s_v5 is not offered in westus2; it is offered in eastus"
    )


def test_short_hashes_are_made_of_small_letters_and_digits() -> None:
    assert re.fullmatch(r"[a-z2-7]{5}", azure_names.short_hash("a", "b"))
    assert azure_names.short_hash("a", "b") != azure_names.short_hash("ab")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("spark for the ml team, 100 GB daily, 2 TB stored, in eastus", False),
        ("spark for the ml team, 100 GB daily, in eastus", True),
        ("a storage account for the ml team, 2 TB, in eastus", False),
    ],
)
def test_an_approval_that_rests_on_an_assumption_says_so(seen: SubscriptionSnapshot, words: str, told: bool) -> None:
    manifest, at = composed(words, seen), situation(seen)
    judged = judge_by_policy(chain.review(manifest, at), manifest, lambda parts: estimate(parts, at), Site(), POLICY)
    assert ("Nobody said so" in dict(judged.approvals)["security"]) is told


def test_a_tag_of_the_site_takes_the_place_of_ours_whatever_its_letters(seen: SubscriptionSnapshot) -> None:
    site = Site(environments=(Environment(name="development", tags=(("Owner", "crm"), ("cost_centre", "4711"))),))
    tags = dict(cloud_of(composed("a storage account for the ml team, 200 GB, in eastus", seen, site=site).parts[0]).tags)
    assert tags["Owner"] == "crm" and "owner" not in tags and tags["cost_centre"] == "4711"
