"""The ledger: the only record of truth about drafts, reservations, plans, approvals, runs and who did what. Chat history and ADK sessions
are
conversation; nothing here is read from them."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tools.clients.files import private_folder, write_once
from tools.ledger.audit import Audit, Verified, lost
from tools.ledger.checkpoints import Checkpoints
from tools.ledger.database import BUSY_SECONDS, Database, drafts
from tools.ledger.leases import LEASE_SECONDS, Lease, Leases
from tools.ledger.plans import Plans
from tools.ledger.reservations import Reservations
from tools.ledger.runs import Runs
from tools.values.shapes import brought_up, loaded, read, with_shape, written
from tools.values.site import Reserved
from tools.values.snapshot import ClusterSnapshot, PlatformName, Snapshot, SubscriptionSnapshot
from tools.values.value import Json

__all__ = ["Ledger", "Verified"]

CONVERSATION, WHAT = "conversation", "What was said so far"
"""The kind of a draft, and its name in a sentence."""
SEEN = "seen\t"
"""What the world looked like is kept beside the conversation, by a name that none of these can have."""
OF_TENANT = "tenant "
"""What is said in a tenant is kept under this and its name."""
SNAPSHOTS_MAX = 8
"""In memory; of a large cluster one has several megabytes."""
_KINDS: dict[PlatformName, type[ClusterSnapshot] | type[SubscriptionSnapshot]] = {"proxmox": ClusterSnapshot, "azure": SubscriptionSnapshot}


def _seen_by(conversation: str, digest: str) -> str:
    return f"{SEEN}{conversation}\t{digest}"


def _write(connection: Connection, name: str, text: str) -> None:
    at = drafts.c.conversation == name
    if connection.execute(drafts.update().where(at).values(json=text)).rowcount == 0:
        connection.execute(drafts.insert().values(conversation=name, json=text))


class Ledger:
    """One ledger, opened by one process."""

    def __init__(
        self,
        url: str,
        home: Path,
        now: Callable[[], datetime],
        lease_seconds: float = LEASE_SECONDS,
        checkpoints: Path | None = None,
        busy_seconds: float = BUSY_SECONDS,
        shared: Path | None = None,
    ) -> None:
        """`shared`: the folder of the keys, where it is another one than the home. `checkpoints`: the file of the audit chain's; beside the
        keys where none is named. Raises WorldProblem for a ledger that cannot be
        opened, or has lost records."""
        private_folder(home)
        keys = private_folder(shared or home)
        address = sa.make_url(url)
        kept = Checkpoints(checkpoints or keys / "checkpoints.jsonl", keys, address.render_as_string(hide_password=True))
        last = kept.last()
        if last and address.get_backend_name() == "sqlite" and address.database and not Path(address.database).exists():
            raise lost(kept.path, f"{address.database} is gone.")
        self.whole = self
        """Of everybody, and without a lease that its writes would ask for."""
        database = Database(url, busy_seconds)
        self.key = write_once(keys / "ledger.key", secrets.token_bytes(32))
        self.holder = f"{os.getpid()}-{secrets.token_hex(6)}"
        """This process, told apart from every other that ever opened the ledger."""
        self.leases = Leases(database, home, self.holder, now, lease_seconds)
        self._checkpoints = kept
        self._snapshots: dict[str, Snapshot] = {}
        """By digest, the latest last."""
        self._set_on(database, database, None, "")
        self.audit.assert_whole(last)

    def _set_on(self, database: Database, everybodys: Database, tenant: str | None, says: str) -> None:
        self.database = database
        self._tenant = tenant
        self.audit = Audit(database, self.key, self._checkpoints, tenant, says)
        self.reservations = Reservations(everybodys)
        self.plans = Plans(database, self.audit, self.reservations)
        self.runs = Runs(database, self.audit, self.plans, self.leases)

    def view(self, lease: Lease | None = None, tenant: str | None = None, says: str = "") -> Ledger:
        """The same ledger. `lease`: for what is done by whoever holds it; each write raises LeaseLost, and changes nothing, from the moment
        when another process has the lease. `tenant`: it has what is this tenant's, and what it writes is; None: everybody's. `says`: whose
        the lines of the audit are, where that is another one."""
        check = (lambda connection: self.leases.check(connection, lease)) if lease else None
        one = copy(self.whole)
        one._set_on(self.whole.database.view(check, tenant), self.whole.database.view(check, None), tenant, says or tenant or "")
        return one

    def _stored_as(self, conversation: str) -> str:
        return f"{OF_TENANT}{self._tenant}\t{conversation}" if self._tenant else conversation

    def get(self, conversation: str) -> dict[str, Json]:
        """The conversation's chain so far: values as JSON by name, its snapshots as they are, and its phase; empty at first. Raises
        Unreadable."""
        name = self._stored_as(conversation)
        with self.database.read() as connection:
            text = connection.execute(sa.select(drafts.c.json).where(drafts.c.conversation == name)).scalar()
        if not text:
            return {}
        chain = brought_up(CONVERSATION, loaded(text, WHAT), WHAT)
        seen = chain.get("snapshots") or {}
        if any(isinstance(one, str) for one in seen.values()):
            chain["snapshots"] = {platform: self._snapshot(name, platform, digest) for platform, digest in seen.items()}
        return chain

    def put(self, conversation: str, chain: Mapping[str, Json]) -> None:
        """A snapshot is written once, however often the conversation is: it is by far the largest value of it."""
        seen: Mapping[PlatformName, Snapshot] = chain.get("snapshots") or {}
        digests = {platform: snapshot.digest for platform, snapshot in seen.items()}
        conversation = self._stored_as(conversation)
        text = json.dumps(with_shape(CONVERSATION, {**chain, "snapshots": digests} if digests else chain))
        with self.database.write() as connection:
            _write(connection, conversation, text)
            mine = drafts.c.conversation.startswith(_seen_by(conversation, ""), autoescape=True)
            there = set(connection.execute(sa.select(drafts.c.conversation).where(mine)).scalars())
            wanted = {_seen_by(conversation, digests[platform]): snapshot for platform, snapshot in seen.items()}
            for name in there - set(wanted):
                connection.execute(drafts.delete().where(drafts.c.conversation == name))
            for name in set(wanted) - there:
                _write(connection, name, written(wanted[name]))
        for platform, snapshot in seen.items():
            self._remember(digests[platform], snapshot)

    def _snapshot(self, conversation: str, platform: PlatformName, digest: str) -> Snapshot:
        """Of this process, where it was seen or read in it. Raises Unreadable."""
        if found := self._snapshots.get(digest):
            return found
        name = _seen_by(conversation, digest)
        with self.database.read() as connection:
            text = connection.execute(sa.select(drafts.c.json).where(drafts.c.conversation == name)).scalar()
        snapshot = read(_KINDS[platform], text or "", "What was seen of the world")
        self._remember(digest, snapshot)
        return snapshot

    def _remember(self, digest: str, snapshot: Snapshot) -> None:
        self._snapshots.setdefault(digest, snapshot)
        for old in list(self._snapshots)[:-SNAPSHOTS_MAX]:
            self._snapshots.pop(old, None)

    def conversations(self) -> list[str]:
        """Their names, the newest last."""
        own = self._stored_as("")
        with self.database.read() as connection:
            query = sa.select(drafts.c.conversation).where(~drafts.c.conversation.startswith(SEEN, autoescape=True))
            if self._tenant is not None:
                tenants = drafts.c.conversation.startswith(own or OF_TENANT, autoescape=True)
                query = query.where(tenants if own else ~tenants)
            return [name.removeprefix(own) for name in connection.execute(query).scalars()]

    def release(self, family: str) -> None:
        with self.database.write() as connection:
            self.reservations.release(connection, family)

    def release_made(self, family: str, run_id: str, made: Reserved, until: datetime, kept: Reserved) -> None:
        """What was promised to a run is free; what it has made is remembered until then, and what it keeps for good. Nothing made: it is
        gone."""
        with self.database.write() as connection:
            self.reservations.release(connection, family)
            self.reservations.forget_made(connection, run_id)
            if made.machines:
                self.reservations.remember_made(connection, run_id, made, until)
            self.reservations.keep(connection, run_id, family, kept)

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
