"""The stand-in for bpg/proxmox on bad days: errors, half-made machines, drift, wrong worlds, and being stopped."""

from __future__ import annotations

import datetime as dt
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster_sim import authority
from cluster_sim.http import Answer, Request, Server, json_answer
from cluster_sim.mirror import web
from tests.cluster_sim.mirror.harness import TOKEN, Folder, ServedCluster, in_one_line
from tests.cluster_sim.mirror.machines import REQUIRED, disk, machine, recorded_machine
from tests.cluster_sim.mirror.short_terraform import ShortTerraform, Told
from tools.platforms.proxmox import PROVIDER
from tools.rules.plans.changes import changes

ADDRESS = "proxmox_virtual_environment_vm.db"
MACHINE = "proxmox_virtual_environment_vm"
DISK_TEXT = "file=local-lvm:vm-101-disk-0,aio=io_uring,backup=1,iothread=1,ssd=1,discard=on,cache=none,replicate=1"
NETWORK_TEXT = "model=virtio,bridge=vmbr0,firewall=0,macaddr=BC:24:11:00:00:65,tag=30"
CLONE = ("POST", "/qemu/9000/clone")
WAIT_S_MAX = 20.0


@pytest.fixture
def folder(make_folder: Any, served: ServedCluster) -> Folder:
    ready: Folder = make_folder(REQUIRED + recorded_machine(), **served.settings)
    ready.terraform("init")
    return ready


# --- what the cluster answers -----------------------------------------------------------------------------------------


def test_an_error_is_told_with_its_reason_and_every_field(proxmox: ShortTerraform, served: ServedCluster) -> None:
    body = {"data": None, "errors": {"newid": "VM 101 is taken\n"}, "message": "Parameter verification failed.\n"}
    served.cluster.failing[CLONE] = json_answer(body, 400, reason="Parameter verification failed.")
    with pytest.raises(Told) as told:
        proxmox.apply(MACHINE, machine())
    assert "received an HTTP 400 response - Reason: Parameter verification failed. (newid: VM 101 is taken)" in str(told.value)
    assert told.value.state is None, "nothing was made, and nothing is remembered"


def test_a_failed_task_is_told_with_its_log(proxmox: ShortTerraform, served: ServedCluster) -> None:
    task = "/nodes/pve1/tasks/UPID:pve1:00001234:00ABCDEF:6560A000:qmclone:9000:ops@pve!berth:"
    ended = {"data": {"status": "stopped", "exitstatus": "unable to create image: no space left"}}
    served.cluster.failing[("GET", f"{task}/status")] = json_answer(ended)
    served.cluster.failing[("GET", f"{task}/log")] = json_answer({"data": [{"n": 1, "t": "create full clone of drive scsi0"}]})
    with pytest.raises(Told) as told:
        proxmox.apply(MACHINE, machine(clone=[{"vm_id": 9000, "retries": 20}]))
    assert "failed to complete with exit code: unable to create image: no space left" in str(told.value)
    assert "create full clone of drive scsi0" in str(told.value)
    assert served.cluster.paths.count("/nodes/pve1/qemu/9000/clone") == 1, "a full storage is not tried again"


def ended(served: ServedCluster, kind: str, vm_id: int, how: str) -> None:
    """From now on tasks of that kind end so."""
    task = f"/nodes/pve1/tasks/UPID:pve1:00001234:00ABCDEF:6560A000:{kind}:{vm_id}:ops@pve!berth:"
    served.cluster.failing[("GET", f"{task}/status")] = json_answer({"data": {"status": "stopped", "exitstatus": how}})
    served.cluster.failing[("GET", f"{task}/log")] = json_answer({"data": []})


def test_a_clone_that_waited_for_a_lock_in_vain_is_begun_again(proxmox: ShortTerraform, served: ServedCluster) -> None:
    ended(served, "qmclone", 9000, "clone failed: can't lock file '/var/lock/pve-manager/pve-storage-local-lvm' - got timeout")
    with pytest.raises(Told, match="already exists"):  # Proxmox VE takes away what a clone that failed had begun; this one does not
        proxmox.apply(MACHINE, machine(clone=[{"vm_id": 9000, "retries": 2}]))
    assert served.cluster.paths.count("/nodes/pve1/qemu/9000/clone") == 2


