"""What a scan sees: the cluster, its figures now and in the past, storages and networks."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable
from typing import Any

import pytest

from cluster_sim.world import World
from tests.cluster_sim.proxmox.driver import SCAN, Driver, Refused, shipped


@pytest.fixture
def seen(four_nodes: World) -> Driver:
    return Driver(four_nodes, token=SCAN)


def _by(rows: list[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    return {row[key]: row for row in rows}


def test_the_resources_of_every_kind(seen: Driver) -> None:
    rows = _by(seen.get("/cluster/resources"), "id")
    assert {"node/pve1", "qemu/110", "storage/pve3/ceph-vm", "/pool/production", "sdn/pve1/lan"} <= set(rows)
    assert rows["storage/pve1/ceph-vm"]["disk"] == rows["storage/pve4/ceph-vm"]["disk"], "shared: the same on every node"
    assert (rows["storage/pve1/ceph-vm"]["shared"], rows["storage/pve1/local-lvm"]["shared"]) == (1, 0)
    assert rows["qemu/110"]["pool"] == "production"
    assert {r["type"] for r in seen.get("/cluster/resources", type="storage")} == {"storage"}


def test_a_node_s_figures_are_the_sum_of_its_guests(seen: Driver) -> None:
    node = _by(seen.get("/nodes"), "node")["pve1"]
    guests = [g for g in seen.get("/nodes/pve1/qemu") if g["status"] == "running"]
    busy_threads = sum(g["cpu"] * g["cpus"] for g in guests)
    assert node["cpu"] * node["maxcpu"] == pytest.approx(busy_threads, abs=0.02 * node["maxcpu"])
    assert node["mem"] > sum(g["mem"] for g in guests)
    assert node["maxmem"] == 128 * 2**30


def test_a_new_guest_shows_in_the_figures(pve: Driver) -> None:
    before = _by(pve.get("/nodes"), "node")["pve1"]["mem"]
    pve.clone(201, name="big")
    pve.put("/nodes/pve1/qemu/201/config", memory=16384)
    pve.end(pve.post("/nodes/pve1/qemu/201/status/start"))
    pve.clock.advance(10)
    assert _by(pve.get("/nodes"), "node")["pve1"]["mem"] - before > 4 * 2**30


def test_starting_more_than_fits_is_allowed_and_swaps(pve: Driver) -> None:
    for vmid in (201, 202):
        pve.clone(vmid, target="pve4", name=f"huge-{vmid}")
        pve.put(f"/nodes/pve4/qemu/{vmid}/config", memory=120 * 1024)
        assert pve.end(pve.post(f"/nodes/pve4/qemu/{vmid}/status/start")) == "OK"
    pve.clock.advance(10)
    status = pve.get("/nodes/pve4/status")
    assert status["swap"]["used"] > 0
    assert status["memory"]["free"] < 2 * 2**30


def test_the_status_of_a_node(seen: Driver) -> None:
    status = seen.get("/nodes/pve3/status")
    assert status["cpuinfo"] | {"cpus": 24, "cores": 12, "sockets": 1} == status["cpuinfo"]
    assert status["memory"]["used"] + status["memory"]["free"] == status["memory"]["total"] == 256 * 2**30
    assert all(isinstance(load, str) for load in status["loadavg"])
    assert status["pveversion"].startswith("pve-manager/9.2")
    assert 0 <= status["wait"] < 0.5


def test_a_silent_node_is_in_the_lists_without_figures() -> None:
    seen = Driver(shipped("one_node_silent"), token=SCAN)
    node = _by(seen.get("/nodes"), "node")["pve4"]
    assert node["status"] == "offline"
    assert not {"cpu", "mem", "maxmem", "maxcpu", "uptime"} & set(node)
    rows = _by(seen.get("/cluster/resources"), "id")
    assert (rows["qemu/140"]["status"], rows["qemu/140"]["name"]) == ("unknown", "backup-proxy")
    assert "cpu" not in rows["qemu/140"]
    assert rows["storage/pve4/ceph-vm"]["status"] == "unknown"
    status = _by(seen.get("/cluster/status"), "name")
    assert (status["pve4"]["online"], status["harbour"]["quorate"]) == (0, 1)
    with pytest.raises(Refused) as refused:
        seen.get("/nodes/pve4/status")
    assert (refused.value.status, refused.value.reason) == (595, "No route to host")


def test_the_cluster_has_a_name_and_quorum(seen: Driver) -> None:
    cluster, *nodes = seen.get("/cluster/status")
    assert (cluster["type"], cluster["name"], cluster["nodes"], cluster["quorate"]) == ("cluster", "harbour", 4, 1)
    assert [n["nodeid"] for n in nodes] == [1, 2, 3, 4]
    assert sum(n["local"] for n in nodes) == 1


def test_a_single_host_has_no_cluster_row() -> None:
    rows = Driver(shipped("one_node")).get("/cluster/status")
    assert [row["type"] for row in rows] == ["node"]


# The past


@pytest.mark.parametrize(
    ("timeframe", "points", "step_s"),
    [("hour", 60, 60), ("day", 1440, 60), ("week", 336, 1800), ("month", 1440, 1800), ("year", 1440, 21600)],
)
def test_the_past_has_the_points_of_version_9(seen: Driver, timeframe: str, points: int, step_s: int) -> None:
    rows = seen.get("/nodes/pve1/rrddata", timeframe=timeframe)
    assert len(rows) == points
    assert {b["time"] - a["time"] for a, b in itertools.pairwise(rows)} == {step_s}
    assert seen.clock.now() - rows[-1]["time"] < step_s
    assert {"cpu", "iowait", "memtotal", "memused", "maxcpu", "pressureiosome", "netin"} <= set(rows[0])


def test_asking_twice_gives_the_same_past(four_nodes: World, seen: Driver) -> None:
    assert seen.get("/nodes/pve2/rrddata", timeframe="hour") == Driver(four_nodes, token=SCAN).get("/nodes/pve2/rrddata", timeframe="hour")


def test_the_day_has_its_rhythm(seen: Driver) -> None:
    rows = seen.get("/nodes/pve1/qemu/110/rrddata", timeframe="day")
    busy = [r["cpu"] for r in rows if 9 <= r["time"] / 3600 % 24 < 11]
    quiet = [r["cpu"] for r in rows if 21 <= r["time"] / 3600 % 24 < 23]
    assert statistics.mean(busy) > 2 * statistics.mean(quiet)
    assert max(r["cpu"] for r in rows) <= 1


def test_the_highest_is_above_the_mean(seen: Driver) -> None:
    mean = seen.get("/nodes/pve1/rrddata", timeframe="week", cf="AVERAGE")
    highest = seen.get("/nodes/pve1/rrddata", timeframe="week", cf="MAX")
    assert all(h["cpu"] >= m["cpu"] for h, m in zip(highest, mean, strict=True))
    assert sum(h["cpu"] for h in highest) > sum(m["cpu"] for m in mean)


def test_the_present_agrees_with_the_last_minutes(seen: Driver) -> None:
    last = seen.get("/nodes/pve1/rrddata", timeframe="hour")[-1]
    assert seen.get("/nodes/pve1/status")["cpu"] == pytest.approx(last["cpu"], rel=0.5)


def test_a_new_guest_has_no_past(pve: Driver) -> None:
    pve.clone(201, name="new")
    pve.end(pve.post("/nodes/pve1/qemu/201/status/start"))
    pve.clock.advance(180)
    rows = pve.get("/nodes/pve1/qemu/201/rrddata", timeframe="hour")
    assert "cpu" not in rows[0]
    assert "cpu" in rows[-1]


# Storages


def test_full_clones_and_growth_take_room_and_removal_gives_it_back(pve: Driver) -> None:
    def used() -> int:
        return int(pve.get("/nodes/pve1/storage/ceph-vm/status")["used"])

    start = used()
    pve.clone(201, name="a")
    assert used() - start == 3 * 2**30 + 4 * 2**20
    pve.end(pve.put("/nodes/pve1/qemu/201/resize", disk="scsi0", size="20G"))
    assert used() - start == 20 * 2**30 + 4 * 2**20
    pve.end(pve.delete("/nodes/pve1/qemu/201"))
    assert used() == start


def test_a_full_storage_ends_the_task_and_leaves_nothing() -> None:
    pve = Driver(shipped("full_storage"))
    assert pve.clone(201, name="fits") == "OK"
    end = pve.end(pve.put("/nodes/pve1/qemu/201/resize", disk="scsi0", size="20G"))
    assert "No space left on device" in end
    assert [pve.clone(202 + n, name=f"more-{n}") for n in range(3)][-1].startswith("clone failed: rbd create")
    assert 204 not in pve.cluster.guests
    status = pve.get("/nodes/pve1/storage/ceph-vm/status")
    assert status["used"] + status["avail"] == status["total"]


def test_storages_of_a_node(seen: Driver) -> None:
    rows = _by(seen.get("/nodes/pve1/storage"), "storage")
    assert set(rows) == {"local", "local-lvm", "ceph-vm", "nfs"}
    assert rows["ceph-vm"]["used_fraction"] == pytest.approx(rows["ceph-vm"]["used"] / rows["ceph-vm"]["total"])
    assert {r["storage"] for r in seen.get("/nodes/pve1/storage", content="images")} == {"local-lvm", "ceph-vm"}


SAN = {"type": "lvm", "content": ["images"], "total_gib": 900, "shared": True, "settings": {"vgname": "san"}}
BACKUPS = {"type": "pbs", "content": ["backup"], "total_gib": 9000, "settings": {"datastore": "main", "server": "10.10.0.6"}}
GUEST = {"name": "on-san", "node": "pve1", "memory_gib": 1, "disks": [{"storage": "san", "size_gib": 8}]}


def test_a_storage_is_shared_by_its_kind_or_because_somebody_says_so(changed: Callable[..., Driver]) -> None:
    pve = changed(
        storages={"san": SAN, "pbs": BACKUPS, "local-btrfs": {"type": "btrfs", "content": ["images"], "total_gib": 90}}, guests={150: GUEST}
    )
    rows = _by(pve.get("/nodes/pve2/storage"), "storage")
    assert {name: (rows[name]["type"], rows[name]["shared"]) for name in ("san", "pbs", "local-btrfs", "local-lvm")} == {
        "san": ("lvm", 1),
        "pbs": ("pbs", 1),
        "local-btrfs": ("btrfs", 0),
        "local-lvm": ("lvmthin", 0),
    }
    assert [one["volid"] for one in pve.get("/nodes/pve3/storage/san/content")] == ["san:vm-150-disk-0"], "any node sees it"


def test_content_has_true_sizes_and_owners(seen: Driver) -> None:
    rows = _by(seen.get("/nodes/pve1/storage/ceph-vm/content", content="images"), "volid")
    assert rows["ceph-vm:base-9000-disk-0"]["size"] == 3 * 2**30
    assert rows["ceph-vm:vm-111-disk-0"]["vmid"] == 111
    assert [r["content"] for r in seen.get("/nodes/pve2/storage/nfs/content")] == ["iso", "iso"]
    volume = seen.get("/nodes/pve1/storage/nfs/content/nfs:iso/debian-12.11.0-amd64-netinst.iso")
    assert (volume["format"], volume["path"]) == ("iso", "/mnt/pve/nfs/template/iso/debian-12.11.0-amd64-netinst.iso")


def test_a_missing_volume_is_missing_in_words_a_client_knows(seen: Driver) -> None:
    with pytest.raises(Refused, match="No such file or directory"):
        seen.get("/nodes/pve1/storage/ceph-vm/content/ceph-vm:vm-999-disk-0")


def test_a_file_arrives_from_an_address(pve: Driver) -> None:
    pve.cluster.access.roles |= {"BerthAll": pve.cluster.access.roles["Administrator"]}
    url = "https://images.example/debian.qcow2"
    size = pve.get("/nodes/pve1/query-url-metadata", url=url)["size"]
    upid = pve.post("/nodes/pve1/storage/nfs/download-url", content="import", filename="debian.qcow2", url=url)
    assert pve.end(upid) == "OK"
    assert {"volid": "nfs:import/debian.qcow2", "size": size} in [
        {k: r[k] for k in ("volid", "size")} for r in pve.get("/nodes/pve2/storage/nfs/content")
    ]
    upid = pve.post("/nodes/pve1/qemu", vmid=300, scsi0="ceph-vm:0,import-from=nfs:import/debian.qcow2")
    assert pve.end(upid) == "OK"
    upid = pve.delete("/nodes/pve1/storage/nfs/content/nfs:import/debian.qcow2")
    assert pve.end(upid) == "OK"


# Networks


def test_bridges_and_the_networks_on_them(seen: Driver) -> None:
    rows = _by(seen.get("/nodes/pve2/network"), "iface")
    bridge = rows["vmbr0"]
    assert (bridge["type"], bridge["bridge_vlan_aware"], bridge["cidr"], bridge["gateway"]) == (
        "bridge",
        1,
        "10.10.0.12/24",
        "10.10.0.1",
    )
    assert isinstance(bridge["priority"], int)
    vnets = _by(seen.get("/cluster/sdn/vnets"), "vnet")
    assert {name: v["tag"] for name, v in vnets.items()} == {"net10": 10, "net20": 20, "net30": 30}
    assert (
        seen.get("/cluster/sdn/vnets/net20/subnets")[0] | {"cidr": "10.20.0.0/24", "gateway": "10.20.0.1"}
        == seen.get("/cluster/sdn/vnets/net20/subnets")[0]
    )
    assert seen.get("/cluster/sdn/zones")[0]["type"] == "vlan"
    assert {r["iface"] for r in seen.get("/nodes/pve1/network", type="any_bridge")} == {"vmbr0", "net10", "net20", "net30"}
    tags = {seen.get(f"/nodes/{g['node']}/qemu/{g['vmid']}/config").get("net0", "") for g in seen.get("/cluster/resources", type="vm")}
    assert any("tag=20" in net for net in tags)


def test_what_a_monitoring_exporter_asks_with_its_default_options(pve: Driver) -> None:
    """Of prometheus-pve-exporter 3.10.2."""
    assert {"vmid": 110, "name": "intranet", "type": "qemu"} in pve.get("/cluster/backup-info/not-backed-up")
    assert pve.get("/nodes/pve1/subscription")["status"] == "notfound"
    assert pve.get("/nodes/pve1/replication") == []
    assert [s["name"] for s in pve.get("/nodes/pve1/qemu/110/snapshot")] == ["current"]


def test_pending_changes_have_the_types_of_the_configuration(pve: Driver) -> None:
    rows = {r["key"]: r for r in pve.get("/nodes/pve1/qemu/110/pending")}
    assert (rows["cores"]["value"], rows["memory"]["value"]) == (4, "8192")


def test_a_storage_that_is_not_there_is_a_wrong_parameter(pve: Driver) -> None:
    with pytest.raises(Refused) as refused:
        pve.get("/nodes/pve1/storage/nowhere/status")
    assert (refused.value.status, refused.value.errors) == (400, {"storage": "No such storage."})


def test_the_next_id_is_of_the_datacenters_own_range(changed: Callable[..., Driver]) -> None:
    pve = changed(options={"next-id": {"lower": 9001, "upper": 9004}})
    assert pve.get("/cluster/nextid") == "9003"
    pve.clone(9003)
    with pytest.raises(Refused, match="unable to get any free VMID in range"):
        pve.get("/cluster/nextid")


def test_nothing_is_cloned_without_a_quorum(changed: Callable[..., Driver]) -> None:
    pve = changed(faults=[{"silent": "pve3"}, {"silent": "pve4"}])
    with pytest.raises(Refused, match="cluster not ready - no quorum"):
        pve.post("/nodes/pve1/qemu/9000/clone", newid=201)


def test_a_node_in_maintenance_shows_in_resources_and_in_the_status_of_high_availability(changed: Callable[..., Driver]) -> None:
    pve = changed(nodes={"pve3": {"maintenance": True}}, ha={"vm:110": "started"})
    assert {r["node"]: r.get("hastate") for r in pve.get("/cluster/resources", type="node")}["pve3"] == "maintenance"
    status = {r["id"]: r["status"] for r in pve.get("/cluster/ha/status/current")}
    assert status["lrm:pve3"].startswith("pve3 (maintenance mode, ")
    assert status["lrm:pve1"].startswith("pve1 (active, ")
    assert status["master"].startswith("pve1 (active, ")
