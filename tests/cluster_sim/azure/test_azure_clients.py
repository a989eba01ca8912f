"""The real Azure clients, unmodified, over TLS against one served world."""

from __future__ import annotations

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure_site import Site

VAULTS = "2024-11-01"


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
    assert (
        made.id
        == f"/subscriptions/{site.subscription}/resourceGroups/rg-generic/providers/Microsoft.Network/virtualNetworks/vnet-a"
    )
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
