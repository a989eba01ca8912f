"""Azure does not answer what it was sent: the casing of ids, the life of models, who may do what."""

from __future__ import annotations

from typing import Any

import pytest
from azure_site import Direct, direct, section

GROUP = "{sub}/resourceGroups/rg"


@pytest.fixture
def watched(azure: Direct) -> Direct:
    """A workspace for logs, a network, and a vault that lets its subnet in."""
    azure.make(f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/log-Main", location="eastus", properties={})
    subnets = [{"name": "snet-A", "properties": {"addressPrefix": "10.9.0.0/25", "serviceEndpoints": [{"service": "Microsoft.KeyVault"}]}}]
    space = {"addressSpace": {"addressPrefixes": ["10.9.0.0/24"]}, "subnets": subnets}
    azure.make(f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-Main", location="eastus", properties=space)
    rule = {"id": f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-Main/subnets/snet-A"}
    properties = {
        "tenantId": azure.part.cloud.world.tenant.id,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
        "networkAcls": {"defaultAction": "Deny", "bypass": "AzureServices", "virtualNetworkRules": [rule]},
    }
    azure.make(f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-Main", location="eastus", properties=properties)
    return azure


def test_a_vault_answers_ids_of_subnets_in_small_letters(watched: Direct) -> None:
    rules = watched.json("GET", f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-Main")["properties"]["networkAcls"]["virtualNetworkRules"]
    assert [rule["id"].rpartition("/providers/")[2] for rule in rules] == ["microsoft.network/virtualnetworks/vnet-main/subnets/snet-a"]


def test_a_diagnostic_setting_answers_its_workspace_in_small_letters(watched: Direct) -> None:
    path = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-Main/providers/Microsoft.Insights/diagnosticSettings/to-logs"
    sent = f"/subscriptions/{watched.subscription}/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/log-Main"
    watched.make(path, properties={"workspaceId": sent, "logs": [{"category": "AuditEvent", "enabled": True}]})
    assert watched.json("GET", path)["properties"]["workspaceId"] == sent.lower()


def test_an_alert_answers_its_scopes_and_the_names_of_its_tags_in_small_letters(watched: Direct) -> None:
    path = f"{GROUP}/providers/Microsoft.Insights/metricAlerts/away"
    scope = f"/subscriptions/{watched.subscription}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-Main"
    properties = {"severity": 1, "criteria": {"odata.type": "x"}, "scopes": [scope]}
    watched.make(path, location="global", tags={"CostCentre": "A4711"}, properties=properties)
    shown = watched.json("GET", path)
    assert (shown["tags"], shown["properties"]["scopes"]) == ({"costcentre": "A4711"}, [scope.lower()])


def test_models_are_listed_with_their_stage_and_their_end(azure: Direct) -> None:
    rows = azure.json("GET", "{sub}/providers/Microsoft.CognitiveServices/locations/eastus/models")["value"]
    found = {row["model"]["name"]: row["model"] for row in rows}
    assert {name: model["lifecycleStatus"] for name, model in found.items() if name in ("gpt-4.1", "gpt-5-mini", "gpt-5.4")} == {
        "gpt-4.1": "Deprecated",
        "gpt-5-mini": "Deprecating",
        "gpt-5.4": "GenerallyAvailable",
    }
    assert {sku["deprecationDate"] for sku in found["gpt-5.4"]["skus"]} == {found["gpt-5.4"]["deprecation"]["inference"]}


@pytest.mark.parametrize(
    ("model", "capacity", "code"),
    [
        (("gpt-4.1", "2025-04-14"), 10, "ServiceModelDeprecated"),
        (("gpt-5-mini", "2025-08-07"), 10, "ServiceModelDeprecating"),
        (("gpt-5.4", "2026-03-05"), 10, ""),
        (("gpt-5.4", "2026-03-05"), "10", ""),
        (("gpt-5.4", "2026-03-05"), "ten", "InvalidCapacity"),
    ],
)
def test_which_deployments_are_taken(azure: Direct, model: tuple[str, str], capacity: object, code: str) -> None:
    account = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/oai-main"
    azure.make(account, location="eastus", kind="OpenAI", sku={"name": "S0"}, properties={"customSubDomainName": "oai-main"})
    azure.clock.advance(600)
    body = {
        "sku": {"name": "GlobalStandard", "capacity": capacity},
        "properties": {"model": {"format": "OpenAI", "name": model[0], "version": model[1]}},
    }
    answer = azure.json("PUT", f"{account}/deployments/chat", body)
    assert answer.get("error", {}).get("code", "") == code


@pytest.mark.parametrize(("role", "assigns"), [("Owner", True), ("Contributor", False), ("Reader", False)])
def test_the_login_sees_its_role_and_what_it_allows(role: str, assigns: bool) -> None:
    world = section()
    world["subscriptions"][0]["role"] = role
    azure = direct(world)
    tenant = azure.part.cloud.world.tenant
    rows = azure.json(
        "GET", "{sub}/providers/Microsoft.Authorization/roleAssignments", **{"$filter": f"principalId eq '{tenant.object_id}'"}
    )
    defined = rows["value"][0]["properties"]["roleDefinitionId"].rpartition("/")[2]
    assert azure.json("GET", f"{{sub}}/providers/Microsoft.Authorization/roleDefinitions/{defined}")["properties"]["roleName"] == role
    allowed = azure.json("GET", "{sub}/providers/Microsoft.Authorization/permissions")["value"]
    assert ("Microsoft.Authorization/*/Write" not in allowed[0]["notActions"] and "*" in allowed[0]["actions"]) is assigns


def test_a_peering_is_connected_when_both_sides_are_there_and_refused_when_ranges_meet(azure: Direct) -> None:
    def peer(one: str, other: str) -> Any:
        remote = f"/subscriptions/{azure.subscription}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/{other}"
        path = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/{one}/virtualNetworkPeerings/to-{other}"
        answer = azure.json("PUT", path, {"properties": {"remoteVirtualNetwork": {"id": remote}}})
        azure.clock.advance(600)
        return answer.get("error", {}).get("code") or azure.json("GET", path)["properties"]["peeringState"]

    for name, space in (("va", "10.9.0.0/24"), ("vb", "10.9.1.0/24"), ("vc", "10.9.1.128/25")):
        path = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/{name}"
        azure.make(path, location="eastus", properties={"addressSpace": {"addressPrefixes": [space]}})
    azure.clock.advance(600)
    assert [peer("va", "vb"), peer("vb", "va"), peer("vb", "vc"), peer("va", "vz")] == [
        "Initiated",
        "Connected",
        "VnetAddressSpacesOverlap",
        "InvalidResourceReference",
    ]


def test_what_is_made_is_answered_by_a_status_that_the_sdk_takes(azure: Direct) -> None:
    account = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stanswers"
    azure.make(account, location="eastus", kind="StorageV2", sku={"name": "Standard_LRS"}, properties={})
    azure.clock.advance(600)
    disk = {"location": "eastus", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}}
    made = [
        azure.ask("PUT", f"{account}/queueServices/default/queues/work", {"properties": {}}),
        azure.ask("PUT", f"{account}/tableServices/default/tables/work", {"properties": {}}),
        azure.ask("PUT", f"{GROUP}/providers/Microsoft.Compute/disks/disk-one", disk),
    ]
    assert [one.status for one in made] == [200, 200, 202]
    assert azure.json("GET", "{sub}/providers/Microsoft.Consumption/usageDetails", version="2024-08-01") == {"value": []}
