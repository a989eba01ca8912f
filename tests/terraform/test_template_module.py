"""The module `template`: valid, strict about its variables, and the same on every plan before and after the machine became a template."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from module_folder import Folder
from test_machines import asked, machine

from tools.platforms import proxmox
from tools.rules.plans.changes import changes

IMAGE = {
    "url": "https://images.example.org/debian-12-genericcloud-amd64.qcow2",
    "checksum": "ab" * 64,
    "checksum_algorithm": "sha512",
    "node": "pve1",
    "storage": "nfs",
}


def give(folder: Folder, one: dict[str, Any], image: dict[str, Any]) -> None:
    (folder.path / "terraform.tfvars.json").write_text(json.dumps({"machines": [one], "image": image}))


@pytest.fixture(scope="module")
def folder(make_folder: Callable[[str], Folder]) -> Folder:
    return make_folder("template")


REFUSED = [
    (machine(name='x"; rm'), IMAGE, "A name is made of small letters"),
    (machine(vlan_tag=5000), IMAGE, "A VLAN tag is a number"),
    (machine(), {**IMAGE, "url": "file:///etc/passwd"}, "begins with https://"),
    (machine(), {**IMAGE, "checksum": "ab"}, "64 (sha256) or 128 (sha512)"),
    (machine(), {**IMAGE, "checksum_algorithm": "md5"}, "64 (sha256) or 128 (sha512)"),
]


@pytest.mark.parametrize(("one", "image", "sentence"), REFUSED)
def test_a_wrong_template_is_refused_in_a_whole_sentence(folder: Folder, one: dict[str, Any], image: dict[str, Any], sentence: str) -> None:
    give(folder, one, image)
    assert sentence in folder.terraform("plan", expect=1)


def test_made_of_an_image_converted_and_removed(folder: Folder, world: dict[str, Any]) -> None:
    folder.terraform("fmt", "-check")
    one = machine(41, name="ubuntu-24.04", disk_gib=4, address="10.20.0.9/24", gateway="10.20.0.1", pool="berth")
    give(folder, one, IMAGE)
    folder.terraform("plan", "-out=tfplan")
    planned = changes(json.loads(folder.shown()), proxmox.PROVIDER)
    assert [(change.action, change.name) for change in planned] == [("create", "image of ubuntu-24.04"), ("create", "ubuntu-24.04")]
    folder.terraform("apply", "tfplan")
    assert "No changes" in folder.terraform("plan", "-detailed-exitcode")
    config = asked(world, "/nodes/pve1/qemu/20041/config")
    assert [config[key] for key in ("agent", "boot", "ipconfig0", "name")] == [
        "enabled=1,fstrim_cloned_disks=0,type=virtio",
        "order=scsi0;net0",
        "ip=10.20.0.9/24,gw=10.20.0.1",
        "ubuntu-24.04",
    ]
    assert ("size=4G" in config["scsi0"], "cloudinit" in config["ide2"]) == (True, True)

    post(world, "/nodes/pve1/qemu/20041/status/stop")
    post(world, "/nodes/pve1/qemu/20041/template")
    assert asked(world, "/nodes/pve1/qemu/20041/config")["template"] == 1
    assert "No changes" in folder.terraform("plan", "-detailed-exitcode")
    assert "2 destroyed" in folder.terraform("destroy", "-auto-approve")
    assert "nfs:import/berth-20041.qcow2" not in [row["volid"] for row in asked(world, "/nodes/pve1/storage/nfs/content")]


def post(world: dict[str, Any], path: str) -> None:
    """Begins a task, and looks until it has ended."""
    headers = {"Authorization": f"PVEAPIToken={world['proxmox']['token']}"}
    with httpx.Client(
        base_url=world["proxmox"]["url"], headers=headers, verify=ssl.create_default_context(cafile=world["ca_file"])
    ) as client:
        upid = client.post(f"/api2/json{path}").raise_for_status().json()["data"]
    for _ in range(100):
        status = asked(world, f"/nodes/pve1/tasks/{upid}/status")
        if status["status"] == "stopped":
            assert status["exitstatus"] == "OK"
            return
    raise AssertionError(f"{path} did not end")
