"""The conversation's reducer: every edge of the guide's diagram is walked, and no other is there."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.agents.walk import (
    ADDED,
    CHANGE,
    CLEAN,
    COMPLETE,
    FAULTY,
    MANIFEST,
    OFFER,
    OPEN,
    OTHER,
    OTHERWISE,
    OWN,
    PROPOSAL,
    REQUEST,
    conversations,
    diagram,
    happenings,
    plan,
    run,
)
from tests.conftest import ROOT
from tools.rules.words import telling
from tools.rules.words.reducer import step
from tools.values.conversation import Conversation, Phase
from tools.values.effects import Approve, Effect, Follow, PlanRemoval, Retry, Start, Tell, Understand, Void, Work
from tools.values.events import Drafted, Ended, Found, Intent, Judged, Message, Planned, Said, Seen, Understood, Unreadable
from tools.values.request import Request

PHASES = {phase.value.replace(" ", "_"): phase for phase in Phase}
HAPPENINGS = tuple(happenings())


def drawn() -> dict[tuple[Phase, Phase], set[str]]:
    """The edges of the diagram as adk_web.md shows it."""
    edges = re.findall(r"^    (\w+) --> (\w+): (.+)$", (ROOT / "adk_web.md").read_text(), re.MULTILINE)
    return {(PHASES[before], PHASES[after]): set(words.split(", ")) for before, after, words in edges}


def test_the_guide_shows_the_diagram() -> None:
    assert diagram() in (ROOT / "adk_web.md").read_text()


@pytest.mark.parametrize(("before", "after"), drawn())
def test_every_edge_that_is_drawn_is_taken(before: Phase, after: Phase) -> None:
    taken = {words for words, what in HAPPENINGS for now in conversations(before) if step(now, what)[0].phase is after}
    assert taken >= drawn()[before, after]


@given(st.lists(st.sampled_from(HAPPENINGS), max_size=30))
def test_whatever_happens_only_drawn_edges_are_taken(story: list[tuple[str, Message]]) -> None:
    edges, now = drawn(), Conversation()
    for words, what in story:
        before, (now, effects) = now, step(now, what)
        assert before.phase is now.phase or words in edges[before.phase, now.phase]
        assert now.phase is not Phase.AWAITING or now.plan_digest
        assert now.phase not in (Phase.RUNNING, Phase.DONE, Phase.STOPPED) or now.run_id
        assert not any(isinstance(effect, Start) for effect in effects) or words == "approved"
        assert not any(isinstance(effect, Retry) for effect in effects) or before.phase is Phase.STOPPED


def said(intent: Intent, subject: str = "") -> Message:
    return Message(intent, intent.value, subject=subject)


AWAITING = Conversation(Phase.AWAITING, request=REQUEST, requirements=COMPLETE, plan_digest="d" * 64, plan_kind="create")
REMOVING = replace(AWAITING, run_id=OWN, plan_kind="remove")
STOPPED = Conversation(Phase.STOPPED, request=REQUEST, run_id=OWN, line_seen=7)
DONE = replace(STOPPED, phase=Phase.DONE)
RUNNING = replace(STOPPED, phase=Phase.RUNNING)
DRAFTED = Conversation(
    Phase.DRAFTING, requirements=COMPLETE, snapshots={}, offer=OFFER, proposal=PROPOSAL, manifest=MANIFEST, review=FAULTY
)


def told_by(effects: tuple[Effect, ...]) -> list[Tell]:
    return [effect for effect in effects if isinstance(effect, Tell)]


@pytest.mark.parametrize(
    ("now", "message", "kinds", "told"),
    [
        (Conversation(), said(Intent.CANCEL), [Tell], telling.NOTHING_TO_CANCEL),
        (Conversation(), said(Intent.RETRY), [Tell], telling.NOTHING_TO_RETRY),
        (Conversation(), said(Intent.REMOVE), [Tell], telling.NOTHING_TO_REMOVE),
        (Conversation(), said(Intent.LEAVE), [Tell], telling.NOTHING_TO_LEAVE),
        (Conversation(), said(Intent.FOLLOW), [Tell], telling.NO_RUN),
        (Conversation(), said(Intent.APPROVE_WHAT), [Tell], telling.NOTHING_TO_APPROVE),
        (Conversation(), said(Intent.APPROVE), [Approve], None),
        (AWAITING, said(Intent.CANCEL), [Void, Tell], telling.CANCELLED),
        (AWAITING, said(Intent.RETRY), [Void, Tell, Work], telling.RETRYING),
        (REMOVING, said(Intent.RETRY), [PlanRemoval], None),
        (STOPPED, said(Intent.RETRY), [Retry, Tell, Follow], telling.RETRYING),
        (STOPPED, said(Intent.ROLL_BACK), [PlanRemoval], None),
        (RUNNING, said(Intent.REMOVE), [Tell], telling.RUN_UNDER_WAY),
        (DONE, said(Intent.FOLLOW), [Follow], None),
        (DONE, said(Intent.REMOVE, OTHER), [PlanRemoval], None),
    ],
)
def test_a_command_has_its_effects(now: Conversation, message: Message, kinds: list[type], told: Tell | None) -> None:
    _, effects = step(now, message)
    assert [type(effect) for effect in effects] == kinds
    assert told_by(effects) == ([told] if told else [])


def test_what_cannot_be_read_begins_anew_and_its_open_plan_is_void() -> None:
    now, effects = step(DONE, Unreadable("d" * 64))
    assert (now, effects[0], told_by(effects)) == (Conversation(), Void("d" * 64), [telling.UNREADABLE])


@pytest.mark.parametrize(("status", "phase"), [("done", Phase.DONE), ("stopped", Phase.STOPPED), (None, Phase.DONE)])
def test_a_dropped_change_goes_back_to_what_stands(status: str | None, phase: Phase) -> None:
    changing = replace(AWAITING, run_id=OWN, changing=True, request_built=REQUEST, request=OTHERWISE, run_status=status)
    now, _ = step(changing, said(Intent.CANCEL))
    assert (now.phase, now.request, now.changing, now.plan_digest, now.run_id) == (phase, REQUEST, False, None, OWN)


def test_no_to_the_one_question_which_key_is_an_answer() -> None:
    asking = Conversation(Phase.ASKING, asked=(("virtual_machine", "public_key"),))
    no = Message(Intent.CANCEL, "No.")
    assert step(asking, no)[0] is asking
    assert step(replace(asking, asked=(*asking.asked, ("virtual_machine", "network"))), no)[0].phase is Phase.LISTENING


def test_a_change_voids_the_plan_that_is_not_on_the_screen_any_more() -> None:
    now, effects = step(AWAITING, Said("make it 2 cores", CHANGE, offline=False))
    assert (now.plan_digest, now.typed, effects) == ("d" * 64, ("make it 2 cores",), (Understand(CHANGE),))
    now, effects = step(now, Understood(CHANGE, OTHERWISE, (), COMPLETE))
    assert (now.plan_digest, now.request, now.history, effects[0]) == (None, OTHERWISE, (REQUEST,), Void("d" * 64))


def test_what_changes_nothing_leaves_the_plan_on_offer() -> None:
    now, effects = step(AWAITING, Understood(CHANGE, REQUEST, ((CHANGE.edits[0], "No."),), COMPLETE))
    assert (now, [type(effect) for effect in effects]) == (AWAITING, [Tell, Tell])


def test_a_second_thing_is_one_more_item_until_there_is_a_run() -> None:
    assert step(AWAITING, Said("another x", ADDED, offline=False))[1] == (Understand(ADDED),)
    now, effects = step(REMOVING, Said("another x", ADDED, offline=False))
    assert (now, told_by(effects)) == (REMOVING, [telling.one_plan_at_a_time("d" * 64)])


def test_a_new_request_forgets_the_last_run() -> None:
    assert step(DONE, Said("another x", ADDED, offline=False))[1] == (Understand(ADDED, anew=True),)
    now, _ = step(DONE, Understood(ADDED, OTHERWISE, (), COMPLETE, anew=True))
    assert (now.run_id, now.line_seen, now.changing) == (None, 0, False), "its journal is shown from the first line"
    assert step(DONE, Understood(ADDED, Request(), (), COMPLETE, anew=True))[0] == DONE, "nothing of it could be made"
    now, _ = step(DONE, Understood(CHANGE, OTHERWISE, (), OPEN))
    assert (now.run_id, now.changing, now.phase, now.asked) == (OWN, True, Phase.ASKING, (("x", "network"),))


def test_a_run_that_is_looked_at_from_a_draft_leaves_the_draft_alone() -> None:
    now, effects = step(AWAITING, Found(run(OTHER, "running")))
    assert (now, effects) == (AWAITING, (Follow(OTHER, 0),))
    assert step(AWAITING, Ended(run(OTHER, "done"), 9))[0] == AWAITING
    now, effects = step(DONE, Found(run(OTHER, "running")))
    assert (now.run_id, now.request, effects) == (OTHER, Request(), (Follow(OTHER, 0),))


def test_a_run_that_ended_while_nobody_looked_has_ended() -> None:
    assert step(RUNNING, Seen(run(OWN, "done"), None))[0].phase is Phase.DONE
    now, effects = step(RUNNING, Seen(run(OWN, "removed"), None))
    assert (now.phase, now.run_id, told_by(effects)) == (Phase.LISTENING, None, [telling.removed(run(OWN, "removed"))])


def test_a_removal_by_name_makes_that_run_the_conversations_own() -> None:
    now, _ = step(DONE, Planned(plan("remove", OTHER)))
    assert (now.phase, now.run_id, now.plan_digest) == (Phase.AWAITING, OTHER, plan("remove", OTHER).digest)


@pytest.mark.parametrize(
    ("rounds", "refused", "next_work"),
    [(0, False, Work.REFINE), (2, False, Work.REFINE), (3, False, Work.DRAFT), (4, False, Work.COUNTER), (0, True, Work.COUNTER)],
)
def test_the_rules_have_one_round_more_than_the_model(rounds: int, refused: bool, next_work: Work) -> None:
    _, effects = step(replace(DRAFTED, rounds=rounds), Judged(refused, rounds_max=3))
    assert effects[-1] is next_work


def test_a_refinement_that_loses_a_check_is_dropped() -> None:
    held = replace(DRAFTED, review=FAULTY.model_copy(update={"passed": ("d:x:s",), "findings": ()}), manifest=MANIFEST)
    worse = FAULTY.model_copy(update={"findings": (*FAULTY.findings, FAULTY.findings[0].model_copy(update={"check": "d"}))})
    now, effects = step(held, Drafted(MANIFEST, worse, 3))
    assert (now.review, now.rounds, told_by(effects)) == (held.review, 1, [telling.refinement_dropped(1)])
    now, effects = step(replace(DRAFTED, rounds=3), Drafted(MANIFEST, CLEAN, 3))
    assert (now.review, told_by(effects)) == (CLEAN, [telling.settled_by_rule(MANIFEST)])
