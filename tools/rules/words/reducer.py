"""The conversation, as one pure function: `step(conversation, happened) → (conversation, effects)`. Nothing else sets the phase. What a
person may say is here; what the words asked for, what comes of drafting and what becomes of runs is in `asking`, `drafts` and `runs`.

It touches nothing: effects are values, `tools.pipeline.talk` carries them out, and what comes of them happens in turn. Such a step counts
only when its effects went through. The diagram in adk_web.md is drawn by walking this function (tests/agents/walk.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from tools.rules.hearing.words.counting import names_of
from tools.rules.words import telling
from tools.rules.words.answering import topic_of
from tools.rules.words.asking import edit, hear, understand, walk
from tools.rules.words.conversation import MESSAGE_BYTES_MAX, leading, numbers, read, says_do, says_yes
from tools.rules.words.drafts import draft, plan
from tools.rules.words.runs import Stepped, as_it_stands, end, find, see, start, take_up
from tools.values import effects, events
from tools.values.conversation import Conversation, Phase
from tools.values.effects import Effect, Work
from tools.values.events import Event, Intent, Message
from tools.values.request import Doubt, Edit, Edits, Reading

RUN = "run-"
"""How the names of runs begin."""


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
            return see(now, happened)
        case events.Said():
            heard = happened.edits.edits or happened.edits.doubts or happened.edits.undo or topic_of(happened.text)
            lead = None if heard or not now.request.items else leading(happened.text)
            if lead is Intent.UNDO:
                return walk(now, 1)
            if lead is Intent.APPROVE_WHAT:
                return _approve_what(now, Message(lead, happened.text))  # `go ahead, Maria said yes`
            if lead is Intent.CANCEL:
                return _cancel(now, Message(Intent.CANCEL, happened.text))
            return hear(now, happened)
        case events.Understood():
            return understand(now, happened)
        case events.Offered() | events.Proposed() | events.Drafted() | events.Judged() | events.Countered():
            return draft(now, happened) if now.phase is Phase.DRAFTING else (now, ())
        case events.Planned():
            return plan(now, happened)
        case events.Approved(approved, missing_roles):
            if missing_roles:
                return now, (telling.approved_partly(approved, missing_roles),)
            return now, (effects.Start(approved),)
        case events.Started():
            return start(now, happened)
        case events.Found():
            return find(now, happened)
        case events.Ended():
            return end(now, happened)
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
    agrees = now.doubts and message.intent is Intent.APPROVE_WHAT and not message.digest_typed
    if (now.doubts and message.intent is Intent.TAKE) or (agrees and says_yes(message.text)):
        return _take(now, message)
    if agrees and now.phase is Phase.ASKING:
        return now, (telling.doubts(now.doubts),)  # `ship it` agrees to a plan, and none is there; it settles nothing that is in doubt
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


def _status(now: Conversation, message: Message) -> Stepped:
    run_id = message.subject or now.run_id
    if now.phase is Phase.AWAITING and now.plan_digest and not message.subject:
        return now, (effects.AssertOpen(now.plan_digest), telling.status(now.phase, now.plan_digest))
    return now, (effects.ShowRun(run_id) if run_id else telling.status(now.phase, now.plan_digest),)


def _nod(now: Conversation, message: Message) -> Stepped:
    """`thanks`, `hold on`: where the conversation stands, in a line."""
    looks = (effects.AssertOpen(now.plan_digest),) if now.phase is Phase.AWAITING and now.plan_digest else ()
    return now, (*looks, telling.status(now.phase, now.plan_digest))


def _follow(now: Conversation, message: Message) -> Stepped:
    if message.subject:
        return now, (effects.Find(message.subject),)
    return now, (effects.Follow(now.run_id, now.line_seen) if now.run_id else telling.NO_RUN,)


def _approve_what(now: Conversation, message: Message) -> Stepped:
    if now.priced and (not now.request.items or says_do(message.text)):  # `do it`, after its price
        return edit(now, message.text, now.priced.model_copy(update={"asks": False, "unused": ()}))
    if now.phase is Phase.AWAITING and now.plan_digest:
        return now, (effects.AssertOpen(now.plan_digest), telling.approve_how(now.plan_digest))
    return now, (telling.NOTHING_TO_APPROVE,)


def _cancel(now: Conversation, message: Message) -> Stepped:
    if now.phase is Phase.RUNNING and now.run_id:
        return now, (effects.Cancel(now.run_id), telling.CANCELLING)
    if now.phase not in (Phase.ASKING, Phase.DRAFTING, Phase.AWAITING):
        return now, (telling.NOTHING_TO_CANCEL,)
    after = replace(as_it_stands(now), typed=() if now.run_id is None else now.typed)
    if now.plan_digest:
        return after, (effects.Void(now.plan_digest), telling.CANCELLED)
    return after, (telling.DROPPED,)


def _retry(now: Conversation, message: Message) -> Stepped:
    told = telling.RETRYING
    if message.subject and message.subject != now.run_id:
        after, follow = take_up(now, message.subject)
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
        return edit(now, message.text, Edits(edits=(Edit(do="remove", item=item.label, quote=message.text),)))
    if any(message.subject in names_of(item) for item in now.request.items):
        return edit(now, message.text, Edits(edits=(Edit(do="remove", item=message.subject, quote=message.text),)))
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
    Intent.RECONCILE: _always(effects.Reconcile()),
    Intent.SHOW_PLAN: lambda now, message: (now, (effects.ShowPlan(message.subject),)),
    Intent.EXPLAIN: _explain,
    Intent.SHOW: lambda now, message: (now, (telling.request(now.request, now.doubts),)),
    Intent.RESUME: _resume,
    Intent.UNDO: lambda now, message: walk(now, _steps(message)),
    Intent.REDO: lambda now, message: walk(now, -_steps(message)),
    Intent.TAKE: lambda now, message: _take(now, message),
    Intent.STATUS: _status,
    Intent.NOD: _nod,
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
