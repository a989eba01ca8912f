"""What the words of a message asked for in a conversation: edits of the request, which are told, undone, asked about or planned. A part of
tools.rules.words.reducer, and pure as it is."""

from __future__ import annotations

from dataclasses import replace

from tools.rules.request.comparing import differences
from tools.rules.words import telling
from tools.rules.words.answering import topic_of
from tools.rules.words.runs import Stepped, as_it_stands, set_aside
from tools.values import effects, events
from tools.values.conversation import Conversation, Phase
from tools.values.effects import Effect, Work
from tools.values.request import Doubt, Edits, Request

TYPED_MAX = 40
"""Messages of a conversation that quotes may come from; older ones are forgotten."""
HISTORY_MAX = 40
"""Edits of a conversation that can be undone."""


def hear(now: Conversation, said: events.Said) -> Stepped:
    """A question, a change of what there is, or a new request."""
    aloud: tuple[Effect, ...] = ()
    if said.offline and not now.introduced:
        now, aloud = replace(now, introduced=True), (telling.OFFLINE,)
    after, effects = _take_in(now, said)
    return after, (*aloud, *effects)


def _take_in(now: Conversation, said: events.Said) -> Stepped:
    edits = said.edits
    if edits.undo:
        return walk(now, edits.undo)
    if edits.starts_over and not (edits.edits or edits.doubts):
        return now, (telling.noted(now.request),)
    if edits.asks or (not edits.edits and not edits.doubts and topic_of(said.text)):
        things = any(edit.do == "add" for edit in edits.edits) or now.request.items
        kept = None if now.request.items else now.priced
        return replace(now, priced=edits if edits.edits and things else kept), (effects.Answer(said.text, edits),)
    if not edits.edits and not edits.doubts:
        return now, (telling.not_heard_here(said.text) if now.request.items else effects.TellWhatIsKnown(not_heard=said.text),)
    return edit(now, said.text, edits)


def walk(now: Conversation, steps: int) -> Stepped:
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
    same = telling.DOUBTS_DROPPED if steps > 0 else telling.NOTHING_TO_REDO
    told = (*void, same if request == now.request else telling.undone(differences(now.request, request), steps > 0))
    if now.run_id is not None and request == now.request_built:
        return replace(as_it_stands(now), history=tuple(history), ahead=tuple(ahead)), told
    bare = replace(now.without("requirements"), request=request, history=tuple(history), ahead=tuple(ahead), doubts=(), asked=())
    if not request.items:
        return replace(bare, phase=Phase.LISTENING), told
    return replace(bare, phase=Phase.ASKING, changing=now.run_id is not None), (*told, effects.Understand(Edits()))


def edit(now: Conversation, text: str, edits: Edits) -> Stepped:
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
    question = edits.question if topic_of(edits.question) else ""
    unused = tuple(phrase for phrase in edits.unused if phrase not in question)
    edits = edits.model_copy(update={"unused": unused})
    now = replace(now, typed=(*now.typed, text)[-TYPED_MAX:], priced=None, question=question)
    return now, (effects.Understand(edits, anew, text),)


def _is_taken_back(now: Conversation, edits: Edits) -> str:
    """The label of the item that came with what has stopped, when all that is said is to remove it; else empty."""
    (gone, *more) = [edit.item if edit.do == "remove" else "" for edit in edits.edits] or [""]
    came_with_it = now.request.item(gone) and not (now.request_built and now.request_built.item(gone))
    return gone if came_with_it and not more else ""


def understand(now: Conversation, understood: events.Understood) -> Stepped:
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
        now = replace(set_aside(now), typed=now.typed[-1:])
    elif now.phase in (Phase.DONE, Phase.AWAITING):
        # Of a plan on offer that removes what a run has made, too: now it is to be changed instead.
        now = replace(now, changing=now.run_id is not None)
    # Whatever comes of the change: a plan that is not on the screen cannot be approved.
    void = (effects.Void(now.plan_digest),) if now.plan_digest else ()
    if request != now.request:
        aloud = (telling.changed(differences(now.request, request)), *aloud) if now.request != Request() else aloud
        now = replace(now, history=(*now.history, now.request)[-HISTORY_MAX:], ahead=())
    elif edits.doubts and request.items:
        now = replace(now, history=(*now.history, now.request)[-HISTORY_MAX:])  # what is asked is taken back by itself
    doubts = _still_open(now.doubts, edits, request)
    not_used = tuple(dict.fromkeys((*now.not_used, *edits.unused)))
    after = replace(now.without("requirements"), request=request, doubts=doubts, asked=(), not_used=not_used)
    if request.items or doubts:
        return _ask_or_draft(after, understood, (*void, *aloud))
    if now.run_id is not None:
        return as_it_stands(now), (*void, *aloud)
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
