"""Reads counts, sizes and sums of money, each given to the fact whose word stands nearest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from tools.rules import quantities
from tools.rules.readers.stretch import QUANTITIES_MAX, Stretch
from tools.rules.wording import Span, find, negated, relative
from tools.values.wanted import Wanted

BODIES = ("machines", "vms", "servers", "instances", "copies")
PRODUCTS = ("debian", "ubuntu", "windows", "windows server", "python", "node.js", "nodejs", "java", "php", "version", "release")
"""What has a version: the number after it counts nothing."""


@dataclass(frozen=True)
class Quantity:
    value: str
    start: int
    end: int
    worth: float


def take_relative(stretch: Stretch) -> None:
    """What is to be added to something known already (`two more`) is not how much it is to be: better not heard than misheard."""
    sized = [Span(size.start, size.end) for size in islice(quantities.sizes(stretch.free), QUANTITIES_MAX)]
    for span in [*sized, *(Span(n.start, n.end) for n in _numbers(stretch))]:
        if relative(stretch.folded, span):
            stretch.take(span)


def read_money(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    sums = [
        Quantity(stretch.text[a.start : a.end], a.start, a.end, a.money.amount)
        for a in islice(quantities.sums(stretch.free), QUANTITIES_MAX)
    ]
    _allot(stretch, wanted, sums, remainder=wanted)


def read_sizes(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    sizes = [
        Quantity(stretch.text[s.start : s.end], s.start, s.end, s.size_bytes)
        for s in islice(quantities.sizes(stretch.free), QUANTITIES_MAX)
    ]
    left = _allot(stretch, wanted, sizes, remainder=[])
    volumes = [one for one in wanted if one.kind == "volume" and one.name not in stretch.found]
    for one, size in [(one, size) for one in volumes for size in left if not _is_memory(size)][:1]:
        # `a 100 GB database` is the data; `an 8 GB database` is likelier its memory.
        if any(
            re.fullmatch(r"[\s-]+(?:[a-z]+\s+)?", stretch.free[size.end : span.start]) for span in find(own_words, stretch.free)
        ):
            left.remove(size)
            stretch.say(one.name, size.value, Span(size.start, size.end))
            stretch.take(Span(size.start, size.end))
    lacking = [one for one in wanted if one.name not in stretch.found]
    memory = [one for one in lacking if one.kind == "memory"]
    disk = [one for one in lacking if one.kind == "disk"]
    volume = [one for one in lacking if one.kind == "volume"]
    if len(left) == 1 and memory and disk:
        order = memory if _is_memory(left[0]) else disk
    else:
        order = [*memory[:1], *disk[:1], *volume]
    for one, size in zip(order, left, strict=False):
        stretch.say(one.name, size.value, Span(size.start, size.end))
        stretch.take(Span(size.start, size.end))


def _is_memory(size: Quantity) -> bool:
    """Memory comes in powers of two and three times those; a disk is seldom said without its word, but `60 GB` alone is one."""
    gib = size.worth / 2**30
    return gib < 1 or (
        gib <= 256 and gib.is_integer() and (int(gib).bit_count() == 1 or (gib % 3 == 0 and int(gib / 3).bit_count() == 1))
    )


def read_counts(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    """The number of machines also stands before what they are: `ten web servers`."""
    counted = {word.start for one in wanted for word in find([w for w in one.words if w not in BODIES], stretch.free)}
    # `PostgreSQL 16` is a version, and in `postgres 100 users` the next word says what is counted.
    numbers = [n for n in _numbers(stretch) if n.end + 1 in counted or not _is_version(stretch, n, own_words)]
    _allot(stretch, wanted, numbers, remainder=[], own_words=own_words)
    bare = [n for n in _numbers(stretch) if not negated(stretch.folded, Span(n.start, n.end))]
    sized = [one for one in wanted if one.kind in ("memory", "disk")]
    _allot(stretch, sized, bare, remainder=[])


def _numbers(stretch: Stretch) -> list[Quantity]:
    return [Quantity(plain(n.value), n.start, n.end, n.value) for n in islice(quantities.numbers(stretch.free), QUANTITIES_MAX)]


def plain(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:g}"


def _is_version(stretch: Stretch, number: Quantity, own_words: tuple[str, ...]) -> bool:
    """`PostgreSQL 16 database`, `Debian 12 VM`: a number right after the name of a product counts nothing."""
    return any(
        stretch.folded[span.end : number.start] == " " for span in find({*own_words, *PRODUCTS}, stretch.folded[: number.start])
    )


def _allot(
    stretch: Stretch, wanted: list[Wanted], items: list[Quantity], remainder: list[Wanted], own_words: tuple[str, ...] = ()
) -> list[Quantity]:
    """Gives each quantity to the wanted fact whose word stands nearest; returns those that stand beside no word."""
    mentions = [(one, span) for one in wanted for span in find(one.words, stretch.free)]
    own = set(find(own_words, stretch.free))
    mentions += [(one, span) for one in wanted if set(one.words) & set(BODIES) for span in own]
    left = []
    for number, item in enumerate(items):
        at = Span(item.start, item.end)
        others = [Span(o.start, o.end) for o in items[:number] + items[number + 1 :]]
        near = [
            (distance, one, span)
            for one, span in mentions
            if (distance := _distance(stretch.free, at, span, others)) is not None and (distance < BEHIND or span not in own)
        ]
        if negated(stretch.folded, at):
            continue
        if near:
            _, one, span = min(near, key=lambda entry: entry[0])
            stretch.say(one.name, item.value, Span(min(at.start, span.start), max(at.end, span.end)))
            stretch.take(at)
        else:
            left.append(item)
    for one in remainder:
        if one.name not in stretch.found and left:
            item = left.pop(0)
            stretch.say(one.name, item.value, Span(item.start, item.end))
            stretch.take(Span(item.start, item.end))
    return left


BEHIND = 10.0
"""A quantity after its word (`users 100`) is believed only when no word follows it closely."""
_BREAK = re.compile(r"[,;!?\n\0，。、]|\.(?:\s|$)|(?<![a-z])(?:and|plus)(?![a-z])")
_LINK = re.compile(r"\s*(?:[:=]|of|is|are|to|at)?\s*(?:about |around |up to |roughly |exactly |at least |at most |max |min )?")


def _distance(folded: str, item: Span, word: Span, others: list[Span]) -> float | None:
    """How far a word is from a quantity, None when it cannot be about it. `100 concurrent users` is nearer than `users: 100`,
    and a word with a colon is about what follows it."""
    is_label = re.match(r"\s?[:=]", folded[word.end : word.end + 2])
    labelled = re.search(r"[:=]\s?$", folded[max(0, item.start - 2) : item.start])
    if word.start >= item.end and not (is_label and labelled):
        gap = folded[item.end : word.start]
        if len(gap) > 40 or _BREAK.search(gap) or any(item.end <= o.start < word.start for o in others):
            return None
        words = len(gap.split())
        return float(words) if words <= 3 else None
    if word.end <= item.start:
        gap = folded[word.end : item.start]
        if is_label and gap.strip() in (":", "="):
            return 5.0
        return BEHIND if len(gap) <= 24 and _LINK.fullmatch(gap) else None
    return None
