"""A message as the passes of the reader see it: its tokens, what they mean, what is denied, and what has been made use of."""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.rules.hearing.tokens import Token, tokens
from tools.rules.hearing.words import Catalogue, Lexicon, Mark, language_of, lexicon

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
    _at: list[Mark] = field(default_factory=list)

    @classmethod
    def of(cls, text: str, cleaned: str, catalogue: Catalogue) -> Scene:
        said = tokens(cleaned)
        words = lexicon(catalogue, language_of(said))
        said = tuple(part for token in said for part in _unglued(token, words))
        scene = cls(
            text, said, words, catalogue, words.marks(said), _joined(said, words.mentions(said)), bytearray(len(said)), bytearray(len(said))
        )
        scene._at = [NONE] * len(said)
        for mark in scene.marks:
            scene._at[mark.first : mark.last] = [mark] * (mark.last - mark.first)
        scene._deny()
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

    def use(self, first: int, last: int) -> None:
        self.used[first:last] = b"\1" * (last - first)

    def free(self, first: int, last: int) -> bool:
        return not any(self.used[first:last])

    def tokens_between(self, start: int, end: int) -> tuple[int, int]:
        """The numbers of the tokens that stand within a stretch of the text."""
        first = next((i for i, token in enumerate(self.said) if token.start >= start), len(self.said))
        last = next((i for i in range(first, len(self.said)) if self.said[i].start >= end), len(self.said))
        return first, last

    def sentence(self, number: int) -> tuple[int, int]:
        """The sentence, or the line, that a token stands in."""
        first = number
        while first > 0 and self.said[first - 1].text not in STOPS:
            first -= 1
        last = number
        while last < len(self.said) and self.said[last].text not in STOPS:
            last += 1
        return first, last

    def _deny(self) -> None:
        """What is denied reaches from its word to the end of the clause, or to a word that affirms."""
        for mark in self.marks:
            if not mark.does("deny") or self.denied[mark.first] or self.is_text(mark.last, ",", "\n", "."):
                continue  # `no, 300 connections` corrects; it denies nothing that follows.
            if mark.does("affirm"):
                continue
            last = mark.last
            while last < len(self.said) and self.said[last].text not in STOPS and not self.is_text(last, ",", "(", ")"):
                if (
                    self.at(last).does("affirm")
                    and not self.at(last).does("deny")
                    and last > mark.last
                    and not self.at(last).does("change")
                ):
                    break
                last += 1
            self.denied[mark.first : last] = b"\1" * (last - mark.first)


def _joined(said: tuple[Token, ...], mentions: list[Mark]) -> list[Mark]:
    """`PostgreSQL 16 database server` names one thing: the first of the words that says more than what it stands on."""
    found: list[Mark] = []
    for mark in mentions:
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
