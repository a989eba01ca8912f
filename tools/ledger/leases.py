"""Who carries out what: one living process a lease, each new holder with a higher fence. Which leases are wanted is the engine's matter."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tools.clients.detached import this_machine
from tools.clients.files import private_folder
from tools.ledger.database import Database, leases
from tools.values.value import sha256

LEASE_SECONDS = 5.0


class LeaseLost(BaseException):
    """Somebody else carries this out by now: drop everything and write nothing. Not an Exception, so that no step takes it for a
    failure."""


class Lease:
    """Held until released, or until this process dies."""

    def __init__(self, name: str, holder: str, fence: int, handle: int, sharer: str = "") -> None:
        self.name = name
        self.holder = holder
        self.fence = fence
        self.handle = handle
        self.sharer = sharer
        self.times = 1
        """How often it is held, by the parts of one sharer."""
        self.was_waited_for = False
        """Somebody else had it just before."""


class Leases:
    """On one machine a file lock decides, which the kernel frees in the instant a holder dies, and never sooner. Between machines (a
    PostgreSQL ledger) the row's heartbeat decides: a holder that was silent for LEASE_SECONDS is taken for dead, and its fence is
    too low for anything it may still try to write. The folder of the locks is never one that machines share."""

    def __init__(self, database: Database, home: Path, holder: str, now: Callable[[], datetime], seconds: float = LEASE_SECONDS) -> None:
        self._database = database
        self._folder = home / "leases"
        self._now = now
        self.holder = holder
        self.seconds = seconds
        self.machine = f"{this_machine()} {home}"
        self._held: dict[str, Lease] = {}
        self._guard = threading.Lock()
        self._seen: dict[str, tuple[tuple[int, float], float]] = {}
        """The last beat of each holder on another machine, and when it was first seen."""

    def take(self, name: str, sharer: str = "") -> Lease | None:
        """None when a living process holds it, this one included, unless for the same sharer: then it is released as often as taken."""
        with self._guard:
            held = self._held.get(name)
            if held is not None and sharer and held.sharer == sharer:
                held.times += 1
                return held
            return self._take(name, sharer)

    def _take(self, name: str, sharer: str) -> Lease | None:
        handle = os.open(private_folder(self._folder) / f"{sha256(name.encode())[:24]}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        lease = None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fence = self._take_row(name)
            if fence is not None:
                lease = self._held[name] = Lease(name, self.holder, fence, handle, sharer)
        except BlockingIOError:
            pass
        finally:
            # A database that is away must not leave a lock behind that only this process's death would free.
            if lease is None:
                os.close(handle)
        return lease

    def release(self, lease: Lease) -> None:
        """Whatever the database says to it, this process holds it no longer."""
        with self._guard:
            lease.times -= 1
            if lease.times:
                return
            self._held.pop(lease.name, None)
            try:
                with self._database.write() as connection:
                    at = (leases.c.name == lease.name) & (leases.c.fence == lease.fence)
                    connection.execute(leases.update().where(at).values(holder="", beat_at=0.0))
            finally:
                with suppress(OSError):
                    os.close(lease.handle)

    def beat(self) -> None:
        """Says that this process lives, for every lease it holds."""
        held = list(self._held.values())
        if not held:
            return
        with self._database.write() as connection:
            for lease in held:
                at = (leases.c.name == lease.name) & (leases.c.fence == lease.fence)
                connection.execute(leases.update().where(at).values(beat_at=self._now().timestamp()))

    def check(self, connection: Connection, lease: Lease) -> None:
        """In the transaction of a write: raises LeaseLost when the write is not ours to make any more."""
        fence = connection.execute(sa.select(leases.c.fence).where(leases.c.name == lease.name)).scalar()
        if fence != lease.fence:
            raise LeaseLost(lease.name)

    def _is_silent(self, name: str, beat: tuple[int, float], now: float) -> bool:
        """As seen from here: two machines need not agree on the time."""
        seen, since = self._seen.get(name, (None, now))
        if seen != beat:
            self._seen[name] = (beat, now)
            return False
        return now - since >= self.seconds

    def _take_row(self, name: str) -> int | None:
        now = self._now().timestamp()
        with self._database.write() as connection:
            row = connection.execute(sa.select(leases).where(leases.c.name == name)).first()
            if row is None:
                connection.execute(leases.insert().values(name=name, holder=self.holder, machine=self.machine, fence=1, beat_at=now))
                return 1
            elsewhere = row.holder and row.machine != self.machine
            if elsewhere and not self._is_silent(name, (int(row.fence), float(row.beat_at)), now):
                return None
            fence = int(row.fence) + 1
            values = {"holder": self.holder, "machine": self.machine, "fence": fence, "beat_at": now}
            connection.execute(leases.update().where(leases.c.name == name).values(**values))
            return fence
