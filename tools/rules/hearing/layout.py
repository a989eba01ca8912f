"""How a message is laid out: prose, fields of a form (a label and its value), rows of a table, quoted mail. It takes marks and hints away
and keeps every character at its place, so that quotes can be found again. What a label is about is told by whoever asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

ROWS_MAX = 300
"""Rows of tables that are read; what a longer one asks for is asked for in a file."""
LABEL_LENGTH_MAX = 90


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
    """The row of a table, or the section of a document, that it stands in; those of one row are about one thing. 0: none."""
    begins: bool = False
    """A new line of a list: whatever is said here is not about what the line before was about."""


IsLabel = Callable[[str], bool]
"""Whether a text is the label of something that may be asked for."""
SECTION = "environment"
"""The label of a heading that says where what stands below it is to be: `## Staging`."""

_COMMENT = re.compile(
    r"^\s*[QA]\s*[:.)](?=\s)|<!--.*?-->|^\s*```[\w-]*\s*$|^\s*~~~\s*$|\*\*|__(?=\w)|(?<=\w)__|^[ \t]*(?:>[ \t]?)+|&nbsp;|`"
    r"|~~[^~\n]{1,80}~~",
    re.DOTALL | re.MULTILINE,
)
_LOG = re.compile(r"^\s*(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d)")
"""A line of a log, which asks for nothing."""
_CLOSING = re.compile(
    r"^\s*(?:(?:kind|best|warm|many)?\s*(?:regards|wishes|thanks)|cheers|sincerely(?: yours)?|yours(?: sincerely)?|thx|br|lg|mfg|--"
    r"|sent from my .*|(?:mit )?(?:freundlichen|vielen|beste|liebe|viele) (?:grüßen|grüße|dank)|cordialement|bien à vous|saludos"
    r"|atentamente|saygılarımla)[\s,.!]*$",
    re.IGNORECASE,
)
"""The end of a letter: what follows is who wrote it."""
_HINT = re.compile(
    r"(?<!: )(?<!:)\[(?![ xX]\]|[\d,. -]+\])(?=[^\]]*[a-zA-Z]{2,})[^\]\n]{0,200}\](?!\()"
    r"|\((?:e\.?\s?g\.?|i\.?e\.?|for example|such as|example|ex:|please|if |only |say |see |max|min|default|optional|required|leave)"
    r"[^)\n]*\)"
    r"|<(?!\d)[a-z][^>\n]{1,80}>",
    re.IGNORECASE,
)
_BOX = re.compile(r"^(\s*[-*]\s*)\[([ xX])\]\s*(.*)$")
_BULLET = re.compile(r"^\s*(?:[-*•·‣–+]|\(?\d{1,2}[.)]|[a-h]\))\s+")
_HEADING = re.compile(r"^\s*(?:#{1,6}\s+(?P<hash>.+?)\s*#*\s*|(?P<colon>[^:|]{2,90}(?=:|\?))[:?]\s*)$")
_FIELD = re.compile(r"^(?P<label>[^:=|\n]{1,90}?)\s*(?::|=|\?(?=\s)|\t+|\s[–—-]\s|\.{3,})\s*(?P<value>\S.*)$")
_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_QUOTED_HEAD = re.compile(
    r"^\s*(?:on .{5,80} wrote:|from:|sent:|to:|subject:|date:|cc:|-{3,}.*(?:original|forwarded).*|_{10,}|={5,})\s*.*$", re.IGNORECASE
)


_BOLD = re.compile(r"^([ \t]*)\*\*(?=[^*\n]+\*\*:?[ \t]*$)", re.MULTILINE)
_FLOW = re.compile(r"\{[ \t]*[\w-]+[ \t]*[:=][^{}\n]*\}")
_CHOSEN = re.compile(r"(?:\([ xX]?\)|\[[ xX]?\])[^()\[\]\n]*")
"""One of several boxes on a line: `( ) 2 (x) 4`."""
_PAIR = re.compile(r"[ \t](?=[A-Za-z_]{2,20}=\S)")
_REMOVED = re.compile(r"^[ \t]*#[ \t]*-.*$", re.MULTILINE)
"""A line that is taken out of a file in YAML."""


def clean(text: str) -> str:
    """The text without comments, hints, emphasis and boxes, each character at its place."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match.group())

    text = "\n".join(_choose(line) for line in text.replace("||", " |").split("\n"))
    bare = _COMMENT.sub(blank, _BOLD.sub(r"\1# ", _as_lines(_REMOVED.sub(blank, text))))
    lines = []
    for line in bare.split("\n"):
        box = _BOX.match(line)
        if box:
            mark = re.sub(r".", " ", line[: box.start(3)])
            filled = box[2] in "xX" or re.search(r":\s*\S", box[3])
            line = f"{box[1]}{mark[len(box[1]) :]}{box[3]}" if filled else " " * len(line)
        lines.append(line)
    return _HINT.sub(blank, "\n".join(lines))


