"""A guest's configuration as `qm config` prints it, pasted into a message: each line is the fact that it is."""

from __future__ import annotations

import pytest

from tests.hearing.facts import heard, plain
from tools.capabilities import catalogue
from tools.rules.hearing.layout import resource
from tools.rules.request.editing import apply
from tools.values.request import Request

SERVER = """agent: 1
boot: order=scsi0;net0
cores: 2
cpu: host
ide2: local-btrfs:vm-105-cloudinit,media=cdrom
ipconfig0: ip=172.16.0.85/24,gw=172.16.0.1,ip6=2001:db8::85/64
ipconfig1: ip=10.10.10.85/24
memory: 2048
name: srv-utl01
nameserver: 172.16.0.1
net0: virtio=BC:24:11:2E:C5:4A,bridge=vmbr1,firewall=1
net1: virtio=BC:24:11:2E:C5:4B,bridge=vmbr_lan,tag=10
onboot: 1
ostype: l26
scsi0: local-btrfs:105/vm-105-disk-0.raw,discard=on,size=40G
scsi1: local-btrfs:105/vm-105-disk-1.raw,size=100G
scsihw: virtio-scsi-single
hostpci0: 0000:01:00.0
tags: mgmt;ubuntu
"""
DOCKER = """bios: ovmf
cores: 4
sockets: 2
memory: 8192
name: docker01
net0: virtio=BC:24:11:2E:C5:4A,bridge=vmbr0,tag=40
scsi1: slow:8101/vm-8101-disk-2,size=1T
smbios1: uuid=0b7cb2f4
virtio0: local-zfs:vm-8101-disk-1,size=64G
boot: order=virtio0
"""
OF_SERVER = {
    "name": "srv-utl01",
    "cpu_count": "2",
    "cpu_type": "host",
    "memory": "2048 MB",
    "disk": "40 GB",
    "data_disks": "100 GB",
    "storage": "local-btrfs",
    "network": "vmbr1",
    "more_networks": "vmbr_lan.10",
    "address": "172.16.0.85/24, 2001:db8::85/64",
    "gateway": "172.16.0.1",
    "more_addresses": "10.10.10.85/24",
    "dns": "172.16.0.1",
    "start_on_boot": "yes",
    "tags": "mgmt, ubuntu",
    "environment": "development",
    "os": "ubuntu",
}
OF_DOCKER = {
    "name": "docker01",
    "cpu_count": "8",
    "memory": "8192 MB",
    "disk": "64 GB",
    "storage": "local-zfs",
    "data_disks": "1 TB on slow",
    "network": "40",
    "bridge": "vmbr0",
    "environment": "production",
}
LEFT_OF_DOCKER = {"bios: ovmf"}


@pytest.mark.parametrize(
    ("text", "facts", "left"),
    [
        (f"one like this for development, ubuntu:\n\n{SERVER}", OF_SERVER, {"hostpci0: 0000:01:00.0"}),
        (f"{SERVER}\ndevelopment, ubuntu", OF_SERVER, {"hostpci0: 0000:01:00.0"}),
        (f"a VM for production:\n{DOCKER}", OF_DOCKER, LEFT_OF_DOCKER),
        (f"{DOCKER}for production, with 4 GB of memory", OF_DOCKER | {"memory": "4 GB"}, LEFT_OF_DOCKER),
    ],
)
def test_its_lines_are_facts_and_what_nothing_is_made_of_is_told(text: str, facts: dict[str, str], left: set[str]) -> None:
    edits = heard(text)
    request, refused = apply(Request(), edits, catalogue())
    assert not refused
    assert all(edit.quote in text for edit in edits.edits)
    assert {name: value for name, value in plain(request)["virtual_machine"].items() if name != "vlan"} == facts
    assert left <= set(edits.unused)


def test_a_list_of_other_things_is_no_guest() -> None:
    assert plain(apply(Request(), heard("cores: 2\nmemory: 4 GB\ndisk: 40 GB\nservice: web server"), catalogue())[0]) == {
        "web_server": {"cpu_count": "2", "memory": "4 GB", "disk": "40 GB"}
    }


OF_BPG = """resource "proxmox_virtual_environment_vm" "web" {
  name      = "web-01"
  node_name = "pve1"
  vm_id     = 201
  clone { vm_id = 8000 }
  cpu {
    cores = 2
    type  = "host"
  }
  memory { dedicated = 4096 }
  disk {
    datastore_id = "local-lvm"
    interface    = "scsi0"
    size         = 32
  }
  disk {
    datastore_id = "tank" # the slow one
    interface    = "scsi1"
    size         = 500
  }
  network_device {
    bridge  = "vmbr0"
    vlan_id = 20
  }
  initialization {
    ip_config {
      ipv4 {
        address = "10.20.0.50/24"
        gateway = "10.20.0.1"
      }
    }
    dns { servers = ["10.20.0.2", "10.20.0.3"] }
    user_account { keys = [var.key] }
  }
  hostpci { device = "hostpci0" }
  tags = ["web", "shop"]
}
"""
OF_TELMATE = """resource "proxmox_vm_qemu" "srv" {
  count       = var.many
  name        = "srv-01"
  target_node = "pve2"
  clone       = "debian-12-cloud"
  cores       = 4
  memory      = 8192
  disks {
    scsi {
      scsi0 {
        disk {
          storage = "local-zfs"
          size    = "40G"
        }
      }
    }
    ide {
      ide2 {
        cloudinit { storage = "local-zfs" }
      }
    }
  }
  network {
    model  = "virtio"
    bridge = "vmbr0"
    tag    = 30
  }
  ipconfig0 = "ip=10.30.0.10/24,gw=10.30.0.1"
  onboot    = true
}
"""


@pytest.mark.parametrize(
    ("text", "facts", "left"),
    [
        (
            OF_BPG,
            {
                "name": "web-01",
                "node": "pve1",
                "vm_id": "201",
                "template": "8000",
                "cpu_count": "2",
                "cpu_type": "host",
                "memory": "4096 MB",
            }
            | {"disk": "32 GB", "storage": "local-lvm", "data_disks": "500 GB on tank", "network": "20", "bridge": "vmbr0"}
            | {"address": "10.20.0.50/24", "gateway": "10.20.0.1", "dns": "10.20.0.2, 10.20.0.3", "tags": "web, shop"},
            ("hostpci.device = hostpci0",),
        ),
        (
            OF_TELMATE,
            {"name": "srv-01", "node": "pve2", "template": "debian-12-cloud", "cpu_count": "4", "memory": "8192 MB", "disk": "40GB"}
            | {"storage": "local-zfs", "network": "30", "bridge": "vmbr0", "address": "10.30.0.10/24", "gateway": "10.30.0.1"}
            | {"start_on_boot": "yes"},
            ("count = var.many",),
        ),
    ],
)
def test_a_machine_of_terraform_is_read_as_its_file_has_it(text: str, facts: dict[str, str], left: tuple[str, ...]) -> None:
    found = resource.written(f"Please make this one for staging:\n{text}")
    assert found is not None
    assert {edit.name: edit.value for edit in found.facts} == facts | {"vlan": facts["network"]}
    assert all(edit.quote in text for edit in found.facts)
    assert found.left == left


def test_half_a_resource_ends_where_it_ends() -> None:
    assert resource.written(OF_BPG[:120]) is not None
    assert resource.written('resource "aws_instance" "x" { }') is None
