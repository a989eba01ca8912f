"""The real Azure clients, unmodified, over TLS against one served world."""

from __future__ import annotations

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.resource.deployments import DeploymentsMgmtClient
from azure.mgmt.resource.subscriptions import SubscriptionClient
from azure_site import Site


def test_resource_groups_live_and_die(site: Site) -> None:
    client = site.resources()
    assert not client.resource_groups.check_existence("rg-life")
    made = client.resource_groups.create_or_update("rg-life", {"location": "East US", "tags": {"team": "ml"}})
    assert (made.location, made.properties.provisioning_state) == ("eastus", "Succeeded")
    assert client.resource_groups.check_existence("rg-life")
    assert "rg-life" in {g.name for g in client.resource_groups.list(filter="tagName eq 'team' and tagValue eq 'ml'")}
    assert client.resource_groups.update("rg-life", {"tags": {"team": "data"}}).tags == {"team": "data"}
    client.resource_groups.begin_delete("rg-life", polling_interval=0).result()
    with pytest.raises(ResourceNotFoundError) as refusal:
        client.resource_groups.get("rg-life")
    assert refusal.value.error.code == "ResourceGroupNotFound"


def test_generic_resources_with_long_operations(site: Site) -> None:
    client = site.resources()
    client.resource_groups.create_or_update("rg-generic", {"location": "eastus"})
    id_ = f"/subscriptions/{site.subscription}/resourcegroups/rg-generic/providers/microsoft.network/VirtualNetworks/vnet-a"
    body = {
        "location": "eastus",
        "tags": {"a": "b"},
        "properties": {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}, "unmodelled": {"x": 1}},
    }
    made = client.resources.begin_create_or_update_by_id(id_, body, api_version="2025-01-01", polling_interval=0).result()
    assert made.id == f"/subscriptions/{site.subscription}/resourceGroups/rg-generic/providers/Microsoft.Network/virtualNetworks/vnet-a"
    assert made.properties["provisioningState"] == "Succeeded"
    assert made.properties["unmodelled"] == {"x": 1}
    assert client.resources.check_existence_by_id(id_, api_version="2025-01-01")
    found = list(client.resources.list(filter="tagName eq 'a' and tagValue eq 'b'"))
    assert [r.name for r in found] == ["vnet-a"]
    assert [r.name for r in client.resources.list_by_resource_group("rg-generic")] == ["vnet-a"]
    client.resources.begin_delete_by_id(id_, api_version="2025-01-01", polling_interval=0).result()
    assert not client.resources.check_existence_by_id(id_, api_version="2025-01-01")
    client.resource_groups.begin_delete("rg-generic", polling_interval=0).result()


def test_a_refusal_reaches_the_caller_with_its_code(site: Site) -> None:
    client = site.resources()
    client.resource_groups.create_or_update("rg-refusal", {"location": "eastus"})
    id_ = f"/subscriptions/{site.subscription}/resourceGroups/rg-refusal/providers/Microsoft.Storage/storageAccounts/StCapitals"
    with pytest.raises(HttpResponseError, match="AccountNameInvalid"):
        client.resources.begin_create_or_update_by_id(id_, {"location": "eastus"}, api_version="2025-01-01", polling_interval=0)


def test_a_wrong_secret_is_refused_with_entras_code(site: Site) -> None:
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        site.credential(client_secret="wrong").get_token(f"{site.url}/.default")


def test_subscriptions_and_locations(site: Site) -> None:
    client = site.client(SubscriptionClient)
    assert [(s.display_name, s.state) for s in client.subscriptions.list()] == [("northwind-data", "Enabled")]
    assert client.subscriptions.get(site.subscription).tenant_id == site.part.ready()["tenant_id"]
    places = {p.name: p for p in client.subscriptions.list_locations(site.subscription)}
    assert places["eastus2"].display_name == "East US 2"
    assert [p.name for p in places["eastus"].metadata.paired_region] == ["westus"]
    assert [t.display_name for t in client.tenants.list()] == ["Northwind Analytics"]


def test_quota_and_sizes_through_compute(site: Site) -> None:
    client = site.client(ComputeManagementClient, site.subscription)
    limits = {
        region: {u.name.value: (u.current_value, u.limit) for u in client.usage.list(region)} for region in ("eastus", "westus2", "eastus2")
    }
    assert limits["eastus"]["StandardNCADSA100v4Family"][1] == 24
    assert limits["westus2"]["StandardNCADSA100v4Family"] == (0, 0)
    assert limits["eastus2"]["Standard NCASv3_T4 Family"] == (12, 16)
    skus = {s.name: s for s in client.resource_skus.list(filter="location eq 'westus2'")}
    assert skus["Standard_NC24ads_A100_v4"].family == "StandardNCADSA100v4Family"
    assert [r.reason_code for r in skus["Standard_NC24ads_A100_v4"].restrictions] == ["NotAvailableForSubscription"]
    assert "Standard_NC40ads_H100_v5" not in skus, "H100 is not offered in westus2"
    assert {c.name: c.value for c in skus["Standard_D8s_v5"].capabilities}["vCPUs"] == "8"


def test_providers_and_tags(site: Site) -> None:
    client = site.resources()
    provider = client.providers.get("Microsoft.KeyVault")
    assert (provider.registration_state, provider.resource_types[0].resource_type) == ("Registered", "vaults")
    assert "Microsoft.Databricks" in {p.namespace for p in client.providers.list()}
    assert "team" in {t.tag_name for t in client.tags.list()}
    scope = f"subscriptions/{site.subscription}/resourceGroups/rg-monitoring"
    assert client.tags.get_at_scope(scope).properties.tags == {"team": "platform", "environment": "production"}
    client.tags.begin_update_at_scope(scope, {"operation": "Merge", "properties": {"tags": {"cost": "7"}}}, polling_interval=0).result()
    assert client.resource_groups.get("rg-monitoring").tags["cost"] == "7"
    client.tags.begin_update_at_scope(scope, {"operation": "Delete", "properties": {"tags": {"cost": "7"}}}, polling_interval=0).result()
    assert "cost" not in client.resource_groups.get("rg-monitoring").tags


def test_what_if_through_the_deployments_client(site: Site) -> None:
    client = site.client(DeploymentsMgmtClient, site.subscription, polling_interval=0)
    template = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {"days": {"type": "int", "defaultValue": 30}},
        "resources": [
            {
                "type": "Microsoft.OperationalInsights/workspaces",
                "apiVersion": "2025-07-01",
                "name": "log-northwind",
                "location": "[resourceGroup().location]",
                "properties": {"retentionInDays": "[parameters('days')]"},
            },
            {
                "type": "Microsoft.KeyVault/vaults",
                "apiVersion": "2024-11-01",
                "name": "kv-new",
                "location": "eastus",
                "properties": {},
            },
        ],
    }
    before = set(site.part.cloud.store.resources)
    result = client.deployments.begin_what_if(
        "rg-monitoring",
        "try",
        {"properties": {"mode": "Incremental", "template": template, "parameters": {"days": {"value": 60}}}},
        polling_interval=0,
    ).result()
    assert {(c.resource_id.rsplit("/", 1)[1], c.change_type) for c in result.changes} == {
        ("log-northwind", "Modify"),
        ("kv-new", "Create"),
    }
    delta = next(c for c in result.changes if c.change_type == "Modify").delta
    assert [(d.path, d.before, d.after) for d in delta] == [("properties.retentionInDays", 90, 60)]
    assert set(site.part.cloud.store.resources) == before, "nothing was made"
