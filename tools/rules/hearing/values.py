"""Gives numbers, sizes and sums of money to the facts that they are about: one assignment over a stretch of the message, by how near a
label stands. What has no label is given by the order in which everybody writes, or stays in doubt. It knows kinds of facts and no product.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from tools.rules.hearing import quantities
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens import Token
from tools.values.wanted import Wanted

NUMERIC = ("count", "memory", "disk", "volume", "money", "disks")
SIZES = ("memory", "disk", "volume", "disks")
WITHOUT_LABEL, WITHOUT_VALUE = 1.5, 0.6
"""What it costs to leave a value without a label, and a label without a value; a match costs less the nearer they stand."""
GAP_MAX = 5
"""Tokens that may stand between a value and its label."""


@dataclass(frozen=True)
class Amount:
    """A number, size or sum where it stands; of a range or a choice of two, the one that is meant."""

    kind: str
    """`number`, `size` or `money`."""
    worth: float
    text: str
    first: int
    last: int
    per: tuple[str, ...] = ()
    """Facts for each of which it is meant: `20 connections per user`."""
    alternatives: tuple[tuple[int, int], ...] = ()


class Match(NamedTuple):
    """An amount that a label, or the order, gives to one of these facts."""

    amount: Amount
    facts: tuple[str, ...]
    first: int
    last: int


class Label(NamedTuple):
    first: int
    last: int
    facts: tuple[str, ...]


def amounts(scene: Scene, first: int, last: int) -> list[Amount]:
    """Those that are neither taken nor denied; `8 cores, ideally 16`, `4 GB or 8 GB` and `from 4 to 8 GB` are one each."""
    found: list[Amount] = []
    for i in range(first, last):
        token = scene.said[i]
        if token.kind not in ("number", "size", "money") or scene.used[i] or scene.denied[i] or _is_version(scene, i):
            continue
        one = Amount(token.kind, token.value, _spelled(scene, token), i, i + 1)
        before = found[-1] if found else None
        joint = _joint(scene, before, one) if before else ""
        if before and joint:
            text = one.text if joint != "range" else scene.text[scene.said[before.first].start : token.end]
            found[-1] = replace(one, text=text, first=before.first, kind=before.kind if joint == "number" else one.kind, worth=one.worth)
            if before.kind == "size" and one.kind == "number":
                found[-1] = replace(found[-1], kind="size", text=f"{one.text} {_unit(before.text)}")
        else:
            found.append(one)
    return found


def _spelled(scene: Scene, token: Token) -> str:
    """As typed; in units of ours when they are another language's."""
    text = scene.text[token.start : token.end]
    if token.kind == "size" and quantities.size_bytes(text) is None:
        return f"{plain(token.value / GIB)} GB"
    return text


def _unit(text: str) -> str:
    return text.lstrip("0123456789., ") or "GB"


def _joint(scene: Scene, before: Amount, one: Amount) -> str:
    """How an amount goes on from the one before it, empty when it does not: they are two then."""
    gap = range(before.last, one.first)
    between = [i for i in gap if not scene.at(i).names("fact") and not scene.is_text(i, ",", "(", ";", "/")]
    same_kind = before.kind == one.kind or (before.kind == "size" and one.kind == "number")
    if not same_kind or len(gap) > 6:
        return ""
    if between and any(scene.at(i).does("prefer") for i in between):
        return "prefer"
    if before.kind == one.kind and one.kind == "size" and len(between) == len(gap) == 1 and scene.at(between[0]).does("or"):
        return "or"
    after = scene.at(one.last)
    if (
        before.kind == one.kind
        and between
        and scene.at(between[0]).does("or")
        and (after.does("prefer") or scene.at(one.last + 1).does("prefer"))
    ):
        return "or"
    if one.kind == "size" and len(gap) == 1 and scene.is_text(gap[0], "to", "->", "→"):
        return "range"
    return "range" if one.kind == before.kind == "number" and len(gap) == 1 and scene.is_text(gap[0], "→") else ""


