"""Reads a message into edits of a request, by rules alone: tokens, what they mean, what they are about, and one assignment of values to
facts. It is the offline model's brain. What is in doubt is asked, what is of no use is told, and nothing is settled silently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from tools.rules.hearing.answers import answer
from tools.rules.hearing.cells import Cell, cells_of, label_of
from tools.rules.hearing.facts import NO_KEY, Found, names, read_facts
from tools.rules.hearing.groups import Group, groups, plain_service
from tools.rules.hearing.layout import clean, pieces
from tools.rules.hearing.scene import STOPS, Scene
from tools.rules.hearing.unused import unused
from tools.rules.hearing.values import NUMERIC, Amount, Match, assign, by_order, plain
from tools.rules.hearing.words import Catalogue
from tools.values.request import Doubt, Edit, Edits, Fact, Item, Reading, Request, Wish
from tools.values.wanted import Wanted

TEXT_LENGTH_MAX = 16_384
"""Characters of a message that are listened to. A request for infrastructure is a few sentences."""
SHARED = frozenset(
    ("environment", "platform", "network", "bridge", "region", "team", "budget_monthly", "public_key", "domain", "gateway", "dns")
)
"""Facts that are said once and meant for everything asked for, wherever they are said once."""
MACHINE_SIZES = frozenset(("cpu_count", "memory", "disk"))

Asked = tuple[tuple[str, str], ...]
"""(label of an item, fact) of the questions that are open."""


@dataclass
class Thing:
    """One thing that a message is about, and what it says of it."""

    capability: str
    label: str
    new: bool
    quote: str
    found: Found = field(default_factory=Found)
    doubts: list[Doubt] = field(default_factory=list)
    copied: str = ""
    role: str = ""
    alike: bool = False
    row: bool = False

    @property
    def facts(self) -> dict[str, Fact]:
        return self.found.facts


def read(text: str, request: Request, catalogue: Catalogue, asked: Asked = (), today: date = date.min) -> Edits:
    """What this message changes of the request, asks or wishes. `asked` are the questions that it may answer."""
    text = text[:TEXT_LENGTH_MAX]
    cleaned = clean(text)
    scene = Scene.of(text, cleaned, catalogue)
    if not scene.said:
        return Edits()
    reader = _Reader(scene, request, catalogue, asked, today)
    return reader.edits(cleaned)


@dataclass
class _Reader:
    scene: Scene
    request: Request
    catalogue: Catalogue
    asked: Asked
    today: date
    things: list[Thing] = field(default_factory=list)
    gone: list[Edit] = field(default_factory=list)

    def edits(self, cleaned: str) -> Edits:
        scene = self.scene
        layout = pieces(cleaned, lambda label: label_of(scene, label) is not None)
        cells, spans = cells_of(scene, layout)
        asks = self._asks(spans) and not cells
        called = [name for first, last, _ in spans for name in names(scene, first, last)]
        for first, end, *_ in called:
            scene.use(first, end)
        if self.asked and not cells and self._answers():
            found = answer(scene, self.request, self.asked, self.catalogue, self.today)
            if found:
                return Edits(edits=tuple(found), unused=unused(scene, ()))
        for cell in cells:
            scene.use(cell.first, cell.last)
        found_groups, removed = groups(scene, spans, self.request)
        for group in removed:
            label = group.label or group.capability
            self.gone.append(Edit(do="remove", item=label, quote=self._clause(group.said_first, group.said_last)))
        self._make_things(found_groups, cells, spans)
        self._name(called, found_groups)
        for cell in cells:
            self._read_cell(cell)
        if found_groups:
            for group in found_groups:
                self._read_group(group)
        elif self.things and not any(thing.row for thing in self.things) and spans:
            self._read_stretch(self.things[-1], 0, len(scene.said))
        self._share_alike()
        self._merge_rows()
        made = [*self.gone, *self._changes()]
        wishes, doubts = self._wishes(), tuple(doubt for thing in self.things for doubt in thing.doubts)
        return Edits(edits=(*made, *wishes), doubts=doubts, asks=asks, unused=unused(scene, doubts))

    # What the message is.

    def _asks(self, spans: Sequence[tuple[int, int, bool]]) -> bool:
        """It asks and orders nothing: every sentence of it begins as a question does, or ends as one, and none is a polite request."""
        scene, asks = self.scene, False
        for first, last, _ in spans:
            i = first
            while i < last:
                _, end = scene.sentence(i)
                end = min(max(end, i + 1), last)
                if end - i > 1:
                    begin = i
                    while begin < end and (
                        (scene.words.fills(scene.said[begin]) and not scene.at(begin).does("ask", "polite")) or scene.is_text(begin, ",")
                    ):
                        begin += 1
                    mark = scene.at(begin) if begin < end else scene.at(i)
                    question = mark.does("ask") or scene.at(i).does("ask") or scene.is_text(end, "?")
                    if mark.does("polite") or scene.at(i).does("polite") or not question:
                        return False
                    asks = True
                i = end + 1
        return asks

    def _answers(self) -> bool:
        """Nothing in it asks for a new thing."""
        scene = self.scene
        verbs = any(mark.does("ask_for", "copy", "another", "remove") and not mark.does("change", "link") for mark in scene.marks)
        introduced = any(
            scene.at(mark.first - 1).does("article") or (scene.token(mark.first - 1) and scene.said[mark.first - 1].kind == "number")
            for mark in scene.mentions
            if mark.first
        )
        return not (verbs and scene.mentions) and not introduced

    def _clause(self, first: int, last: int) -> str:
        while first > 0 and self.scene.said[first - 1].text not in STOPS and not self.scene.is_text(first - 1, ","):
            first -= 1
        return self.scene.quote(first, last)

    # What it is about.

    def _make_things(self, found: list[Group], cells: list[Cell], spans: Sequence[tuple[int, int, bool]]) -> None:
        scene = self.scene
        for group in found:
            quote = scene.quote(group.said_first, group.said_last)
            self.things.append(Thing(group.capability, group.label, group.new, quote, role=group.role, alike=group.alike))
            if group.count is not None and (group.count != 1 or group.counted != (0, 0)):
                first, last = min(group.counted[0], group.said_first), max(group.counted[1], group.said_last)
                if group.count != 1 or scene.said[group.counted[0]].kind == "number":
                    self._count(self.things[-1], group, scene.quote(first, last))
            if group.role:
                self.things[-1].found.say("role", group.role, quote)
        rows = dict.fromkeys(cell.row for cell in cells if cell.row)
        plain = plain_service(self.catalogue, scene)
        for row in rows:
            mine = [cell for cell in cells if cell.row == row]
            service = next((m.names("service")[0] for cell in mine for m in scene.mentions if cell.first <= m.first < cell.last), plain)
            if len([one for one in mine if one.facts]) >= 2:
                self.things.append(Thing(service, "", True, mine[0].quote(scene), row=True))
                for cell in mine:
                    cell.thing = len(self.things) - 1
        if self.things or self.request.items:
            return
        alone = self._alone()
        if alone:
            self.things.append(alone)
            return
        sizes = {name for cell in cells for name in cell.facts} & (MACHINE_SIZES | {"count"})
        sizes |= {name for mark in scene.marks for name in mark.names("fact") if scene.free(mark.first, mark.last)} & MACHINE_SIZES
        amounts = sum(token.kind in ("size", "number") for token in scene.said)
        if (len(sizes) >= 2 and amounts >= 2) or (
            sizes & MACHINE_SIZES and any(token.kind == "size" for token in scene.said) and amounts >= 2
        ):
            first = next(i for i, t in enumerate(scene.said) if t.kind in ("size", "number"))
            self.things.append(Thing(plain, "", True, scene.quote(first, first + 1)))

    def _alone(self) -> Thing | None:
        """A choice that asks for its thing by itself, such as an application."""
        for capability in self.catalogue.values():
            for one in capability.WANTED:
                if one.alone:
                    for mark in self.scene.marks:
                        if mark.choices(one.name) and not self.scene.denied[mark.first] and self.scene.free(mark.first, mark.last):
                            return Thing(capability.NAME, "", True, self.scene.quote(mark.first, mark.last))
        return None

    def _count(self, thing: Thing, group: Group, quote: str) -> None:
        there = self.request.item(group.label) if group.label and not group.new else None
        count = group.count or 1
        if group.more and there is not None:
            before = there.fact("count")
            count += int(before.value) if before and before.value.isdigit() else 1
        if self._wants(thing, "count"):
            thing.found.say("count", str(count), quote)

    def _wanted(self, thing: Thing) -> tuple[Wanted, ...]:
        return self.catalogue[thing.capability].WANTED

    def _wants(self, thing: Thing, fact: str) -> bool:
        return any(one.name == fact for one in self._wanted(thing))

    def _name(self, called: list[tuple[int, int, tuple[str, ...], int, int]], found: list[Group]) -> None:
        """Each name is of the thing whose words it stands among."""
        scene = self.scene
        for first, end, said, _, _ in called:
            owner = next((n for n, group in enumerate(found) if group.first <= first < group.last), None)
            thing = self.things[owner] if owner is not None and owner < len(self.things) else (self.things[-1] if self.things else None)
            others = scene.at(first - 1).names("fact") if first else ()
            if thing is None:
                thing = self._target("name", scene.quote(first, end))
            if thing is None:
                continue
            wanted = {one.name: one.kind for one in self._wanted(thing)}
            fact = next((name for name in others if wanted.get(name) in ("name", "text", "network", "node")), "name")
            if fact in wanted:
                thing.found.say(fact, ", ".join(said), scene.quote(first, end))

    def _target(self, fact: str, quote: str) -> Thing | None:
        """The item of the request that a fact without a thing is about; in doubt nobody's."""
        able = [item for item in self.request.items if any(one.name == fact for one in self.catalogue[item.capability].WANTED)]
        if len(able) != 1:
            return None
        return self._thing_of(able[0])

    def _thing_of(self, item: Item) -> Thing:
        for thing in self.things:
            if thing.label == item.label and not thing.new:
                return thing
        self.things.append(Thing(item.capability, item.label, False, ""))
        return self.things[-1]

    # What it says of it.

    def _read_cell(self, cell: Cell) -> None:
        thing = self.things[cell.thing] if cell.thing is not None else (self.things[-1] if self.things else None)
        if thing is None and self.request.items:
            thing = self._thing_of(self.request.items[-1])
        if thing is None:
            return
        repeated = not thing.row and any(name in thing.facts and name == "name" for name in cell.facts) and cell.begins_item
        if repeated:
            thing = Thing(thing.capability, "", True, cell.quote(self.scene))
            self.things.append(thing)
        cell.read(self.scene, self._wanted(thing), thing.found, self.today)

    def _read_group(self, group: Group) -> None:
        thing = next(
            (
                t
                for t in self.things
                if not t.row
                and t.quote == self.scene.quote(group.said_first, group.said_last)
                and not t.doubts
                and (t.label == group.label)
            ),
            None,
        )
        if thing is None:
            return
        self._read_stretch(thing, group.first, group.last)

    def _read_stretch(self, thing: Thing, first: int, last: int) -> None:
        scene, wanted = self.scene, self._wanted(thing)
        self._copy(thing, first, last)
        self._bare_names(thing, first, last)
        read_facts(scene, first, last, wanted, thing.found, self.today)
        matches, rest = assign(scene, first, last, wanted)
        self._say(thing, matches, wanted)
        self._settle(thing, rest, wanted)

    def _bare_names(self, thing: Thing, first: int, last: int) -> None:
        """`VM build-01`, `app-{1,2,3}`, `app-1 to app-3`: names that nothing introduces."""
        scene = self.scene
        if "name" in thing.facts or not self._wants(thing, "name"):
            return
        from tools.rules.hearing.facts import _names_at

        for i in range(first, last):
            token = scene.said[i]
            if token.kind != "name" or scene.used[i] or scene.denied[i] or scene.at(i).meanings:
                continue
            before = scene.at(i - 1)
            end, said = _names_at(scene, i, last, sure=False)
            places = before.names("fact") or (before.does("lean") and not scene.is_text(i - 1, "as"))
            behind_thing = any(mark.last in (i, i - 1) and scene.used[mark.first] for mark in scene.mentions)
            if said and not places and (len(said) > 1 or behind_thing) and "." not in said[0]:
                thing.found.say("name", ", ".join(said), scene.quote(i, end))
                scene.use(i, end)
                if len(said) > 1 and "count" not in thing.facts and self._wants(thing, "count"):
                    thing.found.say("count", str(len(said)), scene.quote(i, end))
                return

    def _copy(self, thing: Thing, first: int, last: int) -> None:
        scene = self.scene
        for mark in scene.marks:
            if not (mark.does("copy") and first <= mark.first < last):
                continue
            i = mark.last
            while scene.at(i).does("owned", "article", "lean") and i < last:
                i += 1
            token = scene.token(i)
            known = token and (token.kind == "name" or any(token.text == item.label for item in self.request.items))
            if token and known and not scene.used[i]:
                thing.copied = scene.quote(i, i + 1)
                thing.quote = scene.quote(mark.first, i + 1)
                scene.use(mark.first, i + 1)

    def _say(self, thing: Thing, matches: Sequence[Match], wanted: tuple[Wanted, ...]) -> None:
        scene = self.scene
        kinds = {one.name: one.kind for one in wanted}
        said: dict[str, list[Match]] = {}
        for match in matches:
            facts = [name for name in match.facts if name not in said] or list(match.facts)
            fact = self._meant(facts, match, kinds)
            said.setdefault(fact, []).append(match)
        for fact, several in said.items():
            self._say_fact(thing, fact, several, kinds)
            for match in several:
                scene.use(match.first, match.last) if match.last - match.first < 8 else scene.use(match.amount.first, match.amount.last)

    def _meant(self, facts: Sequence[str], match: Match, kinds: Mapping[str, str]) -> str:
        """Of facts that share a word, the one whose kind the amount is of."""
        if match.amount.kind == "size":
            order = ("memory", "disk", "volume", "disks")
        else:
            order = ("count", "memory", "disk", "disks", "money")
        return min(facts, key=lambda name: order.index(kinds[name]) if kinds[name] in order else 9)

    def _say_fact(self, thing: Thing, fact: str, several: list[Match], kinds: Mapping[str, str]) -> None:
        scene, last = self.scene, several[-1]
        quote = scene.quote(last.first, last.last)
        if kinds[fact] == "count":
            product = self._product(several)
            if product:
                thing.found.say(fact, product[0], product[1])
                return
            thing.found.say(fact, self._changed(thing, fact, plain(last.amount.worth), last, quote), quote)
            return
        if kinds[fact] == "disks" or (kinds[fact] == "disk" and len(several) > 1 and not self._repeats(several)):
            values = [self._sized(one.amount, kinds[fact]) for one in several]
            whole = scene.quote(several[0].first, last.last)
            if kinds[fact] == "disk" and any(one == "disks" for one in kinds.values()):
                more = next(name for name, kind in kinds.items() if kind == "disks")
                thing.found.say(fact, values[0], scene.quote(several[0].first, several[0].last))
                thing.found.say(more, ", ".join(values[1:]), whole)
            else:
                thing.found.say(fact, ", ".join(values), whole)
            return
        thing.found.say(fact, self._changed(thing, fact, self._sized(last.amount, kinds[fact]), last, quote), quote)

    def _repeats(self, several: list[Match]) -> bool:
        """The same thing said again, or corrected: `200 connections, no, 300 connections`."""
        return any(
            self.scene.at(i).does("deny", "affirm", "instead", "prefer", "or", "to") for i in range(several[0].last, several[-1].first)
        )

    def _product(self, several: list[Match]) -> tuple[str, str] | None:
        """`50 users with 20 connections each` are a thousand."""
        scene = self.scene
        if len(several) != 2:
            return None
        first, second = several
        around = range(second.first, min(second.last + 3, len(scene.said)))
        between = range(first.last, second.first)
        if any(scene.at(i).does("each") for i in (*around, *between)) or any(
            scene.at(i).does("per") for i in range(second.last, min(second.last + 1, len(scene.said)))
        ):
            return plain(first.amount.worth * second.amount.worth), scene.quote(
                first.first, min(second.last + (1 if scene.at(second.last).does("each") else 0), len(scene.said))
            )
        return None

    def _sized(self, amount: Amount, kind: str) -> str:
        if amount.kind != "number" or kind == "money":
            return amount.text
        return f"{plain(amount.worth)} MB" if kind == "memory" and amount.worth >= 256 else f"{plain(amount.worth)} GB"

    def _changed(self, thing: Thing, fact: str, value: str, match: Match, quote: str) -> str:
        """`4 GB more` is what there is and four more; nothing else of it is known here."""
        return value

    def _settle(self, thing: Thing, rest: list[Amount], wanted: tuple[Wanted, ...]) -> None:
        """What has no label."""
        scene = self.scene
        kinds = {one.name: one.kind for one in wanted}
        sums = [one for one in rest if one.kind == "money"]
        budget = next((one.name for one in wanted if one.kind == "money"), "")
        if sums and budget:
            thing.found.say(budget, sums[-1].text, scene.quote(sums[-1].first, sums[-1].last))
            scene.use(sums[-1].first, sums[-1].last)
        sizes = [one for one in rest if one.kind == "size" and not _of_something_else(scene, one)]
        lacking = [one for one in wanted if one.name not in thing.facts and kinds[one.name] in NUMERIC]
        given, doubtful = by_order(sizes, lacking)
        more: dict[str, list[Amount]] = {}
        for fact, size in given:
            more.setdefault(fact, []).append(size)
        for fact, several in more.items():
            thing.found.say(fact, ", ".join(one.text for one in several), scene.quote(several[0].first, several[-1].last))
            for one in several:
                scene.use(one.first, one.last)
        readings_of = [one for one in lacking if one.kind in ("memory", "disk")]
        for size in doubtful:
            quote = scene.quote(size.first, size.last)
            readings = tuple(
                Reading(
                    text=f"{one.name} {size.text}", edits=(Edit(do="set", item=thing.label, name=one.name, value=size.text, quote=quote),)
                )
                for one in readings_of
            )
            thing.doubts.append(Doubt(item=thing.label, quote=quote, about=tuple(one.name for one in readings_of), readings=readings))
            scene.use(size.first, size.last)

    # All of it together.

    def _share_alike(self) -> None:
        """`one web and one indexer machine each, 2 cores 8 GB`: the sizes are of both."""
        for one, after in reversed(list(zip(self.things, self.things[1:], strict=False))):
            if one.alike and one.capability == after.capability:
                for name, fact in after.facts.items():
                    if name not in ("role", "count", "name") and name not in one.facts:
                        one.facts[name] = fact

    def _merge_rows(self) -> None:
        """Rows of a table that differ in nothing but their name are several of one thing."""
        merged: list[Thing] = []
        for thing in self.things:
            like = next((one for one in merged if thing.row and one.row and _same(one, thing)), None)
            if like is None:
                merged.append(thing)
                continue
            both = [one.facts["name"].value for one in (like, thing) if "name" in one.facts]
            count = sum(int(one.facts["count"].value) if "count" in one.facts else 1 for one in (like, thing))
            if both:
                like.found.say("name", ", ".join(both), thing.facts["name"].quote if "name" in thing.facts else like.quote)
            like.found.say("count", str(count), like.facts["name"].quote if both else like.quote)
        self.things = merged

    def _changes(self) -> list[Edit]:
        made: list[Edit] = []
        shared = self._shared()
        taken = {item.label for item in self.request.items}
        for thing in self.things:
            if thing.new:
                label = thing.label if thing.label and thing.label not in taken else _free(self._called(thing), taken)
                taken.add(label)
                for n, doubt in enumerate(thing.doubts):
                    thing.doubts[n] = _of(doubt, label)
                thing.label = label
                if thing.copied:
                    made.append(Edit(do="copy", item=thing.copied, name="", quote=thing.quote))
                else:
                    made.append(Edit(do="add", item=label, name=thing.capability, quote=thing.quote or thing.capability))
            for fact in thing.facts.values():
                if fact.name not in shared:
                    made.append(Edit(do="set", item=thing.label, name=fact.name, value=fact.value, quote=fact.quote))
        made += [Edit(do="set", name=fact.name, value=fact.value, quote=fact.quote) for fact in shared.values()]
        made += self._unsets()
        return made

    def _called(self, thing: Thing) -> str:
        if thing.role:
            return thing.role
        return thing.capability

    def _shared(self) -> dict[str, Fact]:
        """Facts that are meant for all: said of one thing only, or of all alike, and nothing else in the request says otherwise."""
        shared: dict[str, Fact] = {}
        others = [item for item in self.request.items if item.label not in {thing.label for thing in self.things}]
        for name in SHARED:
            said = [thing.facts[name] for thing in self.things if name in thing.facts]
            if not said or len({fact.value.lower() for fact in said}) > 1:
                continue
            if any(thing.new for thing in self.things) and others:
                before = next((fact for fact in self.request.shared if fact.name == name), None)
                if (before and before.value != said[0].value) or any(item.fact(name) for item in others):
                    continue
            shared[name] = said[-1]
        return shared

    def _unsets(self) -> list[Edit]:
        made = []
        for thing in self.things:
            for name, value, quote in thing.found.denied:
                item = self.request.item(thing.label)
                own = item.fact(name) if item else None
                common = next((fact for fact in self.request.shared if fact.name == name), None)
                fact = own or common
                if fact and name not in thing.facts and (not value or fact.value.lower() == value.lower()):
                    made.append(Edit(do="unset", item=thing.label if own else "", name=name, quote=quote))
        return made

    def _wishes(self) -> tuple[Edit, ...]:
        scene, found = self.scene, []
        for mark in scene.marks:
            kinds = mark.names("wish")
            if not kinds or not scene.free(mark.first, mark.last) or mark.names("fact"):
                continue
            quote = scene.quote(mark.first, mark.last)
            if scene.denied[mark.first]:
                found += [Edit(do="unwish", name=kinds[0], quote=quote)] if any(w.kind == kinds[0] for w in self.request.wishes) else []
                scene.use(mark.first, mark.last)
                continue
            found.append(Edit(do="wish", name=kinds[0], value=quote, quote=quote))
            scene.use(mark.first, mark.last)
        return tuple({edit.name: edit for edit in reversed(found)}.values())[::-1]


