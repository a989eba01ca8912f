"""Questions in a conversation are answered in a few lines, from values, and change nothing: what has to be looked up is looked up."""

from __future__ import annotations

import pytest

from tests.conftest import Berth

LINES_MAX = 6


def test_a_price_is_told_without_a_plan_and_nothing_is_kept(berth: Berth) -> None:
    chat = berth.chat()
    told = chat.say("What does a database for 1,000 users cost?").text
    assert "vCPU" in told and "% of memory" in told
    assert (chat.phase, chat.now.request.items, chat.kept) == ("listening", (), None)
    asked = chat.say("what does a plain virtual machine cost?").text
    assert "?" in asked and chat.kept is None, "a size that was not said is asked for"


def test_a_question_before_the_plan_is_answered_from_what_was_said_so_far(berth: Berth) -> None:
    chat = berth.chat()
    chat.say("a k3s cluster, network 99")
    for question, value in (
        ("why so much memory?", "assumed"),
        ("what does it cost?", "?"),
        ("why this node?", "?"),
        ("how do I log in?", "guide"),
        ("is it secure?", "help"),
        ("use less memory", "with its value"),
    ):
        assert value in chat.say(question).text, question
    chat.say("no")


@pytest.fixture(scope="module")
def planned(berth: Berth):  # type: ignore[no-untyped-def]
    chat = berth.chat()
    chat.say("a PostgreSQL database for 100 users, production, on network 20, with nightly backups, called asked-db")
    yield chat
    chat.say("no")


@pytest.mark.parametrize(
    ("question", "values"),
    [
        ("what will it cost?", ["% of memory"]),
        ("what would 8 GB cost?", ["4 → 8 GiB"]),
        ("is there room for two more?", ["2 more"]),
        ("which machines run on pve2", ["pve2"]),
        ("what would fit on pve2?", ["pve2", "GiB"]),
        ("why this node?", ["Next best"]),
        ("why 4 GB?", ["4 GiB", "B2s"]),
        ("is there a restart?", ["restarts nothing that runs"]),
        ("what is not included?", ["backups"]),
        ("what if a node fails?", ["GiB"]),
        ("is production on pve3?", ["postgresql"]),
        ("is it secure?", ["details"]),
        ("what is a web tier?", ["HAProxy", "virtual address 10.20.0.200"]),
        ("what is a virtual address?", ["one of them at a time"]),
        ("what networks are there?", ["lab"]),
        ("how do I log in?", ["ssh -F runs/"]),
    ],
)
def test_a_question_is_answered_in_a_few_lines_from_values(planned, question: str, values: list[str]) -> None:  # type: ignore[no-untyped-def]
    before, digest = planned.now, planned.open_digest
    told = planned.say(question).text
    assert [value for value in values if value not in told] == [], told
    assert len(told.splitlines()) <= LINES_MAX, told
    assert digest and planned.open_digest == digest and planned.now.request == before.request, "it changes nothing"


def test_what_it_would_take_is_what_the_plan_then_takes(planned) -> None:  # type: ignore[no-untyped-def]
    told, node = planned.say("what would 8 GB cost?").text, planned.now.manifest.parts[0].machines[0].node
    planned.say("make it 8 GB")
    # What stories before this one left on the cluster decides which node is best for more memory.
    then = planned.now.manifest.parts[0].machines[0].node
    assert ("node unchanged" if then == node else f"node {node} → {then}") in told


def test_what_was_done_is_told_with_when_and_by_whom(berth: Berth) -> None:
    chat = berth.chat()
    told = chat.say("a virtual machine with 1 core, 1 GB and 10 GB of disk on network 20, development, called answered-01").text
    digest = chat.open_digest
    assert digest, told
    chat.say(f"approve {digest}")
    assert chat.run.status == "done"
    [approval] = chat.approvals
    who = chat.say("who approved it?").text
    assert approval.principal in who and digest in who and f"{approval.at:%Y-%m-%d}" in who
    assert "answered-01" in chat.say("what did we build today?").text
    assert "answered-01" in chat.say("where does it run?").text
    assert "memory 1 → 2 GiB" in chat.say("what would 2 GB cost?").text
    assert any(sign.isdigit() for sign in chat.say("how long does it take?").text)
    [row] = [line for line in chat.say("list").text.splitlines() if chat.run.id in line]
    assert "answered-01" in row and chat.machines[0].node in row and "done" in row
    chat.say("remove it")
    chat.say(f"approve {chat.open_digest}")
    assert chat.run.status == "removed"
