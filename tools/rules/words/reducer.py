"""The conversation, as one pure function: `step(conversation, happened) → (conversation, effects)`. Nothing else sets the phase.

It touches nothing: effects are values, `tools.pipeline.talk` carries them out, and what comes of them happens in turn. Such a step counts
only
when its effects went through. The diagram in adk_web.md is drawn by walking this function (tests/agents/walk.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from tools.rules.hearing.counting import names_of
from tools.rules.plans.picking import BY_RULE, failed_picks, pick_by_rule
from tools.rules.plans.reviewing import ratchet
from tools.rules.request.comparing import differences
from tools.rules.request.editing import lead_back
from tools.rules.words import telling
from tools.rules.words.answering import topic_of
from tools.rules.words.conversation import MESSAGE_BYTES_MAX, numbers, read
from tools.values import effects, events
from tools.values.conversation import Conversation, Phase
from tools.values.effects import Effect, Work
from tools.values.events import Event, Intent, Message
from tools.values.request import Doubt, Edit, Edits, Reading, Request, Wish
from tools.values.review import Severity
from tools.values.run import RunStatus

RUN = "run-"
"""How the names of runs begin."""
TYPED_MAX = 40
"""Messages of a conversation that quotes may come from; older ones are forgotten."""
HISTORY_MAX = 40
"""Edits of a conversation that can be undone."""
WATCHED = "monitoring"
"""The wish that is fulfilled by whatever watches an item."""

Stepped = tuple[Conversation, tuple[Effect, ...]]


def step(now: Conversation, happened: Message | Event) -> Stepped:
    """The next conversation, and what is to be done, in order. What means nothing in this phase changes nothing. Never raises."""
    match happened:
        case Message():
            now = replace(now, failed="") if now.failed and happened.intent is not Intent.RETRY else now
            return _answer_doubts(now, happened) or _BY_INTENT[happened.intent](now, happened)
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
        case events.Failed(text):
            return (now if read(text).intent is Intent.RETRY else replace(now, failed=text)), ()


# What a person may say.


Answer = Callable[[Conversation, Message], Stepped]


def _always(effect: Effect) -> Answer:
    return lambda now, message: (now, (effect,))


def _answer_doubts(now: Conversation, message: Message) -> Stepped | None:
    """What is no command while a question is open, since it answers that: a reading's number or its words, `ok`, or `no` to a key."""
    only_the_key = now.phase is Phase.ASKING and {name for _, name in now.asked} == {"public_key"}
    if only_the_key and message.intent is Intent.CANCEL and message.text.strip().lower().rstrip(".!") == "no":
        return now, (effects.Hear(message.text),)
    if now.doubts and message.intent in (Intent.TAKE, Intent.APPROVE_WHAT):
        return _take(now, message)
    picked = _picked(now.doubts, message.text)
    if not picked:
        return None
    edits = tuple(edit for reading in picked.values() for edit in reading.edits)
    return _without(now, picked), (effects.Understand(Edits(edits=edits)),)


def _picked(doubts: tuple[Doubt, ...], text: str) -> dict[Doubt, Reading]:
    """By number, counted over all that is open; or by words that only one of the readings has."""
    several = [(doubt, reading) for doubt in doubts for reading in doubt.readings]
    said = numbers(text)
    if said:
        return dict(several[number - 1] for number in said) if min(said) and max(said) <= len(several) else {}
    words = {*text.lower().strip(" .!").split()} - {"the", "it", "is", "it's", "i", "mean", "meant"}
    alike = [one for one in several if words and words <= {*one[1].text.lower().split()}]
    return dict(alike) if len(alike) == 1 else {}


def _take(now: Conversation, message: Message) -> Stepped:
    """The first reading of whatever is in doubt, and what was suggested for whatever is missing."""
    first = {doubt: doubt.readings[0] for doubt in now.doubts if doubt.readings}
    suggested = now.requirements and any(one.suggestions for part in now.requirements.parts for one in part.missing)
    if now.phase is Phase.ASKING and (first or suggested):
        edits = tuple(edit for reading in first.values() for edit in reading.edits)
        return _without(now, first), (effects.Take(message.text, edits),)
    return _approve_what(now, message)


def _without(now: Conversation, answered: dict[Doubt, Reading]) -> Conversation:
    return replace(now, doubts=tuple(doubt for doubt in now.doubts if doubt not in answered))


def _steps(message: Message) -> int:
    return int(message.subject) if message.subject.isdecimal() else 1


