"""What has been promised to drafts, plans and runs and does not show in a snapshot yet. Whether it fits is judged by tools.rules."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from tools.ledger.database import Database, approval_uses, approvals, families, plans, reservations, reserved_values, runs
from tools.values.shapes import read, written
from tools.values.site import Reserved
from tools.values.value import Value

MADE_BY = "made by "
"""What a run has made is kept under this and its id."""
KEPT_BY = "kept by "
"""What a family keeps for good is kept under this and its name."""
FOR_GOOD = datetime(9000, 1, 1, tzinfo=UTC).timestamp()


class Promise(Value):
    family: str
    until: datetime
    held: Reserved
    plan_digest: str
    """Of the plan that waits for its approval; empty of a draft, or a run."""
    conversation: str
    is_run: bool
    """A run makes what is promised: nobody frees it by hand."""


class Reservations:
    """A reservation belongs to a family: a manifest and all that was refined from it. It ends when it expires or is released."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def held(self, now: datetime, besides: str = "", before: float = math.inf) -> Reserved:
        """Everything promised at this time, leaving out one family's own. A run that began at `before` or later is one that waits: of two
        that begin together, the first need not make way for the second."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(reservations).where(reservations.c.expires_at > now.timestamp())).all()
            approved = _approved(connection, before)
        total, own = Reserved(), (besides, _kept_by(besides))
        for row in rows:
            if row.family not in own:
                held = read(Reserved, row.json, "What is promised to another plan")
                total = total.plus(held if row.family in approved or row.family.startswith((MADE_BY, KEPT_BY)) else held.unapproved)
        return total

    def promises(self, now: datetime) -> list[Promise]:
        """Each of them, with the plan that waits for an approval, if one does."""
        waiting = (reservations.c.family == plans.c.family) & (plans.c.status == "open")
        query = sa.select(reservations, plans.c.digest, plans.c.run_id, plans.c.conversation).select_from(
            reservations.outerjoin(plans, waiting)
        )
        with self._database.read() as connection:
            rows = connection.execute(query.where(reservations.c.expires_at > now.timestamp()).order_by(reservations.c.expires_at)).all()
            approved = _approved(connection)
        return [
            Promise(
                family=row.family,
                until=datetime.fromtimestamp(row.expires_at, UTC),
                held=read(Reserved, row.json, "What is promised to another plan"),
                plan_digest=row.digest or "",
                conversation=row.conversation or "",
                is_run=row.family in approved,
            )
            for row in rows
        ]

    def family_of(self, manifest_digest: str) -> str:
        """The digest of the first manifest of its family; its own when it has no parent."""
        with self._database.read() as connection:
            query = sa.select(families.c.family).where(families.c.manifest_digest == manifest_digest)
            return connection.execute(query).scalar() or manifest_digest

    def reserve(
        self,
        family: str,
        manifest_digest: str,
        wanted: Reserved,
        now: datetime,
        expires_at: datetime,
        shared: frozenset[str] = frozenset(),
    ) -> bool:
        """False when somebody else holds one of the ids or names: then nothing is reserved. The family's earlier ids stay its own. What is
        in `shared` was asked for although another plan waits with it, so it need not be this family's alone."""
        alone = wanted.model_copy(update={"names": wanted.names - shared, "addresses": wanted.addresses - shared})
        try:
            with self._database.write() as connection:
                _forget_expired(connection, now)
                _remember_family(connection, family, manifest_digest)
                for kind, value in _values(alone):
                    at = (reserved_values.c.kind == kind) & (reserved_values.c.value == value)
                    holder = connection.execute(sa.select(reserved_values.c.family).where(at)).scalar()
                    if holder is None:
                        connection.execute(reserved_values.insert().values(kind=kind, value=value, family=family))
                    elif holder != family:
                        connection.rollback()
                        return False
                connection.execute(reservations.delete().where(reservations.c.family == family))
                values = {"family": family, "expires_at": expires_at.timestamp(), "json": written(wanted)}
                connection.execute(reservations.insert().values(**values))
        except IntegrityError:
            return False
        return True

    def settle(self, connection: Connection, family: str, wanted: Reserved) -> None:
        """The family is down to this: what earlier drafts of it held is free again."""
        keep = set(_values(wanted))
        rows = connection.execute(sa.select(reserved_values).where(reserved_values.c.family == family)).all()
        for row in rows:
            if (row.kind, row.value) not in keep:
                at = (reserved_values.c.kind == row.kind) & (reserved_values.c.value == row.value)
                connection.execute(reserved_values.delete().where(at))

    def keep_until(self, connection: Connection, family: str, expires_at: datetime) -> None:
        at = reservations.c.family == family
        connection.execute(reservations.update().where(at).values(expires_at=expires_at.timestamp()))

    def remember_made(self, connection: Connection, run_id: str, made: Reserved, expires_at: datetime) -> None:
        """What a run has made counts in full until its nodes know how much it really takes. Nothing of it is promised to anybody."""
        key = _made_by(run_id)
        connection.execute(reservations.delete().where(reservations.c.family == key))
        connection.execute(reservations.insert().values(family=key, expires_at=expires_at.timestamp(), json=written(made)))

    def forget_made(self, connection: Connection, run_id: str) -> None:
        connection.execute(reservations.delete().where(reservations.c.family == _made_by(run_id)))

    def keep(self, connection: Connection, run_id: str, family: str, kept: Reserved) -> None:
        """What no look at the world tells of what the run has made: not in its family's way, and in everybody else's as long as it stands.
        Nothing: it is gone. A removal is of another family than what it removes."""
        families_of_run = connection.execute(sa.select(plans.c.family).where(plans.c.run_id == run_id)).scalars()
        keys = {_kept_by(one) for one in (family, *families_of_run)}
        connection.execute(reservations.delete().where(reservations.c.family.in_(keys)))
        if kept != Reserved():
            connection.execute(reservations.insert().values(family=_kept_by(family), expires_at=FOR_GOOD, json=written(kept)))

    def release(self, connection: Connection, family: str) -> None:
        connection.execute(reserved_values.delete().where(reserved_values.c.family == family))
        connection.execute(reservations.delete().where(reservations.c.family == family))


