"""The process between a simulator and its pod: `python -m cluster_sim.guests.keeper`, started by pod.py.

It exists so that nothing outlives the simulator, however that ends: its standard input is a pipe whose other end only the
simulator holds, and the end of that input is the order to stop. It also keeps what the host must see to (cgroups, the apt
proxy).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

from cluster_sim.guests import podinit
from cluster_sim.guests.cgroups import cgroup_parent, clean_stale, make_cgroup
from cluster_sim.guests.namespaces import IdRange, id_range

SOCKET_NAME = "pod.sock"
LOCK_NAME = "pod.lock"
KEPT_NAME = "disks.kept"
START_SECONDS_MAX = 60.0
CLOSE_SECONDS_MAX = 20.0


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m cluster_sim.guests.keeper", description=__doc__)
    words.add_argument("--keep", action="store_true", help="disks outlive this run, and are found again by the next")
    words.add_argument("folder", type=Path)
    words.add_argument("image", type=Path)
    words.add_argument("gateways", nargs="*")
    given = words.parse_args()
    ids = id_range()
    parent = cgroup_parent()
    for trouble in (ids, parent):
        if isinstance(trouble, str):
            _tell({"problem": trouble})
            return 1
    assert not isinstance(ids, str)
    assert isinstance(parent, Path)
    if not _alone(given.folder):
        _tell({"problem": f"Another simulator keeps its guests in {given.folder}. Stop it, or give this one another folder."})
        return 1
    clean_stale(parent)
    cgroup = make_cgroup(parent)
    try:
        return _run_pod(given.folder, given.image, tuple(given.gateways), ids, cgroup, given.keep)
    finally:
        podinit.remove_cgroups(str(cgroup))


def _alone(folder: Path) -> bool:
    """Takes the folder for this process and its pod, waiting for a predecessor that is on its way out."""
    lock = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(lock, False)
    ending = time.monotonic() + CLOSE_SECONDS_MAX
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > ending:
                return False
            time.sleep(0.1)


def _run_pod(folder: Path, image: Path, gateways: tuple[str, ...], ids: IdRange, cgroup: Path, keep: bool) -> int:
    disks = folder / "disks"
    disks.mkdir(exist_ok=True)
    # Disks without the mark are left from a folder that somebody tried to remove: a plain user cannot remove all of them.
    mark = folder / KEPT_NAME
    known = keep and mark.exists()
    if keep:
        mark.touch()
    else:
        mark.unlink(missing_ok=True)
    if not ids.with_own_id:
        os.chown(disks, ids.uid_first, ids.gid_first)
    # A socket's address holds about a hundred bytes; its folder may be deep.
    os.chdir(folder)
    control = socket.socket(socket.AF_UNIX)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(SOCKET_NAME)
    control.bind(SOCKET_NAME)
    os.chmod(SOCKET_NAME, 0o600)
    control.listen(64)
    here, there = socket.socketpair()
    pod_pid = podinit.enter(
        podinit.PodPlan(str(image), str(disks), str(cgroup), gateways, wipe_first=not known, wipe_last=not keep),
        ids,
        control,
        there,
    )
    there.close()
    control.close()
    try:
        here.settimeout(START_SECONDS_MAX)
        _, apt_gates, _, _ = socket.recv_fds(here, 8, 1)
        if not apt_gates:
            _tell({"problem": f"The pod did not start. What it said is in {folder / 'pod.log'}."})
            return 1
        asyncio.run(_watch(pod_pid, socket.socket(fileno=apt_gates[0])))
        return 0
    finally:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pod_pid, signal.SIGKILL)
            os.waitpid(pod_pid, 0)


async def _watch(pod_pid: int, apt_gate: socket.socket) -> None:
    # Imported now, so that the pod was forked from a small process.
    from cluster_sim.guests.apt_proxy import serve_apt

    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    loop.add_reader(0, lambda: stopping.set() if not os.read(0, 4096) else None)
    pod_ended = asyncio.Event()
    pod = os.pidfd_open(pod_pid)

    def ended() -> None:
        loop.remove_reader(pod)
        pod_ended.set()
        stopping.set()

    loop.add_reader(pod, ended)
    async with serve_apt(apt_gate):
        _tell({"ready": True})
        await stopping.wait()
    if not pod_ended.is_set():
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            await asyncio.wait_for(_close_pod(pod_ended), CLOSE_SECONDS_MAX)


async def _close_pod(pod_ended: asyncio.Event) -> None:
    _, writer = await asyncio.open_unix_connection(SOCKET_NAME)
    writer.write(json.dumps({"op": "close"}).encode() + b"\n")
    await pod_ended.wait()


def _tell(what: dict[str, object]) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(what), flush=True)


if __name__ == "__main__":
    sys.exit(main())
