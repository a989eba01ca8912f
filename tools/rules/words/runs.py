"""What becomes of runs in a conversation: they start, are taken up by name, end or stop, and what they have made stands. A part of
tools.rules.words.reducer, and pure as it is."""

from __future__ import annotations

from dataclasses import replace

from tools.rules.request.editing import lead_back
from tools.rules.words import telling
from tools.values import effects, events
from tools.values.conversation import Conversation, Phase
from tools.values.effects import Effect
from tools.values.request import Request
from tools.values.run import RunStatus

Stepped = tuple[Conversation, tuple[Effect, ...]]
"""The next conversation, and what is to be done, in order."""


def see(now: Conversation, seen: events.Seen) -> Stepped:
    if now.phase is Phase.AWAITING and seen.begun and seen.run is not None:
        now = replace(now, phase=Phase.RUNNING, run_id=seen.run.id, run_status=seen.run.status, history=(), ahead=(), doubts=())
    # One that stopped is over as soon as nothing of it is left: a way back that found nothing, or a removal elsewhere.
    is_gone = now.phase is Phase.STOPPED and seen.run is not None and seen.run.status == "removed"
    if (now.phase is Phase.RUNNING or is_gone) and seen.run is not None:
        after = _come_to(now, seen.run.status)
        return after, (telling.removed(seen.run),) if seen.run.status == "removed" else ()
    return replace(now, run_status=seen.run.status if seen.run else None, plan_kind=seen.plan_kind), ()


def start(now: Conversation, started: events.Started) -> Stepped:
    plan = started.plan
    told = telling.approved(plan)
    if now.phase is not Phase.AWAITING or now.plan_digest != plan.digest:
        return now, (told, effects.Follow(plan.run_id, 0))  # A plan of another conversation: it is watched from here, no more.
    line_seen = now.line_seen if now.run_id == plan.run_id else 0
    # What begins to exist is out of the reach of `undo`.
    bare = replace(now, history=(), ahead=(), doubts=())
    after = replace(bare, phase=Phase.RUNNING, run_id=plan.run_id, run_status="running", line_seen=line_seen, stood=None)
    return after, (told, effects.Follow(plan.run_id, line_seen))


def find(now: Conversation, found: events.Found) -> Stepped:
    after, follow = take_up(now, found.run.id)
    return replace(after, run_status=found.run.status) if after.run_id == found.run.id else after, (follow,)


def take_up(now: Conversation, run_id: str) -> tuple[Conversation, effects.Follow]:
    """A run that is spoken of by its name becomes the conversation's own, unless a request is under way in it."""
    if now.phase in (Phase.ASKING, Phase.DRAFTING, Phase.AWAITING) or (now.phase is Phase.RUNNING and now.run_id != run_id):
        return now, effects.Follow(run_id, 0)
    if now.run_id != run_id:
        now = replace(forget_run(now), run_id=run_id)
    return replace(now, phase=Phase.RUNNING, run_status="running"), effects.Follow(run_id, now.line_seen)


def end(now: Conversation, ended: events.Ended) -> Stepped:
    run = ended.run
    ends = {"done": telling.done(run, ended.guide), "removed": telling.removed(run)}
    told = telling.run(run) if run.left else ends.get(run.status, telling.stopped(run, ended.plan_kind))
    if now.run_id != run.id:
        return now, (told,)
    now = replace(now, line_seen=ended.line_seen)
    return _come_to(now, run.status) if now.phase is Phase.RUNNING else now, (told,)


def _come_to(now: Conversation, status: RunStatus) -> Conversation:
    """The conversation's run has come to its end, or to a stop."""
    bare = replace(now, plan_digest=None, run_status=status)
    match status:
        case "done":
            built = _built(now)
            bare = replace(bare, phase=Phase.DONE, changing=False, going_back=False, led_back=(), history=(), ahead=())
            return replace(bare, request=built, request_built=built)
        case "removed":
            return replace(forget_run(now), phase=Phase.LISTENING)
        case "stopped":
            return replace(bare, phase=Phase.STOPPED)
        case _:
            return now


def _built(now: Conversation) -> Request:
    """What was asked for of what stands when the run is done."""
    if now.led_back:
        return lead_back(now.request, now.request_built or Request(), now.led_back)
    return now.request_built if now.going_back and now.request_built else _planned(now)


def _planned(now: Conversation) -> Request:
    """The request without what could not be planned, and so was not made."""
    labels = {part.label for part in now.requirements.parts} if now.requirements else {item.label for item in now.request.items}
    return now.request.model_copy(update={"items": tuple(item for item in now.request.items if item.label in labels)})


def forget_run(now: Conversation) -> Conversation:
    bare = replace(now.without("request"), typed=(), run_id=None, stood=None)
    return replace(bare, run_status=None, request_built=None, changing=False, line_seen=0)


def set_aside(now: Conversation) -> Conversation:
    """For a request of its own. What is done is kept in mind."""
    stood = (now.run_id, now.request) if now.phase is Phase.DONE and now.run_id else now.stood
    return replace(forget_run(now), stood=stood)


def as_it_stands(now: Conversation) -> Conversation:
    """Without a request that nobody approved. What was built is still there, and can still be changed or removed."""
    bare = replace(now.without("request"), phase=Phase.LISTENING, changing=False, going_back=False, led_back=())
    if now.run_id is None and now.stood:
        run_id, built = now.stood
        return replace(bare, phase=Phase.DONE, run_id=run_id, run_status="done", request=built, request_built=built, stood=None)
    if now.run_id is None:
        return bare
    phase = Phase.STOPPED if now.run_status == "stopped" else Phase.DONE
    # Where only a removal or the way back is dropped, a retry goes on with what was asked for.
    asked = now.request if now.going_back or now.plan_kind == "remove" else now.request_built or now.request
    return replace(bare, phase=phase, request=asked)
