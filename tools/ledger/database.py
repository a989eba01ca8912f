"""The ledger's tables and how they are written to: SQLite by default, PostgreSQL by URL. What the rows mean stands in
tools.ledger.ledger."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, Float, Integer, MetaData, String, Table, Text, UniqueConstraint
from sqlalchemy.engine import Connection
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from tools.clients.files import private_folder
from tools.ledger.migrating import REVISION, assert_not_newer, migrate, revision_of, say_revision
from tools.ledger.scoping import TENANT, WHOLE, Scoping
from tools.values.trouble import WorldProblem

BUSY_SECONDS = 15.0
WRITERS_KEY = 7_305_114
"""PostgreSQL's advisory lock that makes writers take turns: the audit chain needs one order."""

_TAKE_TURNS = sa.text("SELECT pg_advisory_xact_lock(:key)").execution_options(**{WHOLE: True})
AFTER_COMMIT = "after commit"
"""Of a connection's `info`: what is to be done when its transaction stands."""

TABLES = MetaData()

drafts = Table("drafts", TABLES, Column("conversation", String, primary_key=True), Column("json", Text, nullable=False))

families = Table("families", TABLES, Column("manifest_digest", String, primary_key=True), Column("family", String, nullable=False))
"""A manifest and everything refined from it share one family, and so one set of reservations."""

