"""A run, a change and a removal that are interrupted in the middle, against a cluster that stumbles: what exists stays, `retry` carries on,
`roll back` leads to what was before, and nothing is called done that is not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from cluster_sim.serve import Settings as ServeSettings
from cluster_sim.serve import open_world as open_cluster
from cluster_sim.world import read_world
from tools.clients.proxmox_removing import Removing
from tools.pipeline import carry_out, engine
from tools.pipeline.drifting import drift
from tools.pipeline.going_back import prepare_way_back
from tools.pipeline.prepare import prepare_removal
from tools.pipeline.steps import production
from tools.pipeline.world import MODULES, World
from tools.rules.plans.changes import Allowed
from tools.values.plan import Plan
from tools.values.run import Run
from tools.values.trouble import RequestProblem

from .builders import replaced, world_at
from .test_cluster import FOUR_NODES, TIMES_FASTER, a_plan, again, marks, started, told

Given = Callable[..., World]


@pytest.fixture
def stumbling(tmp_path: Path) -> Iterator[Given]:
    """A cluster with these faults, and an engine that carries out all that touches it."""
    with ExitStack() as stack:

        def given(*faults: dict[str, object]) -> World:
            content = {"name": "Stumbling", "based_on": str(FOUR_NODES), "proxmox": {"faults": list(faults)}}
            (tmp_path / "world.yaml").write_text(yaml.safe_dump(content))
            settings = ServeSettings(guests="none", folder=tmp_path / "cluster", time=TIMES_FASTER)
            ready = open_cluster(read_world(tmp_path / "world.yaml"), settings, stack)
            environment = {
                "BERTH_CA_FILE": str(ready["ca_file"]),
                "BERTH_PROVIDER_MIRROR": str(ready["mirror"]),
                "PROXMOX_VE_ENDPOINT": ready["proxmox"]["url"],
                "PROXMOX_VE_API_TOKEN": ready["proxmox"]["token"],
            }
            made = replace(world_at(tmp_path / "home", environment=environment), modules=MODULES, allowed=Allowed())
            real = ("recheck", "apply")
            engine.launch(made, tuple(step if step.name in real else replaced(step, lambda _work: {}) for step in production()))
            stack.callback(made.ledger.close)
            stack.callback(engine.close)
            return made

        yield given


def carried_out(world: World, plan: Plan) -> tuple[Run, str]:
    lines = told(world, started(world, plan))
    return carry_out.run_of(world, plan.run_id), "\n".join(lines)


def retried(world: World, run_id: str) -> tuple[Run, str]:
    lines = told(world, again(world, run_id))
    return carry_out.run_of(world, run_id), "\n".join(lines)


def failed(run: Run) -> str:
    assert run.status == "stopped"
    return next(step.summary for step in run.steps if step.status == "failed")


@pytest.mark.systems
@pytest.mark.timeout(900)  # Six plans, most of them begun twice: more than 300 s beside others.
def test_what_is_interrupted_is_carried_on_or_led_back_and_never_removed(stumbling: Given) -> None:
    world = stumbling(
        {"task": "qmstart", "nth": [1, 4], "exitstatus": "start failed: QEMU exited with code 1"},
        {"task": "qmshutdown", "nth": [3, 6], "exitstatus": "VM quit/powerdown failed - got timeout"},
    )
    cluster = Removing(world.settings)

    # One of two does not start: it alone is made anew.
    plan = a_plan(world, "pair-01", count="2")
    machines = world.ledger.plans.kept(plan.digest).manifest.parts[0].machines
    run, lines = carried_out(world, plan)
    assert "is switched off now" in failed(run), lines
    [off] = carry_out.switched_off(world, run.id)
    whole = next(one for one in machines if one.name not in off)
    before = marks(cluster, whole.vm_id)
    run, lines = retried(world, run.id)
    assert run.status == "done", lines
    assert marks(cluster, whole.vm_id) == before
    assert carry_out.switched_off(world, run.id) == ()
    assert drift(world, run.id) == (("virtual_machine", ()),)
    ids = {one.vm_id: marks(cluster, one.vm_id)["smbios1"] for one in machines}

    # A change switches both off, and one does not start again.
    change = a_plan(world, "pair-01", of=plan, count="2", memory="6 GB")
    run, lines = carried_out(world, change)
    [off] = carry_out.switched_off(world, run.id)
    assert off in failed(run), lines
    run, lines = retried(world, run.id)
    assert run.status == "done", lines
    assert seen(cluster, ids) == dict.fromkeys(ids, ("running", 6144, ()))

    # One is not shut down, so what is new waits, and Terraform's next plan is empty.
    change = a_plan(world, "pair-01", of=change, count="2", memory="8 GB")
    run, lines = carried_out(world, change)
    assert failed(run) and 6144 in {memory_mib for _, memory_mib, _ in seen(cluster, ids).values()}, lines
    run, lines = retried(world, run.id)
    assert run.status == "done", lines
    assert seen(cluster, ids) == dict.fromkeys(ids, ("running", 8192, ()))

    # The same again, and the way back: a larger disk stays, the third machine goes, and the first two are what they were.
    change = a_plan(world, "pair-01", of=change, count="3", memory="3 GB", disk="50 GB")
    run, lines = carried_out(world, change)
    assert failed(run), lines
    back, manifest, *_ = prepare_way_back(world, "pair-01", run.id, "carol", lambda _line: None)
    assert (back.kind, back.requester) == ("change", "carol"), "whoever asks for the way back does not approve it where others have to"
    assert not [
        one.name for part in back.parts for one in part.changes if one.action == "delete" and one.name in {m.name for m in machines}
    ]
    run, lines = carried_out(world, back)
    assert run.status == "done", lines
    assert seen(cluster, ids) == dict.fromkeys(ids, ("running", 8192, ()))
    assert {one.vm_id: marks(cluster, one.vm_id)["smbios1"] for one in machines} == ids
    assert [one.disk_gib for one in manifest.parts[0].machines] == [50, 50]
    assert cluster.find(max(ids) + 1) is None
    assert drift(world, run.id) == (("virtual_machine", ()),)

    # The run's folder is lost: what was made is known by id, name and tag.
    shutil.rmtree(world.run_folder(run.id))
    with pytest.raises(RequestProblem, match="record"):
        drift(world, run.id)
    with pytest.raises(RequestProblem, match="record"):
        a_plan(world, "pair-01", of=back, count="2", memory="4 GB", disk="50 GB")
    removal = prepare_removal(world, "pair-01", run.id, "ops")
    assert {one.name for one in removal.parts[0].changes} == {one.name for one in machines}
    assert carry_out.run_of(world, run.id).status == "done"
    run, lines = carried_out(world, removal)
    assert run.status == "removed", lines
    assert [cluster.find(vm_id) for vm_id in ids] == [None, None]


CLONE = "POST /nodes/*/qemu/9000/clone"


@pytest.mark.systems
@pytest.mark.parametrize(
    "fault",
    [{"when": CLONE, "nth": [1], "status": 596, "reason": "Connection timed out", "done": True}, {"twice": CLONE, "nth": [1]}],
    ids=["lost", "doubled"],
)
def test_what_was_begun_though_its_answer_was_lost_or_doubled_is_made_whole_once(stumbling: Given, fault: dict[str, object]) -> None:
    world = stumbling(fault)
    cluster, plan = Removing(world.settings), a_plan(world, "heard-01")
    [machine] = world.ledger.plans.kept(plan.digest).manifest.parts[0].machines
    run, lines = carried_out(world, plan)
    assert failed(run) and cluster.find(machine.vm_id), lines
    run, lines = retried(world, run.id)
    assert run.status == "done", lines
    assert drift(world, run.id) == (("virtual_machine", ()),)
    named = [one["vmid"] for one in cluster.read("cluster", "resources", type="vm") if one.get("name") == machine.name]
    assert named == [machine.vm_id], "one, and no other"


@pytest.mark.systems
def test_a_bad_day_of_a_clone_ends_in_one_machine(stumbling: Given) -> None:
    """Each time it is told, nothing is left behind, and `retry` goes on."""
    world = stumbling(
        {"when": CLONE, "nth": [1], "status": 599, "reason": "Too many redirections"},
        {"when": CLONE, "nth": [1], "status": 500, "reason": "can't lock file '/var/lock/qemu-server/lock-9000.conf' - got timeout"},
        {"task": "qmclone", "nth": [1], "exitstatus": "clone failed: qemu-img: error while writing sector: No space left on device"},
    )
    cluster, plan = Removing(world.settings), a_plan(world, "full-01")
    [machine] = world.ledger.plans.kept(plan.digest).manifest.parts[0].machines
    run, lines = carried_out(world, plan)
    for said in ("599", "No space left on device"):  # The provider itself tries again where something is locked.
        assert failed(run) and said in lines and cluster.find(machine.vm_id) is None, lines
        run, lines = retried(world, run.id)
    assert run.status == "done", lines
    assert drift(world, run.id) == (("virtual_machine", ()),)
    named = [one["vmid"] for one in cluster.read("cluster", "resources", type="vm") if one.get("name") == machine.name]
    assert named == [machine.vm_id], "one, and no other"


@pytest.mark.systems
def test_one_part_is_led_back_alone_and_the_others_stay_as_they_are(stumbling: Given) -> None:
    world = stumbling(
        {"task": "qmstart", "nth": [2], "exitstatus": "start failed: QEMU exited with code 1"},
        {"task": "qmdestroy", "nth": [3], "exitstatus": "unable to remove the disk"},
    )
    cluster, names = Removing(world.settings), ("left", "middle", "right")
    plan = a_plan(world, *names)
    vm_ids = {part.label: part.machines[0].vm_id for part in world.ledger.plans.kept(plan.digest).manifest.parts}
    run, lines = carried_out(world, plan)
    assert failed(run), lines
    [fallen] = {step.part for step in run.steps if step.status == "failed"}
    before = {name: marks(cluster, vm_ids[name]) for name in names if name != fallen}
    with pytest.raises(RequestProblem, match="no part of the run"):
        prepare_way_back(world, "left", run.id, "ops", lambda _line: None, "nothing-of-it")

    back = prepare_way_back(world, "left", run.id, "ops", lambda _line: None, fallen)
    assert (back.plan.kind, back.labels) == ("change", (fallen,))
    assert {change.action for part in back.plan.parts for change in part.changes} == {"delete"}
    run, lines = carried_out(world, back.plan)
    assert run.status == "done", lines
    assert {name: marks(cluster, vm_ids[name]) for name in before} == before
    assert cluster.find(vm_ids[fallen]) is None
    assert drift(world, run.id) == tuple((name, ()) for name in names if name != fallen)

    # The same label again is a machine like any other.
    again_there = a_plan(world, *names, of=back.plan)
    assert [change.action for part in again_there.parts for change in part.changes] == ["create"]
    run, lines = carried_out(world, again_there)
    assert run.status == "done", lines

    # A removal that stops half-way is led back to nothing less: what is gone already is not made again.
    run, lines = carried_out(world, prepare_removal(world, "left", run.id, "ops"))
    assert failed(run), lines
    [standing] = {step.part for step in run.steps if step.status == "failed"}
    with pytest.raises(RequestProblem, match=f"removal of {standing} was begun"):
        prepare_way_back(world, "left", run.id, "ops", lambda _line: None, next(name for name in names if name != standing))
    back = prepare_way_back(world, "left", run.id, "ops", lambda _line: None, standing)
    assert (back.plan.kind, [part.label for part in back.plan.parts]) == ("remove", [standing])
    run, lines = carried_out(world, back.plan)
    assert (run.status, [cluster.find(vm_id) for vm_id in vm_ids.values()]) == ("removed", [None] * 3), lines


def seen(cluster: Removing, vm_ids: object) -> dict[int, tuple[str, int, tuple[str, ...]]]:
    """By id: its status, its memory as it is now, and what waits for a restart."""
    assert isinstance(vm_ids, dict)
    found = {vm_id: cluster.here(vm_id) for vm_id in vm_ids}
    return {vm_id: (one.status, one.memory_mib, one.waiting) for vm_id, one in found.items() if one}
