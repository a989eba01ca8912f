"""High availability in its first form: resources and rules are kept, and the manager starts and stops what they ask for."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_sim.proxmox.access import Grant
from cluster_sim.world import World
from tests.cluster_sim.proxmox.driver import Driver, Refused


@pytest.fixture
def pve(four_nodes: World) -> Driver:
    pve = Driver(four_nodes)
    pve.cluster.access.grants.append(Grant("/", "berth@pve", "Administrator"))
    return pve


def test_a_resource_is_kept_changed_and_removed(pve: Driver) -> None:
    pve.post("/cluster/ha/resources", sid="vm:110", state="started", max_restart=2, comment="web")
    resource = pve.get("/cluster/ha/resources/vm:110")
    assert {k: resource[k] for k in ("sid", "type", "state", "max_restart", "comment")} == {
        "sid": "vm:110",
        "type": "vm",
        "state": "started",
        "max_restart": 2,
        "comment": "web",
    }
    assert pve.get("/cluster/ha/resources/110")["sid"] == "vm:110", "a bare number is a VM"
    assert pve.get("/nodes/pve1/qemu/110/status/current")["ha"] == {"managed": 1}
    pve.put("/cluster/ha/resources/vm:110", state="ignored", delete="comment")
    assert "comment" not in pve.get("/cluster/ha/resources/vm:110")
    assert {r["id"]: r for r in pve.get("/cluster/resources", type="vm")}["qemu/110"]["hastate"] == "ignored"
    pve.delete("/cluster/ha/resources/vm:110")
    with pytest.raises(Refused, match="no such resource 'vm:110'"):
        pve.get("/cluster/ha/resources/vm:110")


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"sid": "vm:777"}, "unable to find VM '777'"),
        ({"sid": "vm:110", "group": "all"}, "invalid parameter 'group': ha groups have been migrated to rules"),
        ({"sid": "vm:111"}, "resource ID 'vm:111' already defined"),
    ],
)
def test_a_resource_that_cannot_be(pve: Driver, form: dict[str, Any], words: str) -> None:
    pve.post("/cluster/ha/resources", sid="vm:111")
    with pytest.raises(Refused) as refused:
        pve.post("/cluster/ha/resources", **form)
    assert refused.value.reason == words


def test_groups_are_gone(pve: Driver) -> None:
    with pytest.raises(Refused, match="ha groups have been migrated to rules"):
        pve.get("/cluster/ha/groups")


def test_rules_of_both_kinds(pve: Driver) -> None:
    pve.post("/cluster/ha/rules", rule="apart", type="resource-affinity", affinity="negative", resources="vm:120,121")
    pve.post("/cluster/ha/rules", rule="near", type="node-affinity", nodes="pve1:2,pve2", resources="vm:110", strict=1)
    rules = {r["rule"]: r for r in pve.get("/cluster/ha/rules")}
    assert rules["apart"]["resources"] == "vm:120,vm:121"
    assert (rules["near"]["nodes"], rules["near"]["strict"]) == ("pve1:2,pve2", 1)
    assert [r["rule"] for r in pve.get("/cluster/ha/rules", resource="vm:121")] == ["apart"]
    pve.put("/cluster/ha/rules/apart", type="resource-affinity", disable=1)
    assert pve.get("/cluster/ha/rules/apart")["disable"] == 1
    pve.delete("/cluster/ha/rules/apart")
    with pytest.raises(Refused, match="no such ha rule 'apart'"):
        pve.get("/cluster/ha/rules/apart")


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"type": "node-affinity", "resources": "vm:110"}, "nodes"),
        ({"type": "resource-affinity", "resources": "vm:110,vm:111"}, "affinity"),
        ({"type": "resource-affinity", "resources": "vm:110", "affinity": "negative"}, "resources"),
        ({"type": "node-affinity", "resources": "vm:110", "nodes": "pve9"}, "nodes"),
        ({"type": "friendship", "resources": "vm:110"}, "type"),
    ],
)
def test_a_rule_that_cannot_be(pve: Driver, form: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        pve.post("/cluster/ha/rules", rule="odd", **form)
    assert (refused.value.status, set(refused.value.errors)) == (400, {field})


def test_the_manager_does_what_a_resource_asks(pve: Driver) -> None:
    pve.post("/cluster/ha/resources", sid="vm:143", state="started")
    pve.clock.advance(20)
    assert pve.get("/nodes/pve4/qemu/143/status/current")["status"] == "running"
    pve.put("/cluster/ha/resources/vm:143", state="stopped")
    pve.clock.advance(20)
    assert pve.get("/nodes/pve4/qemu/143/status/current")["status"] == "stopped"
    assert {"qmstart", "qmshutdown"} == {t["type"] for t in pve.get("/nodes/pve4/tasks")}
    rows = pve.get("/cluster/ha/status/current")
    assert {r["type"] for r in rows} == {"quorum", "master", "lrm", "service"}


def test_least_privilege_cannot_touch_it(four_nodes: World) -> None:
    with pytest.raises(Refused, match=r"Permission check failed \(/, Sys.Console\)"):
        Driver(four_nodes).post("/cluster/ha/resources", sid="vm:110")
