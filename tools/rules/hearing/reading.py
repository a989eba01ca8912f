"""Reads a message into edits of a request, by rules alone: tokens, what they mean, what they are about, and one assignment of values to
facts. It is the offline model's brain. What is in doubt is asked, what is of no use is told, and nothing is settled silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import zip_longest

from tools.rules.hearing.assignment.amounting import say_afar
from tools.rules.hearing.assignment.cells import Cell, cells_of
from tools.rules.hearing.assignment.forms import Form
from tools.rules.hearing.assignment.labels import is_label, is_section
from tools.rules.hearing.assignment.portions import read_there
from tools.rules.hearing.assignment.saying import read_kind, read_stretch
from tools.rules.hearing.assignment.thing import DATES, MACHINE_SIZES, SHARED, Thing
from tools.rules.hearing.assignment.things import Message
from tools.rules.hearing.assignment.vague import ask_once, scale_asked
from tools.rules.hearing.edits.answers import Asked, answer
from tools.rules.hearing.edits.changing import changes, wishes
from tools.rules.hearing.edits.correcting import again, as_before, correct, recently, redirect
from tools.rules.hearing.edits.enlarging import joins_what_runs
from tools.rules.hearing.edits.inquiring import is_question
from tools.rules.hearing.edits.renaming import renamed
from tools.rules.hearing.edits.restoring import restores
from tools.rules.hearing.edits.taking import keep_from, take_away
from tools.rules.hearing.edits.unused import PHRASE_LENGTH_MAX, give_back, sign_off, unused
from tools.rules.hearing.groups.grouping import Group
from tools.rules.hearing.groups.naming import DIGITS, Called, names
from tools.rules.hearing.groups.parting import groups
from tools.rules.hearing.known import NOTHING_KNOWN, Known
from tools.rules.hearing.layout import printed, resource
from tools.rules.hearing.layout.cleaning import clean, spaced, under_headings
from tools.rules.hearing.layout.files import pasted, without
from tools.rules.hearing.layout.pieces import CELLS_MAX, PIECES_MAX, Piece, pieces
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens.cutting import TOKENS_MAX
from tools.rules.hearing.words.able import COUNT
from tools.rules.hearing.words.dictionary import Catalogue, lexicon
from tools.rules.hearing.words.meanings import same
from tools.rules.names.naming import listed
from tools.values.request import Doubt, Edit, Edits, Item, Reading, Request
from tools.values.wanted import Wanted

PLAIN_MACHINE = "virtual_machine"
"""What a configuration of a guest asks for."""
TEXT_LENGTH_MAX = 16_384
"""Characters of a message that are listened to. A request for infrastructure is a few sentences."""


def read(
    text: str,
    request: Request,
    catalogue: Catalogue,
    asked: Asked = (),
    today: date = date.min,
    before: Request | None = None,
    known: Known = NOTHING_KNOWN,
) -> Edits:
    """What this message changes of the request, asks or wishes. `asked` are the questions that it may answer, `before` is the request
    before the last message, which this one may correct; `known` is what the world has."""
    text = text[:TEXT_LENGTH_MAX]
    if guest := printed.printed(text) or resource.written(text):
        rest = printed.without(text, guest)
        heard = read(rest, request, catalogue, asked, today, before, known)
        if any(edit.do == "add" for edit in heard.edits):
            return _with_guest(heard, guest, request)
        label = _next_label(request)
        item = Item(capability=PLAIN_MACHINE, label=label)
        beside = read(rest, request.model_copy(update={"items": (*request.items, item)}), catalogue, asked, today, before, known)
        return _with_guest(beside, guest, request)
    files = pasted(text)
    words = lexicon(catalogue)
    cleaned = under_headings(clean(without(text, files)), lambda heading: is_label(words, heading) or is_section(words, heading))
    earlier = " ".join(fact.quote for facts in (request.shared, *(item.facts for item in request.items)) for fact in facts)
    scene = Scene.of(text, spaced(cleaned), catalogue, earlier, frozenset(item.capability for item in request.items))
    scene.known, scene.asked = known, frozenset(name for _, name in asked)
    scene.recent = recently(request, before)
    changed = [item.label for item in request.items if before is not None and item not in before.items]
    scene.latest = frozenset(label for label in changed if before and not before.item(label)) or frozenset(changed)
    if restores(scene, request, before):
        return Edits(undo=1)
    message = Message(scene, request, catalogue, today, asked=asked)
    message.handed = next((service for one in files if (service := scene.words.service(one.runs_on))), "")
    heard = _Reader(message, before).edits(cleaned, asked) if scene.said or files else Edits()
    if not files:
        return heard
    taken = tuple((one.called, edit.name) for one in files for edit in heard.edits if edit.do == "add" and edit.name == message.handed)
    return heard.model_copy(update={"unused": (*heard.unused, *(one.called for one in files)), "taken": taken})


def _with_guest(heard: Edits, guest: printed.Printed, request: Request) -> Edits:
    """What was heard of the rest comes last, so that it counts where both say something. A machine that is named there is the one that the
    configuration is of."""
    named = [edit.item for edit in heard.edits if edit.do == "add" and edit.name == PLAIN_MACHINE]
    label = named[0] if len(named) == 1 else _next_label(request)
    adds = () if len(named) == 1 else (Edit(do="add", item=label, name=PLAIN_MACHINE, quote=guest.facts[0].quote),)
    first = tuple(edit for edit in heard.edits if edit.do == "add")
    said = {edit.name for edit in heard.edits if edit.do == "set" and edit.item == label}
    own = tuple(edit.model_copy(update={"item": label}) for edit in guest.facts if edit.name not in said)
    copies = {edit.name for edit in heard.edits if edit.do == "copy" and edit.item == label}  # `one like this`: the printed one itself
    rest = tuple(
        edit.model_copy(update={"item": label}) if edit.item in copies else edit
        for edit in heard.edits
        if edit.do != "add" and not (edit.do == "copy" and edit.name in copies)
    )
    return heard.model_copy(update={"edits": (*first, *adds, *own, *rest), "unused": (*heard.unused, *guest.left)})


def _next_label(request: Request) -> str:
    """That nothing of the request has yet."""
    taken = {item.label for item in request.items}
    several = (PLAIN_MACHINE, *(f"{PLAIN_MACHINE}-{n}" for n in range(2, len(taken) + 2)))
    return next(one for one in several if one not in taken)


class _Reader:
    def __init__(self, message: Message, before: Request | None) -> None:
        self.message, self.scene, self.before = message, message.scene, before
        self.gone: list[Edit] = []
        """What the message takes out of the request."""
        self.instead: list[tuple[Thing, Item, set[str]]] = []
        """(what comes, what goes, the facts of that that go too)."""

    def edits(self, cleaned: str, asked: Asked) -> Edits:
        scene, message = self.scene, self.message
        sign_off(scene)
        words = scene.words
        layout = pieces(cleaned, lambda text: is_label(words, text), lambda text: is_section(words, text), words.is_thing)
        cells, spans, remarks = cells_of(scene, layout)
        asks, question = is_question(scene, spans)
        if scene.marks_of("informs") and not scene.marks_of("ask_for"):
            scene.leave(0, len(scene.said))
        self.gone += [] if cells else renamed(scene, message.request)
        called = [one for first, last, _ in spans for one in names(scene, first, last)]
        for one in called:
            scene.use(one.first, one.last)
        for first, last in remarks:
            scene.use(first, last)
        message.remarks = tuple(scene.skip(first, last, "article", "ask_for") for first, last in remarks)
        stretches = [*((first, last) for first, last, _ in spans), *((cell.first, cell.last) for cell in cells), *remarks]
        for i in set(range(len(scene.said))) - {i for first, last in stretches for i in range(first, last)}:
            scene.settle(i, i + 1)  # marks of lists, lines of a log and the like
        if asked and not cells and not called and not self.gone and _may_answer(message, asked):
            used = bytes(scene.used)
            found = scale_asked(message, asked) or answer(scene, message.request, asked, message.catalogue, message.today)
            if found:
                return Edits(edits=tuple(found), unused=unused(scene))
            scene.used[:] = used
        taken = Edits() if cells else take_away(scene, message.request)
        for cell in cells:
            scene.use(cell.begin, cell.last)
        starts_over = self._start_over()
        found_groups, removed = groups(scene, spans, message.request)
        self._take_out(found_groups, removed)
        message.make(found_groups, cells)
        self._go_back()
        self._read(found_groups, removed, cells, called, bool(spans))
        self._stand_in(found_groups, removed, asked)
        made = changes(message)
        doubts = tuple(doubt for thing in message.things for doubt in thing.doubts)
        made = keep_from(scene, message.request, [*made, *wishes(message)])
        doubts, edits = (*taken.doubts, *doubts), (*taken.edits, *self.gone, *made)
        readings = (edit for doubt in doubts for reading in doubt.readings for edit in reading.edits)
        give_back(scene, [edit.quote for edit in (*edits, *readings)] + [doubt.quote for doubt in doubts])
        told = (*taken.unused, *unused(scene), *self._beyond(layout))
        return Edits(
            edits=edits,
            doubts=doubts,
            asks=asks and not cells,
            question=question,
            unused=told,
            joins=joins_what_runs(scene),
            starts_over=starts_over,
        )

    def _beyond(self, layout: Sequence[Piece]) -> tuple[str, ...]:
        """The line that begins what is not read, of a message that is too long."""
        text, said = self.scene.text, self.scene.said
        ends = [
            len(text),
            said[-1].end if len(said) == TOKENS_MAX else len(text),
            layout[-1].end if len(layout) > PIECES_MAX - CELLS_MAX else len(text),
        ]
        rest = text[min(ends) :].strip()
        return (f"{rest.splitlines()[0][:PHRASE_LENGTH_MAX]} …",) if rest else ()

    def _read(self, found: list[Group], removed: list[Group], cells: list[Cell], called: list[Called], is_prose: bool) -> None:
        """Everything that is said, each of the thing that it is about."""
        message, scene, made = self.message, self.scene, list(self.message.things)
        if called and not found and not made and message.request.items and (more := message.one_more()):
            message.things.append(more)  # `another like it called shop-b`
            read_stretch(message, more)
        self._name(called, found)
        form = Form(message, cells)
        form.read(found)
        for group in found:
            for kind, after in zip_longest(group.kinds, group.kinds[1:]):
                read_kind(message, made[group.thing], kind, after.head.start if after else group.last)
            read_there(message, made[group.thing] if group.thing >= 0 else message.of_all_rows(), group.first, group.last)
            if group.kinds and scene.any_does(group.kinds[-1].head.last, group.last, "each"):
                made[group.thing].size_alike(group.kinds[-1].name, scene.words.able[group.capability].parts)
        for group in (group for group in found if group.thing >= 0):
            for n in group.also:
                made[found[n].thing].take_over(made[group.thing], MACHINE_SIZES)
        for thing in made if len(found) > 1 else ():
            say_afar(message, thing)
            self._name_by_series(thing, found)
        if not found and message.things and is_prose:
            read_stretch(message, message.of_all_rows() if any(thing.row for thing in message.things) else message.things[-1])
        form.place_under_headings()
        if self.before is not None and not cells:
            redirect(message, self.before) or again(message, self.before)
        if message.request.items and not cells and as_before(message):
            return
        if not found and not message.things and message.request.items and not removed:
            if correct(message) or message.speaks_of_another():
                pass
            elif more := message.one_more():
                message.things.append(more)
                read_stretch(message, more)
            else:
                _read_for_all(message)

    def _stand_in(self, found: list[Group], removed: list[Group], asked: Asked) -> None:
        """`vm, not web server`: what comes instead is as what goes was. So is what was offered in the place of what cannot be."""
        scene, request = self.scene, self.message.request
        gone = [(one.head, item) for one in removed if scene.denied[one.head.first] and (item := request.item(one.label))]
        made = [thing for thing in self.message.things if thing.new]
        if len(gone) == len(made) == 1 and scene.sentence(gone[0][0].first) == scene.sentence(made[0].first):
            self._be_as(made[0], gone[0][1], set())
        elif len(made) == 1 and not removed and not self.instead and (item := self._instead_of(made[0], found, asked)):
            self._be_as(made[0], item, {name for label, name in asked if label == item.label})
            self.gone.append(Edit(do="remove", item=item.label, quote=made[0].quote))
            scene.use(*scene.sentence(made[0].said[0]))
        for thing, item, but in self.instead:
            self._be_as(thing, item, but)

    def _be_as(self, thing: Thing, item: Item, disputed: set[str]) -> None:
        """What it wants of what was said; what one calls users and the other connections is one."""
        wanted = {one.name: one for one in self.message.wanted(thing) if one.name not in disputed}
        was = {one.name: one for one in self.message.catalogue[item.capability].WANTED}
        alike = {name: [one.name for one in wanted.values() if _are_one(one, was.get(name))] for name in was if name not in wanted}
        facts = {fact.name: fact for fact in item.facts if fact.name in wanted}
        for fact in item.facts:
            if len(names := alike.get(fact.name, [])) == 1:
                facts.setdefault(names[0], fact.model_copy(update={"name": names[0]}))
        thing.found.facts = facts | thing.facts

    def _instead_of(self, thing: Thing, found: list[Group], asked: Asked) -> Item | None:
        """The one item whose place it may take: as it was offered, or since it is the plainer of the two (`plain PostgreSQL`)."""
        offered = {label for label, name in asked if name == thing.capability}
        plain = self.scene.is_listed(thing.said[0] - 1, "bare")
        wanting = (
            item
            for item in self.message.request.items
            for one in self.message.catalogue[item.capability].WANTED
            if plain and thing.capability in one.instead_of
        )
        meant = [item for item in self.message.request.items if item.label in offered] or list(dict.fromkeys(wanting))
        mine = (group for group in found if group.thing >= 0 and self.message.things[group.thing] is thing)
        meant = meant or [group.gone for group in mine if group.gone]
        return meant[0] if len(meant) == 1 else None

    # What goes.

    def _go_back(self) -> None:
        """`no load balancer`: what was meant because of it is again the service without it, as far as that can be said of it."""
        scene, message = self.scene, self.message
        for item in message.request.items:
            for one in (one for one in message.catalogue[item.capability].WANTED if one.instead_of):
                marks = (mark for mark in scene.marks if one.name in (*mark.names("wish"), *mark.facts(item.capability)))
                mark = next((mark for mark in marks if scene.takes_back(mark)), None)
                if mark is None or any(thing.label == item.label for thing in message.things):
                    continue
                first = scene.clause(mark.first)
                plain = Thing(one.instead_of[0], "", True, scene.quote(first, mark.last))
                message.things.append(plain)
                self.gone.append(Edit(do="remove", item=item.label, quote=plain.quote))
                self.instead.append((plain, item, {one.name, one.same_as}))
                scene.use(first, mark.last)

    def _start_over(self) -> bool:
        """Nothing of what was said so far counts any more."""
        scene, request = self.scene, self.message.request
        mark = next(iter(scene.marks_of("start_over")), None)
        if mark and request.items:
            quote = scene.quote(mark.first, mark.last)
            self.gone += [Edit(do="remove", item=item.label, quote=quote) for item in request.items]
            if not scene.known.built:  # what runs stays as it is, with what was said of it
                self.gone += [Edit(do="unset", name=fact.name, quote=quote) for fact in request.shared]
                self.gone += [Edit(do="unwish", item=wish.item, name=wish.kind, quote=quote) for wish in request.wishes]
            scene.use(mark.first, mark.last)
            self.message.request = Request()
        return mark is not None

    def _take_out(self, found: Sequence[Group], removed: Sequence[Group]) -> None:
        """What is removed; of `only the web server` all others. What is none of ours is told, whatever is to be done to it."""
        scene, items = self.scene, self.message.request.items
        if len(items) > 1 and found and not any(group.new for group in found):
            head = found[0].head
            small = [i for i in range(scene.sentence(head.first)[0], head.first) if not scene.does(i, "owned", "article")]
            if small and len(small) <= 3 and scene.does(small[-1], "only") and head.lead.number is None:
                meant, quote = {group.label for group in found}, scene.quote(0, head.last)
                gone = [item.label for item in items if item.label not in meant and item.label not in scene.known.built]
                self.gone += [Edit(do="remove", item=label, quote=quote) for label in gone]
        for group in removed:
            head, known = group.head, any(item.label == group.label for item in items)
            clause = scene.clause(head.first)
            quote = scene.quote(clause, head.last)
            scene.use(clause, head.last)
            changed = not known and scene.any_does(scene.sentence(head.first)[0], group.first, "change", "touch")
            self.gone.append(Edit(do="unset" if changed else "remove", item=group.label, name="name" if changed else "", quote=quote))

    # Of what each is said.

    def _name(self, called: Sequence[Called], found: Sequence[Group]) -> None:
        """Each name is of the thing whose words it stands among."""
        scene, message = self.scene, self.message
        for one in called:
            owner = next((group.thing for group in found if group.first <= one.first < group.last and group.thing >= 0), -1)
            able = [item for item in message.request.items if any(w.name == "name" for w in message.catalogue[item.capability].WANTED)]
            latest = [item for item in able if item.label in scene.latest] if len(one.names) == 1 else []
            able = latest if len(latest) == 1 else able
            thing = message.things[owner] if message.things else message.thing_of(able[0]) if len(able) == 1 else None
            if thing is None:
                self._deal_out_names(one, able)
                continue
            kinds = scene.words.able[thing.capability].kinds
            label, others = scene.at(one.begin - 1), scene.at(one.first - 1).names("fact")
            others = others if label.does("called") else label.names("fact") or others
            fact = next((name for name in others if kinds.get(name) in ("name", "text", "network", "node", "storage")), "name")
            if fact in kinds:
                thing.found.say(fact, ", ".join(one.names), scene.quote(one.first, one.last))

    def _deal_out_names(self, called: Called, items: Sequence[Item]) -> None:
        """`call them www1, www2 and db1`, of several things: as many names as there are machines."""
        message, left = self.message, list(called.names)
        counts = {item.label: message.counted(Thing(item.capability, item.label, False, ""), COUNT)[1] or 1 for item in items}
        kinds = [items, *([item for item in items if item.capability == one] for one in {item.capability: None for item in items})]
        meant = next((several for several in kinds if sum(counts[item.label] for item in several) == len(left)), [])
        for item, count in ((item, counts[item.label]) for item in meant):
            mine, left = left[:count], left[count:]
            quote = self.scene.quote(called.first, called.last)
            message.thing_of(item).edits.append(Edit(do="set", item=item.label, name="name", value=", ".join(mine), quote=quote))
        if left:
            self.scene.used[called.first : called.last] = bytes(called.last - called.first)

    def _name_by_series(self, thing: Thing, found: Sequence[Group]) -> None:
        """`three VMs web01, web02 and db01. web ones 2 cores, db 4 cores`: each group has the names that begin with its word."""
        scene, message = self.scene, self.message
        for group in found:
            names = listed(thing.facts["name"].value) if "name" in thing.facts else ()
            words = {scene.token(i).text for i in range(group.first, min(group.first + 2, group.last))}
            mine = [name for name in names if name[-1].isdecimal() and name.lower().rstrip(DIGITS) in words]
            other = message.things[group.thing]
            if other is thing or not other.new or other.capability != thing.capability or not 0 < len(mine) < len(names):
                continue
            quote = thing.facts["name"].quote
            for one, its in ((other, mine), (thing, [name for name in names if name not in mine])):
                one.found.say("name", ", ".join(its), quote)
                one.found.say(COUNT, str(len(its)), quote)


def _are_one(one: Wanted, other: Wanted | None) -> bool:
    return other is not None and one.kind == other.kind == "count" and not {*one.words}.isdisjoint(other.words)


def _may_answer(message: Message, asked: Asked) -> bool:
    """Nothing in it asks for a new thing, or says which of several it is about. Where it was asked how many machines there are to be, `3
    machines` says that."""
    scene, items = message.scene, len(message.request.items)
    if scene.marks_of("start_over"):
        return False  # whatever was asked, it is no name
    if {name for mark in scene.mentions for name in mark.names("service")} & {name for _, name in asked}:
        return False  # what was offered instead
    kinds = {name for item in message.request.items for name in scene.words.able[item.capability].kinds}
    own = any(f"{same(scene.token(mark.last - 1).text)}s_{COUNT}" in kinds for mark in scene.mentions)  # `3 servers` of a cluster
    if any(fact == COUNT for _, fact in asked) and all(mark.names("body") for mark in scene.mentions) and not own:
        return True
    verbs = any(mark.does("ask_for", "copy", "another", "remove") and not mark.does("change", "link") for mark in scene.marks)
    introduced = any(scene.does(m.first - 1, "article", "more") or scene.kind(m.first - 1) == "number" for m in scene.mentions if m.first)
    return not (scene.mentions and (verbs or items > 1)) and not introduced


def _read_for_all(message: Message) -> None:
    """A message that names nothing is about what there is: each fact about the item that wants it; of several, it is asked."""
    scene, request = message.scene, message.request
    before, used = bytes(scene.used), bytearray(scene.used)
    told = any(mark.does("each") for mark in scene.marks) or any(scene.is_listed(i, "everything") for i in range(len(scene.said)))
    goes_on = scene.does(0, "join", "with") or any(
        scene.is_text(i, "it") for i in range(len(scene.said))
    )  # `and four cores`, `give it 8 GB`
    for item in _pointed_at(scene, request.items) or _lately(scene, request.items) or request.items:
        scene.used[:] = before
        thing = Thing(item.capability, item.label, False, "")
        message.things.append(thing)
        read_there(message, thing)
        used = bytearray(a | b for a, b in zip(used, scene.used, strict=True))
    scene.used[:] = used
    ask_once(message.things)
    for name in dict.fromkeys(name for thing in message.things for name in thing.facts):
        able = [thing for thing in message.things if name in thing.facts]
        if len(able) < 2 or told or name in SHARED | DATES:
            continue
        stated = [thing for thing in able if (there := request.item(thing.label)) and there.fact(name)]
        latest = [thing for thing in able if goes_on and thing.label in scene.latest]
        stated = latest if len(latest) == 1 and (len(stated) != 1 or scene.does(0, "with")) else stated  # `with a 500 GB disk`
        if len(stated) != 1:
            message.things[0].doubts.append(_whose(able, name))
        for thing in able:
            if len(stated) != 1 or thing is not stated[0]:
                del thing.facts[name]
    for n, thing in enumerate(message.things):
        others = {doubt.about for one in message.things[:n] for doubt in one.doubts}
        thing.doubts = [doubt for doubt in thing.doubts if doubt.about not in others]


def _pointed_at(scene: Scene, items: Sequence[Item]) -> list[Item]:
    """`gitlab with 16 GB`: the one item of which that was said."""
    chosen = {
        (name, value) for mark in scene.marks for name in mark.names("choice") for value in mark.choices(name) if name in scene.words.alone
    }
    found = [item for item in items if any((fact.name, fact.value) in chosen for fact in item.facts)]
    return found if len(found) == 1 else []


def _lately(scene: Scene, items: Sequence[Item]) -> list[Item]:
    """`4 cores each for those`: of what was spoken of last."""
    points = any(scene.is_listed(i, "those") and scene.stops(i + 1) for i in range(len(scene.said)))
    points = points and not scene.any_listed(0, len(scene.said), "everything")
    latest = [item for item in items if item.label in scene.latest]
    return latest if points and len(latest) == 1 else []


def _whose(able: Sequence[Thing], name: str) -> Doubt:
    readings = []
    for thing in able:
        fact = thing.facts[name]
        readings.append(
            Reading(
                text=thing.label.replace("_", " "), edits=(Edit(do="set", item=thing.label, name=name, value=fact.value, quote=fact.quote),)
            )
        )
    return Doubt(item="", quote=able[0].facts[name].quote, about=(name,), readings=tuple(readings))


__all__ = ["Asked", "read"]
