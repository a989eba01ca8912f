"""Bad days: faults of a world file strike when they should, and only then."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster_sim.proxmox.driver import Driver, Refused, shipped


def test_an_answer_fails_the_second_time_only(changed: Callable[..., Driver]) -> None:
    pve = changed(faults=[{"when": "GET /nodes/*/qemu/110/config", "nth": 2, "status": 596, "reason": "Connection timed out"}])
    pve.get("/nodes/pve1/qemu/110/config")
    with pytest.raises(Refused) as refused:
        pve.get("/nodes/pve1/qemu/110/config")
    assert (refused.value.status, refused.value.reason) == (596, "Connection timed out")
    pve.get("/nodes/pve1/qemu/110/config")


def test_an_answer_may_be_lost_though_what_was_asked_is_done(changed: Callable[..., Driver]) -> None:
    lost = {"when": "POST /nodes/pve1/qemu/9000/clone", "nth": 1, "status": 596, "reason": "Connection timed out", "done": True}
    pve = changed(faults=[lost])
    with pytest.raises(Refused) as refused:
        pve.post("/nodes/pve1/qemu/9000/clone", newid=201, full=1)
    assert refused.value.status == 596 and 201 in pve.cluster.guests
    with pytest.raises(Refused, match="already exists"):
        pve.post("/nodes/pve1/qemu/9000/clone", newid=201, full=1)


def test_a_request_may_come_twice_and_the_second_ones_answer_is_heard(changed: Callable[..., Driver]) -> None:
    pve = changed(faults=[{"twice": "POST /nodes/*/clone", "nth": 1}])
    with pytest.raises(Refused, match="already exists"):
        pve.post("/nodes/pve1/qemu/9000/clone", newid=201, full=1)
    assert 201 in pve.cluster.guests
    pve.post("/nodes/pve1/qemu/9000/clone", newid=202, full=1)


def test_a_node_may_hang_while_it_is_still_called_online(changed: Callable[..., Driver]) -> None:
    pve = changed(faults=[{"when": "* /nodes/pve4/*", "status": 596, "reason": "Connection timed out"}])
    assert {n["node"]: n["status"] for n in pve.get("/nodes")}["pve4"] == "online"
    with pytest.raises(Refused) as refused:
        pve.post("/nodes/pve4/qemu/143/status/start")
    assert refused.value.status == 596
    pve.get("/nodes/pve3/status")


def test_a_task_ends_badly_when_it_should(changed: Callable[..., Driver]) -> None:
    pve = changed(faults=[{"task": "qmclone", "nth": [1, 3], "node": "pve1", "exitstatus": "disk went away"}])
    assert [pve.clone(201 + n, name=f"a{n}") for n in range(4)] == [
        "clone failed: disk went away",
        "OK",
        "clone failed: disk went away",
        "OK",
    ]
    assert {202, 204} < set(pve.cluster.guests)
    assert not {201, 203} & set(pve.cluster.guests), "what was half made is gone"
    assert not [v for v in pve.cluster.volumes.values() if v.vmid in (201, 203)]
    assert not pve.cluster.locks


def test_the_log_of_a_failed_task_says_what_and_ends_with_the_error(changed: Callable[..., Driver]) -> None:
    pve = changed(faults=[{"task": "qmclone", "nth": 1, "exitstatus": "disk went away"}])
    upid = pve.post("/nodes/pve1/qemu/9000/clone", newid=201, full=1)
    pve.end(upid)
    rows = pve.get(f"/nodes/pve1/tasks/{upid}/log")
    assert [r["n"] for r in rows] == list(range(1, len(rows) + 1))
    assert rows[0]["t"] == "creating a clone of VM 9000 with ID 201"
    assert rows[-1]["t"] == "TASK ERROR: clone failed: disk went away"


def test_slow_answers_come_late_and_others_do_not() -> None:
    pve = Driver(shipped("slow"))
    assert pve.answer("GET", "/nodes/pve1/storage").delay_s == 2
    assert pve.answer("GET", "/nodes").delay_s == 0


def test_a_lock_goes_by_itself() -> None:
    pve = Driver(shipped("template_locked"))
    with pytest.raises(Refused) as refused:
        pve.post("/nodes/pve1/qemu/9000/clone", newid=201, full=1)
    assert (refused.value.status, refused.value.reason) == (500, "VM is locked (backup)")
    pve.clock.advance(26)
    assert pve.clone(201) == "OK"


def test_a_task_can_be_stopped(pve: Driver) -> None:
    upid = pve.post("/nodes/pve1/qemu/9000/clone", newid=201, full=1)
    pve.delete(f"/nodes/pve1/tasks/{upid}")
    assert pve.status(upid)["exitstatus"] == "received interrupt"
    pve.clock.advance(10)
    assert pve.get("/cluster/nextid", vmid=201) == "201", "the clone is cleaned up"


def test_tasks_are_listed_newest_first_and_filtered(pve: Driver) -> None:
    pve.clone(201)
    pve.end(pve.post("/nodes/pve1/qemu/201/status/start"))
    running = pve.post("/nodes/pve1/qemu/201/status/stop")
    rows = pve.get("/nodes/pve1/tasks")
    assert [r["type"] for r in rows] == ["qmstart", "qmclone"]
    assert all(r["status"] == "OK" for r in rows)
    assert [r["upid"] for r in pve.get("/nodes/pve1/tasks", source="active")] == [running]
    assert [r["type"] for r in pve.get("/nodes/pve1/tasks", source="all", vmid=9000)] == ["qmclone"]
    assert [r["type"] for r in pve.get("/nodes/pve1/tasks", typefilter="qmstart")] == ["qmstart"]
    assert pve.get("/cluster/tasks")[0]["upid"] == running


@pytest.mark.parametrize("pace", [1.0, 20.0])
def test_a_faster_world_does_the_same_in_less_time(pace: float) -> None:
    pve = Driver(shipped("four_nodes"), pace=pace)
    upid = pve.post("/nodes/pve1/qemu/9000/clone", newid=201, full=1)
    begun = pve.clock.now()
    for _ in range(1000):
        if pve.status(upid)["status"] == "stopped":
            break
        pve.clock.advance(0.01)
    assert (pve.clock.now() - begun) * pace == pytest.approx(2.9, abs=0.3 * max(1, pace / 10))
