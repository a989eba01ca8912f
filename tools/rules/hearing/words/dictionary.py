"""What words mean to the reader: a dictionary made from what capabilities declare and from one data file a language (lexicon/*.toml). It
knows no product and decides nothing; a word may mean several things, and the sentence tells which."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from functools import lru_cache

from tools.rules.hearing.lexicon import ENGLISH, language
from tools.rules.hearing.tokens.cutting import Token, tokens
from tools.rules.hearing.words.able import COUNT, Able
from tools.rules.hearing.words.meanings import WORD_LENGTH_MAX, WORDS_MAX, Mark, Meaning, MeaningKind, Phrases, same
from tools.rules.names.text import fold
from tools.values.wanted import Kind, Listed, Wanted

COUNTED = (COUNT, "memory", "disk", "volume")
PLACED = ("network", "node", "storage", "text", "name")
SHORT_LENGTH_MAX = 3
"""Letters of a word for a service that machines are numbered by."""
MENDED = ("environment",)
"""Choices whose longer words are mended: `developement`."""
Catalogue = Mapping[str, Listed]


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
        self.endings = frozenset(theirs.get("lists", {}).get("endings", ()))
        """What a language hangs on a word, behind an apostrophe."""
        self.short: dict[str, str] = english["short"]
        """What a letter means straight behind a number."""
        self.glued = frozenset(english["glued"]["before"])
        self.roles = frozenset(map(same, english["roles"]["words"]))
        """What machines are called by, though some capability counts such things."""
        self.adjectives_first: bool = language(tongue)["order"]["adjectives_first"]
        """So that a word behind a noun tells no more of it, and may be its name."""
        self.ordinals = {word: n for n, word in enumerate(english["lists"]["ordinals"][:-1])} | {english["lists"]["ordinals"][-1]: -1}
        self.ordinary: dict[str, dict[str, list[str]]] = english["ordinary"]
        """Words for a choice that are others behind or before these."""
        wanted = [(able, one) for able in catalogue.values() for one in able.WANTED]
        self.counting = {one.name for _, one in wanted if one.kind in COUNTED}
        self.placing = {one.name for _, one in wanted if one.kind in PLACED}
        """Facts whose value is a name or a number of its own: it counts nothing that follows."""
        self.alone = {one.name: able.NAME for able, one in wanted if one.alone}
        """Choices that ask for their capability by themselves, such as an application."""
        names = {one.name for _, one in wanted}
        self.recounting = {one.name for _, one in wanted if one.same_as == COUNT}
        """Facts that count machines another way: of what has no such fact, `replicas: 3` are three of it."""
        self.versioned = {value for _, one in wanted if f"{one.name}_version" in names for value, _ in one.choices}
        """Choices that a version may stand behind."""
        self.makes = {able.NAME: list(_makes(able)) for able in catalogue.values()}
        """Of a capability, the choices that are its own name."""
        self.able = {able.NAME: Able(able.WANTED) for able in catalogue.values()}
        """Of a capability, its facts."""
        self.systems = frozenset(name for name, able in self.able.items() if able.parts or any(one.same_as == COUNT for one in able.wanted))
        """Capabilities that are several machines."""
        self.anywhere = {able.NAME: Able([one for one in able.WANTED if not one.only_in]) for able in catalogue.values()}
        """Those that mean something wherever it stands."""
        self.instead: dict[str, dict[str, dict[str, Kind]]] = {}
        """Of a capability, those that are meant by it where one of their facts is told, by the name and the kind of these."""
        for able, one in wanted:
            for other in one.instead_of:
                self.instead.setdefault(other, {}).setdefault(able.NAME, {})[one.name] = one.kind
        self.places = tuple({one.name for _, one in wanted if one.place})
        self._phrases, self._services = Phrases(), Phrases()
        self._spelled: set[str] = set()
        """Words of which phrases are made."""
        meant = self._meant(catalogue, wanted)
        for english_word, words in theirs.get("words", {}).items():
            for word in words:
                meant.setdefault(fold(word), set()).update(meant.get(english_word, ()))
        for word, meanings in meant.items():
            self._put(word, meanings)
            whole = word.replace(" ", "")  # `diskspace`
            if whole.isalpha() and whole not in meant and any(one.kind == "fact" for one in meanings):
                self._put(whole, meanings)
        self._phrases.sort()
        self._services.sort()
        labels = (word for word in meant if word.isalpha() and len(word) >= 4)
        mended = ("os", "with")
        self._labels = sorted(
            word
            for word in labels
            if any(one.kind == "fact" or one.name in (*mended, *(MENDED if len(word) >= 6 else ())) for one in meant[word])
        )
        self._named = sorted({word for able in catalogue.values() for word in able.WORDS if word.isalpha() and len(word) >= 5})
        self._mended = lru_cache(maxsize=WORDS_MAX)(self._mend)

    @staticmethod
    def _meant(catalogue: Catalogue, wanted: Sequence[tuple[Listed, Wanted]]) -> dict[str, set[Meaning]]:
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
            pairs = (name.split() for other in catalogue.values() if other is not able for name in other.WORDS)
            shared = {word for pair in pairs if len(pair) == 2 for word in pair}.intersection(able.WORDS)
            for word in shared:
                add(Meaning("category", same(word)), (word,))  # `database`, of `mariadb database`
        for able, one in wanted:
            if one.words:
                add(Meaning("wish" if one.kind == "wish" else "fact", one.name, able.NAME), (one.name.replace("_", " "), *one.words))
            for value, spelled in one.choices:
                add(Meaning("choice", one.name, value), spelled or (value,))
        for word, like in english["alike"].items():
            for other in like:
                meant.setdefault(other, set()).update(meant.get(word, ()))
        alone = {one.name for _, one in wanted if one.alone}
        for meanings in meant.values():
            if any(one.kind == "service" for one in meanings):
                # An application that is a service of its own is no longer one that is left to be installed.
                meanings -= {one for one in meanings if one.kind == "choice" and one.name in alone}
        return meant

    def _put(self, phrase: str, meanings: set[Meaning]) -> None:
        words = [token.text for token in tokens(phrase.rstrip("*"))]
        if not words or not meanings:
            return
        key = (*map(same, words[:-1]), words[-1] + "*" if phrase.endswith("*") else same(words[-1]))
        self._spelled.update(key)
        services = {one for one in meanings if one.kind in ("service", "body", "category")}
        for phrases, more in ((self._phrases, meanings - services), (self._services, services)):
            if any(one.kind not in ("body", "category") for one in more):
                phrases.put(key, more)

    def marks(self, said: Sequence[Token]) -> list[Mark]:
        """The longest phrase at each place, from left to right, none in another: of facts, choices, wishes, and what builds a sentence."""
        return list(self._phrases.find(said))

    def mentions(self, said: Sequence[Token], marks: Sequence[Mark], there: AbstractSet[str] = frozenset()) -> list[Mark]:
        """Where services are named, likewise; not within the name of an application (`SQL Server 2022`, `GitLab Redis`), nor of a group of
        machines that one has (`3 application machines`), be it said in this message or `there` already."""
        found = [mark for mark in self._services.find(said) if mark.names("service")]
        services = {name for mark in found for name in mark.names("service")}
        named = [(mark.first, mark.last) for mark in marks if self._is_name(mark, services)]
        of_there = [(mark.first, mark.last) for mark in marks if self._is_name(mark, there)]
        of_wishes = [(mark.first, mark.last) for mark in marks if mark.has("wish")]  # a `web application firewall`
        led = {mark.last for mark in marks if mark.does("article", "owned")} | {
            n + 1 for n, token in enumerate(said) if token.kind == "number"
        }
        whole = (mark for mark in marks if mark.names("choice") and mark.last - mark.first > 1 and mark.first not in led)
        of_wishes += [(mark.first, mark.last) for mark in whole]  # `OS: Ubuntu Server`, and not `two Ubuntu servers`

        def is_within(mark: Mark) -> bool:
            longer = (span for span in (*of_there, *of_wishes) if span != (mark.first, mark.last))
            return any(first <= mark.first and mark.last <= last for first, last in (*named, *longer))

        return [mark for mark in found if not is_within(mark)]

    def _is_name(self, mark: Mark, services: Container[str]) -> bool:
        counts = any(one.kind == "fact" and one.value in services and one.name in self.able[one.value].parts for one in mark.meanings)
        return counts or not self.alone.keys().isdisjoint(mark.names("choice"))

    def service(self, phrase: str) -> str:
        """The capability that is called so; empty where none is."""
        return next((name for mark in self._services.find(tokens(phrase)) for name in mark.names("service")), "") if phrase else ""

    def is_thing(self, text: str) -> bool:
        """The whole of it names a service."""
        said = tokens(text)
        return any(
            mark.names("service") and mark.last - mark.first == len(said) and not mark.names("body") for mark in self._services.find(said)
        )

    def is_body(self, text: str) -> bool:
        return same(text) in self.bodies

    def joins(self, letters: str) -> bool:
        """A number may stand behind this word without a blank: `vlan20`, `debian12`; `db01` is a name."""
        meant = (phrases.alone.get(same(letters), ()) for phrases in (self._phrases, self._services))
        kinds = ("choice", "service") if len(letters) > SHORT_LENGTH_MAX or self.is_body(letters) else ("choice",)
        # A number behind a place makes another one of it: `eastus2`.
        return letters in self.glued or any(one.kind in kinds and one.name not in self.places for meanings in meant for one in meanings)

    def has_version(self, letters: str) -> bool:
        """A version may stand behind this word with a hyphen: `debian-12`."""
        return any(one.value in self.versioned for one in self._phrases.alone.get(same(letters), ()) if one.kind == "choice")

    def mend(self, token: Token) -> Token:
        """`coers` and `netwrk` are cores and network: a word that nothing is known of, and that one slip makes of a label."""
        if token.kind != "word" or self.language != ENGLISH:
            return token
        mended = self._mended(token.text)
        return token if mended == token.text else token._replace(text=mended)

    def _mend(self, text: str) -> str:
        word = same(text)
        if not 4 <= len(text) <= WORD_LENGTH_MAX or word in self._spelled or word in self.filling:
            return text
        mended = [one for one in self._labels if one[0] == text[0] and sorted(one) == sorted(text)]
        slips = (one for one in self.filling if len(one) >= 6 and one[0] == text[0] and sorted(one) == sorted(text))
        mended = mended or [one for one in slips if one != text][:1]  # a `vritual` machine has no role
        if not mended and len(text) >= 6:
            near = [one for one in self._labels if len(one) >= 6 and one[0] == text[0]]
            mended = get_close_matches(text, near, n=1, cutoff=0.83)
            mended = mended or get_close_matches(text, [one for one in self._named if one[0] == text[0]], n=1, cutoff=0.9)
        return mended[0] if mended else text

    def joins_days(self, text: str) -> bool:
        """`7 December to 18 December`, `14.–18. Dezember`."""
        between = fold(text).strip(" .")
        meant = self._phrases.alone.get(between)
        return between in ("-", "–") or (meant is not None and not meant.verbs.isdisjoint(("to", "until")))

    def knows(self, text: str) -> bool:
        """A word that means something by itself: `ram` and `hostname` tell no other language."""
        word = same(text)
        return word in self._phrases.alone or word in self._services.alone

    def fills(self, token: Token) -> bool:
        """It asks for nothing by itself."""
        return same(token.text) in self.filling


def _makes(able: Listed) -> Iterator[tuple[str, str]]:
    for one in able.WANTED:
        words = set(able.WORDS)
        ours = next((value for value, spelled in one.choices if {value.lower(), *spelled} & words), "") if one.kind == "choice" else ""
        if ours:
            yield one.name, ours


_LEXICONS: dict[tuple[int, str], tuple[Catalogue, Lexicon]] = {}


def lexicon(catalogue: Catalogue, tongue: str = ENGLISH) -> Lexicon:
    """Made once for a catalogue and a language."""
    key = (id(catalogue), tongue)
    if key not in _LEXICONS or _LEXICONS[key][0] is not catalogue:
        _LEXICONS[key] = (catalogue, Lexicon(catalogue, tongue))
    return _LEXICONS[key][1]
