"""Holds a body against the facts of its type, as the released provider does before it plans; parts what is written from what is only read.

The facts are in arm-types.json, a type a line: names, kinds, what is required, allowed values, patterns, versions. They were compiled on
2026-11-29, in a form of our own, from what Azure publishes about its types, and checked against azapi 2.12.0. A type that is not there,
or a version of which only the name is known, is taken as it comes. `has` are the properties, `any_other` the type of those not named,
`open` that other values than those of `one_of` are taken, `by` the property that tells the `cases` apart, `cut` that the facts end there.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cluster_sim.mirror.values import UNKNOWN

Facts = Mapping[str, Any]
SHOWN_MAX = 12


@cache
def _types() -> dict[str, dict[str, Facts]]:
    """By type in small letters, then by version."""
    found: dict[str, dict[str, Facts]] = {}
    for key, facts in json.loads((Path(__file__).parent / "arm-types.json").read_text("utf-8")).items():
        kind, _, version = key.partition("@")
        found.setdefault(kind.lower(), {})[version] = facts
    return found


def facts_of(kind: str, version: str) -> Facts | None:
    return _types().get(kind.lower(), {}).get(version)


def knows(kind: str) -> bool:
    return kind.lower() in _types()


def version_fault(kind: str, version: str) -> str:
    """Previews come and go, so only stable versions are held against the facts."""
    known = _types().get(kind.lower(), {})
    stable = sorted({one for facts in known.values() for one in facts.get("stable_versions", ())} | set(known))
    if not known or version in stable or version.endswith("-preview"):
        return ""
    return f"the `type`'s api-version `{version}` is invalid. The supported versions are [{', '.join(reversed(stable))}]."


def faults(kind: str, version: str, body: Any) -> list[str]:
    """A line for each thing that Azure does not take; what is not known yet is left alone."""
    facts = facts_of(kind, version)
    return list(_walk(facts, body, "")) if facts else []


def _walk(facts: Facts, value: Any, path: str) -> Iterator[str]:
    if value is None or value is UNKNOWN or facts.get("cut"):
        return
    match facts.get("is"):
        case "object":
            yield from _object(facts, value, path)
        case "list":
            yield from _list(facts, value, path)
        case "string" if not isinstance(value, str):
            yield _wrong_kind(path, "string", value)
        case "string":
            yield from _text(facts, value, path)
        case "boolean" if not isinstance(value, bool):
            yield _wrong_kind(path, "boolean", value)
        case "integer" if isinstance(value, bool) or not isinstance(value, int | float):
            yield _wrong_kind(path, "integer", value)
        case "integer":
            yield from _size(facts, value, f"`{path}` is", path)


def _object(facts: Facts, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield _wrong_kind(path, "object", value)
        return
    known = dict(facts.get("has") or {})
    if by := facts.get("by"):
        chosen = value.get(by)
        if chosen is UNKNOWN:
            return
        if chosen not in facts["cases"]:
            yield _not_one_of(_at(path, by), chosen, list(facts["cases"]))
            return
        case = facts["cases"][chosen]
        known |= case.get("has") or {}
        facts = {**facts, **{name: case[name] for name in ("any_other",) if name in case}}
    for name, inner in known.items():
        if inner.get("required") and not inner.get("read_only") and name not in value:
            yield f"`{_at(path, name)}` is required, but no definition was found"
    for name, inner in value.items():
        where = _at(path, name)
        if name in known:
            if known[name].get("read_only"):
                yield f"`{where}` is read only, please remove it"
            else:
                yield from _walk(known[name], inner, where)
        elif "any_other" in facts:
            yield from _walk(facts["any_other"], inner, where)
        else:
            near = difflib.get_close_matches(name, known, 1)
            yield f"`{where}` is not expected here." + (f" Do you mean `{_at(path, near[0])}`?" if near else "")


def _list(facts: Facts, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield _wrong_kind(path, "array", value)
        return
    yield from _size(facts, len(value), f"the number of items of `{path}` is", path)
    for number, inner in enumerate(value):
        yield from _walk(facts.get("of") or {}, inner, f"{path}.{number}")


def _text(facts: Facts, value: str, path: str) -> Iterator[str]:
    if "one_of" in facts and not facts.get("open") and value not in facts["one_of"]:
        yield _not_one_of(path, value, facts["one_of"])
    yield from _size(facts, len(value), f"the length of `{path}` is", path)
    if (pattern := _pattern(facts.get("pattern", ""))) and not pattern.search(value):
        yield f"`{path}` is invalid: {value!r} does not match the pattern {facts['pattern']}"


@cache
def _pattern(text: str) -> re.Pattern[str] | None:
    """A pattern of another language that Python cannot read says nothing."""
    try:
        return re.compile(text) if text else None
    except re.error:
        return None


def _size(facts: Facts, size: float, what: str, path: str) -> Iterator[str]:
    low, high = facts.get("min"), facts.get("max")
    if (low is not None and size < low) or (high is not None and size > high):
        yield f"{what} {size}, and must be {f'at least {low}' if low is not None else ''}{' and ' if None not in (low, high) else ''}" + (
            f"at most {high}" if high is not None else ""
        )


def _not_one_of(path: str, value: Any, allowed: list[str]) -> str:
    near = difflib.get_close_matches(str(value), allowed, 1)
    more = f" Do you mean `{near[0]}`?" if near else ""
    return f"`{path}`'s value `{value}` is invalid. The supported values are [{', '.join(allowed[:SHOWN_MAX])}].{more}"


def _wrong_kind(path: str, kind: str, value: Any) -> str:
    return f"`{path}` is invalid, expect `{kind}` but got `{type(value).__name__}`"


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def writable(kind: str, version: str, value: Any) -> Any:
    """Without what only Azure writes."""
    facts = facts_of(kind, version)
    if facts is None:
        return (
            {name: inner for name, inner in value.items() if name not in ("id", "type", "systemData")} if isinstance(value, dict) else value
        )
    return _parted(facts, value, reads=False)


def read_only(kind: str, version: str, value: Any) -> Any:
    """What only Azure writes: the output where nothing is picked."""
    facts = facts_of(kind, version)
    return value if facts is None else _parted(facts, value, reads=True)


def _parted(facts: Facts, value: Any, *, reads: bool) -> Any:
    """Properties that only Azure writes are not among the facts, but for those at the top."""
    if isinstance(value, list):
        inner = [_parted(facts.get("of") or {}, one, reads=reads) for one in value]
        return [one for one in inner if one not in ({}, None)] if reads else inner
    if not isinstance(value, dict) or facts.get("cut") or "has" not in facts:
        return {} if reads and isinstance(value, dict) else None if reads else value
    known = dict(facts["has"]) | dict((facts.get("cases") or {}).get(value.get(facts.get("by", "")), {}).get("has") or {})
    found = {}
    for name, one in value.items():
        about = known.get(name) or facts.get("any_other")
        if about is None or about.get("read_only"):
            if reads:
                found[name] = one
        else:
            part = _parted(about, one, reads=reads)
            if not reads or part not in ({}, [], None):
                found[name] = part
    return found
