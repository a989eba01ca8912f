"""The Terraform configuration of the recorded resource group and vault, and variations of it."""

from __future__ import annotations

from typing import Any

REQUIRED = """
terraform {
  required_providers {
    azapi = {
      source  = "Azure/azapi"
      version = "~> 2.12.0"
    }
  }
}
provider "azapi" {
  disable_instance_discovery = true
  skip_provider_registration = true
  use_cli                    = false
  endpoint = [{
    resource_manager_endpoint       = "URL"
    active_directory_authority_host = "URL"
    resource_manager_audience       = "URL"
  }]
}
"""

GROUP = """
resource "azapi_resource" "group" {
  type                      = "Microsoft.Resources/resourceGroups@2024-11-01"
  parent_id                 = "/subscriptions/00000000-0000-0000-0000-000000000001"
  name                      = "rg-ml"
  location                  = "eastus2"
  tags                      = { team = "ml" }
  schema_validation_enabled = false
}
"""


def recorded_vault(*, soft_delete: str = "true", more: str = "") -> str:
    return f"""
resource "azapi_resource" "vault" {{
  type                      = "Microsoft.KeyVault/vaults@2024-11-01"
  parent_id                 = azapi_resource.group.id
  name                      = "kv-ml"
  location                  = "eastus2"
  schema_validation_enabled = false
  body = {{
    properties = {{
      enableSoftDelete = {soft_delete}
      sku = {{
        family = "A"
        name   = "standard"
      }}
    }}
  }}
  response_export_values = ["properties.vaultUri"]
  {more}
}}
"""


GROUP_ID = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-ml"
VAULT_ID = f"{GROUP_ID}/providers/Microsoft.KeyVault/vaults/kv-ml"


def vault(**changes: Any) -> dict[str, Any]:
    """The recorded vault as Terraform sends its configuration, in a group that is there; `changes` replace whole attributes."""
    return {
        "type": "Microsoft.KeyVault/vaults@2024-11-01",
        "parent_id": GROUP_ID,
        "name": "kv-ml",
        "location": "eastus2",
        "schema_validation_enabled": False,
        "body": {"properties": {"enableSoftDelete": True, "sku": {"family": "A", "name": "standard"}}},
        "response_export_values": ["properties.vaultUri"],
    } | changes
