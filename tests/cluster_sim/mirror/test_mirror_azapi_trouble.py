"""The stand-in for Azure/azapi beyond the recorded life: secrets, drift, throttling, failed operations, other resources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster_sim.http import json_answer
from cluster_sim.mirror.values import UNKNOWN, Dynamic, dynamic
from tests.cluster_sim.mirror.harness import ServedSubscription, in_one_line
from tests.cluster_sim.mirror.short_terraform import ShortTerraform, Told
from tests.cluster_sim.mirror.small_subscription import SUBSCRIPTION, throttled
from tests.cluster_sim.mirror.workspaces import GROUP, GROUP_ID, VAULT_ID, recorded_vault, vault

RESOURCE = "azapi_resource"
GROUP_CONFIG = {"type": "Microsoft.Resources/resourceGroups@2024-11-01", "name": "rg-ml", "location": "eastus2"}


def stored(azure: ServedSubscription, resource_id: str = VAULT_ID) -> Any:
    return azure.subscription.resources[resource_id.lower()]


def bodies_sent(azure: ServedSubscription) -> list[Any]:
    return [body for method, path, _, body in azure.subscription.calls if method == "PUT" and path == VAULT_ID]


# --- what is sent and kept --------------------------------------------------------------------------------------------


def test_an_identity_is_sent_and_its_principal_found_out(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    one = f"{GROUP_ID}/providers/x/y/id"
    config = vault(identity=[{"type": "UserAssigned", "identity_ids": [one]}])
    state = azapi.apply(RESOURCE, config)
    assert bodies_sent(azure)[0]["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {one: {}}}
    assert state["identity"][0]["principal_id"] == "p-1"
    assert azapi.changes(RESOURCE, config, state) == set()
    other = vault(identity=[{"type": "SystemAssigned"}])
    assert azapi.plan(RESOURCE, other, state).values["identity"][0]["principal_id"] is UNKNOWN
    assert azapi.apply(RESOURCE, other, state)["identity"][0]["type"] == "SystemAssigned"


def test_numbers_and_nulls_arrive_as_written(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    config = vault(body={"properties": {"ratio": 0.1, "many": 12345678901234567890, "nobody": None}})
    state = azapi.apply(RESOURCE, config)
    assert bodies_sent(azure)[0]["properties"] == {"ratio": 0.1, "many": 12345678901234567890, "nobody": None}
    assert azapi.changes(RESOURCE, config, state) == set()
    azapi.apply(RESOURCE, config | {"ignore_null_property": True, "name": "kv-2"})
    assert "nobody" not in stored(azure, VAULT_ID.replace("kv-ml", "kv-2"))["properties"]


def test_headers_go_along(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    azapi.apply(RESOURCE, vault(create_headers={"x-trace": "7"}))
    calls = zip(azure.subscription.calls, azure.subscription.headers, strict=True)
    assert [headers.get("x-trace") for (method, _, _, _), headers in calls if method == "PUT"] == ["7"]


def test_a_change_of_what_is_exported_writes_nothing(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    state = azapi.apply(RESOURCE, vault())
    azure.subscription.calls.clear()
    state = azapi.apply(RESOURCE, vault(response_export_values={"uri": "properties.vaultUri"}), state)
    assert not bodies_sent(azure)
    assert state["output"] == dynamic({"uri": "https://kv-ml.vault.example/"})


def test_one_login_serves_many_requests(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    state = azapi.apply(RESOURCE, vault())
    azapi.read(RESOURCE, state)
    assert azure.subscription.logins == 1


def test_a_group_belongs_to_the_subscription_by_itself(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    assert azapi.apply(RESOURCE, GROUP_CONFIG)["id"] == GROUP_ID
    with pytest.raises(Told, match="parent_id is missing"):
        azapi.plan(RESOURCE, vault(parent_id=None))


# --- drift ------------------------------------------------------------------------------------------------------------


def test_what_was_configured_is_watched_and_what_azure_adds_is_not(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    config = vault(tags={"team": "ml"})
    state = azapi.apply(RESOURCE, config)
    stored(azure)["properties"]["added"] = "by Azure"
    assert azapi.changes(RESOURCE, config, state) == set()
    stored(azure)["properties"]["sku"]["name"] = "premium"
    assert azapi.changes(RESOURCE, config, state) == {"body", "output"}
    stored(azure)["properties"]["sku"]["name"] = "standard"
    stored(azure)["tags"] = {"team": "other"}
    assert azapi.changes(RESOURCE, config, state) == {"tags", "output"}


def test_a_vanished_resource_is_forgotten(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    state = azapi.apply(RESOURCE, vault())
    del azure.subscription.resources[VAULT_ID.lower()]
    assert azapi.read(RESOURCE, state) is None
    azapi.destroy(RESOURCE, state)


# --- what Azure answers -----------------------------------------------------------------------------------------------


def test_throttling_is_waited_out(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    azure.subscription.failing[("PUT", "/kv-ml")] = [throttled(), throttled()]
    azapi.apply(RESOURCE, vault())
    assert len(bodies_sent(azure)) == 3


def test_endless_throttling_is_told(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    azure.subscription.failing[("PUT", "/kv-ml")] = [throttled()] * 9
    with pytest.raises(Told, match="TooManyRequests"):
        azapi.apply(RESOURCE, vault())
    assert len(bodies_sent(azure)) == 4


def test_a_refusal_is_told_as_azcore_tells_it(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    refusal = {"error": {"code": "RequestDisallowedByPolicy", "message": "Region eastus2 is not allowed."}}
    azure.subscription.failing[("PUT", "/kv-ml")] = [json_answer(refusal, 403)]
    with pytest.raises(Told) as told:
        azapi.apply(RESOURCE, vault())
    said = in_one_line(str(told.value))
    assert said.startswith("Failed to create/update resource creating/updating Resource:")
    assert f'(ResourceId "{VAULT_ID}" / Api Version "2024-11-01")' in said
    assert "RESPONSE 403: 403 Forbidden ERROR CODE: RequestDisallowedByPolicy" in said
    assert "Region eastus2 is not allowed." in said
    assert told.value.state is None, "nothing was made, and nothing is remembered"


def test_a_name_that_no_address_may_hold_is_encoded(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    refusal = {"error": {"code": "VaultNameNotValid", "message": "The vault name is invalid."}}
    azure.subscription.failing[("PUT", "/kv-\u202eml")] = [json_answer(refusal, 400)]
    with pytest.raises(Told, match="VaultNameNotValid"):
        azapi.apply(RESOURCE, vault(name="kv-\u202eml"))


def test_a_deployment_that_failed_half_way_is_remembered(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    azure.subscription.operation = {"status": "Failed", "error": {"code": "QuotaExceeded", "message": "No cores left."}}
    with pytest.raises(Told, match="QuotaExceeded") as told:
        azapi.apply(RESOURCE, vault())
    assert told.value.state
    assert told.value.state["id"] == VAULT_ID
    azapi.destroy(RESOURCE, told.value.state)
    assert not azure.subscription.resources


def test_progress_may_be_told_by_the_resource_itself(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    """Some services answer without an operation's address."""
    body = {"id": VAULT_ID, "properties": {"provisioningState": "Updating"}}
    azure.subscription.failing[("PUT", "/kv-ml")] = [json_answer(body, 201, retry_after="0")]
    done = body | {"properties": {"provisioningState": "Succeeded", "vaultUri": "u"}}
    there = json_answer({"error": {"code": "ResourceNotFound"}}, 404)
    azure.subscription.failing[("GET", "/kv-ml")] = [there, json_answer(body, retry_after="0"), *[json_answer(done)] * 2]
    assert azapi.apply(RESOURCE, vault())["output"] == dynamic({"properties": {"vaultUri": "u"}})
    assert [call[0] for call in azure.subscription.calls] == ["GET", "PUT", "GET", "GET", "GET"]


