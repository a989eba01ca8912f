"""How a process that carries out a run comes to its end: by Ctrl-C, by leaving the chat, and by being told to terminate."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.pipeline import carry_out
from tools.pipeline.world import World

from .builders import lines, manifest_of, part_named, planned

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
from pathlib import Path
from tests.engine.builders import counting, world_at
from tools.pipeline import carry_out, engine
home, effects, digest, leaving = sys.argv[1:]
world = world_at(Path(home))
engine.launch(world, counting(Path(effects)))
run_id = carry_out.start(world, digest)
for line in carry_out.follow(world, run_id):
    print(line.text, flush=True)
    if leaving == "leaves" and line.text.startswith("creating"):
        break
"""


def begun(world: World, effects: Path, seconds: float, leaving: str = "stays") -> tuple[subprocess.Popen[str], str]:
    plan = planned(world, manifest_of(part_named("web", effects, seconds=seconds)))
    carry_out.approve(world, "talk", plan.digest, "ops", "approve it")
    argv = [sys.executable, "-c", SCRIPT, str(world.settings.home), str(effects), plan.digest, leaving]
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("creating"):
            return process, plan.run_id
    pytest.fail(f"it never began to create: {process.communicate()[1]}")


@pytest.mark.parametrize("presses", [1, 3])
def test_ctrl_c_stops_the_run_gently_and_leaves_nothing_running(world: World, effects: Path, presses: int) -> None:
    process, run_id = begun(world, effects, seconds=30)
    for _ in range(presses):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    _, said = process.communicate(timeout=60)
    assert "Stopping the run gently" in said
    assert all(f"`{words} {run_id}`" in said.splitlines()[-1] for words in ("retry", "roll back", "leave")), said
    run = carry_out.run_of(world, run_id)
    assert run.status == "stopped"
    assert "made web-00" not in lines(effects)
    assert not [entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and _in_folder(entry, world.run_folder(run_id))]


def test_who_leaves_the_chat_does_not_leave_the_run(world: World, effects: Path) -> None:
    process, run_id = begun(world, effects, seconds=1, leaving="leaves")
    _, said = process.communicate(timeout=60)
    assert "Still carrying out" in said
    assert f"`follow {run_id}`" in said.splitlines()[-1], said
    assert process.returncode == 0
    assert carry_out.run_of(world, run_id).status == "done"
    assert "guide web" in lines(effects)


def test_who_has_left_the_chat_can_still_stop_the_run(world: World, effects: Path) -> None:
    process, run_id = begun(world, effects, seconds=30, leaving="leaves")
    assert process.stderr is not None
    assert "Ctrl-C stops it" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert carry_out.run_of(world, run_id).status == "stopped"


def test_a_terminated_process_stops_nothing(world: World, effects: Path) -> None:
    process, run_id = begun(world, effects, seconds=1)
    process.terminate()
    process.communicate(timeout=60)
    assert carry_out.run_of(world, run_id).status == "running"
    for _ in range(100):
        if "made web-00" in lines(effects):
            return
        time.sleep(0.1)
    pytest.fail("Terraform did not come to its end")


def _in_folder(entry: Path, folder: Path) -> bool:
    try:
        return (entry / "cwd").readlink().is_relative_to(folder)
    except OSError:
        return False
