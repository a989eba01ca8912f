"""From the approval to the applied plan, against a bare `terraform apply` of the same plan in the same state of the world."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator

from benchmarks import bare
from benchmarks.bench import Bench
from benchmarks.chat import Turn
from benchmarks.rows import Row, median, spread

SENTENCE = "4 cores 8 GB 60 GB Debian VM on network 20 for development"
RATIO_MAX, OWN_SECONDS_MAX = 1.5, 0.5
LOOK_SECONDS = 0.1
STEP_SECONDS_MAX = 180.0


def approval(bench: Bench) -> Iterator[Row]:
    seconds, own, floors = [], [], []
    for number in range(bench.times):
        turn, applied_at, floor = asyncio.run(_once(bench, number))
        seconds.append(applied_at - turn.began)
        own.append(turn.own_seconds(applied_at))
        floors.append(floor)
    yield Row("approval to applied", median(seconds), "s", median(floors), "apply", RATIO_MAX, spread(seconds))
    yield Row(
        "approval to applied: of it Berth's own code",
        median(own),
        "s",
        limit=OWN_SECONDS_MAX,
        note="with the looks at a growing output, without the second look at the world",
    )


async def _once(bench: Bench, number: int) -> tuple[Turn, float, float]:
    """Berth applies; what it made is destroyed by hand; the same plan is applied by hand, and that is destroyed too."""
    bench.free()
    session = await bench.agents.begin()
    planned = await bench.agents.say(session, SENTENCE)
    (part,) = bare.parts_of(bench.run_folder(planned.planned_run))
    copy = bare.copy_planned(part, bench.folder / "approved" / str(number))
    given, program = bench.terraform_environment(copy), bench.recorder.bare
    watching = asyncio.create_task(asyncio.to_thread(stop_after, planned.planned_run, "apply"))
    turn = await bench.agents.say(session, f"approve {planned.digest}")
    _, applied_at = await watching
    bare.run(program, bare.DESTROYING, part, given)
    floor = bare.run(program, bare.APPLYING, copy, given)
    bare.run(program, bare.DESTROYING, copy, given)
    return turn, applied_at, floor


def stop_after(run_id: str, name: str) -> tuple[float, float]:
    """When the engine wrote down that this step began, and that it was done. The rest of the run is not measured, so it is cancelled."""
    from provisioner.world import the_world

    from tools.pipeline import carry_out
    from tools.values.trouble import RequestProblem

    world = the_world()
    for _ in range(int(STEP_SECONDS_MAX / LOOK_SECONDS)):
        time.sleep(LOOK_SECONDS)
        try:
            run = carry_out.run_of(world, run_id)
        except RequestProblem:
            continue  # It has not begun.
        if run.status == "stopped":
            break
        step = next((step for step in run.steps if step.name == name), None)
        if step is not None and step.status == "done" and step.started_at is not None and step.ended_at is not None:
            with contextlib.suppress(RequestProblem):  # It was over before this look: there is nothing left to cancel.
                carry_out.cancel(world, run_id)
            return step.started_at.timestamp(), step.ended_at.timestamp()
    raise SystemExit(f"The step {name} of {run_id} was not done: {run}")
