"""What goes wrong, and the way on from there: failed steps, half-made things, cancelled runs, changed files, forged approvals."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tools.pipeline import carry_out, engine
from tools.pipeline.drifting import drift
from tools.pipeline.prepare import prepare, prepare_removal
from tools.pipeline.rechecking import recheck
from tools.pipeline.run_folder import move_in, moved_in
from tools.pipeline.steps import Action, Work
from tools.pipeline.world import World
from tools.rules.plans.changes import Allowed
from tools.values.manifest import Manifest, Part
from tools.values.plan import Estimate, Plan
from tools.values.run import Run
from tools.values.shapes import SHAPE
from tools.values.trouble import RequestProblem, WorldProblem
from tools.values.value import Json, Value

from .builders import counting, lines, manifest_of, part_named, planned, review_of, utc_now, world_at


def approve(world: World, plan: Plan) -> None:
    carry_out.approve(world, plan.digest, "ops", "approve it")


def carried_out(world: World, plan: Plan) -> Run:
    approve(world, plan)
    run_id = carry_out.start(world, plan.digest)
    return followed(world, run_id)


def followed(world: World, run_id: str) -> Run:
    for _ in carry_out.follow(world, run_id):
        pass
    return carry_out.run_of(world, run_id)


def failing(times: int, error: Exception, part: str = "web") -> Action:
    left = [times]

    def step(work: Work) -> Json:
        if work.part.label == part and left[0] > 0:
            left[0] -= 1
            raise error
        return {}

    return step


AWAY = WorldProblem("The guest does not answer.", "web-00 is silent.", "Say retry.", retryable=True)


def test_a_failed_step_stops_the_run_and_retry_goes_on_from_there(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects, configure=failing(1, AWAY)))
    run = carried_out(world, planned(world, manifest_of(part_named("web", effects))))
    assert run.status == "stopped"
    failed = next(step for step in run.steps if step.status == "failed")
    assert (failed.name, failed.summary, failed.remedy) == (
        "configure",
        "The guest does not answer. web-00 is silent.",
        "Say retry.",
    )
    assert [step.status for step in run.steps if step.name in ("verify", "guide")] == ["skipped", "skipped"]
    assert run.receipt is not None, "what exists is told"
    assert run.receipt.undo == f"remove {run.id}"

    carry_out.retry(world, run.id)
    run = followed(world, run.id)
    assert run.status == "done"
    assert lines(effects).count("made web-00") == 1


def test_something_half_made_needs_a_new_approval_and_can_be_rolled_back(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects))
    Path(f"{effects}.fail").touch()
    run = carried_out(world, planned(world, manifest_of(part_named("web", effects))))
    assert run.status == "stopped"
    assert "local-exec" in next(step for step in run.steps if step.status == "failed").summary

    carry_out.retry(world, run.id)
    run = followed(world, run.id)
    assert run.status == "stopped"
    assert "was not approved" in next(step for step in run.steps if step.status == "failed").summary

    removal = prepare_removal(world, "talk", run.id, "ops")
    assert [change.action for change in removal.parts[0].changes] == ["delete"]
    assert carried_out(world, removal).status == "removed"


def test_a_state_cut_short_by_a_full_disk_does_not_end_it(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects))
    fault = Path(f"{effects}.fail")
    fault.touch()
    run = carried_out(world, planned(world, manifest_of(part_named("web", effects))))
    state = world.run_folder(run.id) / "web" / "terraform.tfstate"
    state.write_bytes(state.read_bytes()[:100])
    fault.unlink()
    carry_out.retry(world, run.id)
    assert followed(world, run.id).status == "done"
    assert any("cut short" in line.text for line in world.ledger.runs.lines(run.id))


def test_a_state_saved_aside_is_taken_back(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects, configure=failing(0, AWAY)))
    part = part_named("web", effects, machines=2)
    fault = Path(f"{effects}.fail")
    fault.touch()
    run = carried_out(world, planned(world, manifest_of(part)))
    folder = world.run_folder(run.id) / "web"
    (folder / "terraform.tfstate").rename(folder / "errored.tfstate")
    fault.unlink()
    carry_out.retry(world, run.id)
    run = followed(world, run.id)
    assert any("taken back" in line.text for line in world.ledger.runs.lines(run.id))
    assert run.status == "stopped", "what was half made needs a new approval, so it was seen"


def test_what_a_stopped_run_made_may_be_left(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects, verify=failing(99, AWAY)))
    run = carried_out(world, planned(world, manifest_of(part_named("web", effects))))
    assert carry_out.leave(world, run.id).status == "done"
    for act in (carry_out.leave, carry_out.retry, carry_out.cancel):
        with pytest.raises(RequestProblem):
            act(world, run.id)


def test_a_failed_part_takes_only_those_with_it_that_need_it(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects, configure=failing(1, AWAY, "db")))
    parts = (
        part_named("db", effects),
        part_named("app", effects, first_id=20010, after=("db",)),
        part_named("mail", effects, first_id=20020),
    )
    run = carried_out(world, planned(world, manifest_of(*parts)))
    assert run.status == "stopped"
    assert "made mail-00" in lines(effects)
    assert "guide mail" in lines(effects)
    assert "made app-00" not in lines(effects)
    assert run.receipt is not None
    assert [part.label for part in run.receipt.parts] == ["db", "mail"]
    carry_out.retry(world, run.id)
    assert followed(world, run.id).status == "done"
    assert [lines(effects).count(f"made {name}-00") for name in ("db", "app", "mail")] == [1, 1, 1]
    assert [lines(effects).count(f"verify {name}") for name in ("db", "app", "mail")] == [1, 1, 1], "what was done is not done again"


def test_independent_parts_are_made_side_by_side_four_at_once_and_cancel_stops_them_all(world: World, effects: Path) -> None:
    """Each of the four waits until all four are being configured; the fifth has not begun, nor has what needs one of them."""
    at_once, together = set[str](), threading.Barrier(4)

    def meets(work: Work) -> Json:
        at_once.add(work.part.label)
        together.wait(30)
        carry_out.cancel(world, work.run_id) if work.part.label == "a" else None
        for _ in range(600):
            work.say("still configuring")
            time.sleep(0.05)
        raise AssertionError("it was not stopped")

    engine.launch(world, counting(effects, configure=meets))
    labels = ("a", "b", "c", "d", "e")
    parts = [part_named(label, effects, first_id=20000 + 10 * place) for place, label in enumerate(labels)]
    behind = part_named("z", effects, first_id=20090, after=("a",))
    run = carried_out(world, planned(world, manifest_of(behind, *parts)))
    assert (run.status, at_once) == ("stopped", {"a", "b", "c", "d"})
    assert {step.part for step in run.steps if step.status == "failed"} == at_once
    assert {step.part for step in run.steps if step.attempt} == at_once
    assert {step.status for step in run.steps if step.part in ("e", "z")} == {"skipped"}
    made = [line.part for line in world.ledger.runs.lines(run.id) if line.text.startswith("creating")]
    assert sorted(made) == ["a", "b", "c", "d"]
    assert prepare_removal(world, "talk", run.id, "ops").parts != ()


def test_a_removal_goes_from_what_needs_to_what_is_needed(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects))
    parts = (
        part_named("app", effects, first_id=20010, after=("db",)),
        part_named("db", effects),
        part_named("mail", effects, first_id=20020),
    )
    run = carried_out(world, planned(world, manifest_of(*parts)))
    assert run.status == "done"
    assert lines(effects).index("guide db") < lines(effects).index("recheck app")
    assert carried_out(world, prepare_removal(world, "talk", run.id, "ops")).status == "removed"
    assert lines(effects).index("removed app-00") < lines(effects).index("removed db-00")


def test_cancel_stops_terraform_gently_and_keeps_its_state(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects))
    plan = planned(world, manifest_of(part_named("web", effects, seconds=30)))
    approve(world, plan)
    run_id = carry_out.start(world, plan.digest)
    for line in carry_out.follow(world, run_id):
        if line.text.startswith("creating"):
            carry_out.cancel(world, run_id)
    run = carry_out.run_of(world, run_id)
    assert run.status == "stopped"
    failed = next(step for step in run.steps if step.status == "failed")
    assert "cancelled" in failed.summary
    assert "retry" in failed.remedy
    assert json.loads((world.run_folder(run_id) / "web" / "terraform.tfstate").read_text())["serial"] >= 1
    assert [change.action for change in prepare_removal(world, "talk", run_id, "ops").parts[0].changes] == ["delete"]


def test_cancel_reaches_a_step_that_speaks(world: World, effects: Path) -> None:
    def slow(work: Work) -> Json:
        for _ in range(200):
            work.say("still configuring")
            time.sleep(0.05)
        raise AssertionError("it was not stopped")

    engine.launch(world, counting(effects, configure=slow))
    plan = planned(world, manifest_of(part_named("web", effects)))
    approve(world, plan)
    run_id = carry_out.start(world, plan.digest)
    for line in carry_out.follow(world, run_id):
        if line.text == "still configuring":
            carry_out.cancel(world, run_id)
            break
    assert followed(world, run_id).status == "stopped"


def test_our_own_mistake_stops_the_run_with_a_sentence(world: World, effects: Path) -> None:
    mistakes = {"web": failing(1, ZeroDivisionError("oops")), "db": failing(1, KeyError("alas"), "db")}
    engine.launch(world, counting(effects, verify=lambda work: mistakes[work.part.label](work)))
    run = carried_out(world, planned(world, manifest_of(part_named("web", effects), part_named("db", effects, first_id=20010))))
    assert run.status == "stopped"
    failed = [step for step in run.steps if step.status == "failed"]
    assert len(failed) == 2 and all(step.summary.startswith("Berth made a mistake.") and "Traceback" not in step.summary for step in failed)
    traces = {part: (world.run_folder(run.id) / f"fault-{part}.log").read_text() for part in mistakes}
    assert "ZeroDivisionError" in traces["web"] and "KeyError" in traces["db"], "parts side by side leave one each"
    carry_out.retry(world, run.id)
    assert followed(world, run.id).status == "done"


@pytest.mark.parametrize("seconds", [0.45, 1.5])
def test_a_ledger_that_is_away_for_a_while_ends_no_run(tmp_path: Path, effects: Path, seconds: float) -> None:
    """Longer than anybody waits; the shorter one is over when the step's end is written down."""
    world = world_at(tmp_path / "home", busy_seconds=0.3)
    path, away = world.settings.home / "ledger.db", threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            away.set()
            time.sleep(seconds)
            holder.execute("ROLLBACK")

    def meets(work: Work) -> Json:
        if not away.is_set():
            threading.Thread(target=hold).start()
            away.wait(5)
        work.say("configuring")
        return {}

    engine.launch(world, counting(effects, configure=meets))
    plan = planned(world, manifest_of(part_named("web", effects)))
    approve(world, plan)
    run_id = carry_out.start(world, plan.digest)
    run = followed(world, run_id)
    assert run.status == "done", [(step.name, step.status, step.summary) for step in run.steps]
    assert lines(effects).count("made web-00") == 1
    engine.close()
    world.ledger.close()


