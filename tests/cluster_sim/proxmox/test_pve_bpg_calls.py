"""The recorded calls of the released bpg/proxmox provider, replayed: every answer must be one it can go on with.

What the provider does with each answer (which types it reads, what it waits for) is from its sources, 0.111.1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster_sim.world import read_world
from tests.cluster_sim.proxmox.driver import WORLDS, Driver, Refused

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "bpg_calls.json").read_text())
VMID = "101"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[Driver, dict[str, list[tuple[dict[str, Any], Any]]]]:
    """All parts of the recording played in order, on a cluster with its template: part → request and answer's data."""
    file = tmp_path_factory.mktemp("world") / "recorded.yaml"
    template = {
        "name": "debian-12",
        "node": "pve1",
        "template": True,
        "memory_gib": 1,
        "disks": [{"storage": "local-lvm", "size_gib": 2}],
        "bridge": "vmbr0",
    }
    world = {"based_on": str(WORLDS / "four_nodes.yaml"), "proxmox": {"guests": {9000: None}}}
    file.write_text(yaml.safe_dump(world))
    (file.parent / "over.yaml").write_text(yaml.safe_dump({"proxmox": {"guests": {9000: template}}}))
    pve = Driver(read_world(file, file.parent / "over.yaml"))
    played: dict[str, list[tuple[dict[str, Any], Any]]] = {}
    upid = ""
    for part in ("create", "refresh", "update", "destroy"):
        played[part] = []
        for request in RECORDED[part]:
            path = request["path"].replace("<UPID>", upid)
            if path.endswith(f"{upid}/status") and upid:
                assert pve.end(upid) == "OK"
            if "network-get-interfaces" in path:
                # The provider asks once a second until the agent answers.
                pve.clock.advance(3)
            last_of_all = part == "destroy" and request is RECORDED[part][-1]
            if last_of_all:
                with pytest.raises(Refused) as gone:
                    pve.call("GET", path)
                played[part].append((request, gone.value))
                continue
            data = pve.call(request["method"], path, request.get("form"), query=request.get("query"))
            if isinstance(data, str) and data.startswith("UPID:"):
                upid = data
            played[part].append((request, data))
    return pve, played


def answers(story: Any, part: str, method: str, end: str) -> list[Any]:
    found = [data for request, data in story[1][part] if request["method"] == method and request["path"].endswith(end)]
    assert found, (part, method, end)
    return found


@pytest.mark.parametrize(
    ("part", "method", "end"),
    [
        ("create", "POST", "/clone"),
        ("create", "PUT", "/resize"),
        ("create", "POST", "/status/start"),
        ("update", "POST", "/status/shutdown"),
        ("update", "PUT", "/resize"),
        ("update", "POST", "/status/start"),
        ("destroy", "POST", "/status/stop"),
        ("destroy", "DELETE", "/qemu/101/"),
    ],
)
def test_work_answers_with_a_upid_the_provider_can_read(story: Any, part: str, method: str, end: str) -> None:
    for upid in answers(story, part, method, end):
        assert re.fullmatch(r"UPID:pve1:[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:\w+:\d+:berth@pve!berth:", upid)


def test_changing_the_configuration_is_done_when_answered(story: Any) -> None:
    assert answers(story, "create", "PUT", "/config") == [None, None, None]


def test_a_second_plan_finds_what_the_first_apply_wrote(story: Any) -> None:
    config = answers(story, "refresh", "GET", "/config")[0]
    recorded = RECORDED["answers_that_satisfied_refresh"]["GET /nodes/pve1/qemu/101/config"]["data"]
    # Its own MAC, uuid and digest, and the extra lines every guest has; all else as in the answer that satisfied the provider.
    assert set(recorded) <= set(config)
    own = {"net0", "smbios1", "digest", "scsi0"}
    assert {k: config[k] for k in recorded if k not in own} == {k: v for k, v in recorded.items() if k not in own}
    assert {k: type(config[k]) for k in recorded} == {k: type(v) for k, v in recorded.items()}
    assert re.fullmatch(r"virtio=BC:24:11(:[0-9A-F]{2}){3},bridge=vmbr0,firewall=0,tag=20", config["net0"])
    assert set(config["scsi0"].split(",")) == set(recorded["scsi0"].split(","))
    assert config["scsi0"] == (
        "local-lvm:vm-101-disk-0,aio=io_uring,backup=1,cache=none,discard=on,iothread=1,replicate=1,size=40G,ssd=1"
    ), "Proxmox writes the options in alphabetical order"


def test_the_disk_has_its_true_size(story: Any) -> None:
    volume = answers(story, "refresh", "GET", "local-lvm:vm-101-disk-0")[0]
    assert volume["size"] == 40 * 2**30
    assert volume["format"] == "raw"


