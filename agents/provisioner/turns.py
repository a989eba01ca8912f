"""Messages of one conversation are taken one after another, in the order in which they came. Nobody waits in a thread. Where several
machines share a ledger, a lease of it has the last word; of two machines either may come first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from tools.values.trouble import Trouble

if TYPE_CHECKING:
    from tools.ledger.leases import Lease, Leases

log = logging.getLogger("berth.agents")

WORK = ThreadPoolExecutor(8, thread_name_prefix="berth-work")
"""For what looks at the world and plans: each has a Terraform of its own, so more of them at once are no faster."""
AT_ONCE = ThreadPoolExecutor(8, thread_name_prefix="berth-at-once")
"""For what only asks the ledger: it never waits for the other ones."""

LOOK_SECONDS = 0.1
ELSEWHERE_SECONDS_MAX = 600.0
"""For what another machine does for the message before this one: longer than any planning takes."""


class Place:
    """One conversation's turn in this process, and among the machines where there are several."""

    def __init__(self, lock: asyncio.Lock, leases: Leases | None) -> None:
        self._lock = lock
        self._leases = leases
        self._lease: Lease | None = None

    async def take(self, conversation: str) -> None:
        await self._lock.acquire()
        if self._leases is None:
            return
        loop = asyncio.get_running_loop()
        try:
            for _ in range(int(ELSEWHERE_SECONDS_MAX / LOOK_SECONDS)):
                self._lease = await loop.run_in_executor(AT_ONCE, self._leases.take, f"conversation {conversation}")
                if self._lease is not None:
                    return
                await asyncio.sleep(LOOK_SECONDS)
            log.warning("Another machine is still busy with %s; going on without waiting longer.", conversation)
        except Trouble as trouble:
            log.warning("Whose turn it is could not be asked: %s", trouble)  # The turn itself says what is wrong.
        except BaseException:
            self._lock.release()
            raise

    def give(self) -> None:
        self._lock.release()
        if self._leases is not None and self._lease is not None:
            with suppress(RuntimeError):  # The process ends, and its leases with it.
                AT_ONCE.submit(_release, self._leases, self._lease)


def _release(leases: Leases, lease: Lease) -> None:
    try:
        leases.release(lease)
    except Trouble as trouble:
        log.warning("A conversation could not be given back: %s", trouble)  # It is free when its lease has run out.


class Places:
    """Whose turn it is, by conversation. A place is given back by whoever took it, and at the latest when its task ends."""

    def __init__(self, leases: Callable[[], Leases | None] = lambda: None) -> None:
        """`leases`: of the ledger that several machines share; None where there is one machine."""
        self._leases = leases
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._held: dict[str, Place] = {}

    async def take(self, conversation: str, invocation_id: str) -> None:
        if invocation_id in self._held:
            return
        lock = self._locks.get(conversation)
        if lock is None:
            lock = self._locks[conversation] = asyncio.Lock()
        place = Place(lock, await asyncio.get_running_loop().run_in_executor(AT_ONCE, self._leases))
        await place.take(conversation)
        self._held[invocation_id] = place
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(lambda _: self.give(invocation_id))

    def give(self, invocation_id: str) -> None:
        place = self._held.pop(invocation_id, None)
        if place is not None:
            place.give()

    def give_after(self, invocation_id: str, work: Future[None]) -> None:
        """The client is gone, and what is done for it in a thread comes to its end before the next message is taken."""
        place = self._held.pop(invocation_id, None)
        if place is not None:
            loop = asyncio.get_running_loop()
            work.add_done_callback(lambda _: loop.call_soon_threadsafe(place.give))


def _shared() -> Leases | None:
    from .world import the_settings, the_world

    settings = the_settings()
    try:
        return the_world().ledger.leases if settings is not None and settings.is_on_postgresql else None
    except Trouble:
        return None  # The turn itself says what is wrong.


places = Places(_shared)
