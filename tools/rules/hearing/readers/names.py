"""Reads what something is called. A name is taken whole, so that no word in it is read as anything else."""

from __future__ import annotations

import re

from tools.rules.hearing.readers.stretch import Stretch, names_something
from tools.rules.hearing.readers.texts import TOLD
from tools.rules.hearing.wording import Span, find
from tools.values.wanted import Wanted

NAMING_WORDS = ("called", "named", "name", "names", "hostname", "call it", "name it")
# `a name server` and `our call center` call nothing.
_NAMING = re.compile(
    r"(?<![a-z0-9_-])(?:(?:re)?name(?:d(?![a-z])|(?![a-z])"
    r"(?!\s+(?:servers?|services?|resolution|spaces?|tags?|lookups?)(?![\w-])))"
    r"(?:\s+(?:it|them|is|to|as|of|be|should|must|will|shall)(?![a-z]))*\s*[:=]?"
    r"|called(?![a-z])(?:\s+(?:it|them|the \w+)(?![a-z]))?"
    r"|call(?![a-z])(?:\s+(?:it|them|the \w+)(?![a-z])|(?=\s+(?:[\"“'`]|[a-z]{1,30}(?:-[a-z]{1,30}){0,5}-?\d)))"
    r"|(?:host ?)name(?![a-z])\s*[:=]?|(?:adi|ismi)(?![a-z])\s*[:=]?|叫做?|名为|名称为?)\s*"
)
_OF_OTHERS = re.compile(
    r"(?<![a-z])(?:user|login|domain|site|file|folder|first|last|brand|product|company|role|schema|table"
    r"|display|code|nick|package)\s+$"
)
"""Before the name of something that is no machine: hidden, so that no word in it is read as anything else, and nobody's name."""
_OF_PLACES = re.compile(r"(?<![a-z])(?:network|vlan|vnet|bridge|node|host|template|storage|datastore)(?:\s+(?:is|which is))?\s+$")
"""Before `called`, that of a place, which its own reader reads."""
_IN_THE = re.compile(r"(?<![a-z])(?:in|by|under)\s+the\s+$")
_NO_NAME = frozenset(
    "after later yet tbd whatever something anything accordingly unimportant irrelevant does doesn't".split()  # noqa: SIM905
)
_REACH = 24
_QUOTED = re.compile(r"(?:\"[^\"\0]{1,256}\"|“[^”\0]{1,256}”|'[^'\0]{1,256}'|`[^`\0]{1,256}`)(?=[\s,;.!?)]|$)")
_UNQUOTED = re.compile(r"[^\s,;\0]{1,256}")


def take_names(stretch: Stretch) -> list[tuple[Span, Span]]:
    """(where it is introduced, where it stands) of whatever is called something, taken so that a name is never read as a word."""
    names: list[tuple[Span, Span]] = []
    others: set[Span] = set()
    for match in _NAMING.finditer(stretch.free):
        if names and match.start() < names[-1][1].end:
            continue  # `called "my name x"`: a word within a name introduces no other.
        before = stretch.folded[max(0, match.start() - _REACH) : match.start()]
        if _IN_THE.search(before) or (match.group().startswith(("called", "named")) and _OF_PLACES.search(before)):
            continue
        name = name_at(stretch, match.end())
        if name is not None and stretch.folded[name.start : name.end] not in _NO_NAME:
            names.append((Span(*match.span()), name))
            others |= {name} if _OF_OTHERS.search(before) else set()
    for introduction, name in names:
        stretch.take(Span(introduction.start, name.end))
    return [(introduction, name) for introduction, name in names if name not in others]


def read_names(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    """`called build-01` is the first name wanted, unless the word of another stands before it: `resource group called rg-x`."""
    for one in wanted:
        for word in find([word for word in one.words if word not in NAMING_WORDS], stretch.free):
            connected = re.compile(r"\s*(?:[:=]|is|to|called|named)\s*").match(stretch.free, word.end)
            name = name_at(stretch, connected.end() if connected else word.end + 1)
            placed = re.search(r"(?<![a-z])(?:on|in|use|to)\s+(?:the\s+)?$", stretch.free[max(0, word.start - 12) : word.start])
            if name is not None and (connected or placed or re.search(r"[\d-]", stretch.folded[name.start : name.end])):
                stretch.say(one.name, unquote(stretch.text[name.start : name.end]), Span(word.start, name.end))
                stretch.take(Span(word.start, name.end))
    for introduction, name in take_names(stretch):
        stretch.say(wanted[0].name, unquote(stretch.text[name.start : name.end]), Span(introduction.start, name.end))


def name_at(stretch: Stretch, start: int) -> Span | None:
    quoted = _QUOTED.match(stretch.free, start)
    if quoted:
        return Span(*quoted.span())
    match = _UNQUOTED.match(stretch.free, start)
    if not match:
        return None
    word = match.group().rstrip(".!?:)\"'")
    return Span(match.start(), match.start() + len(word)) if word and names_something(word) else None


def unquote(name: str) -> str:
    return name[1:-1] if len(name) > 2 and name[0] in "\"'`“" and name[-1] in "\"'`”" else name


def read_called(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    """`database called shop`, `site name shop.example.org`: whose words include the naming go before the names of machines."""
    for one in wanted:
        for word in find([w for w in one.words if set(w.split()) & set(NAMING_WORDS)], stretch.free):
            told = TOLD.match(stretch.free, word.end)
            name = name_at(stretch, told.end() if told else min(word.end + 1, len(stretch.free)))
            if name is not None:
                stretch.say(one.name, unquote(stretch.text[name.start : name.end]), Span(word.start, name.end))
                stretch.take(Span(word.start, name.end))
