"""The stand-in for Azure/azapi beyond the recorded life: secrets, identities, drift, throttling, failed operations, other resources."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_sim.http import json_answer
from tests.cluster_sim.mirror.harness import Folder, ServedSubscription, in_one_line
from tests.cluster_sim.mirror.small_subscription import SUBSCRIPTION, throttled
from tests.cluster_sim.mirror.workspaces import GROUP, recorded_vault

GROUP_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml"
VAULT_ID = f"{GROUP_ID}/providers/Microsoft.KeyVault/vaults/kv-ml"
VAULT = "azapi_resource.vault"


@pytest.fixture
def make(make_folder: Any, azure: ServedSubscription) -> Any:
    def ready(main: str, **settings: str) -> Folder:
        folder: Folder = make_folder(azure.provider(main), **azure.settings | settings)
        folder.terraform("init")
        return folder

    return ready


def stored(azure: ServedSubscription, resource_id: str = VAULT_ID) -> Any:
    return azure.subscription.resources[resource_id.lower()]


def bodies_sent(azure: ServedSubscription) -> list[Any]:
    return [body for method, path, _, body in azure.subscription.calls if method == "PUT" and path == VAULT_ID]


# --- what is sent and kept -------------------------------------------------------------------------------------------------------


def test_a_secret_is_sent_and_kept_nowhere(make: Any, azure: ServedSubscription) -> None:
    folder = make(GROUP + recorded_vault(more='sensitive_body = { properties = { password = "open-sesame" } }'))
    folder.terraform("plan", "-out=plan")
    folder.terraform("apply", "plan")
    assert bodies_sent(azure)[0]["properties"] == {
        "enableSoftDelete": True,
        "sku": {"family": "A", "name": "standard"},
        "password": "open-sesame",
    }
    assert "open-sesame" not in (folder.path / "terraform.tfstate").read_text()
    folder.terraform("plan", "-detailed-exitcode")


def test_an_identity_is_sent_and_its_principal_found_out(make: Any, azure: ServedSubscription) -> None:
    identity = f'identity {{\n    type = "UserAssigned"\n    identity_ids = ["{GROUP_ID}/providers/x/y/id"]\n  }}'
    folder = make(GROUP + recorded_vault(more=identity))
    folder.terraform("apply", "-auto-approve")
    assert bodies_sent(azure)[0]["identity"] == {
        "type": "UserAssigned",
        "userAssignedIdentities": {f"{GROUP_ID}/providers/x/y/id": {}},
    }
    assert folder.state()[VAULT]["identity"][0]["principal_id"] == "p-1"
    folder.terraform("plan", "-detailed-exitcode")


def test_a_body_may_wait_for_another_resource(make: Any, azure: ServedSubscription) -> None:
    second = """
