"""World files: those that come along can be, and those that cannot be are refused with every reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster_sim.world import BadWorld, read_world
from tests.cluster_sim.proxmox.driver import WORLDS, Driver

PROXMOX_WORLDS = sorted(p for p in WORLDS.glob("*.yaml") if "proxmox:" in p.read_text())


@pytest.mark.parametrize("file", PROXMOX_WORLDS, ids=lambda p: p.stem)
def test_a_world_that_comes_along_can_be(file: Path) -> None:
    pve = Driver(read_world(file))
    assert pve.world.proxmox is not None
    assert pve.get("/version")["version"] == pve.world.proxmox.version
    assert pve.get("/cluster/resources", type="vm")
    assert len({g.config["net0"] for g in pve.cluster.guests.values() if "net0" in g.config}) == len(pve.cluster.guests)


IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"guests": {110: {"node": "pve9"}}}, "Guest 110 (intranet) is to be on node 'pve9', which the cluster does not have."),
    ({"guests": {9000: {"running": True}}}, "Guest 9000 (debian-12) is a template and runs; templates never run."),
    (
        {"guests": {99: {"name": "low", "node": "pve1", "memory_gib": 1}}},
        "Guest 99 (low) has a number that Proxmox does not give",
    ),
    ({"guests": {110: {"cores": 64}}}, "Guest 110 (intranet) runs with 64 vCPUs on node pve1, which has 32 threads"),
    ({"guests": {110: {"name": "two words"}}}, "Guest 110 (two words) cannot have that name: it must be a DNS name."),
    ({"guests": {110: {"address": "10.20.0.11"}}}, "2 guests have the address 10.20.0.11."),
    (
        {"guests": {110: {"address": "10.30.0.9"}}},
        "has the address 10.30.0.9, which is not in the subnet of its network, 10.20.0.0/24.",
    ),
    ({"guests": {110: {"bridge": "vmbr7"}}}, "is on bridge 'vmbr7', which is neither a bridge of the nodes nor a vnet."),
    ({"guests": {110: {"lock": "love"}}}, "is locked for 'love'"),
    (
        {"guests": {110: {"disks": [{"storage": "nfs", "size_gib": 1}]}}},
        "has a disk on storage nfs, which is not set up for images.",
    ),
    ({"guests": {110: {"disks": []}}}, "Guest 110 (intranet) runs without a disk."),
    ({"storages": {"ceph-vm": {"total_gib": 1000}}}, "Storage ceph-vm has 1000 GiB, but its guests' disks take"),
    ({"storages": {"local-lvm": {"content": ["iso"]}}}, "Storage local-lvm is of type lvmthin, which cannot hold 'iso'"),
    (
        {"storages": {"local-lvm": {"nodes": ["pve1"]}}},
        "Guest 140 (backup-proxy) is on node pve4 and has a disk on storage local-lvm",
    ),
    ({"storages": {"local-lvm": {"shared": True}}}, "Storage local-lvm is of type lvmthin, which cannot be shared"),
    ({"nodes": {"pve1": {"threads": 33}}}, "Node pve1 has 33 threads, 16 cores and 1 sockets"),
    ({"nodes": {"pve1": {"address": "10.10.0.12"}}}, "2 nodes have the address 10.10.0.12"),
    ({"nodes": {"pve1": {"memory_base_gib": 500}}}, "Node pve1 needs 500 GiB for itself and has 128 GiB."),
    ({"networks": {"lab": {"tag": 20}}}, "2 networks have the VLAN tag 20 on bridge vmbr0."),
    ({"networks": {"lab": {"bridge": "vmbr7"}}}, "Network lab is on bridge 'vmbr7', which the cluster does not have."),
    ({"bridges": {"vmbr0": {"vids": "all"}}}, "Bridge vmbr0 lets through the tags 'all'; write numbers and ranges"),
    ({"bridges": {"vmbr1": {"nodes": ["pve9"]}}}, "Bridge vmbr1 is to be on node 'pve9', which the cluster does not have."),
    ({"networks": {"lab": {"subnet": "10.20.0.0/25"}}}, "Networks servers and lab share addresses"),
    ({"networks": {"lab": {"gateway": "10.99.0.1"}}}, "The gateway of network lab, 10.99.0.1, is not in its subnet"),
    (
        {"roles": {"Old": ["VM.Monitor"]}},
        "Role Old has the privilege 'VM.Monitor', which Proxmox VE 9.2 does not know (it went in",
    ),
    ({"roles": {"PVEAuditor": []}}, "Role PVEAuditor comes with Proxmox and cannot be changed."),
    ({"users": {"a@pve": {"tokens": {"x": {"secret": "short"}}}}}, "The secret of token a@pve!x is not a UUID"),
    ({"grants": [{"path": "/", "to": "nobody@pve", "role": "PVEAuditor"}]}, "to 'nobody@pve', which is no user, token"),
    (
        {"grants": [{"path": "/", "to": "scan@pve", "role": "Nothing"}]},
        "The role 'Nothing' is granted on /, but there is no such role.",
    ),
    ({"ready_token": "a@pve!x"}, "The ready line is to hand out the token 'a@pve!x', which this world does not have."),
    ({"pools": {"one": {"guests": [110]}}}, "Guest 110 is in the pools production and one; a guest is in one pool at most."),
    ({"pools": {"one": {"guests": [555]}}}, "Pool one has the guest 555, which the cluster does not have."),
    ({"ha": {"vm:9000": "started"}}, "High availability is to look after vm:9000, which is a template."),
    ({"faults": [{"silent": "pve9"}]}, "Node 'pve9' is to be silent, but the cluster does not have it."),
    ({"faults": [{"silent": f"pve{n}"} for n in (1, 2, 3, 4)]}, "Every node is to be silent: then nobody is left to answer."),
    ({"faults": [{"task": "qmfly", "exitstatus": "x"}]}, "A task of type 'qmfly' is to fail; Proxmox has"),
    ({"faults": [{"when": "clone", "reason": "x"}]}, "A fault is to strike 'clone'; write a method and a path"),
    ({"nodes": {"pve1": {"cores": "many"}}}, "proxmox.nodes.pve1.cores: input should be a valid integer"),
    ({"colour": "red"}, "proxmox.colour: extra inputs are not permitted (found 'red')."),
]


@pytest.mark.parametrize(("proxmox", "words"), IMPOSSIBLE, ids=lambda x: x[:40] if isinstance(x, str) else "")
def test_a_world_that_cannot_be_is_refused(tmp_path: Path, proxmox: dict[str, Any], words: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump({"based_on": str(WORLDS / "four_nodes.yaml"), "proxmox": proxmox}))
    with pytest.raises(BadWorld) as bad:
        read_world(file)
    assert any(words in problem for problem in bad.value.problems), bad.value.problems
    assert all(problem.endswith((".", "instead.")) for problem in bad.value.problems)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    wrong = {"guests": {110: {"node": "pve9"}, 111: {"lock": "love"}}, "ready_token": "a@pve!x"}
    file.write_text(yaml.safe_dump({"based_on": str(WORLDS / "four_nodes.yaml"), "proxmox": wrong, "colour": "red"}))
    with pytest.raises(BadWorld) as bad:
        read_world(file)
    assert len(bad.value.problems) == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("proxmox: [", "is not YAML"),
        ("- a", "must hold sections with names"),
        ("name: x", "The world is empty"),
        ("based_on: bad.yaml", "more than 8 files are based on one another"),
        ("proxmox:\n  seed: 1\n  seed: 2\n", "1 is there twice".replace("1", "'seed'")),
        ("based_on: nowhere.yaml", "There is no world file"),
    ],
)
def test_a_file_that_is_no_world(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(BadWorld) as bad:
        read_world(file)
    assert words in bad.value.problems[0]


def test_several_files_make_one_world(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("time: 4\nproxmox: {seed: 9}\n")
    world = read_world(WORLDS / "one_node_silent.yaml", WORLDS / "azure_subscription.yaml", tmp_path / "a.yaml")
    assert world.azure is not None
    assert world.time == 4
    assert world.proxmox is not None
    assert (world.proxmox.cluster, world.proxmox.seed) == ("harbour", 9)


def test_an_impossible_cloud_is_refused_with_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("azure: {subscriptions: []}\nproxmox: {ready_token: 'a@pve!x'}\n")
    with pytest.raises(BadWorld) as bad:
        read_world(WORLDS / "four_nodes.yaml", tmp_path / "a.yaml")
    assert len(bad.value.problems) >= 2