def test_a_resize_alone_is_begun_again_after_a_task_that_failed(proxmox: ShortTerraform, served: ServedCluster) -> None:
    """A storage may not know yet of a disk that has just been moved to it."""
    ended(served, "resize", 101, "volume 'local-lvm:vm-101-disk-0' does not exist")
    with pytest.raises(Told, match="does not exist"):
        proxmox.apply(MACHINE, machine())
    assert served.cluster.paths.count("/nodes/pve1/qemu/101/resize") == 5


@pytest.mark.parametrize("call", ["status/stop", "migrate", "move_disk"])
def test_what_the_released_provider_asks_once_is_asked_once(proxmox: ShortTerraform, served: ServedCluster, call: str) -> None:
    state = proxmox.apply(MACHINE, machine(migrate=True))
    served.cluster.failing[("POST", f"/{call}")] = json_answer({"data": None}, 500, reason="got timeout")
    with pytest.raises(Told, match="got timeout"):
        if call == "status/stop":
            proxmox.destroy(MACHINE, state)
        elif call == "migrate":
            proxmox.apply(MACHINE, machine(migrate=True, node_name="pve2"), state)
        else:
            proxmox.apply(MACHINE, machine(migrate=True, disk=[disk(datastore_id="ceph-vm")]), state)
    assert [path for path in served.cluster.paths if path.endswith(call)] == [f"/nodes/pve1/qemu/101/{call}"]


@pytest.mark.parametrize(("retries", "tries"), [(1, 1), (3, 2)])
def test_a_busy_template_is_tried_again_as_often_as_asked(proxmox: ShortTerraform, served: ServedCluster, retries: int, tries: int) -> None:
    locked = "can't lock file '/var/lock/qemu-server/lock-9000.conf' - got timeout"
    served.cluster.failing_once[CLONE] = [json_answer({"data": None}, 500, reason=locked)]
    config = machine(clone=[{"vm_id": 9000, "retries": retries}])
    if tries == 1:
        with pytest.raises(Told, match="got timeout"):
            proxmox.apply(MACHINE, config)
    else:
        proxmox.apply(MACHINE, config)
    assert served.cluster.paths.count("/nodes/pve1/qemu/9000/clone") == tries


def test_a_half_made_machine_is_remembered_and_removed(folder: Folder, served: ServedCluster) -> None:
    served.cluster.failing[("PUT", "/resize")] = json_answer({"data": None}, 500, reason="storage 'local-lvm' is full")
    assert "is full" in folder.terraform("apply", "-auto-approve", expect=1)
    assert folder.state()[ADDRESS]["tainted"]
    assert 101 in served.cluster.vms
    served.cluster.failing.clear()
    assert "1 destroyed" in folder.terraform("destroy", "-auto-approve")
    assert 101 not in served.cluster.vms


def test_a_smaller_disk_is_refused_before_anything_is_changed(proxmox: ShortTerraform, served: ServedCluster) -> None:
    state = proxmox.apply(MACHINE, machine())
    served.cluster.calls.clear()
    with pytest.raises(Told, match=r"requested size \(30G\) is lower than current size \(40G\)") as told:
        proxmox.apply(MACHINE, machine(disk=[disk(size=30)]), state)
    assert not served.cluster.calls
    assert told.value.state == state


def test_a_template_larger_than_the_machine_is_refused(proxmox: ShortTerraform, served: ServedCluster) -> None:
    with pytest.raises(Told, match=r"requested size \(1G\) is lower than current size \(2G\)") as told:
        proxmox.apply(MACHINE, machine(disk=[disk(size=1)]))
    assert told.value.state, "the clone is there by then, and remembered"


def test_a_guest_without_an_address_is_waited_for_and_then_left(proxmox: ShortTerraform, served: ServedCluster) -> None:
    served.cluster.agent_addresses = False
    state = proxmox.apply(MACHINE, machine(agent=[{"enabled": True, "timeout": "500ms"}]))
    assert served.cluster.paths.count("/nodes/pve1/qemu/101/agent/network-get-interfaces") > 1
    assert state["ipv4_addresses"] == [["127.0.0.1"]]
    assert proxmox.warnings == ["The guest agent of VM 101 reported no address within 500ms."]


