"""What a message says of some machines only of what there is: `the workers need 16 GB`, `put one of them on pve1`. What machines of one
kind can have of their own is set of them; what all machines of a thing have alike is asked, since it would be said of the others, too."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from tools.rules.hearing.assignment.saying import read_stretch
from tools.rules.hearing.assignment.stretch import Found
from tools.rules.hearing.assignment.thing import Thing
from tools.rules.hearing.assignment.things import Message
from tools.rules.hearing.assignment.vague import ask_how_large, ask_how_much
from tools.rules.hearing.groups.head import free_label
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.seen import QUANTITIES
from tools.rules.hearing.words.able import COUNT, Able, spoken
from tools.rules.hearing.words.meanings import same
from tools.values.request import Doubt, Edit, Reading

LEAD_MAX = 3
"""Tokens between `one of` and the thing."""


class Portion(NamedTuple):
    """Tokens `first` up to `last` are about machines of one kind, or about some of a thing where `kind` is empty."""

    first: int
    last: int
    kind: str
    named: int
    """The token that names them."""


def read_there(message: Message, thing: Thing, first: int = 0, last: int | None = None) -> None:
    """What is said of a thing that is there, and of some of its machines."""
    last = len(message.scene.said) if last is None else last
    portions = [] if thing.new else _portions(message, thing, first, last)
    begin = first
    for one in portions:
        if begin < one.first:
            _read(message, thing, begin, one.first)
        _read_portion(message, thing, one)
        begin = one.last
    if begin < last or not portions:
        _read(message, thing, begin, last)


def _read(message: Message, thing: Thing, first: int, last: int) -> None:
    read_stretch(message, thing, first, last)
    ask_how_much(message, thing, message.stretch(thing, first, last))
    ask_how_large(message, thing, message.stretch(thing, first, last))


def _portions(message: Message, thing: Thing, first: int, last: int) -> list[Portion]:
    """From left to right; none where a number of them is said, which is how many there are to be."""
    scene, able = message.scene, message.scene.words.able[thing.capability]
    found = [(i, kind) for i in range(first, last) if (kind := _kind(scene, thing.capability, able, i))]
    if not found and COUNT in able.by_name and (message.counted(thing, COUNT)[1] or 1) > 1:
        found = [(i, "") for i in range(first, last) if _is_some(scene, i)][:1]
    some = [i for i in range(first, last) if _is_some(scene, i) and scene.kind(i) == "number"] if COUNT in able.by_name else []
    if some and not found and not scene.has(some[0] + 1, last, *QUANTITIES):
        thing.found.say(COUNT, str(int(scene.said[some[0]].value)), scene.quote(some[0], some[0] + 1))  # `two of the web servers`, of one
    portions: list[Portion] = []
    for at, kind in found:
        begin, end = scene.sentence(at)
        begin = max(begin, first, portions[-1].first if portions else first)
        if portions and portions[-1].last > at:
            begin = _break(scene, portions[-1].first, at)
            portions[-1] = portions[-1]._replace(last=begin)
        portions.append(Portion(begin, min(end, last), kind, at))
    return portions


def _kind(scene: Scene, capability: str, able: Able, number: int) -> str:
    """`workers`, of machines that the thing has several kinds of, where no number stands before it."""
    mark, before = scene.at(number), number - 1
    named = mark.facts(capability) if mark.first == number else ()
    kinds = [name for name in able.parts if name in named or same(scene.token(number).text) == same(_bare(name))]
    counts = [name for name in kinds if f"{_bare(name)}_memory" in able.by_name]
    counted = scene.kind(before) == "number" or scene.does(before, "another", "more", "less", "deny") or scene.is_listed(before, "single")
    return _bare(counts[0]) if counts and not counted and scene.is_left(number) else ""


def _bare(count: str) -> str:
    return count.removesuffix(f"_{COUNT}")


def _is_some(scene: Scene, number: int) -> bool:
    """`one of them`, `two of the web servers`."""
    some = scene.kind(number) == "number" or scene.is_listed(number, "single")
    if some and scene.is_listed(number + 1, "of_them") and scene.is_left(number):
        return True  # `eine davon`
    end = scene.skip(number + 2, len(scene.said), "article", "owned", most=LEAD_MAX)
    whose = any(scene.does(i, "them") for i in range(number + 2, end + 1)) or scene.mention_at(end) is not None
    return some and scene.is_listed(number + 1, "of") and whose and scene.is_left(number)


def _break(scene: Scene, first: int, at: int) -> int:
    """Where the words about the next one begin: behind the last comma or `and` before it."""
    i = at
    while i > first and not scene.does(i - 1, "join") and not scene.is_text(i - 1, ",", ";"):
        i -= 1
    return i if i > first else at


def _read_portion(message: Message, thing: Thing, one: Portion) -> None:
    own = replace(thing, found=Found(), doubts=[], relations=[], edits=[], kind=one.kind)
    _read(message, own, one.first, one.last)
    if own.facts or own.doubts:
        scene = message.scene
        scene.use(one.named, max(scene.at(one.named).last, one.named + 1) if one.kind else one.named)
    for name, fact in own.facts.items():
        theirs = f"{one.kind}_{name}"
        if name == COUNT and not one.kind:
            if len(own.facts) == 1 and not own.doubts:
                thing.facts[name] = fact  # `three of them`: so many there are to be
        elif one.kind and message.wants(thing, theirs):
            thing.facts[theirs] = fact.model_copy(update={"name": theirs})
        elif name.startswith(f"{one.kind}_"):
            thing.facts[name] = fact
        else:
            edit = Edit(do="set", item=thing.label, name=name, value=fact.value, quote=fact.quote)
            said = spoken(name, fact.value)
            for_all = Reading(text=f"{said} for all of {thing.label.replace('_', ' ')}", edits=(edit,))
            quote = message.scene.quote(one.first, one.last)
            apart = _apart(message, thing, one, edit, said)
            thing.doubts.append(Doubt(item=thing.label, quote=quote, about=(name,), readings=(*apart, for_all)))
    thing.doubts += own.doubts
    thing.relations += own.relations
    thing.edits += own.edits
    thing.found.denied += own.found.denied
    thing.found.wishes += own.found.wishes


def _apart(message: Message, thing: Thing, one: Portion, edit: Edit, said: str) -> tuple[Reading, ...]:
    """So many of them become an item of their own. Where they have names it is said by these, and what runs stays one thing."""
    scene, item = message.scene, message.request.item(thing.label)
    number = int(scene.token(one.named).value) or 1
    count = message.counted(thing, COUNT)[1] or 1
    if item is None or one.kind or item.fact("name") or thing.label in scene.known.built or not 0 < number < count:
        return ()
    label, quote = free_label(thing.label, {other.label for other in message.request.items}), edit.quote
    edits = (
        Edit(do="copy", item=thing.label, name=label, quote=quote),
        Edit(do="set", item=label, name=COUNT, value=str(number), quote=quote),
        Edit(do="set", item=thing.label, name=COUNT, value=str(count - number), quote=quote),
        edit.model_copy(update={"item": label}),
    )
    return (Reading(text=f"{said} for {number} of them, the others as they are", edits=edits),)
