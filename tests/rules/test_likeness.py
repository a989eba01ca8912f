"""Whether a machine is what was approved: as Proxmox answers, as its own kernel does, and what an approval covers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tools.clients import ssh
from tools.rules.machines import likeness
from tools.rules.machines.likeness import here, itself
from tools.rules.machines.restarting import set_up_anew
from tools.rules.plans.returning import plan_before
from tools.values.machine import DataDisk, Machine
from tools.values.plan import Change

MACHINE = Machine(
    name="db-01",
    vm_id=101,
    node="pve1",
    template_vm_id=9000,
    template_node="pve1",
    storage="ceph-vm",
    disk_interface="scsi0",
    disk_gib=40,
    data_disks=(DataDisk(interface="scsi1", disk_gib=100),),
    memory_mib=8192,
    cpu_count=4,
    bridge="vmbr0",
    vlan_tag=20,
    user_name="ops",
    public_keys=(),
)
VALUES = {
    "cores": 4,
    "sockets": 1,
    "memory": "8192",
    "scsi0": "ceph-vm:vm-101-disk-0,discard=on,size=40G",
    "scsi1": "ceph-vm:vm-101-disk-1,size=100G",
    "ide2": "ceph-vm:vm-101-cloudinit,media=cdrom,size=4M",
    "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=20",
    "description": "somebody's prose",
}


def looked_at(status: str = "running", waiting: dict[str, Any] | None = None, **values: Any) -> tuple[str, ...]:
    rows: list[dict[str, Any]] = [{"key": key, "value": value} for key, value in (VALUES | values).items() if value is not None]
    rows += [{"key": key, "pending": value} if value else {"key": key, "delete": 1} for key, value in (waiting or {}).items()]
    return likeness.differences(MACHINE, here(101, "pve2", {"status": status, "qmpstatus": status, "uptime": 9}, rows))


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (looked_at(), 0),
        (looked_at(cores=2, sockets=2), 0),
        (looked_at(memory="current=8192"), 0),
        (looked_at(scsi0="ceph-vm:vm-101-disk-0,size=61440M"), 0),  # Larger holds what was approved.
        (looked_at("stopped"), 1),
        (looked_at("paused"), 1),
        (looked_at(cores=2), 1),
        (looked_at(cores=None), 1),
        (looked_at(memory="4096"), 1),
        (looked_at(scsi0="ceph-vm:vm-101-disk-0,size=2G"), 1),
        (looked_at(scsi1=None), 1),
        (looked_at(net0="virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=30"), 1),
        (looked_at(net0="virtio=BC:24:11:00:00:01,bridge=vmbr1,tag=20"), 1),
        (looked_at(waiting={"cores": 8, "memory": "16384", "balloon": None}), 1),
        (looked_at("stopped", {"cores": 4}, cores=2), 3),
        (likeness.differences(MACHINE, None), 1),
    ],
)
def test_what_the_cluster_has_is_compared_with_what_was_approved(found: tuple[str, ...], told: int) -> None:
    assert len(found) == told, found
    assert all("db-01" in sentence and "prose" not in sentence for sentence in found)


@pytest.mark.parametrize("answer", [None, [], {}, "x", [{"key": 1}, {"value": 2}, None, {"key": "memory", "value": "9" * 9999}]])
def test_an_answer_that_is_none_is_a_difference_and_no_exception(answer: Any) -> None:
    assert likeness.differences(MACHINE, here(101, "pve1", answer, answer))


def said(cpu_count: int = 4, memory_mib: float = 7940, disk: float = 40, part: float = 0, root: float = 39.2, on: str = "/dev/sda1") -> str:
    gib, part = 2**30, part or disk - 0.125
    return (
        f"{cpu_count}\nMemTotal:       {int(memory_mib * 1024)} kB\nFilesystem 1B-blocks\n{on} {int(root * gib)}\n"
        f"/dev/sda {int(disk * gib)} disk\n/dev/sda1 sda {int(part * gib)} part\n/dev/sda15 sda {124 * 2**20} part\n/dev/sr0 4194304 rom\n"
    )


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (said(disk=40.2), 0),
        (said(cpu_count=2), 1),
        (said(memory_mib=3900), 1),
        (said(memory_mib=9000), 1),
        (said(memory_mib=8192 * 0.9), 0),
        (said(disk=30, root=29.3), 1),  # The cluster grew it, and the guest has not noticed.
        (said(disk=60, part=39.9), 1),  # The partition stayed as it was,
        (said(disk=60), 1),  # or its file system did.
        (said(disk=60, root=58.8), 0),
        (said(on="overlay"), 0),  # No disk that can be looked at.
    ],
)
def test_what_a_machine_sees_of_itself_is_compared_too(answer: str, told: int) -> None:
    found = itself(answer)
    assert found is not None
    assert len(likeness.says_otherwise(MACHINE, found)) == told


@pytest.mark.parametrize(
    ("mounted", "told"),
    [
        (f"ext4 / {39 * 2**30}\next4 /srv/data {98 * 2**30}\n", 0),
        (f"ext4 / {39 * 2**30}\next4 /srv/other {98 * 2**30}\n", 1),
        (f"ext4 /srv/data {50 * 2**30}\n", 1),  # it has grown, and its file system has not
        ("", 1),
        ("container\n", 0),
    ],
)
def test_a_data_disk_is_mounted_as_large_as_it_is(mounted: str, told: int) -> None:
    disk = DataDisk(interface="scsi1", disk_gib=100, folder="/srv/data", serial="berth-scsi1")
    found = itself(said() + mounted)
    assert found is not None
    machine = MACHINE.model_copy(update={"data_disks": (disk,)})
    assert len(likeness.says_otherwise(machine, found)) == told
    assert ("not looked at" in likeness.seen_itself(machine, found)) == found.container


@pytest.mark.parametrize("answer", ["", "x", "4\n", "MemTotal: 1 kB", "4\nMemTotal: many kB", "\0\n\n"])
def test_who_says_nothing_is_not_verified(answer: str) -> None:
    assert itself(answer) is None


def test_what_may_be_restarted_is_what_the_plan_restarts() -> None:
    def change(action: str, *details: str, restarts: bool = False, name: str = "db-01") -> Change:
        return Change(address="a", action=action, name=name, details=details, restarts=restarts)  # type: ignore[arg-type]

    may = likeness.may_restart
    assert may([change("create")], "db-01") and may([change("update", restarts=True)], "db-01")
    assert may([change("update", "started False → True")], "db-01")
    assert not may([change("update", "disk.size 40 → 60")], "db-01") and not may([change("create", name="db-02")], "db-01")
    moved = [change("update", "network_device.vlan_id 20 → 30", restarts=True)]
    running = here(101, "pve1", {"status": "running", "uptime": 50}, [])
    assert likeness.wants_restart(moved, running, "db-01", 20), "it has its old address"
    assert not likeness.wants_restart(moved, running, "db-01", 60), "it was started after its network had changed"
    assert not likeness.wants_restart([change("update", "memory.dedicated 1 → 2", restarts=True)], running, "db-01", 20)


def test_the_plan_before_is_the_one_that_a_run_was_last_done_with() -> None:
    begun = [{"action": "begun", "plan": plan} for plan in ("create", "change", "back")]
    done, stopped = ({"action": "ended", "status": status} for status in ("done", "stopped"))
    assert plan_before([]) == ""
    assert plan_before([begun[0], stopped]) == ""
    assert plan_before([begun[0], done, begun[1], stopped]) == "create"
    assert plan_before([begun[0], done, begun[1], stopped, begun[2], stopped]) == "create"
    assert plan_before([begun[0], stopped, {"action": "set", "status": "done"}, begun[1], stopped]) == "create"
    assert plan_before([begun[0], done, begun[1], done, begun[2], stopped]) == "change"


def test_a_machine_that_cloud_init_takes_for_a_new_one_has_a_new_host_key(tmp_path: Path) -> None:
    def change(action: str, *details: str) -> Change:
        return Change(address="a", action=action, name="db-01", details=details)  # type: ignore[arg-type]

    assert set_up_anew([change("update", "initialization.ip_config.ipv4.address 10.0.0.5/24 → 10.0.0.6/24")]) == {"db-01"}
    assert set_up_anew([change("replace")]) == {"db-01"}
    assert not set_up_anew([change("update", "memory.dedicated 1 → 2", "network_device.vlan_id 20 → 30"), change("create")])
    path = ssh.known_hosts_file(tmp_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("db-01 ssh-ed25519 A\ndb-011 ssh-ed25519 B\n\ndb-01 ssh-rsa C\n")
    ssh.forget(tmp_path, "db-01")
    known = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert known == ["db-011 ssh-ed25519 B"]
