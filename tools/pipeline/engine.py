"""The engine of this process: it claims runs, one lease per run, and carries them out as durable workflows (DBOS). It also takes over
what a
process that died left behind. What the steps do is none of its business.

Three measured habits of DBOS are closed here: each process is an executor of its own (two with the same name would carry out one run
twice),
so nothing is recovered by itself: the holder of a run's lease takes it over, through a queue that only this process listens to; and
everything is kept as JSON (its own habit is pickle, which would run whatever somebody writes into the database).
"""

from __future__ import annotations

import logging
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tools.ledger.database import LedgerAway, write_ahead
from tools.ledger.leases import Lease, LeaseLost
from tools.pipeline.carrying import Carrier, carry
from tools.pipeline.steps import Steps, production
from tools.pipeline.world import World
from tools.rules.names.foreign import theirs
from tools.values.run import RunStatus
from tools.values.trouble import WorldProblem
from tools.values.value import Json

WORKFLOWS = "2"
"""The shape of the workflow, to be counted up when the order of its steps changes. A run that was begun in another shape is begun anew: the
ledger knows what of it is done."""
READY_SECONDS_MAX = 60.0
END_SECONDS_MAX = 90
STARTS_MAX, START_AGAIN_SECONDS = 10_000, 5.0
QUEUE_LOOK_SECONDS = 1.0

TAKEN_UP = "The process that carried this run out has ended; this one goes on with it."

log = logging.getLogger("berth.engine")

_current: Engine | None = None
_guard = threading.Lock()
_workflow: Callable[[str, int], Json] | None = None


def launch(world: World, steps: Steps | None = None, after_seconds: float = 0.0) -> Engine:
    """The engine of this process, starting in the background: after so long, or as soon as a run wants it. The same world again: the
    same engine."""
    global _current
    with _guard:
        if _current is not None and _current.world.settings.home == world.settings.home:
            return _current
        if _current is not None:
            _current.close()  # DBOS knows one database a process.
        _current = Engine((world.whole or world).under(None), steps, after_seconds)
        _current.begin()
        return _current


def close() -> None:
    """Lets the runs in hand come to their end, and frees everything."""
    global _current
    with _guard:
        if _current is not None:
            _current.close()
        _current = None


