"""A guest's life: clone, configuration, disks, power, agent, template, removal."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster_sim.proxmox.driver import Driver, Refused

MADE = "/nodes/pve1/qemu/201"


@pytest.fixture
def made(pve: Driver) -> Driver:
    assert pve.clone(201, name="web-1") == "OK"
    return pve


def test_a_clone_is_locked_while_it_is_made_and_the_loser_of_a_race_is_told(pve: Driver) -> None:
    upid = pve.post("/nodes/pve1/qemu/9000/clone", newid=201, full=1)
    assert pve.get(f"{MADE}/status/current")["lock"] == "clone"
    with pytest.raises(Refused) as refused:
        pve.post("/nodes/pve1/qemu/9000/clone", newid=201, full=1)
    assert refused.value.reason == "unable to create VM 201: config file already exists"
    with pytest.raises(Refused) as locked:
        pve.put(f"{MADE}/config", memory=1024)
    assert locked.value.reason == "VM is locked (clone)"
    assert pve.end(upid) == "OK"
    assert "lock" not in pve.get(f"{MADE}/status/current")


def test_a_clone_has_what_must_be_its_own(made: Driver) -> None:
    template, clone = made.get("/nodes/pve1/qemu/9000/config"), made.get(f"{MADE}/config")
    for key in ("smbios1", "vmgenid", "net0", "scsi0", "ide2"):
        assert template[key] != clone[key], key
    assert "template" not in clone
    assert clone["ide2"] == "ceph-vm:vm-201-cloudinit,media=cdrom,size=4M"
    same = set(template) - {"smbios1", "vmgenid", "net0", "scsi0", "ide2", "template", "name", "digest"}
    assert {k: template[k] for k in same} == {k: clone[k] for k in same}


def test_a_clone_without_a_name_says_of_what(pve: Driver) -> None:
    pve.clone(201)
    assert pve.get(f"{MADE}/config")["name"] == "Copy-of-VM-debian-12"


def test_a_linked_clone_takes_no_room_and_keeps_its_template(pve: Driver) -> None:
    before = pve.get("/nodes/pve1/storage/ceph-vm/status")["used"]
    assert pve.end(pve.post("/nodes/pve1/qemu/9000/clone", newid=201)) == "OK"
    after = pve.get("/nodes/pve1/storage/ceph-vm/status")["used"]
    assert after - before == 4 * 2**20, "the cloud-init drive only"
    assert pve.get(f"{MADE}/config")["scsi0"] == "ceph-vm:base-9000-disk-0/vm-201-disk-0,size=3G"
    pve.cluster.access.roles |= {"BerthAll": pve.cluster.access.roles["Administrator"]}
    assert pve.end(pve.delete("/nodes/pve1/qemu/9000")) == "base volume 'ceph-vm:base-9000-disk-0' is still in use by linked cloned"


@pytest.mark.parametrize(
    ("template", "form", "words"),
    [
        (9002, {"target": "pve2"}, "can't clone VM to node 'pve2' (VM uses local storage)"),
        (9000, {"target": "pve2", "storage": "local-lvm"}, "can't clone to non-shared storage 'local-lvm'"),
        (9000, {"full": 0, "storage": "ceph-vm"}, "parameter 'storage' not allowed for linked clones"),
        (9000, {"storage": "nowhere"}, "storage 'nowhere' does not exist"),
        (112, {"full": 0}, "Linked clone feature is not supported for 'local-lvm:vm-112-disk-0' (scsi0)"),
    ],
)
def test_what_cannot_be_cloned(pve: Driver, template: int, form: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused) as refused:
        pve.post(f"/nodes/pve1/qemu/{template}/clone", **({"newid": 201, "full": 1} | form))
    assert refused.value.reason == words


def test_a_template_with_its_cloud_init_drive_on_local_storage_stays_on_its_node(changed: Callable[..., Driver]) -> None:
    pve = changed(guests={9000: {"cloud_init": "local-lvm"}})
    with pytest.raises(Refused, match="uses local storage"):
        pve.post("/nodes/pve1/qemu/9000/clone", newid=201, full=1, target="pve2")


def test_a_guest_is_only_on_its_own_node(pve: Driver) -> None:
    with pytest.raises(Refused, match=r"nodes/pve2/qemu-server/110\.conf"):
        pve.get("/nodes/pve2/qemu/110/config")


def test_next_id_is_free_and_reserves_nothing(pve: Driver) -> None:
    assert pve.get("/cluster/nextid") == "101"
    assert pve.get("/cluster/nextid") == "101"
    assert pve.get("/cluster/nextid", vmid=500) == "500"
    with pytest.raises(Refused) as refused:
        pve.get("/cluster/nextid", vmid=110)
    assert (refused.value.status, refused.value.errors) == (400, {"vmid": "VM 110 already exists"})


# Configuration


def test_what_is_deleted_and_not_there_is_no_mistake(made: Driver) -> None:
    assert made.put(f"{MADE}/config", delete="net1,net31,serial3,scsi7") is None


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"delete": "colour"}, 400, "unknown option 'colour'"),
        ({"delete": "memory", "memory": 1024}, 400, "you can't use '-memory' and -delete memory' at the same time"),
        ({"digest": "0" * 40, "memory": 1024}, 500, "checksum mismatch (file change by other user?)"),
        ({}, 500, "no options specified"),
        ({"scsi1": "nowhere:8"}, 500, "storage 'nowhere' does not exist"),
        ({"scsi1": "ceph-vm:vm-999-disk-9"}, 500, "volume 'ceph-vm:vm-999-disk-9' does not exist"),
        ({"memory": 1024, "scsi1": "ceph-vm:8", "scsi2": "nowhere:8"}, 500, "storage 'nowhere' does not exist"),
        ({"scsi1": "local:8"}, 400, "storage 'local' does not support vm images"),
        ({"net0": "bridge=vmbr0"}, 400, "invalid format - missing key in comma-separated list property: model"),
        ({"balloon": 99999}, 500, "balloon value too large (must be smaller than assigned memory)"),
        ({"args": "-device x"}, 500, "only root can set 'args' config"),
        ({"serial0": "/dev/ttyS0"}, 500, "only root can set 'serial0' config"),
        ({"skiplock": 1, "memory": 1024}, 400, "Only root may use this option."),
        ({"sshkeys": "ssh-ed25519 AAAA not encoded"}, 400, "invalid format - invalid urlencoded string"),
    ],
)
def test_what_cannot_be_configured(made: Driver, form: dict[str, Any], status: int, words: str) -> None:
    before = made.get(f"{MADE}/config")
    with pytest.raises(Refused) as refused:
        made.put(f"{MADE}/config", **form)
    assert refused.value.status == status
    assert words in (refused.value.reason, *(e.rstrip("\n") for e in refused.value.errors.values()))
    assert made.get(f"{MADE}/config") == before
    assert len([v for v in made.cluster.volumes.values() if v.vmid == 201]) == 2, "its disk and its cloud-init drive"


def test_a_cloud_init_drive_is_made_anew_under_its_own_name(made: Driver) -> None:
    made.put(f"{MADE}/config", delete="ide2")
    assert not [v for v in made.cluster.volumes.values() if v.name == "vm-201-cloudinit"]
    made.put(f"{MADE}/config", ide2="file=local-lvm:cloudinit,")
    assert made.get(f"{MADE}/config")["ide2"] == "local-lvm:vm-201-cloudinit,media=cdrom,size=4M"
    with pytest.raises(Refused, match='Logical Volume "vm-201-cloudinit" already exists'):
        made.put(f"{MADE}/config", ide3="local-lvm:cloudinit")


def test_a_card_keeps_the_address_it_is_given_or_gets_one(made: Driver) -> None:
    made.put(f"{MADE}/config", net0="model=virtio,bridge=vmbr0,tag=20", net1="e1000=bc:24:11:aa:bb:cc,tag=30,bridge=vmbr0,firewall=1")
    config = made.get(f"{MADE}/config")
    assert re.fullmatch(r"virtio=BC:24:11(:[0-9A-F]{2}){3},bridge=vmbr0,tag=20", config["net0"])
    assert config["net1"] == "e1000=BC:24:11:AA:BB:CC,bridge=vmbr0,firewall=1,tag=30"


def test_tags_are_sorted_and_a_password_is_never_shown(made: Driver) -> None:
    made.put(f"{MADE}/config", tags="web,Prod;web", cipassword="secret")
    config = made.get(f"{MADE}/config")
    assert config["tags"] == "prod;web"
    assert config["cipassword"] == "**********"
    assert "secret" not in str(made.get(f"{MADE}/pending"))


def test_a_size_given_in_bytes_is_ignored_for_the_true_one(made: Driver) -> None:
    made.put(f"{MADE}/config", scsi0="file=ceph-vm:vm-201-disk-0,size=1,iothread=1,discard=on")
    assert made.get(f"{MADE}/config")["scsi0"] == "ceph-vm:vm-201-disk-0,discard=on,iothread=1,size=3G"


def test_a_new_disk_and_what_becomes_of_it(made: Driver) -> None:
    made.put(f"{MADE}/config", scsi1="ceph-vm:8,discard=on")
    assert made.get(f"{MADE}/config")["scsi1"] == "ceph-vm:vm-201-disk-1,discard=on,size=8G"
    made.put(f"{MADE}/config", delete="scsi1")
    assert made.get(f"{MADE}/config")["unused0"] == "ceph-vm:vm-201-disk-1"
    made.put(f"{MADE}/config", delete="unused0")
    assert len([v for v in made.cluster.volumes.values() if v.vmid == 201]) == 2


def test_memory_of_a_running_guest_waits_for_a_restart(made: Driver) -> None:
    made.end(made.post(f"{MADE}/status/start"))
    made.put(f"{MADE}/config", memory=4096, onboot=1)
    assert made.get(f"{MADE}/config")["memory"] == "4096"
    assert made.get(f"{MADE}/config", current=1)["memory"] == "2048"
    assert made.get(f"{MADE}/config", current=1)["onboot"] == 1
    assert {"key": "memory", "value": "2048", "pending": "4096"} in made.get(f"{MADE}/pending")
    assert made.get(f"{MADE}/status/current")["maxmem"] == 2048 * 2**20
    assert made.end(made.post(f"{MADE}/status/reboot")) == "OK"
    assert made.get(f"{MADE}/status/current")["maxmem"] == 4096 * 2**20


def test_a_change_with_the_right_digest_is_taken(made: Driver) -> None:
    digest = made.get(f"{MADE}/config")["digest"]
    made.put(f"{MADE}/config", digest=digest, memory=1024)
    assert made.get(f"{MADE}/config")["digest"] != digest


def test_a_change_by_post_is_a_task(made: Driver) -> None:
    assert made.end(made.post(f"{MADE}/config", memory=1024)) == "OK"
    assert made.get(f"{MADE}/config")["memory"] == "1024"
    assert made.end(made.post(f"{MADE}/config", digest="0" * 40, memory=2048)) == "checksum mismatch (file change by other user?)"


# Disks


@pytest.mark.parametrize(
    ("form", "end", "size"),
    [
        ({"disk": "scsi0", "size": "42949672960"}, "OK", "40G"),
        ({"disk": "scsi0", "size": "+10G"}, "OK", "13G"),
        ({"disk": "scsi0", "size": "3584M"}, "OK", "3584M"),
        ({"disk": "scsi0", "size": "3G"}, "OK", "3G"),
        ({"disk": "scsi0", "size": "1G"}, "shrinking disks is not supported", "3G"),
        ({"disk": "scsi9", "size": "1G"}, "disk 'scsi9' does not exist", "3G"),
        ({"disk": "ide2", "size": "1G"}, "you can't resize a cdrom", "3G"),
        (
            {"disk": "scsi0", "size": "90T"},
            "rbd resize 'vm-201-disk-0' error: rbd: resize error: (28) No space left on device",
            "3G",
        ),
    ],
)
def test_growing_a_disk(made: Driver, form: dict[str, Any], end: str, size: str) -> None:
    upid = made.put(f"{MADE}/resize", **form)
    assert ":resize:201:" in upid
    assert made.end(upid) == end
    assert made.get(f"{MADE}/config")["scsi0"] == f"ceph-vm:vm-201-disk-0,size={size}"


def test_moving_a_disk_to_another_storage(made: Driver) -> None:
    assert made.end(made.post(f"{MADE}/move_disk", disk="scsi0", storage="local-lvm", delete=1)) == "OK"
    assert made.get(f"{MADE}/config")["scsi0"] == "local-lvm:vm-201-disk-0,size=3G"
    assert not made.get("/nodes/pve1/storage/ceph-vm/content", vmid=201)[1:], "only the cloud-init drive is left there"


# Power


@pytest.mark.parametrize(
    ("path", "call", "end"),
    [
        ("/nodes/pve1/qemu/9000", "start", "you can't start a vm if it's a template"),
        ("/nodes/pve1/qemu/110", "start", "VM 110 already running"),
        ("/nodes/pve4/qemu/143", "shutdown", "VM 143 not running"),
        ("/nodes/pve4/qemu/143", "stop", "OK"),
        ("/nodes/pve4/qemu/143", "start", "OK"),
    ],
)
def test_what_is_wrong_with_a_start_shows_in_how_its_task_ends(pve: Driver, path: str, call: str, end: str) -> None:
    assert pve.end(pve.post(f"{path}/status/{call}")) == end


def test_a_running_guest_is_not_removed(pve: Driver) -> None:
    with pytest.raises(Refused) as refused:
        pve.delete("/nodes/pve1/qemu/110")
    assert refused.value.reason == "VM 110 is running - destroy failed"


def test_a_protected_guest_is_not_removed(made: Driver) -> None:
    made.put(f"{MADE}/config", protection=1)
    with pytest.raises(Refused) as refused:
        made.delete(MADE)
    assert refused.value.reason == "can't remove VM 201 - protection mode enabled"


def test_a_guest_under_high_availability_starts_a_little_later(made: Driver) -> None:
    made.cluster.access.roles |= {"BerthAll": made.cluster.access.roles["Administrator"]}
    made.post("/cluster/ha/resources", sid="vm:201", state="stopped")
    upid = made.post(f"{MADE}/status/start")
    assert ":hastart:" in upid
    assert made.end(upid) == "OK"
    assert made.get(f"{MADE}/status/current")["status"] == "stopped"
    made.clock.advance(15)
    assert made.get(f"{MADE}/status/current")["status"] == "running"
    with pytest.raises(Refused, match="used in HA resources and purge parameter not set"):
        made.delete(MADE)


# The agent


def test_the_agent_answers_only_when_the_guest_has_booted(made: Driver) -> None:
    interfaces = f"{MADE}/agent/network-get-interfaces"
    made.put(f"{MADE}/config", net0="virtio,bridge=vmbr0,tag=30")
    with pytest.raises(Refused, match="VM 201 is not running"):
        made.get(interfaces)
    made.end(made.post(f"{MADE}/status/start"))
    with pytest.raises(Refused, match="QEMU guest agent is not running"):
        made.get(interfaces)
    made.clock.advance(5)
    addresses = [a["ip-address"] for i in made.get(interfaces)["result"] for a in i["ip-addresses"]]
    assert "10.30.0.201" in addresses
    made.put(f"{MADE}/config", agent=0)
    made.end(made.post(f"{MADE}/status/reboot"))
    with pytest.raises(Refused, match="No QEMU guest agent configured"):
        made.post(f"{MADE}/agent/ping")


def _address(pve: Driver, vmid: int, **config: str) -> list[str]:
    pve.clone(vmid, name=f"vm-{vmid}")
    pve.put(f"/nodes/pve1/qemu/{vmid}/config", **config)
    pve.end(pve.post(f"/nodes/pve1/qemu/{vmid}/status/start"))
    pve.clock.advance(5)
    rows = pve.get(f"/nodes/pve1/qemu/{vmid}/agent/network-get-interfaces")["result"]
    return [f"{a['ip-address']}/{a['prefix']}" for i in rows[1:] for a in i["ip-addresses"] if a["ip-address-type"] == "ipv4"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"net0": "virtio,bridge=vmbr0,tag=20"}, ["10.20.0.201/24"]),
        ({"net0": "virtio,bridge=net20"}, ["10.20.0.201/24"]),
        ({"net0": "virtio,bridge=vmbr0,tag=10", "ipconfig0": "ip=10.10.0.77/24,gw=10.10.0.1"}, ["10.10.0.77/24"]),
        ({"net0": "virtio,bridge=vmbr0,tag=99"}, []),
    ],
)
def test_where_an_address_comes_from(pve: Driver, config: dict[str, str], expected: list[str]) -> None:
    assert _address(pve, 201, **config) == expected


def test_two_guests_never_share_an_address(pve: Driver) -> None:
    first = _address(pve, 201, net0="virtio,bridge=vmbr0,tag=20")
    assert first != _address(pve, 1201, net0="virtio,bridge=vmbr0,tag=20")


def test_a_guest_keeps_its_address_over_a_restart(pve: Driver) -> None:
    first = _address(pve, 1201, net0="virtio,bridge=vmbr0,tag=20")
    pve.end(pve.post("/nodes/pve1/qemu/1201/status/reboot"))
    pve.clock.advance(5)
    assert first[0].split("/")[0] in str(pve.get("/nodes/pve1/qemu/1201/agent/network-get-interfaces"))


# Templates and new guests


def test_a_template_is_made_of_a_guest_and_cloned_again(made: Driver) -> None:
    assert made.end(made.post(f"{MADE}/template")) == "OK"
    config = made.get(f"{MADE}/config")
    assert (config["template"], config["scsi0"]) == (1, "ceph-vm:base-201-disk-0,size=3G")
    assert made.clone(202, template=201) == "OK"


def test_a_guest_from_nothing(pve: Driver) -> None:
    upid = pve.post("/nodes/pve2/qemu", vmid=300, name="empty", memory=1024, scsi0="ceph-vm:10", net0="virtio,bridge=vmbr0,tag=20")
    assert pve.end(upid) == "OK"
    assert pve.get("/nodes/pve2/qemu/300/config")["scsi0"] == "ceph-vm:vm-300-disk-0,size=10G"
    with pytest.raises(Refused) as refused:
        pve.post("/nodes/pve1/qemu", vmid=300)
    assert refused.value.reason == "unable to create VM 300 - VM 300 already exists on node 'pve2'"


def test_a_guest_that_cannot_be_made_leaves_nothing(pve: Driver) -> None:
    upid = pve.post("/nodes/pve2/qemu", vmid=300, scsi0="ceph-vm:10", scsi1="ceph-vm:90000")
    assert "No space left on device" in pve.end(upid)
    assert 300 not in pve.cluster.guests
    assert not [v for v in pve.cluster.volumes.values() if v.vmid == 300]


def test_moving_a_running_guest(pve: Driver) -> None:
    with pytest.raises(Refused, match="can't migrate running VM without --online"):
        pve.post("/nodes/pve1/qemu/110/migrate", target="pve2")
    assert pve.end(pve.post("/nodes/pve1/qemu/110/migrate", target="pve2", online=1)) == "OK"
    assert pve.get("/nodes/pve2/qemu/110/status/current")["status"] == "running"
    local = pve.end(pve.post("/nodes/pve1/qemu/112/migrate", target="pve2", online=1))
    assert "can't migrate local disk 'local-lvm:vm-112-disk-0'" in local


def test_a_running_guest_keeps_its_address_on_another_network_until_it_is_started_again(made: Driver) -> None:
    def address() -> str:
        cards = made.get(f"{MADE}/agent/network-get-interfaces")["result"]
        return str(next(card for card in cards if card["name"] == "eth0")["ip-addresses"][0]["ip-address"])

    def restart() -> None:
        assert made.end(made.post(f"{MADE}/status/shutdown")) == "OK"
        assert made.end(made.post(f"{MADE}/status/start")) == "OK"
        made.clock.advance(60)

    made.put(f"{MADE}/config", agent=1, net0="virtio,bridge=vmbr0,tag=20")
    assert made.end(made.post(f"{MADE}/status/start")) == "OK"
    made.clock.advance(60)
    before = address()
    card = made.get(f"{MADE}/config")["net0"]
    made.put(f"{MADE}/config", net0=card.replace("tag=20", "tag=30"))
    assert address() == before
    restart()
    assert address().split(".")[1] != before.split(".")[1]


@pytest.mark.parametrize(
    ("cpu", "end"),
    [
        ("host", "OK"),
        ("x86-64-v2", "OK"),
        ("x86-64-v2-AES", "start failed: QEMU exited with code 1"),
        ("cputype=x86-64-v3", "start failed: QEMU exited with code 1"),
    ],
)
def test_a_guest_starts_only_with_a_processor_that_its_node_can_give(changed: Callable[..., Driver], cpu: str, end: str) -> None:
    old = changed(nodes={"pve4": {"flags": "pni popcnt sse4_1 sse4_2 ssse3"}})
    old.put("/nodes/pve4/qemu/143/config", cpu=cpu)
    assert old.end(old.post("/nodes/pve4/qemu/143/status/start")) == end
