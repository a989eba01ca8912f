"""An event that others came before stands after them, in every session service that refuses to write what it has not read."""

from __future__ import annotations

import asyncio
import importlib.util
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from google.adk.events import Event, EventActions
from google.adk.sessions.base_session_service import BaseSessionService
from google.genai import types

from tests.conftest import ROOT


def _sessions() -> ModuleType:
    """By itself: the app that it belongs to opens a world when it is loaded."""
    spec = importlib.util.spec_from_file_location("sessions", ROOT / "agents" / "provisioner" / "sessions.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SESSIONS = _sessions()


def in_database(path: Path) -> BaseSessionService:
    service: BaseSessionService = SESSIONS.in_database(f"sqlite+aiosqlite:///{path}")
    return service


async def meet(service: BaseSessionService, count: int, state: dict[str, object] | None = None) -> list[str]:
    """Each has read the session before any of them wrote into it."""
    await service.create_session(app_name="a", user_id="u", session_id="s")
    readers = [await service.get_session(app_name="a", user_id="u", session_id="s") for _ in range(count)]
    said = [types.Content(parts=[types.Part(text=str(n))]) for n in range(count)]
    events = [Event(author="x", content=one, actions=EventActions(state_delta=state or {})) for one in said]
    await asyncio.gather(*(service.append_event(one, event) for one, event in zip(readers, events, strict=True) if one))
    kept = await service.get_session(app_name="a", user_id="u", session_id="s")
    assert kept
    assert kept.state == (state or {}) and kept.last_update_time == pytest.approx(max(event.timestamp for event in events), abs=1)
    return sorted(event.content.parts[0].text or "" for event in kept.events if event.content and event.content.parts)


@pytest.mark.parametrize("state", [{}, {"title": "a database"}], ids=["words", "state"])
@pytest.mark.parametrize("make", [SESSIONS.Sessions, in_database], ids=["sqlite", "database"])
def test_all_that_was_said_at_once_is_kept(make: Callable[[Path], BaseSessionService], state: dict[str, object], tmp_path: Path) -> None:
    assert asyncio.run(meet(make(tmp_path / "sessions.db"), 12, state)) == sorted(map(str, range(12)))


@pytest.mark.parametrize("make", [SESSIONS.Sessions, in_database], ids=["sqlite", "database"])
def test_nothing_is_written_into_a_session_that_is_gone(make: Callable[[Path], BaseSessionService], tmp_path: Path) -> None:
    async def late() -> None:
        service = make(tmp_path / "sessions.db")
        session = await service.create_session(app_name="a", user_id="u", session_id="s")
        await service.delete_session(app_name="a", user_id="u", session_id="s")
        await service.append_event(session, Event(author="x"))

    with pytest.raises(ValueError, match="not found"):
        asyncio.run(late())


def test_the_file_is_its_persons_own_and_who_reads_keeps_nobody_from_writing(tmp_path: Path) -> None:
    SESSIONS.Sessions(tmp_path / "sessions.db")
    assert stat.S_IMODE((tmp_path / "sessions.db").stat().st_mode) == 0o600
    with sqlite3.connect(tmp_path / "sessions.db") as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)


def test_what_is_said_after_a_runner_was_closed_is_kept_too(tmp_path: Path) -> None:
    async def both() -> list[str]:
        service = SESSIONS.Sessions(tmp_path / "sessions.db")
        await meet(service, 2)
        await service.flush()
        await service.flush()
        kept = await service.get_session(app_name="a", user_id="u", session_id="s")
        await service.append_event(kept, Event(author="x", content=types.Content(parts=[types.Part(text="2")])))
        kept = await service.get_session(app_name="a", user_id="u", session_id="s")
        return [event.content.parts[0].text for event in kept.events]

    assert sorted(asyncio.run(both())) == ["0", "1", "2"]
