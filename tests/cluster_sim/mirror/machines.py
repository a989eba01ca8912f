"""The Terraform configurations of these tests: the recorded machine, and variations of it."""

from __future__ import annotations

from typing import Any

REQUIRED = """
terraform {
  required_providers {
    proxmox = {
      source  = "bpg/proxmox"
      version = "~> 0.111.1"
    }
  }
}
provider "proxmox" {}
"""


def recorded_machine(*, memory_mib: int = 8192, disk_gib: int = 40, vm_id: int = 101, more: str = "", label: str = "db") -> str:
    """The machine of the recording; `more` is put at the end of its block."""
    return f"""
resource "proxmox_virtual_environment_vm" "{label}" {{
  name            = "db-01"
  node_name       = "pve1"
  vm_id           = {vm_id}
  tags            = ["berth", "prod"]
  stop_on_destroy = true
  clone {{
    vm_id = 9000
  }}
  cpu {{
    cores = 4
    type  = "x86-64-v2-AES"
  }}
  memory {{
    dedicated = {memory_mib}
  }}
  disk {{
    interface    = "scsi0"
    datastore_id = "local-lvm"
    size         = {disk_gib}
    discard      = "on"
    iothread     = true
    ssd          = true
  }}
  network_device {{
    bridge  = "vmbr0"
    vlan_id = 20
  }}
  initialization {{
    datastore_id = "local-lvm"
    ip_config {{
      ipv4 {{
        address = "dhcp"
      }}
    }}
    user_account {{
      username = "ops"
      keys     = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ ops@berth"]
    }}
  }}
  agent {{
    enabled = true
    timeout = "5s"
  }}
  {more}
}}
"""


def machine(**changes: Any) -> dict[str, Any]:
    """The recorded machine as Terraform would send its configuration; `changes` replace whole attributes or blocks."""
    account = {"username": "ops", "keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ ops@berth"]}
    return {
        "name": "db-01",
        "node_name": "pve1",
        "vm_id": 101,
        "tags": ["berth", "prod"],
        "stop_on_destroy": True,
        "clone": [{"vm_id": 9000}],
        "cpu": [{"cores": 4, "type": "x86-64-v2-AES"}],
        "memory": [{"dedicated": 8192}],
        "disk": [disk()],
        "network_device": [{"bridge": "vmbr0", "vlan_id": 20}],
        "initialization": [{"datastore_id": "local-lvm", "ip_config": [{"ipv4": [{"address": "dhcp"}]}], "user_account": [account]}],
        "agent": [{"enabled": True, "timeout": "5s"}],
    } | changes


def disk(**changes: Any) -> dict[str, Any]:
    return {
        "interface": "scsi0",
        "datastore_id": "local-lvm",
        "size": 40,
        "discard": "on",
        "iothread": True,
        "ssd": True,
    } | changes
