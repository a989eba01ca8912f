"""A cloud image is downloaded by a node and becomes the disk of a machine: who may, where to, and what is refused in whose words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster_sim.proxmox.driver import Driver, Refused

URL = "https://images.example.org/debian-12-genericcloud-amd64.qcow2"
FILE = {"content": "import", "filename": "debian-12.qcow2", "url": URL, "checksum": "ab" * 32, "checksum-algorithm": "sha256"}
MACHINE = {"vmid": 300, "name": "debian-12", "scsi0": "ceph-vm:0,import-from=nfs:import/debian-12.qcow2", "agent": "1"}
NO_NETWORK = ["Datastore.AllocateTemplate", "Datastore.AllocateSpace", "Datastore.Audit", "Sys.Audit", "VM.Allocate", "VM.Config.Disk"]
READ_ONLY = ["Datastore.Audit", "Sys.AccessNetwork"]


@pytest.mark.parametrize(
    ("storage", "changes", "roles", "said"),
    [
        ("nfs", {}, READ_ONLY, (403, "Datastore.AllocateTemplate")),
        ("nfs", {}, NO_NETWORK, (403, "Sys.AccessNetwork")),
        ("ceph-vm", {}, None, (500, "not a file based storage")),
        ("nfs", {"filename": "debian-12.img"}, None, (400, "")),
        ("nfs", {"filename": "../debian 12.qcow2"}, None, (400, "")),
        ("nfs", {"url": "https://images.example.org/gone.qcow2"}, None, (500, "404 Not Found")),
    ],
)
def test_a_download_that_is_refused(
    changed: Callable[..., Driver], storage: str, changes: dict[str, str], roles: list[str] | None, said: tuple[int, str]
) -> None:
    more: dict[str, Any] = {"web": {"https://images.example.org/gone.qcow2": {"status": "404 Not Found"}}}
    pve = changed(**more, **({"roles": {"BerthAll": roles}} if roles else {}))
    with pytest.raises(Refused) as refused:
        pve.post(f"/nodes/pve1/storage/{storage}/download-url", **(FILE | changes))
    assert refused.value.status == said[0]
    assert said[1] in refused.value.reason


def test_what_has_another_checksum_is_not_kept(changed: Callable[..., Driver]) -> None:
    pve = changed(web={URL: {"checksum": "cd" * 32}})
    ended = pve.end(pve.post("/nodes/pve1/storage/nfs/download-url", **FILE))
    assert ended == f"checksum mismatch: got '{'cd' * 32}' != expect '{'ab' * 32}'"
    assert all("debian-12.qcow2" not in row["volid"] for row in pve.get("/nodes/pve1/storage/nfs/content"))


def test_an_image_becomes_a_disk_of_its_own_size_and_a_template(pve: Driver) -> None:
    assert pve.end(pve.post("/nodes/pve1/storage/nfs/download-url", **FILE)) == "OK"
    with pytest.raises(Refused, match="refusing to override existing file"):
        pve.post("/nodes/pve1/storage/nfs/download-url", **{k: v for k, v in FILE.items() if "checksum" not in k})
    assert pve.end(pve.post("/nodes/pve1/qemu", **MACHINE)) == "OK"
    assert "size=3G" in pve.get("/nodes/pve1/qemu/300/config")["scsi0"]
    pve.end(pve.post("/nodes/pve1/qemu/300/status/start"))
    with pytest.raises(Refused, match="you can't convert a VM to template if VM is running"):
        pve.post("/nodes/pve1/qemu/300/template")
    pve.clock.advance(60)
    with pytest.raises(Refused, match="QEMU guest agent is not running"):  # Debian's image comes without it.
        pve.get("/nodes/pve1/qemu/300/agent/network-get-interfaces")
    pve.end(pve.post("/nodes/pve1/qemu/300/status/stop"))
    assert pve.end(pve.post("/nodes/pve1/qemu/300/template")) == "OK"
    assert pve.end(pve.post("/nodes/pve1/qemu/300/clone", newid=301, full=1)) == "OK"


@pytest.mark.parametrize(
    ("changes", "roles", "said"),
    [
        ({"scsi0": "ceph-vm:0,import-from=nfs:iso/debian-12.11.0-amd64-netinst.iso"}, None, (400, "")),
        ({"scsi0": "ceph-vm:0,import-from=/var/tmp/debian-12.qcow2"}, None, (500, "Only root can pass arbitrary filesystem paths")),
        ({}, ["VM.Allocate", "VM.Config.Options", "Datastore.AllocateSpace"], (403, "VM.Config.Disk")),
    ],
)
def test_a_machine_of_an_image_that_is_refused(
    changed: Callable[..., Driver], changes: dict[str, str], roles: list[str] | None, said: tuple[int, str]
) -> None:
    pve = changed(**({"roles": {"BerthAll": roles}} if roles else {}))
    with pytest.raises(Refused) as refused:
        pve.post("/nodes/pve1/qemu", **(MACHINE | changes))
    assert refused.value.status == said[0]
    assert said[1] in refused.value.reason
