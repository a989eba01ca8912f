"""What was heard, as plain facts: {item's label: {fact: value}}."""

from __future__ import annotations

from datetime import date

from tools.capabilities import catalogue
from tools.rules.hearing.known import NOTHING_KNOWN, Known
from tools.rules.hearing.reading import read
from tools.rules.request.editing import apply, facts_of
from tools.values.request import Edits, Request

Facts = dict[str, dict[str, str]]
TODAY = date(2026, 11, 30)


def plain(request: Request) -> Facts:
    return {item.label: {fact.name: fact.value for fact in facts_of(item, request, catalogue())} for item in request.items}


def heard(
    text: str,
    so_far: Request | None = None,
    asked: tuple[tuple[str, str], ...] = (),
    before: Request | None = None,
    known: Known = NOTHING_KNOWN,
) -> Edits:
    return read(text, so_far or Request(), catalogue(), asked, TODAY, before, known)


def said(*texts: str, so_far: Request | None = None, asked: tuple[tuple[str, str], ...] = ()) -> Request:
    """The request after these messages, one after the other."""
    before, request = None, so_far or Request()
    for text in texts:
        edited, _ = apply(request, heard(text, request, asked, before), catalogue())
        before, request = request, edited
    return request
