"""Judges edits by what was typed: whatever a model claims, nothing that was not said gets into a request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from tools.rules.hearing.assignment.facts import NO_KEY
from tools.rules.hearing.assignment.places import addresses_at
from tools.rules.hearing.reading import TEXT_LENGTH_MAX
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens import quantities
from tools.rules.hearing.tokens.dates import days
from tools.rules.names import regions as azure_regions
from tools.rules.names.text import fold
from tools.values.request import Doubt, Edit, Edits, Fact, Request
from tools.values.wanted import Listed, Wanted

Dropped = tuple[Edit, ...]


def prove(
    edits: Edits, typed: Sequence[str], request: Request, catalogue: Mapping[str, Listed], by_rule: Edits | None = None
) -> tuple[Edits, Dropped]:
    """(what was really said, what was not), of edits of this request; `typed` are the messages, the last one is what they come from. A fact
    may have been said before; whatever else is to be done must be said now. What belongs to an item that nobody asked for falls with it.
    A thing need not be named to be added: a goal may have been stated that it serves, or words of this message that say nothing else."""
    judge = _Judge([text[:TEXT_LENGTH_MAX] for text in typed], catalogue, {item.label: item.capability for item in request.items})
    if by_rule:
        judge.meant = {edit.name for edit in by_rule.edits if edit.do == "add"}
        judge.heard = tuple(fold(edit.quote) for edit in by_rule.edits if edit.do in ("set", "include"))
    kept = tuple(edit for edit in edits.edits if judge.holds(edit))
    dropped = tuple(edit for edit in edits.edits if edit not in kept)
    doubts = tuple(one for doubt in edits.doubts if (one := judge.doubt(doubt)) is not None)
    return edits.model_copy(update={"edits": kept, "doubts": doubts, "taken": tuple(judge.taken)}), dropped


def fill_in(proven: Edits, by_rule: Edits, catalogue: Mapping[str, Listed]) -> Edits:
    """What a model said, with what the rules heard in words that it made nothing of. Things are added by the rules only when it made
    nothing of the whole message. Where a thing is to stand is taken from words that it made something else of, too: `2 VMs in Azure` are
    not two VMs anywhere."""
    if not proven.edits:
        return by_rule.model_copy(update={"asks": by_rule.asks or proven.asks, "doubts": by_rule.doubts or proven.doubts})
    theirs: dict[str, list[str]] = {}
    for edit in proven.edits:
        if edit.do == "add":
            theirs.setdefault(edit.name, []).append(edit.item)
    called = {edit.item: (theirs.get(edit.name) or [""]).pop(0) for edit in by_rule.edits if edit.do == "add"}
    left = [
        edit.model_copy(update={"item": called.get(edit.item, edit.item)})
        for edit in by_rule.edits
        if edit.do in ("set", "include", "exclude")
    ]
    said_of = {(edit.item, edit.name) for edit in proven.edits}
    places = {one.name for able in catalogue.values() for one in able.WANTED if one.place}
    quotes = [fold(edit.quote) for edit in proven.edits if edit.do != "add"]
    more = tuple(
        edit
        for edit in left
        if (edit.item or edit.item not in called)
        and not {(edit.item, edit.name), ("", edit.name)} & said_of
        and (edit.name in places or not any(fold(edit.quote) in quote or quote in fold(edit.quote) for quote in quotes))
    )
    unused = tuple(phrase for phrase in by_rule.unused if not any(quote in fold(phrase) for quote in quotes))
    return proven.model_copy(update={"edits": (*proven.edits, *more), "unused": unused, "joins": by_rule.joins})


class _Judge:
    """Walks through the edits of one message, and knows which items there are by then."""

    def __init__(self, typed: Sequence[str], catalogue: Mapping[str, Listed], items: dict[str, str]) -> None:
        self._typed = typed
        self._scenes: dict[str, Scene] = {}
        """Of the messages that had to be looked at: mostly the last one alone, however long the conversation is."""
        self._catalogue = catalogue
        self._items = items
        self.meant: set[str] = set()
        """Capabilities that are asked for without being named."""
        self.heard: tuple[str, ...] = ()
        """Words in which the rules heard facts."""
        self.taken: list[tuple[str, str]] = []
        """(words, the capability that a model takes them for)"""

    def _scene(self, text: str) -> Scene:
        if text not in self._scenes:
            self._scenes[text] = Scene.of(text, text, self._catalogue)
        return self._scenes[text]

    def _said(self, quote: str, text: str) -> bool:
        return any(True for _ in _found(quote, text)) and said(quote, self._scene(text))

    def holds(self, edit: Edit) -> bool:
        now, latest_first = self._said(edit.quote, self._typed[-1]), reversed(self._typed)
        match edit.do:
            case "add":
                known = edit.name in self._catalogue
                asked = known and (edit.name in self.meant or any(named(self._scene(text), edit.name) for text in latest_first))
                if known and not asked and now and self._is_a_wish(edit.quote):
                    self.taken.append((edit.quote, edit.name))
                    asked = True
                if asked:
                    self._items[edit.item] = edit.name
                return asked
            case "set" | "include":
                fact = Fact(name=edit.name, value=edit.value, quote=edit.quote)
                typed = any(self._said(edit.quote, text) for text in latest_first)
                return typed and any(supports(one, fact, self._catalogue) for one in self._wanted(edit))
            case "copy" | "remove" if edit.item not in self._items and fold(edit.item) not in fold(edit.quote):
                return False
            case "copy":
                if now:
                    self._items[edit.name] = self._items.get(edit.item, "")
                return now
            case "wish":
                return now and fold(edit.value) in fold(edit.quote)
            case "relate":
                return now and (edit.value in self._items or fold(edit.value) in fold(edit.quote))
            case _:
                return bool(edit.quote.strip()) and fold(edit.quote) in fold(self._typed[-1])

    def _is_a_wish(self, quote: str) -> bool:
        """Words that may stand for a thing: nothing else is known of one of them, they name no other thing, and are no fact."""
        scene = Scene.of(quote, quote, self._catalogue)
        says = any(scene.is_plain_word(number) for number in range(len(scene.said)))
        named = any(mark.names("service") for mark in scene.mentions)
        return says and not named and not any(fold(quote) in heard for heard in self.heard)

    def doubt(self, doubt: Doubt) -> Doubt | None:
        if not self._said(doubt.quote, self._typed[-1]):
            return None
        readings = tuple(one for one in doubt.readings if all(self.holds(edit) for edit in one.edits))
        return doubt.model_copy(update={"readings": readings})

    def _wanted(self, edit: Edit) -> list[Wanted]:
        """The settings that the edit may be about: its item's, or for all any capability's."""
        if edit.item and edit.item not in self._items:
            return []
        able = self._catalogue.get(self._items.get(edit.item, ""))
        return [one for each in ([able] if able else self._catalogue.values()) for one in each.WANTED if one.name == edit.name]


def named(scene: Scene, capability: str) -> bool:
    """Whether a word for it was typed, and not to deny it: its own, one of a service that it may be meant instead of, or a choice that asks
    for it by itself."""
    wanted = scene.catalogue[capability].WANTED
    alone = {one.name for one in wanted if one.alone}
    choices = (mark for mark in scene.marks if any(mark.choices(name) for name in alone))
    services = {capability, *(other for one in wanted for other in one.instead_of)}
    named = (mark for mark in scene.mentions if services & set(mark.names("service")))
    return any(not scene.denied[mark.first] for mark in (*named, *choices))


def said(quote: str, scene: Scene) -> bool:
    """Whether the quote was typed, up to letter case and blanks, not inside a longer word or number, and not to deny it."""
    for start, end in _found(quote, scene.text):
        first, last = scene.tokens_between(start, end)
        if not all(scene.denied[first:last]) or last <= first or scene.at(first).does("deny"):
            return True
    return False


def _found(quote: str, text: str) -> Iterator[tuple[int, int]]:
    """Where it stands, up to letter case and blanks, not inside a longer word or number."""
    words = fold(quote).split()
    if not words:
        return
    body = r"\s+".join(re.escape(word) for word in words)
    left = r"(?<![a-z0-9_])(?<!\d[.,])(?<![-]\d)" if words[0][0].isalnum() else ""
    left += r"(?<!-)" if words[0][0].isdecimal() else ""
    right = r"(?![a-z0-9_]|[.,]\d)" if words[-1][-1].isalnum() else ""
    yield from (match.span() for match in re.finditer(left + body + right, fold(text)))


def supports(one: Wanted, fact: Fact, catalogue: Mapping[str, Listed]) -> bool:
    """Whether the quote says the value: the same number or size, a word that means the choice, the name itself."""
    if one.several and one.kind in ("choice", "text"):
        each = re.split(r"\s*,\s*", fact.value)
        return all(_supports_one(one, part, fact.quote, catalogue) for part in each)
    return _supports(one, fact, catalogue)


def _supports_one(one: Wanted, value: str, quote: str, catalogue: Mapping[str, Listed]) -> bool:
    """A value of a list, and what it has of its own."""
    bare, *own = re.split(r"\s+with\s+", value, maxsplit=1)
    return _supports(one, Fact(name=one.name, value=bare, quote=quote), catalogue) and all(fold(part) in fold(quote) for part in own)


def _supports(one: Wanted, fact: Fact, catalogue: Mapping[str, Listed]) -> bool:
    value, quote = fold(fact.value), fold(fact.quote)
    numbers = {n.value for n in quantities.numbers(quote)}
    bare = quantities.count(value)
    match one.kind:
        case "count":
            digits = {float(one) for one in re.findall(r"\d+", quote)}
            return bare in numbers | digits or _is_product(bare, numbers) if bare is not None else value in quote
        case "memory" | "disk" | "volume":
            size = quantities.size_bytes(value)
            sizes = {s.size_bytes for s in quantities.sizes(quote)}
            return size in sizes if sizes else bare in numbers if size is None else size in {number * 2**30 for number in numbers}
        case "disks":
            placed = re.findall(r" (?:on|at) (\S+?)(?=,? |,|$)", value)
            sizes_said = {s.size_bytes for s in quantities.sizes(value)} <= {s.size_bytes for s in quantities.sizes(quote)}
            return sizes_said and all(one in quote for one in placed)
        case "money":
            amount = quantities.money(value)
            return amount in {a.money for a in quantities.sums(quote)} if amount else bare is not None and bare in numbers
        case "choice":
            scene = Scene.of(fact.quote, fact.quote, catalogue)
            return any(fact.value in mark.choices(one.name) and not scene.denied[mark.first] for mark in scene.marks)
        case "region":
            regions = azure_regions.named(quote)
            return regions == azure_regions.named(value) if regions else " ".join(value.split()) in " ".join(quote.split())
        case "yes_no":
            scene = Scene.of(fact.quote, fact.quote, catalogue)
            denied = any(scene.denied) or any(mark.does("deny") for mark in scene.marks)
            return value == ("no" if denied else "yes")
        case "public_key" if fact.value == NO_KEY:
            return re.search(r"\b(?:no|none|without)\b", quote) is not None
        case "public_key":
            return fact.value.split() == fact.quote.split()
        case "date":
            return bool(days(fact.quote, date.min.replace(year=2000))) or value in quote
        case "ports":
            return set(re.findall(r"\d+", value)) <= set(re.findall(r"\d+", quote))
        case "address" if ", " in value or value not in quote:
            scene = Scene.of(fact.quote, fact.quote, catalogue)
            listed = {one for i in range(len(scene.said)) for one in addresses_at(scene, i, len(scene.said))[1]}
            return set(value.split(", ")) <= listed
        case "network" | "address":  # several are joined by commas, however they were typed; `vmbr1.30` is VLAN 30 on vmbr1
            each = [part for one_of in value.split(", ") for part in ([one_of] if one_of in quote else one_of.split(".", 1))]
            return bool(value.strip()) and all(part in quote for part in each)
        case "names":
            return all((part.strip("0123456789-") or part) in quote for part in value.split(", "))
        case _:
            return bool(value.strip()) and " ".join(value.split()) in " ".join(quote.split())


def _is_product(value: float, numbers: set[float]) -> bool:
    """`50 users with 20 connections each` are a thousand."""
    return any(one * other == value for one in numbers for other in numbers if one != other)
