"""What time it is in a simulated world. Nothing waits here: whoever is asked later, computes what has happened since."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since 1970, in UTC."""


class WallClock:
    def now(self) -> float:
        return time.time()


class ManualClock:
    """Moves only when told: for tests."""

    def __init__(self, now: float = 1_780_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds
