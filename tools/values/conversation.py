"""A conversation as values: what it holds, what can happen to it, and what is to be done because of that.

Nothing is decided here: `tools.rules.words.reducer` turns a conversation and a happening into the next conversation and its effects, and
nothing else does. The values are dataclasses, so that a type checker sees every field that is replaced.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from tools.values.heard import Heard
from tools.values.manifest import Manifest
from tools.values.offer import Offer, Proposal
from tools.values.plan import Plan
from tools.values.requirements import Requirements
from tools.values.review import Review
from tools.values.run import Run, RunStatus
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
    """(capability, fact) of the questions that are open."""
    heard: Heard | None = None
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
    run_status: Annotated[RunStatus | None, Field(exclude=True)] = field(default=None, compare=False)
    """Of that run, as the ledger says when a message comes; kept there and not here."""
    plan_kind: Annotated[PlanKind | None, Field(exclude=True)] = field(default=None, compare=False)
    """Of the plan on offer, likewise."""

    def without(self, first: Literal["heard", "requirements", "snapshots"]) -> Conversation:
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
        return replace(bare, heard=None) if first == "heard" else bare


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
    LIST = "list"
    HELP = "help"
    EMPTY = "empty"
    TOO_LONG = "too long"
    WORDS = "words"


# What can happen.


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
    """What is to be removed or looked at, when it was named."""


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


@dataclass(frozen=True)
class Said:
    """A message was heard, and each fact of it proven by a quote."""

    text: str
    now: Heard
    another: bool
    """It names a kind of thing, and asks for one more of it."""
    offline: bool
    """Heard by rule."""


@dataclass(frozen=True)
class Understood:
    requirements: Requirements
    not_used: tuple[str, ...]
    """Phrases of the message that no field is for."""


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
)


# What is to be done. An effect that is answered by an event is the last one of its step.


class Reply(StrEnum):
    """What can be said. Those that need no value have their sentence under this name in `texts/labels.toml`."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    HELP = "help"
    OFFLINE = "offline"
    UNREADABLE = "unreadable"
    NOT_HEARD = "not_heard"
    ANSWER = "answer"
    ONE_PLAN = "one_plan_at_a_time"
    STATUS = "status"
    NO_RUN = "no_run"
    RUN_UNDER_WAY = "run_under_way"
    RUN_STOPPED = "run_stopped"
    NOTHING_TO_APPROVE = "nothing_to_approve"
    NOTHING_TO_CANCEL = "nothing_to_cancel"
    NOTHING_TO_RETRY = "nothing_to_retry"
    NOTHING_TO_REMOVE = "nothing_to_remove"
    NOTHING_TO_LEAVE = "nothing_to_leave"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    DROPPED = "dropped"
    RETRYING = "retrying"
    QUESTIONS = "questions"
    REQUIREMENTS = "requirements"
    OFFER = "offer"
    NOTHING_FITS = "nothing_fits"
    MANIFEST = "manifest"
    REVIEW = "review"
    REFINEMENT = "refinement"
    REFINEMENT_DROPPED = "refinement_dropped"
    SETTLED_BY_RULE = "settled_by_rule"
    NOT_CLEAN = "not_clean"
    PLAN = "plan"
    APPROVE_HOW = "approve_how"
    APPROVED = "approved"
    APPROVED_PARTLY = "approved_partly"
    DONE = "done"
    REMOVED = "removed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Tell:
    reply: Reply
    of: Conversation
    """Whose values it is about."""
    words: tuple[str, ...] = ()
    """What was typed, what was not used, who is missing: as the reply has it."""
    plan: Plan | None = None
    run: Run | None = None


@dataclass(frozen=True)
class ListRuns:
    pass


@dataclass(frozen=True)
class OnPlan:
    digest: str


class AssertOpen(OnPlan):
    """It may still be approved."""


class Void(OnPlan):
    """It may not be approved any more."""


@dataclass(frozen=True)
class Start:
    """Every role has approved it."""

    plan: Plan


@dataclass(frozen=True)
class Approve:
    """Record one approval."""

    message: Message


@dataclass(frozen=True)
class OnRun:
    run_id: str


class ShowRun(OnRun):
    """Step by step."""


class Find(OnRun):
    """Whether there is one of this name."""


class Cancel(OnRun):
    """It stops where it is."""


class Retry(OnRun):
    """It goes on from where it stopped."""


class Leave(OnRun):
    """What it has made stays as it is."""


class PlanRemoval(OnRun):
    """Of what it has made, and nothing else."""


@dataclass(frozen=True)
class Follow(OnRun):
    after: int
    """The last line that was shown."""


@dataclass(frozen=True)
class Hear:
    text: str


@dataclass(frozen=True)
class Understand:
    text: str
    now: Heard


class Work(StrEnum):
    """What is done with the conversation's own values."""

    LOOK = "look at the world, and offer"
    PROPOSE = "pick from the offer"
    DRAFT = "compose and review"
    JUDGE = "see whether another pick could help"
    REFINE = "pick again"
    COUNTER = "find what would pass instead"
    PLAN = "plan"


Works = Work | type[Understand] | type[Follow]
"""What takes its time: kinds of effects that somebody has to be there for."""
AtOnce = Tell | ListRuns | AssertOpen | Void | Start | Approve | ShowRun | Find | Cancel | Retry | Leave | PlanRemoval
Effect = AtOnce | Follow | Hear | Understand | Work
