"""The conversation: what a message is, and what follows from it. One table; the diagram in adk_web.md is generated from it.

Approval words are read here, from the text the operator typed in this very message. No model, no history and no session
state has a say in it.
"""

from __future__ import annotations

import re
from enum import StrEnum

from tools.values.value import Value

MESSAGE_BYTES_MAX = 16_384
"""Longer messages are answered, not read: a request for infrastructure is a few sentences."""


class Phase(StrEnum):
    LISTENING = "listening"
    ASKING = "asking"
    DRAFTING = "drafting"
    AWAITING = "awaiting approval"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"


class Event(StrEnum):
    HEARD_INCOMPLETE = "heard, incomplete"
    HEARD_COMPLETE = "heard, complete"
    NEW_REQUEST = "a new request"
    PLANNED = "review clean, plan made"
    NOT_CLEAN = "review not clean after the last round"
    NOT_PLANNED = "the plan could not be made"
    APPROVED = "approved by every role"
    APPROVED_PARTLY = "approved, other roles still missing"
    CHANGED = "a change"
    CANCELLED = "no, cancel"
    FINISHED = "done"
    FAILED = "a step failed"
    RETRIED = "retry"
    ROLLED_BACK = "roll back"
    LEFT = "leave"
    REMOVAL = "remove it"


TABLE: tuple[tuple[Phase, Event, Phase], ...] = (
    (Phase.LISTENING, Event.HEARD_INCOMPLETE, Phase.ASKING),
    (Phase.LISTENING, Event.HEARD_COMPLETE, Phase.DRAFTING),
    (Phase.LISTENING, Event.REMOVAL, Phase.AWAITING),
    (Phase.ASKING, Event.HEARD_INCOMPLETE, Phase.ASKING),
    (Phase.ASKING, Event.HEARD_COMPLETE, Phase.DRAFTING),
    (Phase.ASKING, Event.CANCELLED, Phase.LISTENING),
    (Phase.ASKING, Event.REMOVAL, Phase.AWAITING),
    (Phase.DRAFTING, Event.PLANNED, Phase.AWAITING),
    (Phase.DRAFTING, Event.NOT_CLEAN, Phase.ASKING),
    (Phase.DRAFTING, Event.NOT_PLANNED, Phase.DRAFTING),
    (Phase.DRAFTING, Event.RETRIED, Phase.DRAFTING),
    (Phase.DRAFTING, Event.HEARD_INCOMPLETE, Phase.ASKING),
    (Phase.DRAFTING, Event.HEARD_COMPLETE, Phase.DRAFTING),
    (Phase.DRAFTING, Event.CANCELLED, Phase.LISTENING),
    (Phase.AWAITING, Event.APPROVED, Phase.RUNNING),
    (Phase.AWAITING, Event.APPROVED_PARTLY, Phase.AWAITING),
    (Phase.AWAITING, Event.CHANGED, Phase.DRAFTING),
    (Phase.AWAITING, Event.HEARD_INCOMPLETE, Phase.ASKING),
    (Phase.AWAITING, Event.CANCELLED, Phase.LISTENING),
    (Phase.AWAITING, Event.RETRIED, Phase.DRAFTING),
    (Phase.RUNNING, Event.FINISHED, Phase.DONE),
    (Phase.RUNNING, Event.FAILED, Phase.STOPPED),
    (Phase.RUNNING, Event.CANCELLED, Phase.STOPPED),
    (Phase.STOPPED, Event.RETRIED, Phase.RUNNING),
    (Phase.STOPPED, Event.ROLLED_BACK, Phase.AWAITING),
    (Phase.STOPPED, Event.LEFT, Phase.DONE),
    (Phase.STOPPED, Event.REMOVAL, Phase.AWAITING),
    (Phase.DONE, Event.REMOVAL, Phase.AWAITING),
    (Phase.DONE, Event.CHANGED, Phase.DRAFTING),
    (Phase.DONE, Event.HEARD_INCOMPLETE, Phase.ASKING),
    (Phase.DONE, Event.NEW_REQUEST, Phase.LISTENING),
    (Phase.STOPPED, Event.NEW_REQUEST, Phase.LISTENING),
)
"""A question, `list`, `status` and `help` leave every phase as it is."""


def following(phase: Phase, event: Event) -> Phase | None:
    """The next phase, or None when the event means nothing in this phase."""
    return next((after for before, on, after in TABLE if (before, on) == (phase, event)), None)


class Kind(StrEnum):
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


class Message(Value):
    kind: Kind
    text: str
    digest_typed: str = ""
    """The digits typed after `approve`."""
    role: str = ""
    """The role typed after `as`."""
    reason: str = ""
    """The words typed after `because`."""
    subject: str = ""
    """What is to be removed or looked at, when it was named."""


