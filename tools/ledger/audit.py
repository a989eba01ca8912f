"""The audit chain: each record carries the hash of the one before, so that a change anywhere shows; its checkpoints stand apart, so that an
end that was cut off shows, too; and the tables it tells of are held against it. It records, and says what does not hold."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.engine import Connection

from tools.clients.process import plain
from tools.ledger.checkpoints import Checkpoint, Checkpoints
from tools.ledger.database import AFTER_COMMIT, Database, approval_uses, approvals, audit, plans, progress, runs, steps
from tools.ledger.verifying import Row, approval_differences, plan_differences, run_differences, sum_of, told
from tools.rules.plans.approving import signature
from tools.values.trouble import WorldProblem
from tools.values.value import Json, Value, canonical, same, sha256

log = logging.getLogger("berth.ledger")

START = "0" * 64
TEXT_LENGTH_MAX = 200


class Recorded(Value):
    """One record."""

    number: int
    hash: str
    previous: str
    facts: dict[str, Json] = Field(default_factory=dict)
    """`at`, `action` and what belongs to it; nothing where it cannot be read."""


class Verified(Value):
    """The outcome of reading the whole chain, its checkpoints, and the tables that it tells of."""

    records: int
    faults: tuple[str, ...] = ()
    """Sentences: what was changed, moved, cut off or taken away."""
    last_hash: str
    """Note it somewhere else from time to time, and verify from there."""

    @property
    def holds(self) -> bool:
        return not self.faults

    @property
    def detail(self) -> str:
        return " ".join(self.faults) or f"All {self.records} records follow from one another, and the ledger is as they tell."


class Audit:
    def __init__(self, database: Database, key: bytes, checkpoints: Checkpoints, tenant: str | None = None, says: str = "") -> None:
        """`tenant`: whose lines are read; None: everybody's. `says`: whose those are that are written."""
        self.tenant = tenant
        self._says = says
        self._database = database
        self._key = key
        self._checkpoints = checkpoints

    def record(self, now: datetime, action: str, **facts: Json) -> None:
        with self._database.write() as connection:
            self.record_in(connection, now, action, **facts)

    def record_in(self, connection: Connection, now: datetime, action: str, **facts: Json) -> None:
        """In the same transaction as what is recorded: neither can be there without the other. The checkpoint follows when it stands."""
        last = connection.execute(sa.select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)).first()
        number, previous = (last.number + 1, last.hash) if last else (1, START)
        content = {
            "number": number,
            "at": now.isoformat(),
            "action": action,
            **({"tenant": self._says} if self._says else {}),
            **{name: _short(fact) for name, fact in facts.items()},
        }
        if self._checkpoints.begin():
            content["checkpoints"] = str(self._checkpoints.path)  # So that a file that is taken away is missed.
        text = canonical(content).decode()
        digest = self._hash(previous, text)
        connection.execute(audit.insert().values(number=number, json=text, previous=previous, hash=digest))
        connection.info.setdefault(AFTER_COMMIT, []).append(lambda: self._check(number, digest, now))

    def _check(self, number: int, digest: str, now: datetime) -> None:
        try:
            self._checkpoints.add(number, digest, now)
        except OSError as error:  # What was recorded stands; the next checkpoint covers it, too.
            log.warning("No checkpoint could be written to %s: %s", self._checkpoints.path, error.strerror)

    def read(self, run_id: str = "", count_max: int | None = None) -> list[Recorded]:
        """The records, or the latest ones, oldest first. One that cannot be read has no facts."""
        query = sa.select(audit).order_by(audit.c.number.desc())
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            own_runs = set(connection.execute(sa.select(runs.c.id)).scalars()) if self.tenant is not None else set()
        found: Iterable[Recorded] = (
            Recorded(number=row.number, hash=row.hash, previous=row.previous, facts=_facts(row.json)) for row in rows
        )
        if self.tenant is not None:
            found = (one for one in found if self._is_own(one.facts, own_runs))
        return list(islice((one for one in found if not run_id or one.facts.get("run_id") == run_id), count_max))[::-1]

    def _is_own(self, facts: Mapping[str, Json], own_runs: Collection[str]) -> bool:
        return facts.get("run_id") in own_runs or ("run_id" not in facts and facts.get("tenant", "") == self.tenant)

    def assert_whole(self, last: Checkpoint | None) -> None:
        """When a ledger is opened: it has come at least as far as the checkpoint that was read before. Raises WorldProblem."""
        if last is None:
            return
        with self._database.read() as connection:
            number = connection.execute(sa.select(sa.func.max(audit.c.number))).scalar() or 0
        if number < last.number:
            raise lost(self._checkpoints.path, f"It has {number} records, and on {last.at:%Y-%m-%d %H:%M} it had {last.number}.")

    def verify(self, from_hash: str = "") -> Verified:
        """`from_hash`: the hash of a record, or its first digits, as it was noted elsewhere."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(audit).order_by(audit.c.number)).all()
            faults = list(self._chain_faults(rows))
            hashes = {row.number: row.hash for row in rows}
            faults += self._checkpoints.differences(hashes)
            facts = [_facts(row.json) for row in rows]
            begun = [one["number"] for one in facts if one.get("checkpoints") == str(self._checkpoints.path)]
            if begun and not self._checkpoints.path.exists():
                faults.append(f"The checkpoints are gone: {self._checkpoints.path}.")
            faults += [f"The checkpoints were gone, and were begun anew with record {number}." for number in begun[1:]]
            if from_hash and not any(digest.startswith(from_hash.lower()) for digest in hashes.values()):
                faults.append(f"No record has the hash {from_hash}: the chain was cut off before it, or made anew.")
            faults += self._table_faults(connection, facts)
        return Verified(records=len(rows), faults=tuple(faults), last_hash=rows[-1].hash if rows else START)

    def _chain_faults(self, rows: Sequence[Row]) -> Iterator[str]:
        """The first place where it does not hold: what comes after hangs in the air."""
        previous = START
        for number, row in enumerate(rows, 1):
            right = row.number == number == _facts(row.json).get("number") and row.previous == previous
            if not right or not same(row.hash, self._hash(previous, row.json)):
                yield f"Record {number} was changed, moved or removed, or the ledger's key is another one."
                return
            previous = row.hash

    def _table_faults(self, connection: Connection, facts: Iterable[Mapping[str, Json]]) -> Iterator[str]:
        of = told(facts)

        def sums(run_id: str, count: int | None) -> tuple[str, str]:
            return run_sums(connection, run_id, count)[:2]

        yield from plan_differences(of, connection.execute(sa.select(plans)))
        given, spent = connection.execute(sa.select(approvals)).all(), connection.execute(sa.select(approval_uses)).all()
        yield from approval_differences(of, given, spent, lambda one: same(one.signature, signature(one, self._key)))
        yield from run_differences(of, connection.execute(sa.select(runs)).all(), sums)

    def _hash(self, previous: str, text: str) -> str:
        # Keyed, so that somebody who can write the database but has not the key cannot make a new chain that verifies.
        return hmac.new(self._key, f"{previous}\n{sha256(text.encode())}".encode(), "sha256").hexdigest()


def run_sums(connection: Connection, run_id: str, count: int | None = None) -> tuple[str, str, int]:
    """Of a run's steps, of its journal or the first so many lines of it, and how many lines there are."""
    of_steps = sa.select(steps.c.json, steps.c.result_json).where(steps.c.run_id == run_id).order_by(steps.c.place)
    of_lines = sa.select(progress.c.json).where(progress.c.run_id == run_id).order_by(progress.c.number).limit(count)
    found = [text for row in connection.execute(of_steps) for text in row]
    lines = list(connection.execute(of_lines).scalars())
    return sum_of(found), sum_of(lines), len(lines)


def lost(checkpoints: Path, detail: str) -> WorldProblem:
    return WorldProblem(
        "The ledger has lost records.",
        f"{detail} {checkpoints} says so. Berth would no longer know what it has made, so it does nothing.",
        "Put the ledger back from its latest copy. If the records are lost for good, move that file away, and Berth goes on without them.",
    )


def _facts(text: str) -> dict[str, Json]:
    """Nothing, where it cannot be read."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _short(fact: Json) -> Json:
    return plain(fact, length_max=TEXT_LENGTH_MAX) if isinstance(fact, str) else fact
