"""The request while it is edited: its items by what they are called, their machines, and what is said of them, so that no two facts that
cannot both be so stand side by side."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from tools.rules.hearing.known import Built
from tools.rules.hearing.tokens import quantities
from tools.rules.hearing.words.able import COUNT, Able
from tools.rules.hearing.words.counting import how_many, names_of
from tools.rules.names.naming import nearest, numbered, shorten
from tools.rules.names.text import fold
from tools.values.request import Fact, Item, Request, Wish
from tools.values.wanted import Listed

ITEMS_MAX = 40
"""Of one request: what goes beyond is refused, not built."""
LABEL_LENGTH_MAX = 36
"""A part's folder is called by its label, and a number may be put behind it."""


def next_label(label: str, taken: Collection[str]) -> str:
    """The label itself when it is free; else the next of its series: `web_server`, `web_server-2`; `app-01`, `app-02`."""
    if label not in taken:
        return label
    ending = re.fullmatch(r"(.*\D)(\d+)", label)
    if ending:
        return next(one for one in numbered(label, len(taken) + 2) if one not in taken)
    return next(one for number in count(2) if (one := f"{label}-{number}") not in taken)


def label_of(text: str) -> str:
    """A label as it may be: small letters, digits, `-` and `_`, a letter first; empty when nothing of it is left."""
    return re.sub(r"^[^a-z]+", "", re.sub(r"[^a-z0-9_]+", "-", fold(text)))[:LABEL_LENGTH_MAX].strip("-_")


class No(Exception):
    """Why an edit is not made."""


@dataclass
class Draft:
    """The request while it is edited."""

    catalogue: Mapping[str, Listed]
    running: Mapping[str, Item]
    built: Built
    items: dict[str, Item]
    shared: list[Fact]
    wishes: list[Wish]
    now_called: dict[str, str] = field(default_factory=dict)
    """What the edits call an item → its label, when that one was taken."""
    said: set[tuple[str, str]] = field(default_factory=set)
    """The facts of items that the edits have set so far."""

    @property
    def request(self) -> Request:
        return Request(items=tuple(self.items.values()), shared=tuple(self.shared), wishes=tuple(self.wishes))

    def wants(self, item: Item) -> set[str]:
        return {one.name for one in self.catalogue[item.capability].WANTED} if item.capability in self.catalogue else set()

    def find(self, called: str) -> Item | None:
        """By its label, or by the name that its machine is to have."""
        label = self.now_called.get(called, called)
        by_name = (one for one in self.items.values() if called in self.machines(one))
        return self.items.get(label) or self.items.get(label_of(label)) or next(by_name, None)

    def machines(self, item: Item) -> tuple[str, ...]:
        """What its machines are called, or are to be."""
        return (*names_of(item), *(name for names in self.built.get(item.label, {}).values() for name in names))

    def standing(self, item: Item) -> dict[str, tuple[str, ...]]:
        """The names of its machines as the edits have left them, by group."""
        able = Able(self.catalogue[item.capability].WANTED)
        said, groups = names_of(item), dict(self.built.get(item.label, {"": names_of(item)}))
        if set(said) <= set(groups.get("", ())) and said:
            groups[""] = said
        counted = {group: how_many(item, f"{group}_{COUNT}" if group else COUNT, able, self.built) for group in groups}
        return {group: names[: counted[group]] for group, names in groups.items()}

    def say(self, item: Item, fact: Fact) -> None:
        """One fact of an item. Of those that cannot all be so, the newest are: a fact that says the same another way falls, and of a number
        and its shares one that was said earlier."""
        able = Able(self.catalogue[item.capability].WANTED)
        facts = tuple(one for one in item.facts if one.name not in able.alike(fact.name))
        self.said.add((item.label, fact.name))
        if fact.name in (COUNT, *able.shares) and able.shares:
            facts = tuple(self._shares(item, facts, fact, able))
        self.put(item.model_copy(update={"facts": with_fact(facts, fact)}))
        if fact.name == COUNT and item.label not in self.built:
            self._fit_names(self.items[item.label], fact)

    def _fit_names(self, item: Item, count: Fact) -> None:
        """Of fewer machines the first names stay; a series goes on for more."""
        names, number = names_of(item), quantities.count(count.value) or 0
        if not 1 < len(names) != number >= 1:
            return
        series = numbered(names[0], max(len(names), number))
        left = names[:number] if number < len(names) else series if series[: len(names)] == names else names
        if left != names:
            named = Fact(name="name", value=", ".join(left), quote=count.quote)
            self.put(item.model_copy(update={"facts": with_fact(item.facts, named)}))

    def _shares(self, item: Item, facts: tuple[Fact, ...], fact: Fact, able: Able) -> Iterator[Fact]:
        """How many there are of each kind, and of all. What runs stays as many, and the last kind follows from the rest."""
        given, falls = {one.name for one in facts}, able.shares[-1] if fact.name == COUNT else COUNT
        stay = [name for name in able.shares if name not in (fact.name, falls)]
        if item.label in self.built and falls in given:
            kept = {name: how_many(item, name, able, self.built) for name in stay if name not in given}
            facts = (*facts, *(Fact(name=name, value=str(number), quote=fact.quote) for name, number in kept.items()))
            given |= kept.keys()
        overruled = {*stay, falls} <= given and (item.label, falls) not in self.said
        return (one for one in facts if one.name != falls or not overruled)

    def is_one_of(self, called: str, item: Item) -> bool:
        """One of the item's machines is meant, and there are others."""
        machines = {*self.machines(item)}
        return called != item.label and called in machines and len(machines) > 1

    def item(self, called: str) -> Item:
        found = self.find(called)
        if found is None:
            known = f"It has {', '.join(self.items)}." if self.items else "It is empty."
            meant = nearest(called, self.items)
            raise No(f"Nothing in the request is called {shorten(called)}. {f'Did you mean {meant}?' if meant else known}")
        return found

    def original(self, called: str, quote: str) -> Item:
        """What another one is to be made like: of the request, or of what runs. Of that nobody has typed the facts here, and what it stands
        in relation to is of another request."""
        found = self.find(called)
        if found is None and called in self.running:
            running = self.running[called]
            facts = tuple(fact.model_copy(update={"quote": quote}) for fact in running.facts)
            found = running.model_copy(update={"facts": facts, "relations": ()})
        if found is None:
            raise No(f"I know nothing called {shorten(called)} that I could make another one of.")
        return found

    def put(self, item: Item) -> None:
        self.items[item.label] = item

    def add(self, item: Item, called: str) -> None:
        """With a label of its own, under which the edits that follow find it by what they call it."""
        if len(self.items) >= ITEMS_MAX:
            raise No(f"A request has at most {ITEMS_MAX} items. Say how many you need of one kind, or ask for the rest later.")
        label = next_label(label_of(item.label) or item.capability, self.items)
        self.now_called[called] = label
        self.put(item.model_copy(update={"label": label}))


def with_fact(facts: Collection[Fact], fact: Fact) -> tuple[Fact, ...]:
    """A later fact wins over an earlier one of its name, at its place. One that says the same changes nothing."""
    before = next((one for one in facts if one.name == fact.name), None)
    if before is None:
        return (*facts, fact)
    return tuple(fact if one is before and one.value != fact.value else one for one in facts)
