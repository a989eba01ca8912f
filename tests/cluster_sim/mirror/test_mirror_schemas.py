"""What Terraform hears of the schemas, held against the recording: nothing more than the released provider has, nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster_sim.mirror.harness import Folder, ServedCluster, ServedSubscription, recorded
from tests.cluster_sim.mirror.machines import REQUIRED

BOTH = """
terraform {
  required_providers {
    proxmox = { source = "bpg/proxmox", version = "~> 0.111.1" }
    azapi   = { source = "Azure/azapi", version = "~> 2.12.0" }
  }
}
"""
Facts = dict[str, Any]


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory, mirror: Any) -> dict[str, Facts]:
    """`terraform providers schema -json`, by provider, in the recording's notation."""
    path = tmp_path_factory.mktemp("schemas")
    folder = Folder(path, {"HOME": str(path), "TF_CLI_CONFIG_FILE": str(path / "cli.tfrc")})
    folder.write(BOTH)
    folder.use_mirror(mirror)
    folder.terraform("init")
    schemas = folder.json("providers", "schema", "-json")["provider_schemas"]
    return {name.rpartition("/")[2]: schema for name, schema in schemas.items()}


def facts(block: Facts) -> Facts:
    found: Facts = {}
    for name, attribute in block.get("attributes", {}).items():
        nested = attribute.get("nested_type")
        if nested:
            found[name] = {"nested": nested["nesting_mode"], "flags": flags(attribute), "attributes": facts(nested)}
        else:
            found[name] = [attribute["type"], flags(attribute)]
    for name, inner in block.get("block_types", {}).items():
        found[name] = {"block": inner["nesting_mode"], "attributes": facts(inner["block"])}
        found[name] |= {"max": inner["max_items"]} if inner.get("max_items") else {}
    return found


def flags(attribute: Facts) -> str:
    words = {"required": "R", "optional": "O", "computed": "C", "sensitive": "S", "write_only": "W", "deprecated": "D"}
    return "".join(letter for word, letter in words.items() if attribute.get(word))


PROVIDERS = [("proxmox", "bpg-proxmox"), ("azapi", "azapi")]


@pytest.mark.parametrize(("provider", "recording"), PROVIDERS)
def test_the_configuration_is_the_recorded_one(heard: dict[str, Facts], provider: str, recording: str) -> None:
    assert facts(heard[provider]["provider"]["block"]) == recorded(recording)["configuration"]


# What the recording lacks, as the provider's documentation has it (docs/resources/hagroup.md, read at 521933c, 2026-12-01).
DOCUMENTED = {
    "proxmox_hagroup": {
        "schema_version": 0,
        "attributes": {
            "comment": ["string", "O"],
            "group": ["string", "R"],
            "id": ["string", "C"],
            "no_failback": ["bool", "OC"],
            "nodes": [["map", "number"], "R"],
            "restricted": ["bool", "OC"],
        },
    }
}


@pytest.mark.parametrize(("provider", "recording"), PROVIDERS)
def test_every_resource_is_the_recorded_one(heard: dict[str, Facts], provider: str, recording: str) -> None:
    known = recorded(recording)["resources"] | DOCUMENTED
    for name, schema in heard[provider]["resource_schemas"].items():
        assert schema["version"] == known[name]["schema_version"], name
        assert facts(schema["block"]) == known[name]["attributes"], name


def test_every_data_source_is_the_recorded_one(heard: dict[str, Facts]) -> None:
    known = recorded("azapi")["data_sources"]
    for name, schema in heard["azapi"]["data_source_schemas"].items():
        assert facts(schema["block"]) == known[name], name


def test_what_is_stood_in_for(heard: dict[str, Facts]) -> None:
    assert set(heard["proxmox"]["resource_schemas"]) == {
        "proxmox_virtual_environment_vm",
        "proxmox_virtual_environment_pool",
        "proxmox_pool_membership",
        "proxmox_hagroup",
        "proxmox_haresource",
        "proxmox_harule",
        "proxmox_download_file",
        "proxmox_sdn_zone_vlan",
        "proxmox_sdn_zone_simple",
        "proxmox_sdn_vnet",
        "proxmox_sdn_subnet",
        "proxmox_sdn_applier",
        "proxmox_virtual_environment_firewall_options",
        "proxmox_virtual_environment_firewall_rules",
    }
    assert set(heard["azapi"]["resource_schemas"]) == {"azapi_resource", "azapi_update_resource", "azapi_resource_action"}


AROUND = """
resource "proxmox_virtual_environment_pool" "p" { pool_id = "berth" }
resource "proxmox_pool_membership" "m" {
  pool_id = "berth"
  vm_id   = 101
}
resource "proxmox_haresource" "h" { resource_id = "vm:101" }
resource "proxmox_harule" "n" {
  rule      = "near"
  type      = "node-affinity"
  resources = ["vm:101"]
  nodes     = { pve1 = 2, pve2 = 1 }
}
resource "proxmox_harule" "r" {
  rule      = "apart"
  type      = "resource-affinity"
  affinity  = "negative"
  resources = ["vm:101", "vm:102"]
}
resource "proxmox_sdn_zone_vlan" "z" {
  id     = "z1"
  bridge = "vmbr0"
}
resource "proxmox_sdn_vnet" "v" {
  id   = "v20"
  zone = "z1"
  tag  = 20
}
resource "proxmox_virtual_environment_firewall_options" "o" {
  node_name = "pve1"
  vm_id     = 101
  enabled   = true
}
resource "proxmox_virtual_environment_firewall_rules" "f" {
  node_name = "pve1"
  vm_id     = 101
  rule {
    type   = "in"
    action = "ACCEPT"
    proto  = "tcp"
    dport  = "5432"
    source = "10.20.0.0/24"
  }
}
"""


def test_what_stands_around_a_machine_is_planned_as_recorded(make_folder: Any, served: ServedCluster) -> None:
    folder = make_folder(REQUIRED + AROUND, **served.settings)
    folder.terraform("init")
    changes = folder.planned()
    assert len(changes) == 9
    for address, change in changes.items():
        planned = recorded("bpg-proxmox")["planned_on_create"][address]
        assert {"after": change["after"], "after_unknown": change["after_unknown"]} == planned, address


def test_defaults_that_are_azapis_own(make_folder: Any, azure: ServedSubscription) -> None:
    folder = make_folder(
        azure.provider(
            'resource "azapi_resource_action" "a" {\n  type = "Microsoft.KeyVault/vaults@2024-11-01"\n  resource_id = "/x"\n}\n'
        ),
        **azure.settings,
    )
    folder.terraform("init")
    after = folder.planned()["azapi_resource_action.a"]["after"]
    assert (after["method"], after["when"]) == ("POST", "apply")
