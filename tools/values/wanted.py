"""What a capability wants to know: the facts it asks for, how each is recognised, and how it is asked for."""

from __future__ import annotations

from typing import Literal

from tools.values.value import Value

Kind = Literal[
    "count",
    "memory",
    "disk",
    "volume",
    "money",
    "name",
    "network",
    "node",
    "choice",
    "text",
    "yes_no",
    "public_key",
    "region",
    "ports",
    "addresses",
]


class Wanted(Value):
    name: str
    """The fact's name: `concurrent_users`."""
    kind: Kind
    meaning: str
    """One line for a model and for people: what it is, in which unit."""
    words: tuple[str, ...] = ()
    """Words that stand beside the value: `users`, `concurrent users`, `connections`."""
    choices: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """For `choice`: (value, words that mean it): (`production`, (`production`, `prod`, `live`))."""
    question: str = ""
    """Asked when it is required and missing. Empty: never asked for, a default or an assumption stands in."""
    suggestions: tuple[str, ...] = ()
