"""Inside the pod: one user namespace with one network, whose first process starts guests and answers the control socket.

Getting here (files, cgroups, the apt proxy, cleaning up) belongs to keeper.py; what is said on the socket is used by pod.py.
Standard library only, and nothing is imported late: the guests' root may not be allowed to read where Python lives,
so after `enter` every process here is a fork, never a new Python.

The control socket takes one line of JSON and answers with one line of JSON. One thread serves it: whatever waits is a child.
"""

from __future__ import annotations

import array
import contextlib
import encodings.idna  # noqa: F401  socket.connect would import it late
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cluster_sim.guests import namespaces as ns
from cluster_sim.guests.machine import GUEST_ENVIRONMENT, Parts, become, ip, or_die, write_files
from cluster_sim.guests.seed import APT_PROXY_PORT

SSH_PORT = 22
CONNECT_SECONDS = 5.0
UP_LOOKS_MAX = 1200
UP_LOOK_SECONDS = 0.1
EXEC_SECONDS_MAX = 300.0
CLOSE_PATIENCE_SECONDS = 8.0
LINE_BYTES_MAX = 1 << 20
SHUT_DOWN = signal.SIGRTMIN + 4
"""systemd's own signal for an orderly power-off."""

# How the first process of a pid namespace ends tells what its guest asked of the machine.
ENDED_BY: dict[int, str] = {signal.SIGINT: "powered off", signal.SIGHUP: "restarts", signal.SIGKILL: "was stopped"}


@dataclass(frozen=True)
class PodPlan:
    image: str
    """Folder with the unpacked base image."""
    disks: str
    """Folder for what each guest changed."""
    cgroup: str
    gateways: tuple[str, ...]
    """One `address/prefix` for each network; all of them on one bridge."""
    wipe_first: bool
    wipe_last: bool


@dataclass
class Guest:
    name: str
    request: dict[str, Any]
    keeper_pid: int
    init_pid: int
    prober_pid: int
    up: bool = False
    waiting: list[socket.socket] = field(default_factory=list)


def enter(plan: PodPlan, ids: ns.IdRange, control: socket.socket, proxy_gate: socket.socket) -> int:
    """Starts the pod and returns the pid that ends it all. The caller has one thread, and `control` is already listening."""
    mapped_in, mapped_out = os.pipe()
    ready_in, ready_out = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(mapped_out)
        os.close(ready_in)
        or_die(lambda: _outer(plan, ids, control, proxy_gate, mapped_in, ready_out, parent))
    os.close(mapped_in)
    os.close(ready_out)
    try:
        if os.read(ready_in, 1) != b"u":
            raise OSError("the user namespace could not be made")
        if not ids.with_own_id:
            _give(plan.cgroup, ids.uid_first)
        Path(plan.cgroup, "pod", "cgroup.procs").write_text(str(pid))
        ids.write(pid)
        os.write(mapped_out, b"m")
    finally:
        os.close(mapped_out)
        os.close(ready_in)
    return pid


