"""How a cleaned message is laid out: prose, fields of a form (a label and its value), rows of a table, quoted mail. What a label is about
is told by whoever asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from tools.rules.hearing.lexicon import listed
from tools.rules.names.text import fold

CELLS_MAX = 40
"""Of one row, of which a long table may lack the last."""
PIECES_MAX = 1_600
"""Of one message: what a longer table asks for is asked for in a file."""
LABEL_LENGTH_MAX = 90
BLOCK_LINES_MAX = 40
"""Lines above a field that are looked at for the key that it is within."""


@dataclass(frozen=True)
class Piece:
    """A stretch of the message."""

    start: int
    end: int
    label: str = ""
    """Of a field, what it is called; empty: prose."""
    label_start: int = -1
    """Where the label begins, when it stands right before its value."""
    row: int = 0
    """The row of a table that it stands in; those of one row are about one thing. 0: none."""
    begins: bool = False
    """A new line of a list: whatever is said here is not about what the line before was about."""
    within: str = ""
    """The key of the block that it stands in."""


IsLabel = Callable[[str], bool]
"""Whether a text is the label of something that may be asked for."""
SECTION = "environment"
"""The label of a heading that says where what stands below it is to be: `## Staging`."""

_LOG = re.compile(r"^\s*(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\[ *\d+\.\d+\] )")
"""A line of a log, which asks for nothing."""
_BULLET = re.compile(r"^\s*(?:(?:[-*•·‣–+]|\(?\d{1,2}[.)]|[a-h]\))\s+)?")
_HEADING = re.compile(r"^\s*(?:#{1,6}\s+(?P<hash>.+?)\s*#*\s*|(?P<colon>[^:|]{2,90}(?=:|\?))[:?]\s*)$")
_FIELD = re.compile(r"^(?P<label>[^:=|\n]{1,90}?)\s*(?::|=|\?(?=\s)|\t+|\s[–—-]\s|\.{2,}:?)\s*(?P<value>\S.*)$")
_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_QUOTED_HEAD = re.compile(
    r"^\s*(?:on .{5,80} wrote:|from:|sent:|to:|subject:|date:|cc:|-{3,}.*(?:original|forwarded).*|_{10,}|={5,})\s*.*$", re.IGNORECASE
)
_KEY = re.compile(r"[\"']?([\w-]{1,40})[\"']?\s*(?:[:={]\s*)+$")
"""Of what stands below it, more indented."""
_IN_BRACKETS = re.compile(r"[(\[]([^)\]\d]{0,20}\d[\d.,]*[^)\]\d]{0,20})[)\]]\s*:?\s*$")
"""`Memory (in 8 GB):`, where nothing else is the value."""
_DIGIT = re.compile(r"\d")
_FIGURE = re.compile(r"\d+")
_WORD = re.compile(r"\w")
_SIZE = re.compile(r"\d\s?[KMGT]i?B?\b", re.IGNORECASE)
_OPENS = re.compile(r"^[\w\"' -]{1,60}[:=]\s*[\[{(]\s*$")
"""The key of a block or a list whose lines follow."""
_COUNTED = re.compile(r"[\"']?\d")
_NAMED = re.compile(r"^[\"']?((?![A-Z]{2,}-?\d{3,}|[\w-]+:[a-z])[A-Za-z](?=[\w.-]*[\d-])[\w.{}\[\]:,-]*?)[\"']?\s*[:=]?\s*$")
"""A line that is a name, with fields below it; not the number of a ticket."""


class _Line:
    def __init__(self, start: int, text: str) -> None:
        bullet = _BULLET.match(text)
        self.start, self.text, self.end = start, text, start + len(text)
        self.begin = bullet.end() if bullet and bullet.end() else len(text) - len(text.lstrip())
        """Behind the mark of a list."""
        self.is_listed = bool(text[: self.begin].strip())
        self.body = text[self.begin :]
        self.field = _FIELD.match(self.body)
        self.label = self.field["label"].strip(" *-.\"'") if self.field else ""
        heading = _HEADING.match(self.body)
        self.heading = (heading["hash"] or heading["colon"]).strip(" *:") if heading else ""


def pieces(text: str, is_label: IsLabel, is_section: IsLabel, is_thing: IsLabel) -> list[Piece]:
    """Of a cleaned text, in order."""
    lines, at = [], 0
    for line in text.split("\n"):
        lines.append(_Line(at, line.rstrip("\r")))
        at += len(line) + 1
    found = list(islice(_Layout(lines, is_label, is_section, is_thing).pieces(), PIECES_MAX))
    return found if len(found) < PIECES_MAX else [one for one in found if not one.row or one.row < found[-1].row]  # whole rows


@dataclass
class _Layout:
    lines: list[_Line]
    is_label: IsLabel
    is_section: IsLabel
    is_thing: IsLabel
    heading: str = ""
    """The one above, when it names what is no machine: `## Project`."""

    def pieces(self) -> Iterator[Piece]:
        at = row = 0
        while at < len(self.lines):
            last, rows, is_form = self._table_at(at)
            for cells in rows:
                row += 1
                yield from (Piece(start, end, label, start if is_form else -1, 0 if is_form else row) for start, end, label in cells)
            if last > at:
                at = last
                continue
            line = self.lines[at]
            if at and _closes(line.body):
                return
            if not _WORD.search(line.body) or _QUOTED_HEAD.match(line.body) or _LOG.match(line.body) or _OPENS.match(line.body):
                at += 1
                continue
            at, piece = self._piece_at(at)
            if piece:
                yield piece

    def _piece_at(self, at: int) -> tuple[int, Piece | None]:
        """(the line behind it, what begins in this line): nothing in a field that is left empty."""
        line = self.lines[at]
        if line.body.startswith("#") and line.heading:
            self.heading = line.heading.lstrip("0123456789.) ") if not listed("of_others").isdisjoint(fold(line.heading).split()) else ""
        begin, label, heads = line.start + line.begin, line.heading, self._fields_below(at + 1)
        if heads and label and self.is_thing(label):  # `k3s:` above its fields
            return at + 1, Piece(begin, begin + len(label), begins=True)
        is_hash = line.body.startswith("#")
        if (
            (heads and bool(label) >= is_hash and line.body.strip() not in listed("hypervisor_commands"))
            or (is_hash and label and not self.is_label(label))
        ) and (name := _NAMED.match(line.body.lstrip("# "))):
            begin += len(line.body) - len(line.body.lstrip("# "))
            return at + 1, Piece(begin + name.start(1), begin + name.end(1), "name", begins=True)
        beside = [self.lines[n] for n in (at - 1, at + 1) if 0 <= n < len(self.lines)]
        if line.is_listed and (name := _NAMED.match(line.body)) and any(one.is_listed and _NAMED.match(one.body) for one in beside):
            return at + 1, Piece(begin + name.start(1), begin + name.end(1), "name")
        if label and self.is_section(label):
            start = line.start + line.text.find(label)
            return at + 1, Piece(start, start + len(label), SECTION, begins=True)
        if label and self.is_label(label):
            after, last = self._values_below(at + 1)
            while (
                last - after > 1
                and _is_hint(self.lines[after].text)
                and any(_DIGIT.search(one.text) for one in self.lines[after + 1 : last])
            ):
                after += 1
            inside = _IN_BRACKETS.search(line.body)
            if inside and not any(_DIGIT.search(one.text) for one in self.lines[after:last]):
                return at + 1, Piece(begin + inside.start(1), begin + inside.end(1), label, begin)
            sized = [one for one in self.lines[after:last] if one.is_listed and len(_FIGURE.findall(one.body)) > 1]
            if len(sized) > 1 and any(_SIZE.search(one.body) for one in sized):  # `VMs on the new node:` above a list of them
                return at + 1, Piece(begin, line.end, begins=line.is_listed)
            below = self.lines[after] if last > after else line
            if below.field and below.field["value"] and below.begin > line.begin and not below.is_listed:
                return at + 1, None  # `cluster:` above `type: k3s`
            if last > after:
                return last, Piece(self.lines[after].start, self.lines[last - 1].end, label, begin)
            if line.is_listed and line.body.rstrip().endswith(":"):
                return at + 1, None
        field, label = line.field, line.label
        if field and not self.is_label(label) and _COUNTED.match(field["value"]):
            label = f"{self._block(at)} {label}"  # `disk {`, `size = 64`
        if field and _is_short(label) and self.is_label(label) and not self._is_list(field["value"]):
            end = line.start + len(line.text.rstrip())
            return at + 1, Piece(begin + field.start("value"), end, label, begin, begins=line.is_listed, within=self._block(at))
        return at + 1, Piece(begin, line.end, begins=line.is_listed)

    def _block(self, at: int) -> str:
        """What the line above it that is less indented says: the key that it is within."""
        within = self.lines[at].begin
        above = (line for line in reversed(self.lines[max(at - BLOCK_LINES_MAX, 0) : at]) if line.body.strip())
        found = next((_KEY.match(line.body) for line in above if line.begin < within), None)
        return found[1] if found else ""

    def _next(self, at: int) -> int:
        """The next line that is not empty."""
        return next((i for i in range(at, len(self.lines)) if self.lines[i].text.strip()), len(self.lines))

    def _fields_below(self, at: int) -> bool:
        at = self._next(at)
        return at < len(self.lines) and self.is_label(self.lines[at].label)

    def _values_below(self, at: int) -> tuple[int, int]:
        """The lines that are the value of the heading above them; none when they are fields of their own."""
        at = last = self._next(at)
        while last < len(self.lines) and self.lines[last].text.strip() and not self.lines[last].text.lstrip().startswith("#"):
            line = self.lines[last]
            if self.is_label(line.label) or line.heading or line.text.lstrip().startswith("|"):
                break
            last += 1
        return at, last

    def _is_list(self, value: str) -> bool:
        """`CPU: 4, RAM: 8 GB`: the value holds further labels."""
        return any(self.is_label(one) for one in re.findall(r"[,;|/]\s*([^:=,;|/]{1,40}?)\s*[:=]", value))

    def _table_at(self, at: int) -> tuple[int, list[Cells], bool]:
        """(the first line behind it, its rows, whether it is a form: labels left, values right) of a table that begins here."""
        top = self.lines[at].text
        below = self.lines[at + 1].text if at + 1 < len(self.lines) else ""
        split = _splitter(top) or (_splitter(below) if top[:2] == "  " else None)
        if split is None or (at + 1 < len(self.lines) and self.lines[at + 1].is_listed):
            return at, [], False
        last = at + 1
        while last < len(self.lines) and (_RULE.match(self.lines[last].text) or len(split(self.lines[last].text)) >= 2):
            last += 1
        grid = [_cells(line, split) for line in self.lines[at:last] if not _RULE.match(line.text)]
        heads, body, is_markdown = grid[0], grid[1:], top.lstrip().startswith("|")
        if top[:2] == "  " and body and all(len(row) == len(heads) + 1 for row in body):
            heads = [(heads[0][0], heads[0][0], ""), *heads]  # over the column of labels stands nothing
        labels = [bool(row) and (is_markdown or not _DIGIT.search(row[0][2])) and self.is_label(row[0][2]) for row in body]
        known = sum(self.is_label(label) for _, _, label in heads)
        if len(heads) == 2 and is_markdown and sum(labels) * 2 >= max(len(body), 1):
            fields = [row for row in grid if len(row) > 1 and self.is_label(row[0][2])]
            return last, [[(row[1][0], row[1][1], row[0][2]) for row in fields]], True
        if len(heads) > 2 and known < 2 and sum(labels) >= 2:
            return last, self._turned(heads, [row for row, is_one in zip(body, labels, strict=True) if is_one]), False
        told = (
            is_markdown and known and any(len(_SIZE.findall(text)) > 1 for row in body for _, _, text in row)
        )  # `| app | 2 | 4 cores, 8 GB |`
        if (
            len(heads) < 2
            or (known < 2 and not told)
            or not body
            or (not is_markdown and any(_DIGIT.search(label) for _, _, label in heads))
        ):
            return at, [], False
        return last, [[(a, b, heads[i][2]) for i, (a, b, text) in enumerate(row) if i < len(heads) and text] for row in body], False

    def _turned(self, heads: Cells, body: Sequence[Cells]) -> list[Cells]:
        """A table whose first column holds the labels: each other column is a thing, or the one that is preferred."""
        preferred = [n for n in range(1, len(heads)) if any(word in fold(heads[n][2]) for word in listed("preferred"))]
        inside = [re.search(r"\(([\w.-]+)\)$", head) for _, _, head in heads[1:]]  # `current (old-lark)   new (lark)`
        named = all(inside) and len({one[1] for one in inside if one}) == len(inside)
        places, rows = any(self.is_section(head) for _, _, head in heads[1:]), []
        for n in preferred or range(1, len(heads)):
            start, end, _ = heads[n]
            cells = [(row[n][0], row[n][1], row[0][2]) for row in body if len(row) > n and row[n][2]]
            one = inside[n - 1] if named else None
            called = [(start + one.start(1), start + one.end(1), "name")] if one else []
            rows.append([*called, *cells] if preferred else [(start, end, SECTION if places else "name"), *cells])
        return rows


def _is_hint(text: str) -> bool:
    """`Enter the day here.`: a sentence without a figure."""
    return text.rstrip().endswith((".", ":")) and len(text.split()) >= 4 and not _DIGIT.search(text)


def _closes(body: str) -> bool:
    """The end of a letter: what follows is who wrote it."""
    text = fold(body).strip(" ,.!\t")
    return text in listed("closing") or text.startswith("sent from my ")


def _is_short(label: str) -> bool:
    return len(label) <= LABEL_LENGTH_MAX and not re.search(r"[.!?,;]\s", re.sub(r"\([^()]*\)", "", label))


Cells = list[tuple[int, int, str]]
"""(start, end, what stands there)."""
Split = Callable[[str], list[tuple[int, int]]]


def _cells(line: _Line, split: Split) -> Cells:
    return [(line.start + a, line.start + b, line.text[a:b].strip(" *\"'")) for a, b in split(line.text)]


def _splitter(text: str) -> Split | None:
    if len(re.findall(r"[^\s:,=]\s{2,}(?=[^\s:,=])", text.strip())) >= 2 and "|" not in text and "\t" not in text:
        return lambda line: [match.span() for match in re.finditer(r"\S+(?: \S+)*", line)]
    if text.strip().startswith("|") or text.count("|") >= 2:
        return lambda line: _spans(line, "|")
    return next((lambda line, mark=mark: _spans(line, mark) for mark in "\t;," if text.count(mark) >= 2), None)


def _spans(line: str, mark: str) -> list[tuple[int, int]]:
    ends = [i for i, c in enumerate(line) if c == mark] + [len(line)]
    found = list(zip([0, *(end + 1 for end in ends)], ends, strict=False))
    edges = (found[0], found[-1]) if mark == "|" else ()
    return [(a, b) for a, b in found if (a, b) not in edges or line[a:b].strip()]
