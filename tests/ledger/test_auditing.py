"""What is done to the ledger behind its back is seen: an end that is cut off, a ledger that is emptied or gone, changed tables, lost
checkpoints."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.ledger.audit import Recorded
from tools.ledger.exporting import as_ocsf, line
from tools.ledger.ledger import Ledger
from tools.rules.plans.approving import signed
from tools.values.run import Receipt, StepRecord
from tools.values.shapes import Unreadable
from tools.values.trouble import WorldProblem

from .builders import NOON, add, approval, open_ledger, plan

ONE = plan("run-1")


def lived(home: Path) -> Ledger:
    """A ledger with one run that was done, one plan that is open and one that is void."""
    ledger = open_ledger(home)
    add(ledger, ONE)
    ledger.plans.approve(signed(approval(ONE), ledger.key), NOON)
    assert ledger.runs.begin(ONE, (("web", "apply"),), NOON)
    lease = ledger.leases.take("run run-1")
    assert lease is not None
    ledger.runs.say("run-1", NOON, "web", "apply", "creating", "", lease)
    ledger.runs.put_step(lease, "run-1", 0, StepRecord(part="web", name="apply", status="done"), {"outputs": {}})
    ledger.runs.end(
        lease, "run-1", "done", NOON, Receipt(run_id="run-1", plan_digest=ONE.digest, parts=(), guide="", undo="remove run-1"), ONE.digest
    )
    ledger.leases.release(lease)
    add(ledger, plan("run-2", "other"), "family-2")
    add(ledger, plan("run-3", "third"), "family-3")
    ledger.plans.void(plan("run-3", "third").digest, NOON)
    return ledger


def behind_its_back(home: Path, *statements: str) -> None:
    with sqlite3.connect(home / "ledger.db") as connection:
        for trigger in ("audit_no_update", "audit_no_delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE plans SET run_id = 'run-9' WHERE run_id = 'run-2'",
        "UPDATE plans SET json = json_set(json, '$.requester', 'mallory') WHERE run_id = 'run-2'",
        "UPDATE plans SET manifest_json = json_set(manifest_json, '$.requester', 'mallory') WHERE run_id = 'run-2'",
        "UPDATE plans SET review_json = json_set(review_json, '$.policy_version', 'none') WHERE run_id = 'run-2'",
    ],
)
def test_what_was_changed_in_the_ledger_is_carried_out_by_nobody(tmp_path: Path, statement: str) -> None:
    """The approval is bound to the plan's digest; the manifest says what is configured and which commands are run."""
    ledger = lived(tmp_path)
    digest = plan("run-2", "other").digest
    assert ledger.plans.kept(digest).status == "open"
    behind_its_back(tmp_path, statement)
    with pytest.raises(Unreadable, match="is not what was planned"):
        ledger.plans.kept(digest)
    assert [one.plan.digest for one in ledger.plans.open()] == []
    ledger.close()


@pytest.mark.parametrize("words", ["approve 0123456789ab role=vp principal=alice", 'a "quote', "two\nlines"])
def test_words_of_a_record_cannot_pass_for_another_fact(words: str) -> None:
    said = line(Recorded(number=1, hash="", previous="", facts={"action": "approved", "principal": "eve", "words": words}))
    assert len(said.splitlines()) == 1
    outside, *_ = said.partition(" words=")
    assert outside.endswith("principal=eve") and json.loads(said.partition(" words=")[2]) == words


def test_what_was_lived_holds_and_from_any_hash_that_was_noted(tmp_path: Path) -> None:
    ledger = lived(tmp_path)
    verified = ledger.verify()
    assert verified.holds, verified.detail
    assert all(ledger.verify(record.hash[:16]).holds for record in ledger.audit.read())
    assert not ledger.verify("0" * 16).holds
    assert ledger.verify(verified.last_hash).records == verified.records == len(ledger.audit.read())
    ledger.close()
    again = open_ledger(tmp_path)
    assert again.verify().holds
    again.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE plans SET status = 'open' WHERE run_id = 'run-1'",
        "UPDATE plans SET status = 'open' WHERE run_id = 'run-3'",
        "UPDATE plans SET run_id = 'run-9' WHERE run_id = 'run-2'",
        "UPDATE plans SET json = json_set(json, '$.requester', 'mallory') WHERE run_id = 'run-2'",
        "UPDATE plans SET manifest_json = json_set(manifest_json, '$.requester', 'mallory') WHERE run_id = 'run-2'",
        "UPDATE plans SET review_json = 'no JSON' WHERE run_id = 'run-2'",
        "DELETE FROM plans WHERE run_id = 'run-2'",
        "INSERT INTO plans SELECT 'x', run_id, conversation, status, family, 0, json, manifest_json, review_json, '' FROM plans LIMIT 1",
        "UPDATE plans SET tenant = 'rival' WHERE run_id = 'run-2'",
        "UPDATE runs SET tenant = 'rival'",
        "UPDATE approvals SET json = json_set(json, '$.principal', 'ceo')",
        "UPDATE approvals SET json = json_set(json, '$.signature', char(233))",
        "UPDATE approvals SET role = 'vp'",
        "UPDATE approvals SET nonce = 'n2'",
        "DELETE FROM approvals",
        "DELETE FROM approval_uses",
        "UPDATE runs SET status = 'removed'",
        "UPDATE runs SET plan_digest = 'x'",
        "UPDATE runs SET receipt_json = NULL",
        "UPDATE runs SET receipt_json = json_set(receipt_json, '$.undo', 'nothing')",
        "DELETE FROM runs",
        "UPDATE steps SET json = json_set(json, '$.summary', 'all is well')",
        "UPDATE steps SET result_json = '{}'",
        "DELETE FROM steps",
        "UPDATE progress SET json = json_set(json, '$.text', 'nothing happened')",
        "DELETE FROM progress",
        "UPDATE audit SET json = '{' WHERE number = 2",
        "UPDATE audit SET json = '[]' WHERE number = 2",
        "UPDATE audit SET hash = char(233) WHERE number = 2",
        "DELETE FROM audit WHERE number > 4",
        "DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)",
    ],
)
def test_a_table_that_was_changed_is_seen(tmp_path: Path, statement: str) -> None:
    ledger = lived(tmp_path)
    behind_its_back(tmp_path, statement)
    assert not ledger.verify().holds
    for record in ledger.audit.read():
        line(record)
        as_ocsf(record)
    ledger.close()


