"""What words mean to the reader: a dictionary made from what capabilities declare and from one data file a language (lexicon/*.toml). It
knows no product and decides nothing; a word may mean several things, and the sentence tells which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache, cached_property, lru_cache
from typing import Literal, NamedTuple

from tools.rules.hearing.lexicon import ENGLISH, language, others
from tools.rules.hearing.tokens import Token, tokens
from tools.rules.names.text import fold
from tools.values.wanted import Listed, Wanted

MeaningKind = Literal["service", "fact", "choice", "does", "wish", "body", "unit", "part", "relation"]
COUNTED = ("count", "memory", "disk", "volume")
PLACED = ("network", "node", "text", "name")
WORD_LENGTH_MAX = 24
"""Letters of a word that are looked at for what it begins with."""


Catalogue = Mapping[str, Listed]


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
        return any(kind in self.meanings.by_kind for kind in kinds)

    def facts(self, capability: str) -> tuple[str, ...]:
        """Those that this capability has the word for."""
        return tuple(sorted({one.name for one in self.meanings if one.kind == "fact" and one.value == capability}))

    def choices(self, fact: str) -> tuple[str, ...]:
        return tuple(sorted({one.value for one in self.meanings if one.kind == "choice" and one.name == fact}))


@lru_cache(maxsize=65536)
def same(word: str) -> str:
    """A word and its plural are one."""
    abbreviated = len(word) == 3 and not any(vowel in word for vowel in "aeiouy")  # `vms`
    return word[:-1] if (len(word) > 3 or abbreviated) and word.endswith("s") and not word.endswith("ss") else word


Phrases = dict[str, dict[tuple[str, ...], Meanings]]
"""By their first word."""
NO_PHRASES: dict[tuple[str, ...], Meanings] = {}


class Lexicon:
    def __init__(self, catalogue: Catalogue, tongue: str) -> None:
        english, theirs = language(ENGLISH), language(tongue) if tongue != ENGLISH else {}
        self.language = tongue
        self.bodies = frozenset(map(same, english["body"]["words"]))
        """What a service runs on."""
        self.plain = max(catalogue, key=lambda name: sum(same(word) in self.bodies for word in catalogue[name].WORDS))
        """The capability that is nothing but what the others stand on: most of its words are words for that."""
        self.bodies |= {word for word in theirs.get("words", {}).get("vm", ()) if not word.endswith("*")}
        self.filling = frozenset(same(word) for one in (english, theirs) if one for word in one["filling"]["words"].split())
        self.numbers: dict[str, int] = {fold(word): number for word, number in theirs.get("numbers", {}).items()}
        self.sizes = {word: unit for one in (english, theirs) if one for unit, words in one["sizes"].items() for word in words}
        """A language's own words for numbers, and for the units of sizes."""
        self.short: dict[str, str] = english["short"]
        """What a letter means straight behind a number."""
        self.glued = frozenset(english["glued"]["before"])
        self.roles = frozenset(map(same, english["roles"]["words"]))
        """What machines are called by, though some capability counts such things."""
        self.ordinals = {word: n for n, word in enumerate(english["lists"]["ordinals"][:-1])} | {english["lists"]["ordinals"][-1]: -1}
        self.ordinary: dict[str, dict[str, list[str]]] = english["ordinary"]
        """Words for a choice that are others behind or before these."""
        wanted = [(able, one) for able in catalogue.values() for one in able.WANTED]
        self.counting = {one.name for _, one in wanted if one.kind in COUNTED}
        self.placing = {one.name for _, one in wanted if one.kind in PLACED}
        """Facts whose value is a name or a number of its own: it counts nothing that follows."""
        self.alone = {one.name: able.NAME for able, one in wanted if one.alone}
        """Choices that ask for their capability by themselves, such as an application."""
        self.makes = {able.NAME: list(_makes(able)) for able in catalogue.values()}
        """Of a capability, the choices that are its own name."""
        self._phrases: Phrases = {}
        self._services: Phrases = {}
        meant = self._meant(catalogue, wanted)
        for english_word, words in theirs.get("words", {}).items():
            for word in words:
                meant.setdefault(fold(word), set()).update(meant.get(english_word, ()))
        for word, meanings in meant.items():
            self._put(word, meanings)
        labels = (word for word in meant if word.isalpha() and len(word) >= 4)
        self._labels = sorted(word for word in labels if any(one.kind == "fact" or one.name == "os" for one in meant[word]))

    @staticmethod
    def _meant(catalogue: Catalogue, wanted: Iterable[tuple[Listed, Wanted]]) -> dict[str, set[Meaning]]:
        english, meant = language(ENGLISH), dict[str, set[Meaning]]()

        def add(meaning: Meaning, words: Iterable[str]) -> None:
            for word in words:
                meant.setdefault(word.lower(), set()).add(meaning)

        kinds: dict[MeaningKind, str] = {"does": "does", "wish": "wish", "unit": "units", "relation": "relation"}
        for kind, table in kinds.items():
            for name, words in english[table].items():
                add(Meaning(kind, name), words)
        add(Meaning("body", ""), english["body"]["words"])
        add(Meaning("part", ""), english["parted"]["words"])
        for able in catalogue.values():
            add(Meaning("service", able.NAME), able.WORDS)
        for able, one in wanted:
            if one.words:
                add(Meaning("wish" if one.kind == "wish" else "fact", one.name, able.NAME), (one.name.replace("_", " "), *one.words))
            for value, spelled in one.choices:
                add(Meaning("choice", one.name, value), spelled or (value,))
        for word, like in english["alike"].items():
            for other in like:
                meant.setdefault(other, set()).update(meant.get(word, ()))
        return meant

    def _put(self, phrase: str, meanings: set[Meaning]) -> None:
        """A star at the end stands for any ending: such a phrase is kept by what it begins with."""
        words = [token.text for token in tokens(phrase.rstrip("*"))]
        if not words or not meanings:
            return
        key = (*map(same, words[:-1]), words[-1] + "*" if phrase.endswith("*") else same(words[-1]))
        services = {one for one in meanings if one.kind in ("service", "body")}
        for phrases, more in ((self._phrases, meanings - services), (self._services, services)):
            if any(one.kind != "body" for one in more):
                known = phrases.setdefault(key[0], {})
                known[key] = Meanings(known.get(key, frozenset()) | more)

    def marks(self, said: Sequence[Token]) -> list[Mark]:
        """The longest phrase at each place, from left to right, none in another: of facts, choices, wishes, and what builds a sentence."""
        return self._find(said, self._phrases)

    def mentions(self, said: Sequence[Token], marks: Iterable[Mark]) -> list[Mark]:
        """Where services are named, likewise; not within the name of an application: `SQL Server 2022`, `GitLab Redis`."""
        named = [mark for mark in marks if any(one.kind == "choice" and one.name in self.alone for one in mark.meanings)]
        found = (mark for mark in self._find(said, self._services) if mark.names("service"))
        return [mark for mark in found if not any(one.first <= mark.first and mark.last <= one.last for one in named)]

    def _find(self, said: Sequence[Token], phrases: Phrases) -> list[Mark]:
        found, at = list[Mark](), 0
        words = [same(token.text) if token.kind in ("word", "name", "mark") else token.text for token in said]
        while at < len(said):
            known = phrases.get(words[at], NO_PHRASES)
            fits = [(len(p), m) for p, m in known.items() if len(p) == 1 or (words[at + 1 : at + 2] and _fit(p, said, words, at))]
            if not fits and self.language != ENGLISH and said[at].kind == "word":
                begun = (said[at].text[:k] + "*" for k in range(min(len(said[at].text), WORD_LENGTH_MAX), 1, -1))
                fits = [(1, phrases[one][(one,)]) for one in begun if phrases.get(one, {}).get((one,))][:1]
            if fits:
                length, meanings = max(fits, key=lambda fit: fit[0])
                found.append(Mark(at, at + length, meanings))
            at = found[-1].last if fits else at + 1
        return found

    def is_body(self, text: str) -> bool:
        return same(text) in self.bodies

    def joins(self, letters: str) -> bool:
        """A number may stand behind this word without a blank: `vlan20`, `debian12`."""
        meant = (phrases.get(same(letters), {}).get((same(letters),), ()) for phrases in (self._phrases, self._services))
        return letters in self.glued or any(one.kind in ("choice", "service") for meanings in meant for one in meanings)

    def mend(self, token: Token) -> Token:
        """`coers` and `netwrk` are cores and network: a word that nothing is known of, and that one slip makes of a label."""
        text, word = token.text, same(token.text)
        known = word in self._phrases or word in self.filling or word in self._services
        if token.kind != "word" or not 4 <= len(text) <= WORD_LENGTH_MAX or self.language != ENGLISH or known:
            return token
        mended = [one for one in self._labels if one[0] == text[0] and sorted(one) == sorted(text)]
        if not mended and len(text) >= 6:
            near = [one for one in self._labels if len(one) >= 6 and one[0] == text[0]]
            mended = get_close_matches(text, near, n=1, cutoff=0.83)
        return token._replace(text=mended[0]) if mended else token

    def fills(self, token: Token) -> bool:
        """It asks for nothing by itself."""
        return same(token.text) in self.filling


