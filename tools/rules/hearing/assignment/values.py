"""Gives numbers, sizes and sums of money to the facts that they are about: one assignment over a stretch of the message, by how near a
label stands. What has no label is given by the order in which everybody writes, or stays in doubt. It knows kinds of facts and no product.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from tools.rules.hearing.assignment.stretch import Stretch
from tools.rules.hearing.assignment.thing import SHARED
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens import quantities
from tools.rules.hearing.words.able import counts_part
from tools.values.wanted import Kind

GIB = 2**30
SIZES: tuple[Kind, ...] = ("memory", "disk", "volume", "disks")
AMOUNTS: tuple[Kind, ...] = ("count", "money", *SIZES)
"""Kinds of facts that an amount is the value of."""
WITHOUT_LABEL, WITHOUT_VALUE = 1.5, 0.6
"""What it costs to leave a value without a label, and a label without a value; a match costs less the nearer they stand."""
BARE = 2.15
"""What it costs to leave a number without a label: a size may yet be told by the order, `8 GB disk 50`."""
GAP_MAX = 5
"""Tokens that may stand between a value and its label."""
JOINT_MAX = 6
LISTED_MAX = 4


@dataclass(frozen=True)
class Amount:
    """A number, size or sum where it stands; of a range or a choice of two, the one that is meant."""

    kind: str
    """`number`, `size` or `money`."""
    worth: float
    text: str
    first: int
    last: int
    instead: str = ""
    """The one that it may be as well: of `4 GB or 16 GB`."""


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
    for i in scene.quantities(first, last):
        token = scene.said[i]
        if not scene.is_left(i) or (i > first and _is_version(scene, i)):
            continue
        one = Amount(token.kind, token.value, _spelled(scene, i), i, i + 1)
        before = found[-1] if found else one
        joint = _joint(scene, before, one)
        if not joint:
            found.append(one)
        elif before.kind == "size" and one.kind == "number":
            unit = before.text.lstrip("0123456789., ") or "GB"
            found[-1] = replace(one, kind="size", text=f"{one.text} {unit}", first=before.first)
        else:
            text = scene.quote(before.first, i + 1) if joint == "range" else one.text
            found[-1] = replace(one, text=text, first=before.first, instead=before.text if joint == "either" else "")
    return found


def _spelled(scene: Scene, number: int) -> str:
    """As typed; in units of ours when they are another language's."""
    text = scene.quote(number, number + 1)
    foreign = scene.kind(number) == "size" and quantities.size_bytes(text) is None
    return f"{plain(scene.said[number].value / GIB)} GB" if foreign else text


def _joint(scene: Scene, before: Amount, one: Amount) -> str:
    """How an amount goes on from the one before it, empty when it does not: they are two then."""
    gap, is_alike = range(before.last, one.first), before.kind == one.kind
    if len(gap) > JOINT_MAX or not (is_alike or (before.kind, one.kind) == ("size", "number")):
        return ""
    between = [i for i in gap if not scene.at(i).names("fact") and not scene.is_text(i, ",", "(", ";", "/")]
    if not between:
        return ""
    if any(scene.does(i, "prefer") for i in between):
        return "prefer"
    preferred_after = scene.any_does(one.last, one.last + 2, "prefer")
    if is_alike and scene.does(between[0], "or") and (preferred_after or (one.kind == "size" and len(gap) == 1)):
        return "or" if preferred_after else "either"
    if is_alike and all(scene.does(i, "bound") for i in between) and scene.does(one.last, "bound"):
        return "range"  # `16 GB min, 32 GB max`
    arrow = ("to", "->", "→") if one.kind == "size" else ("→",)
    return "range" if is_alike and len(gap) == 1 and scene.is_text(gap[0], *arrow) else ""


def _is_version(scene: Scene, number: int) -> bool:
    """`Debian 12`, `PostgreSQL 16`: the number right behind the name of something counts nothing, unless a label follows."""
    if scene.kind(number) != "number" or scene.at(number + 1).has("fact") or scene.is_text(number + 1, "x"):
        return False
    mention = scene.mention_before(number)
    end = next(i for i in range(number + 1, len(scene.said) + 1) if i == len(scene.said) or not scene.fills(i))
    if mention and scene.recent and scene.breaks(end):
        one_fact = len({name for _, name in scene.recent} - SHARED) == 1 and scene.breaks(mention.first - 1, signs=(":",))
        if one_fact or scene.does(mention.first - 1, "owned"):
            return False  # `4 cores for the redis`, then `and the web server 2`; `web 8, redis 4`, after memory
    return mention is not None or bool({*scene.at(number - 1).names("choice")} - {"environment", "platform"})


