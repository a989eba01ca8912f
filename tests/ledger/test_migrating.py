"""A ledger is brought to the revision that this Berth knows: once, under a lock, with a copy of a SQLite file; and never back."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests.stored.conftest import unpack
from tools.ledger.database import TABLES, Database, drafts
from tools.ledger.migrating import MIGRATIONS, REVISION, UNSAID, VERSION, migrate, revision_of
from tools.values.trouble import RequestProblem, WorldProblem

NEXT = f"{int(REVISION) + 1:04}"
LATER = f"""
import sqlalchemy as sa
from alembic import op
revision = "{NEXT}"
down_revision = "{REVISION}"
def upgrade() -> None:
    op.add_column("runs", sa.Column("note", sa.String, nullable=False, server_default="none"))
    {{more}}
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(request.getfixturevalue("postgresql_url")) if request.param == "postgresql" else f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def later(tmp_path: Path) -> Callable[[str], Path]:
    """The migrations of a Berth to come, which adds a column, and then does something more."""

    def made(more: str = "") -> Path:
        folder = tmp_path / "migrations"
        (folder / "versions").mkdir(parents=True)
        for path in (MIGRATIONS / "env.py", *MIGRATIONS.glob("versions/0*.py")):
            (folder / path.relative_to(MIGRATIONS)).write_bytes(path.read_bytes())
        (folder / "versions" / f"{NEXT}_later.py").write_text(LATER.format(more=more))
        return folder

    return made


def say(database: Database, revision: str) -> None:
    with database.write() as connection:
        connection.execute(VERSION.update().values(version_num=revision))


def columns(database: Database) -> set[str]:
    with database.read() as connection:
        return {str(column["name"]) for column in sa.inspect(connection).get_columns("runs")}


def test_a_new_ledger_is_of_the_newest_revision_that_there_is_a_migration_to(url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]
    database = Database(url)
    with database.read() as connection:
        assert revision_of(connection) == REVISION
        assert compare_metadata(MigrationContext.configure(connection), TABLES) == []
    database.close()


def test_what_the_old_one_left_is_brought_up_and_its_copy_stays_beside_it(tmp_path: Path) -> None:
    ledger = unpack(tmp_path) / "ledger.db"
    before = rows(ledger)
    database = Database(f"sqlite:///{ledger}")
    with database.read() as connection:
        assert revision_of(connection) == REVISION
        assert compare_metadata(MigrationContext.configure(connection), TABLES) == []
    copy = ledger.with_name("ledger.of-0000.db")
    assert rows(copy) == before and copy.stat().st_mode & 0o777 == 0o600
    assert rows(ledger, without=("tenant",)) == before
    written = copy.stat().st_mtime_ns
    Database(f"sqlite:///{ledger}").close()
    assert copy.stat().st_mtime_ns == written, "once"
    database.close()


def test_many_that_open_an_old_ledger_at_once_all_get_it(tmp_path: Path) -> None:
    ledger = unpack(tmp_path) / "ledger.db"
    opened: list[Database] = []
    threads = [threading.Thread(target=lambda: opened.append(Database(f"sqlite:///{ledger}"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(opened) == 6
    for database in opened:
        database.close()


def test_a_later_migration_is_made_in_the_transaction_it_is_given(url: str, later: Callable[[str], Path]) -> None:
    database = Database(url)
    with database.write() as connection:
        connection.execute(drafts.insert().values(conversation="a", json="{}"))
    with database.write() as connection:
        migrate(connection, REVISION, later(""))
    with database.engine.connect() as connection:
        assert revision_of(connection) == NEXT
        assert connection.execute(sa.select(drafts.c.json)).scalar() == "{}"
        assert "note" in {column["name"] for column in sa.inspect(connection).get_columns("runs")}
    database.close()


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(url: str, later: Callable[[str], Path]) -> None:
    database = Database(url)
    migrations = later('op.execute("INSERT INTO nowhere VALUES (1)")')
    with pytest.raises(WorldProblem, match="It is as it was"), database.write() as connection:
        migrate(connection, REVISION, migrations)
    assert "note" not in columns(database)
    with database.read() as connection:
        assert revision_of(connection) == REVISION
    database.close()


def test_an_older_berth_says_that_it_is_too_old_before_and_while_it_has_the_ledger(url: str) -> None:
    running = Database(url)
    say(running, "0999")
    with pytest.raises(RequestProblem, match="too old"):
        Database(url)
    for use in (running.read, running.write):
        with pytest.raises(RequestProblem, match="too old"), use():
            pass
    running.close()


def test_a_file_that_is_no_ledger_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"no ledger, " * 1000)
    with pytest.raises(WorldProblem, match="It is damaged"):
        Database(f"sqlite:///{tmp_path / 'ledger.db'}")


def test_tables_that_do_not_say_are_known_from_none_at_all(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    with engine.connect() as connection:
        assert revision_of(connection) is None
        TABLES.create_all(connection)
        assert revision_of(connection) == UNSAID
    engine.dispose()


def rows(ledger: Path, without: tuple[str, ...] = ()) -> dict[str, list[tuple[object, ...]]]:
    with sqlite3.connect(ledger) as connection:
        columns = {name: [one[1] for one in connection.execute(f"PRAGMA table_info({name})")] for name in TABLES.tables}
        listed = {name: ", ".join(one for one in found if one not in without) for name, found in columns.items()}
        found = {name: connection.execute(f"SELECT {listed[name]} FROM {name}").fetchall() for name in TABLES.tables}
    connection.close()
    return found
