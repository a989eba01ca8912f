"""A measured line, and the table and JSON that lines become. Nothing is measured here."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of the table. A ratio is limited where there is a floor, otherwise the figure itself is."""

    what: str
    value: float
    unit: str
    """`s`, `ms`, `calls`, `tokens`, `x` (times, or share of, a bound)."""
    floor: float | None = None
    floor_name: str = ""
    limit: float | None = None
    """At most so many times the floor; without a floor, at most so much. None: nothing is promised, the figure is told."""
    note: str = ""
    at_least: bool = False
    """The limit is the least that is promised: a share of a bound."""

    @property
    def ratio(self) -> float | None:
        return None if self.floor is None else self.value / self.floor

    @property
    def holds(self) -> bool:
        measured = self.value if self.ratio is None else self.ratio
        return self.limit is None or (measured >= self.limit if self.at_least else measured <= self.limit)

    @property
    def verdict(self) -> str:
        return "" if self.limit is None else "holds" if self.holds else "MISSED"

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"ratio": self.ratio, "holds": self.holds}


def median(several: Sequence[float]) -> float:
    return statistics.median(several)


def spread(several: Sequence[float]) -> str:
    """The lowest and the highest: on a busy machine the median alone says too little."""
    return f"{min(several):.2f}-{max(several):.2f} s, {len(several)} times"


HEADINGS = ("what", "measured", "floor", "ratio", "limit", "", "notes")


def table(rows: Iterable[Row]) -> str:
    """Markdown that can be read in a terminal as well."""
    cells = [HEADINGS, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS) - 1)]
    lines = [_line(line, widths) for line in cells]
    return "\n".join([lines[0], "|".join(["", *("-" * (width + 2) for width in widths), "---", ""]), *lines[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    ratio, limit = row.ratio, "-"
    if row.limit is not None:
        limit = ("≥ " if row.at_least else "") + (f"{row.limit:g} x" if ratio is not None else _figure(row.limit, row.unit))
    floor = "-" if row.floor is None else f"{_figure(row.floor, row.unit)} {row.floor_name}"
    return (
        row.what,
        _figure(row.value, row.unit),
        floor,
        "-" if ratio is None else f"{ratio:.2f} x",
        limit,
        row.verdict,
        row.note,
    )


def _figure(value: float, unit: str) -> str:
    digits = {"s": 2, "ms": 2 if value < 10 else 1, "x": 3}.get(unit, 0)
    return f"{value:,.{digits}f} {unit}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [f" {cell:<{width}} " for cell, width in zip(cells, widths, strict=False)]
    return "|".join(["", *padded, f" {cells[-1]} ", ""])