def test_a_file_that_is_gone_is_told_by_its_name(world: World, effects: Path) -> None:
    def reads(work: Work) -> Json:
        return {"key": (work.run_folder / "secrets" / "ssh_key").read_text()}

    engine.launch(world, counting(effects, configure=reads))
    plan = planned(world, manifest_of(part_named("web", effects)))
    key = world.run_folder(plan.run_id) / "secrets" / "ssh_key"
    key.rename(key.with_name("aside"))
    run = carried_out(world, plan)
    failed = next(step for step in run.steps if step.status == "failed")
    assert run.status == "stopped" and str(key) in failed.summary and "retry" in failed.remedy
    key.with_name("aside").rename(key)
    carry_out.retry(world, run.id)
    assert followed(world, run.id).status == "done"


def test_secrets_do_not_reach_the_journal(world: World, effects: Path) -> None:
    def tells(work: Work) -> Json:
        secret = (work.run_folder / "secrets" / "database_password").read_text().strip()
        work.say(f"the password is {secret}\x1b[2J")
        raise WorldProblem("It failed.", f"psql said: password {secret} is wrong.")

    engine.launch(world, counting(effects, verify=tells))
    run = carried_out(world, planned(world, manifest_of(part_named("web", effects))))
    secret = (world.run_folder(run.id) / "secrets" / "database_password").read_text().strip()
    said = " ".join(line.text for line in world.ledger.runs.lines(run.id)) + run.model_dump_json()
    assert "the password is [secret]" in said
    assert secret not in said
    assert secret not in (world.run_folder(run.id) / "journal.log").read_text()
    assert "\x1b" not in said


