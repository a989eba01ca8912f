"""Reads bare answers to questions: pieces of a message that nothing else was found in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from tools.rules.hearing import quantities
from tools.rules.hearing.readers.choices import NO, YES
from tools.rules.hearing.readers.names import unquote
from tools.rules.hearing.readers.numbers import plain
from tools.rules.hearing.readers.stretch import QUANTITIES_MAX, Stretch, names_something
from tools.rules.hearing.wording import Span, find
from tools.rules.names import regions as azure_regions
from tools.rules.names.text import fold
from tools.values.wanted import Wanted

BARE_LENGTH_MAX = 300


def bare(stretch: Stretch, one: Wanted, pieces: list[Span]) -> None:
    """A bare answer to a question: the first piece of the message that can be one. A piece that was used is taken from the list."""
    for piece in pieces:
        text = stretch.text[piece.start : piece.end]
        value = _bare_value(one, text, fold(text))
        if value is not None:
            stretch.say(one.name, value, piece)
            stretch.take(piece)
            pieces.remove(piece)
            return


def _bare_value(one: Wanted, text: str, folded: str) -> str | None:
    if "?" in text or "\0" in text:
        return None
    short = len(folded.split()) <= 5
    first = next(iter(quantities.numbers(folded)), None)
    match one.kind:
        case "count":
            return plain(first.value) if short and first else None
        case "memory" | "disk" | "volume":
            size = next(iter(quantities.sizes(folded)), None)
            return text[size.start : size.end] if size else (plain(first.value) if short and first else None)
        case "money":
            amount = next(iter(quantities.sums(folded)), None)
            return text[amount.start : amount.end] if amount else (plain(first.value) if short and first else None)
        case "ports":
            return text if re.fullmatch(r"(?:port )?[\d\s-]+", folded) else None
        case "addresses":
            return text if re.fullmatch(r"(?:from )?(?:anywhere|[\d./]+)", folded) else None
        case "yes_no":
            return "yes" if any(find(YES, folded)) else "no" if any(find(NO, folded)) else None
        case "network" | "node":
            token = re.fullmatch(r"(?:(?:on|use|the|number)\s+)*#?([a-z0-9][a-z0-9_.-]{0,62}?)\.?", folded)
            return text[token.start(1) : token.end(1)] if token and names_something(token[1]) else None
        case "name" | "names":
            name = unquote(text)
            return name if len(text.split()) == 1 and names_something(folded) else None
        case "public_key":
            return "no key" if folded in ("no", "none", "no key") else None
        case "region":
            return text if azure_regions.named(text) or (len(text.split()) == 1 and azure_regions.lookalikes(text)) else None
        case "text":
            return text if any(c.isalpha() for c in text) and len(text) <= 200 and names_something(folded) else None
        case _:
            return None


_ITEM_MARK = re.compile(r"\s*\(?\d{1,2}[.)]\s+(?=\S)")
"""`1) 100`: the number of the answer is not the answer."""


def pieces(stretch: Stretch) -> Iterator[Span]:
    """The parts of a message that nothing was found in, as a list of bare answers has them: `100, production, 20`."""
    for match in islice(re.finditer(r"(?:(?![,;\n]|\s+and\s+).)+", stretch.text), QUANTITIES_MAX):
        start = match.start() + len(match.group()) - len(match.group().lstrip())
        end = start + len(match.group().strip().rstrip("."))
        mark = _ITEM_MARK.match(stretch.text, start, end)
        start = mark.end() if mark else start
        if start < end <= start + BARE_LENGTH_MAX and "\0" not in stretch.free[start:end]:
            yield Span(start, end)
