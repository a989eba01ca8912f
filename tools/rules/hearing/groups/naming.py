"""What is called something: a name, a pattern (`app-{1,2,3}`), a series (`app-1 to app-3`), or several with commas and an `and`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens.cutting import series, spread
from tools.rules.hearing.words.able import Able
from tools.rules.hearing.words.meanings import Mark

NAMES_MAX = 200
OF_MAX = 5
"""Tokens between `call` and the name, where a thing is named there."""
DIGITS = "0123456789"
BUILDING = (
    "deny", "affirm", "lean", "for", "with", "join", "link", "bound", "or", "to", "called", "any", "ask", "ask_for", "change", "each",
    "per", "prefer", "copy", "more", "until", "needed_by", "article", "owned", "remark", "remove",
)  # fmt: skip
"""What words do that build a sentence: none of them is a name."""
SMALL = ("lean", "for", "with", "join", "link", "deny", "any", "ask", "to", "or", "until", "needed_by", "remark")
_COUNTER = re.compile(r"(?<=\w)[-_]\$\{[\w.+ -]*\}")
"""What a program counts machines by: `kiln-${count.index + 1}`."""
_TELEPHONE = re.compile(r"[\d()+./–-]+")
"""What people are called at."""
BRIDGE = re.compile(r"vmbr\w{1,11}(?:\.\d{1,4})?|v?net\d{1,4}")
LISTING = (",", "&", "/", "+", "\n")


class Called(NamedTuple):
    """Tokens `first` up to `last` say what something is called, those from `begin` on are the names."""

    first: int
    begin: int
    last: int
    names: tuple[str, ...]


def is_value_word(scene: Scene, number: int) -> bool:
    """A word that may be a name: it has no part in building the sentence."""
    return scene.kind(number) == "word" and not scene.does(number, *BUILDING) and not scene.fills(number)


def is_host(able: Able, scene: Scene, number: int) -> bool:
    """`a reverse proxy for wiki.example.org`: whom it is for, where that may be told so."""
    told = any(one.unlabelled for one in able.by_kind.get("text", ()))
    return told and scene.does(number - 1, "for") and "." in scene.token(number).text


def is_named_place(scene: Scene, first: int, last: int) -> bool:
    """`on the network servers`: a label that leans on something, and one word behind it that closes its clause."""
    leads = scene.does(first - 1 - scene.does(first - 1, "owned"), "lean")
    return leads and scene.breaks(last, signs=(")",))


def hyphenated(scene: Scene, number: int) -> str:
    """The whole word, with what hyphens and dots join to it."""
    match = re.match(r"[\w][\w.-]{0,62}", scene.text[scene.token(number).start :])
    return match.group().rstrip(".-_") if match else ""


def names(scene: Scene, first: int, last: int) -> Iterator[Called]:
    """Whatever is called something. A name is taken whole, so that no word in it is read as anything else."""
    end = first
    for mark in scene.marks_in(first, last, "called"):
        if mark.first < end or not scene.free(mark.first, mark.last) or scene.denied[mark.first]:
            continue
        if scene.is_listed(mark.first, "behind"):
            start = mark.first - 1
            named = scene.kind(start) in ("name", "quoted") or scene.is_plain_word(start)
            while scene.kind(start - 2) in ("name", "quoted") and (scene.does(start - 1, "join") or scene.is_text(start - 1, ",")):
                start -= 2
            if named and scene.is_left(start):
                yield Called(start, start, mark.last, names_at(scene, start, mark.first)[1])
            continue
        thing = next(
            (i for i in range(mark.last + 1, min(mark.last + OF_MAX, last - 1)) if scene.is_body(i) or scene.mention_before(i + 1)), 0
        )
        if scene.does(mark.last, "owned") and thing and scene.kind(thing + 1) in ("name", "quoted"):
            end, said = names_at(scene, thing + 1, last)
            yield Called(thing + 1, thing + 1, end, said)  # `call the azure machine probe-01`
            continue
        begin = scene.skip(mark.last, last, "link", "owned", texts=(":", "=", "#", "-"), most=6)
        begin = scene.skip(begin, last, "owned", "article", texts=("it", "them", "vm", "machine"))
        if scene.is_listed(begin, "persons"):
            continue  # `call me on 0151 2345`
        label = scene.at(begin)
        if begin > mark.last and label.first == begin and set(label.names("fact")) & scene.words.placing:
            begin = label.last  # `name the resource group rg-data`
        end, said = names_at(scene, begin, last, sure=_is_sure(scene, mark, begin))
        if said and not is_tagged(scene, end):
            yield Called(mark.first, begin, end, said)
        start = max(scene.sentence(mark.first)[0], first)
        told = not said and scene.is_listed(mark.last - 1, "naming") and not scene.is_listed(start, "hypervisor_commands")
        if told and scene.kind(start) in ("name", "quoted") and all(scene.fills(i) for i in range(start + 1, mark.first)):
            yield Called(start, start, mark.last, names_at(scene, start, mark.first)[1])  # `lark-2 would be a good name`


def is_tagged(scene: Scene, number: int) -> bool:
    """`srv-p01 (prod) and srv-t01 (test)`: each is told by where it is, and a thing of its own."""
    place = bool(scene.at(number + 1).choices("environment")) or scene.is_listed(number + 1, "other_places")
    return place and scene.is_text(number, "(") and scene.is_text(number + 2, ")")


def _is_sure(scene: Scene, mark: Mark, begin: int) -> bool:
    """An ordinary word behind it is a name: after `called`, and after `name:`; not after `call` or in `a name server`."""
    spelled = hyphenated(scene, begin) if begin < len(scene.said) else ""
    is_made_up = "-" in spelled or any(c.isdecimal() for c in spelled)
    orders = scene.breaks(mark.first - 1) and not scene.is_listed(begin, "not_after_name")  # `name mole if that is free`
    return orders or is_made_up or begin > mark.last or mark.last - mark.first > 1 or scene.is_listed(mark.first, "calls")


def names_at(scene: Scene, begin: int, last: int, *, sure: bool = True, listed: bool = True) -> tuple[int, tuple[str, ...]]:
    """(the token behind them, the names). `sure`: an ordinary word is a name here; `listed`: more may follow."""
    said: list[str] = []
    at = end = begin
    while at < last and len(said) < NAMES_MAX:
        next_, several = _name_at(scene, at, last, is_first=not said, sure=sure)
        if not several:
            break
        said += several
        at = end = next_
        if listed:
            at = scene.skip(at, last, "join", texts=LISTING)
            if at == end and scene.kind(at) == "name" and scene.token(at).text.rstrip(DIGITS) == said[-1].lower().rstrip(DIGITS):
                continue  # `names hack-1 hack-2`
            other = scene.skip(at, last, "owned")
            at = other + 1 if at > end and scene.is_listed(other, "other_one") else at  # `one is called a-1, the other a-2`
        if at == end:
            break
    return end, tuple(dict.fromkeys(said))


def _name_at(scene: Scene, at: int, last: int, *, is_first: bool, sure: bool) -> tuple[int, tuple[str, ...]]:
    token = scene.said[at]
    if not is_first and BRIDGE.fullmatch(token.text):
        return at, ()
    if token.kind == "quoted":
        return at + 1, (_COUNTER.sub("", scene.unquoted(at)),)
    if not is_first and token.text.isdecimal() and scene.is_text(at - 1, ",") and token.start == scene.token(at - 1).end and at >= 2:
        return at + 1, (f"{scene.token(at - 2).text.rstrip(DIGITS)}{token.text}",)  # `app-1,2`
    if token.kind == "name" or (token.kind == "number" and not is_first):
        until = joined_to(scene, at)
        several = series(scene.quote(at, at + 1), scene.quote(until, until + 1)) if at < until < last else ()
        if several or token.kind == "number":
            return until + 1, several
        return at + 1, spread(scene.quote(at, at + 1))
    counts = token.kind == "number" and scene.kind(at + 1) == "word"  # `the customer called: 3 of them`
    if is_first and sure and not counts and token.kind in ("word", "mark", "number") and not scene.stops(at) and not _is_small(scene, at):
        chunk = re.match(r"[^\s,;]{1,256}", scene.text[token.start :])
        text = _COUNTER.sub("", chunk.group()).rstrip(".!?:)\"'") if chunk else ""
        is_name = bool(text) and not _TELEPHONE.fullmatch(text)
        return scene.chunk(at, len(text)) if is_name else at, spread(text) if is_name else ()
    if scene.is_listed(at, "everything"):
        return at, ()
    if token.kind == "word" and not is_first and sure and is_value_word(scene, at) and not scene.at(at).meanings:
        word = hyphenated(scene, at)
        end = scene.chunk(at, len(word))
        ends = end >= last or scene.breaks(end, "with", "for", "lean", "each", "join")
        return end, (word,) if ends else ()
    return at, ()


def joined_to(scene: Scene, at: int) -> int:
    """The other end of a series: `app-1 to app-3`, `app-1..3`."""
    if scene.is_text(at + 1, ".") and scene.is_text(at + 2, "."):
        return at + 3
    if scene.kind(at + 2) == "number" and scene.at(at + 3).names("fact"):
        return at  # `app-1 - 4 cores`
    return at + 2 if scene.does(at + 1, "to") or scene.is_text(at + 1, "-", "…") else at


def _is_small(scene: Scene, number: int) -> bool:
    """Nothing is called `after later`, `is` or `yet`; a `name server` is not called `server`."""
    if scene.is_listed(number, "no_name") or scene.is_text(number, ",", "(", ")") or scene.does(number, *SMALL):
        return True
    return scene.is_listed(number - 1, "naming") and scene.is_listed(number, "not_after_name")
