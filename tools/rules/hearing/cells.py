"""Fields of forms and cells of tables: a label says what its value is about, so that `Number of CPUs per machine` above `2` is a number of
CPUs and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from tools.rules.hearing.dates import days
from tools.rules.hearing.facts import Found, _addresses_at, _names_at, ports_at, read_facts
from tools.rules.hearing.layout import LABEL_LENGTH_MAX, Piece
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens import Token, tokens
from tools.rules.hearing.values import SIZES, amounts, plain
from tools.rules.hearing.words import same
from tools.values.request import Wish
from tools.values.wanted import Wanted

VALUE_LENGTH_MAX = 200
_NO = ("no", "false", "nein", "non", "hayir", "none", "n")


class Labelled(NamedTuple):
    """What a label is about."""

    facts: tuple[str, ...]
    unit: str = ""
    """Of a bare number behind it."""
    wishes: tuple[str, ...] = ()
    choice: str = ""
    """The environment that a `yes` behind it says: `Is this for production?`"""
    remark: bool = False
    """What stands behind it tells why, and asks for nothing."""


@dataclass
class Cell:
    label: Labelled
    text: str
    """The label as it was typed."""
    first: int
    last: int
    """The tokens of its value."""
    row: int = 0
    begins_item: bool = False
    thing: int | None = None
    label_first: int = -1
    """The token that its label begins with, when that stands right before it."""

    @property
    def facts(self) -> tuple[str, ...]:
        return self.label.facts

    def quote(self, scene: Scene) -> str:
        return scene.quote(self.first, self.last)

    def read(self, scene: Scene, wanted: Sequence[Wanted], found: Found, today: date) -> None:
        """The value, for the first fact that it can be of; what nothing can be made of is left to be told."""
        if self._says_nothing(scene):
            return
        scene.used[self.first : self.last] = bytes(self.last - self.first)
        if self.label.wishes and not self.label.facts:
            if scene.said[self.first].text not in _NO:
                words = scene.quote(self.label_first if self.label_first >= 0 else self.first, self.last)
                found.wishes.append(Wish(kind=self.label.wishes[0], text=words))
            scene.use(self.first, self.last)
            return
        by_name = {one.name: one for one in wanted}
        able = [by_name[name] for name in self.facts if name in by_name]
        for one in sorted(able, key=lambda one: one.kind in ("text", "wish")):
            if self._value(scene, one, wanted, found, today):
                scene.use(self.first, self.last)
                if (
                    "vlan" in self.facts
                    and "vlan" in by_name
                    and scene.said[self.first].kind == "number"
                    and not scene.at(self.label_first).names("fact")
                ):
                    found.say("vlan", plain(scene.said[self.first].value), self.quote(scene))
                return
        if self.label.wishes and scene.said[self.first].text not in _NO:
            found.wishes.append(Wish(kind=self.label.wishes[0], text=scene.quote(max(self.label_first, 0) or self.first, self.last)))

    def _says_nothing(self, scene: Scene) -> bool:
        text = self.quote(scene).strip(" _*.-").lower()
        return not text or text in scene.words.empty

    def _value(self, scene: Scene, one: Wanted, wanted: Sequence[Wanted], found: Found, today: date) -> bool:
        quote = self.quote(scene)
        first = self.first
        match one.kind:
            case "count" | "memory" | "disk" | "volume" | "disks" | "money":
                return self._amounts(scene, one, wanted, found)
            case "name" | "names":
                end, said = _names_at(scene, first, self.last)
                said = () if scene.said[first].text in ("yes", "no", "y", "n", "true") or scene.said[first].kind == "number" else said
                if said:
                    found.say(one.name, ", ".join(said), scene.quote(first, end))
                return bool(said)
            case "ports":
                _, ports = ports_at(scene, first, self.last)
                if ports:
                    found.say(one.name, ", ".join(dict.fromkeys(ports)), quote)
                return bool(ports)
            case "address":
                at = next((i for i in range(first, self.last) if scene.said[i].kind == "address"), None)
                _, said = _addresses_at(scene, at, self.last) if at is not None else (0, ())
                if said:
                    found.say(one.name, ", ".join(said), quote)
                return bool(said)
            case "date":
                said_days = days(quote, today)
                if said_days:
                    found.say(one.name, said_days[0].iso, quote)
                    if len(said_days) == 2 and one.name == "needed_by" and any(w.name == "until" for w in wanted):
                        found.say("until", said_days[1].iso, quote)
                return bool(said_days)
            case "choice":
                marks = [mark for mark in scene.marks if first <= mark.first < self.last and mark.choices(one.name)]
                if marks:
                    found.say(one.name, marks[0].choices(one.name)[0], scene.quote(marks[0].first, marks[0].last))
                    after = scene.token(marks[0].last)
                    version = f"{one.name}_version"
                    if after and marks[0].last < self.last and after.kind == "number" and any(w.name == version for w in wanted):
                        found.say(version, scene.quote(marks[0].last, marks[0].last + 1), quote)
                if not marks and self.label.choice and scene.said[first].text in ("yes", "y", "ja", "oui", "sí", "si", "evet"):
                    found.say(one.name, self.label.choice, scene.quote(max(self.label_first, 0), self.last))
                    return True
                return bool(marks)
            case "network":
                return self._network(scene, one, found)
            case "yes_no":
                if scene.said[first].text in ("yes", "no", "y", "n", "true", "false", "ja", "nein", "oui", "non", "sí", "si"):
                    found.say(one.name, "yes" if scene.said[first].text in ("yes", "y", "true", "ja", "oui", "sí", "si") else "no", quote)
                    return True
                return False
            case "node" | "text":
                if len(quote) <= VALUE_LENGTH_MAX and "\n" not in quote.strip():
                    found.say(one.name, quote.strip().strip("\"'`"), quote)
                    return True
                return False
            case _:
                before = dict(found.facts)
                read_facts(scene, first, self.last, [one], found, today)
                return found.facts != before

    def _network(self, scene: Scene, one: Wanted, found: Found) -> bool:
        """With its label in the quote, which tells a VLAN from a network."""
        before = dict(found.facts)
        read_facts(scene, self.first, self.last, [one], found, date.min)
        quote = scene.quote(self.label_first if self.label_first >= 0 else self.first, self.last)
        if found.facts != before:
            said = found.facts.get(one.name)
            if said and said.value == said.quote:
                found.say(one.name, said.value, quote)
            return True
        first = scene.said[self.first]
        whole = self.quote(scene).strip().strip("\"'`")
        if one.name != "bridge" and first.kind not in ("number", "name", "address") and (len(whole.split()) > 3 or first.kind != "word"):
            return False
        value = whole if one.name == "bridge" or first.kind == "word" else scene.quote(self.first, self.first + 1)
        found.say(one.name, value, quote)
        return True

    def _amounts(self, scene: Scene, one: Wanted, wanted: Sequence[Wanted], found: Found) -> bool:
        said = [a for a in amounts(scene, self.first, self.last) if a.kind in _TAKES[one.kind]]
        if not said:
            return False
        if one.kind == "count":
            found.say(one.name, plain(said[0].worth), scene.quote(said[0].first, said[0].last))
            return True
        values = [f"{plain(a.worth)} {self._unit(a.worth, one.kind)}" if a.kind == "number" and one.kind in SIZES else a.text for a in said]
        if one.kind == "disks":
            found.say(one.name, ", ".join(values), self.quote(scene))
            return True
        found.say(one.name, values[0], scene.quote(said[0].first, said[0].last))
        more = next((w.name for w in wanted if w.kind == "disks"), "")
        if (
            one.kind == "disk"
            and len(values) > 1
            and more
            and not any(scene.at(i).does("or", "to", "prefer") for i in range(self.first, self.last))
        ):
            found.say(more, ", ".join(values[1:]), self.quote(scene))
        return True

    def _unit(self, worth: float, kind: str) -> str:
        if self.label.unit:
            return self.label.unit
        return "MB" if kind == "memory" and worth >= 256 else "GB"


_TAKES = {
    "count": ("number",),
    "memory": ("size", "number"),
    "disk": ("size", "number"),
    "volume": ("size", "number"),
    "disks": ("size", "number"),
    "money": ("money", "number"),
}


def label_of(scene: Scene, text: str, *, heads_row: bool = False) -> Labelled | None:
    """None when it is the label of nothing that may be asked for. `heads_row`: it stands over a column."""
    if (text, heads_row) not in scene.labels:
        scene.labels[text, heads_row] = _label_of(scene, text, heads_row=heads_row)
    return scene.labels[text, heads_row]


def _label_of(scene: Scene, text: str, *, heads_row: bool) -> Labelled | None:
    text = re.sub(r"[(\[][^)\]]*\d[^)\]]*[)\]]", " ", text).replace("_", " ").replace("(s)", "s")
    said = tokens(text)
    if not said or len(text) > LABEL_LENGTH_MAX or len(said) > 14:
        return None
    if any(token.kind in ("size", "money", "address") or (token.kind == "number" and token.value > 9) for token in said):
        return None
    words = [token for token in said if token.kind in ("word", "name")]
    marks = scene.words.marks(said)
    if any(mark.does("purpose") and mark.first == 0 for mark in marks):
        return Labelled((), remark=True)
    alone = words[0].text if len(words) == 1 else ""
    if scene.words.is_body(alone) and not alone.endswith("s") and alone != "node" and (heads_row or alone != "host"):
        return Labelled(("name",))
    unit = next((mark.names("unit")[0] for mark in marks if mark.names("unit")), "")
    scoped = next((mark.first for mark in marks if mark.does("per", "each", "for") and mark.first), len(said))
    facts = [mark for mark in marks if (mark.names("fact") or mark.names("wish")) and mark.first < scoped]
    asks = next((mark.first for mark in marks if mark.does("how_many")), None)
    counting = asks is not None and all(mark.first > asks for mark in facts)
    if counting:
        known = {name for mark in facts for name in mark.names("fact")} - {"count", "name", "role"}
        numbered = known & {
            one.name for able in scene.catalogue.values() for one in able.WANTED if one.kind in ("count", "memory", "disk", "volume")
        }
        if not numbered:
            others = [word for word in words if not scene.words.is_body(word.text) and not scene.words.fills(word)]
            return Labelled(("count",), unit) if len(others) <= 2 else None
    if any(mark.does("called") for mark in marks) and _is_of_others(said):
        return Labelled((), remark=True)
    if len(facts) > 1:
        facts = [mark for mark in facts if set(mark.names("fact")) != {"count"} or mark.names("wish")] or facts
    called = next((mark for mark in marks if mark.does("called")), None)
    if called and not counting and not _is_of_others(said):
        others = [word for n, word in enumerate(said) if word.kind in ("word", "name") and not called.first <= n < called.last]
        if all(scene.words.is_body(word.text) or scene.words.fills(word) for word in others):
            return Labelled(("name",), unit)
    if any(days(text, date(2000, 1, 1))) or (len(words) > 5 and any(mark.does("polite") for mark in marks)):
        return None
    for name in ("needed_by", "until"):
        if any(mark.does(name) and (mark.last - mark.first == len(words) or mark.last - mark.first > 1) for mark in marks):
            return Labelled((name,), unit)
    places = {value for mark in marks for value in mark.choices("environment")}
    if not facts and len(places) == 1 and any(mark.does("ask") and mark.first == 0 for mark in marks):
        return Labelled(("environment",), choice=places.pop())
    if not facts:
        return None
    if len(said) > 6 and not text.rstrip().endswith("?") and facts[0].first > 2:
        return None
    if len(words) > 4 and any(mark.does("ask_for", "polite") and not mark.does("change", "with", "needed_by") for mark in marks):
        return None
    chosen = max(facts, key=lambda mark: (mark.last - mark.first, -mark.first))
    same_thing = {name for mark in facts if set(mark.names("fact")) & set(chosen.names("fact")) for name in mark.names("fact")}
    return Labelled(tuple(sorted(same_thing)), unit, chosen.names("wish"))


_OTHERS = frozenset(
    """your requester requestor project owner contact team group department company user account full first last customer business
    application service network database domain cost manager supervisor responsible course""".split()  # noqa: SIM905
)


def _is_of_others(said: Sequence[Token]) -> bool:
    """`Your name`, `Project name`: of no machine."""
    return any(same(token.text) in _OTHERS for token in said)


def cells_of(scene: Scene, layout: Sequence[Piece]) -> tuple[list[Cell], list[tuple[int, int, bool]]]:
    """(fields and cells, stretches of prose by their tokens, each with whether it opens a line of a list)."""
    cells: list[Cell] = []
    spans: list[tuple[int, int, bool]] = []
    for piece in layout:
        first, last = scene.tokens_between(piece.start, piece.end)
        if last <= first:
            continue
        label = label_of(scene, piece.label, heads_row=piece.row > 0) if piece.label else None
        label_first = scene.tokens_between(piece.label_start, piece.start)[0] if piece.label_start >= 0 else -1
        if label and not piece.row and _is_prose(scene, label, first, last):
            first = label_first if label_first >= 0 and not label.remark else first
            label = None
        elif label is not None and label.remark:
            continue
        if label is not None and label.wishes and not label.facts and scene.of_fact("ports", first, last):
            label = None  # `https = port 443`
        if label is not None:
            cells.append(Cell(label, piece.label, first, last, piece.row, piece.begins, None, label_first))
        elif piece.label and piece.row:
            cells.append(Cell(Labelled(()), piece.label, first, last, piece.row))
        elif (
            spans and spans[-1][1] >= first - 1 and not piece.begins and all(scene.said[i].text == "\n" for i in range(spans[-1][1], first))
        ):
            spans[-1] = (spans[-1][0], last, spans[-1][2])
        else:
            spans.append((first, last, piece.begins))
    return cells, spans


def _is_prose(scene: Scene, label: Labelled, first: int, last: int) -> bool:
    """What stands behind a label that seemed to be one of a number, or of a reason, and says what is asked for."""
    placed = any(
        scene.said[m.last - 1].end and m.last < last and scene.said[m.last].kind in ("number", "name")
        for m in scene.of_fact("network", first, last)
    )
    if label.remark:
        return placed or any(scene.said[i].kind == "size" for i in range(first, last))
    stop = next((i for i in range(first, last) if scene.said[i].text == "." and not scene.said[i - 1].text.isdigit()), last)
    if last - stop > 3 or (last - first > 3 and any(first < m.first and m.last <= last for m in scene.mentions)):
        return True
    if label.facts == ("name",):
        return any(scene.said[i].kind in ("size", "number") for i in range(first, last)) and scene.said[first].kind != "name"
    after = scene.at(first + 1)
    things = any(mark.first == first + 1 for mark in scene.mentions) or scene.is_text(first + 1, "x", "×") or after.names("fact")
    return label.facts == ("count",) and (scene.said[first].kind != "number" or (last - first > 1 and bool(things)))


def is_section(scene: Scene, text: str) -> bool:
    """A heading that is an environment and nothing else."""
    said = tokens(text)
    marks = scene.words.marks(said)
    return (
        0 < len(said) <= 3
        and any(mark.choices("environment") for mark in marks)
        and all(mark.choices("environment") or mark.names("part") for mark in marks)
    )
