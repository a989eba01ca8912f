"""Bad days, as values of a world file: what goes wrong, and which time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True)
class AnswerFault:
    """Answers a request instead of the cluster, or, where it is done, in the place of the answer, which is lost."""

    when: str
    """Method and path with `*`: `POST /nodes/pve2/qemu/*/clone`."""
    status: int
    reason: str
    nth: tuple[int, ...] = ()
    """Which times, counted from 1; none: every time."""
    done: bool = False


@dataclass(frozen=True)
class TwiceFault:
    """A request that comes twice; the second one's answer is heard."""

    when: str
    nth: tuple[int, ...] = ()


@dataclass(frozen=True)
class TaskFault:
    """Ends a task with this exit status."""

    kind: str
    exitstatus: str
    nth: tuple[int, ...] = ()
    node: str = "*"
    id: str = "*"


@dataclass(frozen=True)
class SlowFault:
    """Answers only after a while."""

    when: str
    delay_s: float


@dataclass
class Faults:
    answers: tuple[AnswerFault, ...] = ()
    twice: tuple[TwiceFault, ...] = ()
    tasks: tuple[TaskFault, ...] = ()
    slow: tuple[SlowFault, ...] = ()
    silent: set[str] = field(default_factory=set)
    """Nodes that do not answer."""
    _seen: Counter[Any] = field(default_factory=Counter)

    def of_request(self, method: str, path: str) -> AnswerFault | None:
        for fault in self.answers:
            if fnmatchcase(f"{method} {path}", fault.when) and self._strikes(fault, fault.nth):
                return fault
        return None

    def comes_twice(self, method: str, path: str) -> bool:
        return any(fnmatchcase(f"{method} {path}", fault.when) and self._strikes(fault, fault.nth) for fault in self.twice)

    def of_task(self, kind: str, node: str, id: str) -> str | None:
        for fault in self.tasks:
            if fault.kind == kind and fnmatchcase(node, fault.node) and fnmatchcase(id, fault.id) and self._strikes(fault, fault.nth):
                return fault.exitstatus
        return None

    def delay_s(self, method: str, path: str) -> float:
        return max((f.delay_s for f in self.slow if fnmatchcase(f"{method} {path}", f.when)), default=0.0)

    def _strikes(self, fault: Any, nth: tuple[int, ...]) -> bool:
        self._seen[fault] += 1
        return not nth or self._seen[fault] in nth
