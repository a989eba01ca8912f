"""The conversation, as one pure function: `step(conversation, happened) → (conversation, effects)`. Nothing else sets the phase.

It touches nothing: effects are values, `tools.pipeline.talk` carries them out, and what comes of them happens in turn. Such a step counts
only
when its effects went through. The diagram in adk_web.md is drawn by walking this function (tests/agents/walk.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from tools.rules.plans.picking import BY_RULE, failed_picks, pick_by_rule
from tools.rules.plans.reviewing import ratchet
from tools.rules.words import telling
from tools.rules.words.conversation import MESSAGE_BYTES_MAX
from tools.values import effects, events
from tools.values.conversation import Conversation, Phase
from tools.values.effects import Effect, Work
from tools.values.events import Event, Intent, Message
from tools.values.request import Request
from tools.values.run import RunStatus

TYPED_MAX = 40
"""Messages of a conversation that quotes may come from; older ones are forgotten."""
HISTORY_MAX = 40
"""Edits of a conversation that can be undone."""

Stepped = tuple[Conversation, tuple[Effect, ...]]


def step(now: Conversation, happened: Message | Event) -> Stepped:
    """The next conversation, and what is to be done, in order. What means nothing in this phase changes nothing. Never raises."""
    match happened:
        case Message():
            return _BY_INTENT[Intent.WORDS if _answers_the_key(now, happened) else happened.intent](now, happened)
        case events.Unreadable(plan_digest):
            void = (effects.Void(plan_digest),) if plan_digest else ()
            return Conversation(), (*void, telling.UNREADABLE)
        case events.Seen():
            return _see(now, happened)
        case events.Said():
            return _hear(now, happened)
        case events.Understood():
            return _understand(now, happened)
        case events.Offered() | events.Proposed() | events.Drafted() | events.Judged() | events.Countered():
            return _draft(now, happened) if now.phase is Phase.DRAFTING else (now, ())
        case events.Planned():
            return _plan(now, happened)
        case events.Approved(plan, missing_roles):
            if missing_roles:
                return now, (telling.approved_partly(plan, missing_roles),)
            return now, (effects.Start(plan),)
        case events.Started():
            return _start(now, happened)
        case events.Found():
            return _find(now, happened)
        case events.Ended():
            return _end(now, happened)


# What a person may say.


Answer = Callable[[Conversation, Message], Stepped]


def _always(effect: Effect) -> Answer:
    return lambda now, message: (now, (effect,))


def _answers_the_key(now: Conversation, message: Message) -> bool:
    """`no` to the one question which key should open the machine says that none should."""
    only_the_key = now.phase is Phase.ASKING and {name for _, name in now.asked} == {"public_key"}
    return only_the_key and message.intent is Intent.CANCEL and message.text.strip().lower().rstrip(".!") == "no"


def _status(now: Conversation, message: Message) -> Stepped:
    run_id = message.subject or now.run_id
    if now.phase is Phase.AWAITING and now.plan_digest and not message.subject:
        return now, (effects.AssertOpen(now.plan_digest), telling.status(now.phase, now.plan_digest))
    return now, (effects.ShowRun(run_id) if run_id else telling.status(now.phase, now.plan_digest),)


def _follow(now: Conversation, message: Message) -> Stepped:
    if message.subject:
        return now, (effects.Find(message.subject),)
    return now, (effects.Follow(now.run_id, now.line_seen) if now.run_id else telling.NO_RUN,)


def _approve_what(now: Conversation, message: Message) -> Stepped:
    if now.phase is Phase.AWAITING and now.plan_digest:
        return now, (effects.AssertOpen(now.plan_digest), telling.approve_how(now.plan_digest))
    return now, (telling.NOTHING_TO_APPROVE,)


def _cancel(now: Conversation, message: Message) -> Stepped:
    if now.phase is Phase.RUNNING and now.run_id:
        return now, (effects.Cancel(now.run_id), telling.CANCELLING)
    if now.phase not in (Phase.ASKING, Phase.DRAFTING, Phase.AWAITING):
        return now, (telling.NOTHING_TO_CANCEL,)
    after = replace(_as_it_stands(now), typed=() if now.run_id is None else now.typed)
    if now.plan_digest:
        return after, (effects.Void(now.plan_digest), telling.CANCELLED)
    return after, (telling.DROPPED,)


def _as_it_stands(now: Conversation) -> Conversation:
    """Without a request that nobody approved. What was built is still there, and can still be changed or removed."""
    bare = replace(now.without("request"), phase=Phase.LISTENING, changing=False)
    if now.run_id is None:
        return bare
    phase = Phase.STOPPED if now.run_status == "stopped" else Phase.DONE
    return replace(bare, phase=phase, request=now.request_built or now.request)


def _retry(now: Conversation, message: Message) -> Stepped:
    told = telling.RETRYING
    if now.phase is Phase.STOPPED and now.run_id:
        going = replace(now, phase=Phase.RUNNING, run_status="running")
        return going, (effects.Retry(now.run_id), told, effects.Follow(now.run_id, now.line_seen))
    if now.phase is Phase.AWAITING and now.plan_kind == "remove":
        return _remove(now, message)
    if now.phase in (Phase.DRAFTING, Phase.AWAITING) and now.requirements is not None and now.requirements.complete:
        # The world is looked at again: an old plan is of no use once it has expired.
        void = (effects.Void(now.plan_digest),) if now.plan_digest else ()
        return replace(now.without("snapshots"), phase=Phase.DRAFTING), (*void, told, Work.LOOK)
    return now, (telling.NOTHING_TO_RETRY,)


def _remove(now: Conversation, message: Message) -> Stepped:
    run_id = message.subject or now.run_id
    if run_id is None:
        return now, (telling.NOTHING_TO_REMOVE,)
    return now, (telling.RUN_UNDER_WAY if now.phase is Phase.RUNNING else effects.PlanRemoval(run_id),)


def _leave(now: Conversation, message: Message) -> Stepped:
    if now.phase is not Phase.STOPPED or now.run_id is None:
        return now, (telling.NOTHING_TO_LEAVE,)
    return replace(now, phase=Phase.DONE), (effects.Leave(now.run_id),)


def _explain(now: Conversation, message: Message) -> Stepped:
    return now, (effects.Explain(cast(events.Explained, message.subject)) if now.plan_digest or now.run_id else telling.NO_PLAN,)


_BY_INTENT: dict[Intent, Answer] = {
    Intent.EMPTY: _always(telling.EMPTY),
    Intent.TOO_LONG: _always(telling.too_long(MESSAGE_BYTES_MAX)),
    Intent.HELP: _always(effects.TellWhatIsKnown()),
    Intent.LIST: _always(effects.ListRuns()),
    Intent.EXPLAIN: _explain,
    Intent.STATUS: _status,
    Intent.FOLLOW: _follow,
    Intent.APPROVE: lambda now, message: (now, (effects.Approve(message),)),
    Intent.APPROVE_WHAT: _approve_what,
    Intent.CANCEL: _cancel,
    Intent.RETRY: _retry,
    Intent.ROLL_BACK: _remove,
    Intent.REMOVE: _remove,
    Intent.LEAVE: _leave,
    Intent.WORDS: lambda now, message: (now, (effects.Hear(message.text),)),
}


# What the words asked for.


def _hear(now: Conversation, said: events.Said) -> Stepped:
    """A question, a change of what there is, or a new request."""
    aloud: tuple[Effect, ...] = ()
    if said.offline and not now.introduced:
        now, aloud = replace(now, introduced=True), (telling.OFFLINE,)
    after, effects = _take_in(now, said)
    return after, (*aloud, *effects)


def _take_in(now: Conversation, said: events.Said) -> Stepped:
    edits = said.edits
    if edits.asks:
        return now, (effects.Answer(said.text, edits),)
    if not edits.edits and not edits.doubts:
        return now, (effects.TellWhatIsKnown(not_heard=said.text),)
    if now.phase is Phase.RUNNING:
        return now, (telling.RUN_UNDER_WAY,)
    adds = any(edit.do in ("add", "copy") for edit in edits.edits)
    if now.phase is Phase.AWAITING and now.plan_digest and now.run_id is not None and adds:
        return now, (telling.one_plan_at_a_time(now.plan_digest),)
    anew = adds and now.phase in (Phase.DONE, Phase.STOPPED)
    if now.phase is Phase.STOPPED and not anew:
        return now, (telling.RUN_STOPPED,)
    return replace(now, typed=(*now.typed, said.text)[-TYPED_MAX:]), (effects.Understand(edits, anew),)


def _forget_run(now: Conversation) -> Conversation:
    return replace(now.without("request"), typed=(), run_id=None, run_status=None, request_built=None, changing=False, line_seen=0)


def _understand(now: Conversation, understood: events.Understood) -> Stepped:
    request, required, unused = understood.request, understood.requirements, understood.edits.unused
    refused = (telling.refused(understood.refused),) if understood.refused else ()
    if now.phase is Phase.RUNNING or (now.phase is Phase.STOPPED and not understood.anew):
        return now, ()
    stands = now.phase in (Phase.AWAITING, Phase.DONE, Phase.STOPPED)
    same = request == (Request() if understood.anew else now.request) and not understood.edits.doubts
    if stands and same:
        return now, (*refused, telling.nothing_changes(unused))
    aloud: tuple[Effect, ...] = refused
    if understood.anew:
        now = replace(_forget_run(now), typed=now.typed[-1:])
    elif now.phase in (Phase.DONE, Phase.AWAITING):
        # Of a plan on offer that removes what a run has made, too: now it is to be changed instead.
        now = replace(now, changing=now.run_id is not None)
    # Whatever comes of the change: a plan that is not on the screen cannot be approved.
    void = (effects.Void(now.plan_digest),) if now.plan_digest else ()
    history = now.history if request == now.request else (*now.history, now.request)[-HISTORY_MAX:]
    not_used = tuple(dict.fromkeys((*now.not_used, *unused)))
    after = replace(now.without("requirements"), request=request, history=history, ahead=(), requirements=required, not_used=not_used)
    if not request.items:
        bare = replace(after, requirements=None, asked=())
        return replace(bare, phase=Phase.LISTENING) if now.run_id is None else _as_it_stands(now), (*void, *aloud)
    if required.complete:
        after = replace(after, phase=Phase.DRAFTING, asked=())
        return after, (*void, *aloud, telling.requirements(required, unused), Work.LOOK)
    asked = tuple((part.label, missing.name) for part in required.parts for missing in part.missing)
    return replace(after, phase=Phase.ASKING, asked=asked), (*void, *aloud, telling.questions(required, unused))


# What comes of drafting.


def _draft(now: Conversation, happened: events.Offered | events.Proposed | events.Drafted | events.Judged | events.Countered) -> Stepped:
    match happened:
        case events.Offered(snapshots, offer):
            offered = replace(now, snapshots=snapshots, offer=offer)
            if all(part.candidates for part in offer.parts):
                return offered, (Work.PROPOSE,)
            return _ask_again(offered, telling.nothing_fits(offer))
        case events.Proposed(proposal) if now.offer is not None:
            proposal = proposal or pick_by_rule(now.offer, now.tried)
            return (replace(now, proposal=proposal), (Work.DRAFT,)) if proposal else (now, (Work.COUNTER,))
        case events.Drafted():
            return _compare(replace(now, parent_digest=happened.manifest.digest), happened)
        case events.Judged():
            return _judge(now, happened)
        case events.Countered(instead) if now.review is not None and now.offer is not None:
            return _ask_again(now, telling.not_clean(now.review, now.offer, now.rounds, instead))
        case _:
            return now, ()


def _ask_again(now: Conversation, tell: effects.Tell) -> Stepped:
    return replace(now.without("snapshots"), phase=Phase.ASKING), (tell,)


def _compare(now: Conversation, drafted: events.Drafted) -> Stepped:
    """A refined manifest is kept only if no check that held before fails now."""
    after = replace(now, manifest=drafted.manifest, review=drafted.review)
    if now.manifest is None or now.review is None:
        told = () if drafted.manifest.made_by == BY_RULE else (telling.chosen(drafted.manifest),)
        return after, (*told, Work.JUDGE)
    after = replace(after, rounds=now.rounds + 1)
    if not drafted.review.clean and not ratchet(now.review, drafted.review):
        after = replace(after, manifest=now.manifest, review=now.review)
        return after, (telling.refinement_dropped(after.rounds), Work.JUDGE)
    if after.rounds > drafted.rounds_max:
        return after, (telling.settled_by_rule(drafted.manifest), Work.JUDGE)
    return after, (telling.refinement(drafted.manifest, after.rounds), Work.JUDGE)


def _judge(now: Conversation, judged: events.Judged) -> Stepped:
    """Clean, or another round, or what would pass instead."""
    if now.review is None or now.manifest is None or now.offer is None:
        return now, ()
    if now.review.clean:
        return now, (telling.PLANNING, Work.PLAN)
    failed = failed_picks(now.proposal, now.review) if now.proposal else ()
    tried = tuple(dict.fromkeys((*now.tried, *failed)))
    best_left = pick_by_rule(now.offer, tried)
    # One round more than the model has: that one is the rules'. None at all when the policy refuses what was asked for itself.
    if judged.refused or now.rounds > judged.rounds_max or best_left is None:
        return now, (Work.COUNTER,)
    if now.rounds < judged.rounds_max:
        return replace(now, tried=tried, proposal=None), (telling.review(now.review), Work.REFINE)
    return replace(now, tried=tried, proposal=best_left), (telling.review(now.review), Work.DRAFT)


def _plan(now: Conversation, planned: events.Planned) -> Stepped:
    plan = planned.plan
    if now.phase is Phase.RUNNING or (plan.kind != "remove" and now.phase is not Phase.DRAFTING):
        return now, ()
    after = replace(now, phase=Phase.AWAITING, plan_digest=plan.digest, plan_kind=plan.kind)
    if plan.kind == "remove":
        after = replace(after, run_id=plan.run_id)
    else:
        after = replace(after, plan_shown=plan.digest)
    not_included = (*(wish.text for wish in now.request.wishes), *now.not_used)
    return after, (telling.plan(plan, now.manifest, now.review, not_included, planned.before),)


# What becomes of runs.


def _see(now: Conversation, seen: events.Seen) -> Stepped:
    if now.phase is Phase.RUNNING and seen.run is not None:
        after = _come_to(now, seen.run.status)
        return after, (telling.removed(seen.run),) if seen.run.status == "removed" else ()
    return replace(now, run_status=seen.run.status if seen.run else None, plan_kind=seen.plan_kind), ()


def _start(now: Conversation, started: events.Started) -> Stepped:
    plan = started.plan
    told = telling.approved(plan)
    if now.phase is not Phase.AWAITING or now.plan_digest != plan.digest:
        return now, (told, effects.Follow(plan.run_id, 0))  # A plan of another conversation: it is watched from here, no more.
    line_seen = now.line_seen if now.run_id == plan.run_id else 0
    after = replace(now, phase=Phase.RUNNING, run_id=plan.run_id, run_status="running", line_seen=line_seen)
    return after, (told, effects.Follow(plan.run_id, line_seen))


def _find(now: Conversation, found: events.Found) -> Stepped:
    """A run that is followed by its name becomes the conversation's own, unless a request is under way in it."""
    if now.phase in (Phase.ASKING, Phase.DRAFTING, Phase.AWAITING):
        return now, (effects.Follow(found.run.id, 0),)
    if now.run_id != found.run.id:
        now = replace(_forget_run(now), run_id=found.run.id)
    return replace(now, phase=Phase.RUNNING, run_status=found.run.status), (effects.Follow(found.run.id, now.line_seen),)


def _end(now: Conversation, ended: events.Ended) -> Stepped:
    run = ended.run
    ends = {"done": telling.done(run, ended.guide), "removed": telling.removed(run)}
    told = ends.get(run.status, telling.stopped(run))
    if now.run_id != run.id:
        return now, (told,)
    now = replace(now, line_seen=ended.line_seen)
    return _come_to(now, run.status) if now.phase is Phase.RUNNING else now, (told,)


def _come_to(now: Conversation, status: RunStatus) -> Conversation:
    """The conversation's run has come to its end, or to a stop."""
    bare = replace(now, plan_digest=None, run_status=status)
    match status:
        case "done":
            return replace(bare, phase=Phase.DONE, changing=False, request_built=now.request, history=(), ahead=())
        case "removed":
            return replace(_forget_run(now), phase=Phase.LISTENING)
        case "stopped":
            return replace(bare, phase=Phase.STOPPED)
        case _:
            return now
