"""A message while one of its effects is carried out: whose it is, what was said, and where the conversation stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from tools.pipeline.context import Say
from tools.pipeline.world import World
from tools.rules.words.rendering import draw
from tools.values.conversation import Conversation
from tools.values.effects import Tell
from tools.values.person import Person

T = TypeVar("T")


@dataclass(frozen=True)
class Moment:
    world: World
    name: str
    """The conversation's in the ledger."""
    person: Person
    text: str
    now: Conversation
    say: Say

    def tell(self, tell: Tell) -> None:
        self.say(draw(tell))


def made(value: T | None) -> T:
    """A value that the reducer has seen to be there before it asked for this work."""
    assert value is not None
    return value
