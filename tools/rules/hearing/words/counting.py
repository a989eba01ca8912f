"""How many machines an item has, of all or of one kind: as it was said, or as they run."""

from __future__ import annotations

from tools.rules.hearing.known import Built
from tools.rules.hearing.tokens import quantities
from tools.rules.hearing.words.able import COUNT, Able
from tools.rules.names.naming import listed
from tools.values.request import Item


def how_many(item: Item, fact: str, able: Able, built: Built) -> int | None:
    """What this fact counts: said last, or what is left of all when the others are said, else what runs."""
    said = {name: number for name in able.counts if (number := _said(item, name)) is not None}
    others = [name for name in able.shares if name != fact]
    alike = able.alike(fact)
    if fact in said:
        return said[fact]
    for other in said.keys() & {*alike}:
        return said[other] + able.by_name[other].beside - able.by_name[fact].beside
    if fact in able.shares and COUNT in said and all(name in said for name in others):
        return max(said[COUNT] - sum(said[name] for name in others), 0)
    if item.label in built:
        of_one_kind = {name for name in (fact, *alike) if name in able.parts}
        groups = (names for group, names in built[item.label].items() if not of_one_kind or f"{group}_{COUNT}" in of_one_kind)
        return sum(map(len, groups)) - able.by_name[fact].beside
    return len(names_of(item)) or None if fact == COUNT else None


def counted_by(item: Item, fact: str, able: Able, built: Built) -> str:
    """The fact by which there are more or fewer of them: its own, or that of all machines, where only these were counted."""
    return COUNT if fact in able.shares and how_many(item, fact, able, built) is None and item.fact(COUNT) else fact


def _said(item: Item, name: str) -> int | None:
    fact = item.fact(name)
    return quantities.count(fact.value) if fact else None


def names_of(item: Item) -> tuple[str, ...]:
    """What was said that its machines are to be called."""
    name = item.fact("name")
    return listed(name.value) if name else ()
