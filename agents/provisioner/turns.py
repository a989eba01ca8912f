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

from tools.clients.terraform import PLANNING_SECONDS_MAX
from tools.values.trouble import Trouble, WorldProblem

if TYPE_CHECKING:
    from tools.ledger.leases import Lease, Leases

log = logging.getLogger("berth.agents")

WORK = ThreadPoolExecutor(8, thread_name_prefix="berth-work")
"""For what looks at the world and plans: each has a Terraform of its own, so more of them at once are no faster."""
AT_ONCE = ThreadPoolExecutor(8, thread_name_prefix="berth-at-once")
"""For what only asks the ledger: it never waits for the other ones."""

LOOK_SECONDS = 0.1
ELSEWHERE_SECONDS_MAX = PLANNING_SECONDS_MAX
"""For what another machine does for the message before this one. Whoever waits longer is told so, and nothing is done without a turn."""


class Place:
    """One conversation's turn in this process, and among the machines where there are several."""

    def __init__(self, lock: asyncio.Lock, leases: Callable[[], Leases | None], seconds_max: float) -> None:
        self._lock = lock
        self._find_leases = leases
        self._seconds_max = seconds_max
        self._leases: Leases | None = None
        self.lease: Lease | None = None

    async def take(self, conversation: str) -> None:
        """Raises Trouble when another machine has it for too long, or nobody can say who has it: nothing is done without a turn."""
        await self._lock.acquire()  # First of all: whoever came first is first here.
        try:
            self._leases = await asyncio.wrap_future(AT_ONCE.submit(self._find_leases))
            if self._leases is not None:
                self.lease = await self._take_lease(self._leases, f"conversation {conversation}")
        except BaseException:
            self._lock.release()
            raise

    async def _take_lease(self, leases: Leases, name: str) -> Lease:
        for _ in range(int(self._seconds_max / LOOK_SECONDS)):
            taking = AT_ONCE.submit(leases.take, name)
            try:
                lease = await asyncio.wrap_future(taking)
            except BaseException:
                taking.add_done_callback(self._give_back)
                raise
            if lease is not None:
                return lease
            await asyncio.sleep(LOOK_SECONDS)
        raise WorldProblem(
            "The message before this one is still worked on.",
            f"Another machine has had this conversation for {self._seconds_max / 60:.0f} minutes, so nothing was done with this message.",
            "Send it again when that one is answered.",
        )

    def give(self) -> None:
        self._lock.release()
        self._release(self.lease)

    def _give_back(self, taking: Future[Lease | None]) -> None:
        """Whoever waited for it left while a thread took it."""
        if not taking.cancelled() and taking.exception() is None:
            self._release(taking.result())

    def _release(self, lease: Lease | None) -> None:
        if self._leases is not None and lease is not None:
            with suppress(RuntimeError):  # The process ends, and its leases with it.
                AT_ONCE.submit(_release, self._leases, lease)


def _release(leases: Leases, lease: Lease) -> None:
    try:
        leases.release(lease)
    except Trouble as trouble:
        log.warning("A conversation could not be given back: %s", trouble)  # It is free when its lease has run out.


class Places:
    """Whose turn it is, by conversation. A place is given back by whoever took it, and at the latest when its task ends."""

    def __init__(self, leases: Callable[[], Leases | None] = lambda: None, seconds_max: float = ELSEWHERE_SECONDS_MAX) -> None:
        """`leases`: of the ledger that several machines share; None where there is one machine. `seconds_max`: to wait for another one."""
        self._leases = leases
        self._seconds_max = seconds_max
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._held: dict[str, Place] = {}
        self._in_vain: dict[str, Trouble] = {}

    async def take(self, conversation: str, invocation_id: str) -> None:
        """Raises Trouble when its turn does not come. Whoever asks once more for the same invocation hears it at once."""
        if invocation_id in self._held:
            return
        if invocation_id in self._in_vain:
            raise self._in_vain[invocation_id]
        lock = self._locks.get(conversation)
        if lock is None:
            lock = self._locks[conversation] = asyncio.Lock()
        place = Place(lock, self._leases, self._seconds_max)
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(lambda _: self.give(invocation_id))
        try:
            await place.take(conversation)
        except Trouble as problem:
            self._in_vain[invocation_id] = problem
            raise
        self._held[invocation_id] = place

    def lease(self, invocation_id: str) -> Lease | None:
        """By which its conversation is this machine's; None where there is one machine."""
        place = self._held.get(invocation_id)
        return place.lease if place else None

    def give(self, invocation_id: str) -> None:
        self._in_vain.pop(invocation_id, None)
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
    return the_world().ledger.leases if settings is not None and settings.is_on_postgresql else None


places = Places(_shared)
