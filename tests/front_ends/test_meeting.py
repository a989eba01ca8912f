"""Messages that meet, with the session service that ADK takes by itself: every one is answered, and nobody waits for who only watches."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import httpx
import pytest

from tests.conftest import ROOT, Berth, Chat, Reply, api_server, wait_until
from tests.ledger import builders
from tools.values.run import RunStatus

CONVERSATIONS = 50
AT_ONCE = 15
FOLLOWERS = 8
INCOMPLETE = "I need a PostgreSQL database"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Berth]:
    """Berth without any world: what is tried here needs the ledger only."""
    folder = tmp_path_factory.mktemp("alone")
    kept = ("PATH", "LANG", "HOME", "VIRTUAL_ENV", "SSL_CERT_FILE")
    given = {name: os.environ[name] for name in kept if name in os.environ} | {"BERTH_HOME": str(folder / "home")}
    with api_server(given, folder / "api_server.log") as berth:
        yield berth


async def post_all(chats: list[Chat], texts: list[str], seconds_max: float = 60) -> list[httpx.Response]:
    async with httpx.AsyncClient(timeout=seconds_max, limits=httpx.Limits(max_connections=None)) as client:
        bodies = [
            {"appName": "provisioner", "userId": chat.user, "sessionId": chat.session, "newMessage": {"parts": [{"text": text}]}}
            for chat, text in zip(chats, texts, strict=True)
        ]
        return list(await asyncio.gather(*(client.post(f"{chats[0].url}/run", json=body) for body in bodies)))


def test_many_conversations_at_once_are_all_answered(alone: Berth) -> None:
    chats = [alone.chat() for _ in range(CONVERSATIONS)]
    answers = asyncio.run(post_all(chats, [INCOMPLETE] * CONVERSATIONS))
    assert {answer.status_code for answer in answers} == {200}
    assert {chat.phase for chat in chats} == {"asking"}


def test_messages_of_one_conversation_are_taken_one_after_another(alone: Berth) -> None:
    chat = alone.chat()
    texts = [INCOMPLETE, *(f"make it {number} cores" for number in range(2, AT_ONCE + 1))]
    chat.say(texts[0])
    answers = asyncio.run(post_all([chat] * (AT_ONCE - 1), texts[1:]))
    assert {answer.status_code for answer in answers} == {200}
    assert all(Reply(tuple(answer.json())).text for answer in answers), "none is lost"
    assert sorted(chat.now.typed) == sorted(texts), "each was taken into what the others had left"


def running(alone: Berth, run_id: str) -> None:
    """A run of another machine, so that nothing here carries it out."""
    plan = builders.add(alone.world.ledger, builders.plan(run_id, made_at=datetime.now(UTC)))
    assert alone.world.ledger.runs.begin(plan, [("web", "apply")], datetime.now(UTC))


def ended(alone: Berth, run_id: str, status: RunStatus) -> None:
    assert alone.world.ledger.runs.set_status(run_id, status, "running", datetime.now(UTC))


def test_who_follows_a_run_keeps_nobody_waiting(alone: Berth) -> None:
    """Also not in its own conversation: there the next message is answered while the run is still followed."""
    running(alone, "run-long")
    chats = [alone.chat() for _ in range(FOLLOWERS)]
    with ThreadPoolExecutor(FOLLOWERS) as pool:
        following = [pool.submit(chat.post, "follow run-long") for chat in chats]
        wait_until(lambda: all(chat.world.ledger.get(chat.conversation) for chat in chats), 20)
        begun = time.monotonic()
        assert "approve" in alone.chat().say("help").text
        chats[0].say("cancel")
        assert time.monotonic() - begun < 5
        assert alone.world.ledger.runs.row("run-long").cancel_wanted
        assert not any(one.done() for one in following)
        ended(alone, "run-long", "stopped")
        answers = [one.result() for one in following]
    assert {answer.status_code for answer in answers} == {200}
    assert all("run-long" in Reply(tuple(answer.json())).text for answer in answers)
    assert {chat.phase for chat in chats} == {"stopped"}


def test_what_is_said_while_a_run_is_followed_is_not_forgotten_when_it_ends(alone: Berth) -> None:
    running(alone, "run-told")
    chat = alone.chat()
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(chat.post, "follow run-told")
        wait_until(lambda: bool(chat.world.ledger.get(chat.conversation)), 20)
        ended(alone, "run-told", "stopped")
        assert chat.say("leave").text
        assert following.result().status_code == 200
    assert chat.phase == "done", "it was left, whenever the follower saw its end"


def test_a_follower_that_is_cut_off_holds_nothing(alone: Berth) -> None:
    running(alone, "run-cut")
    chats = [alone.chat() for _ in range(FOLLOWERS)]
    for chat in chats:
        with pytest.raises(httpx.TimeoutException):
            chat.post("follow run-cut", seconds_max=1)
    chats[0].say("cancel")
    assert alone.world.ledger.runs.row("run-cut").cancel_wanted
    ended(alone, "run-cut", "stopped")


def test_what_was_said_is_kept_in_the_home_and_for_its_person_alone(alone: Berth) -> None:
    chat = alone.chat()
    chat.say(INCOMPLETE)
    home = alone.home
    assert (home / "sessions.db").is_file() and list((home / "artifacts").rglob("request.yaml*"))
    open_to_others = [str(one) for one in home.rglob("*") if stat.S_IMODE(one.lstat().st_mode) & 0o077 and not one.is_symlink()]
    assert open_to_others == []
    assert not list((ROOT / "agents").rglob(".adk")), "nothing is kept in the checkout"


def test_a_turn_reads_nothing_that_was_said_before_it(alone: Berth) -> None:
    """So a long conversation is as fast as a short one, and what ADK can no longer read stops none."""
    chat = alone.chat()
    chat.say(INCOMPLETE)
    with closing(sqlite3.connect(alone.home / "sessions.db")) as kept, kept:
        assert kept.execute("update events set event_data = 'of another ADK' where session_id = ?", [chat.session]).rowcount > 1
    chat.say("make it 8 cores")
    assert chat.now.typed == (INCOMPLETE, "make it 8 cores")


def test_a_session_that_is_deleted_while_it_is_answered_is_no_fault_of_the_server(alone: Berth) -> None:
    """It is answered, or not found any more."""
    chat = alone.chat()
    with ThreadPoolExecutor(2) as pool:
        answer = pool.submit(chat.post, INCOMPLETE)
        pool.submit(httpx.delete, f"{chat.url}/apps/provisioner/users/{chat.user}/sessions/{chat.session}").result()
        assert answer.result().status_code in (200, 404)
