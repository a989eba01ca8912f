"""Which other items of a request an item needs: those it uses, and those that are behind it; and how machines stand to one another: near,
or apart. What a relation names is looked for among the request's own items by label, name and kind of service; what runs already is none of
them, which is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tools.rules.hearing.words.meanings import same
from tools.rules.names.naming import listed, shorten
from tools.values.request import Item, Relation, RelationKind, Request
from tools.values.requirements import Needs
from tools.values.wanted import Listed

ORDERED = ("uses", "behind")
"""The relations that say what has to be there first."""
PLACED = ("near", "apart")
"""Those that say where its machines are to be: by others, or by one another where no other is named."""


@dataclass(frozen=True)
class Related:
    """Of one item."""

    uses: tuple[str, ...] = ()
    """Labels of items that have to be there before it."""
    problems: tuple[str, ...] = ()
    not_included: tuple[str, ...] = ()
    stands: tuple[tuple[RelationKind, str], ...] = ()
    """(`near` or `apart`, the label of whom; empty: one another)."""


def relate(request: Request, catalogue: Mapping[str, Listed]) -> dict[str, Related]:
    """By the item's label."""
    uses: dict[str, dict[str, None]] = {item.label: {} for item in request.items}
    problems: dict[str, list[str]] = {item.label: [] for item in request.items}
    left: dict[str, list[str]] = {item.label: [] for item in request.items}
    stands: dict[str, list[tuple[RelationKind, str]]] = {item.label: [] for item in request.items}
    for item in request.items:
        for relation in (one for one in item.relations if one.kind in (*ORDERED, *PLACED)):
            if relation.kind in PLACED and not relation.to:
                stands[item.label].append((relation.kind, ""))
                continue
            meant = _meant(relation, item, request, catalogue)
            if len(meant) > 1:
                named = " and ".join(one.label for one in meant)
                problems[item.label].append(f"{shorten(relation.quote)} could mean {named}. Say which of them, by its label.")
            elif not meant:
                left[item.label].append(f"{shorten(relation.quote)}: {relation.to or 'that'} is none of this request, and is not changed")
            elif relation.kind in PLACED:
                stands[item.label].append((relation.kind, meant[0].label))
            elif relation.kind == "uses":
                uses[item.label][meant[0].label] = None
            else:
                uses[meant[0].label][item.label] = None
    for label in _round(uses):
        problems[label].append(f"{label} needs itself by what it uses, so nothing of it can be first. Take one of these relations back.")
    return {
        label: Related(tuple(uses[label]), tuple(problems[label]), tuple(left[label]), tuple(dict.fromkeys(stands[label])))
        for label in uses
    }


@dataclass
class _Stand:
    near: dict[str, None] = field(default_factory=dict)
    away: dict[str, None] = field(default_factory=dict)


def stand(parts: Sequence[Needs], related: Mapping[str, Related]) -> tuple[Needs, ...]:
    """With where the machines of each are to be. Of two items the later one is placed by the earlier one, whichever said so; a single
    machine that is to be apart is meant to be so from every other of the request."""
    labels = [one.label for one in parts]
    found = {label: _Stand() for label in labels}
    made: list[Needs] = []
    for needs in parts:
        for kind, to in related[needs.label].stands:
            others = [to] if to else [] if kind == "near" or needs.machine_count > 1 else [one for one in labels if one != needs.label]
            for other in others:
                first, later = sorted((needs.label, other), key=labels.index)
                (found[later].near if kind == "near" else found[later].away)[first] = None
    for needs in parts:
        among = {kind for kind, to in related[needs.label].stands if not to and needs.machine_count > 1}
        groups = tuple(
            one.model_copy(update={"one_a_node": one.one_a_node or "apart" in among, "together": "near" in among}) for one in needs.kinds
        )
        one = found[needs.label]
        update: dict[str, object] = {"near": tuple(one.near), "away": tuple(one.away)} | ({"groups": groups} if among else {})
        made.append(needs.model_copy(update=update) if one.near or one.away or among else needs)
    return tuple(made)


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
