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
    NONE,
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
from tools.rules.words.conversation import read
from tools.rules.words.reducer import step
from tools.values import effects
from tools.values.conversation import Conversation, Phase
from tools.values.effects import (
    Approve,
    Effect,
    Follow,
    Hear,
    Leave,
    PlanRemoval,
    PlanWayBack,
    Retry,
    ShowDrift,
    Start,
    Take,
    Tell,
    Understand,
    Void,
    Work,
)
from tools.values.events import Drafted, Ended, Failed, Found, Intent, Judged, Message, Planned, Said, Seen, Started, Understood, Unreadable
from tools.values.request import Doubt, Edit, Edits, Item, Reading, Relation, Request
from tools.values.requirements import Missing, Needs
from tools.values.value import canonical

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
        assert not any(isinstance(effect, Retry) and effect.run_id == before.run_id for effect in effects) or before.phase is Phase.STOPPED


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


STARTED = Started(plan("create"))
BARE = Request(items=(REQUEST.items[0].model_copy(update={"facts": ()}),), shared=REQUEST.items[0].facts)
LACKING = OPEN.parts[0].model_copy(update={"missing": (Missing(name="network", question="?", suggestions=("20",)),)})
SUGGESTED = OPEN.model_copy(update={"parts": (LACKING,)})


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
        (STOPPED, said(Intent.ROLL_BACK), [PlanWayBack], None),
        (DONE, said(Intent.ROLL_BACK), [PlanRemoval], None),
        (DONE, said(Intent.DRIFT), [ShowDrift], None),
        (Conversation(), said(Intent.DRIFT), [Tell], telling.NO_RUN),
        (RUNNING, said(Intent.REMOVE), [Tell], telling.RUN_UNDER_WAY),
        (DONE, said(Intent.FOLLOW), [Follow], None),
        (DONE, said(Intent.REMOVE, OTHER), [PlanRemoval], None),
    ],
)
def test_a_command_has_its_effects(now: Conversation, message: Message, kinds: list[type], told: Tell | None) -> None:
    _, effects = step(now, message)
    assert [type(effect) for effect in effects] == kinds
    assert told_by(effects) == ([told] if told else [])


def test_a_way_back_leads_to_what_was_built_and_no_from_it_goes_on_with_the_change() -> None:
    stopped = replace(STOPPED, request=OTHERWISE, request_built=REQUEST, changing=True)
    offered, effects = step(stopped, Planned(plan("change"), back_to=(MANIFEST, CLEAN)))
    assert (offered.phase, offered.going_back, offered.request) == (Phase.AWAITING, True, OTHERWISE)
    assert telling.GOING_BACK in told_by(effects)
    _, effects = step(offered, said(Intent.RETRY))
    assert [type(effect) for effect in effects] == [PlanWayBack]

    kept, _ = step(replace(offered, run_status="stopped"), said(Intent.CANCEL))
    assert (kept.phase, kept.going_back, kept.request) == (Phase.STOPPED, False, OTHERWISE)

    going, _ = step(offered, Started(plan("change")))
    back, _ = step(going, Ended(run(OWN, "done"), 9, plan_kind="change"))
    assert (back.phase, back.going_back, back.request, back.request_built) == (Phase.DONE, False, REQUEST, REQUEST)


PAIR = Request(items=(*REQUEST.items, Item(capability="y", label="y z", relations=(Relation(kind="uses", to="x", quote="x"),))))


def test_a_part_is_led_back_alone_and_the_others_are_asked_for_as_before() -> None:
    stopped = replace(STOPPED, request=PAIR)
    for message in (said(Intent.ROLL_BACK, "x"), said(Intent.REMOVE, "x")):
        _, effects = step(stopped, message)
        assert effects == (PlanWayBack(OWN, "x"),)
    assert step(replace(stopped, request_built=PAIR), said(Intent.REMOVE, "x"))[1] == (telling.RUN_STOPPED,)
    offered, _ = step(stopped, Planned(plan("change"), back_to=(MANIFEST, CLEAN), parts=("x",)))
    assert step(offered, said(Intent.RETRY))[1] == (PlanWayBack(OWN, "x"),)
    kept, _ = step(replace(offered, run_status="stopped"), said(Intent.CANCEL))
    assert (kept.phase, kept.request, kept.led_back) == (Phase.STOPPED, PAIR, ())
    going, _ = step(offered, Started(plan("change")))
    back, _ = step(going, Ended(run(OWN, "done"), 9, plan_kind="change"))
    assert ([(one.label, one.relations) for one in back.request.items], back.request_built) == ([("y z", ())], back.request)
    assert (back.phase, back.going_back, back.led_back) == (Phase.DONE, False, ())


