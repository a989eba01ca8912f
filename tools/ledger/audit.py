"""The audit chain: each record carries the hash of the one before, so that a change anywhere shows. It records; it judges nothing."""

from __future__ import annotations

import hmac
import json
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tools.clients.process import plain
from tools.ledger.database import Database, audit
from tools.values.value import Json, Value, canonical, sha256

START = "0" * 64
TEXT_LENGTH_MAX = 200


class Verified(Value):
    """The outcome of reading the whole chain."""

    records: int
    holds: bool
    detail: str
    last_hash: str
    """Print it somewhere else from time to time: a chain alone cannot see that its end was cut off."""


class Audit:
    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._key = key

    def record(self, now: datetime, action: str, **facts: Json) -> None:
        with self._database.write() as connection:
            self.record_in(connection, now, action, **facts)

    def record_in(self, connection: Connection, now: datetime, action: str, **facts: Json) -> None:
        """In the same transaction as what is recorded: neither can be there without the other."""
        last = connection.execute(sa.select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)).first()
        number, previous = (last.number + 1, last.hash) if last else (1, START)
        content = {
            "number": number,
            "at": now.isoformat(),
            "action": action,
            **{name: _short(fact) for name, fact in facts.items()},
        }
        text = canonical(content).decode()
        connection.execute(audit.insert().values(number=number, json=text, previous=previous, hash=self._hash(previous, text)))

    def read(self, run_id: str = "") -> list[dict[str, Json]]:
        with self._database.read() as connection:
            found = [json.loads(text) for text in connection.execute(sa.select(audit.c.json).order_by(audit.c.number)).scalars()]
        return [record for record in found if not run_id or record.get("run_id") == run_id]

    def verify(self) -> Verified:
        previous, number = START, 0
        with self._database.read() as connection:
            for row in connection.execute(sa.select(audit).order_by(audit.c.number)):
                number += 1
                wrong = (
                    row.number != number
                    or row.previous != previous
                    or not hmac.compare_digest(row.hash, self._hash(previous, row.json))
                    or json.loads(row.json).get("number") != number
                )
                if wrong:
                    detail = f"Record {number} was changed, moved or removed, or the ledger's key is another one."
                    return Verified(records=number, holds=False, detail=detail, last_hash=previous)
                previous = row.hash
        return Verified(records=number, holds=True, detail=f"All {number} records follow from one another.", last_hash=previous)

    def _hash(self, previous: str, text: str) -> str:
        # Keyed, so that somebody who can write the database but has not the key cannot make a new chain that verifies.
        return hmac.new(self._key, f"{previous}\n{sha256(text.encode())}".encode(), "sha256").hexdigest()


def _short(fact: Json) -> Json:
    return plain(fact, length_max=TEXT_LENGTH_MAX) if isinstance(fact, str) else fact