@pytest.mark.parametrize("status", [403, 500, 595])
def test_any_error_after_the_deletion_means_that_the_machine_is_gone(proxmox: ShortTerraform, served: ServedCluster, status: int) -> None:
    """A token whose right came from the machine's pool may not even look any more: the pool has forgotten the machine."""
    state = proxmox.apply(MACHINE, machine(started=False))
    before, after = json_answer({"data": {"status": "stopped"}}), json_answer({"data": None}, status, reason="no")
    served.cluster.failing_once[("GET", "/101/status/current")] = [before, after]
    proxmox.destroy(MACHINE, state)
    assert 101 not in served.cluster.vms


def test_a_machine_that_went_away_meanwhile_is_gone(proxmox: ShortTerraform, served: ServedCluster) -> None:
    state = proxmox.apply(MACHINE, machine(started=False))
    gone = "Configuration file 'nodes/pve1/qemu-server/101.conf' does not exist"
    served.cluster.failing[("DELETE", "/101/")] = json_answer({"data": None}, 500, reason=gone)
    proxmox.destroy(MACHINE, state)


def test_a_machine_that_does_not_go_away_is_told(proxmox: ShortTerraform, served: ServedCluster) -> None:
    state = proxmox.apply(MACHINE, machine())
    served.cluster.failing[("DELETE", "/101/")] = json_answer({"data": None})
    with pytest.raises(Told, match="failed to delete VM 101") as told:
        proxmox.destroy(MACHINE, state)
    assert told.value.state == state


# --- a template on one node, the machine on another -----------------------------------------------------------------------------

LOCAL_DISK = {"scsi0": "local-lvm:base-9000-disk-0,size=2G"}
SHARED_DISK = {"scsi0": "ceph-vm:base-9000-disk-0,size=2G", "ide2": "ceph-vm:vm-9000-cloudinit,media=cdrom"}
STRAIGHT = [("clone", {"target": "pve2"})]
MIGRATED = [("clone", {}), ("migrate", {"target": "pve2", "with-local-disks": "1"})]


@pytest.mark.parametrize(
    ("drives", "storage", "asked"),
    [
        (SHARED_DISK, None, STRAIGHT),
        (SHARED_DISK | {"ide3": "none,media=cdrom"}, None, STRAIGHT),
        (LOCAL_DISK, None, MIGRATED),
        (SHARED_DISK | {"ide2": "local-lvm:vm-9000-cloudinit,media=cdrom"}, None, MIGRATED),
        (SHARED_DISK | {"ide3": "local:iso/debian.iso,media=cdrom"}, None, MIGRATED),
        (SHARED_DISK | {"efidisk0": "local-lvm:base-9000-disk-1,efitype=4m,size=4M"}, None, MIGRATED),
        (SHARED_DISK, "ceph-vm", STRAIGHT),
        # Where it is to lie makes no difference: Proxmox reads the template on its own node.
        (LOCAL_DISK, "ceph-vm", MIGRATED),
    ],
)
def test_a_clone_goes_straight_to_another_node_only_when_all_of_its_template_is_shared(
    proxmox: ShortTerraform, served: ServedCluster, drives: dict[str, str], storage: str | None, asked: list[Any]
) -> None:
    served.cluster.vms[9000]["config"] |= drives
    lies_on = storage or drives["scsi0"].partition(":")[0]
    clone = {"vm_id": 9000, "node_name": "pve1"} | ({"datastore_id": storage} if storage else {})
    state = proxmox.apply(MACHINE, machine(node_name="pve2", clone=[clone], disk=[disk(datastore_id=lies_on)]))
    assert state["node_name"] == "pve2"
    base: dict[str, dict[str, str]] = {
        "clone": {"newid": "101", "full": "1", "name": "db-01"} | ({"storage": storage} if storage else {}),
        "migrate": {"targetstorage": storage} if storage else {},
    }
    posts = [(p.rpartition("/")[2], p, values) for method, p, values in served.cluster.calls if method == "POST"]
    assert [(name, values) for name, _, values in posts if name in base] == [(name, base[name] | more) for name, more in asked]
    assert all(path.startswith("/nodes/pve1/") for name, path, _ in posts if name in base)


def test_a_clone_whose_migration_fails_is_not_remembered(proxmox: ShortTerraform, served: ServedCluster) -> None:
    """Neither does the released provider: whoever carries out the plan has to look for what was left beside the template."""
    served.cluster.failing[("POST", "/migrate")] = json_answer({"data": None}, 500, reason="no route to host 'pve2'")
    with pytest.raises(Told, match="no route to host") as told:
        proxmox.apply(MACHINE, machine(node_name="pve2", clone=[{"vm_id": 9000, "node_name": "pve1"}]))
    assert told.value.state is None
    assert served.cluster.vms[101]["node"] == "pve1"


