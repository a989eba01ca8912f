"""Reads a message into edits of a request, by rules alone: tokens, what they mean, what they are about, and one assignment of values to
facts. It is the offline model's brain. What is in doubt is asked, what is of no use is told, and nothing is settled silently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from tools.rules.hearing import quantities
from tools.rules.hearing.answers import answer
from tools.rules.hearing.cells import Cell, cells_of, is_section, label_of
from tools.rules.hearing.facts import NO_KEY, Found, names, read_facts
from tools.rules.hearing.groups import Group, groups
from tools.rules.hearing.layout import clean, pieces, spaced
from tools.rules.hearing.scene import STOPS, Scene
from tools.rules.hearing.tokens import spread
from tools.rules.hearing.unused import unused
from tools.rules.hearing.values import GIB, NUMERIC, Amount, Match, assign, by_order, is_usual_memory, plain
from tools.rules.hearing.words import ENGLISH, Catalogue, Mark, same
from tools.values.request import Doubt, Edit, Edits, Fact, Item, Reading, Request, Wish
from tools.values.wanted import Wanted

TEXT_LENGTH_MAX = 16_384
"""Characters of a message that are listened to. A request for infrastructure is a few sentences."""
SHARED = frozenset(
    ("environment", "platform", "network", "bridge", "vlan", "region", "team", "budget_monthly", "public_key", "domain", "gateway", "dns")
)
"""Facts that are said once and meant for everything asked for, wherever they are said once."""
MACHINE_SIZES = frozenset(("cpu_count", "memory", "disk"))
OWN = frozenset(("role", "count", "name", "address"))
"""What no two things share."""

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
    relations: list[tuple[str, str, str]] = field(default_factory=list)
    """(kind, to what, quote)."""
    row: bool = False
    said: tuple[int, int] = (0, 0)
    """The tokens that name it."""
    again: bool = False
    """As the one before it, but for what is said of it."""
    each: bool = False
    """What is said of it is said of those before it too."""

    @property
    def facts(self) -> dict[str, Fact]:
        return self.found.facts


def read(text: str, request: Request, catalogue: Catalogue, asked: Asked = (), today: date = date.min) -> Edits:
    """What this message changes of the request, asks or wishes. `asked` are the questions that it may answer."""
    text = text[:TEXT_LENGTH_MAX]
    cleaned = clean(text)
    scene = Scene.of(text, spaced(cleaned), catalogue)
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
    common: Thing | None = None
    from_cells: set[str] = field(default_factory=set)
    """Facts that fields have told of the thing that they are about now."""
    cell_before: tuple[str, ...] = ()
    """What the field before it was about."""
    begun: bool = False
    """A form has gone on to another thing."""

    def edits(self, cleaned: str) -> Edits:
        scene = self.scene
        layout = pieces(cleaned, lambda label: label_of(scene, label) is not None, lambda text: is_section(scene, text))
        cells, spans = cells_of(scene, layout)
        asks = self._asks(spans) and not cells
        called = [name for first, last, _ in spans for name in names(scene, first, last)]
        for first, end, *_ in called:
            scene.use(first, end)
        prose = {i for first, last, _ in spans for i in range(first, last)} | {i for cell in cells for i in range(cell.first, cell.last)}
        for i in set(range(len(scene.said))) - prose:
            scene.use(i, i + 1)  # marks of lists and the like
        if self.asked and not cells and self._answers():
            found = answer(scene, self.request, self.asked, self.catalogue, self.today, SHARED)
            if found:
                return Edits(edits=tuple(found), unused=unused(scene, ()))
        for cell in cells:
            scene.use(cell.label_first if cell.label_first >= 0 else cell.first, cell.last)
        self._start_over(spans)
        found_groups, removed = groups(scene, spans, self.request)
        self._only(found_groups)
        for group in removed:
            label, quote = group.label or group.capability, self._clause(group.said_first, group.said_last)
            known = any(item.label == label for item in self.request.items)
            start, _ = scene.sentence(group.first)
            changed = not known and any(scene.at(i).does("change", "touch") for i in range(start, group.first))
            self.gone.append(Edit(do="unset" if changed else "remove", item=label, name="name" if changed else "", quote=quote))
        self._make_things(found_groups, cells, spans)
        self._name(called, found_groups)
        made = list(self.things)
        for cell in cells:
            self._read_cell(cell, found_groups)
        for group in found_groups:
            self._read_stretch(made[group.thing] if group.thing >= 0 else self._common(), group.first, group.last)
        if not found_groups and self.things and spans:
            whole = self._common() if any(thing.row for thing in self.things) else self.things[-1]
            self._read_stretch(whole, 0, len(scene.said))
        if not found_groups and not self.things and self.request.items and not removed and not self._again():
            self._edit(0, len(scene.said))
        self._share_common()
        self._share_alike()
        self._drop_empty()
        self._merge_rows()
        edits = [*self.gone, *self._changes()]
        wishes, doubts = (*self._cell_wishes(), *self._wishes()), tuple(doubt for thing in self.things for doubt in thing.doubts)
        return Edits(edits=(*edits, *wishes), doubts=doubts, asks=asks, unused=unused(scene, doubts))

    def _start_over(self, spans: Sequence[tuple[int, int, bool]]) -> None:
        """Nothing of what was said so far counts any more."""
        scene = self.scene
        mark = next((mark for mark in scene.marks if mark.does("start_over")), None)
        if mark is None or not self.request.items:
            return
        quote = scene.quote(mark.first, mark.last)
        self.gone += [Edit(do="remove", item=item.label, quote=quote) for item in self.request.items]
        self.gone += [Edit(do="unset", name=fact.name, quote=quote) for fact in self.request.shared]
        self.gone += [Edit(do="unwish", item=wish.item, name=wish.kind, quote=quote) for wish in self.request.wishes]
        scene.use(mark.first, mark.last)
        self.request = Request()

    def _only(self, found: list[Group]) -> None:
        """`only the web server`: all others go."""
        scene = self.scene
        if len(self.request.items) < 2 or not found or any(group.new for group in found):
            return
        start, _ = scene.sentence(found[0].said_first)
        before = [scene.at(i) for i in range(start, found[0].said_first) if not scene.at(i).does("owned", "article")]
        if before and before[-1].does("only") and len(before) <= 3:
            quote = scene.quote(0, found[0].said_last)
            meant = {group.label for group in found}
            self.gone += [Edit(do="remove", item=item.label, quote=quote) for item in self.request.items if item.label not in meant]

    # What the message is.

    def _asks(self, spans: Sequence[tuple[int, int, bool]]) -> bool:
        """It asks and orders nothing: every sentence of it begins as a question does, or ends as one, and none is a polite request."""
        scene, asked, orders = self.scene, list[tuple[int, int]](), False
        for first, last, _ in spans:
            i = first
            while i < last:
                _, end = scene.sentence(i)
                end = min(max(end, i + 1), last)
                if end - i > 1:
                    begin = i
                    while begin < min(i + 3, end) and (
                        scene.at(begin).does("join") or scene.is_text(begin, ",", "so", "hm", "ok", "well", "hi", "but")
                    ):
                        begin += 1
                    mark = scene.at(begin)
                    question = mark.does("ask") or (scene.is_text(end, "?") and scene.said[begin].kind not in ("number", "size"))
                    polite = mark.does("polite") or any(scene.at(k).does("polite") for k in range(i, min(i + 4, end)))
                    if polite or not question:
                        orders = True
                    else:
                        asked.append((i, end))
                i = end + 1
        if orders:
            for first, last in asked:
                if scene.is_text(last, "?") and scene.at(first).does("ask"):
                    scene.leave(first, last)  # a question among orders asks for nothing
        return bool(asked) and not orders

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
        plain = scene.words.plain
        self._make_rows(cells, plain)
        rows = {thing.capability for thing in self.things}
        for group in found:
            if group.of is not None:
                group.thing = found[group.of].thing
            elif group.capability in rows and not any(scene.said[i].kind == "size" for i in range(group.first, group.last)):
                group.thing = -1  # `all VMs on network 21` speaks of the rows
            else:
                group.thing = len(self.things)
                self.things.append(self._thing(group))
        if self.things or self.request.items:
            return
        if alone := self._alone(cells):
            self.things.append(alone)
            return
        sizes = {name for cell in cells for name in cell.facts} & (MACHINE_SIZES | {"count"})
        sizes |= {name for mark in scene.marks for name in mark.names("fact") if scene.free(mark.first, mark.last)} & MACHINE_SIZES
        amounts = [i for i, token in enumerate(scene.said) if token.kind in ("size", "number")]
        if len(amounts) >= 2 and (len(sizes) >= 2 or (sizes & MACHINE_SIZES and any(scene.said[i].kind == "size" for i in amounts))):
            self.things.append(Thing(plain, "", True, scene.quote(amounts[0], amounts[0] + 1)))

    def _make_rows(self, cells: list[Cell], plain: str) -> None:
        """A row of a table is a thing; one of sums is none."""
        scene = self.scene
        for row in dict.fromkeys(cell.row for cell in cells if cell.row):
            mine = [cell for cell in cells if cell.row == row]
            if len([one for one in mine if one.facts]) < 2 or scene.said[mine[0].first].text in scene.words.totals:
                continue
            service = next((m.names("service")[0] for m in scene.mentions for cell in mine if cell.first <= m.first < cell.last), plain)
            for cell in mine:
                cell.thing = len(self.things)
            self.things.append(Thing(service, "", True, mine[0].quote(scene), row=True))

    def _thing(self, group: Group) -> Thing:
        scene = self.scene
        quote = scene.quote(group.said_first, group.said_last)
        thing = Thing(group.capability, group.label, group.new, quote, role=group.role, alike=group.alike, again=group.again)
        thing.said = (group.said_first, group.said_last)
        thing.each = any(scene.at(i).does("each") for i in range(group.first, group.last))
        if group.name and self._wants(thing, "name"):
            thing.found.say("name", ", ".join(spread(group.name)), group.name)
        if group.count is not None and (group.count != 1 or scene.said[group.counted[0]].kind == "number"):
            first, last = min(group.counted[0], group.said_first), max(group.counted[1], group.said_last)
            if group.counted != (0, 0) or group.count != 1:
                self._count(thing, group, scene.quote(first, last))
        if group.role and self._wants(thing, "role"):
            thing.found.say("role", group.role, quote)
        return thing

    def _common(self) -> Thing:
        """What is said of all rows of a table."""
        if self.common is None:
            self.common = Thing(self.things[0].capability, "", False, "")
        return self.common

    def _share_common(self) -> None:
        for thing in self.things if self.common else ():
            if thing.row and self.common:
                wanted = {one.name for one in self._wanted(thing)}
                _take_over(thing, self.common, wanted - OWN)

    def _alone(self, cells: list[Cell]) -> Thing | None:
        """A choice that asks for its thing by itself, such as an application."""
        for capability in self.catalogue.values():
            for one in capability.WANTED:
                if one.alone:
                    for mark in self.scene.marks:
                        told = any(cell.first <= mark.first < cell.last for cell in cells)
                        if (
                            mark.choices(one.name)
                            and not self.scene.denied[mark.first]
                            and (told or self.scene.free(mark.first, mark.last))
                        ):
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
        for first, end, said, begin, _ in called:
            owner = next((group.thing for group in found if group.first <= first < group.last and group.thing >= 0), None)
            thing = self.things[owner] if owner is not None else (self.things[-1] if self.things else None)
            others = scene.at(first - 1).names("fact") if first else ()
            label = scene.at(begin - 1)
            others = others if label.does("called") else label.names("fact") or others
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

    def _read_cell(self, cell: Cell, found: list[Group]) -> None:
        thing = self.things[cell.thing] if cell.thing is not None else None
        if thing is None and not cell.row:
            place = next((group.thing for group in found if group.first <= cell.first < group.last and group.thing >= 0), None)
            plain = [one for one in self.things if not one.row]
            thing = self.things[place] if place is not None and not self.begun else (plain[-1] if plain else None)
        if thing is None and self.request.items and not cell.row:
            thing = self._thing_of(self.request.items[-1])
        if thing is None:
            return
        if not cell.row and cell.facts == ("name",) == self.cell_before and "name" in thing.facts:
            before = thing.facts["name"]
            cell.read(self.scene, self._wanted(thing), thing.found, self.today)
            thing.found.say("name", f"{before.value}, {thing.facts['name'].value}", thing.facts["name"].quote)
            return
        self.cell_before = cell.facts
        begins = (
            {"name", "environment", "role", *MACHINE_SIZES} & set(cell.facts) & {name for name in thing.facts if name in self.from_cells}
        )
        self.from_cells |= set(cell.facts)
        if not cell.row and begins and len(thing.facts) > 1:
            self.from_cells = set(cell.facts)
            thing = Thing(thing.capability, "", True, cell.quote(self.scene))
            self.things.append(thing)
            self.begun = True
        cell.read(self.scene, self._wanted(thing), thing.found, self.today)

    def _read_stretch(self, thing: Thing, first: int, last: int) -> None:
        scene, wanted = self.scene, self._wanted(thing)
        self._copy(thing, first, last)
        self._relate(thing, first, last)
        self._bare_names(thing, first, last)
        read_facts(scene, first, last, wanted, thing.found, self.today)
        self._own_make(thing, wanted)
        self._take_back(thing, first, last)
        matches, rest = assign(scene, first, last, wanted, thing.capability)
        self._multiply(thing, first, last)
        self._say(thing, matches, wanted)
        self._settle(thing, self._corrected(thing, rest, first, last), wanted)

    def _again(self) -> bool:
        """`another one`, `the same again for production`: one more of the last item, but for what is said of it."""
        scene, item = self.scene, self.request.items[-1]
        begin = next((i for i in range(len(scene.said)) if not scene.at(i).does("join") and not scene.words.fills(scene.said[i])), 0)
        opens = [
            i for i in range(min(begin, 2) + 1) if scene.said[i : i + 1] and (scene.said[i].kind == "number" or scene.is_text(i, "another"))
        ]
        if (
            opens and scene.at(opens[0] + 1).does("for", "with") and scene.at(opens[0] - 1).does("join")
        ):  # `and one for staging with 20 users`
            thing = Thing(item.capability, "", True, scene.quote(opens[0], opens[0] + 1))
            if scene.said[opens[0]].value > 1 and self._wants(thing, "count"):
                thing.found.say("count", plain(scene.said[opens[0]].value), scene.quote(opens[0], opens[0] + 1))
            self.things.append(thing)
            scene.use(opens[0], opens[0] + 1)
            self._read_stretch(thing, 0, len(scene.said))
            return True
        alone = self._alone([])
        joined = scene.at(0).does("join") or any(m.does("ask_for") and not m.does("change") for m in scene.marks)
        if alone and joined:  # `and Nextcloud for 150 people`
            self.things.append(alone)
            self._read_stretch(alone, 0, len(scene.said))
            return True
        mark = next(
            (m for m in scene.marks if m.does("another", "same_again") or (m.does("copy") and scene.is_text(m.last, "it", "that", "this"))),
            None,
        )
        if mark is None or scene.denied[mark.first] or any(name in ("data_disks",) for name in mark.names("fact")):
            return False
        following = scene.token(mark.last)
        if (
            mark.does("another")
            and following
            and following.kind == "word"
            and not scene.words.fills(following)
            and not scene.at(mark.last).meanings
        ):
            return False
        target = next((m.last for m in scene.marks if m.does("copy")), None)
        named = scene.said[target].text if target is not None and target < len(scene.said) else ""
        original = next((one for one in self.request.items if named and named in (one.label, *_values(one, "name"))), item)
        thing = Thing(original.capability, "", True, scene.quote(mark.first, mark.last), copied=original.label)
        if (target is not None and original is not item) or named in (original.label, *_values(original, "name")):
            scene.use(target or 0, (target or 0) + 1)
        self.things.append(thing)
        scene.use(mark.first, mark.last)
        self._read_stretch(thing, 0, len(scene.said))
        return True

    def _edit(self, first: int, last: int) -> None:
        """A message that names nothing is about what there is: each fact about the item that wants it; of several, it is asked."""
        scene = self.scene
        before = bytes(scene.used)
        told = any(scene.at(i).does("each") or scene.is_text(i, "both", "all", "everything") for i in range(first, last))
        used = bytearray(before)
        read: list[Thing] = []
        for item in self.request.items:
            scene.used[:] = before
            thing = Thing(item.capability, item.label, False, "")
            self.things = [thing]
            self._read_stretch(thing, first, last)
            used = bytearray(a | b for a, b in zip(used, scene.used, strict=True))
            read.append(thing)
        scene.used[:] = used
        self.things = read
        for name in dict.fromkeys(name for thing in read for name in thing.facts):
            able = [thing for thing in read if name in thing.facts]
            if len(able) < 2 or told or name in SHARED:
                continue
            stated = [thing for thing in able if (there := self.request.item(thing.label)) and there.fact(name)]
            if len(stated) == 1:
                meant = stated
            else:
                meant = []
                fact = able[0].facts[name]
                readings = tuple(
                    Reading(
                        text=thing.label,
                        edits=(Edit(do="set", item=thing.label, name=name, value=thing.facts[name].value, quote=fact.quote),),
                    )
                    for thing in able
                )
                read[0].doubts.append(Doubt(item="", quote=fact.quote, about=(name,), readings=readings))
            for thing in able:
                if thing not in meant:
                    del thing.found.facts[name]
        kept: set[tuple[str, ...]] = set()
        for thing in read:
            for n, doubt in reversed(list(enumerate(thing.doubts))):
                if doubt.about in kept:
                    del thing.doubts[n]
                kept.add(doubt.about)

    def _bare_names(self, thing: Thing, first: int, last: int) -> None:
        """`VM build-01`, `app-{1,2,3}`, `app-1 to app-3`: names that nothing introduces."""
        scene = self.scene
        if "name" in thing.facts or not self._wants(thing, "name"):
            return
        from tools.rules.hearing.facts import _names_at

        for i in range(first, last):
            token = scene.said[i]
            if self._is_word_name(i, last):
                thing.found.say("name", scene.quote(i, i + 1), scene.quote(i - 1, i + 1))
                scene.use(i, i + 1)
                return
            asked_for = token.kind == "name" and scene.at(i - 1).does("ask_for") and not scene.used[i] and not scene.at(i).meanings
            if asked_for and "." not in token.text and not scene.at(i - 1).does("change", "with"):
                thing.found.say("name", scene.quote(i, i + 1), scene.quote(i - 1, i + 1))
                scene.use(i, i + 1)
                return
            as_one = scene.is_text(i + 1, "as") and token.kind in ("quoted", "name")
            if as_one and token.kind == "name" and not scene.used[i]:
                thing.found.say("name", scene.quote(i, i + 1), scene.quote(i, i + 1))
                scene.use(i, i + 1)
                return
            if token.kind == "quoted" and (as_one or scene.named_at(i)):
                thing.found.say("name", scene.text[token.start + 1 : token.end - 1], scene.quote(i, i + 1))
                scene.use(i, i + 1)
                return
            if token.kind != "name" or scene.used[i] or scene.denied[i] or scene.at(i).meanings:
                continue
            before = scene.at(i - 1)
            end, said = _names_at(scene, i, last, sure=False)
            places = set(before.names("fact")) & scene.words.placing or (before.does("lean") and not scene.is_text(i - 1, "as"))
            behind_thing = scene.named_at(i) or scene.named_at(i - 1)
            if said and not places and (len(said) > 1 or behind_thing) and "." not in said[0]:
                thing.found.say("name", ", ".join(said), scene.quote(i, end))
                scene.use(i, end)
                if len(said) > 1 and "count" not in thing.facts and self._wants(thing, "count"):
                    thing.found.say("count", str(len(said)), scene.quote(i, end))
                return

    def _own_make(self, thing: Thing, wanted: tuple[Wanted, ...]) -> None:
        """Who names the make that a capability is of has chosen it: another one in the message is what it replaces or stands beside."""
        scene, item = self.scene, self.request.item(thing.label)
        words = set(self.catalogue[thing.capability].WORDS)
        for one in wanted:
            ours = next((value for value, spelled in one.choices if {value.lower(), *spelled} & words), "") if one.kind == "choice" else ""
            named = ours and any(ours in scene.at(i).choices(one.name) for i in range(*thing.said))
            if named and one.name in thing.facts:
                del thing.found.facts[one.name]
            before = item.fact(one.name) if item else None
            if named and before and before.value != ours:
                thing.found.say(one.name, ours, scene.quote(*thing.said))

    def _take_back(self, thing: Thing, first: int, last: int) -> None:
        """`no data disks`, `forget the end date`, `any node`: a fact that is named to be denied, and no value of it."""
        scene, names = self.scene, {one.name for one in self._wanted(thing)}
        for mark in scene.marks_in(first, last):
            facts = [name for name in mark.names("fact") if name in names]
            if not facts or not first <= mark.first < last or not scene.free(mark.first, mark.last):
                continue
            lead = next((i for i in range(mark.first - 1, max(mark.first - 5, -1), -1) if scene.at(i).does("remove", "any", "deny")), None)
            nothing_between = lead is not None and all(
                scene.at(i).does("owned", "article", "remove", "any", "deny") for i in range(lead, mark.first)
            )
            if nothing_between or (
                scene.denied[mark.first] and any(scene.at(i).does("denied_after") for i in range(mark.last, min(mark.last + 4, last)))
            ):
                quote = scene.quote(lead if nothing_between and lead is not None else mark.first, mark.last)
                for name in facts:
                    thing.found.denied.append((name, "", quote))
                scene.use(mark.first, mark.last)

    def _relate(self, thing: Thing, first: int, last: int) -> None:
        """`behind the balancer`, `on different nodes`, `near the database`: how it stands to something else, or its machines do."""
        scene = self.scene
        for mark in scene.marks_in(first, last):
            kinds = mark.names("relation")
            if not kinds or not first <= mark.first < last or not scene.free(mark.first, mark.last):
                continue
            end = min(mark.last + 6, scene.sentence(mark.first)[1])
            to, close = "", mark.last
            for i in range(mark.last, end):
                token = scene.said[i]
                item = next((one for one in self.request.items if same(one.label) == same(token.text)), None)
                mention = next((m for m in scene.mentions if m.first == i), None)
                if item or token.kind in ("name", "quoted"):
                    to, close = item.label if item else scene.quote(i, i + 1).strip("\"'`"), i + 1
                    break
                if mention and not to:
                    known = next((one.label for one in self.request.items if one.capability in mention.names("service")), "")
                    to, close = known or scene.quote(mention.first, mention.last), mention.last
            if kinds[0] == "apart" or to:
                quote = scene.quote(mark.first, close)
                thing.relations.append((kinds[0], "" if kinds[0] == "apart" else to, quote))
                scene.use(mark.first, close if kinds[0] != "apart" else mark.last)

    def _is_word_name(self, number: int, last: int) -> bool:
        """`vm lark, 4 cores`: a word right behind its noun that means nothing else."""
        scene, token = self.scene, self.scene.said[number]
        if scene.words.language != ENGLISH:
            return False
        behind = scene.named_at(number)
        if (
            not behind
            or token.kind != "word"
            or scene.at(number).meanings
            or scene.words.fills(token)
            or token.text.endswith(("ly", "ing"))
        ):
            return False
        after = scene.token(number + 1)
        ends = after is None or scene.is_text(number + 1, ",", "(", "\n", ":", ".") or scene.at(number + 1).does("with")
        return ends and len(token.text) >= 3 and not scene.denied[number]

    def _copy(self, thing: Thing, first: int, last: int) -> None:
        scene = self.scene
        for mark in scene.marks_in(first, last):
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
        order: tuple[str, ...]
        if match.amount.kind == "size":
            order = ("memory", "disk", "volume", "disks")
        else:
            order = ("count", "memory", "disk", "disks", "money")
        return min(facts, key=lambda name: order.index(kinds[name]) if kinds[name] in order else 9)

    def _say_fact(self, thing: Thing, fact: str, several: list[Match], kinds: Mapping[str, str]) -> None:
        scene, last = self.scene, next((one for one in reversed(several) if not self.is_quoted(one)), several[-1])
        if self._contradict(thing, fact, several, kinds):
            return
        quote = scene.quote(last.first, last.last)
        if kinds[fact] == "count":
            product = self._product(several)
            if product:
                thing.found.say(fact, product[0], product[1])
                return
            thing.found.say(fact, self._changed(thing, fact, plain(last.amount.worth), last, quote), quote)
            return
        if kinds[fact] == "disks" or (kinds[fact] == "disk" and len(several) > 1 and not self._repeats(several)):
            values = [value for one in several for value in [self._sized(one.amount, kinds[fact])] * self._times(one)]
            whole = scene.quote(several[0].first, last.last)
            if kinds[fact] == "disk" and any(one == "disks" for one in kinds.values()):
                more = next(name for name, kind in kinds.items() if kind == "disks")
                thing.found.say(fact, values[0], scene.quote(several[0].first, several[0].last))
                thing.found.say(more, ", ".join(values[1:]), whole)
            else:
                thing.found.say(fact, ", ".join(values), whole)
            return
        thing.found.say(fact, self._changed(thing, fact, self._sized(last.amount, kinds[fact]), last, quote), quote)

    def is_quoted(self, match: Match) -> bool:
        """It stands in a mail that is answered: what is said now counts more."""
        start = self.scene.said[match.amount.first].start
        line = self.scene.text.rfind("\n", 0, start) + 1
        return self.scene.text[line:start].lstrip().startswith(">")

    def _contradict(self, thing: Thing, fact: str, several: list[Match], kinds: Mapping[str, str]) -> bool:
        """`4 cores and 8 cores`: two that cannot both be, and nothing tells which; it is asked."""
        worths = {one.amount.worth for one in several}
        if len(worths) < 2 or kinds[fact] not in ("count", "memory") or self._product(several) or self._repeats(several):
            return False
        if any(self.is_quoted(one) for one in several) or not all(
            any(self.scene.at(i).does("join") for i in range(a.last, b.first)) and b.first - a.last <= 2 for a, b in pairwise(several)
        ):
            return False
        quote = self.scene.quote(several[0].first, several[-1].last)
        values = [self._sized(one.amount, kinds[fact]) if kinds[fact] == "memory" else plain(one.amount.worth) for one in several]
        readings = tuple(
            Reading(
                text=f"{fact.replace('_', ' ')} {value}", edits=(Edit(do="set", item=thing.label, name=fact, value=value, quote=quote),)
            )
            for value in values
        )
        thing.doubts.append(Doubt(item=thing.label, quote=quote, about=(fact,), readings=readings))
        return True

    def _times(self, match: Match) -> int:
        """`two data disks of 300 GB`, `2 x 100 GB`: so many of that size."""
        scene, at = self.scene, min(match.first, match.amount.first) - 1
        while scene.is_text(at, "x", "×", "*"):
            at -= 1
        token = scene.token(at) if at >= 0 else None
        if (
            token
            and token.kind == "number"
            and not scene.used[at]
            and 2 <= token.value <= 24
            and "count" not in scene.at(at + 1).names("fact")
        ):
            scene.use(at, at + 1)
            return int(token.value)
        return 1

    def _repeats(self, several: list[Match]) -> bool:
        """The same thing said again, or corrected: `200 connections, no, 300 connections`."""
        return any(
            self.scene.at(i).does("deny", "affirm", "instead", "prefer", "or", "to") for i in range(several[0].last, several[-1].first)
        )

    def _mends(self, thing: Thing, size: Amount, kinds: Mapping[str, str]) -> bool:
        """`Sorry, I meant 8 GB`: it stands for the last size before it."""
        scene = self.scene
        if not any(scene.at(i).does("mends") for i in range(max(size.first - 4, 0), size.first)):
            return False
        said = [fact for fact in thing.facts.values() if kinds.get(fact.name) in ("memory", "disk") and fact.quote in scene.text]
        before = [fact for fact in said if scene.text.find(fact.quote) < scene.said[size.first].start]
        if not before:
            return False
        near = min(before, key=lambda fact: (abs((_worth(fact.value) or 0) - size.worth), -scene.text.find(fact.quote)))
        thing.found.say(near.name, size.text, scene.quote(size.first, size.last))
        scene.use(size.first, size.last)
        return True

    def _multiply(self, thing: Thing, first: int, last: int) -> None:
        """`half the ram`, `double the disk`: of what was said; of anything else it is told as unused."""
        scene, item = self.scene, self.request.item(thing.label)
        for mark in scene.marks_in(first, last):
            if not mark.does("double", "half") or item is None:
                continue
            label = next((m for m in scene.marks_in(mark.last, mark.last + 3) if m.names("fact")), None)
            fact = next((item.fact(name) for name in label.names("fact") if item.fact(name)), None) if label else None
            was = _worth(fact.value) if fact else None
            if label and fact and was is not None:
                now = was * (2 if mark.does("double") else 0.5)
                value = plain(now) if fact.value.isdigit() else f"{plain(now / GIB)} GB"
                thing.found.say(fact.name, value, scene.quote(mark.first, label.last))
                scene.use(mark.first, label.last)

    def _corrected(self, thing: Thing, rest: list[Amount], first: int, last: int) -> list[Amount]:
        """`not 100, 200` and `200 instead of 100`: the amount that is refused says which fact is meant."""
        scene, item = self.scene, self.request.item(thing.label)
        refused = [scene.said[i] for i in range(first, last) if scene.denied[i] and scene.said[i].kind in ("number", "size")]
        if item is None or len(refused) != 1 or len(rest) != 1 or rest[0].kind != refused[0].kind:
            return rest
        facts = [fact for fact in (*item.facts, *self.request.shared) if _worth(fact.value) == refused[0].value]
        if len(facts) != 1 or facts[0].name in thing.facts:
            return rest
        value = rest[0].text if rest[0].kind == "size" else plain(rest[0].worth)
        thing.found.say(facts[0].name, value, scene.quote(rest[0].first, rest[0].last))
        scene.use(rest[0].first, rest[0].last)
        return []

    def _label(self, match: Match) -> set[str]:
        return {same(self.scene.said[i].text) for i in range(match.first, match.last) if self.scene.at(i).names("fact")}

    def _product(self, several: list[Match]) -> tuple[str, str] | None:
        """`50 users with 20 connections each` are a thousand."""
        scene = self.scene
        if len(several) != 2 or set(several[0].facts) & MACHINE_SIZES or self._label(several[0]) == self._label(several[1]):
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
        if amount.text.lower().endswith("m") and amount.worth >= 10**6:
            return f"{amount.text[:-1].strip()} MB"
        return f"{plain(amount.worth)} MB" if kind == "memory" and amount.worth >= 256 else f"{plain(amount.worth)} GB"

    def _changed(self, thing: Thing, fact: str, value: str, match: Match, quote: str) -> str:
        """`4 GB more` is what there is and four more; nothing else of it is known here."""
        scene, item = self.scene, self.request.item(thing.label)
        before = next((one for one in (*(item.facts if item else ()), *self.request.shared) if one.name == fact), None)
        was = _worth(before.value) if before else None
        around = [scene.at(i) for i in range(match.first - 1, min(match.last + 1, len(scene.said)))]
        adds = any(one.does("more") for one in around) or (scene.at(match.amount.first - 1).does("by") and not self._lowers(match))
        if was is None or not adds:
            return value
        total = was + match.amount.worth
        return plain(total) if match.amount.kind == "number" and before and before.value.isdigit() else f"{plain(total / 2**30)} GB"

    def _lowers(self, match: Match) -> bool:
        first, _ = self.scene.sentence(match.first)
        return any(self.scene.is_text(i, "reduce", "decrease", "lower", "shrink", "less") for i in range(first, match.last))

    def _settle(self, thing: Thing, rest: list[Amount], wanted: tuple[Wanted, ...]) -> None:
        """What has no label."""
        scene = self.scene
        kinds = {one.name: one.kind for one in wanted}
        told = [one for one in rest if one.kind == "number"]
        short = len(told) == 1 and len(scene.said) <= 6 and not thing.new and "count" in kinds and not thing.facts
        if short and any(scene.at(i).does("change") and scene.is_text(i + 1, "it", "them") for i in range(len(scene.said))):  # `make it 3`
            thing.found.say("count", plain(told[0].worth), scene.quote(told[0].first, told[0].last))
            scene.use(told[0].first, told[0].last)
        sums = [one for one in rest if one.kind == "money"]
        budget = next((one.name for one in wanted if one.kind == "money"), "")
        if sums and budget:
            thing.found.say(budget, sums[-1].text, scene.quote(sums[-1].first, sums[-1].last))
            scene.use(sums[-1].first, sums[-1].last)
        sizes = [one for one in rest if one.kind == "size" and not _of_something_else(scene, one)]
        sizes = [one for one in sizes if not self._mends(thing, one, kinds)]
        lacking = [one for one in wanted if one.name not in thing.facts and kinds[one.name] in NUMERIC]
        volume = next((one.name for one in lacking if one.kind == "volume"), "")
        for size in [size for size in sizes if volume and not is_usual_memory(size.worth)][:1]:
            if any(
                mark.first - size.last in (0, 1) for mark in scene.mentions if thing.capability in mark.names("service")
            ):  # `100 GB database`
                thing.found.say(volume, size.text, scene.quote(size.first, size.last))
                scene.use(size.first, size.last)
                sizes.remove(size)
        disks = [mark.first for mark in scene.marks if "disk" in mark.names("fact")]
        is_listed = "disk" in thing.facts and bool(sizes) and bool(disks) and sizes[0].first > disks[0]
        given, doubtful = by_order(sizes, lacking, is_listed=is_listed)
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
        """`one web and one indexer machine each, 2 cores 8 GB`: the sizes are of both; `and the same for production`: so are most facts."""
        for one, after in reversed(list(pairwise(self.things))):
            if one.alike and one.capability == after.capability:
                _take_over(one, after, set(after.facts) - OWN)
        for one, after in pairwise(self.things):
            if after.again and one.capability == after.capability:
                _take_over(after, one, set(one.facts) - OWN)
        for one in self.things[:-1]:  # `Both: Ubuntu`, after the last of them
            last = self.things[-1]
            for wanted in self._wanted(last) if last.capability == one.capability and last.new else ():
                fact = last.facts.get(wanted.name)
                if (
                    wanted.kind in ("choice", "version")
                    and fact
                    and wanted.name not in one.facts
                    and wanted.name not in SHARED
                    and self._is_apart(last, fact)
                ):
                    one.facts[wanted.name] = fact
        each = next((n for n, thing in enumerate(self.things) if thing.each and _sizes(thing)), None)
        for one in self.things[:each] if each else ():
            if not _sizes(one) and not one.row:
                _take_over(one, self.things[each or 0], MACHINE_SIZES & {wanted.name for wanted in self._wanted(one)})

    def _is_apart(self, thing: Thing, fact: Fact) -> bool:
        """It is said in another sentence than the one that names the thing."""
        scene = self.scene
        if thing.said == (0, 0):
            return False
        first, last = scene.sentence(thing.said[0])
        at = scene.text.find(fact.quote, scene.said[first].start)
        return at >= 0 and last < len(scene.said) and at > scene.said[last].start

    def _drop_empty(self) -> None:
        """`vms on network 20: one small (1 core, 2 GB), one large (8 cores, 16 GB)`: the word before them names no thing of its own."""
        sized = [thing for thing in self.things if thing.new and _sizes(thing)]
        for thing in list(self.things):
            own = set(thing.facts) - SHARED - {"role"}
            others = [one for one in sized if one is not thing and one.capability == thing.capability]
            if thing.new and not own and others and not thing.copied and not thing.doubts and not thing.row:
                for one in others:
                    _take_over(one, thing, SHARED)
                self.things.remove(thing)

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
            if "address" in like.facts and "address" in thing.facts:
                both_addresses = f"{like.facts['address'].value}, {thing.facts['address'].value}"
                like.found.say("address", both_addresses, thing.facts["address"].quote)
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
                if thing.copied and self._is_item(thing.copied):
                    made.append(Edit(do="copy", item=thing.copied, name=label, quote=thing.quote))
                else:
                    made.append(Edit(do="add", item=label, name=thing.capability, quote=thing.quote or thing.capability))
                    if thing.copied:
                        thing.relations.append(("like", thing.copied, thing.quote))
            for fact in thing.facts.values():
                if fact.name not in shared:
                    made.append(Edit(do="set", item=thing.label, name=fact.name, value=fact.value, quote=fact.quote))
            for kind, to, quote in thing.relations:
                made.append(Edit(do="relate", item=thing.label, name=kind, value=to, quote=quote))
        made += [Edit(do="set", name=fact.name, value=fact.value, quote=fact.quote) for fact in shared.values()]
        made += self._unsets()
        return made

    def _is_item(self, called: str) -> bool:
        return any(
            called.lower() in (item.label, *((fact.value.lower(),) if (fact := item.fact("name")) else ())) for item in self.request.items
        )

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
                if fact is None or name in thing.facts:
                    continue
                several, refused = fact.value.split(", "), value.split(", ")
                left = [one for one in several if one not in refused]
                if value and 0 < len(left) < len(several):
                    made.append(Edit(do="set", item=thing.label if own else "", name=name, value=", ".join(left), quote=quote))
                elif not value or fact.value.lower() == value.lower():
                    made.append(Edit(do="unset", item=thing.label if own else "", name=name, quote=quote))
        return made

    def _tells_another(self, mark: Mark) -> bool:
        """`backup contact`, `a snapshot disaster`: no wish, but a word that tells another noun."""
        scene, after = self.scene, self.scene.token(mark.last)
        noun = (
            after is not None
            and scene.words.language == ENGLISH
            and after.kind == "word"
            and not scene.at(mark.last).meanings
            and not scene.words.fills(after)
        )
        if after is not None and any(m.first == mark.last for m in scene.mentions):
            return True  # `backup vm`
        return noun and not after.text.endswith("ly") and not after.glued if after else False

    def _cell_wishes(self) -> tuple[Edit, ...]:
        said = [wish for thing in self.things for wish in thing.found.wishes]
        return tuple(Edit(do="wish", name=wish.kind, value=wish.text, quote=wish.text) for wish in said)

    def _wishes(self) -> tuple[Edit, ...]:
        scene, found = self.scene, []
        for mark in scene.marks:
            kinds = mark.names("wish")
            if not kinds or not scene.free(mark.first, mark.last) or self._tells_another(mark):
                continue
            quote = scene.quote(mark.first, mark.last)
            if scene.denied[mark.first]:
                found += [Edit(do="unwish", name=kinds[0], quote=quote)] if any(w.kind == kinds[0] for w in self.request.wishes) else []
                scene.use(mark.first, mark.last)
                continue
            found.append(Edit(do="wish", name=kinds[0], value=quote, quote=quote))
            scene.use(mark.first, mark.last)
        return tuple({edit.name: edit for edit in reversed(found)}.values())[::-1]


def _values(item: Item, name: str) -> tuple[str, ...]:
    fact = item.fact(name)
    return tuple(fact.value.lower().split(", ")) if fact else ()


def _sizes(thing: Thing) -> set[str]:
    return {name for name in thing.facts if name in MACHINE_SIZES}


def _take_over(one: Thing, other: Thing, names: AbstractSet[str]) -> None:
    for name in [name for name in other.facts if name in names]:
        one.facts.setdefault(name, other.facts[name])


def _of(doubt: Doubt, label: str) -> Doubt:
    readings = tuple(
        Reading(text=one.text, edits=tuple(edit.model_copy(update={"item": label}) for edit in one.edits)) for one in doubt.readings
    )
    return Doubt(item=label, quote=doubt.quote, about=doubt.about, readings=readings)


def _worth(value: str) -> float | None:
    size_bytes, number = quantities.size_bytes(value), quantities.count(value)
    return size_bytes if size_bytes is not None else number


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