def _is_version(scene: Scene, number: int) -> bool:
    """`Debian 12`, `PostgreSQL 16`: the number right behind the name of something counts nothing, unless a label follows."""
    if scene.said[number].kind != "number":
        return False
    named = scene.at(number - 1)
    mention = any(m.last == number and m.names("service") for m in scene.mentions)
    choice = any(one.kind == "choice" and one.name not in ("environment", "platform") for one in named.meanings)
    labelled = any(one.kind == "fact" for one in scene.at(number + 1).meanings)
    return (choice or mention) and not labelled and not scene.is_text(number + 1, "x")


def labels(scene: Scene, first: int, last: int, wanted: Sequence[Wanted], capability: str) -> list[Label]:
    kinds = {one.name: one.kind for one in wanted}
    found = []
    for mark in scene.marks_in(first, last):
        if mark.last <= last and scene.free(mark.first, mark.last):
            facts = tuple(name for name in mark.facts(capability) if kinds.get(name) in NUMERIC)
            if facts:
                found.append(Label(mark.first, mark.last, facts))
    return found


def _takes(kind: str, amount: Amount, *, labelled: bool) -> bool:
    if kind == "count":
        return amount.kind == "number"
    if kind == "money":
        return amount.kind == "money" or (labelled and amount.kind == "number")
    return amount.kind == "size" or (labelled and amount.kind == "number" and kind in ("memory", "disk"))


def assign(scene: Scene, first: int, last: int, wanted: Sequence[Wanted], capability: str) -> tuple[list[Match], list[Amount]]:
    """(what a label says, what has none). Neighbours are matched, so that the whole costs least."""
    kinds = {one.name: one.kind for one in wanted}
    row: list[Amount | Label] = sorted(
        [*amounts(scene, first, last), *labels(scene, first, last, wanted, capability)], key=lambda one: one.first
    )
    best: list[tuple[float, tuple[Match, ...]]] = [(0.0, ())]
    for n, one in enumerate(row):
        alone = WITHOUT_LABEL if isinstance(one, Amount) else WITHOUT_VALUE
        options = [(best[n][0] + alone, best[n][1])]
        if n:
            matched = _match(scene, row[n - 1], one, kinds)
            if matched:
                cost, match = matched
                options.append((best[n - 1][0] + cost, (*best[n - 1][1], match)))
        for count in (2, 3, 4):  # `CPU / RAM / disk: 4 / 8 / 100`
            listed = _listed(scene, row[n + 1 - 2 * count : n + 1], count, kinds) if n + 1 >= 2 * count else ()
            if listed:
                options.append((best[n + 1 - 2 * count][0] + 0.2 * count, (*best[n + 1 - 2 * count][1], *listed)))
        best.append(min(options, key=lambda option: option[0]))
    matches = list(best[-1][1])
    taken = {match.amount.first for match in matches}
    return matches, [one for one in row if isinstance(one, Amount) and one.first not in taken]


def _match(scene: Scene, left: Amount | Label, right: Amount | Label, kinds: Mapping[str, str]) -> tuple[float, Match] | None:
    """What it costs to take two neighbours for a value and its label, None when they cannot be."""
    if isinstance(left, Amount) and isinstance(right, Label):
        amount, label, after = left, right, True
    elif isinstance(left, Label) and isinstance(right, Amount):
        amount, label, after = right, left, False
    else:
        return None
    facts = tuple(name for name in label.facts if _takes(kinds[name], amount, labelled=True))
    gap = range(left.last, right.first)
    asked = scene.at(label.first).does("how_many")
    if not after and not asked and not any(scene.is_text(i, ":", "=") for i in gap):
        facts = tuple(name for name in facts if name != "count")  # `a Node 20 environment`
    if any(scene.at(i).does("double", "half") for i in gap):
        return None
    if not facts or len(gap) > GAP_MAX:
        return None
    cost, words = (0.0 if after else 0.4), 0
    for i in gap:
        token, mark = scene.said[i], scene.at(i)
        if token.text in ".;\n!?":
            if after or token.text != "\n":
                return None
            cost += 0.6
        elif token.text in ":=":
            cost += 0.5 if after else -0.3
        elif token.text in ",|":
            cost += 0.9
        elif token.text == "/":
            cost += 0.6
        elif mark.does("join"):
            cost += 0.9
        elif mark.does("with"):
            cost += 0.6
        elif mark.does("link", "bound", "prefer", "owned", "to", "or", "article") or token.text in ("(", "-", "x", "×", "~", "≥", ">"):
            cost += 0.0 if after else -0.05
        else:
            words += 1
            cost += 0.3
    if words > 3 or (not after and words > 1 and cost > 1.0):
        return None
    if (
        amount.kind == "number"
        and after
        and label.facts
        and kinds[label.facts[0]] in SIZES
        and scene.said[label.last - 1].text.endswith("s")
    ):
        return None  # `two disks of 50 GB`
    if amount.kind == "number" and all(kinds[name] in SIZES for name in facts):
        cost += 0.2
    return max(cost, 0.0), Match(amount, facts, min(left.first, right.first), max(left.last, right.last))


