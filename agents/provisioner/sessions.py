"""Where ADK keeps what was said: its own SQLite service on one private file, whose writers wait for one another.

Nothing is read from a session (see state.py), so an event that somebody else's came before is no conflict: it stands after that one.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiosqlite
from google.adk.errors._stale_session_error import StaleSessionError
from google.adk.events import Event
from google.adk.sessions.base_session_service import BaseSessionService, GetSessionConfig
from google.adk.sessions.session import Session
from google.adk.sessions.sqlite_session_service import CREATE_SCHEMA_SQL, PRAGMA_FOREIGN_KEYS, SqliteSessionService

BUSY_TRIES_MAX = 6
"""Each waits for the file as long as Python's sqlite3 does, five seconds: half a minute for another process to write in."""
STALE_TRIES_MAX = 100
"""Of an event that others keep coming before."""
NO_EVENTS = GetSessionConfig(num_recent_events=0)


class Patient(BaseSessionService):
    """Over any service that refuses to write what it has not read: it reads again, and writes."""

    async def append_event(self, session: Session, event: Event) -> Event:
        for _ in range(STALE_TRIES_MAX):
            try:
                return await super().append_event(session, event)
            except StaleSessionError:
                stored = await self.get_session(app_name=session.app_name, user_id=session.user_id, session_id=session.id, config=NO_EVENTS)
                if stored is not None:
                    session.last_update_time = stored.last_update_time
                    session._storage_update_marker = stored._storage_update_marker
        return await super().append_event(session, event)


class _Kept(aiosqlite.Connection):
    """Its thread is a daemon, and SQLite closes the file. aiosqlite's own tells the thread to stop by an event loop that may have ended, of
    which the thread then complains on the terminal."""

    def __del__(self) -> None:
        pass


class Sessions(Patient, SqliteSessionService):
    """ADK's own opens the file anew for each look at it, seven times a turn. Here one connection is kept, and each waits for its turn."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        path.chmod(0o600)
        super().__init__(str(path))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("pragma journal_mode = wal")  # Stays with the file: who reads then keeps nobody from writing.
            connection.executescript(CREATE_SCHEMA_SQL)
        self._kept: aiosqlite.Connection | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def _get_db_connection(self) -> AsyncIterator[aiosqlite.Connection]:
        async with self._turn:
            if self._kept is None:
                self._kept = await self._open()
            try:
                yield self._kept
            finally:
                await self._kept.rollback()  # What was not committed: nothing, or what went wrong.

    async def _open(self) -> aiosqlite.Connection:
        opening = _Kept(lambda: sqlite3.connect(self._db_path), iter_chunk_size=64)
        opening._thread.daemon = True  # It keeps no process from ending.
        connection = await opening
        connection.row_factory = sqlite3.Row
        await connection.execute(PRAGMA_FOREIGN_KEYS)
        await connection.execute("pragma synchronous = normal")  # A lost machine may lose what was said last. The ledger loses nothing.
        return connection

    async def flush(self) -> None:
        """A runner is closed: what is said after it opens the file anew."""
        async with self._turn:
            if self._kept is not None:
                await self._kept.close()
                self._kept = None

    async def append_event(self, session: Session, event: Event) -> Event:
        for _ in range(BUSY_TRIES_MAX - 1):
            try:
                return await super().append_event(session, event)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
        return await super().append_event(session, event)
