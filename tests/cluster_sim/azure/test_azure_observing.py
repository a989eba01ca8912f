"""What is looked up about things that exist: metrics, categories, activity log, groups of the directory; and one more type, Event Hubs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure_site import Direct, direct, section

ACCOUNT = "{sub}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/stlook"
HUBS = "{sub}/resourceGroups/rg/providers/Microsoft.EventHub/namespaces/evhns-look"


def named(answer: Any) -> list[str]:
    return [one["name"]["value"] if isinstance(one["name"], dict) else one["name"] for one in answer["value"]]


@pytest.fixture
def looked(azure: Direct) -> Direct:
    azure.make(ACCOUNT, location="eastus", kind="StorageV2", sku={"name": "Standard_LRS"})
    return azure


def test_metrics_are_those_that_azure_defines_and_have_no_point(looked: Direct) -> None:
    at = f"{ACCOUNT}/providers/Microsoft.Insights"
    assert "UsedCapacity" in named(looked.json("GET", f"{at}/metricDefinitions"))
    found = looked.json("GET", f"{at}/metrics", metricnames="usedcapacity,Ingress")
    assert named(found) == ["UsedCapacity", "Ingress"] and [one["timeseries"] for one in found["value"]] == [[], []]
    assert looked.ask("GET", f"{at}/metrics", metricnames="Percentage CPU").status == 400
    assert looked.ask("GET", f"{at.replace('stlook', 'stnone')}/metrics").status == 404


def test_categories_are_those_that_a_setting_takes(looked: Direct) -> None:
    found = looked.json("GET", f"{ACCOUNT}/blobServices/default/providers/Microsoft.Insights/diagnosticSettingsCategories")
    assert {one["name"]: one["properties"]["categoryType"] for one in found["value"]} == {
        **dict.fromkeys(("Transaction", "Capacity"), "Metrics"),
        **dict.fromkeys(("StorageRead", "StorageWrite", "StorageDelete"), "Logs"),
    }
    assert looked.ask("GET", "{sub}/resourceGroups/rg/providers/Microsoft.Insights/diagnosticSettingsCategories").status == 400


def test_the_activity_log_has_what_was_written_and_what_was_refused(looked: Direct) -> None:
    looked.ask("PUT", ACCOUNT.replace("stlook", "StLook"), {"location": "eastus"})
    looked.ask("DELETE", ACCOUNT)
    assert looked.ask("PUT", ACCOUNT, {"location": "eastus"}, token="").status == 401, "of whom nobody knows nothing is told"
    at = "{sub}/providers/Microsoft.Insights/eventtypes/management/values"
    when = "eventTimestamp ge '1970-01-01T00:00:00Z'"
    found = looked.json("GET", at, **{"$filter": f"{when} and resourceGroupName eq 'RG'"})["value"]
    type_ = "Microsoft.Storage/storageAccounts"
    rows = [(one["operationName"]["value"].removeprefix(f"{type_}/"), one["status"]["value"], one["subStatus"]["value"]) for one in found]
    assert rows[:3] == [("delete", "Succeeded", "200"), ("write", "Failed", "400"), ("write", "Accepted", "202")], "the newest first"
    assert looked.json("GET", at, **{"$filter": f"{when} and resourceGroupName eq 'another'"})["value"] == []
    assert looked.ask("GET", at).status == 400, "a beginning must be given"
    assert looked.ask("GET", at, **{"$filter": f"{when} and levels eq 'Error'"}).status == 400


@pytest.mark.parametrize(
    ("path", "query", "found"),
    [
        ("groups", {}, ["ml-team", "platform-team"]),
        ("groups", {"$filter": "displayName eq 'ML-team'"}, ["ml-team"]),
        ("groups", {"$filter": "startswith(displayName,'plat')"}, ["platform-team"]),
        ("groups", {"$filter": "displayName eq 'nobody'"}, []),
        ("servicePrincipals", {"$filter": "appId eq '4c1d7e52-90ab-4b1f-8f2d-6a3e5b7c9d01'"}, ["Northwind Analytics automation"]),
    ],
)
def test_the_directory_is_looked_up_by_name(azure: Direct, path: str, query: dict[str, str], found: list[str]) -> None:
    assert [one["displayName"] for one in azure.json("GET", f"/v1.0/{path}", version=None, **query)["value"]] == found


def test_who_has_no_role_in_the_directory_sees_nobody_there() -> None:
    world = section()
    del world["tenant"]["directory_role"]
    for method, path in (("GET", "groups"), ("GET", "servicePrincipals"), ("POST", "directoryObjects/getByIds")):
        refused = direct(world).ask(method, f"/v1.0/{path}", {"ids": []} if method == "POST" else None, version=None)
        assert (refused.status, json.loads(refused.body)["error"]["code"]) == (403, "Authorization_RequestDenied")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1.0/groups/0b6f2c11-3d4e-4a5f-8b6c-7d8e9f0a1b2c", 200),
        ("GET", "/v1.0/groups/00000000-0000-0000-0000-000000000000", 404),
        ("POST", "/v1.0/groups", 403),
        ("GET", "/v1.0/users", 501),
    ],
)
def test_the_directory_is_read_and_not_written(azure: Direct, method: str, path: str, status: int) -> None:
    assert azure.ask(method, path, {} if method == "POST" else None, version=None).status == status
    assert azure.ask(method, path, version=None, token="").status == 401


def hub(tier: str, azure: Direct) -> Direct:
    azure.make(HUBS, location="eastus", sku={"name": tier})
    return azure


def test_one_more_type_is_event_hubs(azure: Direct) -> None:
    hub("Standard", azure)
    azure.make(f"{HUBS}/eventhubs/orders", properties={"partitionCount": 8})
    shown = azure.json("GET", f"{HUBS}/eventhubs/orders")["properties"]
    assert shown["partitionIds"] == [str(n) for n in range(8)] and shown["retentionDescription"]["retentionTimeInHours"] == 168
    assert named(azure.json("GET", f"{HUBS}/eventhubs/orders/consumergroups")) == ["$Default"]
    azure.make(f"{HUBS}/eventhubs/orders/consumergroups/spark")
    keys = azure.json("POST", f"{HUBS}/authorizationRules/RootManageSharedAccessKey/listKeys")
    assert keys["primaryConnectionString"].startswith("Endpoint=sb://evhns-look.servicebus.windows.net/;")
    assert azure.json("GET", HUBS)["properties"]["serviceBusEndpoint"] == "https://evhns-look.servicebus.windows.net:443/"
    assert "IncomingMessages" in named(azure.json("GET", f"{HUBS}/providers/Microsoft.Insights/metricDefinitions"))
    assert azure.ask("DELETE", HUBS).status in (200, 202)
    assert azure.ask("GET", f"{HUBS}/eventhubs/orders").status == 404


@pytest.mark.parametrize(
    ("tier", "path", "body", "status"),
    [
        ("Standard", "/eventhubs/h", {"partitionCount": 33}, 400),
        ("Premium", "/eventhubs/h", {"partitionCount": 33}, 200),
        ("Basic", "/eventhubs/h", {"retentionDescription": {"cleanupPolicy": "Delete", "retentionTimeInHours": 48}}, 400),
        ("Standard", "/eventhubs/h", {"retentionDescription": {"cleanupPolicy": "Delete", "retentionTimeInHours": 48}}, 200),
        ("Standard", "/eventhubs/none/consumergroups/g", {}, 404),
        ("Standard", "/eventhubs/-h", {}, 400),
        ("Standard", f"/eventhubs/{'h' * 257}", {}, 400),
    ],
)
def test_a_tier_allows_what_it_allows(azure: Direct, tier: str, path: str, body: dict[str, Any], status: int) -> None:
    hub(tier, azure)
    assert azure.ask("PUT", HUBS + path, {"properties": body}).status == status


@pytest.mark.parametrize(
    ("sku", "properties", "status"),
    [
        ({"name": "Standard", "capacity": 40}, {}, 201),
        ({"name": "Standard", "capacity": 41}, {}, 400),
        ({"name": "Standard", "capacity": 0}, {}, 400),
        ({"name": "Standard", "capacity": "2"}, {}, 400),
        ({"name": "Standard", "tier": "Premium"}, {}, 400),
        ({"name": "Premium", "capacity": 4}, {}, 201),
        ({"name": "Premium", "capacity": 3}, {}, 400),
        ({"name": "Standard"}, {"isAutoInflateEnabled": True, "maximumThroughputUnits": 10}, 201),
        ({"name": "Standard"}, {"isAutoInflateEnabled": True, "maximumThroughputUnits": 41}, 400),
        ({"name": "Standard", "capacity": 5}, {"isAutoInflateEnabled": True, "maximumThroughputUnits": 4}, 400),
        ({"name": "Standard"}, {"maximumThroughputUnits": 10}, 400),
        ({"name": "Basic"}, {"isAutoInflateEnabled": True, "maximumThroughputUnits": 10}, 400),
    ],
)
def test_a_namespace_has_units_that_its_tier_has(azure: Direct, sku: dict[str, Any], properties: dict[str, Any], status: int) -> None:
    assert azure.ask("PUT", HUBS, {"location": "eastus", "sku": sku, "properties": properties}).status == status


def test_a_namespace_has_so_many_hubs_and_each_its_default_group(azure: Direct) -> None:
    hub("Basic", azure)
    for number in range(10):
        azure.make(f"{HUBS}/eventhubs/h{number}")
    assert azure.ask("PUT", f"{HUBS}/eventhubs/h10", {}).status == 403
    assert azure.ask("DELETE", f"{HUBS}/eventhubs/h0/consumergroups/$Default").status == 400
    assert azure.ask("PUT", HUBS, {"location": "eastus", "sku": {"name": "Standard"}}).status == 200
    assert azure.ask("PUT", HUBS, {"location": "eastus", "sku": {"name": "Premium"}}).status == 400


def test_a_basic_hub_has_one_consumer_group_and_partitions_stay(azure: Direct) -> None:
    hub("Basic", azure)
    azure.make(f"{HUBS}/eventhubs/h", properties={"partitionCount": 2})
    assert azure.ask("PUT", f"{HUBS}/eventhubs/h/consumergroups/g", {}).status == 403
    assert azure.ask("PUT", f"{HUBS}/eventhubs/h", {"properties": {"partitionCount": 4}}).status == 400
    assert azure.ask("PUT", HUBS.replace("evhns-look", "x"), {"location": "eastus", "sku": {"name": "Basic"}}).status == 400
    assert azure.ask("PUT", HUBS.replace("look", "sku"), {"location": "eastus", "sku": {"name": "Gold"}}).status == 400


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("{sub}/providers/Microsoft.Network/locations/eastus/usages", 6),
        ("{sub}/providers/Microsoft.KeyVault/deletedManagedHSMs", 0),
        ("{sub}/providers/Microsoft.Resources/deployments", 0),
        ("{sub}/resourceGroups/rg/providers/Microsoft.Resources/deployments", 0),
        ("{sub}/providers/Microsoft.DBforPostgreSQL/locations/eastus/capabilities", 1),
    ],
)
def test_lists_that_operators_clients_ask_for(azure: Direct, path: str, count: int) -> None:
    assert len(azure.json("GET", path)["value"]) == count


def test_postgresql_offers_what_it_takes(azure: Direct) -> None:
    [found] = azure.json("GET", "{sub}/providers/Microsoft.DBforPostgreSQL/locations/eastus/capabilities")["value"]
    tiers = {one["name"]: [sku["name"] for sku in one["supportedServerSkus"]] for one in found["supportedServerEditions"]}
    assert (
        "Standard_D2ds_v5" in tiers["GeneralPurpose"]
        and "Standard_B1ms" in tiers["Burstable"]
        and "Standard_E2ds_v5" in tiers["MemoryOptimized"]
    )
    assert [one["name"] for one in found["supportedServerVersions"]][-1] == "18"


QUERY = {
    "type": "ActualCost",
    "timeframe": "MonthToDate",
    "dataset": {
        "granularity": "None",
        "aggregation": {"totalCost": {"name": "Cost", "function": "Sum"}},
        "grouping": [{"type": "Dimension", "name": "ResourceGroupName"}],
    },
}


def test_cost_management_tells_what_the_groups_cost_this_month(azure: Direct) -> None:
    at = "{sub}/providers/Microsoft.CostManagement/query"
    found = azure.json("POST", at, QUERY)["properties"]
    assert [one["name"] for one in found["columns"]] == ["Cost", "ResourceGroupName", "Currency"]
    costs = {group: cost for cost, group, _ in found["rows"]}
    assert costs.keys() == {"rg-network-hub", "rg-monitoring", "rg-analytics-old"} and "rg" not in costs, "what is made here costs nothing"
    assert costs["rg-network-hub"] / costs["rg-monitoring"] == pytest.approx(3.25 / 1.5, rel=1e-3)
    whole = azure.json("POST", at, {**QUERY, "dataset": {**QUERY["dataset"], "grouping": []}})["properties"]["rows"]
    assert whole == [[pytest.approx(sum(costs.values()), abs=0.001), "USD"]]
    assert azure.ask("POST", at, {**QUERY, "type": "Wishes"}).status == 400
    assert azure.ask("POST", at, {**QUERY, "timeframe": "TheLastMonth"}).status == 501