def test_following_may_be_dropped_and_taken_up_again(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects))
    plan = planned(world, manifest_of(part_named("web", effects, seconds=0.3)))
    approve(world, plan)
    run_id = carry_out.start(world, plan.digest)
    first = next(carry_out.follow(world, run_id))
    rest = list(carry_out.follow(world, run_id, after=first.number))
    assert [line.number for line in [first, *rest]] == list(range(1, len(rest) + 2))
    assert list(carry_out.follow(world, run_id, after=rest[-1].number)) == []
    assert [line.text for line in carry_out.follow(world, run_id)] == [first.text, *(line.text for line in rest)]


def test_starting_twice_starts_once(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects))
    plan = planned(world, manifest_of(part_named("web", effects)))
    approve(world, plan)
    started: list[str] = []
    threads = [threading.Thread(target=lambda: started.append(carry_out.start(world, plan.digest))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert started == [plan.run_id] * 5
    assert followed(world, plan.run_id).status == "done"
    assert carry_out.start(world, plan.digest) == plan.run_id
    assert lines(effects).count("made web-00") == 1
    with pytest.raises(RequestProblem, match="approved already"):
        approve(world, plan)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("backend.tf.json", '{"terraform": {"backend": {"http": {"address": "http://127.0.0.1:1"}}}}'),
        ("main.tf", 'data "external" "one" { program = ["touch", "/nowhere"] }'),
    ],
)
def test_no_program_is_started_where_something_was_planted(world: World, effects: Path, tmp_path: Path, name: str, content: str) -> None:
    """Terraform would read it before anybody compared it with what was approved."""
    engine.launch(world, counting(effects))
    part = part_named("web", effects)
    run = carried_out(world, planned(world, manifest_of(part)))
    engine.close()
    program, witness = tmp_path / "terraform", tmp_path / "started"
    program.write_text(f"#!/bin/sh\necho $* >> {witness}\n")
    program.chmod(0o755)
    watched = replace(world, settings=world.settings.model_copy(update={"terraform": str(program)}))
    (world.run_folder(run.id) / "web" / name).write_text(content)
    kept, lease = world.ledger.plans.kept(run.plan_digest), world.ledger.leases.take("a look")
    assert lease is not None
    silent = {"results": {}, "resumed": False, "cancelled": lambda: False, "look_again": recheck, "tell": lambda text, key: None}
    for look in (
        lambda: drift(watched, run.id),
        lambda: prepare_removal(watched, "talk", run.id, "ops"),
        lambda: bigger(watched, run, part),
        lambda: recheck(Work(watched, run.id, kept, kept.manifest.parts[0], "recheck", lease, **silent)),  # type: ignore[arg-type]
    ):
        with pytest.raises(RequestProblem, match=name):
            look()
    assert not witness.exists(), witness.read_text()