def _walk(now: Conversation, steps: int) -> Stepped:
    """Takes back edits of the request, or makes them again where there are negative steps. What exists is never touched by it."""
    if now.phase is Phase.RUNNING:
        return now, (telling.RUN_UNDER_WAY,)
    history, ahead, request = list(now.history), list(now.ahead), now.request
    taken_from, given_to = (history, ahead) if steps > 0 else (ahead, history)
    for _ in range(min(abs(steps), len(taken_from))):
        given_to.append(request)
        request = taken_from.pop()
    if len(history) == len(now.history):
        if now.doubts and steps > 0:
            return replace(now, doubts=()), (telling.DOUBTS_DROPPED,)
        return now, (telling.NOTHING_TO_UNDO if steps > 0 else telling.NOTHING_TO_REDO,)
    void = (effects.Void(now.plan_digest),) if now.plan_digest else ()
    told = (*void, telling.undone(differences(now.request, request), steps > 0))
    if now.run_id is not None and request == now.request_built:
        return replace(_as_it_stands(now), history=tuple(history), ahead=tuple(ahead)), told
    bare = replace(now.without("requirements"), request=request, history=tuple(history), ahead=tuple(ahead), doubts=(), asked=())
    if not request.items:
        return replace(bare, phase=Phase.LISTENING), told
    return replace(bare, phase=Phase.ASKING, changing=now.run_id is not None), (*told, effects.Understand(Edits()))


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
    bare = replace(now.without("request"), phase=Phase.LISTENING, changing=False, going_back=False, led_back=())
    if now.run_id is None:
        return bare
    phase = Phase.STOPPED if now.run_status == "stopped" else Phase.DONE
    # Where only a removal or the way back is dropped, a retry goes on with what was asked for.
    asked = now.request if now.going_back or now.plan_kind == "remove" else now.request_built or now.request
    return replace(bare, phase=phase, request=asked)


def _retry(now: Conversation, message: Message) -> Stepped:
    told = telling.RETRYING
    if message.subject and message.subject != now.run_id:
        after, follow = _take_up(now, message.subject)
        return after, (effects.Retry(message.subject), told, follow)
    if now.phase is Phase.STOPPED and now.run_id:
        going = replace(now, phase=Phase.RUNNING, run_status="running")
        return going, (effects.Retry(now.run_id), told, effects.Follow(now.run_id, now.line_seen))
    if now.phase is Phase.AWAITING and now.run_id and (now.plan_kind == "remove" or now.going_back):
        again = replace(message, subject=next(iter(now.led_back), ""))
        return _roll_back(now, again) if now.going_back else _remove(now, message)
    waits = now.phase in (Phase.DRAFTING, Phase.AWAITING) or (now.phase is Phase.ASKING and not now.doubts)
    if waits and now.requirements is not None and now.requirements.complete:
        # The world is looked at again: an old plan is of no use once it has expired.
        void = (effects.Void(now.plan_digest),) if now.plan_digest else ()
        return replace(now.without("snapshots"), phase=Phase.DRAFTING), (*void, told, Work.LOOK)
    again = read(now.failed)
    # An approval counts in the message that gives it, and a retry of a retry has been above.
    if now.failed and again.intent not in (Intent.APPROVE, Intent.APPROVE_WHAT, Intent.RETRY):
        after, effects_ = step(replace(now, failed=""), again)
        return after, (told, *effects_)
    return now, (telling.NOTHING_TO_RETRY,)


def _remove(now: Conversation, message: Message) -> Stepped:
    if now.phase is Phase.RUNNING:
        return now, (telling.RUN_UNDER_WAY,)
    if item := now.request.item(message.subject) or now.request.item(message.subject.replace(" ", "_")):
        return _edit(now, message.text, Edits(edits=(Edit(do="remove", item=item.label, quote=message.text),)))
    if any(message.subject in names_of(item) for item in now.request.items):
        return _edit(now, message.text, Edits(edits=(Edit(do="remove", item=message.subject, quote=message.text),)))
    run_id = message.subject or now.run_id
    return now, (effects.PlanRemoval(run_id) if run_id else telling.NOTHING_TO_REMOVE,)


def _roll_back(now: Conversation, message: Message) -> Stepped:
    """Of a run that stopped, or whose way back is on offer already; what is done is removed, as it always was."""
    is_run = not message.subject or message.subject.startswith(RUN)
    run_id = message.subject if message.subject and is_run else now.run_id
    own = run_id == now.run_id
    if not is_run and run_id is not None and (now.phase is Phase.STOPPED or now.going_back):
        return now, (effects.PlanWayBack(run_id, message.subject),)
    if run_id is None or now.phase is Phase.RUNNING or (own and now.phase is not Phase.STOPPED and not now.going_back):
        return _remove(now, message)
    return now, (effects.PlanWayBack(run_id),)


