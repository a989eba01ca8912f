"""What is said of a run that stopped, was left, or has drifted: every reply that it offers is one that works there."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from tests.agents.walk import ADDED, OWN, REQUEST
from tools.rules.words import telling
from tools.rules.words.conversation import read
from tools.rules.words.reducer import step
from tools.rules.words.rendering import draw
from tools.values.conversation import Conversation, Phase, PlanKind
from tools.values.effects import Answer, Leave, PlanRemoval, PlanWayBack, Retry, Understand
from tools.values.events import Said
from tools.values.plan import Change
from tools.values.request import Edits
from tools.values.run import Run, RunStatus, StepRecord

STOPPED = Conversation(Phase.STOPPED, request=REQUEST, run_id=OWN, run_status="stopped")


def ran(status: RunStatus, apply: int = 1) -> Run:
    steps = (
        StepRecord(part="a", name="recheck", status="done" if apply else "failed", attempt=1, summary="It moved.", remedy="Look."),
        StepRecord(part="a", name="apply", status="failed" if apply else "skipped", attempt=apply, summary="It failed."),
    )
    return Run(id=OWN, plan_digest="d" * 64, status=status, steps=steps)


@pytest.mark.parametrize("kind", get_args(PlanKind))
@pytest.mark.parametrize("apply", [0, 1])
def test_every_reply_that_a_stopped_run_offers_does_something(kind: PlanKind, apply: int) -> None:
    text = draw(telling.stopped(ran("stopped", apply), kind))
    replies = set(re.findall(r"`([a-z ]+)`", text))
    assert "retry" in replies and replies <= {"retry", "roll back", "leave"}, text
    for reply in replies:
        _, effects = step(STOPPED, read(reply))
        assert isinstance(effects[0], Retry | PlanWayBack | Leave), reply
    assert ("Nothing was changed" in text) == (not apply)
    assert "kept" not in text or apply


def test_what_was_left_is_never_called_done() -> None:
    assert not ran("stopped").left and ran("done").left
    assert "is done" not in draw(telling.run(ran("done"), ())) and "not done" in draw(telling.run(ran("done"), ()))
    assert "db-01 (VM 101" in draw(telling.run(ran("done"), ("db-01 (VM 101 on pve1) is switched off now.",)))
    assert "not done" in draw(telling.runs((ran("done"),), ()))


def test_drift_says_what_is_otherwise() -> None:
    change = Change(address="x", action="update", name="db-01", details=("memory.dedicated 2048 → 4096",))
    assert "memory.dedicated" in draw(telling.drift(OWN, (("a", (change,)), ("b", ()))))
    assert "as it was approved" in draw(telling.drift(OWN, (("a", ()),)))
    assert draw(telling.drift(OWN, ()))


def test_what_a_done_run_can_be_told() -> None:
    for words, kind in (("roll back", PlanRemoval), ("drift", None), ("is it still as it was made?", None)):
        _, effects = step(Conversation(Phase.DONE, request=REQUEST, run_id=OWN), read(words))
        assert kind is None or isinstance(effects[0], kind)


def test_while_a_run_is_stopped_questions_and_other_requests_are_answered() -> None:
    asked, effects = step(STOPPED, Said("what runs on pve1?", Edits(asks=True), offline=False))
    assert isinstance(effects[-1], Answer) and asked.phase is Phase.STOPPED
    _, effects = step(STOPPED, Said("a y", ADDED, offline=False))
    assert isinstance(effects[-1], Understand) and effects[-1].anew
    for words in ("status", "list", "details", "drift", "help"):
        assert step(STOPPED, read(words))[0].phase is Phase.STOPPED
