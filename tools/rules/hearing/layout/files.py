"""Files of other programs that are pasted with a request: which they are, where they stand, what they hold. Nothing is read from them,
since what they say is meant for that program (`cpu: 500m` is no machine of 500 cores); they are told. What files there are is data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from tools.rules.hearing.lexicon import ENGLISH, language

NAMES_MAX = 8
"""Of what a file holds, that are told."""
_LINE = re.compile(r"[^\n]*\n?")
_KEY = re.compile(r"([\w.-]+)[ \t]*:(?:[ \t]|$)")


class Pasted(NamedTuple):
    start: int
    end: int
    called: str
    """What it is, and what it holds."""
    runs_on: str
    """What such a file is handed to, in a word for it; empty where that is there already."""


def pasted(text: str) -> list[Pasted]:
    found = []
    for told in language(ENGLISH)["files"].values():
        for start, block in _blocks(text, set(told["keys"])) if f"{told['begins']}:" in text.lower() else ():
            keys = [(len(line) - len(line.lstrip(" \t-")), *_pair(line)) for line in block.lower().split("\n")]
            inner = next((indent for indent, key, _ in keys if key and indent), 0)
            read = any(key == told["named_by"] and value in told.get("read", ()) for _, key, value in keys)  # in YAML of our own
            if not read and any(key == told["begins"] for _, key, _ in keys) and any(key in told["holds"] for _, key, _ in keys):
                names = [name for name in _names(block, told, inner) if name]
                found.append(Pasted(start, start + len(block), " ".join((told["called"], ", ".join(names))).strip(), told["runs_on"]))
    return found


def without(text: str, found: list[Pasted]) -> str:
    """Every other character keeps its place."""
    for one in found:
        text = text[: one.start] + re.sub(r"[^\n]", " ", text[one.start : one.end]) + text[one.end :]
    return text


def _pair(line: str) -> tuple[str, str]:
    match = _KEY.match(line.lstrip(" \t-"))
    return (match[1], line.lstrip(" \t-")[match.end() :].strip()) if match else ("", "")


def _blocks(text: str, keys: set[str]) -> Iterator[tuple[int, str]]:
    """(where it begins, the lines) of lines that are such keys, or stand below one."""
    start = end = -1
    for match in _LINE.finditer(text):
        line = match.group().rstrip("\n")
        begins = not line[:1].isspace() and _pair(line)[0].lower() in keys and line[:1] != "-"
        goes_on = start >= 0 and (not line.strip() or line[0] in " \t#-")
        if begins or goes_on:
            start, end = (match.start(), match.start()) if start < 0 else (start, end)
            end = match.start() + len(line) if line.strip() else end
        elif start >= 0:
            yield start, text[start:end]
            start = -1
    if start >= 0:
        yield start, text[start:end]


def _names(block: str, told: Mapping[str, Any], inner: int) -> Iterator[str]:
    """Values of the key that names what it holds, or, where none does, the keys below the first."""
    within = ""
    for line in islice(block.split("\n"), 400):
        indent, (key, value) = len(line) - len(line.lstrip()), _pair(line)
        within = key.lower() if key and not indent else within
        if told["named_by"]:
            yield value if key.lower() == told["named_by"] and not indent else ""
        elif within == told["begins"] and indent == inner:
            yield key
