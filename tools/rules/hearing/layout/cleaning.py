"""Takes out of a message what is no words: comments, hints, emphasis, boxes, quotes of mail. Every character keeps its place, so that
quotes can be found again in what was typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

_MARKUP = re.compile(
    r"^\s*[QA]\s*[:.)](?=\s)|<!--.*?-->|^\s*```[\w-]*\s*$|^\s*~~~\s*$|\*\*|__(?=\w)|(?<=\w)__|^[ \t]*(?:>[ \t]?)+|&nbsp;|`"
    r"|~~[^~\n]{1,80}~~|\\[ \t]*$"
    r"|^[ \t]*_\w+(?: [^_\n ]+){3,}_[ \t]*$"  # a hint below its label
    r"|\*(?=[^\s*][^*\n]{0,60}:\*)|(?<=:)\*(?=\s)|(?<=[A-Za-z])\(s\)",  # `*Name:* lark`, `port(s)`
    re.DOTALL | re.MULTILINE,
)
_HINT = re.compile(
    r"(?<!: )(?<!:)\[(?!(?<![^\n]\[)\w{2,12}\][ \t]*\S|[ xX]\]|[\d,. -]+\])(?=[^\]]*[a-zA-Z]{2,})[^\]\n]{0,200}\](?!\()"
    r"|\((?:e\.?\s?g\.?|i\.?e\.?|for example|such as|example|ex:|please|if |only |say |see |max(?!imum\)|\))|min(?!imum\)|\))|default"
    r"|optional|required|leave)"
    r"[^)\n]*\)"
    r"|<(?!\d)[a-z][^>\n]{1,80}>",
    re.IGNORECASE,
)
_BOX = re.compile(r"^(\s*(?:[-*]\s*)?)\[([ xX])\]\s*(.*)$")
_BOLD = re.compile(r"^([ \t]*)\*\*(?=[^*\n]+\*\*:?[ \t]*$)", re.MULTILINE)
_FLOW = re.compile(r"\{[ \t]*\"?[\w-]+\"?[ \t]*[:=][^{}\n]*\}")
_KEYS = re.compile(r"(?<=[\w\"'])[ \t](?=[\w-]+[ \t]*=[ \t]*[^=\s])")
"""`bridge = "vmbr0" vlan_id = 24`."""
_QUOTED = re.compile(
    r"(?<=[:=])([ \t]*)[\"']([^\"'\n${}]{1,120})[\"'](?=[ \t]*,?[ \t]*$)|^([ \t]*)[\"']([\w -]{1,60})[\"'](?=[ \t]*=)", re.MULTILINE
)
"""A value or a key of a file in quotes: the label of a field tells what it is."""
_LIST = re.compile(r"\[[^\[\]\n]*\]")
_OPTION = re.compile(r"(?:(?<=\s)|^)--(?=[a-z])([\w-]+)([ =])(?=\S)", re.MULTILINE)
"""`--cores 4` of a command."""
_CHOSEN = re.compile(r"(?:\([ xX]?\)|\[[ xX]?\])[^()\[\]\n]*")
"""One of several boxes on a line: `( ) 2 (x) 4`."""
_PAIR = re.compile(r"[ \t](?=[A-Za-z_]{2,20}=\S)")
_ROW = re.compile(r"^([^;:=\d\n]{2,40});(?=[^;:=\n]+$)", re.MULTILINE)
"""`RAM (GB);4`: a label and its value, a pair on a line."""
_NUMBERED = re.compile(r"(?<=[:;,.])[ \t](?=\(?(\d)\)[ \t])")
"""`two things: (1) a database; (2) a VM`: a list within a line."""
_A_NAME = re.compile(r"[A-Za-z][A-Za-z-]*\d[\w.-]*\s*")
_HEADS = re.compile(r"^\s*(?:#{1,6}\s+)(?P<said>[^\n:|]{2,60}?)\s*:?\s*#*\s*$")
_SIZED = re.compile(r"^\s*[-*•]\s+[^:=|\n]{2,60}$")
_BULLET = re.compile(r"^\s*[-*•]")
_JOINED = "\0"
_REMOVED = re.compile(r"^[ \t]*#[ \t]*-.*$", re.MULTILINE)
"""A line that is taken out of a file in YAML."""
_SHARE = re.compile(r"(\b[A-Za-z]\w{0,11})=(\d+ ?[GMT]i?B\b)")
"""`OS=80GB; DATA=500GB; LOG=100GB`: sizes of several, each with what it is of."""
_ARROW = re.compile(r":?(\b\w+[\"']?[ \t]*)=>")
"""`:ram => 4096` of a file in Ruby."""
_TITLE = re.compile(r"^h[1-6]\.([ \t])", re.MULTILINE)
"""`h3. Request` of Jira."""
_BRANCHES = str.maketrans("├└│─", "--  ")
"""Of a tree, the marks of a list."""
_KEYED = re.compile(r"\"[\w -]{1,60}\"\s*:")


def clean(text: str) -> str:
    text = _TITLE.sub(r"###\1", text)
    text = _ARROW.sub(lambda pair: pair.group().replace(":", " ").replace("=>", "= "), text.translate(_BRANCHES))
    text = "\n".join(_choose(_shares(line)) for line in text.replace("||", " |").split("\n"))
    bare = _MARKUP.sub(_blank, _BOLD.sub(r"\1# ", _as_lines(_REMOVED.sub(_blank, text))))
    return _HINT.sub(_blank, "\n".join(_unboxed(bare.split("\n"))))


def under_headings(text: str, is_label: Callable[[str], bool]) -> str:
    """`## Build box` above `- 4 GB RAM` and `- 4 cores`: what a heading says of one of several machines, on one line with it."""
    lines, found, at = text.split("\n"), list[tuple[int, int, re.Match[str]]](), 0
    while at < len(lines):
        heading, last = _HEADS.match(lines[at]), at + 1
        while last < len(lines) and (not lines[last].strip() or _SIZED.match(lines[last])):
            last += 1
        sized = [line for line in lines[at + 1 : last] if line.strip()]
        if heading and len(sized) >= 2 and any(re.search(r"\d", line) for line in sized) and not is_label(heading["said"]):
            found.append((at, last, heading))
        at = max(last, at + 1)
    for first, last, heading in found if len(found) > 1 else ():
        lines[first] = " " * heading.start("said") + heading["said"] + " " * (len(lines[first]) - heading.end("said")) + ":"
        for n in range(first + 1, last):
            goes_on = "," if any(line.strip() for line in lines[n + 1 : last]) and lines[n].strip() else " "
            lines[n] = _BULLET.sub(lambda mark: " " * len(mark.group()), lines[n]) + (goes_on if n < last - 1 else "")
        lines[first:last] = ["".join(lines[first:last]), *[_JOINED] * (last - first - 1)]
    return "\n".join(line for line in lines if line is not _JOINED)


def spaced(text: str) -> str:
    """With blanks between values that stand side by side (`2,4,20`), so that they are no single number."""
    lines = text.split("\n")
    return "\n".join(
        line.replace(",", " ") if len(re.findall(r",\S", line)) >= 3 - (" " not in line) and ", " not in line else line for line in lines
    )


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def _unboxed(lines: Sequence[str]) -> Iterator[str]:
    """`- [x] backups` is said, `- [ ] backups` is not; where nobody ticks, the one line with a figure is: `- [ ] port 22 for SSH`."""
    for is_boxed, several in groupby(lines, key=lambda line: _BOX.match(line) is not None):
        block = list(several)
        boxes = [box for line in block if (box := _BOX.match(line))]
        figures = [box for box in boxes if re.search(r"\d", box[3])]
        sized = [
            box for box in boxes if len(re.findall(r"\d+(?:\.\d+)?", box[3])) > 1
        ]  # `- [ ] a VM with 6 cores, 24 GB`: what is to be done
        alone = [] if any(box[2] in "xX" for box in boxes) else boxes if len(sized) == 1 else figures if len(figures) == 1 else []
        for box in boxes:
            is_filled = box[2] in "xX" or box in alone or re.search(r":\s*\S", box[3]) or _A_NAME.fullmatch(box[3])
            yield box[1] + " " * (box.start(3) - box.end(1)) + box[3] if is_filled else " " * len(box.string)
        yield from () if is_boxed else block


def _choose(line: str) -> str:
    """Of boxes side by side, what is ticked."""
    boxes = _CHOSEN.findall(line)
    if len(boxes) < 2 or not any(re.match(r".[xX]", box) for box in boxes):
        return line
    return _CHOSEN.sub(lambda box: "   " + box.group()[3:] if re.match(r".[xX]", box.group()) else " " * len(box.group()), line)


def _shares(line: str) -> str:
    return _SHARE.sub(r"\1 \2", line).replace(";", ",") if ";" in line and len(_SHARE.findall(line)) > 1 else line


def _unfold(flow: re.Match[str]) -> str:
    """Pairs in braces, each on a line of its own; a list among them stays whole."""
    bare, lists = _KEYS.sub("\n", flow.group()), [span for found in _LIST.finditer(flow.group()) for span in range(*found.span())]
    return "".join("\n" if c in "{}" or (c == "," and i not in lists) else c for i, c in enumerate(bare))


def _as_lines(text: str) -> str:
    """JSON, and pairs on one line, as `label: value` lines."""
    text = "\n".join(_NUMBERED.sub("\n", line) if _NUMBERED.findall(line)[:2] == ["1", "2"] else line for line in text.split("\n"))
    text = _FLOW.sub(_unfold, text)
    if len(_ROW.findall(text)) >= 3:
        text = _ROW.sub(r"\1:", text)
    if len(_OPTION.findall(text)) >= 3:
        text = _OPTION.sub(r"\n \1:", text)
        text = "\n".join(line.replace(",", "\n") if "=" in line else line for line in text.split("\n"))
    text = "\n".join(
        _PAIR.sub("\n", line.replace("ansible_host=", "     address=")) if len(re.findall(r"\b[A-Za-z_]{2,20}=\S", line)) >= 3 else line
        for line in text.split("\n")
    )
    if len(_KEYED.findall(text)) < 2:
        return _QUOTED.sub(lambda found: f"{found[1] or found[3] or ''} {found[2] or found[4]} ", text)
    depth, out = 0, []
    for c in re.sub(r"[\"{}]", " ", text):
        depth += (c == "[") - (c == "]")
        out.append("\n" if c == "," and depth == 0 else c)
    return "".join(out)
