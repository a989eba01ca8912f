"""What others wrote, made fit to be shown: errors of clusters, clouds and providers, answers of machines, names, tags and notes, and the
reasons of a model. In Markdown, markup is the templates' alone: what is put into them is words, and code between backticks.

Markdown is read as the web UI reads it: CommonMark with GitHub's tables and bare links (https://spec.commonmark.org/0.31.2/,
https://github.github.com/gfm/, 2026-11-29).
"""

from __future__ import annotations

import re
from itertools import groupby

CHARACTERS_MAX = 4_000
"""Of one value in a text."""
THEIRS_CHARACTERS_MAX = 600

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Controls, marks of direction and signs of no width: they steer a terminal, or show other words than there are."""
_ADDRESS = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]{0,30}:/{1,3}|www\.|mailto:)[^\s`<>]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+[^\s`<>]*", re.IGNORECASE
)
_MARK = re.compile(r"[<|]|\*(?!\s)|(?<!\s)\*|~~|\](?=[(\[:])|!(?=\[)|(?<![^\W_])_|_(?![^\W_])|\\(?=[!-/:-@\[-`{-~]|$)")
_START = re.compile(r"(?:#{1,6}(?:\s|$)|>|[-+*](?:\s|$)|[-=]{2,}|~~~|(\d{1,9})[.)](?:\s|$))")
_COMMANDS = re.compile(
    r"\b(?:approve|confirm|remove|destroy|delete|roll\s*back|retry|cancel|leave|apply|reply|type|say|paste|run|click|open|visit|allow|clear)"
    r"(?:d|ed|s|ing|led)?\b|\b[0-9a-f]{8,}\b",
    re.IGNORECASE,
)


def seen(text: str) -> str:
    """Without whatever steers a terminal or is not to be seen. Lines stay."""
    return _UNSEEN.sub("", _ANSI.sub("", text))


def as_data(text: str, characters_max: int = CHARACTERS_MAX) -> str:
    """One line of Markdown in which nothing is markup but code between backticks. Spaces at its ends stay, as one."""
    flat = re.sub(r"\s+", " ", seen(text))
    flat = flat if len(flat) <= characters_max else flat[: characters_max - 1] + "…"
    made, place = [], 0
    for begin, end in _code_spans(flat):
        made += [*_words(flat[place:begin]), code(flat[begin:end].strip("`"))]
        place = end
    whole = _side_by_side([*made, *_words(flat[place:])])
    bare = whole.lstrip()
    found = _START.match(bare)
    if found is None:
        return whole
    place = len(whole) - len(bare) + max(found.end(1), 0)
    return f"{whole[:place]}\\{whole[place:]}"


def lines_as_data(text: str) -> str:
    """The same line by line. Lines that are indented are to be typed: they stand in a block of code, as they are."""
    made = list[str]()
    for typed, several in groupby(seen(text).splitlines(), lambda line: line.startswith(" " * 4)):
        if typed:
            block = "\n".join(line.strip() for line in several)
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", block)), default=0))
            made.append(f"\n{fence}\n{block}\n{fence}")
        else:
            made += [as_data(line.strip()) for line in several]
    return "\n".join(made)


def code(text: str) -> str:
    """As code on one line, whatever stands in it; nothing where it is empty."""
    flat = re.sub(r"\s+", " ", seen(text).replace("`", "'"))
    return f"`{flat}`" if flat.strip() else ""


def theirs(text: str, characters_max: int = THEIRS_CHARACTERS_MAX) -> str:
    """What somebody else said, marked as such within a sentence of ours: as code, on one line, and not endless."""
    flat = " ".join(seen(text).replace("`", "'").split())
    flat = flat if len(flat) <= characters_max else flat[: characters_max - 1].rstrip() + "…"
    return code(flat) or "nothing"


def quotable(text: str) -> str:
    """Words that may stand in a model's reason, on one line; empty where they could be taken for a command or a plan's name."""
    flat = " ".join(re.sub(r"[^\w\s.,;:()%'’+=≤≥€$/-]", "", _ADDRESS.sub("", seen(text))).split())
    return "" if _COMMANDS.search(flat) else flat


def _code_spans(text: str) -> list[tuple[int, int]]:
    """As CommonMark finds them: a run of backticks ends with the next one of the same length."""
    runs = [(found.start(), found.end()) for found in re.finditer(r"`+", text)]
    spans, place = [], 0
    while place < len(runs):
        begin, end = runs[place]
        closing = next((n for n in range(place + 1, len(runs)) if runs[n][1] - runs[n][0] == end - begin), None)
        if closing is None:
            place += 1
        else:
            spans.append((begin, runs[closing][1]))
            place = closing + 1
    return spans


def _words(text: str) -> list[str]:
    """What stands between code: addresses become code, whatever else could be markup is escaped."""
    made, place = list[str](), 0
    for found in _ADDRESS.finditer(text):
        address = found[0].rstrip(".,;:!?)]}*_~'\"|\\")
        made += [_escaped(text[place : found.start()]), code(address)]
        place = found.start() + len(address)
    return [*made, _escaped(text[place:])]


def _side_by_side(pieces: list[str]) -> str:
    """Two backticks that meet would be a fence of another length."""
    whole = ""
    for piece in filter(None, pieces):
        whole += f" {piece}" if whole.endswith("`") and piece.startswith(("`", "\\`")) else piece
    return whole


def _escaped(text: str) -> str:
    """At its ends there may be code, which is no space."""
    return _MARK.sub(lambda found: "".join("\\" + sign for sign in found[0]), text).replace("`", "\\`")
