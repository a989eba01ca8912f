"""Fields of forms and cells of tables: what is read of a value whose label says what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.rules.hearing.assignment.facts import READERS
from tools.rules.hearing.assignment.labels import Labelled, label_of
from tools.rules.hearing.assignment.places import addresses_at, folder_at, measures
from tools.rules.hearing.assignment.ports import ports_at
from tools.rules.hearing.assignment.stretch import Stretch
from tools.rules.hearing.assignment.values import AMOUNTS, SIZES, amounts, plain, takes
from tools.rules.hearing.groups.head import says_machine_size
from tools.rules.hearing.groups.naming import BRIDGE, names_at
from tools.rules.hearing.layout.pieces import SECTION, Piece
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens.dates import days
from tools.rules.hearing.words.able import COUNT
from tools.rules.hearing.words.meanings import same
from tools.values.request import Wish
from tools.values.wanted import Wanted

VALUE_LENGTH_MAX = 200
PARTS = frozenset(("disk", "data_disks", "network"))
"""What a machine has several of, each of which may have a name."""


@dataclass
class Cell:
    label: Labelled
    first: int
    last: int
    """The tokens of its value."""
    row: int = 0
    thing: int | None = None
    label_first: int = -1
    """The token that its label begins with, when that stands right before it."""
    beside: Sequence[int] = ()
    """The tokens of other places than the one that was read."""
    again: bool = False
    """The same was told of the thing already: a second disk."""

    @property
    def facts(self) -> tuple[str, ...]:
        return self.label.facts

    @property
    def told(self) -> tuple[str, ...]:
        """The facts that it says, those of machines of one kind apart."""
        return tuple(f"{self.label.part}_{name}" for name in self.facts) if self.label.part else self.facts

    @property
    def is_section(self) -> bool:
        """A heading that tells where all that stands below it is to be."""
        return SECTION in self.facts and self.label_first < 0 and not self.row

    @property
    def begin(self) -> int:
        return self.label_first if self.label_first >= 0 else self.first

    def read(self, at: Stretch) -> None:
        """The value, for the first fact that it can be of; what nothing can be made of is left to be told. `at` is the cell."""
        scene = at.scene
        text = scene.quote(self.first, self.last).strip(" _*.-").lower()
        if not text or scene.is_empty(text):
            return
        scene.used[self.first : self.last] = bytes(self.last - self.first)
        theirs = [f"{self.label.part}_{name}" for name in self.facts] if self.label.part else []
        facts = [name for name in theirs if name in at.able.by_name] or [name for name in self.facts if name in at.able.by_name]
        part = f"{same(scene.token(self.label_first).text)}s_{COUNT}"
        facts = [part] if facts == [COUNT] and part in at.able.parts else facts  # `servers: 3` of a cluster
        if self.row and "disk" in at.found.facts and facts == ["data_size"] and at.able.named("disks"):
            facts = [at.able.named("disks")]  # a column `Data` behind one of the system's
        facts = facts or [COUNT] * (COUNT in at.able.by_name and not scene.words.recounting.isdisjoint(self.facts))
        for one in sorted((at.able.by_name[name] for name in facts), key=lambda one: (one.name not in at.able.parts, _is_loose(one))):
            if self._value(at, one):
                scene.use(self.first, self.last)
                for i in self.beside:
                    scene.leave(i, i + 1)  # `Prod and Test`
                    scene.used[i] = 0
                if "vlan" in self.facts and "vlan" in at.able.kinds and scene.kind(self.first) == "number":
                    at.found.say("vlan", plain(scene.said[self.first].value), scene.quote(self.first, self.last))
                return
        if self.label.wishes:
            if not scene.is_listed(self.first, "no"):
                at.found.wishes.append(Wish(kind=self.label.wishes[0], text=scene.quote(self.begin, self.last)))
            if not self.facts:
                scene.use(self.first, self.last)

    def _value(self, at: Stretch, one: Wanted) -> bool:
        scene, quote, said = at.scene, at.scene.quote(self.first, self.last), list[str]()
        if one.kind in AMOUNTS:
            return self._amounts(at, one)
        match one.kind:
            case "name" | "names":
                spelled = scene.of_kind(self.first, self.last, "name", "quoted") if scene.fills(self.first) else []
                end, found = names_at(scene, (spelled or [self.first])[0], self.last)  # `We thought of lark-app`
                titled = scene.is_plain_word(self.first) and scene.is_plain_word(self.first + 1) and not scene.token(self.first + 1).glued
                if not titled and not scene.is_listed(self.first, "yes", "no") and scene.kind(self.first) != "number":
                    said, quote = [one for one in found if "/" not in one], scene.quote(self.first, end)
            case "ports":
                said = ports_at(scene, self.first, self.last)[1]
            case "address" | "subnet":
                begin = next((i for i in range(self.first, self.last) if scene.kind(i) == "address"), self.last)
                end, listed = addresses_at(scene, begin, self.last)
                said, quote = list(listed), scene.quote(self.first, end)
                scene.use(self.first, end)
                for other in at.able.by_kind.get("address", ()):  # `10.0.30.15/24, GW 10.0.30.1`
                    if other is not one and said:
                        READERS["address"](at, other)
            case "date":
                said = [day.iso for day in days(quote, at.today)]
                if len(said) == 2 and one.name == "needed_by" and "until" in at.able.kinds:
                    at.found.say("until", said[1], quote)
                said = said[:1]
            case "choice":
                return self._choice(at, one)
            case "network":
                return self._network(at, one)
            case "yes_no":
                said = [answer for answer in ("yes", "no") if scene.is_listed(self.first, answer)]
            case "folder":
                said = [folder_at(scene, self.first)] if not scene.is_listed(self.first, "yes", "no") else []
            case "node" | "storage" | "text":
                fits = len(quote) <= VALUE_LENGTH_MAX and "\n" not in quote.strip()
                said = [quote.strip().strip("\"'`")] if fits else []
            case _:
                before = dict(at.found.facts)
                if one.kind in READERS:
                    READERS[one.kind](at, one)
                return at.found.facts != before
        if said:
            at.found.say(one.name, ", ".join(dict.fromkeys(said)), quote)
        return bool(said)

    def _choice(self, at: Stretch, one: Wanted) -> bool:
        scene = at.scene
        marks = [mark for mark in at.marks() if mark.choices(one.name)]
        marks = [mark for mark in marks if not scene.denied[mark.first]] or marks  # `non-production / development`
        mark = marks[0] if marks else None
        chosen = {mark.choices(one.name)[0]: scene.quote(mark.first, mark.last) for mark in marks}
        if len(chosen) > 1 and one.name == SECTION and not scene.corrects(marks[0].last, marks[-1].last):
            at.found.either[one.name] = chosen  # `Environments: staging, production`
            return True
        self.beside = [i for i in range(self.first, self.last) if mark and scene.is_listed(i, "other_places")]
        if mark:
            at.found.say(one.name, mark.choices(one.name)[0], scene.quote(mark.first, mark.last))
            if mark.last < self.last and scene.kind(mark.last) == "number" and f"{one.name}_version" in at.able.kinds:
                version = scene.quote(mark.last, mark.last + 1)
                at.found.say(f"{one.name}_version", version, scene.quote(self.first, self.last))
        elif self.label.choice and scene.is_listed(self.first, "yes"):
            at.found.say(one.name, self.label.choice, scene.quote(self.begin, self.last))
            return True
        return bool(mark)

    def _network(self, at: Stretch, one: Wanted) -> bool:
        """With its label in the quote, which tells a VLAN from a network."""
        scene, quote, before = at.scene, at.scene.quote(self.begin, self.last), dict(at.found.facts)
        held = before.get(one.name)
        if held and one.name == "network" and "bridge" in at.able.kinds and BRIDGE.fullmatch(held.value.lower()):
            at.found.say("bridge", held.value, held.quote)  # `network: vmbr1`, then `vlan: 12`
        READERS[one.kind](at, one)
        said = at.found.facts.get(one.name)
        if at.found.facts != before:
            if said and said.value == said.quote:
                at.found.say(one.name, said.value, quote)
            return True
        if measures(scene, self.first):
            return False
        whole, kind = scene.quote(self.first, self.last).strip().strip("\"'`"), scene.kind(self.first)
        if one.name != "bridge" and kind not in ("number", "name", "address") and (len(whole.split()) > 3 or kind != "word"):
            return False
        is_whole = one.name == "bridge" or kind == "word"
        at.found.say(one.name, whole if is_whole else scene.quote(self.first, self.first + 1), quote)
        if one.name == "bridge" and "network" in self.facts and "network" not in at.found.facts:
            at.found.say("network", whole, quote)  # which a bridge is when no VLAN is said
        return True

    def _amounts(self, at: Stretch, one: Wanted) -> bool:
        scene, more = at.scene, at.able.named("disks")
        said = [a for a in amounts(scene, self.first, self.last) if takes(one.kind, a, labelled=True)]
        said = [a for a in said if a.first <= self.first + 2 or not scene.is_text(a.first - 1, "=")]  # `Tags: owner=lark, cost=4711`
        if len(said) > 1:
            said = [a for a in said if not scene.in_brackets(a.first)] or said  # `500 GB (of which 310 GB are used)`
        values = [self._spelled(one.kind, a.worth) if a.kind == "number" else a.text for a in said]
        if not said:
            return False
        if one.kind == "disk" and self.again and more:
            before, first = at.found.facts.get(more), at.found.facts.get(one.name)
            if first and any(scene.is_listed(i, "system") for i in range(self.begin, self.first)):  # `Root filesystem`, below another one
                at.found.say(one.name, values[0], scene.quote(said[0].first, said[0].last))
                values = [first.value]
            at.found.say(more, ", ".join([*([before.value] if before else []), *values]), scene.quote(self.first, self.last))
            return True
        if one.kind == "disks":
            at.found.say(one.name, ", ".join(values), scene.quote(self.first, self.last))
            return True
        at.found.say(one.name, values[0], scene.quote(said[0].first, said[0].last))
        either = scene.any_does(self.first, self.last, "or", "to", "prefer") or scene.find(self.first, self.last, "/") is not None
        if one.kind == "disk" and len(values) > 1 and more and not either:
            at.found.say(more, ", ".join(values[1:]), scene.quote(self.first, self.last))
        return True

    def _spelled(self, kind: str, worth: float) -> str:
        unit = (self.label.unit or ("MB" if kind == "memory" and worth >= 256 else "GB")) if kind in SIZES else ""
        return f"{plain(worth)} {unit}".strip()


def _is_loose(one: Wanted) -> tuple[bool, bool]:
    """Anything may be its value; more may be than one of some words."""
    return one.kind in ("text", "wish"), one.kind != "choice"


Span = tuple[int, int, bool]
"""A stretch of prose by its tokens, and whether it opens a line of a list."""


def cells_of(scene: Scene, layout: Sequence[Piece]) -> tuple[list[Cell], list[Span], list[tuple[int, int]]]:
    """(fields and cells, stretches of prose, remarks that ask for nothing)."""
    cells, spans, remarks = list[Cell](), list[Span](), list[tuple[int, int]]()
    commands = any(scene.is_listed(i, "hypervisor_commands") for i in range(len(scene.said)))
    for piece in layout:
        first, last = scene.tokens_between(piece.start, piece.end)
        first = scene.skip(first, last, texts=("-", "*", "•")) if piece.label and not piece.row else first
        if last <= first:
            continue
        label = label_of(scene, piece.label, heads_row=piece.row > 0) if piece.label else None
        label_first = scene.tokens_between(piece.label_start, piece.start)[0] if piece.label_start >= 0 else -1
        if label_first >= 0 and commands and scene.is_listed(label_first, "of_hypervisor"):
            scene.leave(label_first, last)
            continue
        if label and not piece.row and _is_prose(scene, label, first, last):
            is_bare = label.remark or (label.facts == ("name",) and not scene.of_kind(label_first, first, "name"))
            first = label_first if label_first >= 0 and not is_bare else first
            label = None
        if label and len(layout) == 1 and any(label_first <= m.first < first for m in scene.mentions):
            label, first = None, label_first  # `firewall: 443/tcp from anywhere` names the thing itself
        if label and label.facts == ("name",) and (around := label_of(scene, piece.within)) and PARTS & {*around.facts}:
            label = Labelled(remark=True)  # `drives:` above `name: Data`
        if label and label.remark:
            remarks.append((first, last))
            continue
        if label and label.wishes and scene.marks_in(first, last, "ports"):
            label = None  # `https = port 443`
        splits = label and (label.facts == ("name",) or SECTION in label.facts) and not piece.row
        comma = scene.find(first, last, ",", "(") if splits else None
        if comma and label and _says_another(scene, label, comma + 1):
            cells.append(Cell(label or Labelled(), first, comma, 0, None, label_first))
            first, label = comma + 1, None  # `Hostname: app-01, VLAN 60`, `Env: prod (VLAN 20)`
        if label or (piece.label and piece.row):
            cells.append(Cell(label or Labelled(), first, last, piece.row, None, label_first))
        elif spans and not piece.begins and all(scene.is_text(i, "\n") for i in range(spans[-1][1], first)):
            spans[-1] = (spans[-1][0], last, spans[-1][2])
        else:
            spans.append((first, last, piece.begins))
    return cells, spans, remarks


def _says_another(scene: Scene, label: Labelled, number: int) -> bool:
    """`Hostname: app-01, VLAN 60`, `Env: prod, VLAN 20`: a fact that the label does not name, or a choice of one."""
    mark = scene.at(number)
    chosen = {one.name for one in mark.meanings if one.kind == "choice"}
    return mark.first == number and (mark.has("fact") or (bool(chosen) and scene.is_text(number - 1, ","))) and not chosen & {*label.facts}


def _is_prose(scene: Scene, label: Labelled, first: int, last: int) -> bool:
    """What stands behind a label that seemed to be one of a number, or of a reason, and says what is asked for."""
    if label.remark:
        placed = any(scene.kind(m.last) in ("number", "name") for m in scene.marks_in(first, last, "network") if m.last < last)
        lines = [first, *(i + 1 for i in range(first, last) if scene.is_text(i, "\n"))]
        return placed or any(says_machine_size(scene, i, last, fully=True) for i in lines)
    if label.facts == ("count",) and scene.kind(first) == "number" and scene.is_text(first + 1, *",-–(;"):
        return False  # `4 - two web machines and two indexers`
    stop = next((i for i in range(first, last) if scene.is_text(i, ".") and not scene.token(i - 1).text.isdecimal()), last)
    if last - stop > 3 or (last - first > 3 and any(first < m.first and m.last <= last for m in scene.mentions)):
        return True
    kinds = {scene.words.able[scene.words.plain].kinds.get(name) for name in label.facts if name != "count"}
    if label.facts == ("ports",) and scene.kind(first) in ("number", "port"):
        return False
    if not kinds.intersection(AMOUNTS) - {"count"} and "cpu_count" not in label.facts and says_machine_size(scene, first, last, fully=True):
        return True  # `Nodes for the course:` above a list of them
    if label.facts == ("name",):
        return scene.has(first, last, "size") or (scene.has(first, last, "number") and scene.kind(first) != "name")
    things = scene.mention_at(first + 1) or scene.is_text(first + 1, "x", "×") or scene.at(first + 1).names("fact")
    return label.facts == ("count",) and (scene.kind(first) != "number" or (last - first > 1 and bool(things)))