def _of(doubt: Doubt, label: str) -> Doubt:
    readings = tuple(
        Reading(text=one.text, edits=tuple(edit.model_copy(update={"item": label}) for edit in one.edits)) for one in doubt.readings
    )
    return Doubt(item=label, quote=doubt.quote, about=doubt.about, readings=readings)


def _free(label: str, taken: set[str]) -> str:
    return next(one for one in (label, *(f"{label}-{number}" for number in range(2, 1000))) if one not in taken)


def _same(one: Thing, other: Thing) -> bool:
    def facts(thing: Thing) -> dict[str, str]:
        return {name: fact.value for name, fact in thing.facts.items() if name not in ("name", "count", "address")}

    return one.capability == other.capability and facts(one) == facts(other)


def _of_something_else(scene: Scene, size: Amount) -> bool:
    """`8 GB of log files`, `10 GB network card`, `1 GB/s`: a size of what nobody asked about."""
    after = scene.token(size.last)
    if after is None:
        return False
    if scene.is_text(size.last, "/") and scene.is_text(size.last + 1, "s", "sec", "second"):
        return True
    if scene.is_text(size.last, "of") and scene.token(size.last + 1) and scene.said[size.last + 1].kind == "word":
        return not scene.at(size.last + 1).names("fact") and not scene.words.fills(scene.said[size.last + 1])
    if after.kind == "word" and not scene.at(size.last).meanings and not scene.words.fills(after):
        return not any(mark.first == size.last for mark in scene.mentions) and (
            scene.token(size.last + 1) is None or scene.said[size.last + 1].kind == "mark"
        )
    return scene.is_text(size.last, "network", "nic", "ethernet") and not any(
        t.kind == "number" for t in scene.said[size.last + 1 : size.last + 2]
    )


__all__ = ["NO_KEY", "Asked", "Wish", "read"]
