"""Which other items of a request an item needs: those it uses, and those that are behind it. What a relation names is looked for among the
request's own items by label, name and kind of service; what runs already is none of them, which is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tools.rules.hearing.words.meanings import same
from tools.rules.names.naming import listed, shorten
from tools.values.request import Item, Relation, Request
from tools.values.wanted import Listed

ORDERED = ("uses", "behind")
"""The relations that say what has to be there first."""


@dataclass(frozen=True)
class Related:
    """Of one item."""

    uses: tuple[str, ...] = ()
    """Labels of items that have to be there before it."""
    problems: tuple[str, ...] = ()
    not_included: tuple[str, ...] = ()


def relate(request: Request, catalogue: Mapping[str, Listed]) -> dict[str, Related]:
    """By the item's label."""
    uses: dict[str, dict[str, None]] = {item.label: {} for item in request.items}
    problems: dict[str, list[str]] = {item.label: [] for item in request.items}
    left: dict[str, list[str]] = {item.label: [] for item in request.items}
    for item in request.items:
        for relation in (one for one in item.relations if one.kind in ORDERED):
            meant = _meant(relation, item, request, catalogue)
            if len(meant) > 1:
                named = " and ".join(one.label for one in meant)
                problems[item.label].append(f"{shorten(relation.quote)} could mean {named}. Say which of them, by its label.")
            elif not meant:
                left[item.label].append(f"{shorten(relation.quote)}: {relation.to or 'that'} is none of this request, and is not changed")
            elif relation.kind == "uses":
                uses[item.label][meant[0].label] = None
            else:
                uses[meant[0].label][item.label] = None
    for label in _round(uses):
        problems[label].append(f"{label} needs itself by what it uses, so nothing of it can be first. Take one of these relations back.")
    return {label: Related(tuple(uses[label]), tuple(problems[label]), tuple(left[label])) for label in uses}


def _meant(relation: Relation, item: Item, request: Request, catalogue: Mapping[str, Listed]) -> list[Item]:
    """By what comes nearest: its label, one of its names, the kind of service it is."""
    others, word = [one for one in request.items if one is not item], same(relation.to.strip().lower())
    if not word:
        return []
    ways = (
        [one for one in others if same(one.label.lower()) == word],
        [one for one in others if word in _names(one)],
        [one for one in others if word in {same(known.lower()) for known in catalogue[one.capability].WORDS}],
    )
    return next(filter(None, ways), [])


def _names(item: Item) -> set[str]:
    fact = item.fact("name")
    return {same(name.lower()) for name in listed(fact.value)} if fact else set()


def _round(uses: Mapping[str, Mapping[str, None]]) -> list[str]:
    """Labels of those that need themselves."""

    def reached(label: str) -> set[str]:
        found, left = set[str](), list(uses[label])
        while left:
            if (one := left.pop()) not in found:
                found.add(one)
                left.extend(uses.get(one, ()))
        return found

    return [label for label in uses if label in reached(label)]