# --- changes, by hand and by configuration -------------------------------------------------------------------------------------


def test_a_vanished_machine_is_forgotten(proxmox: ShortTerraform, served: ServedCluster) -> None:
    state = proxmox.apply(MACHINE, machine())
    del served.cluster.vms[101]
    assert proxmox.read(MACHINE, state) is None
    proxmox.destroy(MACHINE, state)


def test_a_machine_stopped_by_hand_is_started(proxmox: ShortTerraform, served: ServedCluster) -> None:
    state = proxmox.apply(MACHINE, machine())
    served.cluster.vms[101]["status"] = "stopped"
    seen = proxmox.read(MACHINE, state)
    assert seen
    proxmox.apply(MACHINE, machine(), seen)
    assert served.cluster.vms[101]["status"] == "running"


RESTART = ["shutdown", "start"]
MEMORY_FORM = {"name": "db-01", "memory": "4096", "balloon": "0"}
CHANGES: list[tuple[dict[str, Any], dict[str, str], list[str]]] = [
    ({"tags": ["berth"]}, {"name": "db-01", "tags": "berth"}, []),
    (
        {"cpu": [{"cores": 8, "type": "host"}]},
        {"name": "db-01", "cores": "8", "cpu": "host", "sockets": "1", "numa": "0", "delete": "vcpus,cpulimit"},
        RESTART,
    ),
    ({"memory": [{"dedicated": 4096}]}, MEMORY_FORM, RESTART),
    ({"memory": [{"dedicated": 4096}], "reboot_after_update": False}, MEMORY_FORM, []),
    ({"memory": [{"dedicated": 16384}], "hotplug": "memory"}, {**MEMORY_FORM, "memory": "16384", "hotplug": "memory"}, []),
    ({"memory": [{"dedicated": 4096}], "started": False}, MEMORY_FORM, ["shutdown"]),
    ({"description": "of the shop"}, {"name": "db-01", "description": "of the shop"}, []),
    ({"on_boot": False}, {"name": "db-01", "onboot": "0"}, []),
    ({"protection": True}, {"name": "db-01", "protection": "1"}, []),
    ({"operating_system": [{"type": "l26"}]}, {"name": "db-01", "ostype": "l26"}, RESTART),
    ({"startup": [{"order": 3}]}, {"name": "db-01", "startup": "order=3"}, []),
    ({"serial_device": [{}]}, {"name": "db-01", "serial0": "socket"}, RESTART),
    ({"vga": [{"type": "qxl"}]}, {"name": "db-01", "vga": "type=qxl,memory=16"}, RESTART),
    # With the agent goes the way to ask the guest to shut down.
    ({"agent": []}, {"name": "db-01", "agent": "enabled=0,fstrim_cloned_disks=0,type=virtio"}, ["stop", "start"]),
    ({"started": False}, {"name": "db-01"}, ["shutdown"]),
    ({"disk": [disk(size=60)]}, {"name": "db-01", "scsi0": DISK_TEXT}, []),
    (
        {"disk": [disk(size=60, discard="ignore")]},
        {"name": "db-01", "scsi0": DISK_TEXT.replace("discard=on", "discard=ignore")},
        [],
    ),
    ({"disk": [disk(aio="native")]}, {"name": "db-01", "scsi0": DISK_TEXT.replace("io_uring", "native")}, RESTART),
    ({"disk": [disk(), disk(interface="scsi1", size=10)]}, {"name": "db-01"}, []),
    ({"network_device": [{"vlan_id": 30}]}, {"name": "db-01", "net0": NETWORK_TEXT}, []),
    (
        {"disk": [disk(size=60)], "memory": [{"dedicated": 4096}]},
        {**MEMORY_FORM, "scsi0": DISK_TEXT},
        RESTART,
    ),
]


@pytest.mark.parametrize(("change", "form", "power"), CHANGES)
def test_a_change_is_sent_and_settles(
    proxmox: ShortTerraform, served: ServedCluster, change: dict[str, Any], form: dict[str, str], power: list[str]
) -> None:
    state = proxmox.apply(MACHINE, machine())
    served.cluster.calls.clear()
    state = proxmox.apply(MACHINE, machine(**change), state)
    sent = [values for method, path, values in served.cluster.calls if method == "PUT" and path.endswith("/config")]
    assert sent[0] == form
    assert [path.rpartition("/")[2] for path in served.cluster.paths if "/status/" in path and "current" not in path] == power
    assert proxmox.changes(MACHINE, machine(**change), state) == set()


