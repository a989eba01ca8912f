"""How guests' bodies follow what happens to the guests: booted, put to rest, removed, and noticed when they go off by themselves.

Bodies take their time and the service must not wait, so whatever is asked of one is asked in a thread.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from urllib.parse import unquote

from ..guests.values import GuestSpec
from .addressing import address_of
from .cluster import Cluster
from .configuration import apply_pending, disks
from .errors import TaskFailed
from .sizes import read_size
from .state import Guest
from .tasks import Worker

AGENT_FILE = "/usr/sbin/qemu-ga"
_UP_LOOKS_MAX = 600
_LOOK_EVERY_S = 0.1
_NOTICE_EVERY_S = 2.0


def spec_of(cluster: Cluster, guest: Guest) -> GuestSpec | None:
    """The body a guest gets, or None: it needs a cloud-init drive, a key to let someone in, and an address."""
    if cluster.bodies is None or cluster.bodies.kind == "none":
        return None
    keys = tuple(k for k in unquote(guest.config.get("sshkeys", "")).splitlines() if k.strip())
    if not keys or not any(d.is_cloud_init for d in disks(guest).values()):
        return None
    card = address_of(cluster, guest)
    if card is None or (card.address.version == 6 and cluster.bodies.kind != "emulated"):
        return None  # The network of real bodies has IPv4 alone.
    return GuestSpec(
        key=str(guest.vmid),
        hostname=guest.name,
        mac=card.mac,
        address=card.address,
        gateway=card.gateway,
        user=guest.config.get("ciuser", guest.default_user),
        ssh_keys=keys,
        password=guest.password,
        dhcp=card.asked,
        cpu_count=guest.cores,
        memory_bytes=guest.memory_bytes,
        drives=tuple(
            (key, drive.options["serial"], (read_size(drive.options["size"]) or 0) // 2**30)
            for key, drive in sorted(disks(guest).items())
            if "serial" in drive.options and "size" in drive.options
        ),
    )


def boot(cluster: Cluster, guest: Guest) -> Worker:
    spec, bodies = spec_of(cluster, guest), cluster.bodies
    new = not guest.has_body
    guest.has_body = spec is not None
    if spec is None or bodies is None:
        return None

    def boot_body() -> None:
        if new:
            # A simulator that was killed may have left the disk of a guest that its saved world does not know.
            bodies.destroy(spec.key)
        bodies.boot(spec)

    booted = cluster.in_thread(boot_body)
    yield booted
    trouble = booted.exception()
    if trouble is not None:
        cluster.say(f"The body of guest {guest.vmid} ({guest.name}) did not boot: {trouble}")
        raise TaskFailed(f"start failed: {trouble}")
    cluster.waking[guest.vmid] = cluster.in_thread(lambda: _until_up(cluster, str(guest.vmid)))
    return None


def _until_up(cluster: Cluster, key: str) -> bool:
    for _ in range(_UP_LOOKS_MAX):
        if cluster.closing:
            return False
        if cluster.bodies is not None and cluster.bodies.is_up(key):
            return True
        time.sleep(_LOOK_EVERY_S)
    cluster.say(f"Guest {key} did not come up within {_UP_LOOKS_MAX * _LOOK_EVERY_S:.0f} s of its boot.")
    return False


def rest(cluster: Cluster, guest: Guest, *, force: bool) -> Worker:
    bodies, key = cluster.bodies, str(guest.vmid)
    if not guest.has_body or bodies is None:
        return None
    asleep = cluster.in_thread(lambda: bodies.shutdown(key, force))
    yield asleep
    if asleep.exception() is not None:
        raise TaskFailed("VM quit/powerdown failed - got timeout")
    cluster.waking.pop(guest.vmid, None)
    return None


def remove(cluster: Cluster, guest: Guest) -> Worker:
    bodies, key = cluster.bodies, str(guest.vmid)
    if guest.has_body and bodies is not None:
        yield cluster.in_thread(lambda: bodies.destroy(key))
    return None


def is_up(cluster: Cluster, guest: Guest) -> bool:
    """Has it booted, so that an agent in it would answer?"""
    if not guest.running:
        return False
    if guest.has_body:
        waking = cluster.waking.get(guest.vmid)
        return waking is not None and waking.done() and waking.exception() is None and waking.result() is True
    return cluster.now >= guest.started_at + cluster.timing.boot_s / cluster.agenda.pace


def has_agent(cluster: Cluster, guest: Guest) -> bool:
    """Whether the program is in the guest. Where the image came without it, its body is looked at, in a thread, until it is found."""
    bodies = cluster.bodies
    if guest.agent_inside or not guest.has_body or bodies is None:
        return guest.agent_inside
    looking = cluster.searches.pop(guest.vmid, None)
    if looking is not None and looking.done():
        guest.agent_inside = looking.exception() is None and looking.result().returncode == 0
    else:
        cluster.searches[guest.vmid] = looking or cluster.in_thread(lambda: bodies.exec(str(guest.vmid), ["test", "-e", AGENT_FILE]))
    return guest.agent_inside


def notice(cluster: Cluster) -> None:
    """A guest may switch itself off from inside. Asked every few seconds, in a thread, and acted on at the next request."""
    alive = {g.vmid for g in cluster.guests.values() if g.has_body and g.running}
    if cluster.watch is not None and cluster.watch[0].done():
        (seen, asked), cluster.watch = cluster.watch, None
        if seen.exception() is None:
            for vmid in (asked & alive) - {int(key) for key in seen.result() if key.isdigit()}:  # beside those of Azure
                cluster.guests[vmid].running = False
                cluster.waking.pop(vmid, None)
                apply_pending(cluster.guests[vmid])
    bodies = cluster.bodies
    if alive and bodies is not None and cluster.watch is None and cluster.now >= cluster.watched_at + _NOTICE_EVERY_S:
        cluster.watched_at = cluster.now
        settled = frozenset(v for v in alive if not cluster.guests[v].lock)
        asking: Future[tuple[str, ...]] = cluster.in_thread(bodies.running)
        cluster.watch = (asking, settled)