def test_a_change_of_what_exists(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects))
    part = part_named("web", effects)
    run = carried_out(world, planned(world, manifest_of(part)))
    plan = bigger(world, run, part)
    assert [(change.action, change.details) for change in plan.parts[0].changes] == [("update", ("input.memory_mib 2048 → 4096",))]
    run = carried_out(world, plan)
    assert run.status == "done"
    assert run.plan_digest == plan.digest
    assert lines(effects).count("made web-00") == 1
    assert carried_out(world, prepare_removal(world, "talk", run.id, "ops")).status == "removed"


def bigger(world: World, run: Run, part: Part) -> Plan:
    machine = part.machines[0].model_copy(update={"memory_mib": 4096})
    wanted = manifest_of(part.model_copy(update={"machines": (machine,)}))
    return prepare(world, "talk", wanted, review_of(wanted), Estimate(), kind="change", run_id=run.id)


def what_it_is_made_from(folder: Path) -> dict[str, bytes]:
    """Every file of a run's folder, whatever is proposed to be made of it."""
    return {
        str(inside): (folder / inside).read_bytes()
        for inside in (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        if "proposed" not in inside.parts and ".terraform" not in inside.parts
    }


def test_a_plan_that_is_dropped_leaves_the_run_folder_as_it_was(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects))
    part = part_named("web", effects)
    run = carried_out(world, planned(world, manifest_of(part)))
    folder = world.run_folder(run.id)
    before = what_it_is_made_from(folder)
    for propose in (lambda: bigger(world, run, part), lambda: prepare_removal(world, "talk", run.id, "ops")):
        plan = propose()
        assert what_it_is_made_from(folder) == before
        proposed = folder / "proposed" / plan.digest[:12]
        assert [path.name for path in proposed.parent.iterdir()] == [proposed.name], "the one before it is void"
        assert json.loads((proposed / "plan.json").read_text())["kind"] == plan.kind
        assert list(proposed.rglob("terraform.tfstate*")) == [], "no second record of what exists"
    assert drift(world, run.id) == (("web", ()),)
    carry_out.void(world, plan.digest)
    assert not (folder / "proposed").exists()
    assert what_it_is_made_from(folder) == before


