"""What words mean to the reader: a dictionary made from what capabilities declare and from one data file a language (lexicon/*.toml). It
knows no product and decides nothing; a word may mean several things, and the sentence tells which."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple, Protocol

from tools.rules.hearing.tokens import Token, tokens
from tools.rules.names.text import fold
from tools.values.wanted import Wanted

MeaningKind = Literal["service", "fact", "choice", "does", "wish", "body", "unit", "part", "relation"]
ENGLISH = "en"
WORD_LENGTH_MAX = 24
"""Letters of a word that are looked at for what it begins with."""


class Listed(Protocol):
    """What hearing needs of a capability."""

    @property
    def NAME(self) -> str: ...
    @property
    def WORDS(self) -> tuple[str, ...]: ...
    @property
    def WANTED(self) -> tuple[Wanted, ...]: ...


Catalogue = Mapping[str, Listed]


class Meaning(NamedTuple):
    kind: MeaningKind
    name: str
    """Of the capability, the fact, the kind of wish, or what the word does."""
    value: str = ""
    """Of a choice; of a fact, the capability that has this word for it."""


class Mark(NamedTuple):
    """Tokens `first` up to `last` mean something."""

    first: int
    last: int
    meanings: frozenset[Meaning]

    def does(self, *names: str) -> bool:
        return not _does(self.meanings).isdisjoint(names)

    def names(self, kind: MeaningKind) -> tuple[str, ...]:
        return _names(self.meanings, kind)

    def facts(self, capability: str) -> tuple[str, ...]:
        """Those that this capability has the word for."""
        return tuple(sorted({one.name for one in self.meanings if one.kind == "fact" and one.value == capability}))

    def choices(self, fact: str) -> tuple[str, ...]:
        return tuple(sorted({one.value for one in self.meanings if one.kind == "choice" and one.name == fact}))


@lru_cache(maxsize=4096)
def _does(meanings: frozenset[Meaning]) -> frozenset[str]:
    return frozenset(one.name for one in meanings if one.kind == "does")


@lru_cache(maxsize=16384)
def _names(meanings: frozenset[Meaning], kind: MeaningKind) -> tuple[str, ...]:
    return tuple(sorted({one.name for one in meanings if one.kind == kind}))


@lru_cache(maxsize=65536)
def same(word: str) -> str:
    """A word and its plural are one."""
    abbreviated = len(word) == 3 and not any(vowel in word for vowel in "aeiouy")  # `vms`
    return word[:-1] if (len(word) > 3 or abbreviated) and word.endswith("s") and not word.endswith("ss") else word


def _fit(phrase: tuple[str, ...], said: Sequence[Token], words: Sequence[str], at: int) -> bool:
    if phrase[-1].endswith("*") and len(phrase) > 1:
        last = at + len(phrase) - 1
        return last < len(said) and tuple(words[at:last]) == phrase[:-1] and said[last].text.startswith(phrase[-1][:-1])
    return tuple(words[at : at + len(phrase)]) == phrase


class Lexicon:
    """Phrases by their first word; the longest that fits is meant."""

    def __init__(self, catalogue: Catalogue, languages: Sequence[str]) -> None:
        english = _file(ENGLISH)
        self.language = languages[-1]
        bodies = frozenset(same(word) for word in english["body"]["words"])
        self.plain = max(catalogue, key=lambda name: sum(same(word) in bodies for word in catalogue[name].WORDS))
        """The capability that is nothing but what the others stand on: most of its words are words for that."""
        self.glued: frozenset[str] = frozenset(english["glued"]["before"])
        self.filling = frozenset(same(word) for word in english["filling"]["words"].split())
        self.numbers: dict[str, int] = {}
        self.sizes: dict[str, str] = {word: unit for unit, words in english["sizes"].items() for word in words}
        """A language's own words for numbers, and for the units of sizes."""
        self.short: dict[str, str] = english["short"]
        """What a letter means straight behind a number."""
        self.counting: set[str] = set()
        self.placing: set[str] = set()
        """Facts whose value is a name or a number of its own: it counts nothing that follows."""
        self.roles = frozenset(same(word) for word in english["roles"]["words"])
        """What machines are called by, though some capability counts such things."""
        self.ordinary: dict[str, dict[str, list[str]]] = english["ordinary"]
        """Words for a choice that are others behind or before these."""
        self.totals = frozenset(english["totals"]["words"])
        self.empty = frozenset(english["empty"]["words"])
        self.bodies = frozenset(same(word) for word in english["body"]["words"])
        """What a service runs on."""
        self.alone = frozenset(one.name for capability in catalogue.values() for one in capability.WANTED if one.alone)
        self._phrases: dict[str, dict[tuple[str, ...], set[Meaning]]] = {}
        self.starred = any(language != ENGLISH for language in languages)
        self._services: dict[str, dict[tuple[str, ...], set[Meaning]]] = {}
        meant: dict[str, set[Meaning]] = {}

        def add(meaning: Meaning, words: Iterable[str]) -> None:
            for word in words:
                meant.setdefault(word.lower(), set()).add(meaning)

        for name, words in english["does"].items():
            add(Meaning("does", name), words)
        for name, words in english["wish"].items():
            add(Meaning("wish", name), words)
        for name, words in english["units"].items():
            add(Meaning("unit", name), words)
        for name, words in english["relation"].items():
            add(Meaning("relation", name), words)
        add(Meaning("body", ""), english["body"]["words"])
        add(Meaning("part", ""), english["parted"]["words"])
        for capability in catalogue.values():
            add(Meaning("service", capability.NAME), capability.WORDS)
            for one in capability.WANTED:
                kind: MeaningKind = "wish" if one.kind == "wish" else "fact"
                add(Meaning(kind, one.name, capability.NAME), (one.name.replace("_", " "), *one.words) if one.words else ())
                self.counting |= {one.name} if one.kind in ("count", "memory", "disk", "volume") else set()
                self.placing |= {one.name} if one.kind in ("network", "node", "text", "name") else set()
                for value, spelled in one.choices:
                    add(Meaning("choice", one.name, value), spelled or (value,))
        for word, others_ in english["alike"].items():
            for other in others_:
                meant.setdefault(other, set()).update(meant.get(word, ()))
        for language in languages:
            if language == ENGLISH:
                continue
            theirs = _file(language)
            self.bodies |= {word for word in theirs["words"].get("vm", ()) if not word.endswith("*")}
            self.filling |= frozenset(same(word) for word in theirs["filling"]["words"].split())
            self.empty |= frozenset(theirs.get("empty", {}).get("words", ()))
            self.numbers |= {fold(word): number for word, number in theirs["numbers"].items()}
            self.sizes |= {word: unit for unit, words in theirs["sizes"].items() for word in words}
            for english_word, words in theirs["words"].items():
                for word in words:
                    meant.setdefault(fold(word), set()).update(meant.get(english_word, ()))
        for word, meanings in meant.items():
            self._put(word, meanings)
        self._labels = sorted(
            word
            for word, meanings in meant.items()
            if word.isalpha() and len(word) >= 4 and any(one.kind == "fact" or one.name == "os" for one in meanings)
        )

    def _put(self, phrase: str, meanings: set[Meaning]) -> None:
        """A star at the end stands for any ending: such a phrase is kept by what it begins with."""
        words = tuple(same(token.text) for token in tokens(phrase.rstrip("*")))
        services = {one for one in meanings if one.kind in ("service", "body")}
        if not words or not meanings:
            return
        if phrase.endswith("*"):
            words = (*words[:-1], tokens(phrase.rstrip("*"))[-1].text + "*")
        self._phrases.setdefault(words[0], {}).setdefault(words, set()).update(meanings - services)
        if any(one.kind == "service" for one in services):
            self._services.setdefault(words[0], {}).setdefault(words, set()).update(services)

    def marks(self, said: Sequence[Token]) -> list[Mark]:
        """The longest phrase at each place, from left to right, none in another: of facts, choices, wishes, and what builds a sentence."""
        return self._find(said, self._phrases)

    def mentions(self, said: Sequence[Token]) -> list[Mark]:
        """Where services are named, likewise; not within the name of an application: `SQL Server 2022`, `GitLab Redis`."""
        named = [mark for mark in self.marks(said) if any(one.kind == "choice" and one.name in self.alone for one in mark.meanings)]
        found = (mark for mark in self._find(said, self._services) if mark.names("service"))
        return [mark for mark in found if not any(one.first <= mark.first and mark.last <= one.last for one in named)]

    def _find(self, said: Sequence[Token], phrases: dict[str, dict[tuple[str, ...], set[Meaning]]]) -> list[Mark]:
        found: list[Mark] = []
        words = [same(token.text) if token.kind in ("word", "name", "mark") else token.text for token in said]
        at = 0
        while at < len(said):
            fits = [(len(p), m) for p, m in phrases.get(words[at], {}).items() if m and _fit(p, said, words, at)]
            if not fits and self.starred and said[at].kind == "word":
                begun = (said[at].text[:k] + "*" for k in range(min(len(said[at].text), WORD_LENGTH_MAX), 1, -1))
                fits = [(1, phrases[one][(one,)]) for one in begun if phrases.get(one, {}).get((one,))][:1]
            if fits:
                length, meanings = max(fits, key=lambda fit: fit[0])
                found.append(Mark(at, at + length, frozenset(meanings)))
                at += length
            else:
                at += 1
        return found

    def is_body(self, text: str) -> bool:
        return same(text) in self.bodies

    def joins(self, letters: str) -> bool:
        """A number may stand behind this word without a blank: `vlan20`, `debian12`."""
        known = (*self._phrases.get(same(letters), {}).items(), *self._services.get(same(letters), {}).items())
        meant = {one.kind for words, meanings in known if len(words) == 1 for one in meanings}
        return letters in self.glued or bool(meant & {"choice", "service"})

    def mend(self, token: Token) -> Token:
        """`coers` and `netwrk` are cores and network: a word that nothing is known of, and that one slip makes of a label."""
        text = token.text
        if token.kind != "word" or not 4 <= len(text) <= WORD_LENGTH_MAX or self.language != ENGLISH or same(text) in self._phrases:
            return token
        if same(text) in self.filling or same(text) in self._services:
            return token
        letters = sorted(text)
        mended = next((word for word in self._labels if word[0] == text[0] and sorted(word) == letters), "")
        if not mended and len(text) >= 6:
            near = get_close_matches(text, [word for word in self._labels if len(word) >= 6 and word[0] == text[0]], n=1, cutoff=0.83)
            mended = near[0] if near else ""
        return token._replace(text=mended) if mended else token

    def fills(self, token: Token) -> bool:
        """It asks for nothing by itself."""
        return same(token.text) in self.filling


