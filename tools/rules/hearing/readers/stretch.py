"""A stretch of a message, and what its readers share. A stretch knows what was found in it and what of it is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tools.rules.hearing.wording import Span, mask
from tools.rules.names.text import fold
from tools.values.request import Fact
from tools.values.wanted import Wanted

NOT_A_VALUE = frozenset(
    """a an and any are as at be but by can cancel for from has have hello help hi i if in instead is it its list must my no not of ok okay
    on only or our please remove retry same should so status stop thanks that the their them then there they this to use using we where
    which will with yes you your access card interface speed traffic name named called number which what how why nothing
    approve undo guide roll back leave""".split()  # noqa: SIM905
)
"""Words that follow `network` or `node` in a sentence and are the name of neither."""
QUANTITIES_MAX = 40
"""Numbers of a kind that one message is read for."""


@dataclass
class Stretch:
    """A stretch of a message, in which what one reader has taken is out of the others' sight."""

    text: str
    folded: str = field(init=False)
    free: str = field(init=False)
    found: dict[str, Fact] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folded = self.free = fold(self.text)

    def take(self, span: Span) -> None:
        self.free = mask(self.free, span)

    def say(self, name: str, value: str, span: Span) -> None:
        """A later value of the same name wins: `100 users, no, 200 users`."""
        self.found[name] = Fact(name=name, value=value, quote=self.text[span.start : span.end])


def names_something(token: str) -> bool:
    return token.rstrip(".") not in NOT_A_VALUE


Reader = Callable[[Stretch, list[Wanted], tuple[str, ...]], None]
"""Looks for the facts of its kinds; the words are those that name the capability."""