def test_a_change_moves_into_the_run_folder_when_it_begins(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects))
    part = part_named("web", effects)
    run = carried_out(world, planned(world, manifest_of(part)))
    folder = world.run_folder(run.id)
    plan = bigger(world, run, part)
    assert carried_out(world, plan).status == "done"
    assert not (folder / "proposed").exists()
    assert json.loads((folder / "web" / "terraform.tfvars.json").read_text())["machines"][0]["memory_mib"] == 4096
    kinds: dict[type[Value], str] = {Manifest: plan.manifest_digest, Plan: plan.digest}
    for kind, digest in kinds.items():
        said = json.loads((folder / f"{kind.__name__.lower()}.json").read_text())
        assert kind.model_validate({name: value for name, value in said.items() if name != SHAPE}).digest == digest
    assert drift(world, run.id) == (("web", ()),)


@pytest.mark.parametrize("came", [(move_in,), (move_in, moved_in)])
def test_a_change_that_had_begun_to_move_in_goes_on(world: World, effects: Path, came: tuple[Callable[..., None], ...]) -> None:
    """What a process that was killed on the way leaves."""
    engine.launch(world, counting(effects))
    part = part_named("web", effects)
    run = carried_out(world, planned(world, manifest_of(part)))
    plan = bigger(world, run, part)
    for step in came:
        step(world.run_folder(run.id), plan.digest, part)
    assert carried_out(world, plan).status == "done"
    assert drift(world, run.id) == (("web", ()),)
    assert not (world.run_folder(run.id) / "proposed").exists()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("tfplan", lambda content: content + b"x"),
        ("main.tf", lambda content: content.replace(b"made", b"evil")),
        ("terraform.tfvars.json", lambda content: content.replace(b"4096", b"9999")),
        (".terraform.lock.hcl", lambda content: content + b"\n"),
    ],
)
def test_a_proposal_changed_after_the_approval_does_not_move_in(
    world: World, effects: Path, name: str, change: Callable[[bytes], bytes]
) -> None:
    engine.launch(world, counting(effects))
    part = part_named("web", effects)
    run = carried_out(world, planned(world, manifest_of(part)))
    folder = world.run_folder(run.id)
    plan = bigger(world, run, part)
    approve(world, plan)
    path = folder / "proposed" / plan.digest[:12] / "web" / name
    path.touch()  # A module of built-in resources alone has no lock file.
    change_file(path, change)
    run = followed(world, carry_out.start(world, plan.digest))
    assert run.status == "stopped"
    assert "changed after it was approved" in next(step for step in run.steps if step.status == "failed").summary
    assert json.loads((folder / "web" / "terraform.tfvars.json").read_text())["machines"][0]["memory_mib"] == 2048
    assert json.loads((folder / "plan.json").read_text())["kind"] == "create"


