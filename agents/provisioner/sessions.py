"""Where ADK keeps what was said: its own SQLite service on one private file, whose writers wait for one another; or its own service in a
database that machines share.

Nothing is read from a session (see state.py), so an event that somebody else's came before is no conflict: it stands after that one.
"""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.adk.errors._stale_session_error import StaleSessionError
from google.adk.events import Event
from google.adk.sessions.base_session_service import BaseSessionService, GetSessionConfig
from google.adk.sessions.session import Session
from google.adk.sessions.sqlite_session_service import SqliteSessionService

from tools.ledger.database import is_held

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


def in_database(url: str, **options: Any) -> BaseSessionService:
    """Its library takes long to load, so it is loaded where it is needed."""
    import sqlalchemy as sa
    from google.adk.errors.session_not_found_error import SessionNotFoundError
    from google.adk.sessions.database_session_service import DatabaseSessionService

    class InDatabase(Patient, DatabaseSessionService):
        async def append_event(self, session: Session, event: Event) -> Event:
            """Without the three rows that ADK's own reads before each event, by which it would find a conflict: they are most of what a
            message costs."""
            if event.partial or event.actions.state_delta:
                return await super().append_event(session, event)
            await self.prepare_tables()
            schema = self._get_schema_classes()
            kept, row = schema.StorageSession, schema.StorageEvent.from_event(session, event)
            at = datetime.fromtimestamp(event.timestamp, UTC)
            touched = (
                sa.update(kept)
                .where(kept.app_name == session.app_name, kept.user_id == session.user_id, kept.id == session.id)
                .values(update_time=at.replace(tzinfo=None) if self._uses_naive_datetime() else at)
            )
            values = {column.key: getattr(row, column.key) for column in schema.StorageEvent.__table__.columns}
            async with self.db_engine.begin() as connection:
                if not (await connection.execute(touched)).rowcount:
                    raise SessionNotFoundError(f"Session {session.id} not found.")
                await connection.execute(sa.insert(schema.StorageEvent).values(values))
            return await BaseSessionService.append_event(self, session, event)

    return InDatabase(db_url=url, **options)


class Sessions(Patient, SqliteSessionService):
    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        path.chmod(0o600)
        with sqlite3.connect(path) as connection:
            connection.execute("pragma journal_mode = wal")  # Stays with the file: who reads then keeps nobody from writing.
        connection.close()
        super().__init__(str(path))
        self._writing = asyncio.Lock()

    async def append_event(self, session: Session, event: Event) -> Event:
        if event.partial:
            return event
        async with self._writing:
            for _ in range(BUSY_TRIES_MAX - 1):
                try:
                    return await super().append_event(session, event)
                except sqlite3.OperationalError as error:
                    if not is_held(error):
                        raise
            return await super().append_event(session, event)

    async def create_session(
        self, *, app_name: str, user_id: str, state: dict[str, object] | None = None, session_id: str | None = None
    ) -> Session:
        async with self._writing:
            return await super().create_session(app_name=app_name, user_id=user_id, state=state, session_id=session_id)

    async def delete_session(self, *, app_name: str, user_id: str, session_id: str) -> None:
        async with self._writing:
            await super().delete_session(app_name=app_name, user_id=user_id, session_id=session_id)
