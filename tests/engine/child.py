"""A process that carries runs out until it is killed, or until the run ends. Where it kills itself is handed in with the step table."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import tools.pipeline.after
import tools.pipeline.engine  # noqa: F401
from tools.pipeline import carry_out, engine
from tools.pipeline.steps import Action, Step, Work
from tools.values.value import Json

from .builders import counting, replaced, world_at

try:
    import dbos  # noqa: F401
except ImportError:  # pragma: no cover
    raise


def once(effects: Path, step: Action) -> Action:
    """Looks before it does, as every real step must."""

    def looked(work: Work) -> Json:
        line = f"{work.step} {work.part.label}"
        if work.step != "apply" and effects.exists() and line in effects.read_text().splitlines():
            return {"machines": []} if work.step == "wait" else {}
        return step(work)

    return looked


def dying(step: Action, moment: str, fired: Path) -> Action:
    """`before` and `after` the step, or `during` it: at the first line it says while it works."""

    def die() -> None:
        fired.touch()
        os.kill(os.getpid(), signal.SIGKILL)

    def deadly(work: Work) -> Json:
        if moment == "before":
            die()

        def tell(text: str, key: str) -> None:
            work.tell(text, key)
            if moment == "during" and (work.step != "apply" or text.startswith(("creating", "removing"))):
                die()

        result = step(replace(work, tell=tell))
        if moment == "after":
            die()
        return result

    return deadly


def carry_on(home: str, effects: str, digest: str, step: str, moment: str, commit: int, barrier: Any = None) -> None:
    """Starts the plan and attends to its run. Killed at `moment` of `step`, or just before its `commit`-th write to the ledger."""
    path = Path(effects)
    fired = Path(f"{effects}.fired")

    def fragile(one: Step) -> Step:
        action = once(path, one.do)
        return replaced(one, dying(action, moment, fired) if one.name == step else action)

    world = world_at(Path(home))
    engine.launch(world, tuple(map(fragile, counting(path))))
    if barrier is not None:
        barrier.wait(30)
    run_id = carry_out.start(world, digest)
    if commit:
        _die_at_commit(world.ledger.database.engine, commit, fired)
    for _ in carry_out.follow(world, run_id):
        pass
    os._exit(0)  # Without tidying up: the next owner must not need it.


def until_ctrl_c(home: str, effects: str, digest: str) -> None:
    """Starts the plan and shows its run, as a terminal does."""
    world = world_at(Path(home))
    engine.launch(world, counting(Path(effects)))
    with suppress(KeyboardInterrupt):
        for line in carry_out.follow(world, carry_out.start(world, digest)):
            print(line.text, flush=True)


def _die_at_commit(database: sa.Engine, number: int, fired: Path) -> None:
    guard = threading.Lock()
    left = [number]

    def before_commit(_connection: sa.Connection) -> None:
        if not _connection.get_execution_options().get("berth_write"):
            return
        with guard:
            left[0] -= 1
            if left[0] == 0:
                fired.touch()
                os.kill(os.getpid(), signal.SIGKILL)

    listen: Callable[..., None] = sa.event.listen
    listen(database, "commit", before_commit)