def test_the_status_has_the_types_the_provider_reads(story: Any) -> None:
    current = answers(story, "refresh", "GET", "/status/current")[0]
    recorded = RECORDED["answers_that_satisfied_refresh"]["GET /nodes/pve1/qemu/101/status/current"]["data"]
    optional = {"clipboard"}
    assert set(recorded) - optional <= set(current)
    numbers = (int, float)
    for key in set(recorded) - optional:
        both_numbers = isinstance(recorded[key], numbers) and isinstance(current[key], numbers)
        assert both_numbers or type(current[key]) is type(recorded[key]), key
    assert "lock" not in current
    assert all(type(current[k]) is int for k in ("vmid", "maxmem", "uptime", "pid", "cpus"))


def test_resources_have_the_keys_and_types_of_the_recording(story: Any) -> None:
    rows = {row["vmid"]: row for row in answers(story, "refresh", "GET", "/cluster/resources")[0]}
    recorded = {row["vmid"]: row for row in RECORDED["answers_that_satisfied_refresh"]["GET /cluster/resources"]["data"]}
    for vmid, row in recorded.items():
        assert set(row) <= set(rows[vmid])
    assert rows[101]["template"] == 0
    assert rows[9000]["template"] == 1
    assert rows[101]["tags"] == "berth;prod"


def test_the_agent_shows_an_address_on_the_network_of_the_tag(story: Any) -> None:
    interfaces = answers(story, "refresh", "GET", "/network-get-interfaces")[0]["result"]
    eth0 = next(i for i in interfaces if i["name"] != "lo")
    assert eth0["hardware-address"] == eth0["hardware-address"].lower()
    assert {"ip-address": "10.20.0.101", "ip-address-type": "ipv4", "prefix": 24} in eth0["ip-addresses"]


def test_more_memory_and_disk_after_a_restart(story: Any) -> None:
    *_, config = answers(story, "update", "GET", "/config")
    assert config["memory"] == "16384"
    assert ",size=60G," in config["scsi0"]
    *_, current = answers(story, "update", "GET", "/status/current")
    assert current["maxmem"] == 16384 * 2**20
    assert current["status"] == "running"


def test_the_mac_survives_the_update(story: Any) -> None:
    before = answers(story, "refresh", "GET", "/config")[0]["net0"]
    *_, after = answers(story, "update", "GET", "/config")
    assert after["net0"] == before


def test_after_destroy_the_guest_is_gone_in_the_words_the_provider_looks_for(story: Any) -> None:
    gone = answers(story, "destroy", "GET", "/status/current")[-1]
    assert gone.status == 500
    assert gone.reason == "Configuration file 'nodes/pve1/qemu-server/101.conf' does not exist"


def test_nothing_of_the_guest_stays(story: Any) -> None:
    pve: Driver = story[0]
    assert not [v for v in pve.cluster.volumes.values() if v.vmid == 101]
    assert 101 not in {row.get("vmid") for row in pve.get("/cluster/resources", type="vm")}


def test_a_clone_to_another_node_from_local_storage_goes_by_migration(pve: Driver) -> None:
    """What the provider does instead of `target`, when the template's disks are local: clone, migrate, configure."""
    assert pve.clone(201, template=9002, name="far") == "OK"
    upid = pve.post("/nodes/pve1/qemu/201/migrate", target="pve3", targetstorage="local-lvm", **{"with-local-disks": 1})
    assert pve.end(upid) == "OK"
    config = pve.get("/nodes/pve3/qemu/201/config")
    assert config["scsi0"] == "local-lvm:vm-201-disk-0,size=3G"
    assert "lock" not in config
    assert pve.get("/nodes/pve3/storage/local-lvm/content", vmid=201)
    assert not pve.get("/nodes/pve1/storage/local-lvm/content", vmid=201)


def test_a_clone_from_shared_storage_goes_straight_to_its_node(pve: Driver) -> None:
    assert pve.clone(201, name="far", target="pve4") == "OK"
    assert pve.get("/nodes/pve4/qemu/201/config")["ide2"] == "ceph-vm:vm-201-cloudinit,media=cdrom,size=4M"


def test_ten_clones_at_once_succeed_without_any_retry(pve: Driver) -> None:
    """Terraform's default parallelism. What runs into a time-out inside a task the provider does not try again."""
    upids = [pve.post("/nodes/pve1/qemu/9002/clone", newid=201 + n, full=1, name=f"web-{n}") for n in range(10)]
    assert [pve.end(u) for u in upids] == ["OK"] * 10
    assert len({pve.get(f"/nodes/pve1/qemu/{201 + n}/config")["net0"] for n in range(10)}) == 10


def test_a_slow_storage_makes_some_of_ten_clones_wait_in_vain(changed: Callable[..., Driver]) -> None:
    pve = changed(timing={"storage_lock_s": 3})
    upids = [pve.post("/nodes/pve1/qemu/9002/clone", newid=201 + n, full=1, name=f"web-{n}") for n in range(10)]
    ends = [pve.end(u) for u in upids]
    assert ends.count("OK") >= 3
    words = "clone failed: can't lock file '/var/lock/pve-manager/pve-storage-local-lvm' - got timeout"
    assert set(ends) == {"OK", words}
    left = {g for g in pve.cluster.guests if 200 < g < 220}
    assert len(left) == ends.count("OK"), "a failed clone leaves nothing behind"
    assert not pve.cluster.locks
