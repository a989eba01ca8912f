"""Short ways to say which item of the request is meant: `the former`, `the other one`, `web` of a web server, `the docker box`. Items by
their labels and their machines' names are found in tools.rules.hearing.groups.heads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from tools.rules.hearing.layout.pieces import SECTION
from tools.rules.hearing.lexicon import ENGLISH
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.words.meanings import same
from tools.values.request import Item

PAIR = 2
LEAD = ("article", "owned", "for", "only", "join", "remove", "change", "ask_for", "mends")
"""What a short word for an item may stand behind."""


def pointed(scene: Scene, first: int, last: int, items: Sequence[Item], everywhere: str = "") -> Iterator[tuple[Item, int, int]]:
    """(the item, the tokens that say so). `everywhere`: the environment of those that have none of their own."""
    if not items:
        return
    by_word = _short(scene, items)
    for i in range(first, last):
        if scene.used[i]:
            continue
        text = scene.said[i].text
        if len(items) == PAIR and scene.is_listed(i, "first_of_two", "last_of_two") and _is_subject(scene, i, i + 1):
            yield items[scene.is_listed(i, "last_of_two")], i, i + 1 + scene.is_listed(i + 1, "one_of")
        elif (nth := _nth(scene, i, items)) and not scene.mention_at(i):
            yield nth, i, i + 1 + scene.is_listed(i + 1, "one_of")
        elif other := _other(scene, i, items):
            yield other, i, i + 1 + scene.is_listed(i + 1, "one_of")
        elif (of_place := _where(scene, i, items, everywhere)) and not scene.used[i]:
            yield of_place, i, scene.at(i).last
        elif of_place := _of_place(scene, i, items):
            yield of_place, i - scene.is_listed(i - 1, "one_of"), scene.at(scene.skip(i, last, "lean", "for", "owned", texts=("one",))).last
        elif same(text) in by_word and not scene.mention_at(i):
            end = i + 1 + scene.is_body(i + 1)
            means = scene.at(i).has("fact", "choice") and not scene.does(i - 1, "owned")
            if _is_subject(scene, i, end) and not means and not scene.does(i - 1, "another", "more"):
                yield by_word[same(text)], i, end


def _nth(scene: Scene, number: int, items: Sequence[Item]) -> Item | None:
    """`the third for 70 users`, `number 2 with 8 GB`, `without number 2`."""
    place = scene.words.ordinals.get(scene.said[number].text, -2) if scene.does(number - 1, "owned") else -2
    lead = number - 1 - scene.is_text(number - 1, ".")
    counted = scene.kind(number) == "number" and scene.is_listed(lead, "nth") and scene.said[number].value == int(scene.said[number].value)
    place = int(scene.said[number].value) - 1 if counted else place
    end = number + 1 + scene.is_listed(number + 1, "one_of")
    closes = scene.stops(end) or scene.does(end, "with", "for", "link", "goes", "denied_after") or scene.is_listed(end, "needing")
    return items[place] if len(items) > 1 and -1 <= place < len(items) and closes else None


def _other(scene: Scene, number: int, items: Sequence[Item]) -> Item | None:
    """Of two the one that the last message was not about: `the other one`, `l'autre`."""
    told = scene.is_listed(number, "other") and (scene.does(number - 1, "owned") or scene.is_listed(number + 1, "one_of"))
    if not told or len(items) != PAIR or len(scene.latest) != 1:
        return None
    end = number + 1 + scene.is_listed(number + 1, "one_of")
    return next((item for item in items if item.label not in scene.latest), None) if _is_subject(scene, number, end) else None


def _where(scene: Scene, number: int, items: Sequence[Item], everywhere: str) -> Item | None:
    """`drop staging`, `prod on network 21`, where only one of several is there."""
    mark, places = scene.at(number), {item.label: fact.value for item in items if (fact := item.fact(SECTION))}
    places = {item.label: everywhere for item in items if places and everywhere} | places
    chosen = mark.choices(SECTION)
    if len(places) < PAIR or not chosen or mark.first != number or (scene.stops(number - 1) and scene.stops(mark.last)):
        return None
    meant = [item for item in items if places.get(item.label) == chosen[0]]
    return meant[0] if len(meant) == 1 and _is_subject(scene, number, mark.last) else None


def _of_place(scene: Scene, number: int, items: Sequence[Item]) -> Item | None:
    """`the one for staging`, `el de producción`: the only one of which that was said."""
    leads = scene.does(number, "lean", "for") and (
        scene.is_listed(number - 1, "one_of", "that_of") or (scene.does(number - 1, "owned") and scene.words.language != ENGLISH)
    )
    at = scene.skip(number, len(scene.said), "lean", "for", "owned")
    mark = scene.at(at)
    if not leads or not mark.has("choice") or not (scene.stops(mark.last) or _is_subject(scene, number, mark.last)):
        return None
    chosen = {(one.name, one.value) for one in mark.meanings if one.kind == "choice"}
    meant = [item for item in items if any((fact.name, fact.value) in chosen for fact in item.facts)]
    return meant[0] if len(meant) == 1 else None


def _is_subject(scene: Scene, first: int, last: int) -> bool:
    """Something is said of it, or it is all that its clause says: `web: 2 cores`, `the latter needs 4 GB`, `drop the latter`."""
    lead = first - 1
    opens = (
        scene.stops(lead)
        or scene.is_text(lead, ",", ":", "-", "*")
        or scene.does(lead, *LEAD)
        or scene.is_listed(lead, "adding", "opening")
    )
    opens = opens or scene.kind(lead) == "number"
    closes = scene.breaks(last, signs=(":", "=")) or scene.kind(last) in ("number", "size")
    closes = (
        closes
        or scene.is_listed(last, "needing", "is_to_be", "being", "after_all")
        or scene.does(last, "with", "link", "goes", "denied_after")
    )
    return opens and (
        closes or scene.does(last, "lean", "to", "more", "less", "double", "half", "only", "join", "for", "copy", "same_again")
    )


def _short(scene: Scene, items: Sequence[Item]) -> Mapping[str, Item]:
    """Words of two-word names of services, each where it is of one item only: `web`, `docker`, `proxy`."""
    found: dict[str, set[str]] = {}
    for item in items:
        for word in of_pairs(tuple(scene.catalogue[item.capability].WORDS)):
            if not scene.words.is_body(word):
                found.setdefault(same(word), set()).add(item.label)
    by_label = {item.label: item for item in items}
    return {word: by_label[next(iter(labels))] for word, labels in found.items() if len(labels) == 1}


@cache
def of_pairs(names: tuple[str, ...]) -> frozenset[str]:
    """The words of names that have two."""
    return frozenset(word for name in names if len(words := name.split()) == PAIR for word in words)
