"""The turns of this process: each is one message on its way through the agents. What lasts is in the ledger, and `tools.pipeline.talk`
keeps it.

ADK's session state and history are conversation only: they can be written by any client, so nothing is ever read from them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from google.adk.agents.invocation_context import InvocationContext

from tools.values.person import Person
from tools.values.request import Edits

from .connection import who_speaks
from .world import the_world

if TYPE_CHECKING:
    from tools.ledger.leases import Lease
    from tools.pipeline.talk import Talk

_TURNS_MAX = 1000


@dataclass
class Turn:
    """Lives as long as the invocation, in this process only."""

    talk: Talk
    refused: Counter[str] = field(default_factory=Counter)
    """Calls of a model's tool that did not fit, by tool."""
    asked: Counter[str] = field(default_factory=Counter)
    """Calls of a model, by agent."""
    model: str = ""
    """The model that spoke last."""
    heard_partly: Edits = field(default_factory=Edits)
    """What could be proven of a model's call that was refused for the rest."""


_turns: dict[str, Turn] = {}


def typed(context: InvocationContext) -> str:
    """The message that came with this invocation: only its text, never its function responses."""
    parts = (context.user_content.parts if context.user_content else None) or []
    return "\n".join(part.text for part in parts if part.text)


def conversation_of(context: InvocationContext) -> str:
    """Its name in the ledger."""
    return f"{context.app_name}/{context.user_id}/{context.session.id}"


def begin(context: InvocationContext, found: Person | None, lease: Lease | None) -> None:
    """Takes the message that came with this invocation; `found`: who sent it, as its connection says; `lease`: of its conversation."""
    from tools.pipeline.talk import Talk

    world = the_world()
    talk = Talk(world, conversation_of(context), who_speaks(world.settings.operator, found), typed(context), lease)
    while len(_turns) >= _TURNS_MAX:
        del _turns[next(iter(_turns))]
    _turns[context.invocation_id] = Turn(talk)


def turn_of(invocation_id: str) -> Turn | None:
    """None when the invocation began elsewhere: then there is no message of a person, and every stage is silent."""
    return _turns.get(invocation_id)


def end(invocation_id: str) -> None:
    _turns.pop(invocation_id, None)
