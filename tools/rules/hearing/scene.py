"""A message as the passes of the reader see it: its tokens, what they mean, what is denied, and what has been made use of."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.rules.hearing import quantities
from tools.rules.hearing.tokens import Token, tokens
from tools.rules.hearing.words import Catalogue, Lexicon, Mark, language_of, lexicon

if TYPE_CHECKING:
    from tools.rules.hearing.cells import Labelled

STOPS = frozenset(".!?;\n")
NONE = Mark(0, 0, frozenset())


@dataclass
class Scene:
    text: str
    """As typed."""
    said: tuple[Token, ...]
    words: Lexicon
    catalogue: Catalogue
    marks: list[Mark]
    mentions: list[Mark]
    used: bytearray
    """Of each token, whether something was made of it."""
    denied: bytearray
    labels: dict[tuple[str, bool], Labelled | None] = field(default_factory=dict)
    """What is known of labels already."""
    _at: list[Mark] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)
    _ends: dict[int, list[Mark]] = field(default_factory=dict)
    _by_fact: dict[str, list[Mark]] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str, cleaned: str, catalogue: Catalogue) -> Scene:
        said = tokens(cleaned)
        words = lexicon(catalogue, language_of(said))
        said = tuple(part for token in said for part in _unglued(token, words))
        said = tuple(words.mend(token) for token in _in_numbers(said, words))
        said = tuple(
            token._replace(text=words.short[token.text])
            if token.glued and token.text in words.short and said[n - 1].kind == "number"
            else token
            for n, token in enumerate(said)
        )
        scene = cls(
            text, said, words, catalogue, words.marks(said), _joined(said, words.mentions(said)), bytearray(len(said)), bytearray(len(said))
        )
        scene._at = [NONE] * len(said)
        for mark in scene.marks:
            scene._at[mark.first : mark.last] = [mark] * (mark.last - mark.first)
        scene._starts = [token.start for token in said]
        for mark in scene.mentions:
            scene._ends.setdefault(mark.last, []).append(mark)
        for mark in scene.marks:
            for name in {one.name for one in mark.meanings if one.kind in ("fact", "choice")}:
                scene._by_fact.setdefault(name, []).append(mark)
        scene._deny()
        scene._deny_before()
        scene._leave_out()
        return scene

    def at(self, number: int) -> Mark:
        """The mark that a token stands in."""
        return self._at[number] if 0 <= number < len(self.said) else NONE

    def token(self, number: int) -> Token | None:
        return self.said[number] if 0 <= number < len(self.said) else None

    def is_text(self, number: int, *texts: str) -> bool:
        token = self.token(number)
        return token is not None and token.text in texts

    def quote(self, first: int, last: int) -> str:
        """The operator's words from one token up to another."""
        return self.text[self.said[first].start : self.said[last - 1].end] if last > first else ""

    def named_at(self, last: int) -> bool:
        """A thing that was taken up is named right before this token."""
        return any(self.used[mark.first] for mark in self._ends.get(last, ()))

    def use(self, first: int, last: int) -> None:
        self.used[first:last] = b"\1" * (last - first)

    def free(self, first: int, last: int) -> bool:
        return not any(self.used[first:last])

    def tokens_between(self, start: int, end: int) -> tuple[int, int]:
        """The numbers of the tokens that stand within a stretch of the text."""
        first = bisect_left(self._starts, start)
        return first, max(bisect_left(self._starts, end), first)

    def marks_in(self, first: int, last: int) -> list[Mark]:
        low = bisect_left(self.marks, first, key=lambda mark: mark.first)
        high = bisect_left(self.marks, last, key=lambda mark: mark.first)
        return self.marks[low:high]

    def of_fact(self, name: str, first: int, last: int) -> list[Mark]:
        """Labels and choices of a fact within some tokens, from left to right."""
        marks = self._by_fact.get(name, [])
        low = bisect_left(marks, first, key=lambda mark: mark.first)
        high = bisect_left(marks, last, key=lambda mark: mark.first)
        return marks[low:high]

    def is_open(self, first: int, last: int) -> bool:
        """Nothing was made of these tokens, but that they may name a thing."""
        return 1 not in self.used[first:last]

    def says_more(self, first: int, last: int) -> bool:
        """Not all of these tokens name a thing, and nothing else was made of them."""
        return 1 not in self.used[first:last] and 0 in self.used[first:last]

    def name_thing(self, first: int, last: int) -> None:
        """These tokens name a thing; a label may share them: `database called shop`."""
        for i in range(first, last):
            self.used[i] = self.used[i] or 2

    def leave(self, first: int, last: int) -> None:
        """These tokens are of something that is only spoken of: nothing is read from them."""
        self.denied[first:last] = b"\1" * (last - first)

    def sentence(self, number: int) -> tuple[int, int]:
        """The sentence, or the line, that a token stands in."""
        first = number
        while first > 0 and self.said[first - 1].text not in STOPS:
            first -= 1
        last = number
        while last < len(self.said) and self.said[last].text not in STOPS:
            last += 1
        return first, last

    def _deny_before(self) -> None:
        """`port 443 is not needed`: what stands before it in its clause."""
        for mark in self.marks:
            if mark.does("denied_after"):
                first = mark.first
                while first > 0 and self.said[first - 1].text not in STOPS and not self.is_text(first - 1, ","):
                    first -= 1
                self.denied[first : mark.last] = b"\1" * (mark.last - first)

    def _leave_out(self) -> None:
        """What is said of a thing of before (`the current server has only 2 cores`) is not asked for."""
        for mark in self.marks:
            if not mark.does("former") or self.denied[mark.first]:
                continue
            after = self.token(mark.last)
            if after is None or after.kind != "word" or self.at(mark.last).names("fact"):
                continue
            last, depth = mark.last, 0
            listed = self.is_text(mark.last + 1, ":")
            while last < len(self.said) and self.said[last].text not in STOPS:
                depth += self.is_text(last, "(") - self.is_text(last, ")")
                if depth < 0 or (depth == 0 and self.is_text(last, ",") and not listed):
                    break
                last += 1
            self.denied[mark.first : last] = b"\1" * (last - mark.first)

    def _deny(self) -> None:
        """What is denied reaches from its word to the end of the clause, or to a word that affirms."""
        for mark in self.marks:
            if not mark.does("deny") or self.denied[mark.first] or self.is_text(mark.last, ",", "\n", "."):
                continue  # `no, 300 connections` corrects; it denies nothing that follows.
            if mark.does("affirm"):
                continue
            last = mark.last
            while last < len(self.said) and self.said[last].text not in STOPS and not self.is_text(last, ",", "(", ")"):
                if self.is_text(last, "/") and not self.said[last].glued:
                    break
                if (
                    self.at(last).does("affirm")
                    and not self.at(last).does("deny")
                    and last > mark.last
                    and not self.at(last).does("change")
                ):
                    break
                last += 1
            self.denied[mark.first : last] = b"\1" * (last - mark.first)


