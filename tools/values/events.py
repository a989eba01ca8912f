"""What can happen to a conversation: what a person says, and what comes of the effects that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from tools.values.conversation import PlanKind
from tools.values.manifest import Manifest
from tools.values.offer import Offer, Proposal
from tools.values.plan import Estimate, Plan, Swing
from tools.values.request import Edit, Edits, Request
from tools.values.requirements import Requirements
from tools.values.review import Review
from tools.values.run import Run
from tools.values.snapshot import PlatformName, Snapshot

Explained = Literal["details", "why", "arithmetic", "resources", "guide"]


class Intent(StrEnum):
    """What a message is."""

    APPROVE = "approve"
    APPROVE_WHAT = "approve without a digest"
    CANCEL = "cancel"
    RETRY = "retry"
    ROLL_BACK = "roll back"
    LEAVE = "leave"
    REMOVE = "remove"
    FOLLOW = "follow"
    STATUS = "status"
    NOD = "nod"
    UNDO = "undo"
    REDO = "redo"
    TAKE = "take the suggestions"
    SHOW = "show the request"
    RESUME = "resume a request"
    LIST = "list"
    DRIFT = "drift"
    RECONCILE = "what nobody approved"
    INBOX = "what waits for me"
    SHOW_PLAN = "show a plan"
    EXPLAIN = "explain"
    HELP = "help"
    GREET = "greet"
    EMPTY = "empty"
    TOO_LONG = "too long"
    WORDS = "words"


@dataclass(frozen=True)
class Message:
    """What a person typed, read by `tools.rules.words.conversation.read`."""

    intent: Intent
    text: str
    digest_typed: str = ""
    """The digits typed after `approve`."""
    role: str = ""
    """The role typed after `as`."""
    reason: str = ""
    """The words typed after `because`."""
    subject: str = ""
    """What is to be removed or looked at, when it was named; what is to be explained."""


@dataclass(frozen=True)
class Unreadable:
    """What was stored of the conversation cannot be read."""

    plan_digest: str | None
    """Of a plan that is still open for approval."""


@dataclass(frozen=True)
class Seen:
    """What the ledger says of the conversation's run and plan, before a message is taken: a run goes on while nobody is looking."""

    run: Run | None
    plan_kind: PlanKind | None
    begun: bool = False
    """The plan on offer was approved, and this is its run: whoever began it could not say so here."""


@dataclass(frozen=True)
class Said:
    """A message was heard, and each edit of it proven by a quote."""

    text: str
    edits: Edits
    offline: bool
    """Heard by rule."""


@dataclass(frozen=True)
class Understood:
    """The request was edited, and read."""

    edits: Edits
    request: Request
    refused: tuple[tuple[Edit, str], ...]
    """Edits that were not made, each with the reason."""
    requirements: Requirements
    anew: bool = False


@dataclass(frozen=True)
class Offered:
    snapshots: dict[PlatformName, Snapshot]
    offer: Offer


@dataclass(frozen=True)
class Proposed:
    proposal: Proposal | None
    """None when no model settled it: then the rules do."""


@dataclass(frozen=True)
class Drafted:
    manifest: Manifest
    review: Review
    rounds_max: int
    """Refinements that the model has; the rules have one more."""


@dataclass(frozen=True)
class Judged:
    refused: bool
    """The policy refuses what was asked for itself, so no other pick helps."""
    rounds_max: int


@dataclass(frozen=True)
class Countered:
    instead: str
    """What would pass, in a whole sentence, or nothing."""


@dataclass(frozen=True)
class Planned:
    plan: Plan
    before: tuple[Manifest, Estimate] | None = None
    """What was planned or built before, and what it cost."""
    swings: tuple[Swing, ...] = ()
    back_to: tuple[Manifest, Review] | None = None
    """Of a plan that leads back from a change: what was before it."""
    parts: tuple[str, ...] = ()
    """Labels of those that are led back, where the others stay as they are."""


@dataclass(frozen=True)
class Approved:
    plan: Plan
    missing_roles: tuple[str, ...]
    """Still to approve; the run may start when there is none."""


@dataclass(frozen=True)
class Started:
    plan: Plan


@dataclass(frozen=True)
class Found:
    """A run that was asked for by its name."""

    run: Run


@dataclass(frozen=True)
class Ended:
    """A run was followed to its end."""

    run: Run
    line_seen: int
    guide: str = ""
    plan_kind: PlanKind = "create"
    """Of what it carried out."""


@dataclass(frozen=True)
class Failed:
    """What the message wanted came to nothing because the world was away, and may be tried again."""

    text: str


Event = (
    Unreadable
    | Seen
    | Said
    | Understood
    | Offered
    | Proposed
    | Drafted
    | Judged
    | Countered
    | Planned
    | Approved
    | Started
    | Found
    | Ended
    | Failed
)