@pytest.mark.parametrize(("change", "form", "power"), CHANGES)
def test_the_plan_says_that_a_machine_restarts_when_it_does(
    proxmox: ShortTerraform, change: dict[str, Any], form: dict[str, str], power: list[str]
) -> None:
    before = proxmox.apply(MACHINE, machine())
    after = proxmox.plan(MACHINE, machine(**change), before).values
    planned = {"address": "db", "type": MACHINE, "change": {"actions": ["update"], "before": before, "after": after}}
    # For a new network the provider does not start it again; Berth does, after it.
    by_berth = before["network_device"] != after["network_device"]
    assert changes({"resource_changes": [planned]}, PROVIDER)[0].restarts == (power[1:] == ["start"] or by_berth)


def test_a_disk_that_cannot_grow_while_the_machine_runs_restarts_it_afterwards(proxmox: ShortTerraform, served: ServedCluster) -> None:
    state = proxmox.apply(MACHINE, machine(hotplug="network,usb"))
    served.cluster.calls.clear()
    proxmox.apply(MACHINE, machine(hotplug="network,usb", disk=[disk(size=60)]), state)
    writes = [path.rpartition("/")[2] for method, path, _ in served.cluster.calls if method != "GET"]
    assert writes == ["config", "resize", "config", "ping", "reboot"]


def test_a_disk_is_moved_while_the_machine_is_off(proxmox: ShortTerraform, served: ServedCluster) -> None:
    state = proxmox.apply(MACHINE, machine())
    served.cluster.calls.clear()
    proxmox.apply(MACHINE, machine(disk=[disk(datastore_id="ceph-vm")]), state)
    writes = [path.rpartition("/")[2] for method, path, _ in served.cluster.calls if method != "GET"]
    assert writes == ["config", "shutdown", "move_disk", "start"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"memory": [{"dedicated": 4096}], "disk": [disk(size=60)]}, "cannot resize disks while the VM is running"),
        ({"disk": [disk(datastore_id="ceph-vm")]}, "cannot move disks between datastores while the VM is running"),
    ],
)
def test_a_machine_that_may_not_be_restarted_is_told_what_needs_it(
    proxmox: ShortTerraform, served: ServedCluster, change: dict[str, Any], sentence: str
) -> None:
    state = proxmox.apply(MACHINE, machine(reboot_after_update=False))
    with pytest.raises(Told, match=sentence) as told:
        proxmox.apply(MACHINE, machine(reboot_after_update=False, **change), state)
    assert served.cluster.vms[101]["status"] == "running"
    assert told.value.state and told.value.state["disk"][0]["size"] == 40, "the state is what was found, not what was wanted"


def test_a_machine_that_may_not_be_restarted_is_told_that_it_waits_for_it(proxmox: ShortTerraform) -> None:
    state = proxmox.apply(MACHINE, machine(reboot_after_update=False))
    proxmox.apply(MACHINE, machine(reboot_after_update=False, memory=[{"dedicated": 4096}]), state)
    assert proxmox.warnings and "a reboot is required" in proxmox.warnings[0]


def test_what_is_given_up_is_deleted(proxmox: ShortTerraform, served: ServedCluster) -> None:
    more = machine(
        network_device=[{"vlan_id": 20}, {"vlan_id": 30}],
        disk=[disk(), disk(interface="scsi1", size=10)],
        serial_device=[{}],
        startup=[{"order": 3}],
        cpu=[{"cores": 4, "type": "x86-64-v2-AES", "limit": 2}],
        memory=[{"dedicated": 8192, "shared": 500}],
        description="of the shop",
    )
    state = proxmox.apply(MACHINE, more)
    assert proxmox.changes(MACHINE, more, state) == set()
    served.cluster.calls.clear()
    settled = proxmox.apply(MACHINE, machine(tags=[]), state)
    sent = next(values for method, path, values in served.cluster.calls if method == "PUT" and path.endswith("/config"))
    assert set(sent["delete"].split(",")) == {"net1", "scsi1", "serial0", "startup", "vcpus", "cpulimit", "shares", "description"}
    assert sent["tags"] == ""
    assert proxmox.changes(MACHINE, machine(tags=[]), settled) == set()