def _listed(scene: Scene, row: Sequence[Amount | Label], count: int, kinds: Mapping[str, str]) -> tuple[Match, ...]:
    """Labels in a row, then as many values."""
    heads, tails = row[:count], row[count:]
    found = []
    for label, amount in zip(heads, tails, strict=True):
        if not isinstance(label, Label) or not isinstance(amount, Amount):
            return ()
        facts = tuple(name for name in label.facts if _takes(kinds[name], amount, labelled=True))
        if not facts:
            return ()
        found.append(Match(amount, facts, heads[0].first, tails[-1].last))
    gaps = [range(a.last, b.first) for a, b in itertools.pairwise(row)]
    close = all(len(gap) <= 3 and not any(scene.is_text(i, ".", ";") for i in gap) for gap in gaps)
    return tuple(found) if close else ()


GIB = 2**30


def is_usual_memory(size_bytes: float) -> bool:
    """Memory comes in powers of two and three times those."""
    gib = size_bytes / GIB
    whole = int(gib)
    return gib < 1 or (gib <= 1024 and gib == whole and (whole.bit_count() == 1 or (whole % 3 == 0 and (whole // 3).bit_count() == 1)))


ALONE_MEMORY_MAX_BYTES = 64 * GIB
"""A size alone, up to this, is memory if memory usually comes in it: `4 cores, 8 GB`. Above it, it is as likely a disk."""
FAR = 1.5
"""How much larger the first of two sizes must be for the order to be the other way round: memory is the smaller one."""


def by_order(
    sizes: Sequence[Amount], lacking: Sequence[Wanted], *, is_listed: bool = False
) -> tuple[list[tuple[str, Amount]], list[Amount]]:
    """(fact and size, in doubt): sizes without a label, in the order in which everybody writes: memory, disk, other disks. `is_listed`:
    they follow the system disk in a list."""
    memory = [one.name for one in lacking if one.kind == "memory"][:1]
    disk = [one.name for one in lacking if one.kind == "disk"][:1]
    volume = [one.name for one in lacking if one.kind == "volume"][:1]
    if len(sizes) == 1 and memory and disk:
        size = sizes[0]
        if not is_usual_memory(size.worth):
            return [(disk[0], size)], []
        return ([(memory[0], size)], []) if size.worth <= ALONE_MEMORY_MAX_BYTES else ([], [size])
    ordered = list(sizes)
    if memory and disk and len(ordered) >= 2 and ordered[0].worth > ordered[1].worth * FAR:
        ordered[0], ordered[1] = ordered[1], ordered[0]
    slots = [*memory, *disk, *(volume if not memory or not disk else ())]
    given = list(zip(slots, ordered, strict=False))
    more = [one.name for one in lacking if one.kind == "disks"][:1]
    rest = ordered[len(given) :]
    if more and (disk or is_listed):
        return given + [(more[0], size) for size in rest], []
    return given, rest


def plain(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def numbers_of(tokens: Sequence[Token]) -> Iterator[float]:
    yield from (token.value for token in tokens if token.kind == "number")
