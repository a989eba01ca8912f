"""What was heard: facts in the operator's own words. Nothing here is understood yet, and a quote that was never typed is dropped by a
rule."""

from __future__ import annotations

from tools.values.value import Value


class Fact(Value):
    name: str
    """One of the names that the capability asks for, such as `users`."""
    value: str
    """As said, or as the capability's choices spell it: `100`, `8 GB`, `production`."""
    quote: str
    """The operator's own words that say so, verbatim."""


class Ask(Value):
    """One item asked for."""

    capability: str
    label: str = ""
    """What the item is called in this request, once in it; empty: as its capability, and numbered when there are several."""
    facts: tuple[Fact, ...] = ()


class Heard(Value):
    """Everything asked for so far, over all turns of the conversation. Later facts win over earlier ones of the same name."""

    asks: tuple[Ask, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """One for each ask, each once: `web_server`, `web_server-2`."""
        taken = {ask.label for ask in self.asks if ask.label}
        found: list[str] = []
        for ask in self.asks:
            spellings = (ask.capability, *(f"{ask.capability}-{number}" for number in range(2, len(self.asks) + 2)))
            label = ask.label or next(one for one in spellings if one not in taken)
            taken.add(label)
            found.append(label)
        return tuple(found)
