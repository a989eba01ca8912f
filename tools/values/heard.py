"""What was heard: facts in the operator's own words. Nothing here is understood yet, and a quote that was never typed is dropped by a rule."""

from __future__ import annotations

from tools.values.value import Value


class Fact(Value):
    name: str
    """One of the names that the capability asks for, such as `concurrent_users`."""
    value: str
    """As said, or as the capability's choices spell it: `100`, `8 GB`, `production`."""
    quote: str
    """The operator's own words that say so, verbatim."""


class Ask(Value):
    """One thing asked for."""

    capability: str
    facts: tuple[Fact, ...] = ()


class Heard(Value):
    """Everything asked for so far, over all turns of the conversation. Later facts win over earlier ones of the same name."""

    asks: tuple[Ask, ...] = ()
