"""Cuts a message into tokens with types: words, numbers, sizes, sums of money, names, addresses, dates. It gives none of them a meaning."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_interface
from itertools import islice
from typing import Literal, NamedTuple

from tools.rules.hearing.tokens import quantities
from tools.rules.names.text import fold

TokenKind = Literal["word", "number", "size", "money", "name", "address", "port", "path", "key", "quoted", "mark", ""]
"""Empty: nothing, beyond the ends of a message."""
TOKENS_MAX = 4_000
"""Of one message. A request for infrastructure is a few sentences; a pasted log is not read to its end."""
QUANTITIES_MAX = TOKENS_MAX


class Token(NamedTuple):
    kind: TokenKind
    text: str
    """Folded."""
    start: int
    end: int
    value: float = 0.0
    """Of a number, the number; of a size, its bytes; of money, the sum."""
    glued: bool = False
    """Nothing but a hyphen, or nothing at all, stands between it and the token before."""


_KEY = r"(?P<key>(?:sk-)?(?:ssh-(?:ed25519|rsa|dss)|ecdsa-sha2-nistp\d+)(?:@openssh\.com)? [A-Za-z0-9+/=]{8,}(?: [^\s,;]+)?)"
_QUOTED = r"(?<!\w)(?P<quoted>\"[^\"]{1,80}\"|“[^”]{1,80}”|„[^“”\n]{1,80}[“”]|«[^»\n]{1,80}»|'[^'\n]{1,80}'(?!\w))"
_LINK = (
    r"(?P<link>https?://\S+|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+|@[\w-]+"
    r"|(?<![\w:.-])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:-])|(?<![\w:.])\d{1,2}:[0-5]\d(?::[0-5]\d)?(?![\w:]))"
)
"""Also the address of a network card, and a time of day."""
_ADDRESS = (
    r"(?P<address>(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?!\w|\.\d)"
    r"|(?<![\w:.])(?=[0-9a-f]{0,4}:[0-9a-f]{0,4}:)[0-9a-f:]{2,39}(?:/\d{1,3})?(?![\w/]))"
)
"""Of what looks like one of IPv6, `ipaddress` says whether it is: `14:22:10` is none."""
_PATH = (
    r"(?P<path>(?<![\w/.:@-])(?:[a-z0-9][\w.-]*:(?=/\w)|(?=/[a-z][\w.-]*/\w))(?:/[\w.-]+)+/?"
    r"|(?<![\w/.:@-])[a-z][a-z0-9+-]*://[^\s,;()\"']+)"
)
"""`/mnt/backup`, `filer.example.org:/export`, `s3://bucket/folder`: a folder, of a machine or of one that shares it."""
_PORT = r"(?P<port>(?<![\w./])\d{1,5}/(?:tcp|udp)(?!\w))"
_NAME = (
    r"(?P<name>(?<![\w.-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w-])"  # an object id of Entra's
    r"|(?<![\w$-])(?<!(?<!\.)\.)(?:[a-z][\w-]*(?:\.[a-z][\w-]*)*[\w-]*[{\[]\d[\d,.: -]*[}\]][\w.-]*"  # app-{1,2,3}
    r"|[a-z](?=[\w-]*[\d_])[\w-]*(?:\.[\w-]+)*"  # db-01, web_1, node2.example.org
    r"|[a-z][\w-]*(?:\.[a-z][\w-]*)*\.[a-z]{2,12}(?![\w.]*\())"  # shop.example.org
    r"|(?<![\w.-])\d+[a-z]+\d[\w-]*(?:-[\w-]+)+"  # 2b3-x
    r"|(?<![\w.-])(?=\d+[a-f])(?:[0-9a-f]{12,}|(?:\d+[a-f]+){2,}\d[0-9a-f]*)(?![\w-]))"  # 85c3c4855fcc, a digest or its beginning
)
_SHAPE = re.compile(r"(?<![\w.-])(\d{1,3})(c)(\d{1,4}g)(\d{1,5}g)?b?(?![\w.-])", re.IGNORECASE)
"""`4c8g100g`: cores, memory and disk in one word."""
_SLASHED = re.compile(r"(?<![\w./-])(?<![0-9a-f:]:)([1-9]\d{0,2})(/)([1-9]\d{0,3})(/[1-9]\d{1,4})?(?![\w/-]|\.\d)")
"""`2/4/40`, the same; `4/16`, two of what stands before it. No day, and not `24/7`."""
_NO_SHAPE = re.compile(r"24/7|7/24|.*/.*/(?:20)?2[678]")
_FIRST = re.compile("|".join((_KEY, _QUOTED, _LINK, _PATH, _ADDRESS, _PORT, _NAME)), re.IGNORECASE)
_REST = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+|(?!(?<=[^\W_])-[^\W_])[^\w\s]|_|\n")
"""Words, bare digits and marks; a hyphen within a word is no token."""


_WHOLE = re.compile(r"((?:\d{1,3}\.){3})\d{1,3}(/\d{1,2})?")
_BEHIND = r"(?!\w|\.\d|\s*(?:[kmgt]i?b?|%)(?!\w))"
_UNTIL = re.compile(r"(?:-|–|\.\.)(?P<last>\.?\d{1,3})" + _BEHIND, re.IGNORECASE)
_AND = re.compile(r"(?<=[\s,(&])(?P<last>\.\d{1,3})" + _BEHIND, re.IGNORECASE)
"""`10.0.20.11-13`, `10.0.20.11 and .12`: behind a whole address another one of its network, by its end alone."""


def tokens(text: str) -> tuple[Token, ...]:
    """From left to right, none in another; blanks are no tokens, line ends are."""
    return tuple(islice(_tokens(text), TOKENS_MAX))


def _tokens(text: str) -> Iterator[Token]:
    folded = fold(text)
    typed = sorted(_typed(text, folded), key=lambda token: token.start)
    position = 0
    for token in (*typed, None):
        for match in _REST.finditer(folded, position, token.start if token else len(folded)):
            said, (start, end) = match.group(), match.span()
            yield Token("word" if said[0].isalpha() else "mark", said, start, end, 0.0, _is_glued(folded, start))
        if token:
            yield token
            position = token.end


def _is_glued(folded: str, start: int) -> bool:
    before = folded[start - 1 : start]
    return before != " " and (before.isalnum() or (before == "-" and folded[start - 2 : start - 1].isalnum()))


def _typed(text: str, folded: str) -> Iterator[Token]:
    """Whatever is more than a word, the first kind at each place."""
    taken = bytearray(len(text))
    for token in _shapes(text, folded):
        taken[token.start : token.end] = b"\1" * (token.end - token.start)
        yield token
    for match in islice(_FIRST.finditer(text), TOKENS_MAX):
        kind = match.lastgroup or ""
        start, end = match.span(kind)
        while end > start + 1 and text[end - 1] in (".-_" if kind == "address" else ".-_:"):
            end -= 1
        while kind == "address" and end > start + 1 and text[end - 1] == ":" and text[end - 2] != ":":
            end -= 1
        if any(taken[start:end]) or (kind in _ARE and not _ARE[kind](text[start:end])):
            continue
        if kind == "quoted" and next(quantities.sizes(text[start:end]), None):
            continue  # `"4 vCPU / 16 GB"` is no name
        taken[start:end] = b"\1" * (end - start)
        names: dict[str, TokenKind] = {"link": "mark"}
        yield Token(names.get(kind, kind), folded[start:end], start, end, 0.0, _is_glued(folded, start))  # type: ignore[arg-type]
        for first, last, whole in _ends(text, start, end) if kind == "address" else ():
            if not any(taken[first:last]):
                taken[first:last] = b"\1" * (last - first)
                yield Token("address", whole, first, last, 0.0, _is_glued(folded, first))
        if kind in ("link", "key"):
            text = f"{text[:start]}{'_' * (end - start)}{text[end:]}"  # `issues/8443 - 2 cores` holds no range
    found: list[tuple[TokenKind, float, int, int]] = []
    found += [("money", a.money.monthly, a.start, a.end) for a in islice(quantities.sums(text), QUANTITIES_MAX)]
    found += [("size", s.size_bytes, s.start, s.end) for s in islice(quantities.sizes(text), QUANTITIES_MAX)]
    found += [("number", n.value, n.start, n.end) for n in islice(quantities.numbers(text), QUANTITIES_MAX)]
    for kind_, value, start, end in found:
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            yield Token(kind_, folded[start:end], start, end, float(value), _is_glued(folded, start))


def _ends(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """(place, address) of those that are said by their ends behind this one, up to the next whole one or the end of the line."""
    if first := _WHOLE.fullmatch(text, start, end):
        line = text.find("\n", end) % (len(text) + 1)
        other = _WHOLE.search(text, end, line)
        line = other.start() if other else line
        until = _UNTIL.match(text, end, line)
        for said in (*((until,) if until else ()), *islice(_AND.finditer(text, end, line), NAMES_MAX)):
            yield *said.span("last"), first[1] + said["last"].strip(".") + (first[2] or "")


def _shapes(text: str, folded: str) -> Iterator[Token]:
    kinds: tuple[TokenKind, ...] = ("number", "word", "size", "size")
    for match in islice(_SHAPE.finditer(text), QUANTITIES_MAX):
        for kind, said, (start, end) in zip(kinds, match.groups(), match.regs[1:], strict=True):
            value = float(said) if kind == "number" else quantities.size_bytes(said or "") or 0
            if said:
                yield Token(kind, folded[start:end], start, end, float(value), kind == "word")
    for match in islice(_SLASHED.finditer(text), QUANTITIES_MAX):
        first, last = match.start(1), match.end()
        if _NO_SHAPE.fullmatch(match.group()):
            continue
        yield Token("number", match[1], first, match.end(1), float(match[1]))
        if not match[4]:
            yield Token("number", match[3], match.start(3), last, float(match[3]), True)
            continue
        yield Token("word", "c", match.start(2), match.end(2), 0.0, True)  # the sign stands for the word
        for start, said in ((match.start(3), match[3]), (match.start(4) + 1, match[4][1:])):
            yield Token("size", f"{said} gb", start, start + len(said), float(quantities.size_bytes(f"{said} GB") or 0), True)


def _is_address(text: str) -> bool:
    try:
        return "." in text or (any(c.isdecimal() for c in text) and bool(ip_interface(text)))
    except ValueError:
        return False


def _is_name(text: str) -> bool:
    """`e.g` and `end.Next` are no names: a dot joins two or more letters on either side, all small."""
    if any(c.isdecimal() or c in "_{[" for c in text):
        return True
    parts = text.split(".")
    return all(len(part) > 1 for part in parts) and all(part.islower() for part in (text[1:], parts[-1]))


_ARE: dict[str, Callable[[str], bool]] = {"name": _is_name, "address": _is_address}
_SERIES = re.compile(r"^(.*?)(\d+)$")
_BRACES = re.compile(r"^(.*?)[{\[]([\d,.: -]+)[}\]](.*)$")
NAMES_MAX = 200


def spread(name: str) -> tuple[str, ...]:
    """`app-{1,2,3}`, `app-{1..3}` and `app-[01-03]` are three names; any other is one. Without the domain."""
    found = _BRACES.match(name)
    if not found:
        return (name.split(".")[0] if re.search(r"\.[A-Za-z]", name) else name,)
    before, inside, after = found.groups()
    ends = re.fullmatch(r"\s*(\d+)\s*(?:\.\.|-|:)\s*(\d+)\s*", inside)
    numbers = _between(*ends.groups()) if ends else [one.strip() for one in inside.split(",") if one.strip()]
    return tuple(f"{before}{number}{after.split('.')[0]}" for number in numbers[:NAMES_MAX])


_LETTERED = re.compile(r"([a-z0-9][a-z0-9-]*-)([a-z])")


def series(first: str, last: str) -> tuple[str, ...]:
    """`app-1` to `app-3`, or to `3`; nothing when they are no two ends of one series."""
    lettered, other = _LETTERED.fullmatch(first), _LETTERED.fullmatch(last)
    if lettered and other and lettered[1] == other[1] and lettered[2] < other[2]:
        return tuple(f"{lettered[1]}{chr(code)}" for code in range(ord(lettered[2]), ord(other[2]) + 1))  # `web-a` to `web-d`
    begin, end = _SERIES.match(first.split(".")[0]), _SERIES.match(last.split(".")[0])
    if not begin or not end or end[1] not in (begin[1], ""):
        return ()
    return tuple(f"{begin[1]}{number}" for number in _between(begin[2], end[2]))


def addresses(first: str, last: str) -> tuple[str, ...]:
    """From one to the other, both with what they have behind a slash; nothing when that is more than anybody means."""
    low, high = ip_interface(first), ip_interface(last)
    bits = f"/{first.partition('/')[2]}" if "/" in first else ""
    many = int(high) - int(low)
    return tuple(f"{low.ip + n}{bits}" for n in range(many + 1)) if low.version == high.version and 0 <= many < NAMES_MAX else ()


def _between(first: str, last: str) -> list[str]:
    low, high = int(first), int(last)
    width = len(first) if first.startswith("0") else 0
    return [f"{number:0{width}d}" for number in range(low, high + 1)][:NAMES_MAX] if low <= high else []
