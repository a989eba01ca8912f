"""What may be said of a thing: the facts that its capability wants, by name and by kind, and those that count its machines."""

from __future__ import annotations

from collections.abc import Sequence

from tools.values.wanted import Kind, Wanted

COUNT, CPU_COUNT = "count", "cpu_count"


def spoken(name: str, value: str) -> str:
    """A fact and its value as people say them: `8 cores`, `memory 8 GB`, `4 machines`."""
    if name.endswith(CPU_COUNT):
        return f"{value} cores"
    return f"{value} machines" if name == COUNT else f"{name.replace('_', ' ')} {value}"


def counts_part(name: str) -> bool:
    """Whether a fact counts machines of one kind: `workers_count`."""
    return name.endswith(f"_{COUNT}") and name != CPU_COUNT


class Able:
    """The facts that may be said of a thing, by name and by kind."""

    def __init__(self, wanted: Sequence[Wanted]) -> None:
        self.wanted = tuple(wanted)
        self.by_name = {one.name: one for one in wanted}
        self.kinds: dict[str, Kind] = {one.name: one.kind for one in wanted}
        self.by_kind: dict[Kind, list[Wanted]] = {}
        for one in wanted:
            self.by_kind.setdefault(one.kind, []).append(one)
        counted = [one for one in wanted if one.kind == COUNT and not one.name.endswith(CPU_COUNT)]
        self.counts = tuple(one.name for one in counted if f"_{one.name}".endswith(f"_{COUNT}") or one.same_as == COUNT)
        """Facts that count machines: all of them, those of one kind, or all but some of them."""
        self.parts = tuple(one for one in self.counts if counts_part(one))
        """Those of one kind each: `workers_count`."""
        self.shares = tuple(one for one in self.parts if self.by_name[one].part_of == COUNT)
        """Those that all machines are the sum of."""

    def alike(self, fact: str) -> tuple[str, ...]:
        """Other facts that say the same another way."""
        own = self.by_name[fact].same_as
        return tuple(one.name for one in self.wanted if one.same_as == fact or one.name == own)

    def named(self, kind: Kind) -> str:
        """The usual fact of a kind, empty when none is wanted; any other of the kind is said with its label."""
        return self.by_kind[kind][0].name if kind in self.by_kind else ""
