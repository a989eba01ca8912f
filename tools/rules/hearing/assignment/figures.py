"""What a figure is about that has no label, of what there is: `no, 16`, `x3`, `back on 8`, `swap 16 for 32`. Whatever it may be said of is
a candidate, and one row of clues tells which is meant; where the best clue leaves several, it is asked, and nothing is settled."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from typing import NamedTuple

from tools.rules.hearing.assignment.scaling import had, worth
from tools.rules.hearing.assignment.thing import SHARED
from tools.rules.hearing.assignment.things import Message
from tools.rules.hearing.assignment.values import AMOUNTS, GIB, Amount, plain, takes
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens import quantities
from tools.rules.hearing.words.able import COUNT, CPU_COUNT, counts_part, spoken
from tools.values.request import Doubt, Edit, Item, Reading
from tools.values.wanted import Kind

NEAR = 4
"""How many times as much something may become where only an amount is said."""
MARGIN = 2
"""How much farther off the second must be than the one that is meant, as a factor; of sizes, whose distance counts, one more."""
READINGS_MAX = 4
WORDS_MAX = 16
"""Of a message whose figures are looked at so."""
TIMES = re.compile(r"[x×]\d{1,2}")
BARE = ("memory", "cpu_count")
"""What is spoken of without its name though nobody said it."""
TAKING_BACK = ("mends", "instead", "prefer", "too_many", "too_much", "settles")
KNOWN_WORDS = (
    "courtesy",
    "parting",
    "opening",
    "interjections",
    "needing",
    "is_to_be",
    "being",
    "everything",
    "one_of",
    "yes",
    "no",
    "that",
)
"""Lists of words that say no more than that something is said."""


class Told(NamedTuple):
    """What a figure may be said of: a fact of an item, or of all where `label` is empty."""

    label: str
    name: str
    was: str
    """Empty where it was asked for and nothing is known."""
    kind: Kind
    is_said: bool = True
    """Not only planned."""


def takes_back(scene: Scene) -> bool:
    """The message begins with a no, or says that something was wrong or is enough."""
    return scene.does(0, "deny") or any(mark.does(*TAKING_BACK) for mark in scene.marks)


def is_terse(scene: Scene) -> bool:
    """Nothing in the message is unknown: whatever stands beside its figures is courtesy, a small word or something that was heard."""
    return is_short(scene) and not any(_tells_more(scene, i) for i in range(len(scene.said)))


def is_times(scene: Scene, number: int) -> bool:
    """`x3`"""
    return bool(TIMES.fullmatch(scene.token(number).text)) and scene.is_left(number)


def is_short(scene: Scene) -> bool:
    return len(scene.said) - sum(scene.denied) <= WORDS_MAX


def _tells_more(scene: Scene, number: int) -> bool:
    known = scene.used[number] or scene.denied[number] or scene.fills(number) or scene.kind(number) in ("mark", "number", "size", "money")
    known = known or is_times(scene, number)
    return not (known or scene.at(number).meanings or scene.is_listed(number, *KNOWN_WORDS))


def meant(
    message: Message, amount: Amount, items: Sequence[Item], wrong: Sequence[float] = (), but: Container[str] = ()
) -> dict[Told, str]:
    """What an amount may be said of, by the best clue, each with its value then. `wrong`: figures that it stands in the place of; `but`:
    facts of which something is said already."""
    if message.scene.is_listed(amount.first - 1, "versions"):
        return {}  # `version 16`, which nothing here has
    told = (one for one in _candidates(message, items) if one.name not in but and _fits(message.scene, one, amount))
    able = {one: value for one in told if (value := _instead(message.scene, one, amount, wrong))}
    able = {
        one: value for one, value in able.items() if not one.is_said or value.lower() != one.was.lower()
    } or able  # `2 was fine` changes something
    for clue in _clues(message, amount, wrong, but):
        found = [one for one in able if clue(one)]
        if found:
            return {one: able[one] for one in _nearest(found, amount)}
    return {}


def _clues(message: Message, amount: Amount, wrong: Sequence[float], but: Container[str]) -> Iterator[Callable[[Told], bool]]:
    """The surest first."""
    scene, back = message.scene, takes_back(message.scene)
    if wrong:
        yield lambda one: bool(_replaced(one, wrong))
        return
    settles = any(mark.does("settles") for mark in scene.marks)
    if settles:
        yield lambda one: had(message, one.label, one.name, amount)
    if not back:
        yield lambda one: (one.label, one.name) in message.asked
    if amount.kind == "number" and not amount.text[0].isdecimal():  # `just two`, `better three`: so many machines
        yield lambda one: one.name == COUNT and ((one.label, one.name) in scene.recent or (message.counted_of(one.label) or 1) > 1)
        yield lambda one: one.name == COUNT
        return
    if CPU_COUNT in but:
        yield lambda one: one.name == "memory"  # `8 cores and 32`
    if scene.does(amount.first - 1, "ask_for"):
        yield lambda one: one.name == COUNT and (message.counted_of(one.label) or 1) > 1  # `can we have 3?`
    lately = {name for label, name in scene.recent if name not in SHARED}
    own = settles or (not back and any(name not in SHARED for _, name in scene.recent))
    yield lambda one: (one.label, one.name) in scene.recent and _times(one, amount) <= NEAR and not (own and one.name in SHARED)
    yield (
        lambda one: one.name in lately and (one.label, one.name) not in scene.recent
    )  # `4 cores for the redis`, then `and the web server 2`
    yield lambda one: one.name not in SHARED and one.was != "" and _times(one, amount) <= NEAR
    if back:
        yield lambda one: (one.label, one.name) in scene.recent


def _replaced(told: Told, wrong: Sequence[float]) -> list[str]:
    """Its values that one of these figures says."""
    said = {*wrong, *(each * GIB for each in wrong)}
    return [one for one in told.was.split(", ") if worth(one) in said]


def _candidates(message: Message, items: Sequence[Item]) -> Iterator[Told]:
    able, lately = message.scene.words.able, {name for _, name in message.scene.recent}
    for item in items:
        kinds = able[item.capability].kinds
        sizes = message.scene.known.sizes.get(item.label, {})
        for name, kind in kinds.items():
            if kind not in (*AMOUNTS, "network"):
                continue
            fact = item.fact(name)
            planned = sizes.get(name, "") if name in BARE else ""
            was = fact.value if fact else str(message.counted_of(item.label) or 1) if name == COUNT else _planned(planned)
            if fact or was or (item.label, name) in message.asked or (name in lately - SHARED and len(items) == 1):
                yield Told(item.label if name not in SHARED or fact else "", name, was, kind, fact is not None or name == COUNT)
    wanted = {name: kind for item in items for name, kind in able[item.capability].kinds.items()}
    for fact in message.request.shared if len(items) == len(message.request.items) else ():
        if fact.name in wanted:
            yield Told("", fact.name, fact.value, wanted[fact.name])


def _planned(value: str) -> str:
    now = worth(value) or 0
    return "" if not now else plain(now) if now < GIB else f"{plain(now / GIB)} GB"


def _times(told: Told, amount: Amount) -> float:
    """How many times as much the one is as the other. A network's name is as near as any."""
    if told.kind == "network" and not told.was.isdecimal():
        return 1
    was, now = worth(told.was) or 0, amount.worth * (GIB if amount.kind == "number" and quantities.size_bytes(told.was) else 1)
    return max(was, now) / min(was, now) if was and now else NEAR + 1


