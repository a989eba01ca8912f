"""The small part of OData's `$filter` that ARM and the price list use, made into a test on one row.

Which fields a row has is the caller's matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Row = Mapping[str, Any]
Test = Callable[[Row], bool]

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<word>[A-Za-z_][\w./]*)|(?P<number>-?\d+(?:\.\d+)?)|(?P<mark>[(),]))")
_DEPTH_MAX = 32


class FilterProblem(ValueError):
    """The filter is not one we can read."""


def read(text: str, *, ignore_case: bool = False) -> Test:
    """`a eq 'x' and (b ne 'y' or contains(c, 'z'))`, also `substringof('z', c)` and `startswith(c, 'z')`."""
    return _FilterReader(text, ignore_case).whole()


class _FilterReader:
    def __init__(self, text: str, ignore_case: bool) -> None:
        self._fold: Callable[[Any], Any] = (lambda v: v.lower() if isinstance(v, str) else v) if ignore_case else (lambda v: v)
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if not found or not found.lastgroup:
                raise FilterProblem(f"The filter cannot be read from '{text[at:][:40]}' on.")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
        self._at = self._depth = 0

    def whole(self) -> Test:
        test = self._either()
        if self._at != len(self._tokens):
            raise FilterProblem(f"The filter has something left over: '{self._tokens[self._at][1]}'.")
        return test

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self, kind: str, value: str | None = None) -> str:
        if self._at >= len(self._tokens) or self._tokens[self._at][0] != kind or (value and self._peek().lower() != value):
            raise FilterProblem(f"The filter wants {value or kind} where it has '{self._peek() or 'its end'}'.")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _either(self) -> Test:
        self._depth += 1
        if self._depth > _DEPTH_MAX:
            raise FilterProblem("The filter is nested too deeply.")
        tests = [self._all()]
        while self._peek().lower() == "or":
            self._at += 1
            tests.append(self._all())
        self._depth -= 1
        return lambda row: any(test(row) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._peek().lower() == "and":
            self._at += 1
            tests.append(self._one())
        return lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        if self._peek() == "(":
            self._at += 1
            test = self._either()
            self._take("mark", ")")
            return test
        word = self._take("word")
        if self._peek() == "(":
            return self._call(word.lower())
        operator, value, fold = self._take("word").lower(), self._value(), self._fold
        if operator == "eq":
            return lambda row: fold(get_path(row, word)) == fold(value)
        if operator == "ne":
            return lambda row: fold(get_path(row, word)) != fold(value)
        raise FilterProblem(
            f"The filter uses '{operator}', which is not simulated: eq, ne, and, or, contains, startswith and substringof are."
        )

    def _call(self, function: str) -> Test:
        self._take("mark", "(")
        first, second = self._argument(), ("", "")
        self._take("mark", ",")
        second = self._argument()
        self._take("mark", ")")
        field = first[1] if first[0] == "word" else second[1]
        text = self._fold(second[1] if first[0] == "word" else first[1])
        fold = self._fold
        if function in ("contains", "substringof"):
            return lambda row: text in (fold(get_path(row, field)) or "")
        if function == "startswith":
            return lambda row: (fold(get_path(row, field)) or "").startswith(text)
        raise FilterProblem(f"The filter uses '{function}', which is not simulated.")

    def _argument(self) -> tuple[str, str]:
        if self._at < len(self._tokens) and self._tokens[self._at][0] == "word":
            return "word", self._take("word")
        return "text", str(self._value())

    def _value(self) -> Any:
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        self._at += 1
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text)
        if kind == "word" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise FilterProblem(f"The filter wants a value where it has '{text or 'its end'}'.")


def get_path(row: Row, path: str) -> Any:
    value: Any = row
    for part in re.split(r"[./]", path):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
