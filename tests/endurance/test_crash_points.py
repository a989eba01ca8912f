"""A run is killed at every point where it could be, at every two of them, and at three at random; each time another process goes on.

A point is the instant before a write to the ledger stands, before and after the effect of a step, and before the engine remembers what
came of it. What is killed is a process in the small: everything of it is dropped on the spot, its locks are free, what it had not
committed is gone. Parts that go side by side come to their points in another order each time, so a failure may take several tries to be
seen again. `tests/engine/test_crashes.py` kills real processes, with a real Terraform, at fewer points.
"""

from __future__ import annotations

import os
import random
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

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

LOOKS_ONLY = "recheck"
PROCESSES_MAX = 8
SEED = int(os.environ.get("BERTH_ENDURANCE_SEED") or random.SystemRandom().randrange(2**32))


@dataclass(frozen=True)
class Shape:
    """Of a run: its parts with those that each needs, and the steps of each."""

    after: Mapping[str, tuple[str, ...]]
    steps: tuple[str, ...]

    def effects(self, label: str) -> list[str]:
        """In their order. To look is none."""
        return [f"{label} {name}" for name in self.steps if name != LOOKS_ONLY]


Begun = Callable[[Shape], Path]
ONE = Shape({"web": ()}, (LOOKS_ONLY, "apply", "wait", "configure"))
THREE = Shape({"web": (), "mail": (), "app": ("web",)}, (LOOKS_ONLY, "apply", "wait"))


class Killed(BaseException):
    """kill -9, in the small."""


@dataclass
class Lives:
    """One run, through as many processes as it takes. What outlives a process: the home, the effects, the engine's memory."""

    shape: Shape
    home: Path
    carrier: type[Carrier] = Carrier
    now: Callable[[], datetime] = lambda: NOON
    effects: list[str] = field(default_factory=list)
    memory: dict[str, Json] = field(default_factory=dict)
    kills: list[int] = field(default_factory=list)
    """At which point each process is killed, counted from its own beginning; the one after these comes to its end."""
    points: int = 0
    """That the last process passed."""
    again: list[str] = field(default_factory=list)
    """Steps that a process began though they were done when it came."""

    def carry_on(self) -> None:
        for number in range(PROCESSES_MAX):
            try:
                self._process(self.kills[number] if number < len(self.kills) else 0)
                return
            except Killed:
                continue
        raise AssertionError("it never came to its end")

    def _process(self, kill_at: int) -> None:
        world = world_at(self.home, now=self.now)
        numbers, guard = count(1), threading.Lock()
        self.points = 0

        def point(*_: object) -> None:
            with guard:
                if self.points == kill_at > 0:
                    raise Killed  # With all its threads.
                self.points = next(numbers)
                if self.points == kill_at:
                    raise Killed

        lease = world.ledger.leases.take("run run-1")
        assert lease is not None, "the dead hold nothing"
        listen: Callable[..., None] = sa.event.listen
        listen(world.ledger.database.engine, "commit", lambda c: point() if c.get_execution_options().get("berth_write") else None)
        try:
            run = world.ledger.runs.get("run-1")
            if run.status != "running":
                return
            done = frozenset(f"{step.part} {step.name}" for step in run.steps if step.status == "done")
            effect = self._effect(point, done)
            steps = tuple(Step(name, effect) for name in self.shape.steps)
            carrier = self.carrier(world, "run-1", lease, steps, resumed=bool(self.effects), stopping=threading.Event())

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

    def _effect(self, point: Callable[[], None], done: frozenset[str]) -> Callable[[Work], Json]:
        """Looks before it does, as every step must."""

        def do(work: Work) -> Json:
            name = f"{work.part.label} {work.step}"
            if name in done:
                self.again.append(name)
            if name not in self.effects or work.step == LOOKS_ONLY:
                point()
                self.effects.append(name)
                point()
            work.tell(f"{name} is done", name)
            return {"machines": [{"name": "web-00", "address": "127.0.0.1"}]} if work.step == "wait" else {"outputs": {"a": 1}}

        return do


def approved(home: Path, shape: Shape) -> None:
    world = world_at(home, now=lambda: NOON)
    parts = [part_named(label, home / "effects", first_id=20000 + n, after=after) for n, (label, after) in enumerate(shape.after.items())]
    manifest = manifest_of(*parts)
    made = plan("run-1", manifest_digest=manifest.digest, review_digest=_review(manifest).digest)
    made = made.model_copy(update={"parts": tuple(made.parts[0].model_copy(update={"label": part.label}) for part in parts)})
    folder = private_folder(world.run_folder("run-1"))
    private_folder(folder / "secrets")
    for part in parts:
        private_folder(folder / part.label)
        for secret in part.secrets:
            make_secret(folder / "secrets", secret)
    world.ledger.plans.add(made, manifest, _review(manifest), "family", Reserved(vm_ids=frozenset({20000})), NOON)
    world.ledger.plans.approve(signed(approval(made), world.ledger.key), NOON)
    assert world.ledger.runs.begin(made, steps_of(made, manifest, tuple(Step(name, lambda _: {}) for name in shape.steps)), NOON)
    world.ledger.close()


