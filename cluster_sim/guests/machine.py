"""How a forked process becomes a guest's machine: its namespaces, its disk and devices, its network card, and at last its init.

Which guests there are is podinit.py's business. Standard library only, and nothing is imported late.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster_sim.guests import namespaces as ns

KERNEL_KB = 48 * 1024
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
DEVICE_LINKS = (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
)
GUEST_ENVIRONMENT = {"container": "lxc", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "linux"}


@dataclass(frozen=True)
class Parts:
    """Where a guest's parts are, seen from inside the pod."""

    image: str
    disk: str
    cgroup: str


def become(parts: Parts, request: dict[str, Any], boss: socket.socket) -> None:
    """The child that becomes a guest's machine: its own child is the guest's first process."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Path(parts.cgroup, "cgroup.procs").write_text("0")
    ns.unshare("mnt", "net", "uts", "ipc", "pid", "cgroup")
    boss.send(b"n")
    if boss.recv(1) != b"g":
        os._exit(1)
    pid = os.fork()
    if pid == 0:
        or_die(lambda: _machine(parts, request))
    boss.send(struct.pack("i", pid))
    _close_above(2)
    _, status = os.waitpid(pid, 0)
    os._exit(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 64)


def _machine(parts: Parts, request: dict[str, Any]) -> None:
    os.setsid()
    disk, root = parts.disk, f"{parts.disk}/root"
    ns.mount("none", "/", flags="rec private")
    # `userxattr` because this is a user namespace (without it dpkg fails on renames); `volatile` because this disk need not
    # survive a power cut of the machine, and dpkg syncs after every file.
    layers = f"lowerdir={parts.image},upperdir={disk}/upper,workdir={disk}/work,userxattr,volatile"
    ns.mount("overlay", root, "overlay", "", layers)
    ns.mount("proc", f"{root}/proc", "proc", "nosuid nodev noexec")
    for name, text in sizes(Path("/proc/cpuinfo").read_text(), Path("/proc/meminfo").read_text(), request).items():
        Path(disk, name).write_text(text)
        ns.mount(f"{disk}/{name}", f"{root}/proc/{name}", flags="bind")
    ns.mount("sysfs", f"{root}/sys", "sysfs", "nosuid nodev noexec ro")
    ns.mount("cgroup2", f"{root}/sys/fs/cgroup", "cgroup2", "nosuid nodev noexec")
    _devices(f"{root}/dev")
    console = os.open(f"{disk}/console.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    Path(f"{root}/dev/console").touch()
    ns.mount(f"{disk}/console.log", f"{root}/dev/console", flags="bind")
    ns.mount("tmpfs", f"{root}/run", "tmpfs", "nosuid nodev", "mode=755")
    ns.mount("tmpfs", f"{root}/tmp", "tmpfs", "nosuid nodev", "mode=1777")  # noqa: S108
    ns.set_hostname(request["hostname"])
    for words in ("link set lo up", f"addr add {request['address']} dev eth0", "link set eth0 up"):
        ip(words)
    # With a gateway outside its own network a guest has no route, as a real one.
    with contextlib.suppress(subprocess.CalledProcessError):
        ip(f"route add default via {request['gateway']}")
    ns.pivot_root(root)
    # Written in here, where a link the guest has laid leads nowhere but into the guest.
    write_files("", request["drive"])
    null = os.open("/dev/null", os.O_RDWR)
    for number, source in ((0, null), (1, console), (2, console)):
        os.dup2(source, number)
    _close_above(2)
    os.execve("/sbin/init", ["/sbin/init"], GUEST_ENVIRONMENT)  # noqa: S606


def sizes(cpuinfo: str, meminfo: str, request: dict[str, Any]) -> dict[str, str]:
    """What /proc says of processors and memory, as a machine of its configured size would; the kernel itself is the host's."""
    found = {}
    if request.get("cpu_count"):
        first = cpuinfo.split("\n\n")[0]
        blocks = [re.sub(r"^(processor\s*: )\d+", rf"\g<1>{number}", first) for number in range(request["cpu_count"])]
        found["cpuinfo"] = "\n\n".join(blocks) + "\n\n"
    if request.get("memory_bytes"):
        # A kernel keeps 64 of every 4096 bytes for its page structures, and some for itself (Debian 12 with 8 GiB: MemTotal 8131032 kB).
        total_kb = request["memory_bytes"] // 1024 * 63 // 64 - KERNEL_KB
        found["meminfo"] = re.sub(
            r"^(Mem\w+:\s+)(\d+)",
            lambda line: f"{line[1]}{total_kb if line[1].startswith('MemTotal') else min(int(line[2]), total_kb * 3 // 4)}",
            meminfo,
            flags=re.MULTILINE,
        )
    return found


def write_files(root: str, files: list[dict[str, Any]]) -> None:
    for file in files:
        target = Path(f"{root}/{file['path']}")
        for folder in reversed(target.parents):
            if not folder.exists():
                folder.mkdir(mode=0o755)
        target.write_text(file["text"])
        target.chmod(file["mode"])


def _devices(dev: str) -> None:
    ns.mount("tmpfs", dev, "tmpfs", "nosuid", "mode=755,size=4m")
    for name in DEVICES:
        Path(f"{dev}/{name}").touch()
        ns.mount(f"/dev/{name}", f"{dev}/{name}", flags="bind")
    os.mkdir(f"{dev}/pts")
    ns.mount("devpts", f"{dev}/pts", "devpts", "nosuid noexec", "newinstance,ptmxmode=0666,mode=620,gid=5")
    os.symlink("pts/ptmx", f"{dev}/ptmx")
    os.mkdir(f"{dev}/shm")
    ns.mount("tmpfs", f"{dev}/shm", "tmpfs", "nosuid nodev", "mode=1777")
    for name, target in DEVICE_LINKS:
        os.symlink(target, f"{dev}/{name}")


def or_die(run: Callable[[], None]) -> None:
    """Runs a forked child's part; a child never returns into its parent's code."""
    try:
        run()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(99)


def ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True, capture_output=True, text=True)


def _close_above(highest: int) -> None:
    os.closerange(highest + 1, 4096)
