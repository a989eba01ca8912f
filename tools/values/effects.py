"""What is to be done because of something that happened: values, which `tools.pipeline.talk` carries out.

An effect that is answered by an event is the last one of its step.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tools.values.events import Explained, Message
from tools.values.plan import Plan
from tools.values.request import Edit, Edits


@dataclass(frozen=True)
class Tell:
    """A text and the values it is made of: `tools.rules.words.telling` has one for everything that is said."""

    text: str
    """The name of its template, or of its sentence among the labels."""
    values: tuple[object, ...] = ()


@dataclass(frozen=True)
class TellWhatIsKnown:
    """Everything that can be asked for."""

    not_heard: str = ""
    """Words in which nothing of it was heard."""
    briefly: bool = False
    """One example, and where the list is."""


@dataclass(frozen=True)
class ListRuns:
    pass


@dataclass(frozen=True)
class ListWaiting:
    """Plans that wait for an approval which the person who asks may give."""


@dataclass(frozen=True)
class Reconcile:
    """Find what was changed that nobody approved."""


@dataclass(frozen=True)
class ShowPlan:
    digest_typed: str
    """Of anybody's plan: who approves has to see it."""


@dataclass(frozen=True)
class Explain:
    """More of the plan on offer, or of what the conversation's run was made from."""

    what: Explained


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
class PlanWayBack(OnRun):
    """To what was before the run's change; of a first plan, to nothing."""

    part: str = ""
    """As it was called, where it is led back alone; the others stay as they are."""


class ShowDrift(OnRun):
    """What is otherwise than it was made."""


@dataclass(frozen=True)
class Follow(OnRun):
    after: int
    """The last line that was shown."""


@dataclass(frozen=True)
class Hear:
    text: str


@dataclass(frozen=True)
class Understand:
    """Edit the request, and read what it comes to."""

    edits: Edits
    anew: bool = False
    """It is a new request, and what was asked for before is not part of it."""
    text: str = ""
    """The message that they are of; none where an answer picked them."""


@dataclass(frozen=True)
class Take:
    """What was suggested for every open question that has a suggestion, besides these edits."""

    quote: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Resume:
    """Take up a request that was read from a file, by its name."""

    name: str
    anew: bool


@dataclass(frozen=True)
class Answer:
    """A question, which changes nothing."""

    text: str
    edits: Edits


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
"""Kinds of effects that take their time, so that a stage is there for each."""
Commands = AssertOpen | Void | Start | Approve | Find | Cancel | Retry | Leave | PlanRemoval | PlanWayBack
AtOnce = (
    Tell
    | TellWhatIsKnown
    | Answer
    | Take
    | Resume
    | ListRuns
    | ListWaiting
    | Reconcile
    | ShowPlan
    | Explain
    | ShowRun
    | ShowDrift
    | Commands
)
TakesTime = Follow | Hear | Understand | Work
Slow = Answer | Leave | PlanRemoval | PlanWayBack | Reconcile | ShowRun | ShowDrift | TakesTime
"""Looks at more than the ledger."""
Effect = AtOnce | TakesTime
