"""Looking at a subscription: what is seen of a good one, what is said of a bad day, and what stops a scan altogether."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from cluster_sim.authority import Authority
from tools.pipeline.platforms.azure.scan import REGIONS_MAX, scan
from tools.rules.azure import seeing as seeing_azure
from tools.values.snapshot import SubscriptionSnapshot
from tools.values.trouble import WorldProblem

from .conftest import Subscribed

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NAMES = (
    "Microsoft.Storage/storageAccounts:stdata",
    "Microsoft.Storage/storageAccounts:stnobodyhasthis",
    "Microsoft.KeyVault/vaults:kv-prod",
    "Microsoft.CognitiveServices/accounts:openai",
    "Microsoft.ContainerRegistry/registries:data",
    "Microsoft.Storage/storageAccounts:NOT-ALLOWED",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Unknown/things:x",
)


def look(settings: Subscribed, *, regions: tuple[str, ...] = ("eastus", "westus2"), names: tuple[str, ...] = ()) -> SubscriptionSnapshot:
    return scan(settings, NOW, regions=regions, names=names)


@pytest.fixture(scope="module")
def seen(cloud: Subscribed) -> SubscriptionSnapshot:
    return look(cloud, names=NAMES)


def test_the_subscription_and_what_is_in_it(seen: SubscriptionSnapshot) -> None:
    assert (seen.subscription_name, seen.taken_at, seen.problems) == ("northwind-data", NOW, ())
    assert [(g.name, g.region, dict(g.tags)["team"]) for g in seen.groups] == [
        ("rg-analytics-old", "westeurope", "ml"),
        ("rg-monitoring", "eastus", "platform"),
        ("rg-network-hub", "eastus", "platform"),
    ]
    assert [r.name for r in seen.resources if dict(r.tags).get("team") == "ml"] == ["vm-notebook", "stnorthwindold"]
    assert {"eastus", "westeurope", "swedencentral"} <= {r.name for r in seen.regions}


def test_quotas_and_sizes_of_the_regions_asked_for(seen: SubscriptionSnapshot) -> None:
    quotas = {(q.region, q.name): (q.used, q.limit) for q in seen.quotas}
    assert quotas["eastus", "StandardNCADSA100v4Family"] == (0, 24)
    assert quotas["eastus", "OpenAI.GlobalStandard.gpt-5.4"] == (0, 450)
    assert quotas["westus2", "cores"] == (0, 100)
    assert {q.region for q in seen.quotas} == {"eastus", "westus2"}
    sizes = {(s.region, s.name): s for s in seen.skus}
    gpu = sizes["eastus", "Standard_NC24ads_A100_v4"]
    assert (gpu.family, gpu.cpu_count, gpu.memory_gib, gpu.gpu_count, gpu.restricted) == (
        "StandardNCADSA100v4Family",
        24,
        220,
        1,
        "",
    )
    assert sizes["westus2", "Standard_NC24ads_A100_v4"].restricted == "NotAvailableForSubscription"
    assert "eastus/gpt-5.4-mini/2026-03-17/GlobalStandard" in seen.models


def test_names_in_use_anywhere_and_held_by_deleted_vaults(seen: SubscriptionSnapshot) -> None:
    assert seen.names_taken == (
        "Microsoft.CognitiveServices/accounts:openai",
        "Microsoft.ContainerRegistry/registries:data",
        "Microsoft.KeyVault/vaults:kv-northwind-ml",
        "Microsoft.KeyVault/vaults:kv-prod",
        "Microsoft.Storage/storageAccounts:NOT-ALLOWED",
        "Microsoft.Storage/storageAccounts:stdata",
    )


def test_with_no_region_named_those_in_use_and_near_are_looked_at(cloud: Subscribed) -> None:
    snapshot = look(cloud, regions=())
    regions = list(dict.fromkeys(q.region for q in snapshot.quotas))
    assert len(regions) == REGIONS_MAX
    assert {"eastus", "westeurope", "eastus2"} <= set(regions)
    assert [p.subject for p in snapshot.problems] == ["regions"]


def test_a_region_that_is_not_there_is_a_problem(cloud: Subscribed) -> None:
    snapshot = look(cloud, regions=("eastus9",))
    assert [p.detail for p in snapshot.problems] == ["The subscription has no region called eastus9."]
    assert snapshot.quotas == ()


def test_a_bad_day_is_a_picture_with_problems(bad_cloud: Subscribed) -> None:
    snapshot = look(bad_cloud, regions=("eastus", "eastus2"))
    problems = {p.subject: p for p in snapshot.problems}
    assert set(problems) == {"quotas in eastus2", "models in eastus"}
    assert "AuthorizationFailed" in problems["quotas in eastus2"].detail
    assert "--role Reader --scope /subscriptions/" in problems["quotas in eastus2"].remedy
    assert "previous instructions" not in snapshot.model_dump_json()
    # Asked to wait a second, it waited: the deleted vault is there.
    assert snapshot.names_taken == ("Microsoft.KeyVault/vaults:kv-northwind-ml",)
    assert {q.region for q in snapshot.quotas if q.name == "cores"} == {"eastus"}


@pytest.mark.parametrize(
    ("change", "summary", "detail"),
    [
        ({"arm_client_secret": SecretStr("another-secret")}, "Azure refused the credentials.", "its secret is another one"),
        ({"arm_client_id": "00000000-0000-4000-8000-000000000001"}, "Azure refused the credentials.", "no application of that client id"),
        (
            {"arm_subscription_id": "00000000-0000-4000-8000-000000000002"},
            "The subscription is not known.",
            "00000000-0000-4000-8000-000000000002",
        ),
        ({"arm_subscription_id": ""}, "No Azure subscription is connected.", "ARM_SUBSCRIPTION_ID"),
        ({"arm_active_directory_authority_host": "https://127.0.0.1:1"}, "Azure is away.", "refuses the connection"),
        ({"arm_resource_manager_endpoint": "https://127.0.0.1:1"}, "Azure is away.", "https://127.0.0.1:1"),
        ({"ca_file": None}, "Azure's certificate is not trusted.", "BERTH_CA_FILE is not set"),
    ],
)
def test_what_stops_a_scan(cloud: Subscribed, change: dict[str, object], summary: str, detail: str) -> None:
    with pytest.raises(WorldProblem) as raised:
        look(dataclasses.replace(cloud, **change))
    assert raised.value.summary == summary
    assert detail in raised.value.detail
    assert raised.value.remedy
    assert "another-secret" not in str(raised.value)


def test_another_ca_is_not_enough(cloud: Subscribed, authority: Authority) -> None:
    with pytest.raises(WorldProblem, match="certificate is not trusted"):
        look(dataclasses.replace(cloud, ca_file=authority.ca_file))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["virtualMachines", "Location", "eastus"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "id",
        "name",
        "type",
        "location",
        "tags",
        "metadata",
        "displayName",
        "currentValue",
        "limit",
        "unit",
        "resourceType",
        "capabilities",
        "restrictions",
        "values",
        "reasonCode",
        "family",
        "model",
        "skus",
        "version",
        "value",
        "nameAvailable",
        "regionType",
    ]
)
ROWS = st.dictionaries(KEYS, JSON | st.dictionaries(KEYS, JSON, max_size=4) | st.lists(st.dictionaries(KEYS, JSON, max_size=4), max_size=2))


@settings(deadline=None, max_examples=60)
@given(ROWS, st.lists(ROWS, max_size=3))
def test_no_answer_breaks_it(row: dict[str, object], several: list[dict[str, object]]) -> None:
    seeing_azure.region(row)
    seeing_azure.resource(row)
    seeing_azure.quota(row, "eastus")
    seeing_azure.sku({**row, "resourceType": "virtualMachines"}, "eastus")
    list(seeing_azure.models(several, "eastus"))
    seeing_azure.nearest(several, ["eastus"])
    seeing_azure.is_taken(row)
    seeing_azure.permission(row)
    list(seeing_azure.unregistered(several))
