"""The ledger: the only record of truth about drafts, reservations, plans, approvals, runs and who did what. Chat history and ADK sessions
are
conversation; nothing here is read from them."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tools.clients.files import private_folder, write_once
from tools.ledger.audit import Audit, Verified, lost
from tools.ledger.checkpoints import Checkpoints
from tools.ledger.database import Database, drafts
from tools.ledger.leases import LEASE_SECONDS, Leases
from tools.ledger.plans import Plans
from tools.ledger.reservations import Reservations
from tools.ledger.runs import Runs
from tools.values.shapes import brought_up, loaded, with_shape
from tools.values.site import Reserved
from tools.values.value import Json

__all__ = ["Ledger", "Verified"]

CONVERSATION, WHAT = "conversation", "What was said so far"
"""The kind of a draft, and its name in a sentence."""


class Ledger:
    """One ledger, opened by one process."""

    def __init__(
        self,
        url: str,
        home: Path,
        now: Callable[[], datetime],
        lease_seconds: float = LEASE_SECONDS,
        checkpoints: Path | None = None,
    ) -> None:
        """`checkpoints`: the file of the audit chain's; in the home where none is named. Raises WorldProblem for a ledger that cannot be
        opened, or has lost records."""
        private_folder(home)
        address = sa.make_url(url)
        kept = Checkpoints(checkpoints or home / "checkpoints.jsonl", home, address.render_as_string(hide_password=True))
        last = kept.last()
        if last and address.get_backend_name() == "sqlite" and address.database and not Path(address.database).exists():
            raise lost(kept.path, f"{address.database} is gone.")
        self.database = Database(url)
        self.key = write_once(home / "ledger.key", secrets.token_bytes(32))
        self.holder = f"{os.getpid()}-{secrets.token_hex(6)}"
        """This process, told apart from every other that ever opened the ledger."""
        self.audit = Audit(self.database, self.key, kept)
        self.audit.assert_whole(last)
        self.reservations = Reservations(self.database)
        self.plans = Plans(self.database, self.audit, self.reservations)
        self.leases = Leases(self.database, home, self.holder, now, lease_seconds)
        self.runs = Runs(self.database, self.audit, self.plans, self.leases)

    def get(self, conversation: str) -> dict[str, Json]:
        """The conversation's chain so far: values as JSON by name, and its phase; empty at first. Raises Unreadable."""
        with self.database.read() as connection:
            text = connection.execute(sa.select(drafts.c.json).where(drafts.c.conversation == conversation)).scalar()
        return brought_up(CONVERSATION, loaded(text, WHAT), WHAT) if text else {}

    def put(self, conversation: str, chain: dict[str, Json]) -> None:
        text = json.dumps(with_shape(CONVERSATION, chain))
        with self.database.write() as connection:
            at = drafts.c.conversation == conversation
            if connection.execute(drafts.update().where(at).values(json=text)).rowcount == 0:
                connection.execute(drafts.insert().values(conversation=conversation, json=text))

    def conversations(self) -> list[str]:
        """Their names, the newest last."""
        with self.database.read() as connection:
            return list(connection.execute(sa.select(drafts.c.conversation)).scalars())

    def release(self, family: str) -> None:
        with self.database.write() as connection:
            self.reservations.release(connection, family)

    def release_made(self, family: str, run_id: str, made: Reserved, until: datetime) -> None:
        """What was promised to a run is free; what it has made is remembered until then. Nothing made: it is gone."""
        with self.database.write() as connection:
            self.reservations.release(connection, family)
            self.reservations.forget_made(connection, run_id)
            if made.machines:
                self.reservations.remember_made(connection, run_id, made, until)

    def keep_until(self, family: str, expires_at: datetime) -> None:
        with self.database.write() as connection:
            self.reservations.keep_until(connection, family, expires_at)

    def write(self, work: Callable[[Connection], None]) -> None:
        with self.database.write() as connection:
            work(connection)

    def verify(self, from_hash: str = "") -> Verified:
        """Reads the whole audit chain, and the tables that it tells of."""
        return self.audit.verify(from_hash)

    def close(self) -> None:
        self.database.close()
