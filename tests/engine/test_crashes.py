"""kill -9 in a step, before and after its effect and in its middle; then another process. Nothing is done twice, nothing is lost.

Every point, and every two of them, are killed in the small by `tests/endurance/test_crash_points.py`."""

from __future__ import annotations

import multiprocessing
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tests.conftest import ROOT
from tools.clients import detached
from tools.pipeline import carry_out
from tools.pipeline.prepare import prepare_removal
from tools.pipeline.world import World

from .builders import LEASE_SECONDS, lines, manifest_of, part_named, planned, world_at
from .child import carry_on

CHILD_SECONDS_MAX = 60
EVERYTHING_ONCE = {"made web-00": 1, "wait web": 1, "configure web": 1, "watch web": 1, "verify web": 1, "guide web": 1}


@pytest.fixture(scope="module")
def children() -> Any:
    """Forked from a process that has everything loaded, so that each is quick."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.engine.child"])
    return context


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def approved(home: Path, effects: Path, seconds: float = 0) -> tuple[World, str, str]:
    world = world_at(home)
    plan = planned(world, manifest_of(part_named("web", effects, seconds=seconds)))
    carry_out.approve(world, plan.digest, "ops", "approve it")
    return world, plan.digest, plan.run_id


def child(
    children: Any, home: Path, effects: Path, digest: str, step: str = "", moment: str = "", commit: int = 0, barrier: Any = None
) -> Any:
    process = children.Process(target=carry_on, args=(str(home), str(effects), digest, step, moment, commit, barrier))
    process.start()
    return process


def ended(process: Any) -> int:
    process.join(CHILD_SECONDS_MAX)
    if process.is_alive():
        process.kill()
        process.join()
        pytest.fail("a child did not end in time")
    return int(process.exitcode)


def assert_whole(world: World, run_id: str, effects: Path, besides: Mapping[str, int] = MappingProxyType({})) -> None:
    run = carry_out.run_of(world, run_id)
    assert run.status == "done", [(step.name, step.status, step.summary) for step in run.steps]
    done = Counter(lines(effects))
    assert done.pop("recheck web") >= 1  # Looking is no effect: whoever takes a run up looks again.
    assert done == Counter(EVERYTHING_ONCE) + Counter(besides)
    assert run.receipt is not None
    assert run.receipt.parts[0].outputs["machines"]["web-00"]["vm_id"] == 20000
    assert world.ledger.verify().holds


@pytest.mark.parametrize(
    ("step", "moment"),
    [
        *((step, "during") for step in ("recheck", "configure", "verify")),
        *(("apply", moment) for moment in ("before", "during", "after")),
    ],
)
def test_killed_in_a_step(children: Any, home: Path, effects: Path, step: str, moment: str) -> None:
    world, digest, run_id = approved(home, effects, seconds=0.3)
    assert ended(child(children, home, effects, digest, step, moment)) == -signal.SIGKILL
    assert Path(f"{effects}.fired").exists()
    assert carry_out.run_of(world, run_id).status == "running"
    assert ended(child(children, home, effects, digest)) == 0
    assert_whole(world, run_id, effects)
    world.ledger.close()


@pytest.mark.parametrize("step", ["apply", "configure"])
def test_killed_in_the_middle_of_several_parts(children: Any, home: Path, effects: Path, step: str) -> None:
    """What each of them had come to is what the next process goes on from."""
    world = world_at(home)
    after: dict[str, tuple[str, ...]] = {"web": (), "mail": (), "app": ("web",)}
    parts = [part_named(label, effects, seconds=0.3, first_id=20000 + 10 * n, after=after[label]) for n, label in enumerate(after)]
    plan = planned(world, manifest_of(*parts))
    carry_out.approve(world, plan.digest, "ops", "approve it")
    assert ended(child(children, home, effects, plan.digest, step, "during")) == -signal.SIGKILL
    assert ended(child(children, home, effects, plan.digest)) == 0
    run = carry_out.run_of(world, plan.run_id)
    assert run.status == "done", [(one.part, one.name, one.status, one.summary) for one in run.steps]
    done = Counter(line for line in lines(effects) if not line.startswith("recheck"))
    assert done == {line.replace("web", label): 1 for label in after for line in EVERYTHING_ONCE}
    assert lines(effects).index("guide web") < lines(effects).index("made app-00")
    assert world.ledger.verify().holds
    world.ledger.close()


@pytest.mark.parametrize("commit", [1, 11, 22])
def test_killed_before_a_write_to_the_ledger(children: Any, home: Path, effects: Path, commit: int) -> None:
    world, digest, run_id = approved(home, effects, seconds=0.3)
    assert ended(child(children, home, effects, digest, commit=commit)) == -signal.SIGKILL
    assert Path(f"{effects}.fired").exists()
    assert ended(child(children, home, effects, digest)) == 0
    assert_whole(world, run_id, effects)
    world.ledger.close()


def test_two_processes_carry_a_run_out_once(children: Any, home: Path, effects: Path) -> None:
    world, digest, run_id = approved(home, effects, seconds=0.3)
    barrier = children.Barrier(2)
    both = [child(children, home, effects, digest, barrier=barrier) for _ in range(2)]
    assert [ended(process) for process in both] == [0, 0]
    assert_whole(world, run_id, effects)
    world.ledger.close()


def test_the_other_process_takes_over_within_the_lease_time(children: Any, home: Path, effects: Path) -> None:
    """The owner dies in the middle of the apply: Terraform goes on by itself, and the other process attends to its end."""
    world, digest, run_id = approved(home, effects, seconds=1)
    owner = child(children, home, effects, digest, "apply", "during")
    wait_for(lambda: carry_out.run_of(world, run_id).status == "running", world)
    other = child(children, home, effects, digest)
    assert ended(owner) == -signal.SIGKILL
    died_at = time.monotonic()
    assert ended(other) == 0
    assert time.monotonic() - died_at < LEASE_SECONDS + 10
    assert_whole(world, run_id, effects)
    world.ledger.close()


def test_terraform_killed_with_its_owner(children: Any, home: Path, effects: Path) -> None:
    """The machine goes down in the middle: what is left is planned anew, and goes on under the same approval."""
    world, digest, run_id = approved(home, effects, seconds=0.5)
    assert ended(child(children, home, effects, digest, "apply", "during")) == -signal.SIGKILL
    place = next((home / "runs" / run_id / "web" / ".apply").iterdir())
    assert detached.phase(place) is detached.Phase.ALIVE
    detached.signal_it(place, signal.SIGKILL)
    assert ended(child(children, home, effects, digest)) == 0
    assert_whole(world, run_id, effects)
    assert any("what is left" in line.text for line in world.ledger.runs.lines(run_id))
    world.ledger.close()


def test_a_run_whose_owner_died_can_be_cancelled(children: Any, home: Path, effects: Path) -> None:
    """Its Terraform is still at work, and is stopped by whoever takes the run over."""
    world, digest, run_id = approved(home, effects, seconds=30)
    assert ended(child(children, home, effects, digest, "apply", "during")) == -signal.SIGKILL
    place = next((home / "runs" / run_id / "web" / ".apply").iterdir())
    assert detached.phase(place) is detached.Phase.ALIVE
    assert world.ledger.runs.want_cancel(run_id, world.now())
    assert ended(child(children, home, effects, digest)) == 0
    assert carry_out.run_of(world, run_id).status == "stopped"
    assert detached.phase(place) is detached.Phase.ENDED
    assert "made web-00" not in lines(effects)
    world.ledger.close()


def test_ctrl_c_stops_it_gently_and_its_last_line_names_the_run_and_what_to_type(home: Path, effects: Path) -> None:
    world, digest, run_id = approved(home, effects, seconds=5)
    program = "import sys; from tests.engine.child import until_ctrl_c; until_ctrl_c(*sys.argv[1:])"
    command = [sys.executable, "-c", program, str(home), str(effects), digest]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        shown = next(line for line in process.stdout if line.startswith("creating"))
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=CHILD_SECONDS_MAX)
    assert carry_out.run_of(world, run_id).status == "stopped", shown + told
    assert told.splitlines()[-1].startswith(f"{run_id} has stopped.") and f"`retry {run_id}`" in told.splitlines()[-1]
    world.ledger.close()


@pytest.mark.parametrize("moment", ["during", "after"])
def test_a_removal_is_killed_and_done_once(children: Any, home: Path, effects: Path, moment: str) -> None:
    world, digest, run_id = approved(home, effects)
    assert ended(child(children, home, effects, digest)) == 0
    removal = prepare_removal(world, "talk", run_id, "ops")
    carry_out.approve(world, removal.digest, "ops", "approve it")
    assert ended(child(children, home, effects, removal.digest, "apply", moment)) == -signal.SIGKILL
    assert ended(child(children, home, effects, removal.digest)) == 0
    assert carry_out.run_of(world, run_id).status == "removed"
    assert lines(effects).count("removed web-00") == 1
    world.ledger.close()


def wait_for(true: Any, world: World) -> None:
    for _ in range(300):
        try:
            if true():
                return
        except Exception:
            pass
        time.sleep(0.1)
    pytest.fail("it never came true")


@pytest.fixture(scope="module", autouse=True)
def there_before() -> frozenset[str]:
    """Processes of others, such as the worlds that the whole session shares."""
    return frozenset(entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit())


def test_nothing_of_ours_is_left_running(tmp_path_factory: pytest.TempPathFactory, there_before: frozenset[str]) -> None:
    """After all of the above, no runner, no Terraform and no provider of these tests lives."""
    base = tmp_path_factory.getbasetemp()
    left = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and _works_in(entry, base)]
    assert [entry for entry in left if entry.name not in there_before] == []


def _works_in(entry: Path, folder: Path) -> bool:
    try:
        return (entry / "cwd").readlink().is_relative_to(folder)
    except OSError:
        return False
