"""Reads what a capability wants to know from its facts.toml: words are data, so that a writer can add one without touching code."""

from __future__ import annotations

import tomllib
from importlib import resources

from tools.values.wanted import Wanted


def wanted(package: str, **shared: tuple[Wanted, ...]) -> tuple[Wanted, ...]:
    """The facts of the package's facts.toml, in its order, which is the order in which they are looked for.

    An empty section stands for facts that are shared, by the name under which they are handed in. `choices` is a table: each value with
    the words that mean it.
    """
    text = resources.files(package).joinpath("facts.toml").read_text(encoding="utf-8")
    found: list[Wanted] = []
    for name, told in tomllib.loads(text).items():
        found.extend([Wanted.model_validate({"name": name, **_listed(told)})] if told else shared[name])
    return tuple(found)


def named(facts: tuple[Wanted, ...], name: str) -> Wanted:
    return next(one for one in facts if one.name == name)


def _listed(told: dict[str, object]) -> dict[str, object]:
    choices = told.get("choices")
    return told | {"choices": tuple(choices.items())} if isinstance(choices, dict) else told