def _choose(line: str) -> str:
    """Of boxes side by side, what is ticked."""
    boxes = _CHOSEN.findall(line)
    if len(boxes) < 2 or not any(re.match(r".[xX]", box) for box in boxes):
        return line
    return _CHOSEN.sub(lambda box: "   " + box.group()[3:] if re.match(r".[xX]", box.group()) else " " * len(box.group()), line)


_KEYED = re.compile(r"\"[\w -]{1,60}\"\s*:")


def _as_lines(text: str) -> str:
    """JSON as `label: value` lines."""
    text = _FLOW.sub(lambda flow: flow.group().replace("{", "\n").replace("}", " ").replace(",", "\n"), text)
    text = "\n".join(_PAIR.sub("\n", line) if len(re.findall(r"\b[A-Za-z_]{2,20}=\S", line)) >= 3 else line for line in text.split("\n"))
    if len(_KEYED.findall(text)) < 2:
        return text
    bare = re.sub(r"[\"{}]", " ", text)
    depth, out = 0, []
    for c in bare:
        depth += (c == "[") - (c == "]")
        out.append("\n" if c == "," and depth == 0 else c)
    return "".join(out)


def spaced(text: str) -> str:
    """With blanks between values that stand side by side (`2,4,20`), so that they are no single number."""
    lines = text.split("\n")
    return "\n".join(line.replace(",", " ") if len(re.findall(r",\S", line)) >= 3 and ", " not in line else line for line in lines)


def pieces(text: str, is_label: IsLabel, is_section: IsLabel = lambda text: False) -> list[Piece]:
    """Of a cleaned text, in order."""
    return list(islice(_pieces(text, is_label, is_section), 4 * ROWS_MAX))


@dataclass(frozen=True)
class _Line:
    start: int
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def _lines(text: str) -> list[_Line]:
    found, at = [], 0
    for line in text.split("\n"):
        found.append(_Line(at, line.rstrip("\r")))
        at += len(line) + 1
    return found


def _pieces(text: str, is_label: IsLabel, is_section: IsLabel) -> Iterator[Piece]:
    lines = _lines(text)
    at, row = 0, 0
    while at < len(lines):
        line = lines[at]
        table = _table_at(lines, at, is_label)
        if table:
            last, found, is_form = table
            for cells in found[:ROWS_MAX]:
                row += 1
                number = row if not is_form else 0
                for start, end, label in cells:
                    yield Piece(start, end, label, -1, number)
            at = last
            continue
        bullet = _BULLET.match(line.text)
        begin = bullet.end() if bullet else len(line.text) - len(line.text.lstrip())
        body = line.text[begin:]
        if _CLOSING.match(body) and at:
            return
        if not body.strip() or _QUOTED_HEAD.match(body) or _LOG.match(body):
            at += 1
            continue
        if _NAMED.match(body) and _begins_fields(lines, at + 1, is_label):
            name = _NAMED.match(body)
            assert name is not None
            yield Piece(line.start + begin + name.start(1), line.start + begin + name.end(1), "name", -1, row, begins=True)
            at += 1
            continue
        heading = _HEADING.match(body)
        label = (heading["hash"] or heading["colon"]).strip(" *:") if heading else ""
        if heading and is_section(label) and _begins_fields(lines, at + 1, is_label):
            start = line.start + line.text.find(label)
            yield Piece(start, start + len(label), SECTION, -1, row, begins=True)
            at += 1
            continue
        if heading and is_label(label):
            after, last = _values_below(lines, at + 1, is_label)
            if last > after:
                yield Piece(lines[after].start, lines[last - 1].end, label, line.start + begin, row)
                at = last
                continue
        field = _FIELD.match(body)
        label = field["label"].strip(" *-\"'") if field else ""
        if field and _is_short(label) and is_label(label) and not _is_list(field["value"], is_label):
            start = line.start + begin + field.start("value")
            yield Piece(start, line.start + len(line.text.rstrip()), label, line.start + begin, row, begins=bool(bullet))
        else:
            yield Piece(line.start + begin, line.end, "", -1, row, begins=bool(bullet))
        at += 1


_NAMED = re.compile(r"^[\"']?([A-Za-z](?=[\w.-]*[\d-])[\w.{}\[\]:,-]*?)[\"']?\s*[:=]?\s*$")
"""A line that is a name, with fields below it."""


def _begins_fields(lines: list[_Line], at: int, is_label: IsLabel) -> bool:
    while at < len(lines) and not lines[at].text.strip():
        at += 1
    line = lines[at].text if at < len(lines) else ""
    bullet = _BULLET.match(line)
    field = _FIELD.match(line[bullet.end() :] if bullet else line.strip())
    return field is not None and is_label(field["label"].strip(" *-\"'"))


def _values_below(lines: list[_Line], at: int, is_label: IsLabel) -> tuple[int, int]:
    """The lines that are the value of the heading above them; none when they are fields of their own."""
    while at < len(lines) and not lines[at].text.strip():
        at += 1
    last = at
    while last < len(lines) and lines[last].text.strip() and not lines[last].text.lstrip().startswith("#"):
        line = lines[last].text
        bullet = _BULLET.match(line)
        field = _FIELD.match(line[bullet.end() :] if bullet else line.lstrip())
        heading = _HEADING.match(line)
        if (field and is_label(field["label"].strip(" *-\"'"))) or (heading and is_label((heading["colon"] or "").strip())):
            break
        last += 1
    return at, last


