"""How things are called: names by convention, names that may be used, and the nearest name to one that does not exist.

Whether a name is taken in a cluster is told by whoever asks; nothing here looks.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Container, Iterable

from tools.values.site import Site

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""A DNS label: what Proxmox VE, cloud-init and SSH all take as a machine's name."""

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
"""What PostgreSQL takes as the name of a database or a role without quoting it."""

NUMBERS_MAX = 10_000


def name_problem(name: str) -> str:
    """Why this cannot be a machine's name, in whole sentences; empty when it can."""
    if NAME.fullmatch(name):
        return ""
    shown = shorten(name)
    remedy = repair(name)
    offer = f" {remedy} would do." if remedy else " Say a name such as build-01."
    return (
        f"{shown} cannot be the name of a machine: a name is made of small letters, digits and hyphens, "
        f"starts and ends with a letter or digit, and has at most 63 characters.{offer}"
    )


def repair(name: str) -> str:
    """The nearest name that may be used; empty when nothing of it is left."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-")
    return plain if NAME.fullmatch(plain) and len(name) <= 200 else ""


def shorten(text: str, length_max: int = 60) -> str:
    """What somebody typed, fit to stand in a sentence: on one line, quoted, not endless."""
    one_line = "".join(c if c.isprintable() else " " for c in text).strip()
    return f"“{one_line}”" if len(one_line) <= length_max else f"“{one_line[:length_max]}…”"


def names(workload: str, count: int, taken: Container[str], site: Site) -> tuple[str, ...]:
    """The first free names by the site's convention: db-01, db-02."""
    found: list[str] = []
    for number in range(1, NUMBERS_MAX):
        if len(found) == count:
            break
        name = site.name_pattern.format(workload=workload, number=number)
        if name not in taken:
            found.append(name)
    return tuple(found)


def listed(name: str) -> tuple[str, ...]:
    """The names that were said, one or several: `app-1, app-2`."""
    return tuple(one for one in re.split(r"\s*,\s*", name.strip()) if one)


def numbered(name: str, count: int) -> tuple[str, ...]:
    """As many names as were said; else several from one: build-01 goes on as build-02, web as web-1, web-2."""
    if count == 1 or "," in name:
        return listed(name)
    ending = re.fullmatch(r"(.*?)(\d+)", name)
    if ending and ending[1]:
        first, width = int(ending[2]), len(ending[2])
        return tuple(f"{ending[1]}{first + i:0{width}d}" for i in range(count))
    return tuple(f"{name}-{i + 1}" for i in range(count))


def tag(text: str) -> str:
    """The nearest tag that Proxmox VE takes: `Cost Centre 42` is cost-centre-42. Empty when nothing of it is left."""
    return re.sub(r"[^a-z0-9_.+-]+", "-", text.strip().lower()).strip("-+.")[:60]


def nearest(word: str, words: Iterable[str]) -> str:
    """The one that was probably meant, or nothing."""
    known = {w.lower(): w for w in words}
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return known[close[0]] if close else ""


def unknown(kind: str, word: str, words: Iterable[str]) -> str:
    """There is no node called pev3. Did you mean pve3?"""
    known = sorted(set(words))
    meant = nearest(word, known)
    if meant:
        return f"There is no {kind} called {shorten(word)[1:-1]}. Did you mean {meant}?"
    listed = ", ".join(known[:6]) + (" and others" if len(known) > 6 else "")
    return f"There is no {kind} called {shorten(word)[1:-1]}." + (f" There is: {listed}." if known else "")
