"""More or less of something, and no figure: `less memory`, `a bigger disk`. It is asked how much, with what there is now."""

from __future__ import annotations

from collections.abc import Sequence

from tools.rules.hearing.assignment.scaling import so_far
from tools.rules.hearing.assignment.stretch import Stretch
from tools.rules.hearing.assignment.thing import MACHINE_SIZES, Thing
from tools.rules.hearing.assignment.things import Message
from tools.rules.hearing.assignment.values import GIB, plain
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.seen import QUANTITIES
from tools.rules.hearing.tokens import quantities
from tools.rules.names.text import spell_size
from tools.values.request import Doubt, Edit


def ask_how_much(message: Message, thing: Thing, at: Stretch) -> None:
    """Of a thing that is there, where the clause says no quantity."""
    scene = at.scene
    for mark in [*at.marks("more"), *at.marks("less")]:
        end = mark.last
        facts = [name for name in scene.at(end).names("fact") if name in MACHINE_SIZES and name in at.able.by_name]
        if thing.new or not facts or facts[0] in thing.facts or scene.denied[mark.first] or not scene.is_left(mark.first):
            continue
        first, last = scene.clause(mark.first), _end_of_clause(scene, end)
        if scene.has(first, last, *QUANTITIES):
            continue
        theirs = f"{thing.kind}_{facts[0]}"
        name = theirs if thing.kind and message.wants(thing, theirs) else facts[0]
        now = so_far(message, thing, facts[0])
        size_bytes = quantities.size_bytes(now)
        if not now:
            continue
        quote = scene.quote(mark.first, scene.at(end).last)
        thing.doubts.append(Doubt(item=thing.label, quote=quote, about=(name,), now=spell_size(size_bytes) if size_bytes else now))
        scene.use(mark.first, scene.at(end).last)


def ask_how_large(message: Message, thing: Thing, at: Stretch) -> None:
    """`make it smaller`: that of its sizes which are known."""
    scene = at.scene
    compared = next((i for i in range(at.first, at.last) if scene.is_listed(i, "compared") and scene.is_left(i)), None)
    if (
        thing.new
        or compared is None
        or thing.doubts
        or thing.facts
        or scene.has(at.first, at.last, *QUANTITIES)
        or scene.facts(compared + 1)
    ):
        return
    known = {name: now for name in ("memory", "cpu_count") if name in at.able.by_name and (now := so_far(message, thing, name))}
    if not known:
        return
    sizes = {name: quantities.size_bytes(now) for name, now in known.items()}
    told = [f"{spell_size(size)} of memory" if (size := sizes[name]) else f"{now} cores" for name, now in known.items()]
    quote = scene.quote(compared, compared + 1)
    thing.doubts.append(Doubt(item=thing.label, quote=quote, about=tuple(known), now=" and ".join(told)))
    scene.use(compared, compared + 1)


def scale_asked(message: Message, asked: Sequence[tuple[str, str]]) -> list[Edit]:
    """`half`, `twice as much`, where it was asked how much: of what there is."""
    scene = message.scene
    marks = [mark for mark in scene.marks if mark.does("double", "half") and not scene.denied[mark.first]]
    rest = [i for i in range(len(scene.said)) if not any(mark.first <= i < mark.last for mark in marks)]
    if len(marks) != 1 or not all(
        scene.fills(i) or scene.does(i, "lean", "them") or scene.kind(i) == "mark" or scene.is_listed(i, "of", "as") for i in rest
    ):
        return []
    factor, made = 2 if marks[0].does("double") else 0.5, list[Edit]()
    for label, name in asked:
        item = message.request.item(label)
        now = message.so_far(Thing(item.capability, label, False, ""), name) if item else ""
        size_bytes, number = quantities.size_bytes(now), quantities.count(now)
        quote = scene.quote(marks[0].first, marks[0].last)
        if size_bytes:
            made.append(Edit(do="set", item=label, name=name, value=f"{plain(size_bytes * factor / GIB)} GB", quote=quote))
        elif number and number * factor == int(number * factor):
            made.append(Edit(do="set", item=label, name=name, value=plain(number * factor), quote=quote))
    for mark in marks if made else ():
        scene.use(mark.first, mark.last)
    return made


def ask_once(things: list[Thing]) -> None:
    """What is asked of several things, where nothing says of which of them, is one question."""
    asked = [(thing, doubt) for thing in things for doubt in thing.doubts if doubt.now]
    for about in dict.fromkeys(doubt.about for _, doubt in asked):
        alike = [(thing, doubt) for thing, doubt in asked if doubt.about == about]
        if len(alike) > 1:
            for thing, doubt in alike:
                thing.doubts.remove(doubt)
            now = ", ".join(f"{doubt.now} of {thing.label}" for thing, doubt in alike)
            alike[0][0].doubts.append(alike[0][1].model_copy(update={"item": "", "now": now}))


def _end_of_clause(scene: Scene, number: int) -> int:
    while not scene.stops(number) and not scene.is_text(number, ","):
        number += 1
    return number
