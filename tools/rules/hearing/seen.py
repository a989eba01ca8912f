"""A message by its tokens: what stands where, what they mean, and what has been made of them. What is denied is told in
tools.rules.hearing.scene."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from tools.rules.hearing.known import NOTHING_KNOWN, Known
from tools.rules.hearing.lexicon import listed
from tools.rules.hearing.tokens.cutting import Token
from tools.rules.hearing.words.dictionary import Catalogue, Lexicon
from tools.rules.hearing.words.meanings import Mark, Meanings, same

STOPS = frozenset((*".!?;\n", ""))
NONE = Mark(0, 0, Meanings())
NOTHING = Token("", "", 0, 0)
MARGIN = 64
"""Tokens and marks beyond either end of a message, where there is nothing."""
NAMES_A_THING = ASKED = 2
CLAUSE_MAX = 12
"""Tokens on either side of what is taken back."""
QUANTITIES = ("number", "size", "money")
FIGURES = (*QUANTITIES, "address", "port")


@dataclass
class Seen:
    text: str
    """As typed."""
    said: tuple[Token, ...]
    words: Lexicon
    catalogue: Catalogue
    marks: list[Mark]
    mentions: list[Mark]
    used: bytearray
    """Of each token, whether something was made of it; `NAMES_A_THING`: it only tells what things are spoken of."""
    denied: bytearray
    """Of each token, whether nothing is read from it; `ASKED`: it is of a question among orders, which takes nothing back."""
    settled: bytearray
    """Of each token, whether what it says is so without anything being made of it: `one vm`."""
    known: Known = NOTHING_KNOWN
    latest: frozenset[str] = frozenset()
    """The labels of the items that the last message changed."""
    recent: frozenset[tuple[str, str]] = frozenset()
    """What it set: (the label of an item or nothing, the name of a fact)."""
    asked: frozenset[str] = frozenset()
    """The facts that are asked for, of whichever item."""
    spoken_of: frozenset[str] = frozenset()
    """The capabilities that are named, and the one of plain machines."""
    _at: list[Mark] = field(default_factory=list)
    _tokens: tuple[Token, ...] = ()
    _starts: list[int] = field(default_factory=list)
    _sentences: list[tuple[int, int]] = field(default_factory=list)
    _ends: dict[int, Mark] = field(default_factory=dict)
    _by_kind: dict[tuple[str, ...], list[int]] = field(default_factory=dict)
    _by_name: dict[str, list[Mark]] = field(default_factory=dict)
    _by_owner: dict[str, list[Mark]] = field(default_factory=dict)

    # What stands where.

    def at(self, number: int) -> Mark:
        """The mark that a token stands in."""
        return self._at[number]

    def token(self, number: int) -> Token:
        return self._tokens[number]

    def kind(self, number: int) -> str:
        return self._tokens[number].kind

    def does(self, number: int, *names: str) -> bool:
        return not self._at[number].meanings.verbs.isdisjoint(names)

    def facts(self, number: int) -> set[str]:
        """Those of what is spoken of that the word there is a label of."""
        return {name for one in self.spoken_of for name in self._at[number].facts(one)}

    def is_text(self, number: int, *texts: str) -> bool:
        return self._tokens[number].text in texts

    def is_listed(self, number: int, *names: str) -> bool:
        """One of the words of a list of the lexicon's."""
        return self._tokens[number].text in listed(*names)

    @staticmethod
    def is_empty(text: str) -> bool:
        """A value that says nothing: `n/a`."""
        return text in listed("empty")

    def stops(self, number: int) -> bool:
        """A sentence ends here, or the message."""
        return self._tokens[number].text in STOPS

    def breaks(self, number: int, *does: str, signs: tuple[str, ...] = ()) -> bool:
        """A part of a sentence ends here or begins behind it: a stop, a comma, one of these signs, or a word that does this."""
        return self.stops(number) or self.is_text(number, ",", *signs) or self.does(number, *does)

    def fills(self, number: int) -> bool:
        return self.words.fills(self.token(number))

    def is_plain_word(self, number: int) -> bool:
        """Nothing is known of it."""
        return self.kind(number) == "word" and not self.at(number).meanings and not self.fills(number)

    def is_body(self, number: int) -> bool:
        return self.kind(number) == "word" and same(self.token(number).text) in self.words.bodies

    def mention_at(self, first: int) -> Mark | None:
        return next((mark for mark in self.mentions if mark.first == first), None)

    def mention_before(self, last: int) -> Mark | None:
        return self._ends.get(last)

    def named_at(self, last: int) -> bool:
        """A thing that was taken up is named right before this token."""
        return last in self._ends and bool(self.used[self._ends[last].first])

    # Stretches.

    def quote(self, first: int, last: int) -> str:
        """The operator's words from one token up to another."""
        return self.text[self.said[first].start : self.said[last - 1].end] if last > first else ""

    def unquoted(self, number: int) -> str:
        return self.quote(number, number + 1).strip("\"'`“”").strip()

    def tokens_between(self, start: int, end: int) -> tuple[int, int]:
        """The numbers of the tokens that stand within a stretch of the text."""
        first = bisect_left(self._starts, start)
        return first, max(bisect_left(self._starts, end), first)

    def where(self, quote: str) -> tuple[int, int]:
        """The tokens of a quote, where it stands first."""
        start = max(self.text.find(quote), 0)
        return self.tokens_between(start, start + len(quote))

    def chunk(self, number: int, length: int) -> int:
        """The token behind so many letters."""
        return self.tokens_between(self.said[number].start, self.said[number].start + length)[1]

    def marks_in(self, first: int, last: int, name: str = "") -> list[Mark]:
        """Those that begin within some tokens, from left to right; of one name, as marks_of has them."""
        return _within(self.marks_of(name) if name else self.marks, first, last)

    def marks_of(self, name: str) -> list[Mark]:
        """Of a fact its labels and choices, of what words do those that do it, of a kind (`wish`, `relation`) those that have it."""
        return self._by_name.get(name, [])

    def labels_in(self, first: int, last: int, capability: str) -> list[Mark]:
        """Those that a capability has for facts of its own."""
        return _within(self._by_owner.get(capability, []), first, last)

    def of_kind(self, first: int, last: int, *kinds: str) -> list[int]:
        """The tokens of these kinds among some, from left to right."""
        if not self._by_kind:
            for i, token in enumerate(self.said):
                self._by_kind.setdefault((token.kind,), []).append(i)
        known = self._by_kind.get(kinds)
        if known is None:
            known = self._by_kind[kinds] = sorted(i for kind in kinds for i in self._by_kind.get((kind,), ()))
        return known[bisect_left(known, first) : bisect_left(known, last)]

    def quantities(self, first: int, last: int) -> list[int]:
        """The numbers, sizes and sums among some tokens."""
        return self.of_kind(first, last, *QUANTITIES)

    def figures(self) -> list[int]:
        """Whatever says how much, how many or which one in digits."""
        return self.of_kind(0, len(self.said), *FIGURES)

    def any_listed(self, first: int, last: int, *names: str) -> bool:
        return any(self.is_listed(i, *names) for i in range(max(first, 0), last))

    def any_does(self, first: int, last: int, *names: str) -> bool:
        return any(not mark.meanings.verbs.isdisjoint(names) for mark in self._at[max(first, 0) : last])

    def corrects(self, first: int, last: int) -> bool:
        """A word there takes back what was said before it, or answers it."""
        return (
            self.find(first, last, "?") is not None
            or self.any_does(first, last, "mends", "deny", "instead", "affirm", "prefer", "change")
            or any(self.denied[first:last])
        )

    def has(self, first: int, last: int, *kinds: str) -> bool:
        """Tokens of these kinds stand there."""
        return bool(self.of_kind(max(first, 0), last, *kinds))

    def find(self, first: int, last: int, *texts: str) -> int | None:
        """The first of these signs or words."""
        return next((i for i in range(first, min(last, len(self.said))) if self.said[i].text in texts), None)

    def skip(self, number: int, last: int, *does: str, texts: tuple[str, ...] = (), most: int = 99) -> int:
        """Past signs and small words."""
        end = min(number + most, last)
        while number < end and (self.is_text(number, *texts) or self.does(number, *does)):
            number += 1
        return number

    def sentence(self, number: int) -> tuple[int, int]:
        """The sentence, or the line, that a token stands in."""
        if not self._sentences:
            begin = 0
            for end in [*(i for i in range(len(self.said)) if self.stops(i)), len(self.said)]:
                self._sentences += [(begin, end)] * (end + 1 - begin)
                begin = end + 1
            self._sentences += [(i, i) for i in range(begin, len(self.said) + MARGIN - 1)] + [(-1, -1)]
        return self._sentences[number]

    def in_brackets(self, number: int) -> bool:
        texts = [token.text for token in self.said[self.sentence(number)[0] : number]]
        return texts.count("(") > texts.count(")")

    def introduces(self, number: int) -> bool:
        """A new thing is named there, right behind its article or its number."""
        first = self.skip(number, len(self.said), "article", most=2)
        first += first == number and self.kind(number) == "number"
        return first > number and any(first <= mark.first <= first + 1 for mark in self.mentions)

    def clause(self, number: int) -> int:
        """Where the clause begins that a token stands in."""
        while not self.stops(number - 1) and not self.is_text(number - 1, ","):
            number -= 1
        return number

    def takes_back(self, mark: Mark) -> bool:
        """`no replicas`, `drop the load balancer`: that alone, and no value of it, in its clause, which is a short one."""
        first, last = mark.first, mark.last
        while mark.first - first < CLAUSE_MAX and not self.stops(first - 1) and not self.is_text(first - 1, ",", "("):
            first -= 1
        while last - mark.last < CLAUSE_MAX and not self.stops(last) and not self.is_text(last, ",", ")"):
            last += 1
        behind = range(mark.last, last)
        alone = not any(self.at(i).has("service", "choice", "wish", "fact") or self.kind(i) != "word" for i in behind)
        removing = next((i for i in reversed(range(first, mark.first)) if self.does(i, "remove")), None)
        removed = removing is not None and not self.any_does(self.at(removing).last, mark.first, "affirm", "ask_for")
        gone = self.denied[mark.first] or removed or self.any_does(mark.last, last, "remove")
        return alone and bool(gone) and not self.has(first, mark.first, *QUANTITIES) and self.free(mark.first, mark.last)

    def denied_from(self, number: int) -> int:
        """Where the denial begins that a token stands in."""
        while number > 0 and self.denied[number - 1]:
            number -= 1
        return number

    # What was made of them.

    def use(self, first: int, last: int) -> None:
        self.used[first:last] = b"\1" * (last - first)

    def settle(self, first: int, last: int) -> None:
        self.use(first, last)
        self.settled[first:last] = b"\1" * (last - first)

    def free(self, first: int, last: int) -> bool:
        return not any(self.used[first:last])

    def is_left(self, number: int) -> bool:
        """Neither used nor denied."""
        return not self.used[number] and not self.denied[number]

    def left(self, first: int, last: int) -> Iterator[int]:
        used, denied = self.used, self.denied
        return (i for i in range(first, last) if not used[i] and not denied[i])

    def is_open(self, first: int, last: int) -> bool:
        """Nothing was made of these tokens, but that they may name a thing."""
        return 1 not in self.used[first:last]

    def says_more(self, first: int, last: int) -> bool:
        """Not all of these tokens name a thing, and nothing else was made of them."""
        return self.is_open(first, last) and 0 in self.used[first:last]

    def name_thing(self, first: int, last: int) -> None:
        """These tokens name a thing; a label may share them: `database called shop`."""
        for i in range(first, last):
            self.used[i] = self.used[i] or NAMES_A_THING
        self.settled[first:last] = b"\1" * (last - first)

    def leave(self, first: int, last: int, how: int = 1) -> None:
        """These tokens are of something that is only spoken of, or `ASKED` about: nothing is read from them."""
        self.denied[first:last] = bytes([how]) * (last - first)


def _within(marks: list[Mark], first: int, last: int) -> list[Mark]:
    if not marks:
        return marks
    low = bisect_left(marks, (first,))
    return marks[low : bisect_left(marks, (last,), low)]
