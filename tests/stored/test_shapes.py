"""What was recorded stays what was approved, whatever shape values have by now; and what cannot be read is told in a sentence."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.stored.conftest import unpack
from tools.clients.settings import Settings
from tools.pipeline import carry_out
from tools.pipeline.talk import Talk
from tools.pipeline.world import World, open_world
from tools.rules.plans.approving import assert_holds
from tools.values import shapes
from tools.values.person import Person
from tools.values.plan import Change
from tools.values.review import Review
from tools.values.trouble import RequestProblem
from tools.values.value import Value


@pytest.fixture
def old(tmp_path: Path) -> Iterator[World]:
    """The old ledger as this Berth reads it, with no cluster in sight."""
    home = unpack(tmp_path)
    opened = open_world(Settings.from_environment({"BERTH_HOME": str(home), "HOME": str(tmp_path), "BERTH_OPERATOR": "operator"}))
    yield opened
    opened.ledger.close()


def ask(world: World, conversation: str, words: str) -> str:
    """The answer to a command, as a front end would show it."""
    said: list[str] = []
    Talk(world, f"provisioner/operator/{conversation}", Person("operator"), words).go_on(said.append)
    return "\n".join(said)


def change(world: World, statement: str, *values: str) -> None:
    with sqlite3.connect(world.settings.home / "ledger.db") as ledger:
        assert ledger.execute(statement, values).rowcount > 0
    ledger.close()


def rows(world: World, query: str) -> list[tuple[str, ...]]:
    with sqlite3.connect(world.settings.home / "ledger.db") as ledger:
        found = ledger.execute(query).fetchall()
    ledger.close()
    return found


def test_a_field_that_is_added_later_changes_no_digest() -> None:
    class Later(Change):
        note: str = ""

    said = {"address": "a", "action": "create", "name": "n"}
    assert Later.model_validate(said).digest == Change.model_validate(said).digest
    assert Later.model_validate(said | {"note": "more"}).digest != Change.model_validate(said).digest


def test_what_was_recorded_has_the_digest_it_was_recorded_by(old: World) -> None:
    recorded = rows(old, "SELECT digest, json, manifest_json, review_json FROM plans")
    assert len(recorded) >= 12
    for digest, *texts in recorded:
        kept = old.ledger.plans.kept(digest)
        assert kept.plan.digest == digest
        assert (kept.plan.manifest_digest, kept.plan.review_digest) == (kept.manifest.digest, kept.review.digest)
        assert [json.loads(text) for text in texts] == [kept.plan.said(), kept.manifest.said(), kept.review.said()]
        for value, text in zip((kept.plan, kept.manifest, kept.review), texts, strict=True):
            again = shapes.read(type(value), shapes.written(value), "It")
            assert (again, again.digest) == (value, value.digest) and json.loads(text) == value.said()
        assert kept.plan.model_copy(update={"requester": "mallory"}).digest != digest


def test_an_approval_that_was_given_holds_and_a_changed_one_does_not(old: World) -> None:
    used = rows(old, "SELECT plan_digest FROM approvals")
    assert used
    for (digest,) in used:
        approvals = old.ledger.plans.approvals(digest)
        plan = old.ledger.plans.kept(digest).plan
        assert_holds(plan, approvals, old.ledger.key, approvals[0].at)
        changed = approvals[0].model_copy(update={"words": "approve everything"})
        with pytest.raises(RequestProblem, match="does not hold"):
            assert_holds(plan, (changed,), old.ledger.key, approvals[0].at)


def test_a_plan_that_waited_can_be_approved_while_it_is_valid(old: World) -> None:
    name = "provisioner/operator/awaiting"
    latest = old.ledger.plans.latest(name)
    assert latest is not None and latest.status == "open"
    plan = old.ledger.plans.kept(latest.plan_digest).plan
    then = replace(old, now=lambda: plan.made_at + timedelta(minutes=5))
    approved = carry_out.approve(then, plan.digest[:12], "operator", f"approve {plan.digest[:12]}")
    assert approved.missing_roles == ()
    assert_holds(plan, old.ledger.plans.approvals(plan.digest), old.ledger.key, then.now())


def test_what_is_written_is_read_and_says_its_shape() -> None:
    value = Review(manifest_digest="0" * 64, policy_version="1")
    text = shapes.written(value)
    assert json.loads(text)["shape"] == shapes.shape_of("review")
    assert shapes.read(Review, text, "A review") == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"shape": 99, "manifest_digest": "0"}', "written by a newer one"),
        ('{"shape": "many"}', "no value of ours"),
        ('{"manifest_digest": ', "no JSON"),
        ("[]", "no value of ours"),
        ("{}", "manifest_digest"),
        ('{"manifest_digest": "0", "unheard_of": 1}', "unheard_of"),
    ],
)
def test_what_cannot_be_read_is_told_with_the_next_move(text: str, why: str) -> None:
    with pytest.raises(shapes.Unreadable, match=why) as told:
        shapes.read(Review, text, "The plan 0123456789ab of run-1")
    assert "run-1" in told.value.detail and told.value.remedy


@pytest.mark.parametrize("kept", ["{", '{"shape": 99}', '{"phase": "dreaming"}', "[]", '{"shape": 1, "heard": 7}'])
def test_a_damaged_conversation_answers_and_begins_anew(old: World, kept: str) -> None:
    change(old, "UPDATE drafts SET json = ? WHERE conversation = 'provisioner/operator/awaiting'", kept)
    (open_before,) = rows(old, "SELECT digest FROM plans WHERE status = 'open' AND conversation = 'provisioner/operator/awaiting'")
    first = ask(old, "awaiting", "help")
    assert "begins anew" in first and "PostgreSQL" in first
    assert ask(old, "awaiting", "no")
    assert all(row_id in ask(old, "awaiting", "list") for (row_id,) in rows(old, "SELECT id FROM runs"))
    assert old.ledger.plans.row(open_before[0]).status == "void", "what nobody can be shown again is approved by nobody"


@pytest.mark.parametrize("column", ["json", "manifest_json", "review_json"])
def test_a_damaged_plan_can_be_dropped_and_nothing_else_suffers(old: World, column: str) -> None:
    change(old, f"UPDATE plans SET {column} = '{{' WHERE conversation = ? AND status = 'open'", "provisioner/operator/awaiting")
    latest = old.ledger.plans.latest("provisioner/operator/awaiting")
    assert latest is not None
    for words in (f"approve {latest.plan_digest[:12]}", "status"):
        assert "cannot be read" in ask(old, "awaiting", words)
    assert "run-" in ask(old, "awaiting", "list") and "PostgreSQL" in ask(old, "awaiting", "help")
    ask(old, "awaiting", "no")
    assert old.ledger.plans.row(latest.plan_digest).status == "void"


@pytest.mark.parametrize("statement", ["UPDATE steps SET json = '{' WHERE run_id = ?", "UPDATE runs SET receipt_json = '[]' WHERE id = ?"])
def test_a_damaged_run_is_listed_with_the_others(old: World, statement: str) -> None:
    ((run_id,),) = rows(old, "SELECT id FROM runs WHERE conversation = 'provisioner/operator/done'")
    change(old, statement, run_id)
    listed = ask(old, "done", "list")
    assert all(row_id in listed for (row_id,) in rows(old, "SELECT id FROM runs"))
    assert "cannot be read" in ask(old, "done", f"status {run_id}")
    assert "PostgreSQL" in ask(old, "done", "help") and ask(old, "done", "no")


def test_every_kind_that_is_stored_has_a_name_of_its_own() -> None:
    def below(kind: type[Value]) -> list[type[Value]]:
        return [one for child in kind.__subclasses__() for one in (child, *below(child))]

    for name in shapes.UPCASTERS:
        assert len({kind for kind in below(Value) if shapes.kind_of(kind) == name and kind.__module__.startswith("tools.")}) <= 1


def test_what_was_left_is_as_its_records_tell(old: World) -> None:
    verified = old.ledger.verify()
    assert verified.records > 60
    assert all(fault.startswith("The receipt of") for fault in verified.faults), "their paths were moved when it was unpacked"


def test_what_an_application_watches_has_its_new_name_wherever_it_is_kept() -> None:
    fact = {"name": "replicas", "value": "90000", "quote": "90000 replicas"}
    machine = {"capability": "virtual_machine", "label": "center", "facts": [fact]}
    cluster = {"capability": "database_cluster", "label": "db", "facts": [fact | {"value": "2"}]}
    stored = {
        "shape": 5,
        "request": {"items": [machine, cluster]},
        "history": [{"items": [machine]}],
        "stood": ["run-1", {"items": [machine]}],
    }
    said = shapes.brought_up("conversation", stored, "It")
    for request in (said["request"], *said["history"], said["stood"][1]):
        assert request["items"][0]["facts"][0] == fact | {"name": "partition_replicas"}
    assert said["request"]["items"][1] == cluster
