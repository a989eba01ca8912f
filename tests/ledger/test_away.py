"""A ledger that cannot be read or written: waits that end, and a sentence with the way back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from tools.ledger.database import LedgerAway, away
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
