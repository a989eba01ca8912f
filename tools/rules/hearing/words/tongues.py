"""Which language a message is in: the one that most of its words are of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, lru_cache

from tools.rules.hearing.lexicon import ENGLISH, language, others
from tools.rules.hearing.tokens.cutting import Token
from tools.rules.hearing.words.meanings import WORD_LENGTH_MAX
from tools.rules.names.text import fold


@cache
def _own(tongue: str) -> frozenset[str]:
    """Words by which a language is known, and none that English has."""
    if tongue == ENGLISH:
        return frozenset(language(ENGLISH)["filling"]["words"].split())
    theirs = language(tongue)
    words = {word.rstrip("*") for several in theirs["words"].values() for word in several} | set(theirs["filling"]["words"].split())
    words |= {fold(word) for word in theirs["numbers"]}
    ours = language(ENGLISH)
    shared = {word for table in ("wish", "units", "parted", "body") for several in ours[table].values() for word in several}
    return frozenset(words - _own(ENGLISH) - shared)


@lru_cache(maxsize=65536)
def _tongues(word: str) -> tuple[str, ...]:
    """The languages that a word, or what it begins with, is known of."""
    begun = {word, *(word[:k] for k in range(4, min(len(word), WORD_LENGTH_MAX)))}
    return tuple(one for one in (ENGLISH, *others()) if not _own(one).isdisjoint({word} if one == ENGLISH else begun))


@lru_cache(maxsize=1024)
def _measures(word: str) -> tuple[str, ...]:
    """The languages that this is a unit of sizes in."""
    return tuple(one for one in others() if any(word in words for words in language(one)["sizes"].values()))


def language_of(said: Sequence[Token], knows: Callable[[str], bool], before: str = "") -> str:
    """The language that most of the words are of, its units behind a number among them; English where none has more, empty where none
    has any. `knows`: whether a word means something
    by itself, and tells no other language; `before`: the language of what was typed earlier, where two have as many."""
    count: Counter[str] = Counter()
    for n, token in enumerate(said):
        tongues = (_measures(token.text) if n and said[n - 1].kind == "number" else ()) or _tongues(token.text)
        if token.kind == "word" and (ENGLISH in tongues or not knows(token.text)):
            for tongue in tongues:
                count[tongue] += 1
    return max((ENGLISH, *others()), key=lambda tongue: (count[tongue], tongue == before)) if count else before
