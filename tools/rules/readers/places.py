"""Reads networks and nodes: what stands after the word, or looks like one of their names."""

from __future__ import annotations

import re

from tools.rules.readers.stretch import Stretch, names_something
from tools.rules.wording import Span, find, negated
from tools.values.wanted import Wanted

_TOKEN = re.compile(r"(?:\s*(?:number|no\.|id|called|named|name|is|to|=|:|#)(?![a-z]))*\s*#?([a-z0-9][a-z0-9_.-]{0,62})")
_NUMBER_FIRST = re.compile(r"(?<![a-z0-9.-])(\d{1,4})(?:\s+numarali|号)?\s*$")
_BRIDGE = re.compile(r"(?<![a-z0-9_-])(?:(vmbr\d{1,4}|v?net\d{1,4})|vlan[-_]?(\d{1,4}))(?![a-z0-9_-]|\.\d)")
_NAMED_BEFORE = re.compile(r"(?<![a-z])(?:on|in|to|use|into)\s+(?:the|our)\s+([a-z][a-z0-9_-]{1,30})\s$")
_NO_NAME = frozenset("same right other whole new old next local public private internal external existing current".split())  # noqa: SIM905
_MACHINE_NAME = re.compile(
    r"(?<![a-z0-9_-])(?:on|onto|to|use|at|prefer|pick|choose|try)\s+([a-z][a-z-]{0,40}\d{1,4})(?![a-z0-9_-]|\.\d)"
)


def read_networks(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    one = wanted[0]
    for word in find({"network", "vlan", *one.words}, stretch.free):
        match = _TOKEN.match(stretch.free, word.end)
        before = _NUMBER_FIRST.search(stretch.free[max(0, word.start - 20) : word.start])
        named = _NAMED_BEFORE.search(stretch.free[max(0, word.start - 60) : word.start])
        if match and names_something(match[1]) and not negated(stretch.folded, word):
            _say_token(stretch, one, word.start, Span(*match.span(1)))
        elif before and not negated(stretch.folded, word):
            start = max(0, word.start - 20) + before.start(1)
            stretch.say(one.name, before[1], Span(start, word.end))
            stretch.take(Span(start, word.end))
        elif named and named[1] not in _NO_NAME and not negated(stretch.folded, word):
            start = max(0, word.start - 60) + named.start(1)
            stretch.say(one.name, stretch.text[start : start + len(named[1])], Span(start, word.end))
            stretch.take(Span(start, word.end))
    for match in _BRIDGE.finditer(stretch.free):
        if not negated(stretch.folded, Span(*match.span())):
            _say_token(stretch, one, match.start(), Span(*match.span(1 if match[1] else 2)))


def read_nodes(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    one = wanted[0]
    for word in find({"node", *one.words}, stretch.free):
        match = _TOKEN.match(stretch.free, word.end)
        if match and names_something(match[1]) and not match[1].isdigit() and not negated(stretch.folded, word):
            _say_token(stretch, one, word.start, Span(*match.span(1)))
    for match in _MACHINE_NAME.finditer(stretch.free):
        if not negated(stretch.folded, Span(*match.span(1))):
            _say_token(stretch, one, match.start(1), Span(*match.span(1)))


def _say_token(stretch: Stretch, one: Wanted, start: int, token: Span) -> None:
    end = token.end
    while stretch.text[end - 1] in ".-_" and end > token.start + 1:
        end -= 1
    stretch.say(one.name, stretch.text[token.start : end], Span(start, end))
    stretch.take(Span(start, end))
