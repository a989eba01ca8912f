"""Starting and stopping guests. What is wrong with the request shows in how the task ends, as on a real cluster."""

from __future__ import annotations

from urllib.parse import unquote

from ..guests.values import GuestSpec
from .access import Who
from .addressing import place_of
from .call import Call
from .cluster import Cluster
from .configuration import apply_pending, disks
from .errors import TaskFailed
from .state import Guest
from .tasks import Worker

MANAGER_S = 8.0
"""How long the manager of high availability takes to act on a wish."""


def start(call: Call) -> str:
    guest = call.guest
    return _wish(call, "hastart", "started") or call.start_task("qmstart", guest.vmid, starting(call.cluster, guest))


def stop(call: Call) -> str:
    guest = call.guest
    return _wish(call, "hastop", "stopped") or call.start_task("qmstop", guest.vmid, _stop(call.cluster, guest))


def shutdown(call: Call) -> str:
    guest = call.guest
    return _wish(call, "hashutdown", "stopped") or call.start_task("qmshutdown", guest.vmid, _shutdown(call.cluster, guest))


def _wish(call: Call, kind: str, state: str) -> str | None:
    """Of a guest under high availability a start or stop is only a wish: noted at once, acted on by the manager a little later."""
    cluster, guest = call.cluster, call.guest
    resource = cluster.ha.resources.get(f"vm:{guest.vmid}")
    if resource is None or resource["state"] == "ignored":
        return None

    def note() -> Worker:
        yield f"Requesting HA {kind.removeprefix('ha')} for VM {guest.vmid}"
        resource["state"] = state
        cluster.agenda.after(MANAGER_S, lambda: follow(cluster, guest))
        return None

    return call.start_task(kind, guest.vmid, note())


def follow(cluster: Cluster, guest: Guest) -> None:
    """The manager brings a guest into the state that its resource asks for."""
    resource = cluster.ha.resources.get(f"vm:{guest.vmid}")
    if resource is None or guest.vmid not in cluster.guests:
        return
    root = Who("root@pam")
    if resource["state"] == "started" and not guest.running:
        cluster.start_task(guest.node, "qmstart", guest.vmid, root, starting(cluster, guest))
    elif resource["state"] in ("stopped", "disabled") and guest.running:
        cluster.start_task(guest.node, "qmshutdown", guest.vmid, root, _shutdown(cluster, guest))


def reboot(call: Call) -> str:
    guest = call.guest

    def worker() -> Worker:
        if not guest.running:
            raise TaskFailed(f"VM {guest.vmid} not running")
        yield from _shutdown(call.cluster, guest)
        yield from starting(call.cluster, guest)
        return None

    return call.start_task("qmreboot", guest.vmid, worker())


def starting(cluster: Cluster, guest: Guest) -> Worker:
    yield cluster.timing.start_s
    _check(guest)
    if guest.is_template:
        raise TaskFailed("you can't start a vm if it's a template")
    if guest.running:
        raise TaskFailed(f"VM {guest.vmid} already running")
    apply_pending(guest)
    spec = body_of(cluster, guest)
    if spec is not None and cluster.bodies is not None:
        booted = cluster.in_thread(lambda: cluster.bodies.boot(spec))  # type: ignore[union-attr]
        yield booted
        trouble = booted.exception()
        if trouble is not None:
            cluster.say(f"The body of guest {guest.vmid} did not boot: {trouble}")
            raise TaskFailed(f"start failed: {trouble}")
        guest.has_body = True
    mark_running(cluster, guest)
    return None


def mark_running(cluster: Cluster, guest: Guest) -> None:
    guest.running, guest.started_at = True, cluster.now
    guest.pid = 1_000_000 + guest.vmid % 1_000_000


def _stop(cluster: Cluster, guest: Guest) -> Worker:
    yield cluster.timing.stop_s
    _check(guest)
    yield from _put_to_rest(cluster, guest, force=True)
    return None


def _shutdown(cluster: Cluster, guest: Guest) -> Worker:
    _check(guest)
    if not guest.running:
        raise TaskFailed(f"VM {guest.vmid} not running")
    yield cluster.timing.shutdown_s
    yield from _put_to_rest(cluster, guest, force=False)
    return None


def _put_to_rest(cluster: Cluster, guest: Guest, *, force: bool) -> Worker:
    if guest.has_body and cluster.bodies is not None:
        asleep = cluster.in_thread(lambda: cluster.bodies.shutdown(str(guest.vmid), force))  # type: ignore[union-attr]
        yield asleep
        if asleep.exception() is not None:
            raise TaskFailed("VM quit/powerdown failed - got timeout")
    guest.running = False
    apply_pending(guest)
    return None


def _check(guest: Guest) -> None:
    if guest.lock:
        raise TaskFailed(f"VM is locked ({guest.lock})")


def body_of(cluster: Cluster, guest: Guest) -> GuestSpec | None:
    """The body a guest gets, or None: it needs a cloud-init drive, a key to let someone in, and an address."""
    if cluster.bodies is None or cluster.bodies.kind == "none":
        return None
    keys = tuple(k for k in unquote(guest.config.get("sshkeys", "")).splitlines() if k.strip())
    if not keys or not any(d.is_cloud_init for d in disks(guest).values()):
        return None
    place = place_of(cluster, guest)
    if place is None:
        return None
    return GuestSpec(
        key=str(guest.vmid),
        hostname=guest.name,
        mac=place.mac,
        address=place.address,
        gateway=place.gateway,
        user=guest.config.get("ciuser", guest.default_user),
        ssh_keys=keys,
        password=guest.password,
    )


def is_up(cluster: Cluster, guest: Guest) -> bool:
    """Has it booted, so that an agent in it would answer?"""
    if not guest.running:
        return False
    if guest.has_body and cluster.bodies is not None:
        return cluster.bodies.is_up(str(guest.vmid))
    return cluster.now >= guest.started_at + cluster.timing.boot_s / cluster.agenda.pace


def notice_bodies(cluster: Cluster) -> None:
    """A guest may switch itself off from inside."""
    if cluster.bodies is None or not any(g.has_body and g.running for g in cluster.guests.values()):
        return
    alive = cluster.bodies.running()
    for guest in cluster.guests.values():
        if guest.has_body and guest.running and str(guest.vmid) not in alive and not guest.lock:
            guest.running = False
            apply_pending(guest)