@pytest.mark.parametrize("joins", [True, False])
def test_what_is_added_to_it_is_part_of_the_run(joins: bool) -> None:
    added = ADDED.model_copy(update={"joins": joins})
    now, effects = step(replace(DONE, request=REQUEST, request_built=REQUEST), Said("add a y to it", added, offline=False))
    assert effects == (Understand(added, not joins, "add a y to it"),)
    assert now.run_id == OWN


def test_where_nothing_is_asked_for_yet_starting_over_is_told_so() -> None:
    nothing = Conversation()
    assert told_by(step(nothing, Said("start over", Edits(starts_over=True), offline=False))[1]) == [telling.noted(nothing.request)]


def test_what_is_left_can_be_asked_for_again() -> None:
    left, effects = step(replace(STOPPED, request=OTHERWISE, request_built=REQUEST, changing=True), said(Intent.LEAVE))
    assert (left.phase, left.request, [type(effect) for effect in effects]) == (Phase.DONE, REQUEST, [Leave])
    asked, effects = step(left, Understood(CHANGE, OTHERWISE, (), COMPLETE))
    assert (asked.phase, asked.changing, effects[-1]) == (Phase.DRAFTING, True, Work.LOOK)


def test_retry_says_again_what_the_world_was_away_for_and_never_approves() -> None:
    for text, kind in (("remove it", PlanRemoval), ("a VM", Hear), ("drift", ShowDrift)):
        failed, _ = step(DONE, Failed(text))
        after, effects = step(failed, said(Intent.RETRY))
        assert (type(effects[-1]), after.failed) == (kind, "")
        assert step(failed, Failed("retry"))[0].failed == text
        assert step(failed, said(Intent.HELP))[0].failed == ""
    for text in (f"approve {'d' * 12}", "yes", "retry"):
        assert step(step(DONE, Failed(text))[0], said(Intent.RETRY))[1] == (telling.NOTHING_TO_RETRY,)


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
    assert (now.plan_digest, now.typed, effects) == ("d" * 64, ("make it 2 cores",), (Understand(CHANGE, text="make it 2 cores"),))
    now, effects = step(now, Understood(CHANGE, OTHERWISE, (), COMPLETE))
    assert (now.plan_digest, now.request, now.history, effects[0]) == (None, OTHERWISE, (REQUEST,), Void("d" * 64))


def test_a_question_behind_an_order_is_answered_below_the_plan_that_comes_of_it() -> None:
    asked = CHANGE.model_copy(update={"question": "what does that cost?", "unused": ("does that cost",)})
    now, (understand,) = step(AWAITING, Said("2 cores, what does that cost?", asked, offline=False))
    assert isinstance(understand, Understand)
    assert understand.edits.unused == ()
    now, effects_ = step(replace(now, phase=Phase.DRAFTING), Planned(plan("create")))
    assert effects_[-1] == effects.Answer("what does that cost?", Edits())
    assert now.question == ""


def test_assent_with_a_remark_is_told_how_to_approve() -> None:
    now, told = step(AWAITING, Said("go ahead, Maria said yes", Edits(), offline=False))
    assert (now.phase, told[-1]) == (Phase.AWAITING, telling.approve_how(AWAITING.plan_digest or ""))


