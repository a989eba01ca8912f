"""Corrections that do not name what they correct: `no wait, 4`, `make that 60`. They are about what the last message set, and where it set
several things that could be meant, it is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from tools.rules.hearing.assignment.scaling import had, worth
from tools.rules.hearing.assignment.thing import SHARED, Thing
from tools.rules.hearing.assignment.things import Message
from tools.rules.hearing.assignment.values import GIB, Amount, amounts, plain
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens import quantities
from tools.rules.hearing.tokens.dates import is_day_word
from tools.rules.hearing.words.able import COUNT, CPU_COUNT, spoken
from tools.values.request import Doubt, Edit, Fact, Reading, Request

WORDS_MAX = 12
BARE = ("memory", "cpu_count")
"""What is spoken of without its name."""
NEAR = 4
"""How many times as much something may become where only an amount is said."""
FAR = 3
"""How much farther the second is than the one that is meant."""
Set = tuple[str, Fact]
"""The label of an item, or nothing, and what was said of it."""


def correct(message: Message, before: Request) -> bool:
    """Whether the message is such a correction. `before` is the request without the last message."""
    scene = message.scene
    said = amounts(scene, 0, len(scene.said))
    said = [one for one in said if not scene.does(one.first, "article")] or said  # `make that one 1 TB`
    able = {item.capability for item in message.request.items}
    labels = [mark for mark in scene.marks if {name for one in able for name in mark.facts(one)} - {"count"}]
    settles = any(mark.does("settles") for mark in scene.marks)
    takes_back = (
        settles or any(mark.does("mends", "instead", "prefer", "too_many", "too_much") for mark in scene.marks) or scene.does(0, "deny")
    )
    if said and scene.does(said[-1].last, "them"):
        return False  # `sorry, 3 of them`: so many machines
    points = any(mark.does("change") and scene.does(mark.last, "them") for mark in scene.marks)
    if len(said) == 2 and takes_back and not labels and _mend(message, *said):
        return True
    if len(said) != 1 or labels or len(scene.said) > WORDS_MAX or not (takes_back or points) or scene.is_body(said[0].last):
        return False
    if is_day_word(scene.token(said[0].last).text):
        return False  # `make that two weeks longer`
    recent, everything = list(_recent(message.request, before)), list(_recent(message.request, Request()))
    once = [one for one in everything if had(message, one[0], one[1].name, said[0])]
    near, nearer = _near(recent, said[0]), _near([*everything, *_planned(message)], said[0])
    own = [one for one in recent if one[1].name == COUNT or (said[0].kind == "size" and one[1].name not in SHARED)]
    ways = (once, near, own, nearer) if settles else (recent,)  # `8 GB is enough`, and something else was said last
    new = next(filter(None, (_meant(scene, facts, said[0]) for facts in ways)), {})
    in_words, names = said[0].kind == "number" and not said[0].text[0].isdigit(), {fact.name for _, fact in new}
    if in_words and takes_back and not settles and COUNT not in names and (not new or names & SHARED):
        new = _so_many(message, said[0]) | {one: value for one, value in new.items() if one[1].name not in SHARED}
    if not new or (points and not takes_back and len({fact.value for _, fact in new}) > 1):
        return False
    quote = scene.quote(said[0].first, said[0].last)
    edits = [Edit(do="set", item=label, name=fact.name, value=value, quote=quote) for (label, fact), value in new.items()]
    one = Thing(message.request.items[0].capability, message.request.items[0].label, new=False, quote="")
    if len({fact.value for _, fact in new}) == 1:
        one.edits += edits  # a network and its VLAN are one value
    else:
        readings = tuple(Reading(text=spoken(edit.name, edit.value), edits=(edit,)) for edit in edits)
        one.doubts.append(Doubt(item="", quote=quote, about=tuple(edit.name for edit in edits), readings=readings))
    message.things.append(one)
    scene.use(0, len(scene.said))
    return True


def _so_many(message: Message, amount: Amount) -> dict[Set, str]:
    """`make that three`, behind a whole request: three of them is what it says first."""
    last = message.request.items[-1]
    able = message.wants(Thing(last.capability, last.label, new=False, quote=""), COUNT)
    return {(last.label, Fact(name=COUNT, value="1", quote="")): plain(amount.worth)} if able else {}


def _near(facts: Iterable[Set], amount: Amount) -> list[Set]:
    """What is not much more or less than that, the nearest first."""
    apart = {one: _times(one[1], amount) for one in facts if one[1].name not in SHARED}
    return sorted((one for one in apart if apart[one] <= NEAR), key=lambda one: apart[one])


def _planned(message: Message) -> Iterator[Set]:
    """Sizes that nobody has said: `let's go with 16`, of the memory on the plan."""
    for item in message.request.items:
        for name, value in message.scene.known.sizes.get(item.label, {}).items():
            now = worth(value) or 0
            if name in BARE and not item.fact(name):
                yield item.label, Fact(name=name, value=plain(now) if now < GIB else f"{plain(now / GIB)} GB", quote="")


def _times(fact: Fact, amount: Amount) -> float:
    """How many times as much the one is as the other."""
    was, now = worth(fact.value) or 0, amount.worth * (GIB if amount.kind == "number" and quantities.size_bytes(fact.value) else 1)
    return max(was, now) / min(was, now) if was and now else NEAR + 1


def _meant(scene: Scene, facts: Iterable[Set], amount: Amount) -> dict[Set, str]:
    """Of these facts those that the amount may be said of, each with its value then."""
    new = {fact: value for fact in facts if (value := _instead(fact[1], amount)) and _fits(scene, fact[1], amount)}
    nearest = _nearest(new, amount)
    return {nearest: new[nearest]} if nearest else new


def _fits(scene: Scene, fact: Fact, amount: Amount) -> bool:
    """`only 8` is less than it was, and `too many` counts machines."""
    was, is_count = worth(fact.value), fact.name == COUNT or (fact.name.endswith(f"_{COUNT}") and fact.name != CPU_COUNT)
    if any(mark.does("too_many") for mark in scene.marks) and not is_count:
        return False
    said = amount.worth * (GIB if amount.kind == "number" and quantities.size_bytes(fact.value) else 1)
    lowers = any(mark.does("only") for mark in scene.marks)
    return was is None or not lowers or said < was


def _mend(message: Message, wrong: Amount, right: Amount) -> bool:
    """`I said 200, I meant 100`: of the one fact that has the first figure, or had it said."""
    facts = [("", fact) for fact in message.request.shared]
    facts += [(item.label, fact) for item in message.request.items for fact in item.facts]
    lead = re.compile(rf"{re.escape(plain(wrong.worth))}(?![\d.])")
    alike = [(label, fact) for label, fact in facts if lead.match(fact.value) or (quantities.size_bytes(fact.value) == wrong.worth)]
    values = {(label, fact.name): value for label, fact in alike if (value := _instead(fact, right))}
    if len(values) != 1 or len(message.scene.said) > WORDS_MAX:
        return False
    [((label, name), value)] = values.items()
    scene, item = message.scene, message.request.items[0]
    thing = Thing(item.capability, item.label, new=False, quote="")
    thing.edits.append(Edit(do="set", item=label, name=name, value=value, quote=scene.quote(right.first, right.last)))
    message.things.append(thing)
    scene.use(0, len(scene.said))
    return True


def redirect(message: Message, before: Request) -> bool:
    """Whether the message says of what the last one was meant: `no, I meant the database`. That one is as it was, and what was said of it
    is of the other."""
    scene, meant = message.scene, message.things[0] if len(message.things) == 1 else None
    says = any(scene.does(i, "mends", "instead") for i in range(len(scene.said))) or scene.does(0, "deny")
    if (
        meant is None
        or meant.new
        or meant.facts
        or meant.found.denied
        or meant.doubts
        or not says
        or scene.figures()
        or len(scene.said) > WORDS_MAX
    ):
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


def _nearest(new: dict[Set, str], amount: Amount) -> Set | None:
    """`doch lieber 16 GB`, of 8 GB of memory and a disk of 60 GB: the one that is much nearer; `better three`: so many machines."""
    if amount.kind == "number" and not amount.text[0].isdigit():
        return next((one for one in new if one[1].name == "count"), None)
    if amount.kind == "number":
        apart = sorted((_times(one[1], amount), one) for one in new if one[1].name not in SHARED)
        return apart[0][1] if len(apart) > 1 and apart[0][0] * 2 <= apart[1][0] else None
    far = sorted((abs((quantities.size_bytes(one[1].value) or 0) - amount.worth), one) for one in new) if amount.kind == "size" else []
    return far[0][1] if len(far) > 1 and far[0][0] * FAR <= far[1][0] else None


def _recent(request: Request, before: Request) -> Iterator[Set]:
    """What the last message set."""
    old = {(item.label, fact) for item in before.items for fact in item.facts} | {("", fact) for fact in before.shared}
    for label, facts in (*((item.label, item.facts) for item in request.items), ("", request.shared)):
        yield from ((label, fact) for fact in facts if (label, fact) not in old)


def _instead(fact: Fact, amount: Amount) -> str:
    """The value that the fact has then; empty when it has none of that kind."""
    size = next(quantities.sizes(fact.value), None)
    if quantities.money(fact.value) and amount.kind in ("number", "money"):
        return amount.text if amount.kind == "money" else re.sub(r"[\d.,]+", plain(amount.worth), fact.value, count=1)
    if size is None:
        return plain(amount.worth) if fact.value.isdigit() and amount.kind == "number" else ""
    if amount.kind == "number" and not amount.text[0].isdigit():
        return ""  # `nur zwei` counts things
    unit = fact.value.lstrip("0123456789., ")
    return amount.text if amount.kind == "size" else f"{plain(amount.worth)} {unit}" if amount.kind == "number" else ""


def lately(request: Request, before: Request | None) -> frozenset[str]:
    """The names of the facts that the last change set."""
    old = {*before.shared, *(fact for item in before.items for fact in item.facts)} if before else set()
    said = (*request.shared, *(fact for item in request.items for fact in item.facts)) if before else ()
    return frozenset(fact.name for fact in said if fact not in old)
