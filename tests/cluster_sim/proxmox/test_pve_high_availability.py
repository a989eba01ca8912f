"""High availability in its first form: resources and rules are kept, and the manager starts and stops what they ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cluster_sim.proxmox.access import Grant
from cluster_sim.proxmox.recovery import come_back, lose
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


def manage(pve: Driver, *vm_ids: int) -> None:
    """They become services, as a rule about them wants it."""
    for vm_id in vm_ids:
        pve.post("/cluster/ha/resources", sid=f"vm:{vm_id}")


def test_rules_of_both_kinds(pve: Driver) -> None:
    manage(pve, 110, 120, 121)
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
        ({"type": "resource-affinity", "resources": "vm:110,vm:111,vm:113,vm:120,vm:121", "affinity": "negative"}, "resources"),
        ({"type": "resource-affinity", "resources": "vm:110,vm:111", "affinity": "positive"}, "resources"),
        ({"type": "friendship", "resources": "vm:110"}, "type"),
        ({"type": "node-affinity", "resources": "vm:120,vm:121", "nodes": "pve1"}, "resources"),
        ({"type": "node-affinity", "resources": "vm:110,vm:111", "nodes": "pve1"}, "resources"),
        ({"type": "node-affinity", "resources": "vm:110", "nodes": "pve1:2,pve2"}, "resources"),
        ({"type": "resource-affinity", "resources": "vm:113,vm:120", "affinity": "positive"}, "resources"),
    ],
)
def test_a_rule_that_cannot_be(pve: Driver, form: dict[str, Any], field: str) -> None:
    manage(pve, 110, 111, 113, 120, 121)
    pve.post("/cluster/ha/rules", rule="apart", type="resource-affinity", affinity="negative", resources="vm:110,vm:111")
    pve.post("/cluster/ha/rules", rule="here", type="node-affinity", resources="vm:113", nodes="pve1:0,pve2")
    pve.post("/cluster/ha/rules", rule="there", type="node-affinity", resources="vm:120", nodes="pve3:2,pve2")
    with pytest.raises(Refused) as refused:
        pve.post("/cluster/ha/rules", rule="odd", **form)
    assert pve.get("/cluster/ha/rules/here")["nodes"] == "pve1,pve2"
    assert (refused.value.status, set(refused.value.errors)) == (400, {field})


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"type": "resource-affinity", "affinity": "negative", "resources": "vm:110,vm:777"}, "cannot use unmanaged resource(s) vm:777."),
        ({"type": "node-affinity", "resources": "vm:110", "nodes": "pve1,pve9"}, "cannot use non-existant node(s) pve9."),
    ],
)
def test_a_rule_of_what_is_not_there(pve: Driver, form: dict[str, Any], words: str) -> None:
    manage(pve, 110)
    with pytest.raises(Refused) as refused:
        pve.post("/cluster/ha/rules", rule="odd", **form)
    assert refused.value.reason == f"create ha rule failed: {words}"


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


SERVICES = {"vm:110": "pve1", "vm:111": "pve1", "vm:120": "pve2"}


def managed(pve: Driver) -> dict[str, tuple[str, str]]:
    """Of each service: where it is, and how."""
    rows = {r["sid"]: (r["node"], r["state"]) for r in pve.get("/cluster/ha/status/current") if r["type"] == "service"}
    running = {sid: pve.cluster.guests[int(sid.removeprefix("vm:"))].running for sid in rows}
    return {sid: (node, state if running[sid] or state != "started" else "off") for sid, (node, state) in rows.items()}


def lost(pve: Driver, *, node: str = "pve1", seconds: float) -> dict[str, tuple[str, str]]:
    for sid in SERVICES:
        if sid not in pve.cluster.ha.resources:
            pve.post("/cluster/ha/resources", sid=sid, state="started")
    pve.clock.advance(10)
    pve.cluster.settle()
    lose(pve.cluster, node)
    pve.clock.advance(seconds)
    return managed(pve)


def test_a_lost_node_is_fenced_and_its_services_run_elsewhere_after_two_minutes(pve: Driver) -> None:
    assert lost(pve, seconds=30)["vm:110"] == ("pve1", "off")
    pve.clock.advance(40)
    assert managed(pve)["vm:110"] == ("pve1", "fence")
    pve.clock.advance(40)
    assert managed(pve)["vm:110"] == ("pve1", "fence"), "the lock of its agent has not run out"
    pve.clock.advance(40)
    assert managed(pve) == {"vm:110": ("pve3", "started"), "vm:111": ("pve4", "started"), "vm:120": ("pve2", "started")}, "fewest services"
    assert pve.get("/nodes/pve3/qemu/110/status/current")["status"] == "running"
    assert pve.cluster.guests[113].node == "pve1", "whatever is not highly available stays where it was"


def test_who_is_back_in_time_is_not_fenced(pve: Driver) -> None:
    lost(pve, seconds=100)
    come_back(pve.cluster, "pve1")
    pve.clock.advance(60)
    assert managed(pve)["vm:110"] == ("pve1", "started")


@pytest.mark.parametrize(
    ("rules", "node"),
    [
        ([{"type": "node-affinity", "resources": "vm:110", "nodes": "pve4:2,pve2:1"}], "pve4"),
        ([{"type": "node-affinity", "resources": "vm:110", "nodes": "pve1,pve2", "strict": 1}], "pve2"),
        ([{"type": "node-affinity", "resources": "vm:110", "nodes": "pve1", "strict": 0}], "pve2"),
        ([{"type": "resource-affinity", "resources": "vm:110,vm:120", "affinity": "positive"}], "pve2"),
        ([{"type": "resource-affinity", "resources": "vm:110,vm:120", "affinity": "negative"}], "pve3"),
        ([{"type": "resource-affinity", "resources": "vm:110,vm:120", "affinity": "negative", "disable": 1}], "pve2"),
    ],
)
def test_rules_say_where_a_service_is_recovered(pve: Driver, rules: list[dict[str, Any]], node: str) -> None:
    manage(pve, 110, 120, 130, 140)  # one service on each of the nodes that stay
    for number, rule in enumerate(rules):
        pve.post("/cluster/ha/rules", rule=f"rule-{number}", **rule)
    assert lost(pve, seconds=150)["vm:110"] == (node, "started")


def test_a_service_that_may_be_nowhere_else_waits_and_so_does_all_without_quorum(pve: Driver) -> None:
    manage(pve, 110)
    pve.post("/cluster/ha/rules", rule="here", type="node-affinity", resources="vm:110", nodes="pve1", strict=1)
    assert lost(pve, seconds=150)["vm:110"] == ("pve1", "recovery")
    lose(pve.cluster, "pve2")
    pve.clock.advance(300)
    assert managed(pve)["vm:120"] == ("pve2", "recovery"), "two of four nodes are no quorum"
    come_back(pve.cluster, "pve1")
    pve.clock.advance(60)
    assert managed(pve)["vm:110"] == ("pve1", "started") and managed(pve)["vm:120"][0] != "pve2"


def test_a_disk_that_only_the_lost_node_has_does_not_come_along(pve: Driver) -> None:
    pve.post("/cluster/ha/resources", sid="vm:112", state="started")
    assert lost(pve, seconds=150)["vm:112"][1] == "off"
    [task] = [t for t in pve.cluster.agenda.tasks.values() if t.id == "112" and t.kind == "qmstart"]
    assert str(task.exitstatus).startswith("volume 'local-lvm:vm-112-disk-0' does not exist")


def test_a_world_says_when_a_node_dies_and_is_back(changed: Callable[..., Driver]) -> None:
    pve = changed(faults=[{"silent": "pve2", "after_s": 60, "for_s": 600}], ha={"vm:120": "started"})

    def seen() -> str:
        return str({n["node"]: n["status"] for n in pve.get("/nodes")}["pve2"])

    assert seen() == "online"
    pve.clock.advance(100)
    assert seen() == "offline"
    pve.clock.advance(150)
    node, state = managed(pve)["vm:120"]
    assert node != "pve2" and state == "started"
    pve.clock.advance(500)
    assert seen() == "online"
