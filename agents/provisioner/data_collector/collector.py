"""The data collector: scans, then offers. What could not be seen is said."""

from __future__ import annotations

from tools.values.effects import Work, Works

from ..stage import Stage


class DataCollector(Stage):
    works: tuple[Works, ...] = (Work.LOOK,)
