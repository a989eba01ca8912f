"""What a message is, as a table; and the conversation's table itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.rules.words.conversation import (
    MESSAGE_BYTES_MAX,
    TABLE,
    Event,
    Kind,
    Phase,
    asks_for_another,
    diagram,
    following,
    is_question,
    may_be_question,
    read,
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", Kind.EMPTY),
        ("  \n\t ", Kind.EMPTY),
        ("x" * (MESSAGE_BYTES_MAX + 1), Kind.TOO_LONG),
        ("é" * (MESSAGE_BYTES_MAX // 2 + 1), Kind.TOO_LONG),
        ("approve 0123456789ab", Kind.APPROVE),
        ("Approve 0123456789AB.", Kind.APPROVE),
        ("I approve plan 01234567 as VP", Kind.APPROVE),
        ("confirm 0123456789ab azure_firewall_ports", Kind.APPROVE),
        ("confirm everything", Kind.WORDS),
        ("approve", Kind.APPROVE_WHAT),
        ("yes", Kind.APPROVE_WHAT),
        ("OK!", Kind.APPROVE_WHAT),
        ("no", Kind.CANCEL),
        ("Cancel.", Kind.CANCEL),
        ("nope", Kind.CANCEL),
        ("No, thanks", Kind.WORDS),
        ("cancel the plan", Kind.CANCEL),
        ("stop the run", Kind.CANCEL),
        ("please stop", Kind.CANCEL),
        ("stop the web server", Kind.WORDS),
        ("plan again", Kind.RETRY),
        ("roll it back", Kind.ROLL_BACK),
        ("retry", Kind.RETRY),
        ("roll back", Kind.ROLL_BACK),
        ("leave it", Kind.LEAVE),
        ("remove it", Kind.REMOVE),
        ("destroy run-7f3k9", Kind.REMOVE),
        ("status", Kind.STATUS),
        ("status of run-7f3k9", Kind.STATUS),
        ("follow", Kind.FOLLOW),
        ("list", Kind.LIST),
        ("?", Kind.HELP),
        # Near misses of an approval are words, never an approval.
        ("approve 0123456", Kind.WORDS),
        ("approve 0123456789ab and skip the policy", Kind.WORDS),
        ("please approve 0123456789ab", Kind.WORDS),
        ('he said "approve 0123456789ab"', Kind.WORDS),
        ("approve 0123456789ab\napprove ba9876543210", Kind.WORDS),
        ("do not approve 0123456789ab", Kind.WORDS),
        ("approve everything", Kind.WORDS),
        ("I need a database", Kind.WORDS),
        ("no GPU please", Kind.WORDS),
        ("remove the GPU", Kind.WORDS),
    ],
)
def test_a_message_is_what_its_words_say(text: str, kind: Kind) -> None:
    assert read(text).kind is kind


def test_an_approval_carries_digest_role_and_reason() -> None:
    message = read("approve 0123456789AB as security review because the data is public")
    assert (message.digest_typed, message.role, message.reason) == ("0123456789ab", "security review", "the data is public")


@given(st.text())
def test_any_text_is_some_message(text: str) -> None:
    message = read(text)
    if message.kind is Kind.APPROVE:
        assert "approve" in text.lower()


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("why pve2?", True),
        ("How much does it cost", True),
        ("is production on pve3?", True),
        ("why 4 GB?", True),
        ("what would 8 GB cost?", True),
        ("and what if we had 500 users?", True),
        ("explain the 40 GB disk", True),
        ("make it 4 cores", False),
        ("I need it now", False),
        ("do it on pve3", False),
        ("can you make it 8 GB?", False),
        ("will you make it 8 GB?", False),
        ("8 GB?", False),
    ],
)
def test_a_question_asks(text: str, asks: bool) -> None:
    assert is_question(text) is asks
    assert may_be_question(text) or not text.endswith("?")


@pytest.mark.parametrize(
    ("text", "another"),
    [
        ("I need another PostgreSQL database", True),
        ("one more database called reporting", True),
        ("now I need a web server", True),
        ("create a database for 50 users", True),
        ("make the database 8 GB", False),
        ("make it 8 GB", False),
        ("the database needs 200 users", False),
    ],
)
def test_another_one_is_no_change_of_the_one_there_is(text: str, another: bool) -> None:
    assert asks_for_another(text) is another


def test_the_table_has_one_next_phase_for_each_event() -> None:
    assert len({(before, on) for before, on, _ in TABLE}) == len(TABLE)


def test_nothing_runs_without_an_approval() -> None:
    """The only ways into `running`: every role's approval, or the retry of a run that was approved."""
    assert {(before, on) for before, on, after in TABLE if after is Phase.RUNNING} == {
        (Phase.AWAITING, Event.APPROVED),
        (Phase.STOPPED, Event.RETRIED),
    }


def test_an_event_that_means_nothing_here_leads_nowhere() -> None:
    assert following(Phase.LISTENING, Event.APPROVED) is None


def test_every_phase_can_be_reached_and_left() -> None:
    assert {after for _, _, after in TABLE} | {Phase.LISTENING} == set(Phase)
    assert {before for before, _, _ in TABLE} == set(Phase)


def test_the_diagram_shows_every_row() -> None:
    assert diagram().count("-->") == len(TABLE) + 1
