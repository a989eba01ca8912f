"""Whoever is not in the conversation is told what waits for them and what has ended. Nothing depends on it, and no secret is in it."""

from __future__ import annotations

import email
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.ledger import builders
from tools.pipeline import carry_out, engine, noticing
from tools.pipeline.steps import Work
from tools.pipeline.talk import Talk
from tools.pipeline.world import World
from tools.rules.plans.approving import CONFIRM, waits_for
from tools.values import events
from tools.values.person import Person
from tools.values.trouble import WorldProblem

from .builders import counting, manifest_of, part_named, planned, world_at
from .receivers import mail, webhook


@pytest.mark.parametrize(
    ("asked", "requester", "held", "waits"),
    [
        ((("operator", "r"),), "ops", None, ()),
        ((("security", "r"), ("vp", "r")), "ops", None, ()),
        ((("operator", "r"),), "alice", ("requester",), ("operator",)),
        ((("operator", "r"),), "alice", ("requester", "operator"), ()),
        ((("operator", "r"), (f"{CONFIRM}db", "r")), "alice", ("operator",), ()),
        ((("security", "r"),), "alice", ("requester", "security"), ("security",)),
        ((("security", "r"), ("vp", "r")), "alice", ("vp",), ("security", "vp")),
    ],
)
def test_whom_a_plan_waits_for(asked: Any, requester: str, held: tuple[str, ...] | None, waits: tuple[str, ...]) -> None:
    plan = builders.plan(requester=requester, approvals=asked)
    assert waits_for(plan, requester, held) == waits


def told(world: World) -> list[dict[str, Any]]:
    """What stands in the audit, once everything that was to be told is."""
    noticing._BESIDE.submit(lambda: None).result(60)
    return [record.facts for record in world.ledger.audit.read() if record.facts.get("action") in ("told", "not told")]


def ran(home: Path, effects: Path, receivers: str, fails: bool = False) -> tuple[World, str]:
    def fail(work: Work) -> Any:
        raise WorldProblem("It failed.", "The world said summary-canary.", "Look.")

    world = world_at(home, environment={"BERTH_NOTICES": receivers} if receivers else {})
    engine.launch(world, counting(effects, **({"configure": fail} if fails else {})))
    plan = planned(world, manifest_of(part_named("web", effects), requester="alice"))
    carry_out.approve(world, plan.digest, "ops", "approve it")
    run_id = carry_out.start(world, plan.digest)
    for _ in carry_out.follow(world, run_id):
        pass
    engine.close()
    return world, run_id


@pytest.mark.parametrize("fails", [False, True])
def test_a_webhook_and_a_mailbox_are_told_how_a_run_ended(tmp_path: Path, fails: bool) -> None:
    posts: list[dict[str, Any]] = []
    mails: list[str] = []
    with ExitStack() as stack:
        receivers = f"{stack.enter_context(webhook(posts))} {stack.enter_context(mail(mails))}"
        world, run_id = ran(tmp_path / "home", tmp_path / "effects", receivers, fails)
        [fact] = told(world)
    [post], [letter] = posts, mails
    status = "stopped" if fails else "done"
    assert world.ledger.runs.row(run_id).status == status
    assert (fact["action"], fact["run_id"], fact["receivers"]) == ("told", run_id, [])
    body = email.message_from_string(letter)
    assert run_id in post["message"] and status in post["message"] and "ops@example.org" in body["to"]
    assert ("configure" in post["message"]) == fails
    secrets = [path.read_text() for path in (tmp_path / "home" / "runs" / run_id / "secrets").iterdir() if path.is_file()]
    kept = f"{post} {letter} {[record.facts for record in world.ledger.audit.read()]}"
    assert secrets and not any(secret.strip() in kept for secret in (*secrets, "summary-canary", "hook-canary", "mail-canary"))
    world.ledger.close()


def test_what_goes_wrong_beside_everything_else_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for it, so an exception that left the thread would be seen by nobody."""

    def broken() -> Any:
        raise ZeroDivisionError

    posts: list[dict[str, Any]] = []
    with webhook(posts) as taking:
        world = world_at(tmp_path, environment={"BERTH_NOTICES": taking}, now=broken)
        noticing._send(world, "", "a run is done", "body", {"run_id": "run-1"})
    assert len(posts) == 1 and "ZeroDivisionError" in caplog.text
    world.ledger.close()


def test_a_receiver_that_is_away_stops_nothing_and_is_told_in_the_audit(tmp_path: Path) -> None:
    posts: list[dict[str, Any]] = []
    with webhook(posts, status=500) as refusing:
        world, run_id = ran(tmp_path / "home", tmp_path / "effects", f"{refusing} json://127.0.0.1:9/away strange://x?token=canary-1")
        [fact] = told(world)
    assert world.ledger.runs.row(run_id).status == "done"
    assert fact["action"] == "not told" and fact["receivers"] == ["1 (json)", "2 (json)", "3 (strange)"]
    assert "canary" not in str(fact) and len(posts) == 2, "tried twice"
    assert world.ledger.verify().holds
    world.ledger.close()


def test_a_plan_that_waits_for_others_is_told_of_once_it_is_there(tmp_path: Path) -> None:
    posts: list[dict[str, Any]] = []
    with webhook(posts) as receiver:
        world = world_at(tmp_path / "home", environment={"BERTH_NOTICES": receiver})
        asked = (("security", "open"),)
        plan = planned(world, manifest_of(part_named("web", tmp_path / "effects"), requester="alice"), approvals=asked)
        Talk(world, "talk", Person("alice", ("requester",)), "plan it").happen(events.Planned(plan))
        [fact] = told(world)
    [post] = posts
    assert plan.digest[:12] in post["message"] and "security" in post["message"] and fact["plan"] == plan.digest
    world.ledger.close()


def test_nobody_is_told_unless_it_is_set(tmp_path: Path) -> None:
    world, _ = ran(tmp_path / "home", tmp_path / "effects", "")
    assert told(world) == []
    world.ledger.close()
