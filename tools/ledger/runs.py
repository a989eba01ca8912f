"""Runs as recorded: their steps, their journal, who wants them stopped. Carrying one out is the engine's matter."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tools.ledger.audit import Audit, run_sums
from tools.ledger.database import Database, plans, progress, runs, steps
from tools.ledger.leases import Lease, Leases
from tools.ledger.plans import Plans
from tools.ledger.scoping import WHOLE
from tools.values.plan import Plan
from tools.values.run import Progress, Receipt, Run, RunStatus, StepRecord
from tools.values.shapes import Unreadable, brought_up, loaded, read, with_shape, written
from tools.values.trouble import RequestProblem
from tools.values.value import Json, Value

RESULT = "result"
"""The kind of what a step hands on to those after it."""


class RunRow(Value):
    """What the ledger knows of a run besides its steps."""

    id: str
    plan_digest: str
    conversation: str
    requester: str
    status: RunStatus
    attempt: int
    cancel_wanted: bool
    changed_at: float
    tenant: str = ""


class Runs:
    def __init__(self, database: Database, audit: Audit, plans: Plans, leases: Leases) -> None:
        self._database = database
        self._audit = audit
        self._plans = plans
        self._leases = leases

    def begin(self, plan: Plan, wanted: Iterable[tuple[str, str]], now: datetime) -> bool:
        """Spends the approvals and makes the run, in one transaction; False when it was begun before. Raises RequestProblem, and spends
        nothing, while the run is carried out under another plan: its steps must not change under whoever takes them."""
        with self._database.write() as connection:
            row = connection.execute(sa.select(runs).where(runs.c.id == plan.run_id)).first()
            if row is not None and row.status == "running" and row.plan_digest != plan.digest:
                raise RequestProblem(
                    "The run is under way.",
                    f"{plan.run_id} is being carried out under another plan.",
                    "Say status to see it. When it has ended, approve this plan again: your approval is not spent.",
                )
            if not self._plans.use_in(connection, plan, now):
                return False
            old = None if row is None else int(row.attempt)
            values = {"plan_digest": plan.digest, "status": "running", "cancel_wanted": 0, "changed_at": now.timestamp()}
            if old is None:
                latest = sa.select(sa.func.max(runs.c.number)).execution_options(**{WHOLE: True})
                number = (connection.execute(latest).scalar() or 0) + 1
                fixed = {"id": plan.run_id, "number": number, "conversation": plan.conversation, "requester": plan.requester}
                tenant = connection.execute(sa.select(plans.c.tenant).where(plans.c.digest == plan.digest)).scalar_one()
                connection.execute(runs.insert().values(**values, **fixed, tenant=tenant, attempt=1))
            else:
                connection.execute(runs.update().where(runs.c.id == plan.run_id).values(**values, attempt=old + 1))
            self._lay_out(connection, plan.run_id, wanted)
            self._audit.record_in(connection, now, "begun", run_id=plan.run_id, plan=plan.digest, kind=plan.kind)
            return True

    def begin_again(self, run_id: str, now: datetime) -> int | None:
        """A stopped run goes on under the approval it had: failed steps wait again, done ones stay. The new attempt's number; None when it
        is not stopped."""
        with self._database.write() as connection:
            at = (runs.c.id == run_id) & (runs.c.status == "stopped")
            attempt = connection.execute(sa.select(runs.c.attempt).where(at)).scalar()
            if attempt is None:
                return None
            values = {"status": "running", "cancel_wanted": 0, "attempt": attempt + 1, "changed_at": now.timestamp()}
            connection.execute(runs.update().where(at).values(**values))
            for row in connection.execute(sa.select(steps).where(steps.c.run_id == run_id)).all():
                step = read(StepRecord, row.json, f"A step of {run_id}")
                if step.status != "done":
                    waiting = step.model_copy(update={"status": "waiting", "summary": "", "remedy": "", "ended_at": None})
                    self._put_step(connection, run_id, row.place, waiting)
            self._audit.record_in(connection, now, "retried", run_id=run_id, attempt=attempt + 1)
            return int(attempt) + 1

    def begin_anew(self, run_id: str, now: datetime) -> int:
        """A running run gets a new attempt's number, because the engine's memory of the old one is closed."""
        with self._database.write() as connection:
            attempt = int(connection.execute(sa.select(runs.c.attempt).where(runs.c.id == run_id)).scalar_one()) + 1
            connection.execute(runs.update().where(runs.c.id == run_id).values(attempt=attempt, changed_at=now.timestamp()))
            return attempt

    def row(self, run_id: str) -> RunRow:
        with self._database.read() as connection:
            found = connection.execute(sa.select(runs).where(runs.c.id == run_id)).first()
        if found is None:
            raise RequestProblem("There is no such run.", f"No run is called {run_id}.", "Say list to see the runs.")
        return _row(found)

    def rows(self, status: RunStatus | None = None) -> list[RunRow]:
        """Oldest first."""
        query = sa.select(runs).order_by(runs.c.number)
        if status:
            query = query.where(runs.c.status == status)
        with self._database.read() as connection:
            return [_row(found) for found in connection.execute(query)]

    def get(self, run_id: str) -> Run:
        row = self.row(run_id)
        with self._database.read() as connection:
            query = sa.select(steps.c.json).where(steps.c.run_id == run_id).order_by(steps.c.place)
            found = [read(StepRecord, text, f"A step of {run_id}") for text in connection.execute(query).scalars()]
            receipt = connection.execute(sa.select(runs.c.receipt_json).where(runs.c.id == run_id)).scalar()
        return Run(
            id=run_id,
            plan_digest=row.plan_digest,
            status=row.status,
            steps=tuple(found),
            receipt=read(Receipt, receipt, f"The receipt of {run_id}") if receipt else None,
        )

    def counts(self) -> dict[str, int]:
        """How many runs are in which state."""
        query = sa.select(runs.c.status, sa.func.count()).group_by(runs.c.status)
        with self._database.read() as connection:
            return {str(status): int(count) for status, count in connection.execute(query)}

    def steps_told(self) -> Iterator[StepRecord]:
        """Of every run, as each was told last. One that cannot be read is passed over."""
        with self._database.read() as connection:
            texts = connection.execute(sa.select(steps.c.json)).scalars().all()
        for text in texts:
            with suppress(Unreadable):
                yield read(StepRecord, text, "A step")

    def put_step(self, lease: Lease, run_id: str, place: int, step: StepRecord, result: Json = None) -> None:
        with self._database.write() as connection:
            self._leases.check(connection, lease)
            self._put_step(connection, run_id, place, step, result)

    def results(self, run_id: str, part: str) -> dict[str, Json]:
        """What the done steps of a part handed on, by step name."""
        query = sa.select(steps.c.name, steps.c.result_json).where((steps.c.run_id == run_id) & (steps.c.part == part))
        with self._database.read() as connection:
            rows = [row for row in connection.execute(query) if row.result_json]
        what = f"What a step of {run_id} handed on"
        return {row.name: brought_up(RESULT, loaded(row.result_json, what), what) for row in rows}

    def say(self, run_id: str, now: datetime, part: str, step: str, text: str, key: str = "", lease: Lease | None = None) -> None:
        """One line of the journal. The same key says it once, however often a step is begun."""
        with self._database.write() as connection:
            if lease is not None:
                self._leases.check(connection, lease)
            mine = progress.c.run_id == run_id
            if key and connection.execute(sa.select(progress.c.number).where(mine & (progress.c.key == key))).first():
                return
            number = (connection.execute(sa.select(sa.func.max(progress.c.number)).where(mine)).scalar() or 0) + 1
            line = Progress(number=number, at=now, part=part, step=step, text=text)
            connection.execute(progress.insert().values(run_id=run_id, number=number, key=key or f"#{number}", json=written(line)))

    def lines(self, run_id: str, after: int = 0) -> list[Progress]:
        query = sa.select(progress.c.json).where((progress.c.run_id == run_id) & (progress.c.number > after))
        with self._database.read() as connection:
            found = connection.execute(query.order_by(progress.c.number)).scalars()
            return [read(Progress, text, f"A line of the journal of {run_id}") for text in found]

    def end(self, lease: Lease, run_id: str, status: RunStatus, now: datetime, receipt: Receipt | None, plan_digest: str) -> None:
        with self._database.write() as connection:
            self._leases.check(connection, lease)
            values: dict[str, Json] = {"status": status, "cancel_wanted": 0, "changed_at": now.timestamp()}
            if receipt is not None:
                values["receipt_json"] = written(receipt)
            connection.execute(runs.update().where(runs.c.id == run_id).values(**values))
            of_steps, of_journal, lines = run_sums(connection, run_id)
            self._audit.record_in(
                connection,
                now,
                "ended",
                run_id=run_id,
                plan=plan_digest,
                status=status,
                receipt=receipt.digest if receipt else "",
                steps=of_steps,
                journal=[lines, of_journal],
            )

    def set_status(self, run_id: str, status: RunStatus, was: RunStatus, now: datetime) -> bool:
        """Without carrying anything out: leave a stopped run as it is."""
        with self._database.write() as connection:
            at = (runs.c.id == run_id) & (runs.c.status == was)
            changed = connection.execute(runs.update().where(at).values(status=status, changed_at=now.timestamp())).rowcount == 1
            if changed:
                self._audit.record_in(connection, now, "set", run_id=run_id, status=status)
            return changed

    def want_cancel(self, run_id: str, now: datetime) -> bool:
        with self._database.write() as connection:
            at = (runs.c.id == run_id) & (runs.c.status == "running")
            changed = connection.execute(runs.update().where(at).values(cancel_wanted=1)).rowcount == 1
            if changed:
                self._audit.record_in(connection, now, "cancel wanted", run_id=run_id)
            return changed

    def _lay_out(self, connection: Connection, run_id: str, wanted: Iterable[tuple[str, str]]) -> None:
        connection.execute(steps.delete().where(steps.c.run_id == run_id))
        for place, (part, name) in enumerate(wanted):
            text = written(StepRecord(part=part, name=name, status="waiting"))
            connection.execute(steps.insert().values(run_id=run_id, place=place, part=part, name=name, json=text))

    def _put_step(self, connection: Connection, run_id: str, place: int, step: StepRecord, result: Json = None) -> None:
        values: dict[str, Json] = {"json": written(step)}
        if result is not None:
            values["result_json"] = json.dumps(with_shape(RESULT, result))
        connection.execute(steps.update().where((steps.c.run_id == run_id) & (steps.c.place == place)).values(**values))


def _row(found: sa.Row[tuple[object, ...]]) -> RunRow:
    return RunRow(
        id=found.id,
        plan_digest=found.plan_digest,
        conversation=found.conversation,
        requester=found.requester,
        status=found.status,
        attempt=found.attempt,
        cancel_wanted=bool(found.cancel_wanted),
        changed_at=found.changed_at,
        tenant=found.tenant,
    )
