"""Figures that others published, as tables with source and date. Choosing among them belongs to tools.rules.sizing."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """The rows of one of the CSV files beside this one: `table("postgresql-connections")`."""
    text = (resources.files(__name__) / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))
