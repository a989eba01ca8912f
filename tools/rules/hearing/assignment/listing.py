"""Values of a list: what is added to it, what is taken out of it, and names that stand in a row. It knows kinds of facts and no product."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.rules.hearing.assignment.stretch import Found, Stretch
from tools.rules.hearing.groups.naming import hyphenated, is_value_word
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.words.meanings import Mark
from tools.values.request import Edit, Fact
from tools.values.wanted import Wanted

LISTING = (",", "&", "/", "+")


def takes_away(scene: Scene, first: int) -> bool:
    """`close port 443`, `without container raw`, `no longer from 10.1.0.0/16`: a denial, or the nearest verb of its clause."""
    if scene.denied[first]:
        return True
    for i in range(first - 1, scene.clause(first) - 1, -1):
        if scene.does(i, "remove", "shut") and not scene.does(i, "keep"):
            return True
        if scene.does(i, "ask_for", "change", "keep", "too", "with"):
            return False
    return False


def adds(scene: Scene, first: int) -> bool:
    """`open port 8443`, `also 8443`, `and from 10.2.0.0/16 too`, `another container gold`; not `443 instead`."""
    begin, end = scene.sentence(first)
    if scene.any_does(begin, end, "instead") or scene.any_does(begin, first, "only"):
        return False
    return scene.does(begin, "join") or scene.is_listed(begin, "opens") or scene.any_does(begin, end, "too", "more", "another")


def named_rows(at: Stretch, one: Wanted) -> Iterator[tuple[Mark, int, int, tuple[str, ...]]]:
    """(the label, where it begins and ends with its names, the names): `containers raw, curated`, `the gold container`."""
    scene = at.scene
    for mark in at.labels(one):
        begin = at.skip(mark.last, "called")
        end, said = _names(scene, begin, at.last)
        if said:
            yield mark, mark.first, end, said
            continue
        start = mark.first
        while start > at.first and (_may_be_name(scene, start - 1) or (start < mark.first and _joins(scene, start - 1))):
            start -= 1
        while start < mark.first and not _may_be_name(scene, start):
            start += 1
        end, said = _names(scene, start, mark.first)
        if said and end == mark.first:
            yield mark, start, mark.last, said


def _names(scene: Scene, begin: int, last: int) -> tuple[int, tuple[str, ...]]:
    """(the token behind them, the names)."""
    said: list[str] = []
    at = end = begin
    while at < last and not scene.used[at]:
        if scene.kind(at) in ("name", "quoted"):
            said.append(scene.unquoted(at))
            end = at + 1
        elif _may_be_name(scene, at) or (not said and is_value_word(scene, at)):
            word = hyphenated(scene, at)
            said.append(word)
            end = scene.chunk(at, len(word))
        else:
            break
        at = scene.skip(end, last, "join", texts=LISTING)
    return end, tuple(dict.fromkeys(said))


def _may_be_name(scene: Scene, number: int) -> bool:
    """A name, or a word that means nothing else, or that nothing follows."""
    if scene.kind(number) in ("name", "quoted"):
        return not scene.used[number]
    ends = scene.breaks(number + 1, "join", "with", "for", "lean")
    alone = scene.at(number).last - scene.at(number).first <= 1
    return is_value_word(scene, number) and not scene.used[number] and (not scene.at(number).meanings or (ends and alone))


def _joins(scene: Scene, number: int) -> bool:
    return scene.is_text(number, *LISTING) or scene.does(number, "join")


def say_row(at: Stretch, one: Wanted, values: Sequence[str], first: int, last: int) -> None:
    """What these tokens add to what is said of a list in the same message."""
    before = at.found.facts.get(one.name)
    several = dict.fromkeys((*(before.value.split(", ") if before else ()), *values))
    quote = at.scene.quote(min(first, at.scene.where(before.quote)[0]) if before else first, last)
    at.found.say(one.name, ", ".join(several), quote)
    at.scene.use(first, last)


def edits(scene: Scene, label: str, wanted: Sequence[Wanted], found: Found, before: dict[str, Fact | None]) -> Iterator[Edit]:
    """Of an item that there is: what comes to its lists and what leaves them. The facts that it makes use of are no longer among those
    found."""
    for one in wanted:
        fact = found.facts.get(one.name)
        if not one.several or fact is None or not adds(scene, scene.where(fact.quote)[0]):
            continue
        value, quote = fact.value, fact.quote
        own = found.facts.get(one.own)
        if own is not None and before.get(one.own) and before[one.own] != own:
            word = "from" if any(w.name == one.own and w.kind == "addresses" for w in wanted) else "with"
            value = ", ".join(f"{part} {word} {own.value.replace(', ', ' and ')}" for part in value.split(", "))
            ends = [scene.text.find(text) for text in (quote, own.quote)]
            quote = scene.text[min(ends) : max(ends[0] + len(quote), ends[1] + len(own.quote))]
            del found.facts[one.own]
        del found.facts[one.name]
        yield Edit(do="include", item=label, name=one.name, value=value, quote=quote)
