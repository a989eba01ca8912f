"""One reader a kind of fact: each looks at a stretch of what was typed and says what it finds there, with the very words.

Which stretch belongs to which capability is decided in tools.rules.hearing; what the value means, in the capability.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from tools.rules import quantities
from tools.rules.quantities import fold
from tools.rules.wording import Span, find, mask, negated, relative
from tools.values.heard import Fact
from tools.values.wanted import Kind, Wanted

YES = ("yes", "yeah", "yep", "sure", "please do", "true")
NO = ("no", "nope", "none", "false", "not needed")
NOT_A_VALUE = frozenset(
    """a an and any are as at be but by can cancel for from has have hello help hi i if in instead is it its list must my no not of ok okay
    on only or our please remove retry same should so status stop thanks that the their them then there they this to use using we where
    which will with yes you your access card interface speed traffic name named called number which what how why nothing
    approve undo guide roll back leave""".split()  # noqa: SIM905
)
"""Words that follow `network` or `node` in a sentence and are the name of neither."""
QUANTITIES_MAX = 40
"""Numbers of a kind that one message is read for."""
NAMING_WORDS = ("called", "named", "name", "names", "hostname", "call it", "name it")
BODIES = ("machines", "vms", "servers", "instances", "copies")
PRODUCTS = ("debian", "ubuntu", "windows", "windows server", "python", "node.js", "nodejs", "java", "php", "version", "release")
"""What has a version: the number after it counts nothing."""
_NAMING = re.compile(
    r"(?<![a-z0-9_-])(?:(?:re)?named?(?:\s+(?:it|them|is|to|as|of|be|should|must|will|shall))*\s*[:=]?|call(?:ed)?(?:\s+(?:it|them|the \w+))?|(?:host ?)name\s*[:=]?"
    r"|adi\s*[:=]?|ismi\s*[:=]?|叫做?|名为|名称为?)\s*"
)
_QUOTED = re.compile(r"(?:\"[^\"\0]{1,256}\"|“[^”\0]{1,256}”|'[^'\0]{1,256}'|`[^`\0]{1,256}`)(?=[\s,;.!?)]|$)")
_UNQUOTED = re.compile(r"[^\s,;\0]{1,256}")
_TOKEN = re.compile(r"(?:\s*(?:number|no\.|id|called|named|name|is|to|=|:|#)(?![a-z]))*\s*#?([a-z0-9][a-z0-9_.-]{0,62})")
_NUMBER_FIRST = re.compile(r"(?<![a-z0-9.-])(\d{1,4})(?:\s+numarali|号)?\s*$")
_BRIDGE = re.compile(r"(?<![a-z0-9_-])(?:(vmbr\d{1,4}|v?net\d{1,4})|vlan[-_]?(\d{1,4}))(?![a-z0-9_-]|\.\d)")
_NAMED_BEFORE = re.compile(r"(?<![a-z])(?:on|in|to|use|into)\s+(?:the|our)\s+([a-z][a-z0-9_-]{1,30})\s$")
_NO_NAME = frozenset("same right other whole new old next local public private internal external existing current".split())  # noqa: SIM905
_MACHINE_NAME = re.compile(
    r"(?<![a-z0-9_-])(?:on|onto|to|use|at|prefer|pick|choose|try)\s+([a-z][a-z-]{0,40}\d{1,4})(?![a-z0-9_-]|\.\d)"
)
_KEY = re.compile(
    r"(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-nistp\d{3}|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) +[A-Za-z0-9+/]{20,4000}={0,3}(?: +[^\s\"']{1,200})?"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
_KEY_END = re.compile(r"-----END [A-Z ]{0,40}-----")
_NO_KEY = ("no key", "no public key", "no ssh key", "without a key", "without key")
_CLAUSE_END = re.compile(r"[,;!?\n\0]|\.(?:\s|$)")
_INTRODUCED = re.compile(r"(?:.*(?<![a-z]))?(?:for|by|to|with|of|in|on|from|our|the|a|an|my|its|this|that|is|and)\s+", re.DOTALL)
_LEANING = re.compile(r"(?:for|on|in|at|with|to|of)\s")
_TOLD = re.compile(r"\s*(?:[:=]|(?:is|are|called|named)\s)\s*")
_ITEM = re.compile(r"\s+([a-z0-9][a-z0-9+._-]{0,100})(?![^\s,;!?)])")
_NEXT_ITEM = re.compile(r"\s*(?:,|and|,\s*and)\s+([a-z][a-z0-9+._-]{0,100})(?=\s*(?:,|$|;|\.|and\s))")
TEXT_LENGTH_MAX = 200
BARE_LENGTH_MAX = 300
LIST_MAX = 50


@dataclass
class Stretch:
    """A stretch of a message, in which what one reader has taken is out of the others' sight."""

    text: str
    folded: str = field(init=False)
    free: str = field(init=False)
    found: dict[str, Fact] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folded = self.free = fold(self.text)

    def take(self, span: Span) -> None:
        self.free = mask(self.free, span)

    def say(self, name: str, value: str, span: Span) -> None:
        """A later value of the same name wins: `100 users, no, 200 users`."""
        self.found[name] = Fact(name=name, value=value, quote=self.text[span.start : span.end])


