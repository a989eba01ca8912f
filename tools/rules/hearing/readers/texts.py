"""Reads free texts: what stands after their word, or before it."""

from __future__ import annotations

import re

from tools.rules.hearing.readers.stretch import Stretch, names_something
from tools.rules.hearing.wording import Span, find, negated
from tools.values.wanted import Wanted

_CLAUSE_END = re.compile(r"[,;!?\n\0]|\.(?:\s|$)")
_INTRODUCED = re.compile(
    r"(?:.*(?<![a-z]))?(?:for|by|to|with|of|in|on|from|our|the|a|an|my|its|this|that|is|and|use|using|clone|cloning)\s+",
    re.DOTALL,
)
_LEANING = re.compile(r"(?:for|on|in|at|with|to|of|from)\s")
TOLD = re.compile(r"\s*(?:[:=]|(?:is|are|called|named)\s)\s*")
_ITEM = re.compile(r"\s+[\"“'`]?([a-z0-9][a-z0-9+._/@-]{0,100})(?![^\s,;!?)\"”'`])")
_NEXT_ITEM = re.compile(r"\s*(?:,|and|,\s*and)\s+([a-z][a-z0-9+._-]{0,100})(?=\s*(?:,|$|;|\.|and\s))")
TEXT_LENGTH_MAX = 200
LIST_MAX = 50


def read_texts(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    """What stands after the word or before it: `on storage ceph-vm`, `packages nodejs and npm`, `for our ML team`, `purpose: training`."""
    for one in wanted:
        for word in find(one.words, stretch.free):
            clause = _clause_of(stretch.free, word)
            told = TOLD.match(stretch.free, word.end, clause.end)
            after = _list_at(stretch.free, word.end, several=stretch.free[word.start : word.end].endswith("s"))
            lead = _INTRODUCED.match(stretch.free[clause.start : word.start])
            start = clause.start + (lead.end() if lead else 0)
            alone = not stretch.free[start : word.start].strip() or _LEANING.match(stretch.free, word.start)
            if told and stretch.free[told.end() : clause.end].strip() and not negated(stretch.folded, word):
                _say_text(stretch, one, word.start, Span(told.end(), clause.end))
            elif after and alone and not negated(stretch.folded, word):
                _say_text(stretch, one, word.start, after)
            elif lead and not alone:
                _say_text(stretch, one, start, Span(start, word.end))


def _say_text(stretch: Stretch, one: Wanted, start: int, value: Span) -> None:
    end = value.start + len(stretch.text[value.start : value.end].rstrip().rstrip("."))
    text = stretch.text[value.start : end].strip()
    if len(text) > 2 and text[0] in "\"“'`" and text[-1] in "\"”'`":
        text = text[1:-1].strip()
    if text and len(text) <= TEXT_LENGTH_MAX:
        stretch.say(one.name, text, Span(start, end))
        stretch.take(Span(start, end))


def _clause_of(free: str, word: Span) -> Span:
    starts = [match.end() for match in _CLAUSE_END.finditer(free, max(0, word.start - TEXT_LENGTH_MAX), word.start)]
    end = _CLAUSE_END.search(free, word.end)
    return Span(starts[-1] if starts else max(0, word.start - TEXT_LENGTH_MAX), end.start() if end else len(free))


def _list_at(free: str, start: int, several: bool) -> Span | None:
    """One word, or several with commas and an `and`, none of which means something else."""
    begin = end = 0
    for _ in range(LIST_MAX if several else 1):
        item = (_NEXT_ITEM if end else _ITEM).match(free, end or start)
        if not item or not names_something(item[1]):
            break
        begin, end = begin or item.start(1), item.end(1)
    return Span(begin, end) if end else None
