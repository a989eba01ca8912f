"""What another program is told: of its request, of the plan that waits for a person, and of a run."""

from __future__ import annotations

from tools.values.conversation import Phase
from tools.values.run import RunStatus
from tools.values.value import Json, Value


class Service(Value):
    """Something that can be asked for."""

    name: str
    title: str
    platforms: tuple[str, ...]
    examples: tuple[str, ...]
    facts: tuple[str, ...]
    """Names of what may be said of it."""


class Open(Value):
    """A question: what is missing, or what was understood in several ways."""

    item: str
    about: tuple[str, ...]
    text: str
    choices: tuple[str, ...] = ()


class Waiting(Value):
    """A plan that waits for a person."""

    plan_digest: str
    changes: tuple[str, ...]
    """`create proxmox_virtual_environment_vm.machine["db-01"]`."""
    approvals: tuple[str, ...]
    """The roles that have to approve it."""
    cost_monthly: float | None = None
    currency: str = ""
    resume: str
    """What a person says in a conversation of theirs to have it planned and shown there."""


class Provisioned(Value):
    conversation: str
    """To go on with it."""
    phase: Phase
    answer: str
    """As a person would read it, in Markdown: the answer, or the reason why there is no plan."""
    request: Json
    """What is asked for by now, each fact with the words that say so."""
    questions: tuple[Open, ...] = ()
    plan: Waiting | None = None


class RunSeen(Value):
    id: str
    status: RunStatus
    steps: tuple[tuple[str, str], ...]
    """(step, how it went)"""