@cache
def _file(language: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads(files(__package__).joinpath("lexicon", f"{language}.toml").read_text(encoding="utf-8"))


@cache
def others() -> tuple[str, ...]:
    found = (one.name.removesuffix(".toml") for one in files(__package__).joinpath("lexicon").iterdir() if one.name.endswith(".toml"))
    return tuple(sorted(set(found) - {ENGLISH}))


@cache
def _own(language: str) -> frozenset[str]:
    """Words by which a language is known, and none that English has."""
    theirs = _file(language)
    words = {word.rstrip("*") for several in theirs["words"].values() for word in several} | set(theirs["filling"]["words"].split())
    return frozenset(words - set(_file(ENGLISH)["filling"]["words"].split()))


def language_of(said: Sequence[Token]) -> str:
    """The language that most of the words are of; English where none has more."""
    words = [token.text for token in said if token.kind == "word"]
    english = set(_file(ENGLISH)["filling"]["words"].split())
    best, most = ENGLISH, sum(word in english for word in words)
    for language in others():
        own = _own(language)
        count = sum(word in own or any(word[:k] in own for k in range(4, min(len(word), WORD_LENGTH_MAX))) for word in words)
        if count > most:
            best, most = language, count
    return best


_LEXICONS: dict[tuple[int, str], tuple[Catalogue, Lexicon]] = {}


def lexicon(catalogue: Catalogue, language: str = ENGLISH) -> Lexicon:
    """Made once for a catalogue and a language."""
    key = (id(catalogue), language)
    if key not in _LEXICONS or _LEXICONS[key][0] is not catalogue:
        _LEXICONS[key] = (catalogue, Lexicon(catalogue, (ENGLISH, language)))
    return _LEXICONS[key][1]