def _review(manifest: Manifest) -> Review:
    return Review(manifest_digest=manifest.digest)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Begun]:
    """The home of a run of this shape that was begun just now. In memory where there is such a folder: every write waits for the disk."""
    memory = Path("/dev/shm")
    folder = tmp_path_factory.mktemp("crashes") if not memory.is_dir() else memory / f"berth-crashes-{os.getpid()}"

    def home(shape: Shape) -> Path:
        made = folder / str(len(shape.after)) / "home"
        if not made.exists():
            made.mkdir(parents=True, mode=0o700)
            approved(made, shape)
        return made

    yield home
    shutil.rmtree(folder, ignore_errors=True)


def lived(
    begun: Begun, shape: Shape, kills: Iterable[int], carrier: type[Carrier] = Carrier, now: Callable[[], datetime] = lambda: NOON
) -> Lives:
    home = begun(shape).with_name("trial")
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(begun(shape), home)
    lives = Lives(shape, home, carrier, now, kills=list(kills))
    lives.carry_on()
    return lives


def assert_whole(lives: Lives) -> None:
    world: World = world_at(lives.home, now=lambda: NOON)
    shape, effects = lives.shape, [one for one in lives.effects if not one.endswith(LOOKS_ONLY)]
    try:
        run = world.ledger.runs.get("run-1")
        assert run.status == "done" and all(step.status == "done" for step in run.steps)
        assert {one for one in lives.effects if one not in effects} == {f"{label} {LOOKS_ONLY}" for label in shape.after}
        for label, needs in shape.after.items():
            own = [place for place, one in enumerate(effects) if one.startswith(f"{label} ")]
            assert [effects[place] for place in own] == shape.effects(label), "nothing lost, nothing doubled, and in order"
            assert all(effects.index(shape.effects(need)[-1]) < own[0] for need in needs), "after what it needs"
        assert not lives.again, "what was done is not begun again"
        lines = [line.text for line in world.ledger.runs.lines("run-1") if line.text.endswith("is done")]
        assert Counter(lines) == Counter(f"{label} {name} is done" for label in shape.after for name in shape.steps), "said once"
        assert run.receipt is not None and [part.outputs for part in run.receipt.parts] == [{"a": 1}] * len(shape.after)
        with world.ledger.database.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM approval_uses").scalar() == 1
        assert world.ledger.verify().holds, world.ledger.verify().detail
    finally:
        world.ledger.close()


class Forgetful(Carrier):
    """What every check of these is for: it does again what the ledger has as done."""

    def _step(self, place: int) -> bool:
        record = self.world.ledger.runs.get(self.run_id).steps[place]
        self.world.ledger.runs.put_step(self.lease, self.run_id, place, record.model_copy(update={"status": "waiting"}))
        return super()._step(place)


@pytest.mark.parametrize("shape", [ONE, THREE], ids=["one", "three"])
def test_a_carrier_that_forgets_is_found_out(begun: Begun, shape: Shape) -> None:
    halfway = lived(begun, shape, ()).points // 2
    with pytest.raises(AssertionError, match="begun again"):
        assert_whole(lived(begun, shape, [halfway], Forgetful))


def spread(points: int, wanted: int) -> list[int]:
    """All of them, or as many as are wanted from the first to the last."""
    if not wanted or wanted >= points:
        return list(range(1, points + 1))
    return sorted({1 + round(number * (points - 1) / max(1, wanted - 1)) for number in range(wanted)})


@pytest.mark.parametrize(("what", "shape"), [("one part", ONE), ("three parts", THREE)])
def test_killed_at_every_point_and_at_every_two(begun: Begun, what: str, shape: Shape, tally: Tally) -> None:
    singles = pairs = 0
    once, twice = f"{what}, killed once", f"{what}, killed twice"
    firsts = spread(lived(begun, shape, ()).points, tally.wanted(once))
    for first in firsts:
        alone = lived(begun, shape, [first])
        assert_whole(alone)
        singles += 1
        for second in spread(alone.points, -(-tally.wanted(twice) // len(firsts))):
            assert_whole(lived(begun, shape, [first, second]))
            pairs += 1
    tally.done(once, singles)
    tally.done(twice, pairs)


def test_killed_at_three_points_at_random(begun: Begun, tally: Tally) -> None:
    """And the clock jumps: whenever somebody looks at it, it is up to two days before or behind."""
    what = "three parts, killed three times"
    chance, wanted = random.Random(SEED), tally.wanted(what)
    most = lived(begun, THREE, ()).points

    def jumping() -> datetime:
        return NOON + timedelta(hours=random.uniform(-48, 48))

    for number in range(wanted):
        kills = [chance.randint(1, most) for _ in range(3)]
        try:
            assert_whole(lived(begun, THREE, kills, now=jumping))
        except Exception as error:
            pytest.fail(f"number {number} of BERTH_ENDURANCE_SEED={SEED}, killed at {kills}: {error!r}")
    tally.done(what, wanted)
