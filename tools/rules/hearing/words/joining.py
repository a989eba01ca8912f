"""What belongs together before a message is read: names with hyphens, a language's words for numbers and sizes, words and numbers that are
written as one, and what names one thing twice."""

from __future__ import annotations

import re

from tools.rules.hearing.lexicon import listed
from tools.rules.hearing.tokens import quantities
from tools.rules.hearing.tokens.cutting import Token
from tools.rules.hearing.words.dictionary import Lexicon
from tools.rules.hearing.words.meanings import Mark, Meanings
from tools.rules.names.text import fold

_WORD_AND_NUMBER = re.compile(r"([^\W\d_]+)([-_]?)(\d+(?:\.\d+)?)")


def is_title(said: tuple[Token, ...], first: int, last: int = 0) -> bool:
    """`4. win11: 4 cores`, `- vm-dns (1 core)`: the word that begins a line, and what the line says is said of it."""
    before, after = said[max(first - 2, 0) : first], said[last or first + 1 : (last or first + 1) + 2]
    opens = first == 0 or (
        before[-1].text in ("\n", *"-*•.)") and (len(before) == 1 or before[0].text == "\n" or before[0].text.isdecimal())
    )
    sized = len(after) == 2 and after[0].text in (":", "(") and after[1].kind in ("number", "size")
    return bool(opens) and sized


def compounds(said: tuple[Token, ...], words: Lexicon, text: str) -> tuple[Token, ...]:
    """`rg-ml-prod` and `db-vault` are names, in which no word means anything; `on-prem` and `production-ready` are words."""
    if not any(token.glued and token.kind == "word" for token in said):
        return said
    found: list[Token] = []
    marks = words.marks(said)
    mentions = words.mentions(said, [])
    known = {i for mark in (*marks, *mentions) for i in range(mark.first, mark.last)}
    things = {mark.first for mark in mentions}
    alone = {mark.first for mark in marks if words.alone.keys() & {*mark.names("choice")}}
    at = 0
    while at < len(said):
        end = at + 1
        while end < len(said) and said[end].glued and said[end].kind == said[at].kind == "word":
            end += 1
        chain = said[at:end]
        are_words = all(i in known or words.fills(said[i]) for i in range(at, end))
        if len(chain) > 1 and len(chain[-1].text) == 1:  # `app-a` is a name, `hyper-v` a phrase
            are_words = are_words and any(mark.first <= at and mark.last >= end for mark in marks)
        of_two = at in things and not alone.isdisjoint(range(at + 1, end))  # `db-vault`
        if len(chain) == 1 or (are_words and not of_two and not is_title(said, at, end)):
            found += chain
        else:
            found.append(Token("name", fold(text[chain[0].start : chain[-1].end]), chain[0].start, chain[-1].end, glued=chain[0].glued))
        at = end
    return tuple(found)


def in_numbers(said: tuple[Token, ...], words: Lexicon) -> tuple[Token, ...]:
    """A language's own words for numbers and units, as the numbers and sizes that they are."""
    found: list[Token] = []
    for token in said:
        before = found[-1] if found else None
        if token.kind == "word" and token.text in words.numbers and (before is None or before.kind != "number"):
            token = token._replace(kind="number", value=float(words.numbers[token.text]))
        elif token.kind == "word" and token.text in words.sizes and before and before.kind == "number":
            size_bytes = quantities.size_bytes(f"1 {words.sizes[token.text]}") or 0
            found[-1] = Token("size", f"{before.text} {token.text}", before.start, token.end, before.value * size_bytes, before.glued)
            continue
        elif token.text in words.sizes and [one.text for one in found[-2:]] in (["half", "a"], ["half", "an"]):
            half, unit = found[-2], words.sizes[token.text]
            found[-2:] = [Token("size", f"0.5 {unit}", half.start, token.end, (quantities.size_bytes(f"0.5 {unit}") or 0), half.glued)]
            continue
        found.append(token)
    return tuple(found)


def joined(said: tuple[Token, ...], mentions: list[Mark], marks: list[Mark], words: Lexicon) -> list[Mark]:
    """`PostgreSQL 16 database server` names one thing: the first of the words that says more than what it stands on."""
    found: list[Mark] = []
    owned = {mark.last for mark in marks if mark.does("owned")}
    for mark in mentions:
        if mark.last < len(said) and said[mark.last].glued and said[mark.last].kind == said[mark.last - 1].kind == "word":
            continue  # `db-vault` is a name
        before = found[-1] if found else None
        between = said[before.last : mark.first] if before else ()
        counts = between and before and before.first in owned and said[mark.last - 1].text.endswith("s")  # `the postgres 5 machines`
        links = before is not None and all(_links(token, before, mark, words) for token in between)
        if before and len(between) <= 1 and links and not counts:
            says_more = before.names("body") or (_is_own_name(said, mark) and not _is_own_name(said, before))  # `database MariaDB`
            first, second = (mark, before) if says_more else (before, mark)
            found[-1] = Mark(before.first, mark.last, Meanings(first.meanings & second.meanings) or first.meanings)
        else:
            found.append(mark)
    return found


def _is_own_name(said: tuple[Token, ...], mark: Mark) -> bool:
    return said[mark.first].text in mark.names("service")


def _links(token: Token, before: Mark, after: Mark, words: Lexicon) -> bool:
    """A version; `servidor de MariaDB`; a word of which nothing is known: `PostgreSQL flexible server`."""
    first, second = bool(before.names("body")), bool(after.names("body"))
    tells = second and not first and token.kind == "word" and not words.knows(token.text) and not words.fills(token)
    return token.kind == "number" or tells or (first and not second and token.text in listed("of"))


def unglued(token: Token, words: Lexicon) -> tuple[Token, ...]:
    """`vlan20` and `debian-12` are a word and its number; `redis'i` is a word with an ending of its language."""
    stem, mark, ending = token.text.partition("'")
    if token.kind == "word" and mark and ending in words.endings:
        return (token._replace(text=stem, end=token.start + len(stem)),)
    found = _WORD_AND_NUMBER.fullmatch(token.text) if token.kind == "name" else None
    if found is None or not (
        (found[2] != "_" and words.has_version(found[1]))
        or found[1] in words.glued
        or (found[2] == "" and "." not in found[3] and found[3][0] != "0" and words.joins(found[1]))
    ):
        return (token,)
    middle = token.start + found.start(3)
    word = Token("word", found[1], token.start, token.start + found.end(1), glued=token.glued)
    return word, Token("number", found[3], middle, token.end, float(found[3]), glued=True)


def tagged(said: tuple[Token, ...], marks: list[Mark], mentions: list[Mark]) -> frozenset[int]:
    """`a VM, tags: db and k3s`: single words of a list of tags that services are called by, too. They ask for none, where others do."""
    services = {mark.first for mark in mentions if mark.last - mark.first == 1}
    found = set[int]()
    for mark in marks:
        if "tags" not in mark.names("fact") or said[mark.last - 1].text in ("tag", "label"):
            continue
        at = mark.last
        while at < len(said) and said[at].text in (":", "="):
            at += 1
        while at < len(said) and said[at].kind in ("word", "name") and _ends_item(said, at + 1):
            found |= {at} & services
            at += 1
            while at < len(said) and said[at].text in _BETWEEN:
                at += 1
    return frozenset(found) if any(mark.first not in found for mark in mentions) else frozenset()


_BETWEEN = (",", "and", "&", "und", "et", "y", "ve")


def _ends_item(said: tuple[Token, ...], at: int) -> bool:
    return at >= len(said) or said[at].text in _BETWEEN or said[at].kind not in ("word", "name", "number", "size", "quoted")
