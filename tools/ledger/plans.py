"""Plans and their approvals as recorded. What they must look like to count stands in tools.rules.plans.approving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from tools.ledger.audit import Audit
from tools.ledger.database import Database, approval_uses, approvals, plans, runs
from tools.ledger.reservations import Reservations
from tools.values.manifest import Manifest
from tools.values.plan import Approval, Plan
from tools.values.review import Review
from tools.values.shapes import Unreadable, read, written
from tools.values.site import Reserved
from tools.values.trouble import RequestProblem
from tools.values.value import Value


class Cost(NamedTuple):
    """What a run costs a month, and what was wanted of its first part: a request is one team's, in one environment."""

    manifest_digest: str
    monthly: float
    wanted: Mapping[str, Any]
    currency: str = ""
    """Empty when nothing is paid in money."""


class PlanRow(Value):
    """What the ledger knows of a plan without reading it."""

    plan_digest: str
    run_id: str
    status: str
    """`open`, `void`, `used`."""
    family: str


class Kept(Value):
    """A plan with all it was made from."""

    plan: Plan
    status: str
    family: str
    manifest: Manifest
    review: Review


class Plans:
    def __init__(self, database: Database, audit: Audit, reservations: Reservations) -> None:
        self._database = database
        self._audit = audit
        self._reservations = reservations

    def add(self, plan: Plan, manifest: Manifest, review: Review, family: str, promised: Reserved, now: datetime) -> None:
        """Open for approval. An earlier open plan of the same conversation is void from now on."""
        if plan.manifest_digest != manifest.digest or plan.review_digest != review.digest:
            raise AssertionError("a plan is kept with the manifest and review it was made from")
        with self._database.write() as connection:
            self._void_in(connection, plans.c.conversation == plan.conversation, now, besides=family)
            # Whoever plans for everybody plans for the tenant whose run it is.
            of_run = connection.execute(sa.select(runs.c.tenant).where(runs.c.id == plan.run_id)).scalar()
            tenant = self._audit.tenant or of_run or ""
            values = {
                "tenant": tenant,
                "digest": plan.digest,
                "run_id": plan.run_id,
                "conversation": plan.conversation,
                "status": "open",
                "family": family,
                "made_at": plan.made_at.timestamp(),
                "json": written(plan),
                "manifest_json": written(manifest),
                "review_json": written(review),
            }
            connection.execute(plans.insert().values(**values))
            self._reservations.settle(connection, family, promised)
            self._reservations.keep_until(connection, family, plan.expires_at)
            self._audit.record_in(
                connection,
                now,
                "planned",
                run_id=plan.run_id,
                kind=plan.kind,
                requester=plan.requester,
                plan=plan.digest,
                manifest=manifest.digest,
                review=review.digest,
                snapshots=list(plan.snapshot_digests),
                policy=plan.policy_version,
                approvals=[role for role, _ in plan.approvals],
                **({"tenant": tenant} if tenant else {}),
                cost_monthly=plan.estimate.total,
                plan_files=[part.plan_sha256 for part in plan.parts],
                providers=[list(one) for part in plan.parts for one in part.providers],
            )

    def kept(self, digest: str) -> Kept:
        return _kept(self._found(digest))

    def row(self, digest: str) -> PlanRow:
        return _row(self._found(digest))

    def latest(self, conversation: str) -> PlanRow | None:
        with self._database.read() as connection:
            query = sa.select(plans).where(plans.c.conversation == conversation).order_by(plans.c.made_at.desc()).limit(1)
            row = connection.execute(query).first()
        return _row(row) if row else None

    def open(self) -> list[Kept]:
        """Oldest first. One that cannot be read is passed over."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(plans).where(plans.c.status == "open").order_by(plans.c.made_at)).all()
        found = []
        for row in rows:
            with suppress(Unreadable):
                found.append(_kept(row))
        return found

    def find(self, prefix: str) -> Kept:
        """By the first digits of its digest."""
        query = sa.select(plans).where(plans.c.digest.startswith(prefix, autoescape=True))
        with self._database.read() as connection:
            rows = connection.execute(query.limit(2)).all()
        if len(rows) != 1:
            raise RequestProblem(
                "There is no such plan.",
                f"{'No plan' if not rows else 'More than one plan'} has a digest that begins with {prefix}.",
                "Copy the digits from the last line of the plan.",
            )
        return _kept(rows[0])

    def void(self, digest: str, now: datetime) -> bool:
        """True when it was open until now."""
        with self._database.write() as connection:
            return bool(self._void_in(connection, plans.c.digest == digest, now))

    def approve(self, signed: Approval, now: datetime) -> None:
        """Records it. Raises RequestProblem when the role has approved meanwhile."""
        try:
            with self._database.write() as connection:
                connection.execute(
                    approvals.insert().values(nonce=signed.nonce, plan_digest=signed.plan_digest, role=signed.role, json=written(signed))
                )
                self._audit.record_in(
                    connection,
                    now,
                    "approved",
                    plan=signed.plan_digest,
                    role=signed.role,
                    principal=signed.principal,
                    words=signed.words,
                    nonce=signed.nonce,
                    override_reason=signed.override_reason,
                )
        except IntegrityError:
            raise RequestProblem(
                "That role has approved already.",
                f"{signed.role} approved this plan a moment ago.",
                "Say status to see what is missing.",
            ) from None

    def approvals(self, digest: str) -> tuple[Approval, ...]:
        with self._database.read() as connection:
            return self.approvals_in(connection, digest)

    def approvals_in(self, connection: Connection, digest: str) -> tuple[Approval, ...]:
        query = sa.select(approvals.c.json).where(approvals.c.plan_digest == digest).order_by(approvals.c.role)
        found = connection.execute(query).scalars()
        return tuple(read(Approval, text, f"An approval of the plan {digest[:12]}") for text in found)

    def use_in(self, connection: Connection, plan: Plan, now: datetime) -> bool:
        """Spends the plan's approvals; False when they are spent already. A unique row decides, so of any number of callers one wins."""
        changed = connection.execute(
            plans.update().where((plans.c.digest == plan.digest) & (plans.c.status == "open")).values(status="used")
        )
        if changed.rowcount != 1:
            return False
        for approval in self.approvals_in(connection, plan.digest):
            connection.execute(approval_uses.insert().values(nonce=approval.nonce, run_id=plan.run_id, used_at=now.timestamp()))
        return True

    def used(self, run_id: str) -> tuple[Plan, ...]:
        """Those that the run was carried out under, oldest first."""
        query = sa.select(plans).where((plans.c.run_id == run_id) & (plans.c.status == "used")).order_by(plans.c.made_at)
        with self._database.read() as connection:
            return tuple(_kept(row).plan for row in connection.execute(query).all())

    def counts(self, now: datetime) -> tuple[dict[str, int], int]:
        """(how many plans are in which state, how many of the open ones can still be approved)."""
        query = sa.select(plans.c.status, sa.func.count()).group_by(plans.c.status)
        with self._database.read() as connection:
            by_status = {str(status): int(count) for status, count in connection.execute(query)}
        return by_status, sum(kept.plan.expires_at > now for kept in self.open())

    def costs(self, statuses: Sequence[str]) -> tuple[Cost, ...]:
        """Of the runs that are in one of these states, by the estimates of their plans. A changed run counts once, as it is now."""

        def said(column: sa.Column[str]) -> sa.ColumnElement[Any]:
            return sa.type_coerce(column, sa.JSON) if self._database.is_sqlite else sa.cast(column, sa.JSON)

        query = sa.select(
            said(plans.c.json)["manifest_digest"].as_string(),
            said(plans.c.json)[("estimate", "total")].as_float(),
            said(plans.c.manifest_json)[("parts", 0, "needs", "fields")].as_json(),
            said(plans.c.json)[("estimate", "currency")].as_string(),
        ).select_from(plans.join(runs, runs.c.plan_digest == plans.c.digest))
        with self._database.read() as connection:
            rows = connection.execute(query.where(runs.c.status.in_(statuses))).all()
        return tuple(
            Cost(digest, total or 0.0, {str(one["name"]): one["value"] for one in fields or ()}, currency or "")
            for digest, total, fields, currency in rows
        )

    def standing(self, statuses: Sequence[str], said: str = "") -> tuple[tuple[str, Manifest], ...]:
        """(run, its manifest as it is now) of the runs in one of these states, oldest first; `said`: of those whose manifest has this text.
        One that cannot be read is passed over."""
        query = sa.select(plans.c.run_id, plans.c.manifest_json).select_from(plans.join(runs, runs.c.plan_digest == plans.c.digest))
        query = query.where(runs.c.status.in_(statuses) & plans.c.manifest_json.contains(said, autoescape=True)).order_by(runs.c.number)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        found = []
        for run_id, text in rows:
            with suppress(Unreadable):
                found.append((run_id, read(Manifest, text, f"The manifest of {run_id}")))
        return tuple(found)

    def used_at(self, digest: str) -> float | None:
        """When the run began under these approvals."""
        query = (
            sa.select(sa.func.max(approval_uses.c.used_at))
            .join(approvals, approvals.c.nonce == approval_uses.c.nonce)
            .where(approvals.c.plan_digest == digest)
        )
        with self._database.read() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else float(found)

    def _found(self, digest: str) -> sa.Row[tuple[object, ...]]:
        with self._database.read() as connection:
            row = connection.execute(sa.select(plans).where(plans.c.digest == digest)).first()
        if row is None:
            raise RequestProblem("There is no such plan.", f"No plan has the digest {digest[:12]}.", "Say plan again for a new one.")
        return row

    def _void_in(self, connection: Connection, which: sa.ColumnElement[bool], now: datetime, besides: str = "") -> int:
        rows = connection.execute(sa.select(plans).where(which & (plans.c.status == "open"))).all()
        for row in rows:
            connection.execute(plans.update().where(plans.c.digest == row.digest).values(status="void"))
            if row.family != besides:
                self._reservations.release(connection, row.family)
            self._audit.record_in(connection, now, "voided", run_id=row.run_id, plan=row.digest)
        return len(rows)


def _row(row: sa.Row[tuple[object, ...]]) -> PlanRow:
    return PlanRow(plan_digest=row.digest, run_id=row.run_id, status=row.status, family=row.family)


def _kept(row: sa.Row[tuple[object, ...]]) -> Kept:
    """As it was planned and approved: the approval is bound to the plan's digest, and the plan names the others. Raises Unreadable."""
    what = f"The plan {row.digest[:12]} of {row.run_id}"
    plan, manifest, review = read(Plan, row.json, what), read(Manifest, row.manifest_json, what), read(Review, row.review_json, what)
    if (plan.digest, plan.run_id, manifest.digest, review.digest) != (row.digest, row.run_id, plan.manifest_digest, plan.review_digest):
        raise Unreadable(
            "What is stored was changed.",
            f"{what} is not what was planned: it, its manifest or its review was changed in the ledger.",
            "Nothing is done with it. `berth audit verify` says what else was changed; put the ledger back from a copy.",
        )
    return Kept(plan=plan, status=row.status, family=row.family, manifest=manifest, review=review)
