"""Words of a message that are about one thing, and what was read of it so far: what every reader of a kind of fact is handed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from tools.rules.hearing.scene import Scene
from tools.rules.hearing.words.able import Able
from tools.rules.hearing.words.meanings import Mark
from tools.values.request import Fact, Wish
from tools.values.wanted import Wanted


@dataclass
class Found:
    """What is read of one thing. A later value of the same name wins: `100 users, no, 200 users`."""

    facts: dict[str, Fact] = field(default_factory=dict)
    wishes: list[Wish] = field(default_factory=list)
    denied: list[tuple[str, str, str]] = field(default_factory=list)
    """(fact, value or nothing, quote) of what is not to be."""
    either: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of a fact, the values that it may have by their quotes, where nothing tells which one."""
    open: set[str] = field(default_factory=set)
    """Facts of which something was said that is none of their values: what others say of them is not said of it."""

    def say(self, name: str, value: str, quote: str) -> None:
        self.facts[name] = Fact(name=name, value=value, quote=quote)


@dataclass(frozen=True)
class Stretch:
    scene: Scene
    first: int
    last: int
    capability: str
    able: Able
    """What may be said of the thing."""
    found: Found
    today: date

    def labels(self, one: Wanted) -> Iterator[Mark]:
        """Where a fact is named, and nothing was made of that yet."""
        for mark in self.marks(one.name):
            if mark.last <= self.last and one.name in mark.names("fact") and self.scene.is_open(mark.first, mark.last):
                yield mark

    def marks(self, name: str = "") -> list[Mark]:
        return self.scene.marks_in(self.first, self.last, name)

    def skip(self, number: int, *does: str) -> int:
        """Past a colon and the small words that join a label to its value: `network is wrong too, should be 20`."""
        scene = self.scene
        if scene.does(number, "mends") and scene.at(number).first == number:
            number = scene.skip(scene.at(number).last, self.last, "too", "them", "prefer", "instead", texts=(",", ";", "-"), most=4)
        return scene.skip(number, self.last, "link", *does, texts=(":", "=", "#", "-"), most=6)

    def say(self, name: str, value: str, first: int, last: int) -> None:
        """What these tokens say; they are used by it."""
        self.found.say(name, value, self.scene.quote(first, last))
        self.scene.use(first, last)

    def deny(self, one: Wanted, value: str, first: int, last: int) -> None:
        self.found.denied.append((one.name, value, self.scene.quote(first, last)))
