"""What an amount is so far, and twice or half of it: `half the ram`, `double the disk`, `redis half of that`."""

from __future__ import annotations

from tools.rules.hearing.assignment.stretch import Stretch
from tools.rules.hearing.assignment.thing import MACHINE_SIZES, Thing
from tools.rules.hearing.assignment.things import Message
from tools.rules.hearing.assignment.values import GIB, SIZES, Amount, plain
from tools.rules.hearing.tokens import quantities

SCALED = ("count", "money", *SIZES)
"""Kinds that can be doubled: `double check the network` doubles none."""


def so_far(message: Message, thing: Thing, fact: str) -> str:
    """What it is without this message; where machines of one kind are meant, of these."""
    theirs = f"{thing.kind}_{fact}"
    return message.so_far(thing, theirs if thing.kind and message.wants(thing, theirs) else fact)


def worth(value: str) -> float | None:
    size_bytes, number = quantities.size_bytes(value), quantities.count(value)
    return size_bytes if size_bytes is not None else number


def had(message: Message, label: str, name: str, amount: Amount) -> bool:
    """Whether that fact, of an item or of all, was so much earlier in the conversation: `back on 8`, `100 was fine`."""
    items = [request.item(label) for request in message.scene.known.earlier]
    shared = (fact for request in message.scene.known.earlier for fact in request.shared if not label)
    facts = (*shared, *(fact for item in items if item for fact in item.facts))
    return any(fact.name == name and worth(fact.value) in (amount.worth, amount.worth * GIB) for fact in facts)


def multiply(message: Message, thing: Thing, at: Stretch) -> None:
    """`half the ram`, `double the disk`: of what was said; of anything else it is told as unused."""
    for mark in [*at.marks("double"), *at.marks("half")]:
        label = next((m for m in at.scene.marks_in(mark.last, mark.last + 3) if m.names("fact")), None)
        points = at.scene.is_listed(at.scene.skip(mark.last, at.last, "lean", "link"), "that")  # `the disk half of that`
        label = label or (at.scene.at(mark.first - 1) if points and at.scene.at(mark.first - 1).names("fact") else None)
        last = max(label.last, mark.last) if label else at.skip(mark.last, "owned", "lean", "them")
        if thing.new and not thing.copied and (label is None or any(name in MACHINE_SIZES for name in label.names("fact"))):
            name = next((name for name in label.names("fact") if name in MACHINE_SIZES), "") if label else ""
            thing.scaled.append((2 if mark.does("double") else 0.5, name, mark.first, last))
            continue
        if not label:
            _scale_like(message, thing, at, 2 if mark.does("double") else 0.5, mark.first, last)
            continue
        names = [name for name in label.names("fact") if message.wants(thing, name) and at.able.kinds[name] in SCALED]
        name, value = next(((name, value) for name in names if (value := so_far(message, thing, name))), ("", ""))
        was = worth(value)
        if was is not None:
            now = was * (2 if mark.does("double") else 0.5)
            if now != int(now):
                at.scene.leave(mark.first, label.last)
                continue
            at.say(name, plain(now) if value.isdecimal() else f"{plain(now / GIB)} GB", min(mark.first, label.first), last)


def _scale_like(message: Message, thing: Thing, at: Stretch, factor: float, first: int, last: int) -> None:
    """`redis half of that`: of the sizes that the last message said of another thing."""
    latest = [item for item in message.request.items if item.label in at.scene.latest and item.label != thing.label]
    points = at.scene.is_listed(last, "that") or at.scene.is_listed(last - 1, "that")
    if len(latest) != 1 or not points:
        return
    for fact in latest[0].facts:
        was = worth(fact.value) if fact.name in MACHINE_SIZES and message.wants(thing, fact.name) else None
        if was is not None and was * factor == int(was * factor):
            value = plain(was * factor) if fact.value.isdecimal() else f"{plain(was * factor / GIB)} GB"
            at.say(fact.name, value, first, last)