def test_do_it_after_a_price_asks_for_what_was_priced_and_yes_is_of_the_plan() -> None:
    edit = Edit(do="set", item=REQUEST.items[0].label, name="memory", value="8 GB", quote="8 GB")
    now, _ = step(AWAITING, Said("what would 8 GB cost?", Edits(edits=(edit,), asks=True), offline=False))
    _, made = step(now, read("ok, do it"))
    assert [one.edits.edits for one in made if isinstance(one, Understand)] == [(edit,)]
    assert not any(isinstance(one, Understand) for one in step(now, read("yes"))[1])
    asked_on, _ = step(now, Said("who approves it?", Edits(asks=True), offline=False))
    assert asked_on.priced is None


def test_what_changes_nothing_leaves_the_plan_on_offer() -> None:
    now, effects = step(AWAITING, Understood(CHANGE, REQUEST, ((CHANGE.edits[0], "No."),), COMPLETE))
    assert (now, [type(effect) for effect in effects]) == (AWAITING, [Tell, Tell])


def test_a_second_thing_is_one_more_item_until_there_is_a_run() -> None:
    assert step(AWAITING, Said("another x", ADDED, offline=False))[1] == (Understand(ADDED, text="another x"),)
    now, effects = step(REMOVING, Said("another x", ADDED, offline=False))
    assert (now, told_by(effects)) == (REMOVING, [telling.ONE_RUN_AT_A_TIME])


def test_a_part_that_cannot_be_planned_holds_no_other_back() -> None:
    bad = Needs(capability="y", label="y", platform="proxmox", problems=("0 cores cannot be.",))
    both = COMPLETE.model_copy(update={"parts": (*COMPLETE.parts, bad)})
    now, effects = step(AWAITING, Understood(ADDED, OTHERWISE, (), both))
    assert (now.phase, now.requirements, telling.left_out((bad,)) in effects) == (Phase.DRAFTING, COMPLETE, True)
    now, _ = step(DONE, Understood(CHANGE, OTHERWISE, (), both))
    assert (now.phase, now.requirements) == (Phase.ASKING, both), "what a run has made stays whole"
    both = both.model_copy(update={"parts": (*OPEN.parts, bad)})
    assert step(AWAITING, Understood(ADDED, OTHERWISE, (), both))[0].requirements == both


def edited(now: Conversation, *requests: Request) -> Conversation:
    for request in requests:
        now, _ = step(now, Understood(CHANGE, request, (), COMPLETE))
    return now


def test_undo_restores_the_request_before_and_redo_the_one_after() -> None:
    now = edited(Conversation(), REQUEST, OTHERWISE)
    back, effects = step(replace(now, phase=Phase.AWAITING, plan_digest="d" * 64), said(Intent.UNDO))
    assert (back.request, back.history, back.ahead, back.plan_digest) == (REQUEST, (Request(),), (OTHERWISE,), None)
    assert (effects[0], effects[-1]) == (Void("d" * 64), Understand(Edits())), "the plan on offer is void, and another one is made"
    drafted, effects = step(back, Understood(Edits(), REQUEST, (), COMPLETE))
    assert (drafted.phase, drafted.ahead, effects[-1]) == (Phase.DRAFTING, (OTHERWISE,), Work.LOOK)
    again, _ = step(drafted, said(Intent.REDO))
    assert (again.request, again.history, again.ahead) == (OTHERWISE, (Request(), REQUEST), ())
    nothing, _ = step(back, said(Intent.UNDO))
    assert (nothing.phase, nothing.request) == (Phase.LISTENING, Request())
    assert told_by(step(nothing, said(Intent.UNDO))[1]) == [telling.NOTHING_TO_UNDO]
    assert told_by(step(edited(back, REQUEST.model_copy(update={"items": ()})), said(Intent.REDO))[1]) == [telling.NOTHING_TO_REDO]
    assert step(now, Said("undo two things", Edits(undo=2), offline=False))[0].request == Request()


def test_undo_never_reaches_what_exists() -> None:
    started, _ = step(replace(edited(Conversation(), REQUEST, OTHERWISE), phase=Phase.AWAITING, plan_digest=plan("create").digest), STARTED)
    assert (started.phase, started.history) == (Phase.RUNNING, ())
    done, _ = step(started, Ended(run(OWN, "done"), 7))
    for now in (started, done, STOPPED):
        after, effects = step(now, said(Intent.UNDO))
        assert (after, [type(effect) for effect in effects]) == (now, [Tell])
    changed = edited(done, REQUEST)
    back, effects = step(replace(changed, phase=Phase.AWAITING, plan_digest="d" * 64), said(Intent.UNDO))
    assert (back.phase, back.request, back.changing, back.run_id, effects[0]) == (Phase.DONE, OTHERWISE, False, OWN, Void("d" * 64))
    assert step(back, said(Intent.REDO))[0].changing