@dataclass(frozen=True)
class Quantity:
    value: str
    start: int
    end: int
    worth: float


def read(stretch: Stretch, wanted: Iterable[Wanted], own_words: tuple[str, ...]) -> None:
    """Everything wanted, kind by kind; the order matters, because a sum of money is also a number. `own_words` name the capability."""
    by_kind: dict[Kind, list[Wanted]] = {}
    for one in wanted:
        by_kind.setdefault(one.kind, []).append(one)
    for kinds, reader in _READERS:
        asked = [one for kind in kinds for one in by_kind.get(kind, ())]
        if asked:
            reader(stretch, asked, own_words)


def take_relative(stretch: Stretch) -> None:
    """What is to be added to something known already (`two more`) is not how much it is to be: better not heard than misheard."""
    sized = [Span(size.start, size.end) for size in islice(quantities.sizes(stretch.free), QUANTITIES_MAX)]
    for span in [*sized, *(Span(n.start, n.end) for n in _numbers(stretch))]:
        if relative(stretch.folded, span):
            stretch.take(span)


def take_names(stretch: Stretch) -> list[tuple[Span, Span]]:
    """(where it is introduced, where it stands) of whatever is called something, taken so that a name is never read as a word."""
    names = []
    for match in _NAMING.finditer(stretch.free):
        name = _name_at(stretch, match.end())
        if name is not None:
            names.append((Span(*match.span()), name))
    for introduction, name in names:
        stretch.take(Span(introduction.start, name.end))
    return names


