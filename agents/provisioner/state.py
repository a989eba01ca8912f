"""The chain of values of one conversation, kept in the ledger; and what this turn is about.

ADK's session state and history are conversation only: they can be written by any client, so nothing is ever read from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from google.adk.agents.invocation_context import InvocationContext
from pydantic import TypeAdapter

from tools.rules.words import conversation
from tools.rules.words.conversation import Message, Phase
from tools.values.heard import Heard
from tools.values.manifest import Manifest
from tools.values.offer import Offer, Proposal
from tools.values.requirements import Requirements
from tools.values.review import Review
from tools.values.snapshot import ClusterSnapshot, Snapshot, SubscriptionSnapshot, Target

from .world import principal, the_world

if TYPE_CHECKING:
    from tools.pipeline.world import World

TYPED_MAX = 40
"""Messages of a conversation that quotes may come from; older ones are forgotten."""


@dataclass
class Chain:
    """Every value of the conversation so far. A stage is silent until the values it needs are there."""

    phase: Phase = Phase.LISTENING
    typed: tuple[str, ...] = ()
    """What the operator typed, message by message: the only source of quotes."""
    asked: tuple[tuple[str, str], ...] = ()
    """(capability, fact) of the questions that are open."""
    heard: Heard | None = None
    requirements: Requirements | None = None
    snapshots: dict[Target, Snapshot] | None = None
    offer: Offer | None = None
    proposal: Proposal | None = None
    manifest: Manifest | None = None
    review: Review | None = None
    rounds: int = 0
    """Refinements made of this manifest."""
    tried: tuple[str, ...] = ()
    """Candidates that failed review, by `capability:candidate`."""
    plan_digest: str | None = None
    run_id: str | None = None
    """The run that the conversation's last approval started."""
    changing: bool = False
    """What is being drafted changes what that run has made."""
    heard_built: Heard | None = None
    """What had been heard when it was made: what a dropped change goes back to."""
    parent_digest: str = ""
    """Of the last manifest: what it reserved is the next one's own."""
    line_seen: int = 0
    """The last line of the run's journal that was shown."""
    introduced: bool = False
    """The offline model has said that it is one."""

    def move(self, event: conversation.Event) -> bool:
        """Goes to the next phase; False when the event means nothing in this one."""
        after = conversation.following(self.phase, event)
        if after is not None:
            self.phase = after
        return after is not None

    def forget_from(self, first: str) -> None:
        """Drops a value and everything made from it."""
        if self.manifest is not None:
            self.parent_digest = self.manifest.digest
        order = ["heard", "requirements", "snapshots", "offer", "proposal", "manifest", "review", "plan_digest"]
        for name in order[order.index(first) :]:
            setattr(self, name, None)
        self.rounds, self.tried = 0, ()


_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    "phase": TypeAdapter(Phase),
    "typed": TypeAdapter(tuple[str, ...]),
    "asked": TypeAdapter(tuple[tuple[str, str], ...]),
    "heard": TypeAdapter(Heard | None),
    "requirements": TypeAdapter(Requirements | None),
    "snapshots": TypeAdapter(dict[str, ClusterSnapshot | SubscriptionSnapshot] | None),
    "offer": TypeAdapter(Offer | None),
    "proposal": TypeAdapter(Proposal | None),
    "manifest": TypeAdapter(Manifest | None),
    "review": TypeAdapter(Review | None),
    "rounds": TypeAdapter(int),
    "tried": TypeAdapter(tuple[str, ...]),
    "plan_digest": TypeAdapter(str | None),
    "run_id": TypeAdapter(str | None),
    "changing": TypeAdapter(bool),
    "heard_built": TypeAdapter(Heard | None),
    "parent_digest": TypeAdapter(str),
    "line_seen": TypeAdapter(int),
    "introduced": TypeAdapter(bool),
}


@dataclass
class Turn:
    """One message and what comes of it. Lives as long as the invocation, in this process only."""

    world: World
    conversation: str
    requester: str
    message: Message
    chain: Chain
    tries: dict[str, int] = field(default_factory=dict)
    """Calls of a model's tool that were refused, by agent."""
    asked: dict[str, int] = field(default_factory=dict)
    """Calls of a model, by agent."""
    model: str = ""
    """The model that spoke last."""
    heard_now: Heard | None = None
    """What was heard in this message, proven."""
    heard_partly: Heard | None = None
    """What could be proven of a model's call that was refused for the rest."""
    used_offline: bool = False
    handled: bool = False
    """The message was a command and has been answered: nothing is drafted in this turn."""

    @property
    def drafting(self) -> bool:
        """Something is being drafted in this turn."""
        return not self.handled and self.chain.phase is Phase.DRAFTING

    def built(self) -> Manifest | None:
        """What this conversation's run has made: what is asked for now changes it."""
        if self.chain.run_id is None or not self.chain.changing:
            return None
        return self.world.ledger.plans.kept(self.world.ledger.runs.row(self.chain.run_id).plan_digest).manifest

    def save(self) -> None:
        values = {f.name: _ADAPTERS[f.name].dump_python(getattr(self.chain, f.name), mode="json") for f in fields(Chain)}
        self.world.ledger.put(self.conversation, values)


def load(world: World, name: str) -> Chain:
    stored = world.ledger.get(name)
    return Chain(**{key: _ADAPTERS[key].validate_python(value) for key, value in stored.items() if key in _ADAPTERS})


_turns: dict[str, Turn] = {}
_TURNS_MAX = 1000


def begin(context: InvocationContext) -> Turn:
    """The turn of this invocation, from the message that came with it: only its text, never its function responses."""
    parts = (context.user_content.parts if context.user_content else None) or []
    text = "\n".join(part.text for part in parts if part.text)
    name = f"{context.app_name}/{context.user_id}/{context.session.id}"
    world = the_world()
    turn = Turn(world, name, principal(), conversation.read(text), load(world, name))
    while len(_turns) >= _TURNS_MAX:
        del _turns[next(iter(_turns))]
    _turns[context.invocation_id] = turn
    return turn


def turn_of(invocation_id: str) -> Turn | None:
    """None when the invocation began elsewhere: then there is no message of a person, and every stage is silent."""
    return _turns.get(invocation_id)


def end(invocation_id: str) -> None:
    _turns.pop(invocation_id, None)