def test_a_change_of_the_login_renews_the_cloud_init_drive(proxmox: ShortTerraform, served: ServedCluster) -> None:
    state = proxmox.apply(MACHINE, machine())
    served.cluster.calls.clear()
    account = {"username": "root", "keys": ["ssh-ed25519 BBBB new@berth"]}
    config = machine()
    config["initialization"][0]["user_account"] = [account]
    state = proxmox.apply(MACHINE, config, state)
    writes = [(method, path.rpartition("/")[2]) for method, path, _ in served.cluster.calls if method != "GET"]
    assert writes == [("PUT", "config"), ("PUT", "cloudinit"), ("POST", "shutdown"), ("POST", "start")]
    assert served.cluster.vms[101]["config"]["ciuser"] == "root"
    assert proxmox.changes(MACHINE, config, state) == set()


def test_a_machine_is_imported_as_it_is(proxmox: ShortTerraform, served: ServedCluster) -> None:
    made = proxmox.apply(MACHINE, machine())
    adopted = proxmox.adopt(MACHINE, "pve1/101")
    for name in ("name", "vm_id", "cpu", "memory", "disk", "network_device", "ipv4_addresses", "initialization"):
        assert adopted[name] == made[name], name
    assert set(adopted["tags"]) == set(made["tags"])
    with pytest.raises(Told, match="A VM is imported as node/id"):
        proxmox.adopt(MACHINE, "101")


# --- what is configured --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"usb": [{"host": "1234:5678"}]}, "does not simulate `usb`"),
        ({"reboot": True}, "does not simulate `reboot`"),
        ({"disk": [disk(file_id="local:iso/x.img")]}, r"does not simulate `disk\.file_id`"),
        ({"disk": [disk(interface="floppy0")]}, "but it is 'floppy0'"),
    ],
)
def test_what_is_not_stood_in_for_is_refused(proxmox: ShortTerraform, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Told, match=sentence):
        proxmox.validate(MACHINE, machine(**change))


def test_a_machine_from_nothing_is_refused(proxmox: ShortTerraform, served: ServedCluster) -> None:
    with pytest.raises(Told, match="makes a VM only by cloning a template"):
        proxmox.apply(MACHINE, machine(clone=[]))
    assert not served.cluster.calls


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"api_token": "no token"}, "must be of the form user@realm!name=secret"),
        ({"endpoint": None}, "The cluster's address is not set"),
        ({"endpoint": "http://127.0.0.1:1/"}, "must be an address that begins with https://"),
        ({"insecure": True}, "always verifies certificates"),
        ({"min_tls": "1.0"}, "min_tls must be 1.3 or 1.2"),
    ],
)
def test_wrong_settings_are_told_in_sentences(
    proxmox: ShortTerraform, served: ServedCluster, config: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Told, match=sentence) as told:
        ShortTerraform(proxmox.provider, {"endpoint": served.url, "api_token": TOKEN} | config)
    assert "11111111-2222" not in str(told.value), "no message shows the token's secret"


def test_a_cluster_that_is_away_is_told(proxmox: ShortTerraform) -> None:
    away = ShortTerraform(proxmox.provider, {"endpoint": "https://127.0.0.1:1/", "api_token": TOKEN})
    with pytest.raises(Told, match=r"127\.0\.0\.1:1 cannot be reached"):
        away.apply(MACHINE, machine())


# --- whose world it is ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[tuple[str, Path, list[Request]]]:
    """A server whose certificate is in order, and whose authority is no simulated world's: address, CA and what it got."""
    seen: list[Request] = []

    def service(request: Request) -> Answer:
        seen.append(request)
        return json_answer({"data": []})

    ca, pem = foreign_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    server = Server(service, tls).start()
    yield f"https://127.0.0.1:{server.port}/", ca, seen
    server.stop()


