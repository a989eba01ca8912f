"""A ledger that cannot be read or written: waits that end, and a sentence with the way back."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from tools.ledger.database import BUSY_SECONDS, LedgerAway, away, is_held
from tools.ledger.ledger import Ledger

from .builders import NOON, open_ledger


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("database is locked", "fuser"),
        ("database or disk is full", "Free some space"),
        ("attempt to write a readonly database", "rights"),
        ("unable to open database file", "rights"),
        ("database disk image is malformed", "latest copy"),
        ("file is not a database", "latest copy"),
        ("disk I/O error", "latest copy"),
        ("server closed the connection unexpectedly", "BERTH_DATABASE_URL"),
    ],
)
def test_why_it_is_away_says_the_way_back(said: str, told: str) -> None:
    problem = away("sqlite:////home/ledger.db", "/home/ledger.db", sa.exc.OperationalError("SELECT 1", {}, sqlite3.OperationalError(said)))
    assert problem.retryable and told in problem.remedy and "SELECT" not in str(problem)


@pytest.mark.parametrize(
    ("code", "held"),
    [
        (sqlite3.SQLITE_BUSY, True),
        (sqlite3.SQLITE_BUSY_RECOVERY, True),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, True),
        (sqlite3.SQLITE_LOCKED_SHAREDCACHE, True),
        (sqlite3.SQLITE_CANTOPEN, False),
        (sqlite3.SQLITE_IOERR_LOCK, False),
    ],
)
def test_who_has_the_file_is_told_by_any_of_sqlites_codes(code: int, held: bool) -> None:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = code
    assert is_held(error) is held


def test_a_ledger_that_is_held_is_waited_for_and_no_longer(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path, lambda: NOON, busy_seconds=0.2)
    holder = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerAway):
        ledger.put("talk", {})
    assert ledger.get("talk") == {}, "it can still be read"
    holder.execute("ROLLBACK")
    holder.close()
    ledger.put("talk", {"a": 1})
    assert ledger.get("talk") == {"a": 1}
    ledger.close()


def test_a_ledger_that_was_damaged_meanwhile_is_told(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.close()
    for path in tmp_path.glob("ledger.db-*"):
        path.unlink()
    with (tmp_path / "ledger.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 200_000)
    with pytest.raises(LedgerAway) as raised:
        open_ledger(tmp_path).get("talk")
    assert "latest copy" in raised.value.remedy


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real one of 2 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(place)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"No file system can be mounted here: {made.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_is_told_and_the_ledger_goes_on_when_there_is_room(small_disk: Path) -> None:
    ledger = open_ledger(small_disk)
    ledger.put("talk", {"said": "before"})
    with suppress(OSError), (small_disk / "filling").open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    with pytest.raises(LedgerAway, match="disk that it is on is full"):
        for number in range(500):
            ledger.put(f"talk-{number}", {"said": "x" * 1000})
    assert ledger.get("talk") == {"said": "before"}, "what was said is there to be read"
    (small_disk / "filling").unlink()
    ledger.put("talk", {"said": "after"})
    assert ledger.get("talk") == {"said": "after"} and ledger.verify().holds
    ledger.close()


def test_a_home_that_cannot_be_written_is_told_at_once_and_the_ledger_goes_on_when_it_can(small_disk: Path) -> None:
    ledger = open_ledger(small_disk)
    ledger.put("talk", {"said": "before"})
    ledger.close()  # It opens its file again when it is asked; one that is open for writing cannot be taken away.
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    began = time.monotonic()
    with pytest.raises(LedgerAway, match="cannot be written"):
        ledger.put("talk", {"said": "lost"})
    assert time.monotonic() - began < BUSY_SECONDS / 2, "it is waited for nobody"
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert ledger.get("talk") == {"said": "before"} and ledger.verify().holds
    ledger.close()
