"""Goals that people state (“CI for twelve developers”), and what each takes: certain things are added, doubtful ones are asked, and
whatever else the message says is read as of things that were named. The goals are data, tools/data/goals.toml; no product is known here.

A goal counts only where nothing else was heard: whoever names a thing gets that thing. Where the goal's own words name all that it takes
(`a web application`), its questions are asked.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib import resources
from typing import NamedTuple

from pydantic import Field

from tools.rules.hearing.edits.speakers import turns
from tools.rules.hearing.known import NOTHING_KNOWN, Known
from tools.rules.hearing.proving import named, said
from tools.rules.hearing.reading import Asked, read
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.words.dictionary import Catalogue
from tools.rules.names.naming import repair
from tools.rules.names.text import fold
from tools.rules.request.editing import apply
from tools.rules.sizing.applications import ordinary
from tools.values.request import Doubt, Edit, Edits, Reading, Request
from tools.values.value import Value

SENTENCE = re.compile(r"[^.!?;\n]+")
APPLICATION = "application"
"""The fact that says what a machine is for."""


class Thing(Value):
    capability: str
    facts: dict[str, str] = Field(default_factory=dict)


class Answer(Value):
    text: str
    items: tuple[Thing, ...] = ()
    facts: dict[str, dict[str, str]] = Field(default_factory=dict)
    """By the label of an item that the goal adds."""


class Goal(Value):
    name: str
    words: tuple[tuple[str, ...], ...]
    """Of each group one is said, all in one sentence."""
    items: tuple[Thing, ...] = ()
    asked: tuple[tuple[Answer, ...], ...] = ()
    applications: tuple[str, ...] = ()
    """In the place of items: a machine for one of these applications, the first one unless another is chosen."""


class Stated(NamedTuple):
    goal: Goal
    quote: str


@cache
def goals() -> tuple[Goal, ...]:
    text = resources.files("tools.data").joinpath("goals.toml").read_text(encoding="utf-8")
    return tuple(Goal.model_validate({"name": name, **told}) for name, told in tomllib.loads(text).items())


def hear(
    text: str,
    request: Request,
    catalogue: Catalogue,
    asked: Asked = (),
    today: date = date.min,
    before: Request | None = None,
    known: Known = NOTHING_KNOWN,
) -> Edits:
    """What a message says, also where it names no thing but a goal. `before` is the request before the last message. Of a pasted chat it is
    what all of them say, one after the other."""
    said = turns(text, catalogue)
    if len(said) == 1:
        return _hear(text, request, catalogue, asked, today, before, known)
    heard = Edits()
    for one in said:
        more = _hear(one, request, catalogue, asked, today, before, known)
        before, (request, _) = request, apply(request, more, catalogue)
        asked = _asks(one, request, catalogue)
        told = {(edit.item, edit.name) for edit in more.edits if edit.do == "set"}
        open_ = (doubt for doubt in heard.doubts if not any((doubt.item, name) in told for name in doubt.about))
        heard = Edits(
            edits=(*heard.edits, *more.edits),
            doubts=(*open_, *more.doubts),
            unused=(*heard.unused, *more.unused),
            taken=(*heard.taken, *more.taken),
            joins=heard.joins or more.joins,
        )
    return heard


def _asks(text: str, request: Request, catalogue: Catalogue) -> Asked:
    """`which net?`: what one who speaks asks about, and the next one answers."""
    scene = Scene.of(text, text, catalogue)
    inquires = text.rstrip().endswith("?") or scene.is_listed(0, "interrogative")  # `which vlan`
    names = {name for mark in scene.marks for name in mark.names("fact")} if inquires else set()
    able = ((item.label, one.name) for item in request.items for one in catalogue[item.capability].WANTED)
    return tuple((label, name) for label, name in able if name in names)


def _hear(text: str, request: Request, catalogue: Catalogue, asked: Asked, today: date, before: Request | None, known: Known) -> Edits:
    heard = read(text, request, catalogue, asked, today, before, known)
    if request.items or any(edit.do == "copy" for edit in heard.edits):
        return heard
    towards = goal_edits(text, request, catalogue)
    if towards is None:
        return heard
    scene = Scene.of(text, text, catalogue)
    if things := [edit for edit in heard.edits if edit.do == "add" and named(scene, edit.name)]:
        taken = {edit.name: fold(edit.quote) for edit in towards.edits if edit.do == "add"}
        its_own = taken.keys() == {edit.name for edit in things} and all(taken[edit.name] in fold(edit.quote) for edit in things)
        return heard.model_copy(update={"doubts": (*heard.doubts, *towards.doubts)}) if its_own else heard
    begun, _ = apply(request, towards, catalogue)
    more = read(text, begun, catalogue, (), today)
    added = {edit.name for edit in towards.edits if edit.do == "set"}
    sets = tuple(edit for edit in more.edits if edit.do != "add" and edit.name not in added)
    goal = [word for edit in towards.edits if edit.do == "add" for word in fold(edit.quote).split()]
    unused = tuple(phrase for phrase in more.unused if not set(fold(phrase).split()) <= {*goal})
    return more.model_copy(
        update={"edits": (*towards.edits, *sets), "doubts": (*towards.doubts, *more.doubts), "asks": heard.asks, "unused": unused}
    )


def goal_edits(text: str, request: Request, catalogue: Catalogue) -> Edits | None:
    """The edits that a goal stated in this text takes, and what is to be asked about it; None when none is stated."""
    stated = goal_of(text, catalogue)
    if stated is None:
        return None
    goal, quote = stated
    if goal.applications:
        return _for_an_application(goal, quote, catalogue)
    labels = {thing.capability: thing.capability for thing in goal.items}
    edits = tuple(edit for thing in goal.items for edit in _adding(thing, quote))
    doubts = tuple(
        Doubt(
            item="",
            quote=quote,
            about=(f"{goal.name} {number}",),
            readings=tuple(Reading(text=answer.text, edits=_answering(answer, labels, quote)) for answer in answers),
        )
        for number, answers in enumerate(goal.asked, 1)
    )
    return Edits(edits=edits, doubts=doubts)


def goal_of(text: str, catalogue: Catalogue) -> Stated | None:
    """The goal whose words say most, and the stretch of the text that states it; not where it is denied."""
    folded = fold(text)
    sentences = [(sentence.start(), sentence[0]) for sentence in SENTENCE.finditer(folded)]
    stated = [Stated(goal, quote) for goal in goals() for quote in _stated(goal, text, sentences)]
    if not stated and not any(spelling in folded for spelling in ordinary()):
        return None  # which most messages end with, and without a scene
    scene = Scene.of(text, text, catalogue)
    found = [one for one in stated if said(one.quote, scene) and _wanted(one.quote, text, scene)]
    return max(found, key=lambda one: (len(one.goal.words), len(one.quote)), default=None) or _application_first(text, scene)


def _application_first(text: str, scene: Scene) -> Stated | None:
    """`Outline for 50 people`: an application with an ordinary name, which the message begins with, and goes on as of a thing."""
    begin = next(
        (n for n, token in enumerate(scene.said) if not scene.words.fills(token) and not scene.at(n).does("ask_for", "article")), 0
    )
    if not scene.said or scene.denied[begin]:
        return None
    start = scene.said[begin].start
    for spelling in sorted(ordinary(), key=len, reverse=True):
        if fold(text[start : start + len(spelling)]) != spelling:
            continue
        _, end = scene.tokens_between(start, start + len(spelling))
        after = scene.token(end)
        if end >= len(scene.said) or after.kind == "mark" or scene.at(end).does("for", "with", "lean"):
            name = ordinary()[spelling]
            goal = Goal(name=repair(name), words=(), applications=(name,))
            return Stated(goal, text[start : start + len(spelling)])
    return None


def _stated(goal: Goal, text: str, sentences: Sequence[tuple[int, str]]) -> list[str]:
    """`sentences` are those of the text, folded, by where they begin."""
    found: list[str] = []
    for begin, sentence in sentences:
        spans = [_first(group, sentence) for group in goal.words]
        if all(spans):
            known = [span for span in spans if span]
            start, end = min(first for first, _ in known), max(last for _, last in known)
            found.append(text[begin + start : begin + end])
    return found


def _first(words: tuple[str, ...], sentence: str) -> tuple[int, int] | None:
    match = _pattern(words).search(sentence)
    return match.span() if match else None


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, sorted(words, key=len, reverse=True)))})(?![\w-])")


def _wanted(quote: str, text: str, scene: Scene) -> bool:
    """It is asked for: by a verb before it, by an article (`a production-ready web shop`), or as what the sentence begins with."""
    start = text.find(quote)
    first, _ = scene.tokens_between(start, start + len(quote))
    begin, _ = scene.sentence(first)
    wish = scene.at(first)
    if wish.has("wish") and wish.last - wish.first > 1 and scene.mention_at(first) is None:
        return False  # a `web application firewall`
    if scene.does(first - 1, "owned") and (scene.does(first - 2, "lean") or scene.at(first - 2).has("fact", "relation")):
        return False  # `in front of the shop`
    if scene.does(first - 1, "called"):
        return False  # `a VLAN called shop`
    before = [scene.at(number) for number in range(begin, first)]
    return not before or any(mark.does("ask_for") for mark in before) or any(mark.does("article") for mark in (before[0], before[-1]))


def _adding(thing: Thing, quote: str) -> tuple[Edit, ...]:
    add = Edit(do="add", item=thing.capability, name=thing.capability, quote=quote)
    return (add, *(Edit(do="set", item=thing.capability, name=name, value=value, quote=quote) for name, value in thing.facts.items()))


def _answering(answer: Answer, labels: Mapping[str, str], quote: str) -> tuple[Edit, ...]:
    sets = (
        Edit(do="set", item=labels[label], name=name, value=value, quote=quote)
        for label, facts in answer.facts.items()
        for name, value in facts.items()
    )
    return (*(edit for thing in answer.items for edit in _adding(thing, quote)), *sets)


def _for_an_application(goal: Goal, quote: str, catalogue: Catalogue) -> Edits | None:
    """A machine for the first of its applications, and which of them when there are several."""
    first = goal.applications[0]
    able = (one for one in catalogue.values() for wanted in one.WANTED if wanted.name == APPLICATION and first in dict(wanted.choices))
    capability = next(able, None)
    if capability is None:
        return None
    label = goal.name
    add = Edit(do="add", item=label, name=capability.NAME, quote=quote)
    choice = [Edit(do="set", item=label, name=APPLICATION, value=name, quote=quote) for name in goal.applications]
    if len(choice) == 1:
        return Edits(edits=(add, choice[0]))
    readings = tuple(Reading(text=edit.value, edits=(edit,)) for edit in choice)
    return Edits(edits=(add,), doubts=(Doubt(item=label, quote=quote, about=(APPLICATION,), readings=readings),))
