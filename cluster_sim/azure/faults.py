"""Which fault of the world file strikes a request. What a fault is, is in `world`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from cluster_sim.azure.world import Fault


@dataclass
class Faults:
    faults: tuple[Fault, ...] = ()
    _seen: Counter[int] = field(default_factory=Counter)

    def of(self, method: str, path: str) -> tuple[Fault, ...]:
        """Those that strike this very request; each counts the requests it matches."""
        return tuple(self._striking(f"{method} {path}".lower()))

    def _striking(self, line: str) -> Iterable[Fault]:
        for number, fault in enumerate(self.faults):
            if fnmatchcase(line, fault.when.lower()):
                self._seen[number] += 1
                if not fault.nth or self._seen[number] in fault.nth:
                    yield fault
