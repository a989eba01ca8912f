"""A Terraform at work outlives what happens to whoever attends to it: nothing is called stopped that still changes the world."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.engine.test_crashes import child, children, ended
from tools.clients import detached
from tools.clients.detached import Phase
from tools.pipeline import carry_out, engine
from tools.pipeline.world import World

from .builders import counting, lines, manifest_of, part_named, planned

__all__ = ["children"]


def begun(world: World, label: str, effects: Path, seconds: float, first_id: int = 20000) -> tuple[str, str]:
    """(digest, run)."""
    plan = planned(world, manifest_of(part_named(label, effects, seconds=seconds, first_id=first_id)), f"talk of {label}")
    carry_out.approve(world, plan.digest, "ops", "approve it")
    return plan.digest, plan.run_id


def place_of(world: World, run_id: str, label: str) -> Path:
    return next((world.run_folder(run_id) / label / ".apply").iterdir())


def test_what_cannot_be_read_for_a_while_ends_no_run_whose_terraform_lives(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects))
    digest, run_id = begun(world, "web", effects, seconds=3)
    carry_out.start(world, digest)
    for line in carry_out.follow(world, run_id):
        if line.text.startswith("creating"):
            output = place_of(world, run_id, "web") / "output"
            output.rename(output.with_name("aside"))
            output.mkdir()  # It exists, and cannot be read.
        elif "cannot be read" in line.text:
            output.rmdir()
            output.with_name("aside").rename(output)
    run = carry_out.run_of(world, run_id)
    assert run.status == "done", [(step.name, step.status, step.summary) for step in run.steps]
    assert lines(effects).count("made web-00") == 1
    assert [line.text for line in world.ledger.runs.lines(run_id) if "cannot be read" in line.text] != []


def test_a_run_waits_for_the_terraform_of_one_that_was_stopped(children: object, world: World, effects: Path) -> None:
    digest, first = begun(world, "web", effects, seconds=60)
    assert ended(child(children, world.settings.home, effects, digest, "apply", "during")) == -signal.SIGKILL
    place = place_of(world, first, "web")
    assert world.ledger.runs.set_status(first, "stopped", "running", world.now())
    engine.launch(world, counting(effects))
    digest, second = begun(world, "mail", effects, seconds=0, first_id=20010)
    carry_out.start(world, digest)
    waited = False
    for line in carry_out.follow(world, second):
        if line.text.startswith("Waiting for another run"):
            assert detached.phase(place) is Phase.ALIVE
            detached.signal_it(place, signal.SIGKILL)
            waited = True
    detached.signal_it(place, signal.SIGKILL)
    assert waited and carry_out.run_of(world, second).status == "done"