def _drift(now: Conversation, message: Message) -> Stepped:
    run_id = message.subject or now.run_id
    return now, (effects.ShowDrift(run_id) if run_id else telling.NO_RUN,)


def _resume(now: Conversation, message: Message) -> Stepped:
    if now.phase is Phase.RUNNING:
        return now, (telling.RUN_UNDER_WAY,)
    stands = now.phase in (Phase.DONE, Phase.STOPPED)
    if now.run_id is not None and not stands:
        return now, (telling.ONE_RUN_AT_A_TIME,)
    return now, (effects.Resume(message.subject, stands),)


def _leave(now: Conversation, message: Message) -> Stepped:
    if message.subject and message.subject != now.run_id:
        return now, (effects.Leave(message.subject),)
    if now.phase is not Phase.STOPPED or now.run_id is None:
        return now, (telling.NOTHING_TO_LEAVE,)
    # What was asked for was not made: to ask for it again is a change again.
    return replace(now, phase=Phase.DONE, changing=False, request=now.request_built or now.request), (effects.Leave(now.run_id),)


def _explain(now: Conversation, message: Message) -> Stepped:
    return now, (effects.Explain(cast(events.Explained, message.subject)) if now.plan_digest or now.run_id else telling.NO_PLAN,)


_BY_INTENT: dict[Intent, Answer] = {
    Intent.EMPTY: _always(telling.EMPTY),
    Intent.TOO_LONG: _always(telling.too_long(MESSAGE_BYTES_MAX)),
    Intent.HELP: _always(effects.TellWhatIsKnown()),
    Intent.GREET: _always(effects.TellWhatIsKnown(briefly=True)),
    Intent.LIST: _always(effects.ListRuns()),
    Intent.INBOX: _always(effects.ListWaiting()),
    Intent.SHOW_PLAN: lambda now, message: (now, (effects.ShowPlan(message.subject),)),
    Intent.EXPLAIN: _explain,
    Intent.SHOW: lambda now, message: (now, (telling.request(now.request, now.doubts),)),
    Intent.RESUME: _resume,
    Intent.UNDO: lambda now, message: _walk(now, _steps(message)),
    Intent.REDO: lambda now, message: _walk(now, -_steps(message)),
    Intent.TAKE: lambda now, message: _take(now, message),
    Intent.STATUS: _status,
    Intent.FOLLOW: _follow,
    Intent.APPROVE: lambda now, message: (now, (effects.Approve(message),)),
    Intent.APPROVE_WHAT: _approve_what,
    Intent.CANCEL: _cancel,
    Intent.RETRY: _retry,
    Intent.ROLL_BACK: _roll_back,
    Intent.DRIFT: _drift,
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
    if edits.undo:
        return _walk(now, edits.undo)
    if edits.starts_over and not (edits.edits or edits.doubts):
        return now, (telling.noted(now.request),)
    if edits.asks or (not edits.edits and not edits.doubts and topic_of(said.text)):
        return now, (effects.Answer(said.text, edits),)
    if not edits.edits and not edits.doubts:
        return now, (telling.not_heard_here(said.text) if now.request.items else effects.TellWhatIsKnown(not_heard=said.text),)
    return _edit(now, said.text, edits)


def _edit(now: Conversation, text: str, edits: Edits) -> Stepped:
    if now.phase is Phase.RUNNING:
        return now, (telling.RUN_UNDER_WAY,)
    adds = any(edit.do in ("add", "copy") for edit in edits.edits)
    joining = edits.joins and now.request_built is not None
    anew = adds and now.phase in (Phase.DONE, Phase.STOPPED) and not (joining and now.phase is Phase.DONE)
    if now.phase is Phase.STOPPED and now.run_id and (part := _is_taken_back(now, edits)):
        return now, (effects.PlanWayBack(now.run_id, part),)
    if now.phase is Phase.STOPPED and not anew:
        return now, (telling.RUN_STOPPED,)
    if adds and now.run_id is not None and not anew and not joining:
        return now, (telling.ONE_RUN_AT_A_TIME,)
    return replace(now, typed=(*now.typed, text)[-TYPED_MAX:]), (effects.Understand(edits, anew, text),)


def _is_taken_back(now: Conversation, edits: Edits) -> str:
    """The label of the item that came with what has stopped, when all that is said is to remove it; else empty."""
    (gone, *more) = [edit.item if edit.do == "remove" else "" for edit in edits.edits] or [""]
    came_with_it = now.request.item(gone) and not (now.request_built and now.request_built.item(gone))
    return gone if came_with_it and not more else ""


def _forget_run(now: Conversation) -> Conversation:
    return replace(now.without("request"), typed=(), run_id=None, run_status=None, request_built=None, changing=False, line_seen=0)


def _understand(now: Conversation, understood: events.Understood) -> Stepped:
    """What the edits made of the request: said first, then asked for what is missing, or planned."""
    if now.phase is Phase.RUNNING or (now.phase is Phase.STOPPED and not understood.anew):
        return now, ()
    request, edits = understood.request, understood.edits
    aloud: tuple[Effect, ...] = (telling.refused(understood.refused),) if understood.refused else ()
    aloud = (telling.taken(edits.taken), *aloud) if edits.taken else aloud
    before = Request() if understood.anew else now.request
    if now.phase in (Phase.AWAITING, Phase.DONE, Phase.STOPPED) and request == before and not edits.doubts:
        return now, (*aloud, telling.nothing_changes(edits.unused))
    if understood.anew:
        now = replace(_forget_run(now), typed=now.typed[-1:])
    elif now.phase in (Phase.DONE, Phase.AWAITING):
        # Of a plan on offer that removes what a run has made, too: now it is to be changed instead.
        now = replace(now, changing=now.run_id is not None)
    # Whatever comes of the change: a plan that is not on the screen cannot be approved.
    void = (effects.Void(now.plan_digest),) if now.plan_digest else ()
    if request != now.request:
        aloud = (telling.changed(differences(now.request, request)), *aloud) if now.request != Request() else aloud
        now = replace(now, history=(*now.history, now.request)[-HISTORY_MAX:], ahead=())
    doubts = _still_open(now.doubts, edits, request)
    not_used = tuple(dict.fromkeys((*now.not_used, *edits.unused)))
    after = replace(now.without("requirements"), request=request, doubts=doubts, asked=(), not_used=not_used)
    if request.items or doubts:
        return _ask_or_draft(after, understood, (*void, *aloud))
    if now.run_id is not None:
        return _as_it_stands(now), (*void, *aloud)
    return replace(after, phase=Phase.LISTENING), (*void, *aloud, *(() if understood.refused else (telling.noted(request),)))


def _still_open(doubts: tuple[Doubt, ...], edits: Edits, request: Request) -> tuple[Doubt, ...]:
    """Those of before that the edits do not settle, then the new ones."""
    settled = {(item, edit.name) for edit in edits.edits for item in (edit.item, "")}
    again = {(one.item, one.quote) for one in edits.doubts}
    left = (
        doubt
        for doubt in doubts
        if not settled & {(doubt.item, name) for name in doubt.about}
        and (not doubt.item or request.item(doubt.item))
        and (doubt.item, doubt.quote) not in again
    )
    return (*left, *edits.doubts)


def _ask_or_draft(now: Conversation, understood: events.Understood, aloud: tuple[Effect, ...]) -> Stepped:
    """A part that cannot be planned holds no other back: the others are planned, and it is told. What a run has made stays whole."""
    required, unused = understood.requirements, understood.edits.unused
    sound = tuple(part for part in required.parts if not part.problems)
    if 0 < len(sound) < len(required.parts) and now.run_id is None and not now.doubts and not any(part.missing for part in sound):
        left_out = tuple(part for part in required.parts if part.problems)
        aloud, required = (*aloud, telling.left_out(left_out)), required.model_copy(update={"parts": sound})
    after = replace(now, requirements=required)
    if required.complete and not now.doubts:
        # Of what was edited it was told what is different now, and the plan has all of it.
        edited = any(before.items for before in now.history) or now.ahead
        taken = (telling.ignored(unused),) if edited and unused else () if edited else (telling.requirements(required, unused),)
        return replace(after, phase=Phase.DRAFTING), (*aloud, *taken, Work.LOOK)
    asked = tuple((part.label, name) for part in required.parts for name in (*part.disputed, *(one.name for one in part.missing)))
    how_much = tuple((doubt.item, name) for doubt in now.doubts if not doubt.readings for name in doubt.about)
    questions = (telling.doubts(now.doubts),) if now.doubts else ()
    if asked or not questions or any(part.problems for part in required.parts):
        questions = (*questions, telling.questions(required, unused))
    return replace(after, phase=Phase.ASKING, asked=(*asked, *how_much)), (*aloud, *questions)


# What comes of drafting.


def _draft(now: Conversation, happened: events.Offered | events.Proposed | events.Drafted | events.Judged | events.Countered) -> Stepped:
    match happened:
        case events.Offered(snapshots, offer):
            offered = replace(now, snapshots=snapshots, offer=offer)
            if all(part.candidates for part in offer.parts):
                return offered, (Work.PROPOSE,)
            unfit = ((part.label, one.subject) for part in offer.parts if not part.candidates for one in part.exclusions)
            return _ask_again(offered, telling.nothing_fits(offer), tuple((label, subject.split(" ")[0]) for label, subject in unfit))
        case events.Proposed(proposal) if now.offer is not None:
            proposal = proposal or pick_by_rule(now.offer, now.tried)
            return (replace(now, proposal=proposal), (Work.DRAFT,)) if proposal else (now, (Work.COUNTER,))
        case events.Drafted():
            return _compare(replace(now, parent_digest=happened.manifest.digest), happened)
        case events.Judged():
            return _judge(now, happened)
        case events.Countered(instead) if now.review is not None and now.offer is not None:
            faults = ((one.part, one.kind.partition(".")[0]) for one in now.review.findings if one.severity is Severity.ERROR)
            return _ask_again(now, telling.not_clean(now.review, now.offer, now.rounds, instead), tuple(faults))
        case _:
            return now, ()


def _ask_again(now: Conversation, tell: effects.Tell, about: tuple[tuple[str, str], ...]) -> Stepped:
    """`about`: (label, what it is that cannot be as it was said), which begins as the fact is called: `network 99`, `address.unfit`."""
    return replace(now.without("snapshots"), phase=Phase.ASKING, asked=tuple(dict.fromkeys(about))), (tell,)


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


def ungranted(now: Conversation) -> tuple[Wish, ...]:
    """What nothing that is planned fulfils."""
    granted = {field.name for part in (now.requirements.parts if now.requirements else ()) for field in part.fields}
    watched = {part.label for part in (now.manifest.parts if now.manifest else ()) if part.watched_by}
    return tuple(
        wish
        for wish in now.request.wishes
        if wish.kind not in granted and not (wish.kind == WATCHED and watched and wish.item in ("", *watched))
    )


def _plan(now: Conversation, planned: events.Planned) -> Stepped:
    plan, back_to = planned.plan, planned.back_to
    if back_to is not None and now.phase is not Phase.RUNNING:
        now = now if plan.run_id == now.run_id else replace(_forget_run(now), run_id=plan.run_id)
        now = replace(now, going_back=True, led_back=planned.parts)
        after = replace(now, phase=Phase.AWAITING, plan_digest=plan.digest, plan_kind=plan.kind)
        return after, (telling.GOING_BACK, telling.plan(plan, *back_to, before=planned.before))
    now = replace(now, going_back=False, led_back=())
    if now.phase is Phase.RUNNING or (plan.kind != "remove" and now.phase is not Phase.DRAFTING):
        return now, ()
    after = replace(now, phase=Phase.AWAITING, plan_digest=plan.digest, plan_kind=plan.kind)
    if plan.kind == "remove":
        after = replace(after, run_id=plan.run_id)
    else:
        after = replace(after, plan_shown=plan.digest)
    not_included = (*(wish.text for wish in ungranted(now)), *now.not_used)
    return after, (telling.plan(plan, now.manifest, now.review, not_included, planned.before, planned.swings),)


# What becomes of runs.


def _see(now: Conversation, seen: events.Seen) -> Stepped:
    if now.phase is Phase.AWAITING and seen.begun and seen.run is not None:
        now = replace(now, phase=Phase.RUNNING, run_id=seen.run.id, run_status=seen.run.status, history=(), ahead=(), doubts=())
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
    # What begins to exist is out of the reach of `undo`.
    bare = replace(now, history=(), ahead=(), doubts=())
    after = replace(bare, phase=Phase.RUNNING, run_id=plan.run_id, run_status="running", line_seen=line_seen)
    return after, (told, effects.Follow(plan.run_id, line_seen))


def _find(now: Conversation, found: events.Found) -> Stepped:
    after, follow = _take_up(now, found.run.id)
    return replace(after, run_status=found.run.status) if after.run_id == found.run.id else after, (follow,)


def _take_up(now: Conversation, run_id: str) -> tuple[Conversation, effects.Follow]:
    """A run that is spoken of by its name becomes the conversation's own, unless a request is under way in it."""
    if now.phase in (Phase.ASKING, Phase.DRAFTING, Phase.AWAITING) or (now.phase is Phase.RUNNING and now.run_id != run_id):
        return now, effects.Follow(run_id, 0)
    if now.run_id != run_id:
        now = replace(_forget_run(now), run_id=run_id)
    return replace(now, phase=Phase.RUNNING, run_status="running"), effects.Follow(run_id, now.line_seen)


def _end(now: Conversation, ended: events.Ended) -> Stepped:
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
            return replace(_forget_run(now), phase=Phase.LISTENING)
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