def test_errors_the_operator_expects_are_tried_again(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    wait = {"error": {"code": "PrincipalNotFound", "message": "Principal does not exist yet."}}
    azure.subscription.failing[("PUT", "/kv-ml")] = [json_answer(wait, 400)]
    config = vault(retry={"error_message_regex": ["PrincipalNotFound"], "interval_seconds": 1})
    state = azapi.apply(RESOURCE, config)
    assert len(bodies_sent(azure)) == 2
    assert azapi.changes(RESOURCE, config, state) == set()


def test_what_exists_already_is_to_be_imported(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    azapi.apply(RESOURCE, vault())
    with pytest.raises(Told, match="already exists - to be managed via Terraform"):
        azapi.apply(RESOURCE, vault())
    state = azapi.adopt(RESOURCE, f"{VAULT_ID}?api-version=2024-11-01")
    assert (state["parent_id"], state["name"], state["location"]) == (GROUP_ID, "kv-ml", "eastus2")
    plan = azapi.plan(RESOURCE, vault(), state)
    assert not plan.replaces
    with pytest.raises(Told, match="by its ID and API version"):
        azapi.adopt(RESOURCE, VAULT_ID)


def test_an_operation_that_answers_elsewhere_gets_no_token(azapi: ShortTerraform, azure: ServedSubscription) -> None:
    """The address of an operation names a host; ours is asked instead, whatever it says."""
    made = json_answer({"id": VAULT_ID}, 201)
    operation = f"https://evil.example/subscriptions/{SUBSCRIPTION}/operations/x"
    headers = dict(made.headers) | {"Azure-AsyncOperation": operation}
    azure.subscription.failing[("PUT", "/kv-ml")] = [type(made)(201, made.body, headers)]
    azure.subscription.failing[("GET", "/operations/x")] = [json_answer({"status": "Failed", "error": {"code": "Seen"}})]
    with pytest.raises(Told, match="Seen"):
        azapi.apply(RESOURCE, vault())


def test_a_wrong_secret_is_told_without_the_secret(azure: ServedSubscription, azapi: ShortTerraform) -> None:
    wrong = ShortTerraform(azapi.provider, azure.configuration | {"client_secret": "hunter2"})
    with pytest.raises(Told, match=r"AADSTS7000215: Invalid client secret provided\.") as told:
        wrong.apply(RESOURCE, vault())
    assert "hunter2" not in str(told.value)


def test_an_oidc_token_serves_for_a_secret(azure: ServedSubscription, azapi: ShortTerraform, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret\n")
    login = {"client_secret": None, "use_oidc": True, "oidc_token_file_path": str(token)}
    by_token = ShortTerraform(azapi.provider, azure.configuration | login)
    assert by_token.apply(RESOURCE, vault())["id"] == VAULT_ID


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"client_secret": ""}, "The login to Azure is incomplete: ARM_CLIENT_SECRET is not set."),
        ({"default_location": "eastus2"}, "does not simulate `default_location`"),
        ({"endpoint": None}, "works on simulated worlds only"),
    ],
)
def test_settings_that_do_not_do_are_told(azapi: ShortTerraform, azure: ServedSubscription, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Told, match=sentence):
        ShortTerraform(azapi.provider, azure.configuration | change)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"type": "Microsoft.KeyVault/vaults"}, "of the form Namespace/type@api-version"),
        ({"response_export_values": ["a[?b]"]}, "does not understand the path"),
        ({"ignore_other_items_in_list": ["properties.subnets"]}, "does not simulate `ignore_other_items_in_list`"),
    ],
)
def test_what_cannot_be_stood_in_for_is_told(azapi: ShortTerraform, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Told, match=sentence):
        azapi.validate(RESOURCE, vault(**change))


