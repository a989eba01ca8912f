"""The cluster as one value that changes: state, agenda, and the few questions everything else asks of it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ..clock import Clock
from ..guests.values import Bodies, Executed
from .access import Access, Who
from .errors import TaskFailed, failed, forbidden, no_such_guest
from .faults import Faults
from .rules import Firewall
from .section import TimingSection
from .state import Bridge, Guest, HighAvailability, Network, Node, Pool, Storage, Volume, WebAddress
from .tasks import Agenda, Worker
from .vnets import Sdn

_THREADS_MAX = 32
"""Bodies that boot, come up or stop at the same time; each waits in a thread of its own."""


@dataclass
class Cluster:
    name: str
    clock: Clock
    seed: int
    nodes: dict[str, Node]
    storages: dict[str, Storage]
    networks: list[Network]
    bridges: dict[str, Bridge]
    access: Access
    version: str = "9.2.2"
    timing: TimingSection = field(default_factory=TimingSection)
    volumes: dict[tuple[str, str | None, str], Volume] = field(default_factory=dict)
    guests: dict[int, Guest] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    ha: HighAvailability = field(default_factory=HighAvailability)
    sdn: Sdn = field(default_factory=Sdn)
    firewall: Firewall = field(default_factory=Firewall)
    faults: Faults = field(default_factory=Faults)
    web: dict[str, WebAddress] = field(default_factory=dict)
    """By address; whatever is not here is what a client expects."""
    bodies: Bodies | None = None
    agenda: Agenda = field(default_factory=Agenda)
    leases: dict[str, str] = field(default_factory=dict)
    """MAC → address."""
    lost: dict[str, float] = field(default_factory=dict)
    """Nodes that died while the world went on, and when."""
    locks: dict[str, list[object]] = field(default_factory=dict)
    """Names of the locks that are held, each with its queue."""
    options: dict[str, Any] = field(default_factory=dict)
    past: dict[tuple[Any, ...], tuple[Any, dict[int, dict[str, Any]]]] = field(default_factory=dict)
    """Figures of the past that were computed once (history.py)."""
    waking: dict[int, Future[bool]] = field(default_factory=dict)
    """Guests with a body that were booted: is it up by now?"""
    searches: dict[int, Future[Executed]] = field(default_factory=dict)
    """For the guest agent, in the bodies of guests whose image came without."""
    commands: dict[tuple[int, int], Future[Executed]] = field(default_factory=dict)
    """What the agents were told to run, by guest and process number."""
    watch: tuple[Future[tuple[str, ...]], frozenset[int]] | None = None
    """A look at which bodies run, under way, and the guests it is about."""
    watched_at: float = 0.0
    closing: bool = False
    say: Callable[[str], None] = lambda text: None
    _fresh: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _threads: ThreadPoolExecutor | None = None

    @property
    def now(self) -> float:
        return self.agenda.now

    def settle(self) -> None:
        self.agenda.settle(self.clock.now())

    def online(self, node: str) -> bool:
        return node not in self.faults.silent

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])

    @property
    def quorate(self) -> bool:
        return sum(self.online(node) for node in self.nodes) * 2 > len(self.nodes)

    def require_quorum(self) -> None:
        """In the words of check_cfs_quorum (pve-cluster, 2026-11-29)."""
        if not self.quorate:
            raise failed("cluster not ready - no quorum?")

    def guest(self, node: str, vmid: int) -> Guest:
        """The guest, if its configuration is on this node: Proxmox looks nowhere else."""
        guest = self.guests.get(vmid)
        if guest is None or guest.node != node:
            raise no_such_guest(node, vmid)
        return guest

    def storage(self, name: str) -> Storage:
        if name not in self.storages:
            raise failed(f"storage '{name}' does not exist")
        return self.storages[name]

    def pool_of(self, vmid: int) -> str | None:
        return next((p.name for p in self.pools.values() if vmid in p.vmids), None)

    def privileges(self, who: Who, path: str) -> dict[str, bool]:
        """What is held on a path; on a guest or storage that is in a pool, also what is held on the pool."""
        kind, _, name = path.strip("/").partition("/")
        pool = None
        if kind == "vms" and name.isdigit():
            pool = self.pool_of(int(name))
        elif kind == "storage":
            pool = next((p.name for p in self.pools.values() if name in p.storages), None)
        return self.access.privileges(who, path, pool)

    def may(self, who: Who, path: str, *any_of: str) -> bool:
        held = self.privileges(who, path)
        return any(p in held for p in any_of)

    def require(self, who: Who, path: str, *any_of: str) -> None:
        if not self.may(who, path, *any_of):
            raise forbidden(path, *any_of)

    def start_task(self, node: str, kind: str, id: str | int, who: Who, worker: Worker) -> str:
        fault = self.faults.of_task(kind, node, str(id))
        return self.agenda.start(node, kind, str(id), who.user, who.token, worker, fault)

    def in_thread(self, function: Callable[[], Any]) -> Future[Any]:
        """Bodies of guests take seconds, and the service must not block: they are woken and put to rest in threads."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS_MAX, thread_name_prefix="cluster-sim-bodies")
        return self._threads.submit(function)

    def close(self) -> None:
        self.closing = True
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)

    def chance(self, *what: object) -> bytes:
        """Bytes that look random and are the same in every run of the same world."""
        return hashlib.sha256(repr((self.seed, *what)).encode()).digest()

    def fresh(self) -> int:
        return next(self._fresh)

    def lock(self, name: str, timeout_text: str) -> Worker:
        """Waits for a lock, first come first served; gives up with Proxmox's words. Use with `yield from`, then `unlock`."""
        me = object()
        queue = self.locks.setdefault(name, [])
        queue.append(me)
        until = self.now + self.timing.lock_wait_s / self.agenda.pace
        held = False
        try:
            while queue[0] is not me:
                if self.now >= until:
                    raise TaskFailed(timeout_text)
                yield 0.05
            held = True
        finally:
            if not held:
                queue.remove(me)
        return None

    def unlock(self, name: str) -> None:
        queue = self.locks.get(name)
        if queue:
            queue.pop(0)
            if not queue:
                del self.locks[name]
