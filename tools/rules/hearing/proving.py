"""Judges edits by what was typed: whatever a model claims, nothing that was not said gets into a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.rules.hearing.hear import TEXT_LENGTH_MAX, supports
from tools.rules.hearing.wording import find, has, mask, negated, said
from tools.rules.names.text import fold
from tools.values.request import Doubt, Edit, Edits, Fact, Request
from tools.values.wanted import Listed, Wanted

Dropped = tuple[Edit, ...]


def prove(edits: Edits, typed: Sequence[str], request: Request, catalogue: Mapping[str, Listed]) -> tuple[Edits, Dropped]:
    """(what was really said, what was not), of edits of this request; `typed` are the messages, the last one is what they come from. A fact
    may have been said before; whatever else is to be done must be said now. What belongs to an item that nobody asked for falls with it."""
    judge = _Judge([text[:TEXT_LENGTH_MAX] for text in typed], catalogue, {item.label: item.capability for item in request.items})
    kept = tuple(edit for edit in edits.edits if judge.holds(edit))
    dropped = tuple(edit for edit in edits.edits if edit not in kept)
    doubts = tuple(one for doubt in edits.doubts if (one := judge.doubt(doubt)) is not None)
    return edits.model_copy(update={"edits": kept, "doubts": doubts}), dropped


def fill_in(proven: Edits, by_rule: Edits) -> Edits:
    """What a model said, with what the rules heard in words that it made nothing of. Things are added by the rules only when it made
    nothing of the whole message."""
    if not proven.edits:
        return by_rule.model_copy(update={"asks": by_rule.asks or proven.asks, "doubts": by_rule.doubts or proven.doubts})
    theirs: dict[str, list[str]] = {}
    for edit in proven.edits:
        if edit.do == "add":
            theirs.setdefault(edit.name, []).append(edit.item)
    called = {edit.item: (theirs.get(edit.name) or [""]).pop(0) for edit in by_rule.edits if edit.do == "add"}
    left = [edit.model_copy(update={"item": called.get(edit.item, edit.item)}) for edit in by_rule.edits if edit.do == "set"]
    said_of = {(edit.item, edit.name) for edit in proven.edits}
    quotes = [fold(edit.quote) for edit in proven.edits if edit.do != "add"]
    more = tuple(
        edit
        for edit in left
        if (edit.item or edit.item not in called)
        and not {(edit.item, edit.name), ("", edit.name)} & said_of
        and not any(fold(edit.quote) in quote or quote in fold(edit.quote) for quote in quotes)
    )
    unused = tuple(phrase for phrase in by_rule.unused if not any(quote in fold(phrase) for quote in quotes))
    return proven.model_copy(update={"edits": (*proven.edits, *more), "unused": unused})


class _Judge:
    """Walks through the edits of one message, and knows which items there are by then."""

    def __init__(self, typed: Sequence[str], catalogue: Mapping[str, Listed], items: dict[str, str]) -> None:
        self._typed = typed
        self._asked = [_without_denied(fold(text), catalogue) for text in typed]
        self._catalogue = catalogue
        self._items = items

    def holds(self, edit: Edit) -> bool:
        now = said(edit.quote, self._typed[-1]) is not None
        match edit.do:
            case "add":
                capability = self._catalogue.get(edit.name)
                asked = capability is not None and any(has(capability.WORDS, text) for text in self._asked)
                if asked:
                    self._items[edit.item] = edit.name
                return asked
            case "set":
                fact = Fact(name=edit.name, value=edit.value, quote=edit.quote)
                typed = any(said(edit.quote, text) for text in self._typed)
                return typed and any(supports(one, fact) for one in self._wanted(edit))
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

    def doubt(self, doubt: Doubt) -> Doubt | None:
        if said(doubt.quote, self._typed[-1]) is None:
            return None
        readings = tuple(one for one in doubt.readings if all(self.holds(edit) for edit in one.edits))
        return doubt.model_copy(update={"readings": readings})

    def _wanted(self, edit: Edit) -> list[Wanted]:
        """The settings that the edit may be about: its item's, or for all any capability's."""
        if edit.item and edit.item not in self._items:
            return []
        able = self._catalogue.get(self._items.get(edit.item, ""))
        return [one for each in ([able] if able else self._catalogue.values()) for one in each.WANTED if one.name == edit.name]


def _without_denied(folded: str, catalogue: Mapping[str, Listed]) -> str:
    """The text without what it denies: no shorter word of another capability is left of `no web servers`."""
    free = folded
    for capability in catalogue.values():
        for span in find(capability.WORDS, folded):
            if negated(folded, span):
                free = mask(free, span)
    return free