_APPROVE = re.compile(
    r"(?:i\s+)?approve\s+(?:plan\s+)?([0-9a-f]{8,64})(?:\s+as\s+([a-z][a-z0-9 _-]{0,30}?))?(?:\s+because\s+(.{1,500}))?",
    re.IGNORECASE,
)
_CONFIRM = re.compile(r"confirm\s+([0-9a-f]{8,64})\s+([a-z][a-z0-9_-]{0,40})", re.IGNORECASE)
_REMOVE = re.compile(
    r"(?:remove|destroy|delete|tear down)\s+(?:it|everything|this|(?:run\s+)?([A-Za-z0-9][A-Za-z0-9_-]{0,40}))", re.IGNORECASE
)
_LOOK = re.compile(r"(status|follow)(?:\s+(?:of\s+)?(?:run\s+)?([A-Za-z0-9][A-Za-z0-9_-]{0,40}))?", re.IGNORECASE)

_PLAIN: dict[str, Kind] = {
    **dict.fromkeys(
        ("approve", "approved", "yes", "y", "ok", "okay", "go", "go ahead", "apply", "confirm", "lgtm", "do it"),
        Kind.APPROVE_WHAT,
    ),
    **dict.fromkeys(
        (
            "no",
            "n",
            "nope",
            "no thanks",
            "no thank you",
            "cancel",
            "stop",
            "abort",
            "reject",
            "never mind",
            "nevermind",
            "forget it",
            "discard",
        ),
        Kind.CANCEL,
    ),
    **dict.fromkeys(
        (f"{verb} {what}" for verb in ("cancel", "stop", "abort", "discard") for what in ("it", "the plan", "the run")),
        Kind.CANCEL,
    ),
    **dict.fromkeys(("please stop", "please cancel", "cancel please", "stop please"), Kind.CANCEL),
    **dict.fromkeys(("retry", "try again", "again", "try it again", "retry it", "plan", "plan again"), Kind.RETRY),
    **dict.fromkeys(("roll back", "rollback", "roll it back", "undo"), Kind.ROLL_BACK),
    **dict.fromkeys(("leave", "leave it", "keep it", "keep"), Kind.LEAVE),
    **dict.fromkeys(("list", "runs", "list runs", "history"), Kind.LIST),
    **dict.fromkeys(("help", "?", "hello", "hi", "what can you do"), Kind.HELP),
}


def read(text: str) -> Message:
    """What a message is, from its own words alone. Never raises."""
    bare = text.strip().rstrip(".!").strip()
    if not bare:
        return Message(kind=Kind.EMPTY, text="")
    if len(text.encode("utf-8", "replace")) > MESSAGE_BYTES_MAX:
        return Message(kind=Kind.TOO_LONG, text="")
    if found := _APPROVE.fullmatch(bare):
        digest, role, reason = found.groups()
        return Message(
            kind=Kind.APPROVE, text=text, digest_typed=digest.lower(), role=(role or "").lower().strip(), reason=reason or ""
        )
    if found := _CONFIRM.fullmatch(bare):
        digest, part = found.groups()
        return Message(kind=Kind.APPROVE, text=text, digest_typed=digest.lower(), role=f"confirm {part.lower()}")
    plain = _PLAIN.get(bare.rstrip("?").strip().lower() or "?")
    if plain:
        return Message(kind=plain, text=text)
    if found := _REMOVE.fullmatch(bare):
        return Message(kind=Kind.REMOVE, text=text, subject=found.group(1) or "")
    if found := _LOOK.fullmatch(bare):
        kind = Kind.STATUS if found.group(1).lower() == "status" else Kind.FOLLOW
        return Message(kind=kind, text=text, subject=found.group(2) or "")
    return Message(kind=Kind.WORDS, text=text)


_ASKING = re.compile(
    r"\s*(?:and |but |so |hm+,? )?(?:why|what|how|which|where|when|who|does|did|is|are|was|were|will(?! you)|can you (?:explain|tell|show)"
    r"|explain|tell me|show)\b",
    re.IGNORECASE,
)


def is_question(text: str) -> bool:
    """It asks rather than requests, whatever it names: `why 4 GB?`, `is production on pve3?`."""
    return _ASKING.match(text) is not None


def may_be_question(text: str) -> bool:
    """It could be one, if nothing was heard in it that could be required: `pve2?`, but not `can I have 8 GB?`."""
    return text.rstrip().endswith("?") or is_question(text)


_ANOTHER = re.compile(r"\b(?:another|one more|a second|a new|a further|an additional|an extra|a separate)\b", re.IGNORECASE)
_ASKS_FOR_ONE = re.compile(
    r"\s*(?:please |now |and |also |ok,? |then )*(?:(?:i|we)(?: also| now)? (?:need|want|would like)|(?:i|we)'d like"
    r"|create|make|set up|provision|deploy|build|give)(?: me| us)? an? ",
    re.IGNORECASE,
)


def asks_for_another(text: str) -> bool:
    """Of a message that names a kind of thing there is already: it wants one more, and no change of the one there is."""
    return _ANOTHER.search(text) is not None or _ASKS_FOR_ONE.match(text) is not None


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    names = {phase: phase.value.replace(" ", "_") for phase in Phase}
    lines = [f"    {names[before]} --> {names[after]}: {on.value}" for before, on, after in TABLE]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {names[Phase.LISTENING]}", *lines])
