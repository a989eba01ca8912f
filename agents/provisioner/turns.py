"""Messages of one conversation are taken one after another, in the order in which they came. Nobody waits in a thread."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from weakref import WeakValueDictionary

WORK = ThreadPoolExecutor(8, thread_name_prefix="berth-work")
"""For what looks at the world and plans: each has a Terraform of its own, so more of them at once are no faster."""
AT_ONCE = ThreadPoolExecutor(8, thread_name_prefix="berth-at-once")
"""For what only asks the ledger: it never waits for the other ones."""


class Places:
    """Whose turn it is, by conversation. A place is given back by whoever took it, and at the latest when its task ends."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._held: dict[str, asyncio.Lock] = {}

    async def take(self, conversation: str, invocation_id: str) -> None:
        if invocation_id in self._held:
            return
        lock = self._locks.get(conversation)
        if lock is None:
            lock = self._locks[conversation] = asyncio.Lock()
        await lock.acquire()
        self._held[invocation_id] = lock
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(lambda _: self.give(invocation_id))

    def give(self, invocation_id: str) -> None:
        lock = self._held.pop(invocation_id, None)
        if lock is not None:
            lock.release()

    def give_after(self, invocation_id: str, work: Future[None]) -> None:
        """The client is gone, and what is done for it in a thread comes to its end before the next message is taken."""
        lock = self._held.pop(invocation_id, None)
        if lock is not None:
            loop = asyncio.get_running_loop()
            work.add_done_callback(lambda _: loop.call_soon_threadsafe(lock.release))


places = Places()
