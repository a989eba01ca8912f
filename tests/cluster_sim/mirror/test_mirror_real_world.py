"""The stand-in providers against the simulated world itself: one cluster and one subscription side by side, ten machines."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster_sim.mirror.harness import Folder
from tests.cluster_sim.mirror.machines import REQUIRED
from tests.cluster_sim.mirror.workspaces import REQUIRED as REQUIRED_AZURE

ROOT = Path(__file__).parents[3]
WORLDS = ROOT / "cluster_sim" / "worlds"

MACHINES = """
locals {
  nodes = ["pve1", "pve2", "pve3", "pve4"]
}
resource "proxmox_virtual_environment_vm" "web" {
  count           = COUNT
  name            = "web-${count.index}"
  vm_id           = 700 + count.index
  node_name       = local.nodes[count.index % 4]
  stop_on_destroy = true
  tags            = ["web", "berth"]
  clone {
    vm_id        = 9000
    node_name    = "pve1"
    datastore_id = "ceph-vm"
    retries      = 20
  }
  cpu {
    cores = 1
    type  = "x86-64-v2-AES"
  }
  memory {
    dedicated = MEMORY
  }
  disk {
    interface    = "scsi0"
    datastore_id = "ceph-vm"
    size         = DISK
    discard      = "on"
    iothread     = true
    ssd          = true
  }
  network_device {
    vlan_id = 20
  }
  initialization {
    datastore_id = "ceph-vm"
    ip_config {
      ipv4 {
        address = "dhcp"
      }
    }
    user_account {
      username = "ops"
      keys     = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ ops@berth"]
    }
  }
  agent {
    enabled = true
    timeout = "1m"
  }
  serial_device {}
}
"""

# Cloned on one node, wanted on another, with disks no other node can reach: Proxmox makes it there and moves it.
LOCAL = """
resource "proxmox_virtual_environment_vm" "local" {
  name            = "local-01"
  vm_id           = 790
  node_name       = "pve2"
  stop_on_destroy = true
  migrate         = true
  clone {
    vm_id     = 9002
    node_name = "pve1"
  }
  disk {
    interface    = "scsi0"
    datastore_id = "local-lvm"
    size         = 8
  }
  network_device {
    vlan_id = 30
  }
  agent {
    enabled = true
    timeout = "1m"
  }
}
"""

AROUND = """
resource "proxmox_virtual_environment_pool" "pool" {
  pool_id = "spare"
  comment = "COMMENT"
}
resource "proxmox_haresource" "web" {
  count       = 2
  resource_id = "vm:${proxmox_virtual_environment_vm.web[count.index].vm_id}"
  comment     = "COMMENT"
}
resource "proxmox_harule" "apart" {
  rule      = "apart"
  type      = "resource-affinity"
  affinity  = "negative"
  resources = proxmox_haresource.web[*].resource_id
}
resource "proxmox_harule" "near" {
  rule      = "near"
  type      = "node-affinity"
  resources = [proxmox_haresource.web[0].resource_id]
  nodes     = { pve1 = null, pve2 = null }
  strict    = true
}
"""

WORKSPACE = """
data "azapi_client_config" "me" {}
resource "azapi_resource" "group" {
  type     = "Microsoft.Resources/resourceGroups@2024-11-01"
  name     = "rg-stand-in"
  location = "eastus2"
  tags     = { team = "ml", owner = "ops", environment = "dev" }
}
resource "azapi_resource" "identity" {
  type                   = "Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31"
  parent_id              = azapi_resource.group.id
  name                   = "id-stand-in"
  location               = "East US 2"
  tags                   = azapi_resource.group.tags
  response_export_values = ["properties.principalId"]
}
resource "azapi_resource" "network" {
  type      = "Microsoft.Network/virtualNetworks@2024-05-01"
  parent_id = azapi_resource.group.id
  name      = "vnet-stand-in"
  location  = "eastus2"
  tags      = azapi_resource.group.tags
  body      = { properties = { addressSpace = { addressPrefixes = ["10.1.0.0/16"] } } }
}
resource "azapi_resource" "subnet" {
  type      = "Microsoft.Network/virtualNetworks/subnets@2024-05-01"
  parent_id = azapi_resource.network.id
  name      = "apps"
  body      = { properties = { addressPrefix = "10.1.0.0/20" } }
}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    rights = tmp_path_factory.mktemp("world") / "rights.yaml"
    # High availability and SDN take rights that no other part of making machines does.
    role = yaml.safe_load((WORLDS / "four_nodes.yaml").read_text())["proxmox"]["roles"]["BerthAll"]
    rights.write_text(yaml.safe_dump({"proxmox": {"roles": {"BerthAll": [*role, "Sys.Console", "SDN.Allocate"]}}}))
    files = [str(WORLDS / "four_nodes.yaml"), str(WORLDS / "azure_subscription.yaml"), str(rights)]
    serving = subprocess.Popen(
        [sys.executable, "-m", "cluster_sim", "serve", *files, "--guests", "none", "--time", "1000"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert serving.stdout
    yield json.loads(serving.stdout.readline())
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(timeout=30) == 0


def in_world(folder: Folder, world: dict[str, Any]) -> Folder:
    folder.use_mirror(Path(world["mirror"]))
    folder.terraform("init")
    return folder


def test_ten_machines_with_all_that_stands_around_them(make_folder: Any, world: dict[str, Any]) -> None:
    def main(count: int, memory_mib: int, disk_gib: int, comment: str) -> str:
        text = REQUIRED + MACHINES + LOCAL + AROUND
        for name, value in {"COUNT": count, "MEMORY": memory_mib, "DISK": disk_gib, "COMMENT": comment}.items():
            text = text.replace(name, str(value))
        return text

    settings = {"PROXMOX_VE_ENDPOINT": world["proxmox"]["url"], "PROXMOX_VE_API_TOKEN": world["proxmox"]["token"]}
    folder = in_world(make_folder(main(10, 1024, 8, "first"), **settings, SSL_CERT_FILE=world["ca_file"]), world)
    assert "16 added" in folder.terraform("apply", "-auto-approve")
    folder.terraform("plan", "-detailed-exitcode")
    state = folder.state()
    assert state["proxmox_virtual_environment_vm.local"]["node_name"] == "pve2"
    web = [values for address, values in state.items() if address.startswith("proxmox_virtual_environment_vm.web")]
    addresses = [address for values in web for addresses in values["ipv4_addresses"] for address in addresses]
    assert len({address for address in addresses if address.startswith("10.20.0.")}) == 10

    folder.write(main(2, 2048, 10, "second"))
    folder.terraform("apply", "-auto-approve")
    folder.terraform("plan", "-detailed-exitcode")
    assert folder.state()["proxmox_haresource.web[0]"]["comment"] == "second"
    folder.terraform("destroy", "-auto-approve")
    assert folder.state() == {}


# The one that is made first is taken away last: so what is removed is applied, too.
LAB = """
resource "proxmox_sdn_applier" "last" {
  on_create = false
}
resource "proxmox_sdn_zone_vlan" "lab" {
  id         = "lab"
  bridge     = "vmbr0"
  nodes      = ["pve1", "pve2"]
  depends_on = [proxmox_sdn_applier.last]
}
resource "proxmox_sdn_vnet" "lab" {
  id    = "lab50"
  zone  = proxmox_sdn_zone_vlan.lab.id
  tag   = TAG
  alias = "The lab"
}
resource "proxmox_sdn_subnet" "lab" {
  vnet    = proxmox_sdn_vnet.lab.id
  cidr    = "10.0.50.0/24"
  gateway = "GATEWAY"
}
resource "proxmox_sdn_applier" "now" {
  lifecycle {
    replace_triggered_by = [proxmox_sdn_vnet.lab, proxmox_sdn_subnet.lab]
  }
  depends_on = [proxmox_sdn_subnet.lab]
}
"""


def test_a_network_of_sdn_is_made_changed_and_taken_away(make_folder: Any, world: dict[str, Any]) -> None:
    def main(tag: int, gateway: str) -> str:
        return REQUIRED + LAB.replace("TAG", str(tag)).replace("GATEWAY", gateway)

    settings = {"PROXMOX_VE_ENDPOINT": world["proxmox"]["url"], "PROXMOX_VE_API_TOKEN": world["proxmox"]["token"]}
    folder = in_world(make_folder(main(50, "10.0.50.1"), **settings, SSL_CERT_FILE=world["ca_file"]), world)
    assert "5 added" in folder.terraform("apply", "-auto-approve")
    folder.terraform("plan", "-detailed-exitcode")
    subnet = folder.state()["proxmox_sdn_subnet.lab"]
    assert (subnet["id"], subnet["gateway"]) == ("lab-10.0.50.0-24", "10.0.50.1")

    folder.write(main(51, "10.0.50.254"))
    folder.terraform("apply", "-auto-approve")
    folder.terraform("plan", "-detailed-exitcode")
    state = folder.state()
    zone = state["proxmox_sdn_zone_vlan.lab"]
    assert (zone["bridge"], sorted(zone["nodes"]), state["proxmox_sdn_vnet.lab"]["tag"]) == ("vmbr0", ["pve1", "pve2"], 51)
    folder.terraform("destroy", "-auto-approve")
    assert folder.state() == {}


def rules(*dports: int, enabled: bool = True) -> str:
    """Of VM 110, and its options."""
    block = '  rule {\n    type = "in"\n    action = "ACCEPT"\n    proto = "tcp"\n    dport = "DPORT"\n    source = "10.0.0.0/8"\n  }\n'
    made = "".join(block.replace("DPORT", str(dport)) for dport in dports)
    whose = '  node_name = "pve1"\n  vm_id = 110\n'
    options = (
        f'resource "proxmox_virtual_environment_firewall_options" "o" {{\n{whose}  enabled = {str(enabled).lower()}\n  dhcp = true\n}}\n'
    )
    return REQUIRED + f'resource "proxmox_virtual_environment_firewall_rules" "r" {{\n{whose}{made}}}\n' + options


def test_rules_of_a_machine_are_made_reordered_and_taken_away(make_folder: Any, world: dict[str, Any]) -> None:
    settings = {"PROXMOX_VE_ENDPOINT": world["proxmox"]["url"], "PROXMOX_VE_API_TOKEN": world["proxmox"]["token"]}
    folder = in_world(make_folder(rules(443, 80, 22), **settings, SSL_CERT_FILE=world["ca_file"]), world)
    assert "2 added" in folder.terraform("apply", "-auto-approve")
    folder.terraform("plan", "-detailed-exitcode")
    ports = [rule["dport"] for rule in folder.state()["proxmox_virtual_environment_firewall_rules.r"]["rule"]]
    assert ports == ["443", "80", "22"]

    folder.write(rules(22, 443, 8080, enabled=False))
    assert "2 changed" in folder.terraform("apply", "-auto-approve")
    folder.terraform("plan", "-detailed-exitcode")
    state = folder.state()
    told = state["proxmox_virtual_environment_firewall_rules.r"]["rule"]
    assert [(rule["pos"], rule["dport"]) for rule in told] == [(0, "22"), (1, "443"), (2, "8080")]
    assert state["proxmox_virtual_environment_firewall_options.o"]["enabled"] is False
    folder.terraform("destroy", "-auto-approve")
    assert folder.state() == {}
    # They are gone there, too: where there were any, none would be made.
    folder.write(rules(443))
    folder.terraform("apply", "-auto-approve")
    folder.terraform("destroy", "-auto-approve")


def test_a_workspace_in_the_subscription_beside_it(make_folder: Any, world: dict[str, Any]) -> None:
    azure = world["azure"]
    names = ("tenant_id", "subscription_id", "client_id", "client_secret")
    settings = {f"ARM_{name.upper()}": azure[name] for name in names} | {"SSL_CERT_FILE": world["ca_file"]}
    folder = in_world(make_folder((REQUIRED_AZURE + WORKSPACE).replace("URL", azure["url"]), **settings), world)
    folder.terraform("apply", "-auto-approve")
    folder.terraform("plan", "-detailed-exitcode")
    assert folder.state()["azapi_resource.identity"]["output"]["properties"]["principalId"]
    folder.write((REQUIRED_AZURE + WORKSPACE.replace('"10.1.0.0/16"', '"10.1.0.0/16", "10.2.0.0/16"')).replace("URL", azure["url"]))
    assert "1 changed" in folder.terraform("apply", "-auto-approve")
    folder.terraform("plan", "-detailed-exitcode")
    folder.terraform("destroy", "-auto-approve")