def _give(cgroup: str, uid: int) -> None:
    """Hands the cgroup to the guests' root, as systemd's delegation does."""
    for folder in (cgroup, f"{cgroup}/pod"):
        for name in ("", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
            os.chown(f"{folder}/{name}", uid, uid)


def _outer(plan: PodPlan, ids: ns.IdRange, control: socket.socket, gate: socket.socket, mapped: int, ready: int, parent: int) -> None:
    ns.die_with_parent(parent)
    # Ctrl-C in a terminal reaches the whole process group; how the pod ends is decided by the keeper alone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    real_root = not ids.with_own_id
    if real_root:
        view = _view(plan, ids)
    ns.unshare("user")
    os.write(ready, b"u")
    if os.read(mapped, 1) != b"m":
        os._exit(1)
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    ns.die_with_parent(parent)
    ns.unshare("mnt", "net", "uts", "ipc", "pid")
    if not real_root:
        view = _view(plan, ids)
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    # Inside the new pid namespace the parent has number 0.
    ns.die_with_parent(0)
    ns.mount("none", "/", flags="rec private")
    ns.mount("proc", "/proc", "proc", "nosuid nodev noexec")
    Pod(plan, view, control).run(gate)


def _view(plan: PodPlan, ids: ns.IdRange) -> str:
    """Where the guests' root reaches the image and the disks, though it may not walk there: below a root's 0700 home, say."""
    if not ids.with_own_id:
        ns.unshare("mnt")
    ns.mount("none", "/", flags="rec private")
    disks = os.open(plan.disks, os.O_PATH | os.O_DIRECTORY)
    image = os.open(plan.image, os.O_PATH | os.O_DIRECTORY)
    view = "/tmp" if os.path.isdir("/tmp") else "/var/tmp"  # noqa: S108  only covered here, never written
    ns.mount("tmpfs", view, "tmpfs", "nosuid nodev", "mode=755,size=1m")
    for name, folder in (("disks", disks), ("image", image)):
        os.mkdir(f"{view}/{name}")
        ns.mount(f"/proc/self/fd/{folder}", f"{view}/{name}", flags="bind")
        os.close(folder)
    return view


class Pod:
    def __init__(self, plan: PodPlan, view: str, control: socket.socket) -> None:
        self._plan, self._view, self._control = plan, view, control
        self._guests: dict[str, Guest] = {}
        self._cards = 0
        self._closing: socket.socket | None = None
        self._patience_ends = 0.0

    def run(self, gate: socket.socket) -> None:
        for words in ("link set lo up", "link add br0 type bridge", "link set br0 up"):
            ip(words)
        for gateway in self._plan.gateways:
            ip(f"addr add {gateway} dev br0")
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        if self._plan.wipe_first:
            self._wipe()
        listener = socket.create_server(("0.0.0.0", APT_PROXY_PORT), backlog=64)
        socket.send_fds(gate, [b"apt"], [listener.fileno()])
        listener.close()
        gate.close()
        self._serve()

    def _serve(self) -> None:
        wake_in, wake_out = os.pipe()
        os.set_blocking(wake_in, False)
        os.set_blocking(wake_out, False)
        signal.set_wakeup_fd(wake_out, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while self._closing is None or self._guests:
            readable, _, _ = select.select([self._control.fileno(), wake_in], [], [], None if self._closing is None else 0.5)
            if self._closing is not None and time.monotonic() > self._patience_ends:
                self._signal_all(signal.SIGKILL)
            if wake_in in readable:
                with contextlib.suppress(BlockingIOError):
                    os.read(wake_in, 512)
                self._reap()
            if self._control.fileno() in readable:
                connection, _ = self._control.accept()
                connection.settimeout(CONNECT_SECONDS)
                try:
                    self._answer(connection)
                except (OSError, ValueError, KeyError, subprocess.CalledProcessError) as problem:
                    _reply(connection, {"problem": f"The guests' pod could not do that: {_words(problem)}."})
        if self._plan.wipe_last:
            self._wipe()
        _reply(self._closing, {})

    def _answer(self, connection: socket.socket) -> None:
        request = json.loads(_line(connection))
        name = request.get("name", "")
        guest = self._guests.get(name)
        match request["op"]:
            case "boot":
                if guest is None:
                    self._boot(name, request)
                _reply(connection, {})
            case "list":
                _reply(connection, {"guests": {guest.name: guest.up for guest in self._guests.values()}})
            case "shutdown" | "stop" as deed:
                if guest is None:
                    _reply(connection, {})
                    return
                guest.waiting.append(connection)  # answered when it has ended
                with contextlib.suppress(ProcessLookupError):
                    os.kill(guest.init_pid, SHUT_DOWN if deed == "shutdown" else signal.SIGKILL)
            case "destroy":
                if guest is not None:
                    raise ValueError(f"guest {name} is running; stop it first")
                self._child(connection, lambda: _destroy(connection, f"{self._view}/disks/{name}"))
            case "exec":
                if guest is None:
                    raise ValueError(f"guest {name} is not running")
                init_pid = guest.init_pid
                self._child(connection, lambda: _exec(connection, init_pid, request["argv"]))
            case "dial":
                self._child(connection, lambda: _dial(connection, request["host"], int(request["port"])))
            case "close":
                self._closing = connection
                self._patience_ends = time.monotonic() + CLOSE_PATIENCE_SECONDS
                # Disks that are kept are left in order.
                self._signal_all(signal.SIGKILL if self._plan.wipe_last else SHUT_DOWN)
            case unknown:
                raise ValueError(f"it knows no {unknown}")

    def _signal_all(self, number: int) -> None:
        for guest in self._guests.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(guest.init_pid, number)

    def _child(self, connection: socket.socket, run: Callable[[], None]) -> int:
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            or_die(run)
        connection.close()
        return pid

    def _boot(self, name: str, request: dict[str, Any]) -> None:
        disk = f"{self._view}/disks/{name}"
        if not os.path.isdir(f"{disk}/upper"):
            self._make_disk(disk, request["new_disk"])
        # The overlay is mounted without syncing; its mark of an earlier mount is in the way of the next.
        shutil.rmtree(Path(disk, "work", "work", "incompat"), ignore_errors=True)
        parts = Parts(f"{self._view}/image", disk, f"{self._plan.cgroup}/guest-{name}")
        os.makedirs(parts.cgroup, exist_ok=True)
        here, there = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            here.close()
            or_die(lambda: become(parts, request, there))
        there.close()
        if here.recv(1) != b"n":
            raise OSError(f"guest {name} could not get namespaces of its own")
        self._cards += 1
        card = f"veth{self._cards}"
        ip(f"link add {card} type veth peer name eth0 address {request['mac']} netns {pid}")
        ip(f"link set {card} master br0 up")
        here.send(b"g")
        init_pid = struct.unpack("i", here.recv(4))[0]
        here.close()
        prober = os.fork()
        if prober == 0:
            or_die(lambda: _wait_for_ssh(request["address"].partition("/")[0]))
        self._guests[name] = Guest(name, request, pid, init_pid, prober)

    def _make_disk(self, disk: str, files: list[dict[str, Any]]) -> None:
        for name in ("upper", "work", "root"):
            os.makedirs(f"{disk}/{name}", exist_ok=True)
        os.chmod(f"{disk}/upper", 0o755)  # noqa: S103  a root directory
        write_files(f"{disk}/upper", files)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for guest in list(self._guests.values()):
                if pid == guest.prober_pid and status == 0:
                    guest.up = True
                if pid == guest.keeper_pid:
                    self._ended(guest, os.waitstatus_to_exitcode(status))

    def _ended(self, guest: Guest, code: int) -> None:
        del self._guests[guest.name]
        with contextlib.suppress(ProcessLookupError):
            os.kill(guest.prober_pid, signal.SIGKILL)
        remove_cgroups(f"{self._plan.cgroup}/guest-{guest.name}")
        for connection in guest.waiting:
            _reply(connection, {"ended": ENDED_BY.get(code, f"ended with {code}")})
        if code == signal.SIGHUP and self._closing is None:
            self._boot(guest.name, guest.request)

    def _wipe(self) -> None:
        """Removes every disk."""
        for name in os.listdir(f"{self._view}/disks"):
            shutil.rmtree(f"{self._view}/disks/{name}", ignore_errors=True)


def remove_cgroups(folder: str) -> None:
    """Removes a tree of cgroups that nobody is in any more; what is still lived in stays."""
    for path, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(path)


def _wait_for_ssh(host: str) -> None:
    for _ in range(UP_LOOKS_MAX):
        with contextlib.suppress(OSError), socket.create_connection((host, SSH_PORT), timeout=1.0) as connection:
            if connection.recv(4) == b"SSH-":
                return
        time.sleep(UP_LOOK_SECONDS)
    os._exit(1)


def _destroy(connection: socket.socket, disk: str) -> None:
    shutil.rmtree(disk, ignore_errors=True)
    _reply(connection, {})


def _dial(connection: socket.socket, host: str, port: int) -> None:
    """Hands the caller a connection into the pod's network."""
    try:
        far = socket.create_connection((host, port), timeout=CONNECT_SECONDS)
    except OSError as problem:
        _reply(connection, {"problem": f"No connection to {host} port {port}: {_words(problem)}."})
        return
    far.setblocking(True)
    connection.sendmsg([b"{}\n"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [far.fileno()]))])


