"""What is different between two requests, as a list of differences in the order of the request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tools.values.request import Fact, Item, Request


@dataclass(frozen=True)
class Difference:
    """Empty before: it is new. Empty after: it is gone."""

    item: str
    """The label, or empty: of all."""
    name: str
    """Of the fact, the relation or the wish; empty: of the item itself."""
    before: str
    after: str


def differences(before: Request, after: Request) -> tuple[Difference, ...]:
    return tuple(_differences(before, after))


def _differences(before: Request, after: Request) -> Iterator[Difference]:
    for item in before.items:
        if after.item(item.label) is None:
            yield Difference(item.label, "", item.capability, "")
    for item in after.items:
        was = before.item(item.label)
        if was is None or was.capability != item.capability:
            yield Difference(item.label, "", "", item.capability)
        yield from _between(item.label, _of(was) if was else {}, _of(item))
    yield from _between("", _said(before.shared), _said(after.shared))
    for wish in before.wishes:
        if wish not in after.wishes:
            yield Difference(wish.item, wish.kind, wish.text, "")
    for wish in after.wishes:
        if wish not in before.wishes:
            yield Difference(wish.item, wish.kind, "", wish.text)


def _between(item: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Difference]:
    for name in dict.fromkeys((*before, *after)):
        if before.get(name, "") != after.get(name, ""):
            yield Difference(item, name, before.get(name, ""), after.get(name, ""))


def _of(item: Item) -> dict[str, str]:
    return _said(item.facts) | {f"{one.kind} {one.to}".strip(): "yes" for one in item.relations}


def _said(facts: tuple[Fact, ...]) -> dict[str, str]:
    return {fact.name: fact.value for fact in facts}