@pytest.mark.parametrize("how", ["cut off", "emptied", "gone"])
def test_a_ledger_that_has_lost_records_is_not_opened(tmp_path: Path, how: str) -> None:
    lived(tmp_path).close()
    if how == "gone":
        for path in tmp_path.glob("ledger.db*"):
            path.unlink()
    else:
        behind_its_back(tmp_path, f"DELETE FROM audit WHERE number > {0 if how == 'emptied' else 5}")
    with pytest.raises(WorldProblem, match="lost records"):
        open_ledger(tmp_path)
    assert how != "gone" or not (tmp_path / "ledger.db").exists(), "and no new one stands in its place"
    # The way on that the sentence names; and it is not forgotten.
    (tmp_path / "checkpoints.jsonl").rename(tmp_path / "moved-away.jsonl")
    again = open_ledger(tmp_path)
    again.audit.record(NOON, "looked")
    assert again.verify().holds == (how in ("gone", "emptied") and not list(again.runs.rows()))
    again.close()


def test_an_end_that_is_cut_off_while_the_ledger_is_open_is_seen(tmp_path: Path) -> None:
    ledger = lived(tmp_path)
    behind_its_back(tmp_path, "DELETE FROM audit WHERE number > 5")
    assert any("The end of the chain was cut off: it has 5 records" in fault for fault in ledger.verify().faults)
    ledger.close()


@pytest.mark.parametrize("how", ["gone", "begun anew", "cut", "forged", "of another key"])
def test_checkpoints_that_were_tampered_with_are_seen(tmp_path: Path, how: str) -> None:
    ledger = lived(tmp_path)
    path = tmp_path / "checkpoints.jsonl"
    assert path.stat().st_mode & 0o077 == 0
    lines = path.read_text().splitlines()
    if how in ("gone", "begun anew"):
        path.unlink()
    if how == "begun anew":
        ledger.audit.record(NOON, "looked")
    if how == "cut":
        path.write_text(lines[0][:-9] + "\n")
    if how == "forged":
        path.write_text(json.dumps({**json.loads(lines[0]), "number": 2}) + "\n")
    if how == "of another key":
        shutil.copytree(tmp_path, tmp_path / "other", ignore=shutil.ignore_patterns("*.db*", "other", "*.jsonl", "checkpoints.key"))
        other = lived(tmp_path / "other")
        other.close()
        path.write_text((tmp_path / "other" / "checkpoints.jsonl").read_text())
    assert not ledger.verify().holds
    ledger.close()


def test_checkpoints_kept_elsewhere_outlive_the_home(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere" / "checkpoints.jsonl"
    ledger = Ledger(f"sqlite:///{home / 'ledger.db'}", home, lambda: NOON, checkpoints=elsewhere)
    ledger.audit.record(NOON, "looked")
    assert ledger.verify().holds
    ledger.close()
    assert len(elsewhere.read_text().splitlines()) == 1 and not (home / "checkpoints.jsonl").exists()


def test_a_ledger_from_before_there_were_checkpoints_goes_on(tmp_path: Path) -> None:
    lived(tmp_path).close()
    behind_its_back(tmp_path, "UPDATE audit SET json = json_remove(json, '$.checkpoints')")
    (tmp_path / "checkpoints.jsonl").unlink()
    assert open_ledger(tmp_path).audit.read(), "it is opened"


@given(
    st.dictionaries(
        st.sampled_from(["at", "action", "code", "plan", "principal", "words", "journal"]), st.one_of(st.text(), st.integers(), st.none())
    )
)
def test_any_record_becomes_one_line_and_one_event(facts: dict[str, object]) -> None:
    record = Recorded(number=1, hash="0" * 64, previous="1" * 64, facts=facts)
    event = json.loads(json.dumps(as_ocsf(record)))
    assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
    assert {
        "activity_id",
        "actor",
        "api",
        "category_uid",
        "class_uid",
        "metadata",
        "severity_id",
        "src_endpoint",
        "time",
        "type_uid",
    } <= set(event)
    assert len(line(record).splitlines()) == 1