def change_file(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def middle_flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("tfplan", middle_flipped),
        ("tfplan", lambda content: content + b"x"),
        ("main.tf", lambda content: content.replace(b"made", b"evil")),
        ("terraform.tfvars.json", lambda content: content.replace(b"2048", b"9999")),
    ],
)
def test_a_file_changed_after_the_approval_stops_the_run(world: World, effects: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    engine.launch(world, counting(effects))
    plan = planned(world, manifest_of(part_named("web", effects)))
    approve(world, plan)
    change_file(world.run_folder(plan.run_id) / "web" / name, change)
    run_id = carry_out.start(world, plan.digest)
    run = followed(world, run_id)
    assert run.status == "stopped"
    assert "changed after it was approved" in next(step for step in run.steps if step.status == "failed").summary
    assert lines(effects) == ["recheck web"]


def test_a_state_that_appeared_after_the_approval_stops_the_run(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects))
    plan = planned(world, manifest_of(part_named("web", effects)))
    approve(world, plan)
    (world.run_folder(plan.run_id) / "web" / "terraform.tfstate").write_text("{}")
    assert followed(world, carry_out.start(world, plan.digest)).status == "stopped"
    assert lines(effects) == ["recheck web"]


def test_a_record_that_was_changed_in_its_place_stops_the_run(world: World, effects: Path) -> None:
    """Terraform takes it: it looks at its number and its origin, and both are as they were."""
    engine.launch(world, counting(effects))
    part = part_named("web", effects)
    run = carried_out(world, planned(world, manifest_of(part)))
    plan, record = bigger(world, run, part), world.run_folder(run.id) / "web" / "terraform.tfstate"
    changed = record.read_text().replace('"memory_mib": 2048', '"memory_mib": 1024')
    assert changed != record.read_text()
    record.write_text(changed)
    approve(world, plan)
    run = followed(world, carry_out.start(world, plan.digest))
    assert [step.name for step in run.steps if step.status == "failed"] == ["apply"]
    assert "The record of what exists changed" in next(step.summary for step in run.steps if step.status == "failed")


@pytest.mark.parametrize("name", ["override.tf", "x.auto.tfvars", "terraform.tfvars", "evil.tf.json", "x.auto.tfvars.json"])
def test_a_planted_file_is_not_planned(world: World, effects: Path, name: str) -> None:
    plan = planned(world, manifest_of(part_named("web", effects)))
    (world.run_folder(plan.run_id) / "web" / name).write_text("{}")
    wanted = manifest_of(part_named("web", effects))
    with pytest.raises(RequestProblem, match=name):
        prepare(world, "talk", wanted, review_of(wanted), Estimate(), run_id=plan.run_id)


PLANTED = {
    "x.auto.tfvars.json": '{"seconds": 0.01}',
    "x_override.tf.json": '{"variable": {"seconds": {"default": 1}}, "output": {"more": {"value": 1}}}',
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_run_that_goes_on_applies_nothing_that_was_laid_there_meanwhile(world: World, effects: Path, name: str) -> None:
    """Between the plan and the first apply, and after an apply that was cut short; with the file gone, it goes on."""
    engine.launch(world, counting(effects))
    fault = Path(f"{effects}.fail")
    fault.touch()
    plan = planned(world, manifest_of(part_named("web", effects)))
    folder = world.run_folder(plan.run_id) / "web"
    (folder / name).write_text(PLANTED[name])
    run = carried_out(world, plan)
    assert (run.status, lines(effects)) == ("stopped", ["recheck web"])
    (folder / name).unlink()
    carry_out.retry(world, run.id)
    assert followed(world, run.id).status == "stopped"
    before = lines(effects)
    state = folder / "terraform.tfstate"
    state.write_bytes(state.read_bytes()[:100])
    (folder / name).write_text(PLANTED[name])
    fault.unlink()
    carry_out.retry(world, run.id)
    run = followed(world, run.id)
    assert (run.status, lines(effects)) == ("stopped", before)
    assert f"{name} was laid there" in next(step for step in run.steps if step.status == "failed").summary
    for look in (
        lambda: drift(world, run.id),
        lambda: prepare_removal(world, "talk", run.id, "ops"),
        lambda: carry_out.leave(world, run.id),
    ):
        with pytest.raises(RequestProblem, match=name):
            look()
    (folder / name).unlink()
    carry_out.retry(world, run.id)
    assert followed(world, run.id).status == "done"
    assert not list(folder.glob(".bench-*")), "nor is a second record of what exists left there"


def test_a_plan_with_a_provisioner_is_refused(world: World, effects: Path) -> None:
    wanted = manifest_of(part_named("web", effects))
    with pytest.raises(RequestProblem, match="provisioner"):
        prepare(replace(world, allowed=Allowed()), "talk", wanted, review_of(wanted), Estimate())
    assert world.ledger.plans.latest("talk") is None


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE approvals SET json = replace(json, 'ops', 'ceo')",
        "UPDATE approvals SET json = json_set(json, '$.expires_at', '2099-01-01T00:00:00Z')",
        "UPDATE approvals SET json = json_set(json, '$.signature', '')",
        "INSERT INTO approvals SELECT 'n2', plan_digest, 'vp', json_set(json, '$.role', 'vp', '$.nonce', 'n2') FROM approvals",
    ],
)
def test_a_forged_approval_starts_nothing(world: World, effects: Path, forgery: str) -> None:
    engine.launch(world, counting(effects))
    plan = planned(world, manifest_of(part_named("web", effects)), approvals=(("operator", "a"), ("vp", "b")) if "vp" in forgery else ())
    approve(world, plan)
    with sqlite3.connect(world.settings.home / "ledger.db") as connection:
        assert connection.execute(forgery).rowcount == 1
    with pytest.raises(RequestProblem, match="does not hold"):
        carry_out.start(world, plan.digest)
    assert lines(effects) == []


def test_an_approval_forged_while_the_run_goes_stops_it_before_the_apply(world: World, effects: Path) -> None:
    def forges(work: Work) -> Json:
        with sqlite3.connect(world.settings.home / "ledger.db") as connection:
            connection.execute("UPDATE approvals SET json = replace(json, 'ops', 'ceo')")
        return {}

    engine.launch(world, counting(effects, recheck=forges))
    run = carried_out(world, planned(world, manifest_of(part_named("web", effects))))
    assert run.status == "stopped"
    assert lines(effects) == []


