"""Reads ports and the addresses that may come in: `ports 443 and 8080-8090`, `from 10.1.0.0/16`, `from anywhere`."""

from __future__ import annotations

import re

from tools.rules.hearing.readers.stretch import Stretch
from tools.rules.hearing.wording import Span, find, negated
from tools.values.wanted import Wanted

_PORT = r"\d{1,5}(?:-\d{1,5})?(?![\d.])"
_PORTS = rf"{_PORT}(?:(?:\s*(?:,|/|&|\+|and|or)\s*|\s+){_PORT})*"
_AFTER_WORD = re.compile(rf"(?:\s+(?:number|numbers|is|are))?\s*[:=]?\s*({_PORTS})")
_BEFORE_WORD = re.compile(rf"({_PORTS})\s*/?\s*$")
_SIGNED = re.compile(r"(?<![\w.-])-\d{1,9}")
_ADDRESS = r"(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,3})?"
_NEXT_ADDRESS = rf"\s*(?:,|and|or)\s*{_ADDRESS}"
_ADDRESSES = re.compile(rf"(?<![\w.]){_ADDRESS}(?:{_NEXT_ADDRESS})*(?!{_NEXT_ADDRESS}|[\w./])")
_ANYWHERE = (
    "anywhere",
    "everywhere",
    "anyone",
    "everyone",
    "everybody",
    "the internet",
    "the whole internet",
    "the world",
    "any address",
    "any source",
)


def read_ports(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    one = wanted[0]
    for word in find(one.words, stretch.free):
        after = _AFTER_WORD.match(stretch.free, word.end)
        before = _BEFORE_WORD.search(stretch.free[max(0, word.start - 60) : word.start])
        signed = _SIGNED.match(stretch.free, word.end + 1)
        if signed:
            _say(stretch, one, Span(word.start, signed.end()), Span(*signed.span()))
        elif after and not negated(stretch.folded, word):
            _say(stretch, one, Span(word.start, after.end(1)), Span(*after.span(1)))
        elif before and not negated(stretch.folded, word):
            start = max(0, word.start - 60) + before.start(1)
            _say(stretch, one, Span(start, word.end), Span(start, start + len(before[1])))


def read_addresses(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    """The last that was said wins; all of one list are kept together."""
    one = wanted[0]
    for span in find(_ANYWHERE, stretch.free):
        if not negated(stretch.folded, span):
            _say(stretch, one, span, span)
    for match in _ADDRESSES.finditer(stretch.free):
        if not negated(stretch.folded, Span(*match.span())):
            _say(stretch, one, Span(*match.span()), Span(*match.span()))


def _say(stretch: Stretch, one: Wanted, whole: Span, value: Span) -> None:
    stretch.say(one.name, stretch.text[value.start : value.end], whole)
    stretch.take(whole)
