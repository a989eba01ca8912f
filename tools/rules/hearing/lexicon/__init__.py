"""What Berth knows of languages, a file each: words by what they do in a sentence, by what they name, and short lists. Data only; what
words mean to the reader is made of it in tools.rules.hearing.words.dictionary."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

ENGLISH = "en"


@cache
def language(name: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))


@cache
def others() -> tuple[str, ...]:
    """Every language but English."""
    found = {one.name.removesuffix(".toml") for one in files(__package__).iterdir() if one.name.endswith(".toml")}
    return tuple(sorted(found - {ENGLISH}))


@cache
def listed(*names: str) -> frozenset[str]:
    """The words of some lists, in all languages."""
    return frozenset(word for one in (ENGLISH, *others()) for name in names for word in language(one).get("lists", {}).get(name, ()))


def numbered(name: str) -> dict[str, int]:
    """Spellings by their place in a list of the calendar, from 0, in all languages."""
    lists = (language(one)["calendar"][name] for one in (ENGLISH, *others()))
    return {word: number for one in lists for number, spellings in enumerate(one) for word in spellings.split()}