def _in_numbers(said: tuple[Token, ...], words: Lexicon) -> tuple[Token, ...]:
    """A language's own words for numbers and units, as the numbers and sizes that they are."""
    found: list[Token] = []
    for token in said:
        before = found[-1] if found else None
        if token.kind == "word" and token.text in words.numbers and not (before and before.kind == "number"):
            token = token._replace(kind="number", value=float(words.numbers[token.text]))
        elif token.kind == "word" and token.text in words.sizes and before and before.kind == "number":
            size_bytes = quantities.size_bytes(f"1 {words.sizes[token.text]}") or 0
            found[-1] = Token("size", f"{before.text} {token.text}", before.start, token.end, before.value * size_bytes, before.glued)
            continue
        found.append(token)
    return tuple(found)


def _joined(said: tuple[Token, ...], mentions: list[Mark]) -> list[Mark]:
    """`PostgreSQL 16 database server` names one thing: the first of the words that says more than what it stands on."""
    found: list[Mark] = []
    for mark in mentions:
        if mark.last < len(said) and said[mark.last].glued and said[mark.last].kind == "word" and said[mark.last - 1].kind == "word":
            continue  # `db-vault` is a name
        before = found[-1] if found else None
        gap = range(before.last, mark.first) if before else range(0)
        if before and len(gap) <= 1 and all(said[i].kind == "number" for i in gap):
            first, second = (before, mark) if not before.names("body") else (mark, before)
            shared = first.meanings & second.meanings
            found[-1] = Mark(before.first, mark.last, shared or first.meanings)
        else:
            found.append(mark)
    return found


def _unglued(token: Token, words: Lexicon) -> tuple[Token, ...]:
    """`vlan20` and `debian12` are a word and its number; `4c` is four cores."""
    if token.kind != "name" or not token.text.isalnum():
        return (token,)
    letters = token.text.rstrip("0123456789")
    digits = token.text[len(letters) :]
    if not digits or not letters.isalpha() or not words.joins(letters):
        return (token,)
    middle = token.start + len(letters)
    return (
        Token("word", letters, token.start, middle, glued=token.glued),
        Token("number", digits, middle, token.end, float(digits), glued=True),
    )
