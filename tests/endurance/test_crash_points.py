"""A run is killed at every point where it could be, at every two of them, and at three at random; each time another process goes on.

A point is the instant before a write to the ledger stands, before and after the effect of a step, and before the engine remembers what
came of it. What is killed is a process in the small: everything of it is dropped on the spot, its locks are free, what it had not
committed is gone. `tests/engine/test_crashes.py` kills real processes, with a real Terraform, at fewer points.
"""

from __future__ import annotations

import os
import random
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.engine.builders import manifest_of, part_named, world_at
from tests.ledger.builders import NOON, approval, plan
from tools.clients.files import private_folder
from tools.pipeline.carrying import Carrier, carry
from tools.pipeline.run_folder import make_secret
from tools.pipeline.steps import Step, Work, steps_of
from tools.pipeline.world import World
from tools.rules.plans.approving import signed
from tools.values.manifest import Manifest
from tools.values.review import Review
from tools.values.site import Reserved
from tools.values.value import Json

from .conftest import Tally

NAMES = ("recheck", "apply", "wait", "configure", "verify", "guide")
LOOKS_ONLY = "recheck"
PROCESSES_MAX = 8
SEED = int(os.environ.get("BERTH_ENDURANCE_SEED") or random.SystemRandom().randrange(2**32))


class Killed(BaseException):
    """kill -9, in the small."""


@dataclass
class Lives:
    """One run, through as many processes as it takes. What outlives a process: the home, the effects, the engine's memory."""

    home: Path
    effects: list[str] = field(default_factory=list)
    memory: dict[str, Json] = field(default_factory=dict)
    kills: list[int] = field(default_factory=list)
    """At which point each process is killed, counted from its own beginning; the one after these comes to its end."""
    points: int = 0
    """That the last process passed."""
    begun: Counter[str] = field(default_factory=Counter)

    def carry_on(self) -> None:
        for number in range(PROCESSES_MAX):
            try:
                self._process(self.kills[number] if number < len(self.kills) else 0)
                return
            except Killed:
                continue
        raise AssertionError("it never came to its end")

    def _process(self, kill_at: int) -> None:
        world = world_at(self.home, now=lambda: NOON)
        numbers, guard = count(1), threading.Lock()
        self.points = 0

        def point(*_: object) -> None:
            with guard:
                self.points = next(numbers)
                if self.points == kill_at:
                    raise Killed

        lease = world.ledger.leases.take("run run-1")
        assert lease is not None, "the dead hold nothing"
        listen: Callable[..., None] = sa.event.listen
        listen(world.ledger.database.engine, "commit", lambda c: point() if c.get_execution_options().get("berth_write") else None)
        try:
            row = world.ledger.runs.row("run-1")
            if row.status != "running":
                return
            steps = tuple(Step(name, self._effect(point, name)) for name in NAMES)
            carrier = Carrier(world, "run-1", lease, steps, resumed=bool(self.begun), stopping=threading.Event())

            def do(name: str, work: Callable[[], Json]) -> Json:
                if name not in self.memory:
                    outcome = work()
                    point()
                    self.memory[name] = outcome
                return self.memory[name]

            carry(carrier, do)
        finally:
            os.close(lease.handle)  # As the kernel does.
            world.ledger.database.engine.dispose()

    def _effect(self, point: Callable[[], None], name: str) -> Callable[[Work], Json]:
        """Looks before it does, as every step must."""

        def do(work: Work) -> Json:
            self.begun[name] += 1
            if name not in self.effects or name == LOOKS_ONLY:
                point()
                self.effects.append(name)
                point()
            work.tell(f"{name} is done", name)
            return {"machines": [{"name": "web-00", "address": "127.0.0.1"}]} if name == "wait" else {"outputs": {"a": 1}}

        return do


