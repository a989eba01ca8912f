"""Tasks: work that goes on after the answer. A worker is a generator that says how long each part takes.

    def worker():
        yield "creating …"   # a line of the task's log
        yield 2.0            # two seconds pass
        yield future         # until a worker thread is done with it
        raise TaskFailed(…)  # how it ends badly; returning ends it well

Nothing runs by itself: `settle(now)` plays, in the order of simulated time, everything that was due until now.
"""

from __future__ import annotations

import heapq
import itertools
import math
import traceback
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from .errors import Refusal, TaskFailed

Worker = Generator["str | float | Future[Any]", Any, Any]
_STEPS_MAX = 100_000


@dataclass
class Task:
    upid: str
    node: str
    pid: int
    pstart: int
    starttime: int
    kind: str
    id: str
    user: str
    tokenid: str | None
    log: list[str] = field(default_factory=list)
    exitstatus: str | None = None
    endtime: int | None = None
    planned_end: str | None = None
    """An exit status that a fault of the world file has in store."""
    begun: bool = False

    def row(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "upid": self.upid,
            "node": self.node,
            "pid": self.pid,
            "pstart": self.pstart,
            "starttime": self.starttime,
            "type": self.kind,
            "id": self.id,
            "user": self.user,
        }
        return row | ({"tokenid": self.tokenid} if self.tokenid else {})

    def end(self, status: str, now: float) -> None:
        self.exitstatus, self.endtime = status, int(now)
        if status == "OK":
            self.log.append("TASK OK")
        else:
            self.log.append(f"TASK {status}" if status.startswith("WARNINGS") else f"TASK ERROR: {status}")


@dataclass
class Agenda:
    """Everything that is due later. `pace`: how many simulated seconds pass in one second of the clock."""

    pace: float = 1.0
    tasks: dict[str, Task] = field(default_factory=dict)
    now: float = 0.0
    on_bug: Callable[[], None] = traceback.print_exc
    _due: list[tuple[float, int, Callable[[], object]]] = field(default_factory=list)
    _waiting: list[tuple[Future[Any], Callable[[], None]]] = field(default_factory=list)
    _counter: itertools.count[int] = field(default_factory=itertools.count)
    _pids: itertools.count[int] = field(default_factory=lambda: itertools.count(0x1A2B0, 7))

    def start(self, node: str, kind: str, id: str, user: str, token: str | None, worker: Worker, fault: str | None = None) -> str:
        pid, started = next(self._pids), int(self.now)
        pstart = (started % 10_000_000) * 100
        authid = f"{user}!{token}" if token else user
        upid = f"UPID:{node}:{pid:08X}:{pstart:08X}:{started:08X}:{kind}:{id}:{authid}:"
        task = Task(upid, node, pid, pstart, started, kind, id, user, token, planned_end=fault)
        self.tasks[upid] = task
        self._step(task, worker)
        return upid

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        heapq.heappush(self._due, (self.now + seconds / self.pace, next(self._counter), act))

    def settle(self, now: float) -> None:
        for _ in range(_STEPS_MAX):
            for waiting in [w for w in self._waiting if w[0].done()]:
                self._waiting.remove(waiting)
                self.now = max(self.now, now) if math.isfinite(now) else self.now
                waiting[1]()
            if not self._due or self._due[0][0] > now:
                break
            when, _, act = heapq.heappop(self._due)
            self.now = max(self.now, when)
            act()
        if math.isfinite(now):
            self.now = max(self.now, now)

    def finish_all(self, wait_s_max: float = 60.0) -> None:
        """Plays everything to its end: before the world is saved."""
        for _ in range(_STEPS_MAX):
            self.settle(math.inf)
            if not self._waiting:
                return
            try:
                self._waiting[0][0].exception(timeout=wait_s_max)
            except TimeoutError:
                return

    def skip_pids(self, count: int) -> None:
        """So that a new task never gets the name of one that was restored."""
        for _ in range(count):
            next(self._pids)

    def stop(self, task: Task) -> None:
        if task.exitstatus is None:
            task.planned_end = "received interrupt"
            task.end("received interrupt", self.now)

    def _step(self, task: Task, worker: Worker) -> None:
        if task.exitstatus is not None:
            # Stopped from outside: let the worker clean up after itself.
            worker.close()
            return
        try:
            pause = worker.throw(TaskFailed(task.planned_end)) if self._fault_is_due(task) else next(worker)
            while isinstance(pause, str):
                task.log.append(pause)
                pause = next(worker)
        except StopIteration as end:
            task.end(end.value or "OK", self.now)
        except (TaskFailed, Refusal) as why:
            task.end(str(why), self.now)
        except Exception as bug:
            # A mistake of ours must not strike whoever happens to ask next.
            task.end(f"internal error of cluster_sim: {bug!r}", self.now)
            self.on_bug()
        else:
            self._wait(task, worker, pause)

    def _fault_is_due(self, task: Task) -> bool:
        # A generator must have begun before something can be thrown into it, so the fault strikes after its first pause.
        begun, task.begun = task.begun, True
        return begun and task.planned_end is not None

    def _wait(self, task: Task, worker: Worker, pause: float | Future[Any]) -> None:
        if isinstance(pause, Future):
            self._waiting.append((pause, lambda: self._step(task, worker)))
        else:
            self.after(pause, lambda: self._step(task, worker))
