"""Starting and stopping guests. What is wrong with the request shows in how the task ends, as on a real cluster."""

from __future__ import annotations

from . import bodies, processors
from .access import Who
from .addressing import take_address
from .call import Call
from .cluster import Cluster
from .configuration import apply_pending, nets
from .errors import TaskFailed
from .network import plug_problem
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
    """Of a guest under high availability a start or stop is only a wish: noted at once, acted on a little later."""
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
    for key, net in nets(guest).items():
        if problem := plug_problem(cluster, guest.node, net):
            yield problem
            script, interface = "/usr/libexec/qemu-server/pve-bridge", f"tap{guest.vmid}i{key.removeprefix('net')}"
            yield f"kvm: -netdev type=tap,id={key},ifname={interface},script={script}: network script {script} failed with status 6400"
            raise TaskFailed("start failed: QEMU exited with code 1")
    if missing := processors.missing(guest.config.get("cpu", ""), cluster.nodes[guest.node].flags):
        yield from (f"kvm: warning: host doesn't support requested feature: {flag}" for flag in missing)
        yield "kvm: Host doesn't support requested features"
        raise TaskFailed("start failed: QEMU exited with code 1")
    yield from bodies.boot(cluster, guest)
    mark_running(cluster, guest)
    return None


def mark_running(cluster: Cluster, guest: Guest) -> None:
    guest.running, guest.started_at = True, cluster.now
    take_address(cluster, guest)
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
    yield from bodies.rest(cluster, guest, force=force)
    guest.running = False
    apply_pending(guest)
    return None


def _check(guest: Guest) -> None:
    if guest.lock:
        raise TaskFailed(f"VM is locked ({guest.lock})")