@given(st.lists(st.sampled_from([REQUEST, OTHERWISE, BARE, *(item.model_copy() for item in (REQUEST, BARE))]), max_size=12))
def test_undo_of_any_edits_restores_the_request_to_the_byte(requests: list[Request]) -> None:
    now = edited(Conversation(), *requests)
    kept = [canonical(now.request.said())]
    while now.history:
        assert now.history[-1] != now.request
        now, _ = step(now, said(Intent.UNDO))
        kept.append(canonical(now.request.said()))
    assert now.request == Request()
    while now.ahead:
        kept.pop()
        now, _ = step(now, said(Intent.REDO))
        assert canonical(now.request.said()) == kept[-1]


DISK, MEMORY = (Edit(do="set", item="x", name=name, value="30 GB", quote="30 GB") for name in ("disk", "memory"))
READINGS = (Reading(text="memory 30 GB", edits=(MEMORY,)), Reading(text="disk 30 GB", edits=(DISK,)))
IN_DOUBT = Doubt(item="x", quote="30 GB", about=("memory", "disk"), readings=READINGS)


@pytest.mark.parametrize(
    ("text", "name"),
    [("1", "memory"), ("2.", "disk"), ("the disk", "disk"), ("it is memory", "memory"), ("ok", "memory"), ("yes", "memory")],
)
def test_a_doubt_is_answered_by_a_number_by_words_or_by_ok(text: str, name: str) -> None:
    asking, effects = step(AWAITING, Understood(Edits(edits=CHANGE.edits, doubts=(IN_DOUBT,)), OTHERWISE, (), COMPLETE))
    assert (asking.phase, asking.plan_digest, asking.request) == (Phase.ASKING, None, OTHERWISE), "nothing of it is in the request"
    assert told_by(effects)[-1] == telling.doubts((IN_DOUBT,))
    after, (effect,) = step(asking, read(text))
    assert isinstance(effect, Understand | Take)
    edits = effect.edits.edits if isinstance(effect, Understand) else effect.edits
    assert (after.doubts, [edit.name for edit in edits]) == ((), [name])


@pytest.mark.parametrize("text", ["3", "30 GB", "0", "a new database", "1 2 3", "gb"])
def test_what_answers_no_doubt_leaves_it_open(text: str) -> None:
    asking = replace(AWAITING, phase=Phase.ASKING, doubts=(IN_DOUBT,))
    assert step(asking, read(text))[1] == (Hear(text),)
    unchanged, _ = step(asking, Understood(CHANGE, OTHERWISE, (), COMPLETE))
    assert unchanged.doubts == (IN_DOUBT,)
    settled = Edits(edits=(Edit(do="set", item="x", name="disk", value="40 GB", quote="40 GB"),))
    assert step(asking, Understood(settled, OTHERWISE, (), COMPLETE))[0].doubts == ()


def test_ok_takes_the_suggestions_and_yes_approves() -> None:
    asking = Conversation(Phase.ASKING, request=REQUEST, requirements=SUGGESTED, asked=(("x", "network"),))
    assert step(asking, read("ok"))[1] == (Take("ok", ()),)
    assert told_by(step(asking, read("yes"))[1]) == [telling.NOTHING_TO_APPROVE]
    assert step(AWAITING, read("ok"))[1] == step(AWAITING, read("yes"))[1]


def test_an_item_is_taken_back_by_its_label_and_what_runs_is_not() -> None:
    remove = Understand(Edits(edits=(Edit(do="remove", item="x", quote="remove x"),)), text="remove x")
    assert step(AWAITING, read("remove x"))[1] == (remove,)
    assert step(AWAITING, read("remove run-7"))[1] == (PlanRemoval("run-7"),)
    empty, _ = step(AWAITING, Understood(remove.edits, Request(), (), NONE))
    assert (empty.phase, empty.plan_digest, empty.history) == (Phase.LISTENING, None, (REQUEST,))