def _makes(able: Listed) -> Iterator[tuple[str, str]]:
    for one in able.WANTED:
        words = set(able.WORDS)
        ours = next((value for value, spelled in one.choices if {value.lower(), *spelled} & words), "") if one.kind == "choice" else ""
        if ours:
            yield one.name, ours


def _fit(phrase: tuple[str, ...], said: Sequence[Token], words: Sequence[str], at: int) -> bool:
    if len(phrase) > 2 and phrase[1] != words[at + 1]:
        return False
    last = at + len(phrase) - 1
    if last < len(said) and len(phrase) > 1 and phrase[-1].endswith("*"):
        return tuple(words[at:last]) == phrase[:-1] and said[last].text.startswith(phrase[-1][:-1])
    return tuple(words[at : last + 1]) == phrase


@cache
def _own(tongue: str) -> frozenset[str]:
    """Words by which a language is known, and none that English has."""
    if tongue == ENGLISH:
        return frozenset(language(ENGLISH)["filling"]["words"].split())
    theirs = language(tongue)
    words = {word.rstrip("*") for several in theirs["words"].values() for word in several} | set(theirs["filling"]["words"].split())
    return frozenset(words - _own(ENGLISH))


@lru_cache(maxsize=65536)
def _tongues(word: str) -> tuple[str, ...]:
    """The languages that a word, or what it begins with, is known of."""
    begun = {word, *(word[:k] for k in range(4, min(len(word), WORD_LENGTH_MAX)))}
    return tuple(one for one in (ENGLISH, *others()) if not _own(one).isdisjoint({word} if one == ENGLISH else begun))


def language_of(said: Sequence[Token]) -> str:
    """The language that most of the words are of; English where none has more."""
    count = Counter(tongue for token in said if token.kind == "word" for tongue in _tongues(token.text))
    return max((ENGLISH, *others()), key=lambda tongue: count[tongue])


_LEXICONS: dict[tuple[int, str], tuple[Catalogue, Lexicon]] = {}


def lexicon(catalogue: Catalogue, tongue: str = ENGLISH) -> Lexicon:
    """Made once for a catalogue and a language."""
    key = (id(catalogue), tongue)
    if key not in _LEXICONS or _LEXICONS[key][0] is not catalogue:
        _LEXICONS[key] = (catalogue, Lexicon(catalogue, tongue))
    return _LEXICONS[key][1]
