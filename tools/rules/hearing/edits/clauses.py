"""Clauses of a message that take something away: courtesy, a verb, and what goes, by name or by number: `remove web-02 and web-03`, `one
worker less`, `two of the web servers can go`. What comes of them is tools.rules.hearing.edits.taking's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tools.rules.hearing.groups.heads import machines_of
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.words.able import COUNT
from tools.rules.hearing.words.counting import counted_by, how_many
from tools.rules.hearing.words.meanings import Mark, same
from tools.values.request import Item, Request

LISTING = ("-", "*", "•")
JOINS = (",", "&", "+")
NAMED = ("name", "quoted", "word")
VETOES = ("deny", "keep", "because")
"""What words do that hold a clause back when they stand beside it in its sentence."""
LEAD_MAX = 5
"""Small words before a noun."""
OUT_MAX = 12
"""Tokens of `take … out of …`."""
WAYS_MAX = 40
"""Of which one is asked."""


class Going(NamedTuple):
    """A machine, by its name; all of an item; or some, where `fact` counts how many are `left`."""

    item: str
    machine: str = ""
    fact: str = ""
    left: int = 0


Ways = tuple[Going, ...]
"""Of one thing that goes, the ways to understand which."""


class Clause(NamedTuple):
    """Tokens `first` up to `last` take something away."""

    first: int
    last: int
    going: tuple[Ways, ...]
    recounts: bool = False
    """It says how many stay."""
    bare: bool = False
    """It says so by a figure alone, which may be another one: `make it 120`."""
    stays: bool = False
    """What it speaks of cannot be done, so that nothing else is read from it."""

    def of_sure_machines(self) -> Clause:
        """Without what may be one machine or another: of that it is asked which, and nobody chooses."""
        return self._replace(going=tuple(ways for ways in self.going if len(ways) == 1 or not any(one.machine for one in ways)))


def clauses(scene: Scene, request: Request) -> list[Clause]:
    """Those that take something away, from left to right."""
    parser, found, at = _Parser(scene, request), list[Clause](), 0
    while request.items and at < len(scene.said):
        begins = scene.breaks(at - 1, "join")
        clause = parser.clause(at) if begins else None
        found += [clause] if clause else []
        at = clause.last if clause else at + 1
    return [one for one in found if not _is_held_back(scene, one, found)]


def _is_held_back(scene: Scene, clause: Clause, found: Sequence[Clause]) -> bool:
    """Something else in its sentence denies it, asks, or says when it would be; or what follows takes it back."""
    begin, end = scene.sentence(clause.first)
    inside = {i for one in found for i in range(one.first, one.last)}
    no = scene.does(begin, "deny") and scene.is_text(begin + 1, ",")  # `no, remove web-02`
    beside = [i for i in range(begin + no, end) if i not in inside]
    beside = [i for i in beside if not _is_reason(scene, i)]
    held = any(scene.does(i, *VETOES) or scene.is_listed(i, "conditions") or (scene.does(i, "mends") and i > begin) for i in beside)
    asks = scene.is_text(end, "?") and not scene.does(begin, "polite")
    after = range(end + 1, len(scene.said))
    return held or asks or any(scene.does(i, "mends") or (scene.does(i, "deny") and scene.stops(i - 1)) for i in after)


def _is_reason(scene: Scene, number: int) -> bool:
    """`…, we don't need it`, `…, we won't use it`: why it goes."""
    begin = number
    while scene.does(begin - 1, "deny"):
        begin -= 1
    last = scene.at(number).last
    last += not scene.does(last, "them")
    return scene.is_listed(begin - 1, "deciders") and scene.breaks(begin - 2) and scene.does(last, "them") and scene.breaks(last + 1)


class _Noun(NamedTuple):
    last: int
    meant: tuple[tuple[Item, str], ...]
    """Items, each with the fact that counts what is meant of it; empty where nothing counts it."""
    any_machine: bool = False
    """It is only a word for a machine."""


@dataclass(frozen=True)
class _Said:
    """An object of a clause, up to token `last`."""

    last: int
    ways: tuple[Ways, ...] = ()
    """Of things that go whole, or by their names."""
    number: int = 0
    meant: tuple[tuple[Item, str], ...] = ()
    any_machine: bool = False


class _Parser:
    def __init__(self, scene: Scene, request: Request) -> None:
        self.scene, self.items, self.words = scene, request.items, scene.words
        self.machines: dict[str, tuple[str, str]] = {}
        """(the item's label, the group) of each machine that has a name."""
        for item in request.items:
            groups = scene.known.built.get(item.label, {})
            self.machines |= dict.fromkeys(machines_of(item), (item.label, ""))
            self.machines |= {name.lower(): (item.label, group) for group, names in groups.items() for name in names}

    def clause(self, first: int) -> Clause | None:
        begin = self._courtesy(self.scene.skip(first, len(self.scene.said), texts=LISTING))
        forms = (self._out_of, self._verb_around, self._verb_first, self._verb_last, self._fewer, self._lowered, self._recounted)
        return next((one for form in forms if (one := form(first, begin))), None)

    # The forms of a clause.

    def _out_of(self, first: int, begin: int) -> Clause | None:
        """`take web-02 out of the load balancer`: it is to leave that and to go on. Nothing can do that, so it is told."""
        scene = self.scene
        last = next((i for i in range(begin, begin + OUT_MAX) if scene.breaks(i)), begin + OUT_MAX)
        out = scene.find(begin, last, "out", "off") if scene.is_listed(begin, "lifting") else None
        if out is None or out == begin + 1:
            return None
        return Clause(first, last, (), stays=True)

    def _verb_first(self, first: int, begin: int) -> Clause | None:
        """`remove web-02 and the redis`, `drop one worker`."""
        if not self.scene.does(begin, "take_away"):
            return None
        last, ways = self._several(self.scene.skip(self.scene.at(begin).last, len(self.scene.said), texts=("only", "just")))
        clause = self._closed(first, last, ways)
        return clause if clause and not self._goes_on(self._courtesy(last, "parting")) else None

    def _verb_around(self, first: int, begin: int) -> Clause | None:
        """`leave mq-3 out`."""
        last, ways = self._several(begin + 1) if self.scene.is_listed(begin, "separable") else (begin, ())
        return self._closed(first, last + 1, ways) if ways and self.scene.is_listed(last, "out") else None

    def _verb_last(self, first: int, begin: int) -> Clause | None:
        """`web-02 can go`, `web-02 löschen`."""
        last, ways = self._several(begin)
        gone = self.scene.does(last, "goes", "take_away") and not self.scene.does(last, "deny")  # `the web servers don't need`
        return self._closed(first, self.scene.at(last).last, ways) if gone else None

    def _fewer(self, first: int, begin: int) -> Clause | None:
        """`one worker less`, `make it two fewer web servers`, `one worker too many`."""
        scene = self.scene
        said = self._object(scene.skip(begin, len(scene.said), "ask_for", "change", "them", most=LEAD_MAX))
        if said is None or not said.number or not scene.does(said.last, "less", "too_many"):
            return None
        last = scene.at(said.last).last
        behind = None if said.meant else self._object(last, said.number)  # `one less worker`
        left = self._left(behind or said)
        clause = self._closed(first, behind.last if behind else last, (left or (Going(""),),))
        return clause if left or clause is None else clause._replace(going=())

    def _lowered(self, first: int, begin: int) -> Clause | None:
        """`shrink it by one worker`, `reduce the workers by two`."""
        scene = self.scene
        what = self._changed(begin) if scene.is_listed(begin, "lowering") else None
        said = self._object(what.last + 1) if what and scene.does(what.last, "by") else None
        if what is None or said is None or not said.number:
            return None
        return self._closed(first, said.last, (self._left(said if said.meant else _Said(said.last, (), said.number, what.meant)),))

    def _recounted(self, first: int, begin: int) -> Clause | None:
        """`make it 3 web servers`, `scale the workers to 2`."""
        scene, what = self.scene, self._changed(begin)
        said = self._object(scene.skip(what.last, len(scene.said), "to", texts=("down", "only", "just"))) if what else None
        if what is None or said is None or not said.number or (what.meant and not scene.any_does(what.last, said.last, "to")):
            return None
        meant = said.meant or tuple((item, fact) for item, fact in what.meant if self._how_many(item, fact) > 1)
        of_all = tuple((item, fact) for item in self.items for fact in self.words.able[item.capability].counts)
        if meant and not all(fact for _, fact in meant):
            return None  # what nothing counts does not go as a whole
        counted = meant if meant and not said.any_machine else of_all
        clause = self._closed(first, said.last, (tuple(Going(item.label, "", fact, said.number) for item, fact in counted),))
        return clause and clause._replace(recounts=True, bare=not (said.meant or what.meant))

    def _changed(self, begin: int) -> _Said | None:
        """What a verb changes: `it`, or a thing."""
        scene = self.scene
        if not scene.is_listed(begin, "resizing"):
            return None
        at = scene.skip(scene.at(begin).last, len(scene.said), texts=("down",))
        if scene.does(at, "them") or scene.does(at, "to"):
            return _Said(scene.at(at).last if scene.does(at, "them") else at)  # `reduce it to 3`, `scale down to 3`
        what = self._object(at)
        return what if what and not what.number else None

    def _closed(self, first: int, last: int, ways: tuple[Ways, ...]) -> Clause | None:
        """Nothing but courtesy stands behind it, up to where a clause ends."""
        end = self._courtesy(last, "parting")
        closes = self.scene.breaks(end, "join")
        return Clause(first, last, ways) if ways and all(ways) and closes else None

    def _goes_on(self, end: int) -> bool:
        """`remove web-02 and the password`: something more goes, and it is not understood what."""
        at = self.scene.skip(end, len(self.scene.said), "join", texts=JOINS)
        return at > end and (self.scene.does(at, "owned") or self._object(at) is not None or self.scene.mention_at(at) is not None)

    def _courtesy(self, at: int, words: str = "courtesy") -> int:
        scene = self.scene
        while scene.does(at, "polite") or scene.is_listed(at, words):
            at = scene.at(at).last if scene.does(at, "polite") else at + 1
        return at

    # What goes.

    def _several(self, at: int) -> tuple[int, tuple[Ways, ...]]:
        """(the token behind them, what goes), of objects with commas and an `and` between them."""
        ways, last = list[Ways](), at
        while said := self._object(at):
            ways += said.ways or [self._left(said) if said.meant and said.number else ()]
            last = said.last
            at = self.scene.skip(last, len(self.scene.said), "join", texts=JOINS)
            if at == last:
                break
        return last, self._as_wholes(ways)

    def _as_wholes(self, ways: Sequence[Ways]) -> tuple[Ways, ...]:
        """Whose machines are all named goes as a whole."""
        named = {one.machine for each in ways if len(each) == 1 for one in each}
        left = {label for name, (label, _) in self.machines.items() if name not in named}
        wholes = (tuple(one if not one.machine or one.item in left else Going(one.item) for one in each) for each in ways)
        return tuple(dict.fromkeys(wholes))

    def _object(self, at: int, number: int = 0) -> _Said | None:
        """`web-02`, `the web servers web-02 and web-03`, `two of the web servers`, `all web servers but web-01`, `the redis`."""
        scene, every = self.scene, False
        for _ in range(LEAD_MAX):
            value = scene.token(at).value if scene.kind(at) == "number" else float(scene.is_listed(at, "single"))
            every = every or scene.is_listed(at, "everything")
            small = scene.does(at, "owned") or scene.is_listed(at, "everything") or (scene.is_listed(at, "of") and (number or every))
            if value and not number and value == int(value):
                number = int(value)
            elif not small:
                break
            at += 1
        noun = self._noun(at)
        last = noun.last if noun else at
        last += noun is not None and scene.does(last, "called")
        names, end = self._names(last)
        if every and noun and (scene.is_text(last, "but") or scene.does(last, "except")):
            kept, end = self._names(scene.at(last).last)
            labels = {item.label for item, _ in noun.meant}
            names = [name for name, (label, _) in self.machines.items() if label in labels and name not in kept] if kept else []
        if names:
            return self._named(names, end, noun)
        if noun is None or number:
            return _Said(last, (), number, *(noun[1:] if noun else ())) if number else None
        return _Said(last, self._whole(noun, every), 0, noun.meant)

    def _named(self, names: Sequence[str], last: int, noun: _Noun | None) -> _Said | None:
        """Of machines that are numbered within a group the last goes first."""
        labels = {self.machines[name][0] for name in names}
        if noun and not noun.any_machine and not labels <= {item.label for item, _ in noun.meant}:
            return None
        places = {name: n for n, (name, (_, group)) in enumerate(self.machines.items()) if group}
        ordered = sorted(names, key=lambda name: -places.get(name, 0))
        return _Said(last, tuple((Going(self.machines[name][0], name),) for name in ordered))

    def _names(self, at: int) -> tuple[list[str], int]:
        """Machines that are called by their names, one behind the other; and the token behind them."""
        scene, found, end = self.scene, list[str](), at
        while at < len(scene.said) and scene.kind(at) in NAMED and (name := scene.unquoted(at).lower()) in self.machines:
            hangs = scene.is_text(at + 1, "'", "’") and scene.is_listed(at + 2, "endings")  # `web-02'yi`
            found, end = [*found, name], at + 1 + 2 * hangs
            at = scene.skip(end, len(scene.said), "join", texts=JOINS)
            if at == end:
                break
        return found, end

    def _noun(self, at: int) -> _Noun | None:
        scene, able = self.scene, self.words.able
        if at >= len(scene.said):
            return None
        mention, called = scene.mention_at(at), scene.unquoted(at).lower()
        label = next((item for item in self.items if item.label == called), None)
        if label and label.label not in self.machines and not mention:
            return _Noun(at + 1, ((label, ""),))
        kinds = ((item, name) for item in self.items for name in scene.at(at).facts(item.capability) if name != COUNT)
        if counted := tuple((item, name) for item, name in kinds if name in able[item.capability].counts):
            return _Noun(scene.at(at).last, counted)
        mine = self._of_service(mention.names("service")) if mention else ()
        if mention and mine and not self._is_any_machine(mention):
            own = mention.names("service")
            return _Noun(mention.last, tuple((item, self._alike(item) or ("" if item.capability in own else COUNT)) for item in mine))
        if scene.is_body(at) or (mention and mention.names("body")):
            return _Noun(mention.last if mention else at + 1, self._countable(), any_machine=True)
        return None

    def _of_service(self, services: Sequence[str]) -> list[Item]:
        """Those of it, else those that stand in its place: `the database`, of a database cluster."""
        like = [one for one in self.items if any(one.capability in self.words.instead.get(name, ()) for name in services)]
        return [item for item in self.items if item.capability in services] or like

    def _is_any_machine(self, mention: Mark) -> bool:
        """`server`, beside web servers; a `VM` is nothing but a machine of its own."""
        own = self.scene.is_listed(mention.last - 1, "own_machine") or self.scene.is_listed(mention.first, "own_machine")
        others = any(item.capability != self.words.plain for item in self.items)
        return bool(mention.names("body")) and others and not own

    def _alike(self, item: Item) -> str:
        """The fact that counts machines that are all alike; empty where there are several kinds."""
        able = self.words.able[item.capability]
        return COUNT if COUNT in able.counts and not able.parts else ""

    def _countable(self) -> tuple[tuple[Item, str], ...]:
        """Whatever there are several machines of."""
        counts = ((item, fact) for item in self.items for fact in self.words.able[item.capability].parts or (self._alike(item),) if fact)
        return tuple((item, fact) for item, fact in counts if self._how_many(item, fact) > 1)

    def _how_many(self, item: Item, fact: str) -> int:
        return (how_many(item, fact, self.words.able[item.capability], self.scene.known.built) if fact else None) or 0

    def _counted_by(self, item: Item, fact: str) -> str:
        return counted_by(item, fact, self.words.able[item.capability], self.scene.known.built)

    def _whole(self, noun: _Noun, every: bool) -> tuple[Ways, ...]:
        """The item that a noun means all of; none where one of several may be meant, or some of its machines."""
        items = {item.label: item for item, _ in noun.meant}
        spoken = self.scene.token(noun.last - 1).text
        is_one = spoken == same(spoken)
        if noun.any_machine and is_one and not every and (machines := self._one_of(items.values())):
            return (machines,)
        if len(items) != 1 or noun.any_machine or any(fact not in ("", COUNT) for _, fact in noun.meant):
            return ((),)
        [(label, item)] = items.items()
        several = self._alike(item) and self._how_many(item, COUNT) > 1
        whole = every or not several or spoken in (label, same(label)) or not is_one
        return ((Going(label),) if whole else self._one_of([item]),)

    def _one_of(self, items: Collection[Item]) -> Ways:
        """`the web server`, of several: it is asked which, where they have names."""
        labels = {item.label for item in items if self._alike(item)}
        named = tuple(Going(label, name) for name, (label, group) in self.machines.items() if label in labels and not group)
        return named[:WAYS_MAX] if len(labels) == len(items) else ()

    def _left(self, said: _Said) -> Ways:
        """How many there are when so many are gone, of each that it may be of."""
        counted = ((item, self._counted_by(item, fact)) for item, fact in said.meant or self._countable() if fact)
        left = {(item.label, fact): self._how_many(item, fact) - said.number for item, fact in counted}
        ways = tuple(Going(label, "", fact, number) for (label, fact), number in left.items() if number >= 1)
        vague = (said.any_machine or not said.meant) and len(self.items) > 1
        return () if vague and len(ways) == 1 else ways  # `one machine less`: of one that is alone, too, perhaps