class Engine:
    def __init__(self, world: World, steps: Steps | None = None, after_seconds: float = 0.0) -> None:
        self.world = world
        self._steps = steps
        self._after_seconds = after_seconds
        self._wanted = threading.Event()
        self._ready = threading.Event()
        self._closing = threading.Event()
        self._trouble: BaseException | None = None
        self._hands: dict[str, Carrier] = {}
        self._hands_guard = threading.Lock()
        self.stopping = threading.Event()
        """Set by Ctrl-C: every run in hand is stopped gently."""
        self.queue = f"berth-{world.ledger.holder}"
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        hear_ctrl_c()
        _end_with_the_runs()
        for work, name in ((self._start, "berth-engine"), (self._beat, "berth-heartbeat")):
            thread = threading.Thread(target=work, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def wait_ready(self) -> None:
        self._wanted.set()
        if not self._ready.wait(READY_SECONDS_MAX) or self._trouble is not None:
            raise WorldProblem(
                "The engine does not start.",
                f"{type(self._trouble).__name__}: {theirs(str(self._trouble))}"
                if self._trouble
                else f"It was not ready after {READY_SECONDS_MAX:.0f} s.",
                f"Look at BERTH_HOME and BERTH_DATABASE_URL; it tries again by itself. A damaged {self.world.settings.home / 'engine.db'} "
                "may be moved away: what runs stands in the ledger.",
            ) from self._trouble

    def take_in_hand(self, run_id: str) -> bool:
        """Carries the run out in this process, unless a living process has it in hand already."""
        self.wait_ready()
        ledger = self.world.ledger
        if not self.world.run_folder(run_id).is_dir():
            return False  # Another machine's: its files are not here.
        with self._hands_guard:
            if run_id in self._hands:
                return False
            lease = ledger.leases.take(f"run {run_id}")
            if lease is None:
                return False
            try:
                row = ledger.runs.row(run_id)
                if row.status == "running":  # Otherwise it ended between the look and the lease.
                    resumed = row.attempt > 1 or any(step.attempt for step in ledger.runs.get(run_id).steps)
                    self._hands[run_id] = Carrier(self.world, run_id, lease, self.steps(), resumed, self.stopping)
            finally:
                if run_id not in self._hands:
                    _release(self.world, lease)
            if run_id not in self._hands:
                return False
        try:
            self._set_going(run_id, row.attempt)
        except BaseException:
            self._let_go(run_id)
            raise
        return True

    def in_hand(self) -> tuple[str, ...]:
        with self._hands_guard:
            return tuple(self._hands)

    def run_workflow(self, run_id: str, attempt: int) -> Json:
        """Called by DBOS, in a thread of its own."""
        from dbos import DBOS

        with self._hands_guard:
            carrier = self._hands.get(run_id)
        if carrier is None:
            raise LeaseLost(run_id)  # DBOS woke it, but nobody here holds its lease.
        try:
            return carry(carrier, lambda name, work: DBOS.run_step({"name": name}, work))
        except LeaseLost:
            log.warning("Run %s is carried out by another process by now.", run_id)
            raise
        except LedgerAway as problem:
            log.warning("Run %s waits until the ledger answers: %s", run_id, problem)
            raise  # It is taken up again, from what the ledger has of it.
        except Exception as error:
            carrier.give_up(error)
            return {"status": "stopped"}
        finally:
            self._let_go(run_id)

    def close(self) -> None:
        self._closing.set()
        self._wanted.set()
        for thread in self._threads:
            thread.join(END_SECONDS_MAX)
        if self._ready.is_set() and self._trouble is None:
            from dbos import DBOS

            for _ in range(END_SECONDS_MAX * 10):
                if not self.in_hand():
                    break
                time.sleep(0.1)
            try:
                DBOS.delete_queue(self.queue)
            finally:
                DBOS.destroy()

    def steps(self) -> Steps:
        return production() if self._steps is None else self._steps

    def _start(self) -> None:
        self._wanted.wait(self._after_seconds)
        if self._closing.is_set():
            return
        for _ in range(STARTS_MAX):
            try:
                _launch_dbos(self)
                self._trouble = None
                break
            except Exception as error:
                self._trouble = error
                log.error("The engine did not start: %s", error)
                self._ready.set()  # Whoever waits is told; and it is tried again.
                _end_dbos()
                if self._closing.wait(START_AGAIN_SECONDS):
                    return
        else:
            return
        self._ready.set()
        looks_apart = self.world.ledger.leases.seconds / 2
        while not self._closing.is_set():
            self._take_over()
            self._closing.wait(looks_apart)

    def _take_over(self) -> None:
        """Runs that nobody alive has in hand."""
        try:
            rows = self.world.ledger.runs.rows("running")
        except Exception as error:
            # The database may be away for a moment; the next look tries again.
            log.warning("Could not look for runs to take over: %s", error)
            return
        for row in rows:
            try:
                if row.id not in self.in_hand() and self.take_in_hand(row.id):
                    self.world.ledger.runs.say(row.id, self.world.now(), "", "resume", TAKEN_UP, f"taken up {self.world.ledger.holder}")
                    print(f"{TAKEN_UP} `follow {row.id}` shows it.", file=sys.stderr)
            except Exception as error:
                log.warning("Could not take run %s in hand: %s", row.id, error)

    def _beat(self) -> None:
        while not self._closing.wait(self.world.ledger.leases.seconds / 5):
            try:
                self.world.ledger.leases.beat()
            except Exception as error:
                log.warning("Could not renew the leases: %s", error)

    def _set_going(self, run_id: str, attempt: int) -> None:
        from dbos import DBOS, SetWorkflowID

        workflow_id = _workflow_id(run_id, attempt)
        known = DBOS.get_workflow_status(workflow_id)
        if known is None:
            assert _workflow is not None
            with SetWorkflowID(workflow_id):
                DBOS.start_workflow(_workflow, run_id, attempt)
        elif known.status in ("SUCCESS", "ERROR"):
            # Its memory says it is over, the ledger says it is not: the ledger counts, and a new memory begins.
            again = self.world.ledger.runs.begin_anew(run_id, self.world.now())
            with SetWorkflowID(_workflow_id(run_id, again)):
                assert _workflow is not None
                DBOS.start_workflow(_workflow, run_id, again)
        else:
            DBOS.resume_workflow(workflow_id, queue_name=self.queue)

    def _let_go(self, run_id: str) -> None:
        with self._hands_guard:
            carrier = self._hands.pop(run_id, None)
        if carrier is not None:
            _release(self.world, carrier.lease)


def _workflow_id(run_id: str, attempt: int) -> str:
    return f"{run_id}.{attempt}.{WORKFLOWS}"


def _release(world: World, lease: Lease) -> None:
    try:
        world.ledger.leases.release(lease)
    except Exception as error:
        log.warning("Could not release %s: %s", lease.name, error)


def _launch_dbos(engine: Engine) -> None:
    from dbos import DBOS, DBOSConfig
    from dbos._serialization import DBOSPortableJSON

    global _workflow
    config: DBOSConfig = {
        "name": "berth",
        "system_database_url": _database_url(engine.world),
        "executor_id": engine.world.ledger.holder,
        "application_version": WORKFLOWS,
        "serializer": DBOSPortableJSON,
        "log_level": "ERROR",
        "enable_otlp": False,
    }
    DBOS(config=config)
    if _workflow is None:
        _workflow = DBOS.workflow(name="carry_out")(_carry_out)
    DBOS.listen_queues([engine.queue])
    DBOS.launch()
    DBOS.register_queue(engine.queue, polling_interval_sec=QUEUE_LOOK_SECONDS)


def _end_dbos() -> None:
    from dbos import DBOS

    with suppress(Exception):
        DBOS.destroy()


def _carry_out(run_id: str, attempt: int) -> Any:
    engine = _current
    assert engine is not None
    return engine.run_workflow(run_id, attempt)


def _database_url(world: World) -> str:
    given = world.settings.database_url.get_secret_value()
    if given and not given.startswith("sqlite"):
        return given
    path = world.settings.home / "engine.db"
    with sqlite3.connect(path) as connection:
        write_ahead(connection)  # DBOS itself leaves it at `delete`.
    path.chmod(0o600)
    return f"sqlite:///{path}"


def hear_ctrl_c() -> None:
    """Besides what the front end does on Ctrl-C: the runs in hand are stopped gently, and the process ends when they are. A second one
    changes nothing for them. SIGTERM and a closed terminal are no wish to stop a run: it is taken over later. Only a process's main
    thread can hear; call it there again when a front end has put its own handler in place."""
    global _hearing
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGINT)
    if before is _hearing:
        return

    def heard(number: int, frame: Any) -> None:
        engine = _current
        if engine is not None and not engine.stopping.is_set():
            if engine.in_hand():
                print("Stopping the run gently; this can take a minute.", file=sys.stderr)
            engine.stopping.set()
        if callable(before):
            before(number, frame)

    _hearing = heard
    signal.signal(signal.SIGINT, heard)