def _is_short(label: str) -> bool:
    return len(label) <= LABEL_LENGTH_MAX and not re.search(r"[.!?,;]\s", label)


def _is_list(value: str, is_label: IsLabel) -> bool:
    """`CPU: 4, RAM: 8 GB`: the value holds further labels."""
    further = re.findall(r"[,;|/]\s*([^:=,;|/]{1,40}?)\s*[:=]", value)
    return any(is_label(one) for one in further)


Cells = list[tuple[int, int, str]]


def _table_at(lines: list[_Line], at: int, is_label: IsLabel) -> tuple[int, list[Cells], bool] | None:
    """(the first line after it, its rows, whether it is a form) of a table in Markdown or of separated values that begins here."""
    split = _splitter(lines[at].text)
    if split is None:
        return None
    heads = [lines[at].text[a:b].strip(" *\"'") for a, b in split(lines[at].text)]
    last = at + 1
    while last < len(lines) and (_RULE.match(lines[last].text) or (split(lines[last].text) and len(split(lines[last].text)) >= 2)):
        last += 1
    body = [line for line in lines[at + 1 : last] if not _RULE.match(line.text)]
    known = [is_label(head) for head in heads]
    is_markdown = lines[at].text.lstrip().startswith("|")
    if len(heads) == 2 and is_markdown and sum(map(is_label, (_cell(line, split, 0) for line in body))) * 2 >= max(len(body), 1):
        fields = [line for line in lines[at:last] if not _RULE.match(line.text)]  # a form of two columns: labels left, values right
        cells = [
            (line.start + split(line.text)[1][0], line.start + split(line.text)[1][1], _cell(line, split, 0))
            for line in fields
            if len(split(line.text)) > 1
        ]
        return last, [[cell for cell in cells if is_label(cell[2])]], True
    turned = _turned(lines[at], heads, body, split, is_label) if len(heads) > 2 and sum(known) < 2 else None
    if turned is not None:
        return last, turned, False
    if len(heads) < 2 or sum(known) < 2 or not body or (not is_markdown and any(re.search(r"\d", head) for head in heads)):
        return None
    rows = []
    for line in body:
        spans = split(line.text)
        rows.append(
            [(line.start + a, line.start + b, heads[i]) for i, (a, b) in enumerate(spans) if i < len(heads) and line.text[a:b].strip()]
        )
    return last, rows, False


_PREFERRED = re.compile(r"recommended|new|target|desired|planned|future|wanted|requested|empfohlen|recommandé|recomendado", re.IGNORECASE)


def _turned(
    top: _Line, heads: list[str], body: list[_Line], split: Callable[[str], list[tuple[int, int]]], is_label: IsLabel
) -> list[Cells] | None:
    """A table whose first column holds the labels: each other column is a thing, or the one that is preferred."""
    labels = [_cell(line, split, 0) for line in body]
    if sum(map(is_label, labels)) < 2:
        return None
    preferred = [n for n in range(1, len(heads)) if _PREFERRED.search(heads[n])]
    rows = []
    for n in preferred or range(1, len(heads)):
        cells = [
            (line.start + split(line.text)[n][0], line.start + split(line.text)[n][1], label)
            for line, label in zip(body, labels, strict=True)
            if len(split(line.text)) > n and is_label(label) and _cell(line, split, n)
        ]
        start, end = split(top.text)[n]
        named = [] if preferred else [(top.start + start, top.start + end, "name")]
        rows.append([*named, *cells])
    return rows


def _cell(line: _Line, split: Callable[[str], list[tuple[int, int]]], number: int) -> str:
    spans = split(line.text)
    return line.text[slice(*spans[number])].strip(" *") if len(spans) > number else ""


def _splitter(text: str) -> Callable[[str], list[tuple[int, int]]] | None:
    if len(re.findall(r"\S\s{2,}(?=\S)", text.strip())) >= 2 and "|" not in text and "\t" not in text:
        return lambda line: [match.span() for match in re.finditer(r"\S+(?: \S+)*", line)]
    for mark, least in (("|", 1), ("\t", 2), (";", 2), (",", 2)):
        if text.count(mark) >= least and (mark != "|" or text.strip().startswith("|") or text.count("|") >= 2):
            return lambda line, mark=mark: _spans(line, mark)  # type: ignore[misc]
    return None


def _spans(line: str, mark: str) -> list[tuple[int, int]]:
    found, start = [], 0
    ends = [i for i, c in enumerate(line) if c == mark] + [len(line)]
    for end in ends:
        found.append((start, end))
        start = end + 1
    if mark == "|":
        found = [(a, b) for i, (a, b) in enumerate(found) if not (i in (0, len(found) - 1) and not line[a:b].strip())]
    return found