def approved(home: Path) -> None:
    world = world_at(home, now=lambda: NOON)
    manifest = manifest_of(part_named("web", home / "effects"))
    made = plan("run-1", manifest_digest=manifest.digest, review_digest=_review(manifest).digest)
    folder = private_folder(world.run_folder("run-1"))
    private_folder(folder / "web")
    private_folder(folder / "secrets")
    for secret in manifest.parts[0].secrets:
        make_secret(folder / "secrets", secret)
    world.ledger.plans.add(made, manifest, _review(manifest), "family", Reserved(vm_ids=frozenset({20000})), NOON)
    world.ledger.plans.approve(signed(approval(made), world.ledger.key), NOON)
    assert world.ledger.runs.begin(made, steps_of(made, manifest, tuple(Step(name, lambda _: {}) for name in NAMES)), NOON)
    world.ledger.close()


def _review(manifest: Manifest) -> Review:
    return Review(manifest_digest=manifest.digest)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a run that was begun just now. In memory where there is such a folder: every write waits for the disk."""
    memory = Path("/dev/shm")
    home = (tmp_path_factory.mktemp("crashes") if not memory.is_dir() else memory / f"berth-crashes-{os.getpid()}") / "home"
    home.mkdir(parents=True, mode=0o700)
    approved(home)
    return home


@pytest.fixture(scope="module", autouse=True)
def tidied(begun: Path) -> Any:
    yield
    shutil.rmtree(begun.parent, ignore_errors=True)


def lived(begun: Path, kills: Iterable[int]) -> Lives:
    home = begun.with_name("trial")
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(begun, home)
    lives = Lives(home, kills=list(kills))
    lives.carry_on()
    return lives


def assert_whole(lives: Lives) -> None:
    world: World = world_at(lives.home, now=lambda: NOON)
    try:
        run = world.ledger.runs.get("run-1")
        assert run.status == "done" and all(step.status == "done" for step in run.steps)
        once = Counter(lives.effects)
        assert once.pop(LOOKS_ONLY) >= 1
        assert once == Counter(NAMES[1:]), "nothing lost, nothing doubled"
        assert [effect for effect in lives.effects if effect != LOOKS_ONLY] == [*NAMES[1:]], "and in order"
        assert all(times <= 1 + len(lives.kills) for times in lives.begun.values()), "what is done is not begun again"
        lines = [line.text for line in world.ledger.runs.lines("run-1") if line.text.endswith("is done")]
        assert Counter(lines) == Counter(f"{name} is done" for name in NAMES), "said once"
        assert run.receipt is not None and run.receipt.parts[0].outputs == {"a": 1}
        with world.ledger.database.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM approval_uses").scalar() == 1
        assert world.ledger.verify().holds, world.ledger.verify().detail
    finally:
        world.ledger.close()


def all_points(begun: Path, *before: int) -> range:
    """Of the process that comes after these kills."""
    return range(1, lived(begun, before).points + 1)


def spread(points: int, wanted: int) -> list[int]:
    """All of them, or as many as are wanted from the first to the last."""
    if not wanted or wanted >= points:
        return list(range(1, points + 1))
    return sorted({1 + round(number * (points - 1) / max(1, wanted - 1)) for number in range(wanted)})


def test_killed_at_every_point_and_at_every_two(begun: Path, tally: Tally) -> None:
    singles = pairs = 0
    firsts = spread(len(all_points(begun)), tally.wanted("crashes, one"))
    for first in firsts:
        alone = lived(begun, [first])
        assert_whole(alone)
        singles += 1
        for second in spread(alone.points, tally.wanted("crashes, two") // len(firsts)):
            assert_whole(lived(begun, [first, second]))
            pairs += 1
    tally.done("crashes, one", singles)
    tally.done("crashes, two", pairs)


def test_killed_at_three_points_at_random(begun: Path, tally: Tally) -> None:
    chance, wanted = random.Random(SEED), tally.wanted("crashes, three at random")
    most = len(all_points(begun))
    for number in range(wanted):
        kills = [chance.randint(1, most) for _ in range(3)]
        try:
            assert_whole(lived(begun, kills))
        except Exception as error:
            pytest.fail(f"number {number} of BERTH_ENDURANCE_SEED={SEED}, killed at {kills}: {error!r}")
    tally.done("crashes, three at random", wanted)