def _keys(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    take_keys(stretch, wanted)
    for span in find(_NO_KEY, stretch.free):
        stretch.say(wanted[0].name, "no key", span)
        stretch.take(span)


def take_keys(stretch: Stretch, wanted: list[Wanted]) -> None:
    """Public keys are kept whole. Of a private key only its first line is repeated, so that the operator can be warned."""
    for pattern in (_KEY, _PRIVATE_KEY):
        for match in pattern.finditer(stretch.text):
            for one in wanted[:1]:
                stretch.say(one.name, match.group(), Span(*match.span()))
            end = _KEY_END.search(stretch.text, match.end()) if pattern is _PRIVATE_KEY else match
            stretch.take(Span(match.start(), end.end() if end else len(stretch.text)))


def _money(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    sums = [
        Quantity(stretch.text[a.start : a.end], a.start, a.end, a.money.amount)
        for a in islice(quantities.sums(stretch.free), QUANTITIES_MAX)
    ]
    _allot(stretch, wanted, sums, remainder=wanted)


def _sizes(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
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
    """Memory comes in powers of two; a disk is seldom said without its word, but `60 GB` alone is one."""
    gib = size.worth / 2**30
    return gib <= 0 or gib < 1 or (gib <= 256 and gib.is_integer() and int(gib).bit_count() == 1)


def _counts(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    """The number of machines also stands before what they are: `ten web servers`."""
    numbers = [n for n in _numbers(stretch) if not _is_version(stretch, n, own_words)]
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


def _networks(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    one = wanted[0]
    for word in find({"network", "vlan", *one.words}, stretch.free):
        match = _TOKEN.match(stretch.free, word.end)
        before = _NUMBER_FIRST.search(stretch.free[max(0, word.start - 20) : word.start])
        named = _NAMED_BEFORE.search(stretch.free[max(0, word.start - 60) : word.start])
        if match and _names_something(match[1]) and not negated(stretch.folded, word):
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


def _nodes(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    one = wanted[0]
    for word in find({"node", *one.words}, stretch.free):
        match = _TOKEN.match(stretch.free, word.end)
        if match and _names_something(match[1]) and not match[1].isdigit() and not negated(stretch.folded, word):
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


def _names_something(token: str) -> bool:
    return token.rstrip(".") not in NOT_A_VALUE


def _names(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    """`called build-01` is the first name wanted, unless the word of another stands before it: `resource group called rg-x`."""
    for one in wanted:
        for word in find([word for word in one.words if word not in NAMING_WORDS], stretch.free):
            connected = re.compile(r"\s*(?:[:=]|is|to|called|named)\s*").match(stretch.free, word.end)
            name = _name_at(stretch, connected.end() if connected else word.end + 1)
            placed = re.search(r"(?<![a-z])(?:on|in|use|to)\s+(?:the\s+)?$", stretch.free[max(0, word.start - 12) : word.start])
            if name is not None and (connected or placed or re.search(r"[\d-]", stretch.folded[name.start : name.end])):
                stretch.say(one.name, _unquote(stretch.text[name.start : name.end]), Span(word.start, name.end))
                stretch.take(Span(word.start, name.end))
    for introduction, name in take_names(stretch):
        stretch.say(wanted[0].name, _unquote(stretch.text[name.start : name.end]), Span(introduction.start, name.end))


def _name_at(stretch: Stretch, start: int) -> Span | None:
    quoted = _QUOTED.match(stretch.free, start)
    if quoted:
        return Span(*quoted.span())
    match = _UNQUOTED.match(stretch.free, start)
    if not match:
        return None
    word = match.group().rstrip(".!?:)\"'")
    return Span(match.start(), match.start() + len(word)) if word and _names_something(word) else None


def _unquote(name: str) -> str:
    return name[1:-1] if len(name) > 2 and name[0] in "\"'`“" and name[-1] in "\"'`”" else name


def _choices(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    """A word that names the capability chooses nothing: a development environment is no statement about the environment."""
    own = list(find(own_words, stretch.free))
    for one in wanted:
        hits = [(span, value) for value, words in one.choices for span in find({value, *words}, stretch.free)]
        for span, value in sorted(hits):
            if not negated(stretch.folded, span) and not any(o.start <= span.start and span.end <= o.end for o in own):
                stretch.say(one.name, value, span)
                stretch.take(span)


def _yes_or_no(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    for one in wanted:
        for span in find(one.words, stretch.free):
            answer = re.compile(r"\s*[:=]\s*(yes|no|true|false)(?![a-z])").match(stretch.free, span.end)
            if answer:
                stretch.say(one.name, "yes" if answer[1] in YES else "no", Span(span.start, answer.end()))
            elif negated(stretch.folded, span):
                start = max(stretch.folded.rfind(c, 0, span.start) for c in ",;.\n") + 1
                lead = len(stretch.text[start : span.start]) - len(stretch.text[start : span.start].lstrip())
                end = _end_of_negation(stretch.folded, span)
                stretch.say(one.name, "no", Span(start + lead, end))
            else:
                stretch.say(one.name, "yes", span)


def _end_of_negation(folded: str, span: Span) -> int:
    after = re.compile(r"(?:'\w+)?\s+(?:yok|olmasin|istemiyorum|gerekmiyor|değil|degil|is not|isn't)").match(folded, span.end)
    return after.end() if after else span.end


def _texts(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    """What stands after the word or before it: `on storage ceph-vm`, `packages nodejs and npm`, `for our ML team`, `purpose: training`."""
    for one in wanted:
        for word in find(one.words, stretch.free):
            clause = _clause_of(stretch.free, word)
            told = _TOLD.match(stretch.free, word.end, clause.end)
            after = _list_at(stretch.free, word.end, several=stretch.free[word.start : word.end].endswith("s"))
            lead = _INTRODUCED.match(stretch.free[clause.start : word.start])
            start = clause.start + (lead.end() if lead else 0)
            alone = not stretch.free[start : word.start].strip() or _LEANING.match(stretch.free, word.start)
            if told and stretch.free[told.end() : clause.end].strip():
                _say_text(stretch, one, word.start, Span(told.end(), clause.end))
            elif after and alone and not negated(stretch.folded, word):
                _say_text(stretch, one, word.start, after)
            elif lead and not alone:
                _say_text(stretch, one, start, Span(start, word.end))


def _say_text(stretch: Stretch, one: Wanted, start: int, value: Span) -> None:
    end = value.start + len(stretch.text[value.start : value.end].rstrip().rstrip("."))
    text = stretch.text[value.start : end].strip()
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
        if not item or not _names_something(item[1]):
            break
        begin, end = begin or item.start(1), item.end(1)
    return Span(begin, end) if end else None


def _called(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    """`database called shop`, `site name shop.example.org`: whose words include the naming go before the names of machines."""
    for one in wanted:
        for word in find([w for w in one.words if set(w.split()) & set(NAMING_WORDS)], stretch.free):
            told = _TOLD.match(stretch.free, word.end)
            name = _name_at(stretch, told.end() if told else min(word.end + 1, len(stretch.free)))
            if name is not None:
                stretch.say(one.name, _unquote(stretch.text[name.start : name.end]), Span(word.start, name.end))
                stretch.take(Span(word.start, name.end))


Reader = Callable[[Stretch, list[Wanted], tuple[str, ...]], None]
_READERS: tuple[tuple[tuple[Kind, ...], Reader], ...] = (
    (("public_key",), _keys),
    (("text",), _called),
    (("name",), _names),
    (("money",), _money),
    (("memory", "disk", "volume"), _sizes),
    (("network",), _networks),
    (("node",), _nodes),
    (("count", "memory", "disk"), _counts),
    (("choice",), _choices),
    (("yes_no",), _yes_or_no),
    (("text",), _texts),
)


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
        case "yes_no":
            return "yes" if any(find(YES, folded)) else "no" if any(find(NO, folded)) else None
        case "network" | "node":
            token = re.fullmatch(r"(?:(?:on|use|the|number)\s+)*#?([a-z0-9][a-z0-9_.-]{0,62}?)\.?", folded)
            return text[token.start(1) : token.end(1)] if token and _names_something(token[1]) else None
        case "name":
            name = _unquote(text)
            return name if len(text.split()) == 1 and _names_something(folded) else None
        case "public_key":
            return "no key" if folded in ("no", "none", "no key") else None
        case "text":
            return text if any(c.isalpha() for c in text) and len(text) <= 200 and _names_something(folded) else None
        case _:
            return None


def pieces(stretch: Stretch) -> Iterator[Span]:
    """The parts of a message that nothing was found in, as a list of bare answers has them: `100, production, 20`."""
    for match in islice(re.finditer(r"(?:(?![,;\n]|\s+and\s+).)+", stretch.text), QUANTITIES_MAX):
        start = match.start() + len(match.group()) - len(match.group().lstrip())
        end = start + len(match.group().strip().rstrip("."))
        if start < end <= start + BARE_LENGTH_MAX and "\0" not in stretch.free[start:end]:
            yield Span(start, end)