def _labels(at: Stretch) -> list[Label]:
    found = []
    for mark in at.scene.labels_in(at.first, at.last, at.capability):
        facts = tuple(name for name in mark.facts(at.capability) if at.able.kinds.get(name) in AMOUNTS)
        if facts and mark.last <= at.last and at.scene.free(mark.first, mark.last) and not at.scene.denied[mark.first]:
            found.append(Label(mark.first, mark.last, facts))
    return found


def takes(kind: str, amount: Amount, *, labelled: bool) -> bool:
    if kind == "count":
        return amount.kind == "number" and amount.worth == int(amount.worth)
    if kind == "money":
        return amount.kind == "money" or (labelled and amount.kind == "number")
    return amount.kind == "size" or (labelled and amount.kind == "number")


def assign(at: Stretch) -> tuple[list[Match], list[Amount]]:
    """(what a label says, what has none). Neighbours are matched, so that the whole costs least."""
    scene, kinds = at.scene, at.able.kinds
    row: list[Amount | Label] = sorted([*amounts(scene, at.first, at.last), *_labels(at)], key=lambda one: one.first)
    best: list[tuple[float, tuple[Match, ...]]] = [(0.0, ())]
    for n, one in enumerate(row):
        cost, matches = best[n]
        alone = WITHOUT_VALUE if isinstance(one, Label) else BARE if one.kind == "number" else WITHOUT_LABEL
        options = [(cost + alone, matches)]
        if n and (matched := _match(scene, row[n - 1], one, kinds)):
            options.append((best[n - 1][0] + matched[0], (*best[n - 1][1], matched[1])))
        for count in range(2, min(LISTED_MAX, (n + 1) // 2) + 1):  # `CPU / RAM / disk: 4 / 8 / 100`
            before = n + 1 - 2 * count
            if listed := _listed(scene, row[before : n + 1], count, kinds):
                options.append((best[before][0] + 0.2 * count, (*best[before][1], *listed)))
        for count in range(2, min(LISTED_MAX, n) + 1):
            if each := _each(scene, row[n - count : n + 1], kinds):
                options.append((best[n - count][0] + 0.4 + 0.1 * count, (*best[n - count][1], *each)))
        best.append(min(options, key=lambda option: option[0]))
    matched_all = list(best[-1][1])
    taken = {match.amount.first for match in matched_all}
    return matched_all, [one for one in row if isinstance(one, Amount) and one.first not in taken]


def _match(scene: Scene, left: Amount | Label, right: Amount | Label, kinds: Mapping[str, str]) -> tuple[float, Match] | None:
    """What it costs to take two neighbours for a value and its label, None when they cannot be."""
    if isinstance(left, Amount) and isinstance(right, Label):
        amount, label, after = left, right, True
    elif isinstance(left, Label) and isinstance(right, Amount):
        amount, label, after = right, left, False
    else:
        return None
    gap = range(left.last, right.first)
    facts = tuple(name for name in label.facts if takes(kinds[name], amount, labelled=kinds[name] in ("memory", "disk", "money")))
    if after and amount.worth == 1 and not any(map(counts_part, kinds)) and scene.does(amount.first - 1, "lean"):
        facts = tuple(name for name in facts if name != "count")  # `both web servers on one node` are two; a k3s cluster is on one
    if not after and not scene.does(label.first, "how_many") and scene.find(gap.start, gap.stop, ":", "=") is None:
        parted = any(scene.does(i, "with") for i in gap)  # `workers with 16`
        facts = tuple(name for name in facts if name != "count" and not (parted and kinds[name] == "count" and counts_part(name)))
    several = after and amount.kind == "number" and kinds[label.facts[0]] in SIZES and scene.said[label.last - 1].text.endswith("s")
    if not facts or len(gap) > GAP_MAX or several or scene.any_does(gap.start, gap.stop, "double", "half"):
        return None  # several: `two disks of 50 GB`
    costs = [_cost(scene, i, after=after) for i in gap]
    cost, words = (0.0 if after else 0.4) + sum(costs), costs.count(WORD)
    if any(one >= BARRIER for one in costs) or words > 3 or (not after and words > 1 and cost > 1.0):
        return None
    cost += 0.2 if amount.kind == "number" and all(kinds[name] in SIZES for name in facts) else 0.0
    return max(cost, 0.0), Match(amount, facts, left.first, right.last)


WORD, BARRIER = 0.3, 9.0
"""What a word between a value and its label costs, and what nothing reaches across."""


def _cost(scene: Scene, number: int, *, after: bool) -> float:
    """What one token between a value and its label costs. `after`: the label stands behind the value."""
    text, mark = scene.said[number].text, scene.at(number)
    if not after and (mark.does("mends", "too") or (text in ",;" and scene.does(number - 1, "mends", "too"))):
        return 0.0  # `memory is wrong too, should be 8`
    if text in ".;\n!?":
        return BARRIER if after or text != "\n" else 0.6
    if text in ":=":
        return 0.5 if after else -0.3
    if text in ",|" or (mark.does("join") and text != "/"):
        return 0.9
    if text == "/" or mark.does("with"):
        return 0.6
    if mark.does("link", "bound", "prefer", "owned", "to", "or", "article") or text in ("(", "-", "x", "×", "~", "≥", ">"):
        return 0.0 if after else -0.05
    return WORD


def _listed(scene: Scene, row: Sequence[Amount | Label], count: int, kinds: Mapping[str, str]) -> tuple[Match, ...]:
    """Labels in a row, then as many values."""
    found = []
    for label, amount in zip(row[:count], row[count:], strict=True):
        if not isinstance(label, Label) or not isinstance(amount, Amount):
            return ()
        facts = tuple(name for name in label.facts if takes(kinds[name], amount, labelled=True))
        found.append(Match(amount, facts, row[0].first, row[-1].last))
    gaps = [(a.last, b.first) for a, b in itertools.pairwise(row)]
    close = all(first - last <= 3 and scene.find(last, first, ".", ";") is None for last, first in gaps)
    return tuple(found) if close and all(match.facts for match in found) else ()


def _each(scene: Scene, row: Sequence[Amount | Label], kinds: Mapping[str, str]) -> tuple[Match, ...]:
    """`data disks: 100 GB, 200 GB and 300 GB`: each is one of those that the label speaks of."""
    label, *amounts_ = row
    if not isinstance(label, Label) or not scene.said[label.last - 1].text.endswith("s"):
        return ()
    facts = tuple(name for name in label.facts if kinds[name] in ("disk", "disks"))
    gaps = [range(before.last, one.first) for before, one in itertools.pairwise(row)]
    joined = all(scene.is_text(i, *",:=") or scene.does(i, "join", "with") or scene.is_listed(i, "of") for gap in gaps for i in gap)
    close = joined and all(isinstance(one, Amount) and one.kind == "size" for one in amounts_)
    return tuple(Match(one, facts, label.first, one.last) for one in amounts_ if isinstance(one, Amount)) if facts and close else ()


def is_usual_memory(size_bytes: float) -> bool:
    """Memory comes in powers of two and three times those."""
    gib, whole = size_bytes / GIB, int(size_bytes / GIB)
    return gib < 1 or (gib <= 1024 and gib == whole and (whole.bit_count() == 1 or (whole % 3 == 0 and (whole // 3).bit_count() == 1)))


ALONE_MEMORY_MAX_BYTES = 64 * GIB
"""A size alone, up to this, is memory if memory usually comes in it: `4 cores, 8 GB`. Above it, it is as likely a disk."""
LIST_GAP_MAX = 5
"""Tokens between disks that are one list."""
FAR = 1.5
"""How much larger the first of two sizes must be for the order to be the other way round: memory is the smaller one."""

Given = list[tuple[str, Amount]]


def by_order(sizes: Sequence[Amount], lacking: Mapping[Kind, str], listed: int) -> tuple[Given, list[Amount]]:
    """(fact and size, in doubt): sizes without a label, in the order in which everybody writes: memory, disk, other disks. `lacking` are
    facts by kind; from the size number `listed` on they follow the system disk in a list."""
    memory, disk, volume, disks = (lacking.get(kind, "") for kind in SIZES)
    if len(sizes) == 1 and memory and disk:
        if sizes[0].worth > ALONE_MEMORY_MAX_BYTES and is_usual_memory(sizes[0].worth):
            return [], list(sizes)
        return [(memory if is_usual_memory(sizes[0].worth) else disk, sizes[0])], []
    ordered = list(sizes)
    is_told = len(ordered) >= 2 and is_usual_memory(ordered[0].worth) and not is_usual_memory(ordered[1].worth)
    if memory and disk and len(ordered) >= 2 and ordered[0].worth > ordered[1].worth * FAR and not is_told:
        ordered[:2] = ordered[1::-1]
    slots = [name for name in (memory, disk) if name] or [volume] * bool(volume)
    given = list(zip(slots, ordered[:listed], strict=False))
    first = len(given) if disk else listed
    near = itertools.takewhile(
        lambda pair: pair[0] < 0 or sizes[pair[1]].first - sizes[pair[0]].last <= LIST_GAP_MAX,
        ((n - 1 if n > first or disk else -1, n) for n in range(first, len(sizes))),
    )
    return given + [(disks, sizes[n]) for _, n in near if disks], []


def plain(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
