"""What is required: typed fields with units, each with the words it came from, or why it was assumed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

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
    """The reason, when it is a default or an assumption, or follows from what was said."""
    low: float | None = None
    high: float | None = None
    """The range an assumption may lie in."""
    source: Source | None = None


class Missing(Value):
    """A fact that must be asked for."""

    name: str
    question: str
    suggestions: tuple[str, ...] = ()


class Group(Value):
    """Alike machines of an item that has several kinds of them. What is wanted of them alone are the fields with its name before theirs
    (`workers_count`, `workers_memory_mib`); every other field is meant for all groups."""

    name: Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]*)?$")]
    """Also that of their group in Ansible's inventory: `workers`. Empty: all machines of an item that has no groups."""
    called: str = ""
    """What stands in their names: `worker`."""
    one_a_node: bool = False
    """No two of them may be on one node."""
    together: bool = False
    """All of them are to be on one node."""
    quorum: bool = False
    """Most of them must run at any time: what would start all of them again at once is no change of them."""


ALL_ALIKE = Group(name="")


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
    disputed: tuple[str, ...] = ()
    """Facts that the problems are about, and capabilities that they offer in its place: what is said next answers them."""
    not_included: tuple[str, ...] = ()
    """Whole phrases: what was said, and no step of the plan does."""
    groups: tuple[Group, ...] = ()
    """Of its machines, in their order; none: they are all alike."""
    uses: tuple[str, ...] = ()
    """Labels of the items of the same request that it needs: they are there before it, and it is told how they are reached."""
    near: tuple[str, ...] = ()
    """Labels of items before it in the request whose node its machines are to be on."""
    away: tuple[str, ...] = ()
    """Labels of items before it on none of whose nodes they may be."""
    virtual_addresses: tuple[str, ...] = ()
    """Fields that name addresses which no machine has for good: one of them at a time. One that was not said is of the site's pool."""

    def field(self, name: str) -> Field | None:
        return next((f for f in self.fields if f.name == name), None)

    def refuse(self, problem: str, *disputed: str) -> Needs:
        return self.model_copy(update={"problems": (*self.problems, problem), "disputed": (*self.disputed, *disputed)})

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

    @property
    def kinds(self) -> tuple[Group, ...]:
        """One at least."""
        return self.groups or (ALL_ALIKE,)

    def of(self, group: Group) -> Needs:
        """The requirements of one group: its own fields by their plain names, and those that are meant for all."""
        if not group.name:
            return self
        marks = {one.name: f"{one.name}_" for one in self.groups}
        own = {f.name.removeprefix(marks[group.name]): f for f in self.fields if f.name.startswith(marks[group.name])}
        shared = [f for f in self.fields if f.name not in own and not f.name.startswith(tuple(marks.values()))]
        fields = (*shared, *(f.model_copy(update={"name": name}) for name, f in own.items()))
        return self.model_copy(update={"fields": fields, "groups": ()})

    @property
    def machine_count(self) -> int:
        """Of all groups together."""
        return sum(self.of(group).whole("count", 1) for group in self.kinds)


class Requirements(Value):
    requester: str
    parts: tuple[Needs, ...]

    @property
    def complete(self) -> bool:
        return bool(self.parts) and not any(part.missing or part.problems for part in self.parts)
