"""What an older Berth left behind goes on: its conversations, and its runs, which can be listed, retried, changed, drifted and removed."""

from __future__ import annotations

import json
import re
import sqlite3

import pytest

from tests.conftest import Berth, Chat, Reply
from tools.pipeline.drifting import drift
from tools.values.plan import Change

pytestmark = pytest.mark.systems

PENDING = ("databricks", "environment", "firewall", "openai", "two", "workspace")
"""Conversations with a plan of every other kind, never approved."""


def chat(left: Berth, name: str) -> Chat:
    """The old conversation goes on in a new session of that name."""
    return left.chat(session=name)


def offered(left: Berth, name: str) -> str:
    """The digest of the plan that the conversation was shown last, as its words had it."""
    with sqlite3.connect(left.home / "ledger.db") as ledger:
        found = ledger.execute("SELECT json FROM drafts WHERE conversation = ?", (f"provisioner/operator/{name}",)).fetchone()
    return str(json.loads(found[0])["plan_digest"])


def run_id(left: Berth, name: str) -> str:
    with sqlite3.connect(left.home / "ledger.db") as ledger:
        (found,) = ledger.execute("SELECT id FROM runs WHERE conversation = ?", (f"provisioner/operator/{name}",)).fetchone()
    return str(found)


def approve(talk: Chat, planned: Reply) -> Reply:
    asked = re.findall(r"^    ((?:approve|confirm) [0-9a-f]{12}.*)$", planned.text, re.MULTILINE)
    assert asked, planned.text
    return [talk.say(words) for words in asked][-1]


def drifted(left: Berth, run: str) -> tuple[Change, ...]:
    return tuple(change for _, changes in drift(left.world, run) for change in changes)


def test_a_question_is_answered(left: Berth) -> None:
    planned = chat(left, "asking").say("network 20")
    assert "1 to create" in planned.text and planned.digest, planned.text


def test_a_plan_that_waited_is_made_anew_and_carried_out(left: Berth) -> None:
    talk = chat(left, "awaiting")
    old = offered(left, "awaiting")
    answered = talk.say(f"approve {old[:12]}")
    assert "has expired" in answered.text and "plan again" in answered.text, answered.text
    planned = talk.say("plan again")
    assert planned.digest != old[:12] and "spare-vm" in planned.text
    assert "is done" in approve(talk, planned).text


@pytest.mark.parametrize("name", PENDING)
def test_a_plan_of_every_other_kind_is_made_anew(left: Berth, name: str) -> None:
    talk = chat(left, name)
    assert "expired" in talk.say("status").text
    old = offered(left, name)
    again = talk.say("plan again")
    if ended := re.search(r"It would fit with (\S+) instead of (\S+)\.", again.text):  # its model takes no new deployments by now
        again = talk.say(f"take {ended[1]} instead of {ended[2]}")
    assert again.digest != old[:12]


def test_runs_are_listed_with_what_became_of_them(left: Berth) -> None:
    listed = chat(left, "another").say("list").text
    for name, status in {
        "done": "done",
        "stopped": "stopped",
        "failed": "stopped",
        "azure": "done",
        "changing": "done",
        "removed": "removed",
    }.items():
        assert re.search(rf"{run_id(left, name)}.*\b{status}\b", listed), listed


def test_a_done_run_is_changed_and_removed(left: Berth) -> None:
    talk, run = chat(left, "done"), run_id(left, "done")
    assert f"`{run}` is done" in talk.say("status").text
    assert drifted(left, run) == ()
    change = talk.say("make it 4 cores")
    assert "1 to change" in change.text, change.text
    assert "is done" in approve(talk, change).text
    removal = talk.say("remove it")
    assert "1 to remove" in removal.text, removal.text
    assert "is removed" in approve(talk, removal).text


def test_a_change_that_waited_is_made_anew(left: Berth) -> None:
    talk, run = chat(left, "changing"), run_id(left, "changing")
    assert drifted(left, run) == (), "a change that nobody has approved is no drift"
    assert "has expired" in talk.say(f"approve {offered(left, 'changing')[:12]}").text
    change = talk.say("plan again")
    assert "2 to change" in change.text, change.text


def test_a_stopped_run_is_retried(left: Berth) -> None:
    talk = chat(left, "stopped")
    done = talk.say("retry")
    assert f"`{run_id(left, 'stopped')}` is done" in done.text, done.text


def test_what_a_failed_run_began_is_removed(left: Berth) -> None:
    talk = chat(left, "failed")
    removal = talk.say("roll back")
    assert "1 to remove" in removal.text, removal.text
    assert "is removed" in approve(talk, removal).text


def test_a_run_in_the_cloud_is_drifted_and_removed_by_its_name(left: Berth) -> None:
    talk, run = chat(left, "elsewhere"), run_id(left, "azure")
    # Azure answers with an id in another casing, which the module of that Berth did not expect.
    assert {(change.action, change.name) for change in drifted(left, run)} <= {("update", "to-log-analytics")}
    removal = talk.say(f"remove {run}")
    assert "to remove" in removal.text, removal.text
    assert "is removed" in approve(talk, removal).text


def test_a_conversation_whose_run_is_gone_asks_for_something_new(left: Berth) -> None:
    planned = chat(left, "removed").say("a virtual machine on network 30, 1 core, 1 GB, for development, called next-vm")
    assert "next-vm" in planned.text and planned.digest