def test_what_cannot_be_approved(world: World, effects: Path) -> None:
    plan = planned(world, manifest_of(part_named("web", effects)))
    with pytest.raises(RequestProblem, match="no such plan"):
        carry_out.approve(world, "0" * 12, "ops", "approve it")
    with pytest.raises(RequestProblem, match="Still to approve"):
        carry_out.start(world, plan.digest)
    late = replace(world, now=lambda: utc_now() + timedelta(minutes=31))
    with pytest.raises(RequestProblem, match="has expired"):
        approve(late, plan)
    approve(world, plan)
    approve(world, plan)
    assert len(world.ledger.plans.approvals(plan.digest)) == 1
    much_later = replace(world, now=lambda: utc_now() + timedelta(minutes=61))
    with pytest.raises(RequestProblem, match="has expired"):
        carry_out.start(much_later, plan.digest)
    carry_out.void(world, plan.digest)
    with pytest.raises(RequestProblem, match="is void"):
        carry_out.start(world, plan.digest)


def test_several_roles_each_by_another_person(world: World, effects: Path, tmp_path: Path) -> None:
    roles = tmp_path / "roles.yaml"
    roles.write_text("principals:\n  alice: [manager]\n  bob: [vp]\n  ops: [manager, vp]\n")
    many = replace(world, settings=world.settings.model_copy(update={"roles_file": roles}))
    engine.launch(many, counting(effects))
    plan = planned(many, manifest_of(part_named("web", effects)), approvals=(("manager", "costly"), ("vp", "very costly")))
    with pytest.raises(RequestProblem, match="nobody approves what they asked for"):
        carry_out.approve(many, plan.digest, "ops", "approve it", role="vp", held=("manager", "vp"))
    first = carry_out.approve(many, plan.digest, "alice", "approve it", held=("manager",))
    assert first.missing_roles == ("vp",)
    with pytest.raises(RequestProblem, match="Still to approve: vp"):
        carry_out.start(many, plan.digest)
    assert carry_out.approve(many, plan.digest, "bob", "approve it", held=("vp",)).missing_roles == ()
    assert followed(many, carry_out.start(many, plan.digest)).status == "done"
    removal = prepare_removal(many, "talk", plan.run_id, "ops")
    assert removal.approvals == plan.approvals, "what two people allowed is not taken away by one"


def test_nothing_in_the_engines_memory_is_a_pickle(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects))
    carried_out(world, planned(world, manifest_of(part_named("web", effects))))
    with sqlite3.connect(world.settings.home / "engine.db") as connection:
        rows = connection.execute("SELECT inputs, output, serialization FROM workflow_status").fetchall()
        rows += connection.execute("SELECT output, error, serialization FROM operation_outputs").fetchall()
    assert rows
    for row in rows:
        assert row[2] == "portable_json"
        for text in row[:2]:
            json.loads(text or "null")


def test_terraform_that_plans_less_than_was_asked_is_refused(world: World, effects: Path) -> None:
    part = part_named("web", effects)
    wanted = manifest_of(part.model_copy(update={"machines": part.machines * 2}))
    with pytest.raises((WorldProblem, RequestProblem)):
        prepare(world, "talk", wanted, review_of(wanted), Estimate())
    assert world.ledger.plans.latest("talk") is None


def test_what_is_held_can_be_listed_and_freed(world: World, effects: Path) -> None:
    plan = planned(world, manifest_of(part_named("web", effects)))
    [held] = carry_out.promises(world)
    assert (held.plan_digest, held.is_run, held.held.names) == (plan.digest, False, {"web-00"})
    with pytest.raises(RequestProblem, match="Nothing is held"):
        carry_out.free(world, "0" * 12)
    carry_out.free(world, held.family[:12])
    assert carry_out.promises(world) == []
    with pytest.raises(RequestProblem, match="is void"):
        approve(world, plan)
    again = planned(world, manifest_of(part_named("web", effects)), "another talk")
    carry_out.approve(world, again.digest, "ops", "approve it")
    world.ledger.runs.begin(again, (), world.now())
    with pytest.raises(RequestProblem, match="A run makes"):
        carry_out.free(world, held.family[:12])
    assert world.ledger.verify().holds