reservations = Table(
    "reservations",
    TABLES,
    Column("family", String, primary_key=True),
    Column("expires_at", Float, nullable=False),
    Column("json", Text, nullable=False),
)
reserved_values = Table(
    "reserved_values",
    TABLES,
    Column("kind", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("family", String, nullable=False, index=True),
)

plans = Table(
    "plans",
    TABLES,
    Column("digest", String, primary_key=True),
    Column("run_id", String, nullable=False, index=True),
    Column("conversation", String, nullable=False, index=True),
    Column("status", String, nullable=False),  # open, void, used
    Column("family", String, nullable=False),
    Column("made_at", Float, nullable=False),
    Column("json", Text, nullable=False),
    Column("manifest_json", Text, nullable=False),
    Column("review_json", Text, nullable=False),
    Column("tenant", String, nullable=False, server_default=""),
)

approvals = Table(
    "approvals",
    TABLES,
    Column("nonce", String, primary_key=True),
    Column("plan_digest", String, nullable=False, index=True),
    Column("role", String, nullable=False),
    Column("json", Text, nullable=False),
    UniqueConstraint("plan_digest", "role"),
)
approval_uses = Table(
    "approval_uses",
    TABLES,
    Column("nonce", String, primary_key=True),
    Column("run_id", String, nullable=False),
    Column("used_at", Float, nullable=False),
)

runs = Table(
    "runs",
    TABLES,
    Column("id", String, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("plan_digest", String, nullable=False),
    Column("conversation", String, nullable=False),
    Column("requester", String, nullable=False),
    Column("status", String, nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("cancel_wanted", Integer, nullable=False, default=0),
    Column("changed_at", Float, nullable=False),
    Column("receipt_json", Text),
    Column("tenant", String, nullable=False, server_default=""),
)
steps = Table(
    "steps",
    TABLES,
    Column("run_id", String, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("part", String, nullable=False),
    Column("name", String, nullable=False),
    Column("json", Text, nullable=False),
    Column("result_json", Text),
)
progress = Table(
    "progress",
    TABLES,
    Column("run_id", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("key", String, nullable=False),
    Column("json", Text, nullable=False),
    UniqueConstraint("run_id", "key"),
)

leases = Table(
    "leases",
    TABLES,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("machine", String, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("beat_at", Float, nullable=False),
)

audit = Table(
    "audit",
    TABLES,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("json", Text, nullable=False),
    Column("previous", String, nullable=False),
    Column("hash", String, nullable=False),
)

_SCOPING = Scoping(plans, runs, {approvals: "plan_digest"}, {steps: "run_id", progress: "run_id", approval_uses: "run_id"})

_SQLITE_TRIGGERS = tuple(
    f"CREATE TRIGGER IF NOT EXISTS audit_no_{verb} BEFORE {verb.upper()} ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit chain is append-only'); END"
    for verb in ("update", "delete")
)
_POSTGRESQL_TRIGGERS = (
    "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit chain is append-only'; END $$",
    "CREATE OR REPLACE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()",
)


class LedgerAway(WorldProblem):
    """It cannot be read or written for now. Nothing is lost: what was not committed was not done, and whoever carries a run out lets go of
    it and takes it up again when the ledger answers."""


_WHY = (
    ("locked|busy", "Another program holds it, and was waited for.", "See which one (`fuser {path}`), end it, then say retry."),
    ("full", "The disk that it is on is full.", "Free some space there, then say retry."),
    ("readonly|read-only|unable to open", "It, or its folder, cannot be written.", "Look at the rights of {path}, then say retry."),
    (
        "malformed|not a database|corrupt|disk i/o",
        "It is damaged.",
        "Stop Berth, keep {path}, and put its latest copy in its place. What runs is not touched.",
    ),
)  # fmt: skip


def away(address: str, path: str, error: BaseException) -> LedgerAway:
    """In words, by what the driver said."""
    said = str(getattr(error, "orig", None) or error)
    known = ((why, remedy) for pattern, why, remedy in _WHY if re.search(pattern, said, re.IGNORECASE))
    why, remedy = next(known, ("It does not answer.", "Look at BERTH_DATABASE_URL and at the database, then say retry."))
    kind = type(getattr(error, "orig", None) or error).__name__
    return LedgerAway("The ledger is away.", f"{address}: {why} ({kind})", remedy.format(path=path or address), retryable=True)


class Database:
    """One engine. Readers see a consistent picture; writers take turns."""

    def __init__(self, url: str, busy_seconds: float = BUSY_SECONDS) -> None:
        url = url.replace("postgres://", "postgresql://", 1).replace("postgresql://", "postgresql+psycopg://", 1)
        self.url = sa.make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite and self.url.database:
            private_folder(Path(self.url.database).parent)
            with suppress(OSError):  # Opening it says what is wrong.
                Path(self.url.database).touch(mode=0o600)  # SQLite gives the files beside it the same mode.
        arguments = {"timeout": busy_seconds} if self.is_sqlite else {"connect_timeout": 10}
        self.engine = sa.create_engine(self.url, connect_args=arguments, pool_pre_ping=not self.is_sqlite)
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", partial(_set_up_sqlite, busy_seconds=busy_seconds))
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        _SCOPING.listen(self.engine)
        self._tenant: str | None = None
        self._is_open = False
        self._check: Callable[[Connection], None] | None = None
        self._open()

    def view(self, check: Callable[[Connection], None] | None, tenant: str | None) -> Database:
        """The same one: each of its writes asks `check` first, in its own transaction, and it has the rows of `tenant` alone; None: all."""
        one = copy(self)
        one._check, one._tenant = check, tenant
        return one

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._in_words(), self.engine.connect().execution_options(**{TENANT: self._tenant}) as connection, connection.begin():
            if self._is_open:
                assert_not_newer(connection)
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        options = {"berth_write": True, TENANT: self._tenant}
        with self._in_words(), self.engine.connect().execution_options(**options) as connection, connection.begin():
            if not self.is_sqlite:
                connection.execute(_TAKE_TURNS, {"key": WRITERS_KEY})
            if self._is_open:
                assert_not_newer(connection)
            connection.info.pop(AFTER_COMMIT, None)
            if self._check is not None:
                self._check(connection)
            yield connection
            after = connection.info.pop(AFTER_COMMIT, ())
        for work in after:
            work()

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.IntegrityError, sa.exc.InternalError, sa.exc.ProgrammingError, sa.exc.DataError, sa.exc.NotSupportedError):
            raise  # It answers: two wanted the same, or the statement is at fault.
        except (sa.exc.DBAPIError, sa.exc.TimeoutError, sqlite3.Error) as error:
            path = self.url.database or "" if self.is_sqlite else ""
            raise away(self.url.render_as_string(hide_password=True), path, error) from error

    def _open(self) -> None:
        """The tables are there and as this Berth knows them. Raises RequestProblem when a newer one has been here, and
        LedgerAway when it cannot be opened."""
        with self.read() as connection:
            found = revision_of(connection)
        if found is None or found < REVISION:
            with self.write() as connection:
                self._bring_up(connection)
        with self.read() as connection:
            assert_not_newer(connection)
        if self.is_sqlite and self.url.database:
            Path(self.url.database).chmod(0o600)
        self._is_open = True

    def _bring_up(self, connection: Connection) -> None:
        found = revision_of(connection)  # Somebody else may have been here before we had the lock.
        if found is None:
            TABLES.create_all(connection)
            for statement in _SQLITE_TRIGGERS if self.is_sqlite else _POSTGRESQL_TRIGGERS:
                connection.exec_driver_sql(statement)
            say_revision(connection)
        elif found < REVISION:
            migrate(connection, found)


def _set_up_sqlite(connection: Any, _record: object, busy_seconds: float) -> None:
    connection.isolation_level = None  # We begin transactions ourselves; the module's own rules would begin them too late.
    write_ahead(connection, busy_seconds)
    for pragma in ("synchronous=FULL", f"busy_timeout={round(busy_seconds * 1000)}", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


_HELD = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_held(error: BaseException) -> bool:
    """Whether somebody else has the file now, whatever the reason that SQLite adds in the upper bits of its code."""
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF in _HELD


def write_ahead(connection: sqlite3.Connection, busy_seconds: float = BUSY_SECONDS) -> None:
    """Stays with the file. SQLite waits for nobody here, whatever the timeout (measured): of two that open a new file at once, one is
    told that it is locked."""
    for attempt in Retrying(
        retry=retry_if_exception(is_held),
        stop=stop_after_delay(busy_seconds),
        wait=wait_fixed(0.05),
        reraise=True,
    ):
        with attempt:
            connection.execute("PRAGMA journal_mode=WAL")


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader can be refused in the middle; one that begins as a writer only waits.
    writing = connection.get_execution_options().get("berth_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
