"""The version of a world decides how it behaves, not only what it says of itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cluster_sim.world import BadWorld
from tests.cluster_sim.proxmox.driver import Driver, Refused

ROLES = {
    "BerthScan": ["VM.Audit", "VM.Monitor"],
    "BerthApply": ["VM.Audit"],
    "BerthAll": ["VM.Audit", "VM.Monitor", "Sys.Audit", "Sys.Console"],
}


@pytest.fixture
def eight(changed: Callable[..., Driver]) -> Driver:
    return changed(version="8.4.16", roles=ROLES)


def test_groups_are_of_8_and_rules_of_9(eight: Driver, pve: Driver) -> None:
    eight.post("/cluster/ha/groups", group="first", nodes="pve1:2,pve2", restricted=1)
    assert [(g["group"], g["restricted"]) for g in eight.get("/cluster/ha/groups")] == [("first", 1)]
    eight.post("/cluster/ha/resources", sid="vm:110", group="first")
    assert eight.get("/cluster/ha/resources/vm:110")["group"] == "first"
    with pytest.raises(Refused, match="unknown ha group 'second'"):
        eight.post("/cluster/ha/resources", sid="vm:111", group="second")
    with pytest.raises(Refused, match="ha group is used by service 'vm:110'"):
        eight.delete("/cluster/ha/groups/first")
    eight.put("/cluster/ha/groups/first", nodes="pve2,pve3", delete="restricted")
    assert "restricted" not in eight.get("/cluster/ha/groups/first") and eight.get("/cluster/ha/groups/first")["nodes"] == "pve2,pve3"
    eight.delete("/cluster/ha/resources/vm:110")
    eight.delete("/cluster/ha/groups/first")
    with pytest.raises(Refused, match="no such ha group 'first'"):
        eight.get("/cluster/ha/groups/first")
    with pytest.raises(Refused, match="501"):
        eight.get("/cluster/ha/rules")
    with pytest.raises(Refused, match="ha groups have been migrated to rules"):
        pve.get("/cluster/ha/groups/first")


def test_the_agent_is_asked_with_another_privilege(eight: Driver) -> None:
    assert "VM.Monitor" in eight.call("GET", "/access/permissions", query={"path": "/vms/110"})["/vms/110"]
    assert eight.get("/nodes/pve1/qemu/110/agent/network-get-interfaces")["result"]
    eight.cluster.access.roles["BerthAll"] -= {"VM.Monitor"}
    with pytest.raises(Refused, match=r"VM\.Monitor"):
        eight.get("/nodes/pve1/qemu/110/agent/network-get-interfaces")


def test_a_day_has_70_points_and_the_kernel_is_older(eight: Driver, pve: Driver) -> None:
    assert [len(one.get("/nodes/pve1/rrddata", timeframe="day")) for one in (eight, pve)] == [70, 1440]
    assert [one.get("/nodes/pve1/status")["current-kernel"]["release"][:3] for one in (eight, pve)] == ["6.8", "6.1"]


def test_a_world_of_8_has_no_privilege_of_9(changed: Callable[..., Driver]) -> None:
    with pytest.raises(BadWorld, match=r"which Proxmox VE 8\.4 does not know"):
        changed(version="8.4.16")
    with pytest.raises(BadWorld, match="versions 8 and 9 are simulated"):
        changed(version="7.4")