def _fits(scene: Scene, told: Told, amount: Amount) -> bool:
    """`only 8` is less than it was, and `too many` counts machines."""
    was, is_count = worth(told.was), told.name == COUNT or counts_part(told.name)
    if any(mark.does("too_many") for mark in scene.marks) and not is_count:
        return False
    said = amount.worth * (GIB if amount.kind == "number" and quantities.size_bytes(told.was) else 1)
    return was is None or not told.is_said or not any(mark.does("only") for mark in scene.marks) or said < was


def _instead(scene: Scene, told: Told, amount: Amount, wrong: Sequence[float]) -> str:
    """The value that it has then; empty where it has none of that kind."""
    is_number, in_words = amount.kind == "number", amount.kind == "number" and not amount.text[0].isdecimal()
    if told.kind == "network":
        is_there = not scene.known.networks or scene.known.has_network(plain(amount.worth))
        return plain(amount.worth) if is_number and not in_words and is_there and not scene.does(amount.first - 1, "bound") else ""
    if not takes(told.kind, amount, labelled=True) or (in_words and told.kind != "count"):
        return ""
    if told.kind == "count":
        return plain(amount.worth)
    unit = told.was.lstrip("0123456789., ") or "GB"
    value = f"{plain(amount.worth)} {unit}" if is_number else amount.text
    if told.kind != "disks":
        return value
    gone = _replaced(told, wrong) if wrong else told.was.split(", ")
    return ", ".join(value if one in gone else one for one in told.was.split(", ")) if len(gone) == 1 else ""


def _nearest(found: Sequence[Told], amount: Amount) -> list[Told]:
    """The one that is much nearer than the others; all where none is. What is said of all counts where it is the nearest itself."""
    is_size = amount.kind == "size"
    apart = {one: abs((worth(one.was) or 0) - amount.worth) if is_size else _times(one, amount) for one in found}
    near = sorted(apart, key=lambda one: apart[one])
    if near[0].name in SHARED:
        alike = [one for one in near if one.name in SHARED and one.was == near[0].was]  # a network and its VLAN are one value
        others = [one for one in near if one not in alike]
        return near if others and apart[near[0]] * MARGIN > apart[others[0]] else alike
    own = [one for one in near if one.name not in SHARED]
    return own[:1] if len(own) > 1 and apart[own[0]] * (MARGIN + is_size) <= apart[own[1]] else own


def edits_of(found: dict[Told, str], quote: str) -> tuple[tuple[Edit, ...], Doubt | None]:
    """What is to be set, or what is asked."""
    edits = tuple(Edit(do="set", item=one.label, name=one.name, value=value, quote=quote) for one, value in found.items())
    if len(edits) < 2 or all(one.name in SHARED for one in found):
        return edits, None
    several = len({edit.item for edit in edits}) > 1
    readings = tuple(
        Reading(text=f"{edit.item.replace('_', ' ')} {said}".strip() if several else said, edits=(edit,))
        for edit in edits[:READINGS_MAX]
        for said in [spoken(edit.name, edit.value)]
    )
    owner = edits[0].item if not several else ""
    return (), Doubt(item=owner, quote=quote, about=tuple(dict.fromkeys(edit.name for edit in edits)), readings=readings)
