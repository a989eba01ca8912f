"""What a message is about: the things that it names, rows of tables, items of the request, one more of what there is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from tools.rules.hearing.assignment.cells import Cell
from tools.rules.hearing.assignment.stretch import Stretch
from tools.rules.hearing.assignment.thing import MACHINE_SIZES, Thing
from tools.rules.hearing.assignment.values import plain
from tools.rules.hearing.groups.grouping import Group
from tools.rules.hearing.groups.head import TIMES
from tools.rules.hearing.groups.roles import id_at
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.words.able import COUNT, Able
from tools.rules.hearing.words.counting import counted_by, how_many
from tools.rules.hearing.words.dictionary import Catalogue
from tools.rules.hearing.words.meanings import Mark
from tools.values.request import Fact, Item, Request
from tools.values.wanted import Wanted

FOR_MAX = 9
"""Tokens between the name of an application and the number of its users."""


@dataclass
class Message:
    """A message, what it may speak of, and the things that it is found to be about."""

    scene: Scene
    request: Request
    catalogue: Catalogue
    today: date
    asked: tuple[tuple[str, str], ...] = ()
    """(label of an item, fact) of the questions that are open."""
    things: list[Thing] = field(default_factory=list)
    common: Thing | None = None
    """What is said of all rows of a table."""
    remarks: tuple[int, ...] = ()
    """The tokens that titles and reasons begin with: they name what is asked for where nothing else does."""
    handed: str = ""
    """What a pasted file is handed to, which is meant where nothing else is."""

    def wanted(self, thing: Thing) -> tuple[Wanted, ...]:
        return self.catalogue[thing.capability].WANTED

    def wants(self, thing: Thing, fact: str) -> bool:
        return fact in self.scene.words.able[thing.capability].by_name

    def stretch(self, thing: Thing, first: int = 0, last: int | None = None) -> Stretch:
        last = len(self.scene.said) if last is None else last
        return Stretch(self.scene, first, last, thing.capability, self._able(thing), thing.found, self.today)

    def _able(self, thing: Thing) -> Able:
        """Without facts of a place that neither this message nor one before it says."""
        words = self.scene.words
        able, places = words.able[thing.capability], {one.only_in for one in self.wanted(thing)} - {""}
        if not places:
            return able
        said = self._places | {fact.value for name in words.places if (fact := self.before(thing, name)) is not None}
        return able if places <= said else words.anywhere[thing.capability]

    @cached_property
    def _places(self) -> AbstractSet[str]:
        """Those that the message names."""
        marks = (mark for mark in self.scene.marks if not self.scene.denied[mark.first])
        return {value for mark in marks for name in self.scene.words.places for value in mark.choices(name)}

    def before(self, thing: Thing, name: str) -> Fact | None:
        """What the request says already."""
        item = self.request.item(thing.label or thing.copied)
        own = item.fact(name) if item else None
        return own or next((fact for fact in self.request.shared if fact.name == name), None)

    def so_far(self, thing: Thing, name: str) -> str:
        """What it is without this message: as it was said, else as it is planned or made; empty where nobody knows."""
        before = self.before(thing, name)
        return before.value if before else self.scene.known.sizes.get(thing.label or thing.copied, {}).get(name, "")

    def of_all_rows(self) -> Thing:
        self.common = self.common or Thing(self.things[0].capability, "", False, "")
        return self.common

    def thing_of(self, item: Item) -> Thing:
        for thing in self.things:
            if thing.label == item.label and not thing.new:
                return thing
        self.things.append(Thing(item.capability, item.label, False, ""))
        return self.things[-1]

    def counted_at(self, capability: str, number: int) -> str:
        """The fact that counts what is named there, as one of several within a thing: `worker` of a cluster. Empty where none does."""
        counts = self.scene.words.able[capability].counts
        return next((name for name in self.scene.at(number).facts(capability) if name in counts and name != COUNT), "")

    def counted(self, thing: Thing, count: str) -> tuple[str, int | None]:
        """(the fact by which there are more or fewer of what this one counts, how many there are already; None where nobody knows)."""
        item = self.request.item(thing.label or thing.copied)
        if item is None:
            return count, None
        able, built = self.scene.words.able[item.capability], self.scene.known.built
        by = counted_by(item, count, able, built)
        return by, how_many(item, by, able, built)

    def counted_of(self, label: str) -> int | None:
        """How many machines an item has."""
        item = self.request.item(label)
        return how_many(item, COUNT, self.scene.words.able[item.capability], self.scene.known.built) if item else None

    # Things that are named.

    def make(self, found: Sequence[Group], cells: Sequence[Cell]) -> None:
        """A thing for each row and each group of words; where nothing is named, one for what asks for it by itself."""
        scene = self.scene
        self._make_rows(cells)
        rows = {thing.capability for thing in self.things}
        for group in found:
            if group.of is not None:
                group.thing = found[group.of].thing
            elif group.capability in rows and not self._is_sized_beside(group, cells):
                group.thing = -1  # `all VMs on network 21` speaks of the rows
            else:
                group.thing = len(self.things)
                self.things.append(self._thing(group))
        if (
            not self.things
            and not self.request.items
            and (thing := self.alone(cells) or self._served() or self._sized(cells) or self._hosted() or self._like_another())
        ):
            self.things.append(thing)
        if len(self.things) == 1 and self.things[0].new and (named := self._titled()):
            self.things[0].capability = named.names("service")[0]
            self.things[0].quote, self.things[0].said = scene.quote(named.first, named.last), (named.first, named.last)
        if not self.things and not self.request.items and self.handed:
            self.things.append(Thing(self.handed, "", True, scene.text.strip().split("\n")[0]))

    def _is_sized_beside(self, group: Group, cells: Sequence[Cell]) -> bool:
        """Its words say how large it is, and not only rows among them."""
        first = max(group.first, self.scene.sentence(group.head.first)[0])
        return any(
            not any(cell.first <= i < cell.last for cell in cells if cell.row) for i in self.scene.of_kind(first, group.last, "size")
        )

    def _make_rows(self, cells: Sequence[Cell]) -> None:
        """A row of a table is a thing; one of sums is none."""
        scene = self.scene
        firsts = {cell.row: cell.first for cell in reversed(cells) if cell.row}
        if any(scene.is_text(first, "<", ">", "≤", "≥") for first in firsts.values()):  # `< 50 users: 2 cores`: one of these is chosen
            return
        for row in dict.fromkeys(cell.row for cell in cells if cell.row):
            mine = [cell for cell in cells if cell.row == row]
            if scene.is_listed(mine[0].first, "totals"):
                scene.settle(mine[0].first, mine[-1].last)
                continue
            if sum(bool(cell.facts) + 2 * (not cell.facts and len(scene.of_kind(cell.first, cell.last, "size")) > 1) for cell in mine) < 2:
                continue
            services = (m.names("service")[0] for m in scene.mentions for cell in mine if cell.first <= m.first < cell.last)
            for cell in mine:
                cell.thing = len(self.things)
            quote = scene.quote(mine[0].first, mine[0].last)
            self.things.append(Thing(next(services, scene.words.plain), "", True, quote, row=True, first=mine[0].first))

    def _thing(self, group: Group) -> Thing:
        scene, head = self.scene, group.head
        said = scene.quote(head.first, head.last)
        thing = Thing(group.capability, group.label, group.new, said, role=head.role, again=head.again)
        thing.only, thing.first, thing.meant_by, thing.times = head.only, head.first, group.meant_by, group.times
        thing.again_from = group.again_from
        thing.said, thing.each = (head.first, head.last), scene.any_does(group.first, group.last, "each")
        one = group.counted != (0, 0) and (scene.kind(group.counted[0]) == "number" or scene.does(group.counted[0] - 1, "only"))
        if group.count is not None and (group.count != 1 or one):
            first = min(group.counted[0], head.first) if group.counted != (0, 0) else head.first
            quote = scene.quote(first, max(group.counted[1], head.last))
            if self.wants(thing, COUNT):
                more = (self.counted(thing, COUNT)[1] or 1) if head.lead.more and not group.new else 0
                thing.found.say(COUNT, str(group.count + more), quote)
        second = any(scene.words.ordinals.get(word, 0) > 0 for word in head.adjectives)
        if group.new and (head.lead.another or second) and not head.role:
            thing.like = next((item.label for item in reversed(self.request.items) if item.capability == group.capability), "")
            scene.use(head.start, head.last)
        if group.beside:
            beside, begin, end = group.beside
            thing.found.say(beside, "1", scene.quote(begin, end))
            scene.use(begin, end)
        for fact in scene.words.alone:
            for value in scene.at(head.first).choices(fact):
                thing.found.say(fact, value, said)
        if head.names:
            thing.found.say("name", ", ".join(head.names), said)
            if len(head.names) > 1:
                thing.found.say("count", str(len(head.names)), said)
            scene.use(head.first, head.last)
            line = scene.skip(scene.sentence(head.first)[0], head.first, texts=("-", "*", "•"))
            if id_at(scene, line) == head.first > line and self.wants(thing, "vm_id"):
                number = scene.of_kind(line, head.first, "number")[0]
                thing.found.say("vm_id", plain(scene.said[number].value), scene.quote(line, head.last))
                scene.use(line, head.first)
        if group.called is not None and self.wants(thing, "name"):
            thing.found.say("name", scene.unquoted(group.called), scene.quote(group.called, group.called + 1))
            scene.use(group.called, group.called + 1)
        if head.role and self.wants(thing, "role"):
            first = head.first - scene.is_text(head.first - 1, head.role)  # `one indexer machine`
            thing.found.say("role", head.role, scene.quote(first, head.last))
            scene.name_thing(first, head.last)
        return thing

    def alone(self, cells: Sequence[Cell] = ()) -> Thing | None:
        """A choice that asks for its thing by itself, such as an application."""
        scene = self.scene
        for fact, capability in scene.words.alone.items():
            for mark in scene.marks_in(0, len(scene.said), fact):
                told = any(cell.first <= mark.first < cell.last for cell in cells) or scene.free(mark.first, mark.last)
                if mark.choices(fact) and told and not scene.denied[mark.first]:
                    return Thing(capability, "", True, scene.quote(mark.first, mark.last))
        return None

    def _hosted(self) -> Thing | None:
        """`we would like Moodle for a school of 900 pupils`: an application that nobody has published a size of."""
        scene, other = self.scene, "other_application"
        for mark in scene.marks_of("ask_for"):
            i = scene.skip(mark.last, len(scene.said), "article", "owned")
            named = scene.is_plain_word(i) and scene.quote(i, i + 1)[:1].isupper() and scene.does(i + 1, "for") and not scene.denied[i]
            users = [label for label in scene.marks_in(i, i + FOR_MAX, "users") if scene.kind(label.first - 1) == "number"]
            if named and users and other in scene.words.able[scene.words.plain].by_name:
                thing = Thing(scene.words.plain, "", True, scene.quote(i, i + 1))
                thing.found.say(other, scene.quote(i, i + 1), scene.quote(i, i + 1))
                scene.use(i, i + 1)
                return thing
        return None

    def _like_another(self) -> Thing | None:
        """`clone prod-db-1 but half the memory`, `another one like app-01`: of a machine that nothing here has made."""
        scene = self.scene
        for mark in scene.marks_of("copy"):
            i = scene.skip(mark.last, len(scene.said), "owned", "article", "lean")
            asks = (
                scene.stops(mark.first - 1)
                or scene.does(mark.first - 1, "another", "ask_for", "polite")
                or scene.is_listed(mark.first - 1, "courtesy")
            )
            if (
                scene.kind(i) == "name"
                and asks
                and not scene.denied[mark.first]
                and (not mark.does("lean") or scene.does(mark.first - 1, "another"))
            ):
                return Thing(scene.words.plain, "", True, scene.quote(mark.first, i + 1))
        return None

    def _sized(self, cells: Sequence[Cell]) -> Thing | None:
        """`4 cores, 8 GB`: sizes of a machine that nothing names."""
        scene = self.scene
        labels = {name for mark in scene.marks if scene.free(mark.first, mark.last) for name in mark.names("fact")}
        sizes = {name for cell in cells for name in cell.facts} & (MACHINE_SIZES | {"count"}) | labels & MACHINE_SIZES
        amounts = [i for i, token in enumerate(scene.said) if token.kind in ("size", "number")]
        sized = len(sizes) >= 2 or (sizes & MACHINE_SIZES and any(scene.kind(i) == "size" for i in amounts))
        if not sized or len(amounts) < 2 or self._changes_another():
            return None
        thing = Thing(scene.words.plain, "", True, scene.quote(amounts[0], amounts[0] + 1))
        for i, token in enumerate(scene.said):
            behind = re.fullmatch(r"[x×](\d{1,2})", token.text)  # `2c4g20g x3`
            before = scene.is_text(i + 1, *TIMES) and scene.is_text(i + 2, "(") and token.kind == "number"  # `3x (2 cores, 4 GB)`
            if (behind or before) and scene.is_left(i) and scene.kind(i + 1) not in ("size", "number"):
                thing.found.say(COUNT, behind[1] if behind else plain(token.value), scene.quote(i, i + 1))
                scene.use(i, i + 1)
        return thing

    def _served(self) -> Thing | None:
        """`Service: NFS` of a form."""
        scene = self.scene
        for i in (i for i in range(len(scene.said)) if scene.is_listed(i, "serves") and scene.stops(i - 1) and scene.is_text(i + 1, ":")):
            end = scene.sentence(i)[1]
            what = scene.quote(i + 2, end)
            if capability := scene.words.service(f"{what} server"):
                scene.use(i, end)
                return Thing(capability, "", True, what, said=(i + 2, end))
        return None

    def _titled(self) -> Mark | None:
        """`Purpose: PostgreSQL 15` of a machine."""
        plain = self.things[0].capability == self.scene.words.plain and not self.things[0].facts.keys() & self.scene.words.alone
        titles = (mark for mark in self.scene.mentions if mark.first in self.remarks and self._is_whole(mark))
        return next(titles, None) if plain else None

    def _is_whole(self, mark: Mark) -> bool:
        """Nothing but its version or what it is for stands behind it."""
        scene, end = self.scene, mark.last + (self.scene.kind(mark.last) == "number")
        return not mark.names("body") and scene.breaks(end, "for", "with", "lean", signs=("(",))

    def _changes_another(self) -> bool:
        """`increase the RAM of srv-print-07 to 8 GB`: a machine that nobody here has made."""
        scene = self.scene
        begin = next((i for i in range(len(scene.said)) if not scene.fills(i) or scene.does(i, "change")), 0)
        orders = scene.does(begin, "change") and not scene.does(begin, "ask_for")
        return orders and any(scene.does(i - 1, "lean") for i in scene.of_kind(begin, scene.sentence(begin)[1], "name"))

    # One more of what there is.

    def speaks_of_another(self) -> bool:
        """`give payroll-db 8 GB more`: a machine that is no item, so that nothing is said of one."""
        scene, ours = self.scene, {one for item in self.request.items for one in _called(item)}
        names = [i for i in scene.of_kind(0, len(scene.said), "name") if scene.is_left(i) and scene.said[i].text not in ours]
        begin = scene.skip(0, len(scene.said), "join", "mends", texts=(",",))
        stranger = scene.is_plain_word(begin) and scene.is_listed(begin + 1, "needing") and scene.said[begin].text not in ours
        if stranger and scene.figures() and any(len(_called(item)) > 1 for item in self.request.items):
            return True  # `gamma needs 8 GB`, where machines have names
        return any(scene.does(i - 1, "ask_for", "change") and not scene.at(i).meanings for i in names) and bool(scene.figures())

    def one_more(self) -> Thing | None:
        """`another one`, `and one for staging`, `the same again for production`: of the last item, but for what is said of it."""
        scene, item = self.scene, self.request.items[-1]
        begin = next((i for i in range(len(scene.said)) if not scene.does(i, "join") and not scene.fills(i)), 0)
        at = next((i for i in range(min(begin, 2) + 1) if scene.kind(i) == "number" or scene.does(i, "another")), None)
        if at is not None and scene.does(at + 1, "for", "with") and scene.does(at - 1, "join"):  # `and one for staging with 20 users`
            thing = Thing(item.capability, "", True, scene.quote(at, at + 1))
            if scene.said[at].value > 1 and self.wants(thing, "count"):
                thing.found.say("count", plain(scene.said[at].value), thing.quote)
            scene.use(at, at + 1)
            return thing
        asks = scene.does(0, "join") or any(mark.does("ask_for") and not mark.does("change") for mark in scene.marks)
        if asks and (alone := self.alone()):  # `and Nextcloud for 150 people`
            return alone
        return self._copy_of(item)

    def _goes_on(self, mark: Mark) -> bool:
        """`the same for staging`, `the same again, please`; not `the same is fine`, `the same disk for both`."""
        scene = self.scene
        if scene.is_listed(mark.last - 1, "toward"):
            return True
        ends = scene.breaks(mark.last, signs=("please", "again"))
        return not scene.is_listed(mark.first - 1, "everything") and (
            ends or scene.does(mark.last, "for", "lean", "with", "affirm") or bool(scene.at(mark.last).choices("environment"))
        )

    def _copy_of(self, item: Item) -> Thing | None:
        scene = self.scene
        called = {one for item in self.request.items for one in _called(item)} | {"it", "that", "this"}
        marks = (m for m in scene.marks if m.does("another", "same_again") or (m.does("copy") and scene.token(m.last).text in called))
        mark = next((mark for mark in marks if not mark.does("same_again") or self._goes_on(mark)), None)
        if mark is None or scene.denied[mark.first] or "data_disks" in mark.names("fact"):
            return None
        lists = {one.name for one in self.catalogue[item.capability].WANTED if one.several}
        if mark.does("another") and (scene.is_plain_word(mark.last) or lists & set(scene.at(mark.last).names("fact"))):
            return None
        if mark.does("another") and self.counted_at(item.capability, mark.last):
            return None
        target = next((m.last for m in scene.marks if m.does("copy")), -1)
        named = scene.token(target).text
        several = [
            one for one in self.request.items if one.fact(COUNT) and scene.does(mark.last, "them") and not scene.is_text(mark.last, "it")
        ]
        item = several[-1] if several else item  # `one more of them`
        original = next((one for one in self.request.items if named and named in _called(one)), item)
        if named and named in _called(original):
            scene.use(target, target + 1)
        scene.use(mark.first, mark.last)
        thing = Thing(original.capability, "", True, scene.quote(mark.first, mark.last), copied=original.label)
        if mark.does("another") and original.fact(COUNT):
            thing.found.say(COUNT, "1", thing.quote)  # `one more`, of several
        return thing


def _called(item: Item) -> tuple[str, ...]:
    fact = item.fact("name")
    return (item.label, *(fact.value.lower().split(", ") if fact else ()))
