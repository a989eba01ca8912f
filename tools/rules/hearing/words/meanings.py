"""What words mean to the reader: values, and phrases that are found among tokens. Which words there are is told in
tools.rules.hearing.words.dictionary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

from tools.rules.hearing.lexicon import listed
from tools.rules.hearing.tokens.cutting import Token

MeaningKind = Literal["service", "fact", "choice", "does", "wish", "body", "unit", "part", "relation", "category"]
TOLD = ("fact", "choice", "does", "wish", "relation")
WORD_LENGTH_MAX = 24
"""Letters of a word that are looked at for what it begins with."""
WORDS_MAX = 8_192
"""That are remembered: as mended, or by what they begin with."""


class Meaning(NamedTuple):
    kind: MeaningKind
    name: str
    """Of the capability, the fact, the kind of wish, or what the word does."""
    value: str = ""
    """Of a choice; of a fact, the capability that has this word for it."""


class Meanings(frozenset[Meaning]):
    """Of one word."""

    @cached_property
    def verbs(self) -> frozenset[str]:
        """What it does in a sentence."""
        return frozenset(self.by_kind.get("does", ()))

    @cached_property
    def told(self) -> frozenset[str]:
        """The facts and choices that it is a word for, what it does, and whether it is a word for a wish or a relation."""
        return frozenset(one.kind if one.kind in ("wish", "relation") else one.name for one in self if one.kind in TOLD)

    @cached_property
    def by_owner(self) -> dict[str, tuple[str, ...]]:
        """The facts that it is a word for, by capability."""
        owners = {one.value for one in self if one.kind == "fact"}
        return {owner: tuple(sorted({one.name for one in self if one.kind == "fact" and one.value == owner})) for owner in owners}

    @cached_property
    def by_kind(self) -> dict[MeaningKind, tuple[str, ...]]:
        kinds = {one.kind for one in self}
        return {kind: tuple(sorted({one.name for one in self if one.kind == kind})) for kind in kinds}


class Mark(NamedTuple):
    """Tokens `first` up to `last` mean something."""

    first: int
    last: int
    meanings: Meanings

    def does(self, *names: str) -> bool:
        return not self.meanings.verbs.isdisjoint(names)

    def names(self, kind: MeaningKind) -> tuple[str, ...]:
        return self.meanings.by_kind.get(kind, ())

    def has(self, *kinds: MeaningKind) -> bool:
        return not self.meanings.by_kind.keys().isdisjoint(kinds)

    def facts(self, capability: str) -> tuple[str, ...]:
        """Those that this capability has the word for."""
        return self.meanings.by_owner.get(capability, ())

    def choices(self, fact: str) -> tuple[str, ...]:
        if "choice" not in self.meanings.by_kind:
            return ()
        return tuple(sorted({one.value for one in self.meanings if one.kind == "choice" and one.name == fact}))


@lru_cache(maxsize=65536)
def same(word: str) -> str:
    """A word and its plural are one."""
    if word in listed("singular"):
        return word
    if word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    abbreviated = len(word) == 3 and not any(vowel in word for vowel in "aeiouy")  # `vms`
    return word[:-1] if (len(word) > 3 or abbreviated) and word.endswith("s") and not word.endswith("ss") else word


class Phrases:
    """Words and rows of words with what they mean. A star at the end stands for any ending."""

    def __init__(self) -> None:
        self.alone: dict[str, Meanings] = {}
        self.stems: dict[str, Meanings] = {}
        """By what they begin with."""
        self.longer: dict[str, dict[str, dict[tuple[str, ...], Meanings]]] = {}
        """By the first and the second word, which may be only a star."""
        self.stem = lru_cache(maxsize=WORDS_MAX)(self._stem)

    def put(self, phrase: tuple[str, ...], meanings: set[Meaning]) -> None:
        last = phrase[-1]
        if len(phrase) == 1:
            table, key = (self.stems, last[:-1]) if last.endswith("*") else (self.alone, last)
            table[key] = Meanings(table.get(key, frozenset()) | meanings)
            return
        known = self.longer.setdefault(phrase[0], {}).setdefault("*" if phrase[1].endswith("*") else phrase[1], {})
        known[phrase] = Meanings(known.get(phrase, frozenset()) | meanings)

    def sort(self) -> None:
        """So that the longest phrase is found first."""
        for by_second in self.longer.values():
            for second, known in by_second.items():
                by_second[second] = dict(sorted(known.items(), key=lambda one: -len(one[0])))

    def find(self, said: Sequence[Token]) -> Iterator[Mark]:
        """The longest phrase at each place, from left to right, none in another."""
        words, at = tuple(same(token.text) if token.kind in ("word", "name", "mark") else token.text for token in said), 0
        while at < len(words):
            by_second, length = self.longer.get(words[at]), 1
            longest = _longest(by_second, said, words, at) if by_second else None
            meant = longest[1] if longest else self.alone.get(words[at])
            if longest:
                length = len(longest[0])
            elif meant is None and self.stems and said[at].kind == "word":
                meant = self.stem(said[at].text)
            if meant is not None:
                yield Mark(at, at + length, meant)
            at += length

    def _stem(self, text: str) -> Meanings | None:
        """Of what a word begins with."""
        begun = (text[:k] for k in range(min(len(text), WORD_LENGTH_MAX), 0, -1))
        return next((self.stems[one] for one in begun if one in self.stems), None)


def _longest(
    by_second: Mapping[str, dict[tuple[str, ...], Meanings]], said: Sequence[Token], words: tuple[str, ...], at: int
) -> tuple[tuple[str, ...], Meanings] | None:
    """The longest phrase that stands here, and what it means."""
    after = words[at + 1] if at + 1 < len(words) else ""
    several = (known for second in (after, "*") if (known := by_second.get(second)))
    return next(((phrase, meant) for known in several for phrase, meant in known.items() if _fits(phrase, said, words, at)), None)


def _fits(phrase: tuple[str, ...], said: Sequence[Token], words: tuple[str, ...], at: int) -> bool:
    last = at + len(phrase) - 1
    if last < len(words) and phrase[-1].endswith("*"):
        return words[at:last] == phrase[:-1] and said[last].text.startswith(phrase[-1][:-1])
    return words[at : last + 1] == phrase