resource "azapi_resource" "second" {
  type      = "Microsoft.Network/privateEndpoints@2024-05-01"
  parent_id = azapi_resource.group.id
  name      = "pe"
  location  = "eastus2"
  body = {
    properties = {
      uri    = azapi_resource.vault.output.properties.vaultUri
      ratio  = 0.1
      many   = 12345678901234567890
      nobody = null
    }
  }
}
"""
    folder = make(GROUP + recorded_vault() + second)
    folder.terraform("apply", "-auto-approve")
    properties = stored(azure, f"{GROUP_ID}/providers/Microsoft.Network/privateEndpoints/pe")["properties"]
    assert (properties["uri"], properties["ratio"]) == ("https://kv-ml.vault.example/", 0.1)
    assert (properties["many"], properties["nobody"]) == (12345678901234567890, None)
    folder.terraform("plan", "-detailed-exitcode")


def test_headers_and_queries_go_along(make: Any, azure: ServedSubscription) -> None:
    folder = make(GROUP + recorded_vault(more='create_headers = { "x-trace" = "7" }'))
    folder.terraform("apply", "-auto-approve")
    calls = zip(azure.subscription.calls, azure.subscription.headers, strict=True)
    assert [headers.get("x-trace") for (method, path, _, _), headers in calls if method == "PUT" and path == VAULT_ID] == ["7"]


def test_a_change_of_what_is_exported_writes_nothing(make: Any, azure: ServedSubscription) -> None:
    folder = make(GROUP + recorded_vault())
    folder.terraform("apply", "-auto-approve")
    azure.subscription.calls.clear()
    exported = recorded_vault().replace('["properties.vaultUri"]', '{ uri = "properties.vaultUri" }')
    folder.write(azure.provider(GROUP + exported))
    folder.terraform("apply", "-auto-approve")
    assert not bodies_sent(azure)
    assert folder.state()[VAULT]["output"] == {"uri": "https://kv-ml.vault.example/"}


def test_one_login_serves_an_operation(make: Any, azure: ServedSubscription) -> None:
    folder = make(GROUP + recorded_vault())
    folder.terraform("plan", "-out=plan")
    azure.subscription.logins = 0
    folder.terraform("apply", "plan")
    assert azure.subscription.logins == 1


# --- drift -----------------------------------------------------------------------------------------------------------------------


def test_what_was_configured_is_watched_and_what_azure_adds_is_not(make: Any, azure: ServedSubscription) -> None:
    folder = make(GROUP + recorded_vault())
    folder.terraform("apply", "-auto-approve")
    stored(azure)["properties"]["added"] = "by Azure"
    folder.terraform("plan", "-detailed-exitcode")
    stored(azure)["properties"]["sku"]["name"] = "premium"
    changes = folder.planned()
    assert changes[VAULT]["actions"] == ["update"]
    assert changes[VAULT]["before"]["body"]["properties"]["sku"]["name"] == "premium"


def test_a_vanished_resource_is_made_anew(make: Any, azure: ServedSubscription) -> None:
    folder = make(GROUP + recorded_vault())
    folder.terraform("apply", "-auto-approve")
    del azure.subscription.resources[VAULT_ID.lower()]
    changes = folder.planned()
    assert (changes[VAULT]["actions"], changes["azapi_resource.group"]["actions"]) == (["create"], ["no-op"])


# --- what Azure answers ----------------------------------------------------------------------------------------------------------


def test_throttling_is_waited_out(make: Any, azure: ServedSubscription) -> None:
    folder = make(GROUP + recorded_vault())
    azure.subscription.failing[("PUT", "/kv-ml")] = [throttled(), throttled()]
    folder.terraform("apply", "-auto-approve")
    assert len(bodies_sent(azure)) == 3


def test_a_refusal_is_told_as_azcore_tells_it(make: Any, azure: ServedSubscription) -> None:
    refusal = {"error": {"code": "RequestDisallowedByPolicy", "message": "Region eastus2 is not allowed."}}
    azure.subscription.failing[("PUT", "/kv-ml")] = [json_answer(refusal, 403)]
    folder = make(GROUP + recorded_vault())
    said = in_one_line(folder.terraform("apply", "-auto-approve", expect=1))
    assert "Failed to create/update resource" in said
    assert f'creating/updating Resource: (ResourceId "{VAULT_ID}" / Api Version "2024-11-01")' in said
    assert "RESPONSE 403: 403 Forbidden ERROR CODE: RequestDisallowedByPolicy" in said
    assert "Region eastus2 is not allowed." in said
    assert set(folder.state()) == {"azapi_resource.group"}


def test_a_deployment_that_failed_half_way_is_remembered(make: Any, azure: ServedSubscription) -> None:
    azure.subscription.operation = {"status": "Failed", "error": {"code": "QuotaExceeded", "message": "No cores left."}}
    folder = make(GROUP + recorded_vault())
    said = in_one_line(folder.terraform("apply", "-auto-approve", expect=1))
    assert "QuotaExceeded" in said
    assert folder.state()[VAULT]["tainted"]
    azure.subscription.operation = {"status": "Succeeded"}
    folder.terraform("apply", "-auto-approve")
    assert not folder.state()[VAULT]["tainted"]


def test_errors_the_operator_expects_are_tried_again(make: Any, azure: ServedSubscription) -> None:
    wait = {"error": {"code": "PrincipalNotFound", "message": "Principal does not exist yet."}}
    azure.subscription.failing[("PUT", "/kv-ml")] = [json_answer(wait, 400)]
    retry = 'retry = {\n    error_message_regex = ["PrincipalNotFound"]\n    interval_seconds = 1\n  }'
    folder = make(GROUP + recorded_vault(more=retry))
    folder.terraform("apply", "-auto-approve")
    assert len(bodies_sent(azure)) == 2
    folder.terraform("plan", "-detailed-exitcode")


def test_what_exists_already_is_to_be_imported(make: Any, azure: ServedSubscription) -> None:
    folder = make(GROUP + recorded_vault())
    folder.terraform("apply", "-auto-approve")
    other = make(GROUP + recorded_vault())
    assert "already exists - to be managed via Terraform" in in_one_line(other.terraform("apply", "-auto-approve", expect=1))
    other.terraform("import", "azapi_resource.group", f"{GROUP_ID}?api-version=2024-11-01")
    other.terraform("import", VAULT, f"{VAULT_ID}?api-version=2024-11-01")
    assert other.state()[VAULT]["parent_id"] == GROUP_ID
    assert all(change["actions"] in (["no-op"], ["update"]) for change in other.planned().values())
    wrong = make(GROUP + recorded_vault())
    assert "by its ID and API version" in in_one_line(wrong.terraform("import", VAULT, VAULT_ID, expect=1))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"ARM_CLIENT_SECRET": "wrong"}, "AADSTS7000215: Invalid client secret provided."),
        ({"ARM_CLIENT_SECRET": ""}, "The login to Azure is incomplete: ARM_CLIENT_SECRET is not set."),
    ],
)
def test_a_login_that_fails_is_told(make: Any, settings: dict[str, str], sentence: str) -> None:
    folder = make(GROUP, **settings)
    assert sentence in in_one_line(folder.terraform("apply", "-auto-approve", expect=1))


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("  endpoint = [{", '  default_location = "eastus2"\n  endpoint = [{', "does not simulate `default_location`"),
        (
            "Microsoft.Resources/resourceGroups@2024-11-01",
            "Microsoft.Resources/resourceGroups",
            "of the form Namespace/type@api-version",
        ),
    ],
)
def test_what_cannot_be_stood_in_for_is_told(
    make_folder: Any, azure: ServedSubscription, before: str, after: str, sentence: str
) -> None:
    folder = make_folder(azure.provider(GROUP).replace(before, after), **azure.settings)
    folder.terraform("init")
    assert sentence in in_one_line(folder.terraform("plan", expect=1))


def test_the_public_azure_is_never_asked(make_folder: Any, azure: ServedSubscription) -> None:
    main = azure.provider(GROUP)
    start = main.index("  endpoint = [{")
    folder = make_folder(main[:start] + main[main.index("}]", start) + 2 :], **azure.settings)
    folder.terraform("init")
    assert "works on simulated worlds only" in in_one_line(folder.terraform("plan", expect=1))


# --- the other resources and the data sources ------------------------------------------------------------------------------------

OTHERS = """
resource "azapi_update_resource" "patch" {
  type        = "Microsoft.KeyVault/vaults@2024-11-01"
  resource_id = azapi_resource.vault.id
  body        = { properties = { publicNetworkAccess = "Disabled" } }
}
resource "azapi_resource_action" "keys" {
  type                   = "Microsoft.KeyVault/vaults@2024-11-01"
  resource_id            = azapi_resource.vault.id
  action                 = "listKeys"
  response_export_values = { first = "keys[0].value" }
}
data "azapi_resource" "vault" {
  type                   = "Microsoft.KeyVault/vaults@2024-11-01"
  parent_id              = azapi_resource.group.id
  name                   = azapi_resource.vault.name
  response_export_values = ["properties.sku"]
}
data "azapi_resource" "none" {
  type             = "Microsoft.KeyVault/vaults@2024-11-01"
  resource_id      = "${azapi_resource.vault.id}-none"
  ignore_not_found = true
}
data "azapi_resource_list" "vaults" {
  type                   = "Microsoft.KeyVault/vaults@2024-11-01"
  parent_id              = azapi_resource.group.id
  response_export_values = { names = "value[*].name" }
  depends_on             = [azapi_resource.vault]
}
data "azapi_resource_id" "vault" {
  type        = "Microsoft.KeyVault/vaults@2024-11-01"
  resource_id = azapi_resource.vault.id
}
data "azapi_resource_action" "keys" {
  type                             = "Microsoft.KeyVault/vaults@2024-11-01"
  resource_id                      = azapi_resource.vault.id
  action                           = "listKeys"
  sensitive_response_export_values = ["keys"]
}
data "azapi_client_config" "me" {}
output "seen" {
  value = {
    action = azapi_resource_action.keys.output.first
    sku    = data.azapi_resource.vault.output.properties.sku.name
    none   = data.azapi_resource.none.exists
    names  = data.azapi_resource_list.vaults.output.names
    group  = data.azapi_resource_id.vault.resource_group_name
    me     = data.azapi_client_config.me.subscription_resource_id
    patch  = azapi_update_resource.patch.id
  }
}
output "keys" {
  value     = data.azapi_resource_action.keys.sensitive_output
  sensitive = true
}
"""


def test_the_other_resources_and_the_data_sources(make: Any, azure: ServedSubscription) -> None:
    folder = make(GROUP + recorded_vault() + OTHERS)
    folder.terraform("apply", "-auto-approve")
    assert stored(azure)["properties"]["publicNetworkAccess"] == "Disabled"
    assert stored(azure)["properties"]["sku"]["name"] == "standard", "a patch leaves the rest as it was"
    outputs = folder.json("output", "-json")
    assert outputs["seen"]["value"] == {
        "action": "k1",
        "sku": "standard",
        "none": False,
        "names": ["kv-ml"],
        "group": "rg-ml",
        "me": f"/subscriptions/{SUBSCRIPTION}",
        "patch": VAULT_ID,
    }
    assert outputs["keys"]["value"] == {"keys": [{"value": "k1"}]}
    folder.terraform("plan", "-detailed-exitcode")
    folder.terraform("destroy", "-auto-approve")
    assert not azure.subscription.resources
