"""What the reducer wants done is done, in a real ledger: what fails leaves the conversation where it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.builders import manifest_of, part_named, planned, world_at
from tools.ledger.ledger import Ledger
from tools.pipeline import engine
from tools.pipeline.talk import Talk
from tools.pipeline.world import World
from tools.values.conversation import Conversation, Phase
from tools.values.person import Person

UNREADABLE = {"phase": "no phase of ours", "heard": {"asks": 7}}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = world_at(tmp_path / "home")
    yield made
    engine.close()
    made.ledger.close()


def say(world: World, text: str) -> tuple[Talk, str]:
    talk, said = Talk(world, "talk", Person("ops"), text), list[str]()
    talk.go_on(said.append)
    return talk, "\n".join(said)


@pytest.mark.parametrize("text", ["help", "list", "no", "status", ""])
def test_commands_work_in_a_conversation_that_cannot_be_read(world: World, text: str) -> None:
    world.ledger.put("talk", UNREADABLE)
    talk, said = say(world, text)
    anew, answer = said.split("\n", 1)
    assert "`list`" in anew and answer
    assert talk.now == Conversation()
    assert world.ledger.get("talk") == UNREADABLE, "nothing is lost by looking"


def test_the_open_plan_of_a_conversation_that_cannot_be_read_is_void(world: World, tmp_path: Path) -> None:
    plan = planned(world, manifest_of(part_named("db", tmp_path / "effects")))
    world.ledger.put("talk", UNREADABLE)
    say(world, "no")
    assert world.ledger.plans.kept(plan.digest).status == "void"


def test_a_conversation_is_kept_as_it_was_written(world: World) -> None:
    world.ledger.put("talk", {"phase": "stopped", "run_id": "run-gone", "line_seen": 4, "of_a_later_version": 1})
    talk, _ = say(world, "status")
    assert (talk.now.phase, talk.now.run_id, talk.now.line_seen) == (Phase.STOPPED, "run-gone", 4)


def test_what_fails_leaves_the_conversation_where_it_was(world: World, tmp_path: Path) -> None:
    world.ledger.put("talk", {"phase": "stopped", "run_id": "run-gone"})
    for text in ("retry", "leave", "remove it", "approve 0123456789ab"):
        talk, said = say(world, text)
        assert said and not talk.to_do
        assert talk.now.phase is Phase.STOPPED, text


@pytest.mark.parametrize("text", ["no", "approve {digest}"])
def test_a_machine_that_comes_back_when_another_one_has_its_conversation_changes_nothing(world: World, tmp_path: Path, text: str) -> None:
    plan = planned(world, manifest_of(part_named("db", tmp_path / "effects")))
    world.ledger.put("talk", {"phase": "awaiting approval", "plan_digest": plan.digest})
    lease = world.ledger.leases.take("conversation talk")
    assert lease is not None
    talk, said = Talk(world, "talk", Person("ops"), text.format(digest=plan.digest), lease), list[str]()
    world.ledger.leases.release(lease)
    assert world.ledger.leases.take("conversation talk") is not None, "somebody else goes on with it"
    talk.go_on(said.append)
    assert talk.is_overtaken and len(said) == 1 and not talk.to_do
    assert world.ledger.get("talk")["phase"] == "awaiting approval"
    assert (world.ledger.plans.kept(plan.digest).status, world.ledger.plans.approvals(plan.digest)) == ("open", ())
    assert not world.ledger.runs.rows()


def test_a_server_that_may_not_apply_only_reads(world: World, tmp_path: Path) -> None:
    plan = planned(world, manifest_of(part_named("db", tmp_path / "effects")))
    world.ledger.put("talk", {"phase": "awaiting approval", "plan_digest": plan.digest})
    talk, said = Talk(world, "talk", Person("ops", only_reads="It came from 10.0.0.5."), f"approve {plan.digest}"), list[str]()
    talk.go_on(said.append)
    assert "It came from 10.0.0.5." in said[0]
    assert not world.ledger.plans.approvals(plan.digest)


def test_what_a_conversation_holds_is_stored_and_read_alike(world: World, tmp_path: Path) -> None:
    plan = planned(world, manifest_of(part_named("db", tmp_path / "effects")))
    world.ledger.put("talk", {"phase": "awaiting approval", "plan_digest": plan.digest})
    talk, _ = say(world, "no")
    assert (talk.now.phase, talk.now.plan_digest) == (Phase.LISTENING, None)
    stored = Ledger(world.settings.ledger_url, world.settings.home, world.now).get("talk")
    assert stored["phase"] == "listening" and not {"run_status", "plan_kind"} & stored.keys()