def _kept_by(family: str) -> str:
    return f"{KEPT_BY}{family}"


def _made_by(run_id: str) -> str:
    return f"{MADE_BY}{run_id}"


def _approved(connection: Connection, before: float = math.inf) -> frozenset[str]:
    """The families whose run is under way, or has stopped half way; of those that began before that time."""
    began = (
        sa.select(sa.func.max(approval_uses.c.used_at))
        .join(approvals, approvals.c.nonce == approval_uses.c.nonce)
        .where(approvals.c.plan_digest == plans.c.digest)
        .scalar_subquery()
    )
    query = sa.select(plans.c.family).join(runs, runs.c.plan_digest == plans.c.digest).where(runs.c.status.in_(("running", "stopped")))
    return frozenset(connection.execute(query if math.isinf(before) else query.where(began < before)).scalars())


def _values(wanted: Reserved) -> list[tuple[str, str]]:
    kinds = {"vm_id": map(str, wanted.vm_ids), "name": wanted.names, "address": wanted.addresses}
    return [(kind, value) for kind, values in kinds.items() for value in sorted(values)]


def _forget_expired(connection: Connection, now: datetime) -> None:
    late = sa.select(reservations.c.family).where(reservations.c.expires_at <= now.timestamp())
    connection.execute(reserved_values.delete().where(reserved_values.c.family.in_(late)))
    connection.execute(reservations.delete().where(reservations.c.expires_at <= now.timestamp()))


def _remember_family(connection: Connection, family: str, manifest_digest: str) -> None:
    known = connection.execute(sa.select(families.c.family).where(families.c.manifest_digest == manifest_digest)).scalar()
    if known is None:
        connection.execute(families.insert().values(manifest_digest=manifest_digest, family=family))