def foreign_certificate(folder: Path) -> tuple[Path, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    made = authority.make_authority(folder / "foreign")
    key = serialization.load_pem_private_key((folder / "foreign" / "ca.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    made.server_tls("x")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Proxmox Virtual Environment")])
    now = dt.datetime.now(dt.UTC)

    def builder(subject: x509.Name, public: Any) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
        )

    import ipaddress

    ca = builder(name, key.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    own = ec.generate_private_key(ec.SECP256R1())
    # Its own name begins as a simulated one's does: only who issued it counts.
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cluster_sim proxmox")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    leaf = builder(subject, own.public_key()).add_extension(address, critical=False)
    ca_file, pem = folder / "foreign.pem", folder / "server.pem"
    ca_file.write_bytes(ca.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(private + leaf.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return ca_file, pem


def test_a_real_cluster_is_refused_and_hears_nothing(make_folder: Any, foreign: tuple[str, Path, list[Request]]) -> None:
    url, ca, seen = foreign
    settings = {"PROXMOX_VE_ENDPOINT": url, "PROXMOX_VE_API_TOKEN": TOKEN, "SSL_CERT_FILE": str(ca)}
    folder = make_folder(REQUIRED + recorded_machine(), **settings)
    folder.terraform("init")
    said = in_one_line(folder.terraform("apply", "-auto-approve", expect=1))
    assert "was issued by 'Proxmox Virtual Environment', not by a cluster_sim CA, so this is no simulated world." in said
    assert "Nothing was sent" in said
    assert not seen


def test_a_certificate_nobody_vouches_for_is_refused(make_folder: Any, foreign: tuple[str, Path, list[Request]]) -> None:
    url, _, seen = foreign
    folder = make_folder(REQUIRED + recorded_machine(), PROXMOX_VE_ENDPOINT=url, PROXMOX_VE_API_TOKEN=TOKEN)
    folder.terraform("init")
    said = in_one_line(folder.terraform("apply", "-auto-approve", expect=1))
    assert "is not trusted" in said
    assert "Set SSL_CERT_FILE to the CA file of the simulated world." in said
    assert not seen


def test_the_authority_is_known_by_the_same_name_on_both_sides() -> None:
    assert web.SUBJECT_PREFIX == authority.SUBJECT_PREFIX


# --- being stopped, and many at once -------------------------------------------------------------------------------------------


def wait_for(what: Any) -> None:
    ends = time.monotonic() + WAIT_S_MAX
    while not what():
        assert time.monotonic() < ends, f"not within {WAIT_S_MAX:.0f} seconds"
        time.sleep(0.02)


def test_ctrl_c_keeps_what_was_made(folder: Folder, served: ServedCluster) -> None:
    served.cluster.agent_addresses = False
    folder.write(REQUIRED + recorded_machine().replace('"5s"', '"15m"'))
    running = folder.start("apply", "-auto-approve")
    wait_for(lambda: any(path.endswith("network-get-interfaces") for _, path, _ in list(served.cluster.calls)))
    # To the whole group, as a terminal does.
    os.killpg(running.pid, signal.SIGINT)
    said = in_one_line(running.communicate(timeout=WAIT_S_MAX)[0])
    assert running.returncode == 1
    assert "asked to stop" in said
    assert folder.state()[ADDRESS]["tainted"]
    served.cluster.agent_addresses = True
    assert "1 destroyed" in folder.terraform("destroy", "-auto-approve")


def test_a_killed_terraform_leaves_no_provider_behind(folder: Folder, served: ServedCluster) -> None:
    served.cluster.agent_addresses = False
    folder.write(REQUIRED + recorded_machine().replace('"5s"', '"15m"'))
    running = folder.start("apply", "-auto-approve")
    wait_for(lambda: any(path.endswith("network-get-interfaces") for _, path, _ in list(served.cluster.calls)))
    children = subprocess.run(["ps", "--ppid", str(running.pid), "-o", "pid="], capture_output=True, text=True).stdout.split()
    assert children
    running.kill()
    running.wait()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))


def test_ten_machines_are_made_side_by_side(make_folder: Any, served: ServedCluster) -> None:
    main = recorded_machine().replace("vm_id           = 101", "vm_id           = 101 + count.index\n  count           = 10")
    folder = make_folder(REQUIRED + main, **served.settings)
    folder.terraform("init")
    served.cluster.clone_delay_s = 1.0
    folder.terraform("apply", "-auto-approve")
    asked = [path.rpartition("/")[2] for method, path, _ in served.cluster.calls if method in ("POST", "PUT")]
    assert asked[:2] == ["clone", "clone"], "a second one is asked for before the first is there to be configured"
    assert set(served.cluster.vms) == {9000, *range(101, 111)}
    folder.terraform("plan", "-detailed-exitcode")
