"""The stand-in for Azure/azapi holds bodies against the facts of Azure's types at plan, and sends and keeps what the released one does."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_sim.mirror.azapi import validating
from cluster_sim.mirror.values import UNKNOWN, Dynamic, dynamic
from tests.cluster_sim.mirror.harness import ServedSubscription
from tests.cluster_sim.mirror.short_terraform import ShortTerraform, Told
from tests.cluster_sim.mirror.workspaces import GROUP_ID, VAULT_ID, vault

STORAGE = ("Microsoft.Storage/storageAccounts", "2025-01-01")
CLUSTER = ("Microsoft.ContainerService/managedClusters", "2025-05-01")
ALERT = ("Microsoft.Insights/metricAlerts", "2018-03-01")
BUDGET = ("Microsoft.Consumption/budgets", "2024-08-01")


def storage(**properties: Any) -> dict[str, Any]:
    return {"name": "stx", "location": "eastus", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": properties}


def cluster(**properties: Any) -> dict[str, Any]:
    return {"name": "aks", "location": "eastus", "properties": properties}


def alert(**criterion: Any) -> dict[str, Any]:
    right = {"criterionType": "StaticThresholdCriterion", "name": "x", "metricName": "x", "operator": "LessThan", "threshold": 99.5}
    all_of = [{"timeAggregation": "Average", **right, **criterion}]
    criteria = {"odata.type": "Microsoft.Azure.Monitor.MultipleResourceMultipleMetricCriteria", "allOf": all_of}
    about = {"enabled": True, "severity": 1, "evaluationFrequency": "PT5M", "windowSize": "PT5M", "scopes": ["/x"], "criteria": criteria}
    return {"name": "a", "location": "global", "properties": about}


@pytest.mark.parametrize(
    ("of", "body", "told"),
    [
        (STORAGE, storage(isHnsEnabled=True, minimumTlsVersion="TLS1_2"), []),
        (STORAGE, storage(isHnsEnabledd=True), ["`properties.isHnsEnabledd` is not expected here. Do you mean `properties.isHnsEnabled`?"]),
        (STORAGE, storage(provisioningState="Succeeded"), ["`properties.provisioningState` is not expected here."]),
        (STORAGE, {**storage(), "id": "/x"}, ["`id` is read only, please remove it"]),
        (STORAGE, {"name": "stx", "location": "eastus"}, ["`kind` is required", "`sku` is required"]),
        (STORAGE, storage(isHnsEnabled="true"), ["`properties.isHnsEnabled` is invalid, expect `boolean`"]),
        (STORAGE, storage(isHnsEnabled=UNKNOWN, networkAcls=UNKNOWN), []),
        (CLUSTER, cluster(agentPoolProfiles=[{"name": "Wrong", "vmSize": "x"}]), ["`properties.agentPoolProfiles.0.name` is invalid"]),
        (CLUSTER, cluster(agentPoolProfiles=[{"name": "right", "vmSiz": "x"}]), ["`properties.agentPoolProfiles.0.vmSiz` is not expected"]),
        (CLUSTER, cluster(addonProfiles={"any": {"enabled": True}}), []),
        (
            CLUSTER,
            cluster(addonProfiles={"any": {"enable": True}}),
            ["`properties.addonProfiles.any.enable` is not", "any.enabled` is required"],
        ),
        (ALERT, alert(), []),
        (ALERT, alert(threshold="99"), ["`properties.criteria.allOf.0.threshold` is invalid, expect `integer`"]),
        (ALERT, alert(criterionType="Guess"), ["`properties.criteria.allOf.0.criterionType`'s value `Guess` is invalid"]),
        (
            BUDGET,
            {"name": "b", "properties": {"amount": 1, "category": "Cost", "timePeriod": {}}},
            ["`properties.timeGrain` is", "startDate"],
        ),
        (("Microsoft.Nobody/knows", "2025-01-01"), {"properties": {"what": "ever"}}, []),
    ],
)
def test_a_body_is_held_against_the_facts_of_its_type(of: tuple[str, str], body: Any, told: list[str]) -> None:
    found = validating.faults(*of, body)
    assert len(found) == len(told) and all(any(part in fault for fault in found) for part in told), found


@pytest.mark.parametrize(
    ("version", "is_right"), [("2025-01-01", True), ("2025-13-01", False), ("2021-05-01-preview", True), ("2019-01-01", False)]
)
def test_a_version_that_a_type_does_not_have_is_refused(version: str, is_right: bool) -> None:
    assert (validating.version_fault(STORAGE[0], version) == "") is is_right


def test_what_is_wrong_is_told_before_anything_is_asked(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    config = vault(schema_validation_enabled=None)
    with pytest.raises(Told, match="tenantId` is required"):
        azapi.validate("azapi_resource", config)
    with pytest.raises(Told, match="api-version `2025-13-01` is invalid"):
        azapi.validate("azapi_resource", config | {"type": "Microsoft.KeyVault/vaults@2025-13-01"})
    azapi.validate("azapi_resource", vault())
    assert not azure.subscription.calls


def test_a_part_of_a_resource_is_written_without_what_only_azure_writes(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    azapi.apply("azapi_resource", vault())
    azure.subscription.calls.clear()
    part = {"type": "Microsoft.KeyVault/vaults@2024-11-01", "resource_id": VAULT_ID, "body": {"properties": {"enableSoftDelete": False}}}
    azapi.apply("azapi_update_resource", part)
    sent = next(body for method, _, _, body in azure.subscription.calls if method == "PUT")
    assert set(sent) == {"name", "location", "properties"}
    assert sent["properties"] == {
        "provisioningState": "Succeeded",
        "enableSoftDelete": False,
        "sku": {"family": "A", "name": "standard"},
        "vaultUri": "https://kv-ml.vault.example/",
    }


def test_the_output_is_what_only_azure_writes_unless_that_is_switched_off(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    state = azapi.apply("azapi_resource", vault(response_export_values=None))
    assert state["output"] == dynamic({"id": VAULT_ID})
    quiet = ShortTerraform(azapi.provider, azure.configuration | {"disable_default_output": True})
    assert (quiet.read("azapi_resource", state) or {})["output"] == dynamic({})


def test_location_and_tags_are_open_while_the_parent_is(azapi: ShortTerraform) -> None:
    config = {
        "type": "Microsoft.Authorization/roleAssignments@2022-04-01",
        "name": "x",
        "parent_id": UNKNOWN,
        "body": Dynamic("dynamic", UNKNOWN),
    }
    planned = azapi.plan("azapi_resource", config).values
    assert planned["location"] is UNKNOWN and planned["tags"] is UNKNOWN
    known = azapi.plan("azapi_resource", config | {"parent_id": GROUP_ID}).values
    assert known["location"] is None and known["tags"] is None


def test_an_action_for_the_end_has_not_happened_yet(azapi: ShortTerraform) -> None:
    action = {"type": "Microsoft.KeyVault/vaults@2024-11-01", "resource_id": VAULT_ID, "action": "purge", "when": "destroy"}
    assert azapi.apply("azapi_resource_action", action)["exist"] is None


def test_every_call_says_who_asks_and_what_belongs_together(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    azapi.apply("azapi_resource", vault())
    heads = azure.subscription.headers
    assert all("terraform-provider-azapi/2.12.0+sim" in head["user-agent"] for head in heads)
    assert len({head["x-ms-correlation-request-id"] for head in heads}) == 1
