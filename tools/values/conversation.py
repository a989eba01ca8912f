"""What is kept of a conversation. `tools.rules.words.reducer` makes the next one from it and from what happened, and nothing else does.

It is a dataclass and not a `Value`, so that a type checker sees every field that is replaced; it has no digest, for nobody approves it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from tools.values.manifest import Manifest
from tools.values.offer import Offer, Proposal
from tools.values.request import Doubt, Edits, Request
from tools.values.requirements import Requirements
from tools.values.review import Review
from tools.values.run import RunStatus
from tools.values.snapshot import PlatformName, Snapshot

PlanKind = Literal["create", "change", "remove"]


class Phase(StrEnum):
    LISTENING = "listening"
    ASKING = "asking"
    DRAFTING = "drafting"
    AWAITING = "awaiting approval"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Conversation:
    """Everything that is kept of a conversation from one message to the next. Each value is made from the ones above it."""

    phase: Phase = Phase.LISTENING
    typed: tuple[str, ...] = ()
    """What the operator typed, message by message: the only source of quotes."""
    asked: tuple[tuple[str, str], ...] = ()
    """(item's label, fact) of the questions that are open, and of what was said that cannot be taken; for a fact stands a capability that
    was offered in the item's place."""
    doubts: tuple[Doubt, ...] = ()
    """What was understood in several ways, and is not settled yet."""
    request: Request = field(default_factory=Request)
    history: tuple[Request, ...] = ()
    """What it was before each edit that can be undone, the latest last."""
    ahead: tuple[Request, ...] = ()
    """What it was before each undoing, the latest last."""
    priced: Edits | None = None
    """What the last question supposed, such as 8 GB or things that nobody has asked for yet: `do it` asks for that."""
    question: str = ""
    """What the last message asked beside what it ordered: it is answered below the plan that comes of it."""
    requirements: Requirements | None = None
    snapshots: dict[PlatformName, Snapshot] | None = None
    offer: Offer | None = None
    proposal: Proposal | None = None
    manifest: Manifest | None = None
    review: Review | None = None
    rounds: int = 0
    """Refinements made of this manifest."""
    tried: tuple[str, ...] = ()
    """Candidates that failed review, by `capability:candidate`."""
    plan_digest: str | None = None
    plan_shown: str | None = None
    """The last plan that was shown of what is being asked for, open or not: the next one tells what is different from it."""
    not_used: tuple[str, ...] = ()
    """Phrases of all its messages that no field is for: told beside the approval too."""
    run_id: str | None = None
    """The run that the conversation's last approval started."""
    stood: tuple[str, Request] | None = None
    """The run that was done when this request of its own began, and what it was asked for: what is spoken of again when this one is
    dropped."""
    changing: bool = False
    """What is being drafted changes what that run has made."""
    request_built: Request | None = None
    """What was asked for when it was made: what a dropped change goes back to."""
    going_back: bool = False
    """The plan on offer, or the run that carries it out, leads back to what was built."""
    led_back: tuple[str, ...] = ()
    """Labels of the parts that it leads back, where the others stay as they are."""
    failed: str = ""
    """The last message, when the world was away for it: what `retry` says again."""
    parent_digest: str = ""
    """Of the last manifest: what it reserved is the next one's own."""
    line_seen: int = 0
    """The last line of the run's journal that was shown."""
    introduced: bool = False
    """The offline model has said that it is one."""
    run_status: Annotated[RunStatus | None, Field(exclude=True)] = field(default=None, compare=False)
    """Of that run, as the ledger says when a message comes; kept there and not here."""
    plan_kind: Annotated[PlanKind | None, Field(exclude=True)] = field(default=None, compare=False)
    """Of the plan on offer, likewise."""

    @property
    def before(self) -> Request | None:
        """The request before the last message that changed it."""
        return self.history[-1] if self.history else None

    def without(self, first: Literal["request", "requirements", "snapshots"]) -> Conversation:
        """Without a value and everything made from it."""
        bare = replace(
            self,
            snapshots=None,
            offer=None,
            proposal=None,
            manifest=None,
            review=None,
            rounds=0,
            tried=(),
            plan_digest=None,
            parent_digest=self.manifest.digest if self.manifest else self.parent_digest,
        )
        if first != "snapshots":
            bare = replace(bare, requirements=None)
        if first != "request":
            return bare
        return replace(bare, request=Request(), history=(), ahead=(), doubts=(), asked=(), plan_shown=None, not_used=())