def test_a_new_request_forgets_the_last_run() -> None:
    assert step(DONE, Said("another x", ADDED, offline=False))[1] == (Understand(ADDED, anew=True, text="another x"),)
    now, _ = step(DONE, Understood(ADDED, OTHERWISE, (), COMPLETE, anew=True))
    assert (now.run_id, now.line_seen, now.changing) == (None, 0, False), "its journal is shown from the first line"
    assert step(DONE, Understood(ADDED, Request(), (), COMPLETE, anew=True))[0] == DONE, "nothing of it could be made"
    now, _ = step(DONE, Understood(CHANGE, OTHERWISE, (), OPEN))
    assert (now.run_id, now.changing, now.phase, now.asked) == (OWN, True, Phase.ASKING, (("x", "network"),))


def test_a_new_request_that_is_dropped_leaves_the_last_run_to_be_spoken_of() -> None:
    done = replace(DONE, request=REQUEST, request_built=REQUEST)
    now, _ = step(done, Understood(ADDED, OTHERWISE, (), COMPLETE, anew=True))
    back, _ = step(now, said(Intent.CANCEL))
    assert (back.phase, back.run_id, back.request, back.request_built) == (Phase.DONE, OWN, REQUEST, REQUEST)
    assert [type(one) for one in step(back, said(Intent.REMOVE))[1]] == [PlanRemoval]
    begun, _ = step(replace(now, phase=Phase.AWAITING, plan_digest=plan("create").digest), STARTED)
    assert begun.stood is None, "what is made now is what is spoken of"


def test_a_run_that_is_looked_at_from_a_draft_leaves_the_draft_alone() -> None:
    now, effects = step(AWAITING, Found(run(OTHER, "running")))
    assert (now, effects) == (AWAITING, (Follow(OTHER, 0),))
    assert step(AWAITING, Ended(run(OTHER, "done"), 9))[0] == AWAITING
    now, effects = step(DONE, Found(run(OTHER, "running")))
    assert (now.run_id, now.request, effects) == (OTHER, Request(), (Follow(OTHER, 0),))


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("retry run-other", effects.Retry),
        ("try again run run-other", effects.Retry),
        ("roll back run-other", effects.PlanWayBack),
        ("leave run-other", effects.Leave),
        ("follow run-other", effects.Find),
    ],
)
def test_a_run_is_gone_on_with_by_its_name_in_a_new_conversation(words: str, kind: type) -> None:
    """As the last line of a terminal that was left has it."""
    _, (effect, *_) = step(Conversation(), read(words))
    assert isinstance(effect, kind) and effect.run_id == "run-other"


def test_a_run_that_is_retried_by_its_name_becomes_the_conversations_own() -> None:
    after, done = step(Conversation(), read("retry run-other"))
    assert (after.phase, after.run_id) == (Phase.RUNNING, "run-other")
    assert done[-1] == effects.Follow("run-other", 0)


@pytest.mark.parametrize(("status", "phase"), [("running", Phase.RUNNING), ("done", Phase.DONE), ("stopped", Phase.STOPPED)])
def test_a_plan_that_was_begun_elsewhere_is_no_plan_that_waits(status: str, phase: Phase) -> None:
    """Several approvals at once, or a process that died between the start and the answer: `status` and `cancel` mean its run."""
    now, _ = step(AWAITING, Seen(run(OWN, status), "create", begun=True))
    assert (now.phase, now.run_id) == (phase, OWN)
    if status == "running":
        assert [type(one) for one in step(now, read("cancel"))[1]][:1] == [effects.Cancel]


def test_a_run_that_ended_while_nobody_looked_has_ended() -> None:
    assert step(RUNNING, Seen(run(OWN, "done"), None))[0].phase is Phase.DONE
    for before in (RUNNING, STOPPED):
        now, effects = step(before, Seen(run(OWN, "removed"), None))
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