def _exec(connection: socket.socket, init_pid: int, argv: list[str]) -> None:
    # Not every namespace (-a): the time namespace is refused.
    words = ["nsenter", "-m", "-u", "-i", "-n", "-p", "-t", str(init_pid), "--", *argv]
    environment = {"PATH": GUEST_ENVIRONMENT["PATH"], "LANG": "C.UTF-8", "HOME": "/root"}
    try:
        done = subprocess.run(words, check=False, capture_output=True, stdin=subprocess.DEVNULL, env=environment, timeout=EXEC_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        _reply(connection, {"problem": f"{argv[0]} was still running after {EXEC_SECONDS_MAX:.0f} s."})
        return
    texts = {"stdout": done.stdout.decode("utf-8", "replace"), "stderr": done.stderr.decode("utf-8", "replace")}
    _reply(connection, {"returncode": done.returncode, **texts})


def _line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        more = connection.recv(65536)
        if not more or len(line) > LINE_BYTES_MAX:
            raise ValueError("the request was not one line of JSON")
        line += more
    return line


def _reply(connection: socket.socket, answer: dict[str, Any]) -> None:
    connection.settimeout(None)
    with contextlib.suppress(OSError):  # the caller may have gone
        connection.sendall(json.dumps(answer).encode() + b"\n")
        # Children that were forked meanwhile still hold the connection; this ends it for the caller all the same.
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _words(problem: BaseException) -> str:
    if isinstance(problem, subprocess.CalledProcessError):
        return f"{' '.join(problem.cmd)}: {(problem.stderr or '').strip()}"
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    return str(problem) or type(problem).__name__