_hearing: Any = None


def _end_with_the_runs() -> None:
    """A process whose chat is over ends when the runs in its hands do. Registered where Python registers its own thread pools, because
    these refuse new work as soon as the main thread is over, and steps use them."""
    global _ending
    register = getattr(threading, "_register_atexit", None)
    if register is not None and not _ending:
        _ending = True
        register(_wait_for_the_runs)


def _wait_for_the_runs() -> None:
    engine = _current
    if engine is None or not engine.in_hand():
        return
    held = engine.in_hand()
    # Only the runs hear Ctrl-C from now on: an exception here would end the process before them.
    signal.signal(signal.SIGINT, lambda *_: engine.stopping.set())
    if not engine.stopping.is_set():
        print(f"Still carrying out {', '.join(engine.in_hand())}. Ctrl-C stops it gently.", file=sys.stderr)
    while engine.in_hand():  # As long as the run takes; its own steps are bounded.
        time.sleep(0.1)
    for run_id in held:
        print(f"\n{_last_line(run_id, engine.world.ledger.runs.row(run_id).status)}", file=sys.stderr)


def _last_line(run_id: str, status: RunStatus) -> str:
    """What a person types next, in any terminal."""
    if status == "stopped":
        return f"{run_id} has stopped. Go on in a new `berth chat`: `retry {run_id}`, `roll back {run_id}` or `leave {run_id}`."
    if status in ("done", "removed"):
        return f"{run_id} is {status}. `follow {run_id}` in a new `berth chat` says what it made."
    return f"{run_id} goes on. `follow {run_id}` in a new `berth chat` shows it, `cancel` then stops it."


_ending = False
