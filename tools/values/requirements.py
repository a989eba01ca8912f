"""What is required: typed fields with units, each with the words it came from, or why it was assumed."""

from __future__ import annotations

from enum import StrEnum

from tools.values.snapshot import PlatformName
from tools.values.value import Value


class Origin(StrEnum):
    SAID = "said"
    DEFAULT = "default"
    ASSUMED = "assumed"


class Source(Value):
    """Where a figure comes from."""

    title: str
    """As a reader would look it up: a vendor's page, a formula, a file of ours."""
    date: str
    """The day the figure was taken, ISO: `2026-11-21`."""
    grade: str = ""
    """`vendor`, `older vendor`, `community minimum`, `formula`, `assumption`."""


class Field(Value):
    name: str
    value: int | float | bool | str | tuple[str, ...]
    unit: str = ""
    origin: Origin
    words: str = ""
    """The operator's words, when said."""
    because: str = ""
    """The reason, when it is a default or an assumption."""
    low: float | None = None
    high: float | None = None
    """The range an assumption may lie in."""
    source: Source | None = None


class Missing(Value):
    """A fact that must be asked for."""

    name: str
    question: str
    suggestions: tuple[str, ...] = ()


class Needs(Value):
    """The requirements of one item."""

    capability: str
    label: str = ""
    """Of the item; what its part is keyed by. Empty until the request is read as a whole."""
    platform: PlatformName
    """Where it is to stand."""
    fields: tuple[Field, ...] = ()
    missing: tuple[Missing, ...] = ()
    problems: tuple[str, ...] = ()
    """Whole sentences about words that cannot be taken as they are: what, why, what to do next."""
    not_included: tuple[str, ...] = ()
    """Whole phrases: what was said, and no step of the plan does."""

    def field(self, name: str) -> Field | None:
        return next((f for f in self.fields if f.name == name), None)

    def text(self, name: str, otherwise: str = "") -> str:
        found = self.field(name)
        return str(found.value) if found else otherwise

    def number(self, name: str, otherwise: float = 0.0) -> float:
        found = self.field(name)
        return float(found.value) if found and isinstance(found.value, int | float) else otherwise

    def whole(self, name: str, otherwise: int = 0) -> int:
        return int(self.number(name, otherwise))

    def strings(self, name: str) -> tuple[str, ...]:
        found = self.field(name)
        return found.value if found and isinstance(found.value, tuple) else ()

    def yes(self, name: str) -> bool:
        found = self.field(name)
        return bool(found and found.value)


class Requirements(Value):
    requester: str
    parts: tuple[Needs, ...]

    @property
    def complete(self) -> bool:
        return bool(self.parts) and not any(part.missing or part.problems for part in self.parts)
