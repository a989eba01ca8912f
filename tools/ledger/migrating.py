"""Brings the tables of a ledger to the revision that this Berth knows, when it opens it. alembic is loaded only when there is something to
do. The values in the tables are not touched: tools.values.shapes reads the older ones.

One process does it and the others wait, by the lock that writers take turns with; what fails leaves the ledger as it was. A SQLite ledger
is copied first, and the copy stays beside it. Of a PostgreSQL ledger its own tools keep copies.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Column, MetaData, String, Table
from sqlalchemy.engine import Connection

from tools.values.trouble import RequestProblem, WorldProblem

MIGRATIONS = Path(__file__).with_name("migrations")
REVISION = "0005"
"""The newest file in `migrations/versions`. Revisions are counted, so that an older Berth knows a newer one's."""
UNSAID = ""
"""Of a ledger made by Berth 0.1, which did not say."""


VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""alembic's own."""


def revision_of(connection: Connection) -> str | None:
    """None of an empty database; UNSAID when it has tables and does not say."""
    found = sa.inspect(connection).get_table_names()
    if VERSION.name in found:
        return str(connection.execute(sa.select(VERSION)).scalar_one())
    return UNSAID if "plans" in found else None


def assert_not_newer(connection: Connection) -> None:
    """Also while this process is running: a newer Berth may be started beside it. Raises RequestProblem."""
    found = connection.execute(sa.select(VERSION)).scalar_one()
    if found > REVISION:
        raise RequestProblem(
            "This Berth is too old for its ledger.",
            f"A newer one has brought the ledger to revision {found}; this one knows up to {REVISION}.",
            "Start the newer Berth, or set BERTH_HOME to another folder.",
        )


def say_revision(connection: Connection) -> None:
    """Of tables that were made just now."""
    VERSION.create(connection)
    connection.execute(VERSION.insert().values(version_num=REVISION))


def migrate(connection: Connection, found: str, migrations: Path = MIGRATIONS) -> None:
    """Within a transaction that holds the writers' lock. Raises WorldProblem, and leaves the ledger as it was."""
    from alembic import command
    from alembic.config import Config

    copy = _copy(connection, found or "0000") if connection.dialect.name == "sqlite" else None
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except sa.exc.SQLAlchemyError as error:
        raise WorldProblem(
            "The ledger could not be brought up to date.",
            f"Its tables are of revision {found or '0000'}, and a step to {REVISION} failed ({type(error).__name__}). It is as it was.",
            f"Report it. The Berth that wrote it goes on with it.{f' A copy is in {copy}.' if copy else ''}",
        ) from error


def _copy(connection: Connection, revision: str) -> Path | None:
    """`ledger.of-0001.db`: what was committed, read beside the transaction that holds the lock."""
    database = connection.engine.url.database
    if not database:
        return None
    ledger = Path(database)
    copy = ledger.with_name(f"{ledger.stem}.of-{revision}{ledger.suffix}")
    copy.unlink(missing_ok=True)
    copy.touch(mode=0o600)
    with closing(sqlite3.connect(ledger)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy
