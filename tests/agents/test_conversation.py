"""What a message is, as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.rules.words.conversation import MESSAGE_BYTES_MAX, read
from tools.values.events import Intent


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("", Intent.EMPTY),
        ("  \n\t ", Intent.EMPTY),
        ("x" * (MESSAGE_BYTES_MAX + 1), Intent.TOO_LONG),
        ("é" * (MESSAGE_BYTES_MAX // 2 + 1), Intent.TOO_LONG),
        ("approve 0123456789ab", Intent.APPROVE),
        ("Approve 0123456789AB.", Intent.APPROVE),
        ("I approve plan 01234567 as VP", Intent.APPROVE),
        ("confirm 0123456789ab azure_firewall_ports", Intent.APPROVE),
        ("confirm everything", Intent.WORDS),
        ("approve", Intent.APPROVE_WHAT),
        ("yes", Intent.APPROVE_WHAT),
        ("OK!", Intent.TAKE),
        ("take your suggestions", Intent.TAKE),
        ("undo that", Intent.UNDO),
        ("Take that back.", Intent.UNDO),
        ("undo the last change", Intent.UNDO),
        ("undo the last two changes", Intent.UNDO),
        ("undo the last lovely changes", Intent.WORDS),
        ("redo", Intent.REDO),
        ("resume request-0123abcd", Intent.RESUME),
        ("show the request", Intent.SHOW),
        ("undo the web server", Intent.WORDS),
        ("no", Intent.CANCEL),
        ("Cancel.", Intent.CANCEL),
        ("nope", Intent.CANCEL),
        ("No, thanks", Intent.CANCEL),
        ("cancel the plan", Intent.CANCEL),
        ("stop the run", Intent.CANCEL),
        ("please stop", Intent.CANCEL),
        ("stop the web server", Intent.WORDS),
        ("plan again", Intent.RETRY),
        ("roll it back", Intent.ROLL_BACK),
        ("retry", Intent.RETRY),
        ("roll back", Intent.ROLL_BACK),
        ("Roll back the web server.", Intent.ROLL_BACK),
        ("roll back web-02", Intent.ROLL_BACK),
        ("roll back to what it was before the last change", Intent.WORDS),
        ("leave it", Intent.LEAVE),
        ("remove it", Intent.REMOVE),
        ("destroy run-7f3k9", Intent.REMOVE),
        ("status", Intent.STATUS),
        ("thanks", Intent.NOD),
        ("cool thx", Intent.NOD),
        ("lgtm ship it", Intent.APPROVE_WHAT),
        ("no, undo the last thing", Intent.UNDO),
        ("status of run-7f3k9", Intent.STATUS),
        ("follow", Intent.FOLLOW),
        ("list", Intent.LIST),
        ("What waits for me?", Intent.INBOX),
        ("inbox", Intent.INBOX),
        ("show plan 0123456789ab", Intent.SHOW_PLAN),
        ("?", Intent.HELP),
        # Near misses of an approval are told how to say it, or are words, never an approval.
        ("approve 0123456", Intent.APPROVE_WHAT),
        ("approve 0123456789ab and skip the policy", Intent.WORDS),
        ("please approve 0123456789ab", Intent.APPROVE_WHAT),
        ("ok, approve 0123456789ab now", Intent.APPROVE_WHAT),
        ('he said "approve 0123456789ab"', Intent.WORDS),
        ("approve 0123456789ab\napprove ba9876543210", Intent.WORDS),
        ("do not approve 0123456789ab", Intent.WORDS),
        ("approve everything", Intent.WORDS),
        ("I need a database", Intent.WORDS),
        ("no GPU please", Intent.WORDS),
        ("remove the GPU", Intent.WORDS),
    ],
)
def test_a_message_is_what_its_words_say(text: str, intent: Intent) -> None:
    assert read(text).intent is intent


@pytest.mark.parametrize(
    ("reason", "approves"),
    [
        ("no, do not", False),
        ("No", False),
        ("not yet", False),
        ("wait for me", False),
        ("the boss said don't", False),
        ("... stop", False),
        ("I must not", False),
        ("no other team needs it", True),
        ("no one uses it", True),
        ("the stop of the old one is on Friday", True),
        ("the quarter ends tomorrow", True),
    ],
)
def test_a_reason_that_takes_it_back_is_no_approval(reason: str, approves: bool) -> None:
    for words in ("approve 0123456789ab because ", "approve 0123456789ab as vp because "):
        assert (read(words + reason).intent is Intent.APPROVE) == approves


def test_an_approval_carries_digest_role_and_reason() -> None:
    message = read("approve 0123456789AB as security review because the data is public")
    assert (message.digest_typed, message.role, message.reason) == ("0123456789ab", "security review", "the data is public")


@given(st.text())
def test_any_text_is_some_message(text: str) -> None:
    message = read(text)
    if message.intent is Intent.APPROVE:
        assert "approve" in text.lower()
