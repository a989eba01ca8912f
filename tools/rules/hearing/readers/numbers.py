"""Reads counts, sizes and sums of money, each given to the fact whose word stands nearest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from tools.rules.hearing import quantities
from tools.rules.hearing.readers.stretch import QUANTITIES_MAX, Stretch
from tools.rules.hearing.wording import Span, find, negated, relative
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
    if any(one.kind == "memory" for one in wanted):
        for size in [s for s in sizes if _OF_OTHERS.match(stretch.free, s.end)]:
            sizes.remove(size)
            stretch.take(Span(size.start, size.end))
    left = [size for size in _allot(stretch, wanted, sizes, remainder=[]) if not _alternative(stretch, size, sizes)]
    volumes = [one for one in wanted if one.kind == "volume" and one.name not in stretch.found]
    for one, size in [(one, size) for one in volumes for size in left if not _is_memory(size)][:1]:
        # `a 100 GB database` is the data; `an 8 GB database` is likelier its memory.
        if any(re.fullmatch(r"[\s-]+(?:[a-z]+\s+)?", stretch.free[size.end : span.start]) for span in find(own_words, stretch.free)):
            left.remove(size)
            stretch.say(one.name, size.value, Span(size.start, size.end))
            stretch.take(Span(size.start, size.end))
    if any(one.kind == "memory" for one in wanted):
        left = [size for size in left if not _of_something(stretch, size, wanted, own_words)]
    lacking = [one for one in wanted if one.name not in stretch.found]
    memory = [one for one in lacking if one.kind == "memory"]
    disk = [one for one in lacking if one.kind == "disk"]
    volume = [one for one in lacking if one.kind == "volume"]
    if len(left) == 1 and memory and disk:
        # `256 GB` alone is as likely a disk as memory: better asked than guessed.
        either = _is_memory(left[0]) and left[0].worth > EITHER_ABOVE
        order = [] if either else memory if _is_memory(left[0]) else disk
    else:
        order = [*memory[:1], *disk[:1], *volume]
    if memory and disk and len(left) == 2:
        # Memory is the smaller, in whichever order they were said.
        left.sort(key=lambda size: size.worth)
    for one, size in zip(order, left, strict=False):
        stretch.say(one.name, size.value, Span(size.start, size.end))
        stretch.take(Span(size.start, size.end))


EITHER_ABOVE = 64 * 2**30
_OF_OTHERS = re.compile(
    r"\s*(?:/|per |a )\s*s(?:ec(?:ond)?)?(?![a-z])|[\s-]+(?:of\s+)?(?:swap|ram disk|vram|gpus?|graphics|video|bandwidth|throughput|traffic"
    r"|uplink|downlink|ethernet|nics?|transfer|cache|page ?file|usb|download|upload|attachments?"
    r"|(?:network|lan)\s+(?:cards?|adapters?|links?|interfaces?|ports?|speed|bandwidth|connections?|connectivity|uplink|nics?))(?![a-z])"
)
"""What has a size and is neither memory nor disk, nor anything else that is wanted."""
_NOUN = re.compile(r"\s+(?P<of>of\s+)?(?:(?:the|our|my)\s+)?(?P<word>[a-zçğöşü]{2,30})(?P<last>\s*(?:$|[,;.!?\n]|and(?![a-z])))?")
_NO_NOUN = frozenset(
    """each total max maximum min minimum please at least and or plus with on in for to is are per both everything apiece
    storage space size lvm nvme hdd thin local drive drives root system
    thanks now only enough too also instead then debian ubuntu windows linux production staging development test dev prod
    server servers machine machines vm vms box host boxes hosts node nodes instance instances lazim istiyorum olsun yeter""".split()  # noqa: SIM905
)
"""What follows a size and is no thing of that size."""


def _alternative(stretch: Stretch, size: Quantity, sizes: list[Quantity]) -> bool:
    """`4 GB or 8 GB of memory`: the other one is not for another fact."""
    return any(re.fullmatch(r"\s+or\s+", stretch.folded[min(size.end, o.end) : max(size.start, o.start)]) for o in sizes if o is not size)


def _of_something(stretch: Stretch, size: Quantity, wanted: list[Wanted], own_words: tuple[str, ...]) -> bool:
    """`8 GB of log files`, `16 GB tapes`: a size of what nobody asked about."""
    noun = _NOUN.match(stretch.free, size.end)
    if not noun or not (noun["of"] or noun["last"] is not None) or noun["word"] in _NO_NOUN:
        return False
    words = {*own_words, *BODIES, *(word for one in wanted for word in one.words)}
    return not any(span.start == noun.start("word") for span in find(words, stretch.folded))


def _is_memory(size: Quantity) -> bool:
    """Memory comes in powers of two and three times those; a disk is seldom said without its word, but `60 GB` alone is one."""
    gib = size.worth / 2**30
    return gib < 1 or (gib <= 256 and gib.is_integer() and (int(gib).bit_count() == 1 or (gib % 3 == 0 and int(gib / 3).bit_count() == 1)))


def read_counts(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    """The number of machines also stands before what they are: `ten web servers`."""
    counted = {word.start for one in wanted for word in find([w for w in one.words if w not in BODIES], stretch.free)}
    # `PostgreSQL 16` is a version, and in `postgres 100 users` the next word says what is counted.
    numbers = [n for n in _numbers(stretch) if n.end + 1 in counted or not _is_version(stretch, n, own_words)]
    numbers = [n for n in numbers if not _DISKS.match(stretch.folded, n.end)]
    # `100 users each with 20 connections` are 100.
    numbers = [n for n in numbers if not _EACH_WITH.search(stretch.folded[max(0, n.start - 40) : n.start])]
    _allot(stretch, wanted, numbers, remainder=[], own_words=own_words)
    for one in wanted:
        for n in numbers if "concurrent users" in one.words else ():
            among = _OF_THEM.match(stretch.folded, n.end)
            if among:
                stretch.say(one.name, n.value, Span(n.start, among.end()))
                stretch.take(Span(n.start, n.end))
    bare = [n for n in _numbers(stretch) if not negated(stretch.folded, Span(n.start, n.end))]
    bare = [n for n in bare if not _DISKS.match(stretch.folded, n.end)]
    sized = [one for one in wanted if one.kind in ("memory", "disk")]
    _allot(stretch, sized, bare, remainder=[])


_EACH_WITH = re.compile(r"(?<![a-z])each\s+(?:one\s+)?(?:with|has|having|opens|opening|uses|using|holds|holding)\s+(?:about\s+|up to\s+)?$")
_OF_THEM = re.compile(
    r"\s+of\s+(?:them|these|those|which|whom)\s+(?:are\s+|being\s+)?(?:concurrent(?:ly)?|at once|simultaneous(?:ly)?)(?![a-z])"
)
_DISKS = re.compile(r"\s+(?:[a-z]{2,12}\s+)?(?:disks|discs|ssds)(?![a-z])")
"""`two disks of 50 GB`: so many disks, not so many GB."""


def _numbers(stretch: Stretch) -> list[Quantity]:
    return [Quantity(plain(n.value), n.start, n.end, n.value) for n in islice(quantities.numbers(stretch.free), QUANTITIES_MAX)]


def plain(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:g}"


def _is_version(stretch: Stretch, number: Quantity, own_words: tuple[str, ...]) -> bool:
    """`PostgreSQL 16 database`, `Debian 12 VM`: a number right after the name of a product counts nothing."""
    return any(stretch.folded[span.end : number.start] == " " for span in find({*own_words, *PRODUCTS}, stretch.folded[: number.start]))


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
            if not set(one.words) & set(BODIES) or span.start < at.start or _opens(stretch, at, span)
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


_WORD_BEFORE = re.compile(r"([^\W\d_][\w'+./-]{0,40})\s+(?:-\s+)?$")
_OPENERS = frozenset(
    """a an the these those our my i we you me us need needs needed want wants wanted like create make build deploy add get give
    provision order run start launch install host have has had require requires request up plus and or for of on to into as about
    roughly exactly around approximately least most than only just all other another please also now be is are it them then so
    change set use spin buy bring stand with between minus extra additional total her
    bana bize için icin ve toplam tane adet istiyorum""".split()  # noqa: SIM905
)
"""What a count of machines stands after, where a phrase begins."""
_NUMBERED = frozenset(
    """by phase tier stage step level version release v linux node node.js nodejs wordpress drupal joomla php python java ruby rails
    django mysql mariadb mongodb redis oracle postgresql postgres debian ubuntu rocky alma almalinux centos fedora rhel windows
    gnu/linux network vlan port site zone floor building room team group project option plan area type class gen generation""".split()  # noqa: SIM905
)
"""What the number after it names or tells the version of, even before several: `Rocky Linux 9 VMs`, `used by 5 web servers`."""
_INNER = frozenset(("databases", "environments", "dbs", "schemas"))
"""What a machine has inside as well: `a PostgreSQL server with 3 databases`."""


def _opens(stretch: Stretch, number: Span, word: Span) -> bool:
    """A count of machines opens its phrase: `ten web servers`, not `a Node 20 environment`. Before several (`we launched 3 web
    servers`) any word may stand that is not known to be numbered."""
    before = _WORD_BEFORE.search(stretch.folded[max(0, number.start - 50) : number.start])
    if before is None or not before[1][-1].isascii() or "\0" in stretch.free[number.start - len(before[0]) : number.start]:
        return True
    last, noun = before[1].rstrip("."), stretch.folded[word.start : word.end]
    if last in _NUMBERED or (last in ("with", "of", "has", "have", "holds") and noun.split()[-1] in _INNER):
        return False
    return last in _OPENERS or noun.endswith("s")


BEHIND = 10.0
"""A quantity after its word (`users 100`) is believed only when no word follows it closely."""
_BREAK = re.compile(r"[,;!?\n\0，。、]|\.(?:\s|$)|(?<![a-z])(?:and|plus)(?![a-z])")
_LINK = re.compile(r"\s*(?:[:=]|of|is|are|to|at|from)?\s*(?:about |around |up to |roughly |exactly |at least |at most |max |min )?")


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
