"""One thing that a message is about, and what the message says of it."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from tools.rules.hearing.assignment.stretch import Found
from tools.rules.hearing.words.able import COUNT
from tools.values.request import Doubt, Edit, Fact

SHARED = frozenset(
    ("environment", "platform", "network", "bridge", "vlan", "region", "team", "budget_monthly", "public_key", "domain", "gateway", "dns")
)
"""Facts that are said once and meant for everything asked for, wherever they are said once."""

DATES = frozenset(("needed_by", "until"))

MACHINE_SIZES = frozenset(("cpu_count", "memory", "disk"))

OWN = frozenset(("role", "count", "name", "address"))
"""What no two things share."""


@dataclass
class Thing:
    """One thing that a message is about, and what it says of it."""

    capability: str
    label: str
    new: bool
    quote: str
    found: Found = field(default_factory=Found)
    doubts: list[Doubt] = field(default_factory=list)
    copied: str = ""
    """What it is a copy of."""
    role: str = ""
    again: bool = False
    """As the one before it, but for what is said of it."""
    like: str = ""
    """The item that it is one more of, where nothing says how large it is: `another web server`."""
    again_from: int = 0
    """Only what is said of that one before this token; 0: all of it."""
    each: bool = False
    """What is said of it is said of those before it too."""
    row: bool = False
    relations: list[tuple[str, str, str]] = field(default_factory=list)
    """(kind, to what, quote)."""
    said: tuple[int, int] = (0, 0)
    """The tokens that name it."""
    first: int = 0
    """The token that its words begin with."""
    only: str = ""
    """The name of the one of its machines that is meant."""
    edits: list[Edit] = field(default_factory=list)
    """What is said of it besides facts."""
    meant_by: str = ""
    """The kind of wish that told what it is, and that it fulfils."""
    kind: str = ""
    """Only its machines of this kind are meant: `workers`."""
    times: int = 1
    scaled: list[tuple[float, str, int, int]] = field(default_factory=list)
    """(how many times, of which size, the tokens that say so) of what the one before it has; no name: of all its sizes."""

    @property
    def facts(self) -> dict[str, Fact]:
        return self.found.facts

    @property
    def sizes(self) -> AbstractSet[str]:
        return MACHINE_SIZES & set(self.facts)

    def anew(self, *facts: Fact) -> Thing:
        """The same once more, with these facts."""
        found = replace(
            self.found,
            facts=self.facts | {fact.name: fact for fact in facts},
            wishes=list(self.found.wishes),
            denied=list(self.found.denied),
        )
        return replace(self, found=found, doubts=list(self.doubts), relations=list(self.relations))

    def take_over(self, other: Thing, names: AbstractSet[str]) -> None:
        """What it says nothing else of."""
        for name in [name for name in other.facts if name in names]:
            self.facts.setdefault(name, other.facts[name])

    def size_alike(self, kind: str, counts: Sequence[str]) -> None:
        """`1 control plane and 2 workers, 4 cores each`: what is said of the last kind is said of those that are only counted."""
        for other in (one.removesuffix(COUNT) for one in counts if one in self.facts):
            for name in sorted(MACHINE_SIZES):
                if said := self.facts.get(f"{kind}_{name}"):
                    self.facts.setdefault(f"{other}{name}", said.model_copy(update={"name": f"{other}{name}"}))
