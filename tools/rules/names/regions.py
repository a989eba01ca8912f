"""Azure's regions as people call them: `East US 2`, `eastus2`, `eus2`. What a subscription offers there is told by a snapshot, not here.

The table is Azure's public list of regions with the short forms of the Cloud Adoption Framework, written down 2026-11-24; a region
that it does not know is still taken when the snapshot has it.
"""

from __future__ import annotations

import re
from functools import cache

from tools.data import table
from tools.rules.names import naming
from tools.rules.names.text import fold

_DIRECTIONS = ("north", "south", "east", "west", "central")
SHORTS_SAID = frozenset(("eus", "eus2", "cus", "ncus", "scus", "wus", "wus2", "wus3", "weu", "neu", "uks", "ukw"))
"""Short forms that people say; the others only abbreviate names."""


@cache
def names() -> tuple[str, ...]:
    return tuple(row["name"] for row in table("azure-regions"))


@cache
def _aliases() -> dict[str, str]:
    aliases: dict[str, str] = {}
    for row in table("azure-regions"):
        aliases[row["name"]] = aliases[row["display_name"].lower()] = row["name"]
        aliases[f"{row['display_name'].lower()} region"] = row["name"]
        if row["short"] in SHORTS_SAID:
            aliases[row["short"]] = row["name"]
        # `us east 2`, as other clouds write it.
        words = row["display_name"].lower().split()
        if "us" in words:
            turned = " ".join(["us", *(w for w in words if w != "us")])
            aliases.setdefault(turned, row["name"])
            aliases.setdefault(turned.replace(" ", "-"), row["name"])
    return aliases


@cache
def _pattern() -> re.Pattern[str]:
    bodies = "|".join(r"[ -]?".join(map(re.escape, a.split(" "))) for a in sorted(_aliases(), key=lambda a: (-len(a), a)))
    return re.compile(rf"(?<![a-z0-9_.-])(?:{bodies})(?![a-z0-9_]|-[a-z0-9]| \d)")


def found(text: str) -> tuple[tuple[str, int, int], ...]:
    """(ARM name, start, end) of every region that is named, from left to right."""
    folded = fold(text)
    return tuple((_canonical(match.group()), *match.span()) for match in _pattern().finditer(folded))


def lookalikes(text: str) -> tuple[tuple[str, int, int], ...]:
    """Words that look like a region and are none: `eastus22`, `westeuorpe`."""
    known = [(start, end) for _, start, end in found(text)]
    matches = (m for m in re.finditer(r"(?<![a-z0-9_.-])[a-z]{5,24}\d{0,2}(?![a-z0-9_-])", fold(text)))
    return tuple(
        (m.group(), *m.span())
        for m in matches
        if any(d in m.group() for d in _DIRECTIONS)
        and m.group() not in ("central", "eastern", "western", "northern", "southern")
        and not any(s < m.end() and m.start() < e for s, e in known)
        and naming.nearest(m.group(), names())
    )


def named(text: str) -> tuple[str, ...]:
    """The regions that a text names, each once, in its order."""
    return tuple(dict.fromkeys(name for name, _, _ in found(text)))


def short(name: str) -> str:
    """As it stands in names that have little room."""
    return next((row["short"] for row in table("azure-regions") if row["name"] == name), name[:4])


def display(name: str) -> str:
    return next((row["display_name"] for row in table("azure-regions") if row["name"] == name), name)


def geography(name: str) -> str:
    return next((row["geography"] for row in table("azure-regions") if row["name"] == name), "")


def has_zones(name: str) -> bool:
    return next((row["zones"] == "yes" for row in table("azure-regions") if row["name"] == name), True)


def read(text: str) -> tuple[str, str]:
    """(ARM name, problem): one of them is empty. Two different regions in one breath are a problem that names both."""
    several = named(text)
    if len(several) == 1:
        return several[0], ""
    if several:
        listed = " and ".join(several)
        return (
            "",
            f"You named {listed}, and one workspace lies in one region. Say which: `in {several[0]}` or `in {several[-1]}`.",
        )
    word = " ".join(text.split())
    squeezed = re.sub(r"[^a-z0-9]", "", fold(word))
    if squeezed in names():
        return squeezed, ""
    meant = naming.nearest(squeezed, names())
    shown = naming.shorten(word, 40)[1:-1]
    if meant:
        return "", f"There is no Azure region called {shown}. Did you mean {meant}?"
    return "", f"There is no Azure region called {shown}. Say one by its name, such as eastus or westeurope."


def _canonical(said: str) -> str:
    plain = " ".join(re.split(r"[ -]+", said))
    return _aliases().get(plain) or _aliases().get(said) or _squeezed()[plain.replace(" ", "")]


@cache
def _squeezed() -> dict[str, str]:
    return {alias.replace(" ", "").replace("-", ""): name for alias, name in _aliases().items()}