# --- with real Terraform: secrets, and the other resources ------------------------------------------------------------

OTHERS = """
resource "azapi_resource" "second" {
  type                      = "Microsoft.Network/privateEndpoints@2024-05-01"
  parent_id                 = azapi_resource.group.id
  name                      = "pe"
  location                  = "eastus2"
  schema_validation_enabled = false
  body                      = { properties = { uri = azapi_resource.vault.output.properties.vaultUri, ratio = 0.1, nobody = null } }
}
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


def test_secrets_the_other_resources_and_the_data_sources(make_folder: Any, azure: ServedSubscription) -> None:
    secret = 'sensitive_body = { properties = { tenantId = "open-sesame" } }'
    folder = make_folder(azure.provider(GROUP + recorded_vault(more=secret) + OTHERS), **azure.settings)
    folder.terraform("init")
    folder.terraform("apply", "-auto-approve")
    properties = stored(azure)["properties"]
    assert (properties["tenantId"], properties["sku"]["name"]) == ("open-sesame", "standard")
    assert properties["publicNetworkAccess"] == "Disabled", "a patch leaves the rest as it was"
    assert "open-sesame" not in (folder.path / "terraform.tfstate").read_text()
    second = stored(azure, f"{GROUP_ID}/providers/Microsoft.Network/privateEndpoints/pe")["properties"]
    assert (second["uri"], second["ratio"]) == ("https://kv-ml.vault.example/", 0.1)
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


def test_a_body_keeps_the_type_it_was_written_with(azapi: ShortTerraform) -> None:
    """A map is no object: giving back another type than the operator's would fail Terraform's check."""
    body = Dynamic(["object", {"tags": ["map", "string"]}], {"tags": {"a": "b"}})
    assert azapi.apply(RESOURCE, vault(body=body))["body"] == body
