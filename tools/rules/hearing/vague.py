"""More or less of something, and no figure: `less memory`, `a bigger disk`. It is asked how much, with what there is now."""

from __future__ import annotations

from tools.rules.hearing import quantities
from tools.rules.hearing.amounting import so_far
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.seen import QUANTITIES
from tools.rules.hearing.stretch import Stretch
from tools.rules.hearing.things import MACHINE_SIZES, Message, Thing
from tools.rules.names.text import spell_size
from tools.values.request import Doubt


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
