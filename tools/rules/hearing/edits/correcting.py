"""Turns that name no thing and say a figure without a label, `no wait, 4`, `make that 60`, `x3`, and those that say of what the one before
was meant. What a figure is about, tools.rules.hearing.assignment.figures tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from tools.rules.hearing.assignment.figures import Told, edits_of, is_short, is_terse, is_times, meant, takes_back
from tools.rules.hearing.assignment.thing import OWN, SHARED, Thing
from tools.rules.hearing.assignment.things import Message
from tools.rules.hearing.assignment.values import Amount, amounts, plain
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens.dates import is_day_word
from tools.rules.hearing.words.able import COUNT
from tools.values.request import Edit, Fact, Request

MACHINES_MAX = 12
"""What `make it …` may count."""
Set = tuple[str, Fact]
"""The label of an item, or nothing, and what was said of it."""


def correct(message: Message) -> bool:
    """Whether the message is one figure, or one in the place of another, of what there is."""
    scene, request = message.scene, message.request
    said = amounts(scene, 0, len(scene.said))
    said = [one for one in said if not scene.does(one.first, "article")] or said  # `make that one 1 TB`
    said = said or list(_multiplied(scene)) or list(_only_one(scene))
    if not 1 <= len(said) <= 2 or not is_short(scene) or _is_labelled(scene, request) or scene.marks_of("keep"):
        return False
    amount, before = said[-1], said[:-1]
    points = any(mark.does("change") and scene.does(mark.last, "them") for mark in scene.marks)
    back = takes_back(scene)
    wrong = [scene.said[i].value for i in scene.of_kind(0, amount.first, "number", "size") if scene.denied[i]]
    wrong += [one.worth for one in before]
    replaces = bool(before) and _takes_place(scene, before[0].last, amount.first)
    alone = is_terse(scene) and amount.kind == "number" and (amount.text[0].isdecimal() or is_times(scene, amount.first))
    if scene.does(amount.last, "more") and amount.kind == "number" and not before and is_terse(scene):
        return _set(message, _more(message, amount), amount)
    if _is_another(scene, amount, points) or not (replaces or (not before and (back or points or alone)) or (before and back)):
        return False
    latest = [item for item in request.items if item.label in scene.latest]
    times = is_times(scene, amount.first)
    found = meant(message, amount, latest if times and len(latest) == 1 else request.items, wrong)
    alone_set = len({name for _, name in scene.recent} - SHARED) == 1
    sure = len({one.was for one in found}) == 1 and (amount.worth > MACHINES_MAX or alone_set)
    if not found or (points and not back and not wrong and not sure):
        return False  # `make it 3`: so many of it
    return _set(message, found, amount)


def _set(message: Message, found: dict[Told, str], amount: Amount) -> bool:
    if not found:
        return False
    scene, first = message.scene, message.request.items[0]
    thing = Thing(first.capability, first.label, new=False, quote="")
    edits, doubt = edits_of(found, scene.quote(amount.first, amount.last))
    thing.edits += edits
    thing.doubts += [doubt] if doubt else []
    message.things.append(thing)
    scene.use(0, len(scene.said))
    return True


def _more(message: Message, amount: Amount) -> dict[Told, str]:
    """`two more`: of what was last spoken of, else of whatever there may be several."""
    able = [item for item in message.request.items if COUNT in message.scene.words.able[item.capability].kinds]
    items = [item for item in able if item.label in message.scene.latest]
    there = {item.label: message.counted_of(item.label) or 1 for item in (items if len(items) == 1 else able)}
    return {Told(label, COUNT, str(count), "count"): plain(count + amount.worth) for label, count in there.items()}


def _is_another(scene: Scene, amount: Amount, points: bool) -> bool:
    """`three of them`, `4 servers`, `two weeks`, `4 GB or 8 GB`: more than a figure, or two."""
    them = scene.does(amount.last, "them") or (scene.does(amount.first - 1, "them") and not points)
    one = scene.is_listed(amount.first, "single")  # `bir tane yeter`
    is_day = is_day_word(scene.token(amount.last).text)
    return bool(amount.instead) or is_day or scene.does(amount.last, "more", "less") or (not one and (them or scene.is_body(amount.last)))


def _multiplied(scene: Scene) -> Iterator[Amount]:
    """`x3`: so many of what was last spoken of."""
    return (
        Amount("number", float(scene.said[i].text[1:]), scene.said[i].text, i, i + 1) for i in range(len(scene.said)) if is_times(scene, i)
    )


def _only_one(scene: Scene) -> Iterator[Amount]:
    """`eine reicht`, `one is enough`: one of several."""
    ones = [i for i in range(len(scene.said)) if scene.is_listed(i, "single") and scene.kind(i) == "word"]
    if len(ones) == 1 and any(mark.does("settles") for mark in scene.marks):
        yield Amount("number", 1.0, scene.said[ones[0]].text, ones[0], ones[0] + 1)


def _is_labelled(scene: Scene, request: Request) -> bool:
    able = {item.capability for item in request.items}
    told = (
        {name for one in able for name in mark.facts(one)} - {COUNT} or mark.has("choice")
        for mark in scene.marks
        if not scene.denied[mark.first]
    )
    return any(told)


def _takes_place(scene: Scene, first: int, last: int) -> bool:
    """`16 for 32`, `the 8 should be 4`; not `8 and 100`."""
    return last > first and not all(scene.does(i, "join") or scene.kind(i) == "mark" for i in range(first, last))


def _only_named(message: Message) -> Thing | None:
    """The one thing there is that a short message names, and of which it says nothing itself."""
    scene, meant = message.scene, message.things[0] if len(message.things) == 1 else None
    said = meant is None or meant.new or meant.facts or meant.found.denied or meant.doubts
    return None if said or scene.figures() or not is_terse(scene) else meant


def redirect(message: Message, before: Request) -> bool:
    """Whether the message says of what the last one was meant: `no, I meant the database`. That one is as it was, and what was said of it
    is of the other."""
    scene, meant = message.scene, _only_named(message)
    says = any(scene.does(i, "mends", "instead") for i in range(len(scene.said))) or scene.does(0, "deny")
    if meant is None or not says:
        return False
    recent = [(label, fact) for label, fact in _recent(message.request, before) if label not in ("", meant.label)]
    if len({label for label, _ in recent}) != 1 or not all(message.wants(meant, fact.name) for _, fact in recent):
        return False
    quote = scene.quote(0, len(scene.said))
    for label, fact in recent:
        then = item.fact(fact.name) if (item := before.item(label)) else None
        do: Literal["set", "unset"] = "set" if then else "unset"
        meant.edits.append(Edit(do=do, item=label, name=fact.name, value=then.value if then else "", quote=quote))
        meant.edits.append(Edit(do="set", item=meant.label, name=fact.name, value=fact.value, quote=quote))
    scene.use(0, len(scene.said))
    return True


def again(message: Message, before: Request) -> bool:
    """Whether the message says of another thing what the last one said: `same for a-03`, `the second too`."""
    scene, meant = message.scene, _only_named(message)
    says = any(mark.does("same_again", "too") for mark in scene.marks)
    if meant is None or not says or any(mark.names("wish") for mark in scene.marks):
        return False  # not `add a load balancer in front of the web servers`
    for label, fact in _recent(message.request, before):
        if label != meant.label and fact.name not in SHARED | OWN and message.wants(meant, fact.name):
            meant.found.say(fact.name, fact.value, scene.quote(0, len(scene.said)))
    scene.use(0, len(scene.said))
    return bool(meant.facts)


def as_before(message: Message) -> bool:
    """Whether the message says that something is to be as it was: `the disk was fine before`, `keep the memory as it was`."""
    scene, request = message.scene, message.request
    says = any(mark.does("was_before") for mark in scene.marks)
    if not says or scene.figures() or not is_short(scene):
        return False
    things = [thing for thing in message.things if not thing.new] if message.things else [message.thing_of(item) for item in request.items]
    for thing in things:
        item, able = request.item(thing.label), scene.words.able[thing.capability].by_name
        names = {name for mark in scene.marks for name in mark.facts(thing.capability) if name in able}
        for fact in item.facts if item else ():
            once = [was.fact(fact.name) for one in scene.known.earlier if (was := one.item(thing.label))]
            value = next((was.value for was in reversed(once) if was and was.value != fact.value), "")
            if fact.name in names and value:
                thing.edits.append(Edit(do="set", item=thing.label, name=fact.name, value=value, quote=scene.quote(0, len(scene.said))))
    if not any(thing.edits for thing in things):
        return False
    for thing in things:
        thing.found.facts.clear()
        thing.doubts.clear()
    scene.use(0, len(scene.said))
    return True


def _recent(request: Request, before: Request) -> Iterator[Set]:
    """What the last message set."""
    old = {(item.label, fact) for item in before.items for fact in item.facts} | {("", fact) for fact in before.shared}
    for label, facts in (*((item.label, item.facts) for item in request.items), ("", request.shared)):
        yield from ((label, fact) for fact in facts if (label, fact) not in old)


def recently(request: Request, before: Request | None) -> frozenset[tuple[str, str]]:
    """(the label of an item or nothing, the name of a fact) of what the last change set."""
    return frozenset((label, fact.name) for label, fact in (_recent(request, before) if before is not None else ()))
