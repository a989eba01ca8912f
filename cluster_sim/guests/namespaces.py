"""The Linux system calls a container is made of, by ctypes.

What is put together from them belongs to podinit.py. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import platform
import pwd
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

NEW = {
    "mnt": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}
FLAGS = {"ro": 1, "nosuid": 2, "nodev": 4, "noexec": 8, "bind": 4096, "rec": 16384, "private": 1 << 18}
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41}
PR_SET_PDEATHSIG = 1
MNT_DETACH = 2

ROOT_RANGE_FIRST = 536_870_912
"""Where the real root's guests get their user ids from: far above people and the ranges /etc/subuid hands out."""
RANGE_COUNT = 65_536

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(*names: str) -> None:
    flags = 0
    for name in names:
        flags |= NEW[name]
    _check(_libc.unshare(flags), f"unshare {' '.join(names)}")


def mount(source: str, target: str, kind: str = "none", flags: str = "", data: str = "") -> None:
    bits = 0
    for flag in flags.split():
        bits |= FLAGS[flag]
    given = (source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(bits), data.encode() or None)
    _check(_libc.mount(*given), f"mount {kind} on {target}")


def pivot_root(new_root: str) -> None:
    """Makes `new_root` the root and lets go of the old one."""
    os.chdir(new_root)
    _check(_libc.syscall(PIVOT_ROOT[platform.machine()], b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", MNT_DETACH), "umount of the old root")
    os.chdir("/")


def set_hostname(name: str) -> None:
    given = name.encode()
    _check(_libc.sethostname(given, len(given)), "sethostname")


def die_with_parent(parent: int) -> None:
    """Asks the kernel to kill this process when its parent ends. Lost again at every change of credentials.

    Only for parents with one thread: the kernel counts the thread that forked, not its process.
    """
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


@dataclass(frozen=True)
class IdRange:
    """Which ids of the machine a guest's ids 0, 1, 2… are. A plain user is 0 himself, and 1… are his subordinate ids."""

    uid_first: int
    gid_first: int
    count: int
    with_own_id: bool

    @property
    def root(self) -> int:
        """Who the guests' root is on this machine."""
        return os.getuid() if self.with_own_id else self.uid_first

    def write(self, pid: int) -> None:
        """Gives the user namespace of `pid` this range."""
        if not self.with_own_id:
            Path(f"/proc/{pid}/uid_map").write_text(f"0 {self.uid_first} {self.count}")
            Path(f"/proc/{pid}/gid_map").write_text(f"0 {self.gid_first} {self.count}")
            return
        for tool, own, first in (("newuidmap", os.getuid(), self.uid_first), ("newgidmap", os.getgid(), self.gid_first)):
            # Both tools are set-uid root and keep to /etc/subuid and /etc/subgid.
            words = [tool, str(pid), "0", str(own), "1", "1", str(first), str(self.count - 1)]
            subprocess.run(words, check=True, capture_output=True, text=True)


def id_range() -> IdRange | str:
    """The range this user may map, or a sentence why there is none."""
    if os.geteuid() == 0:
        return IdRange(ROOT_RANGE_FIRST, ROOT_RANGE_FIRST, RANGE_COUNT, with_own_id=False)
    uid = _subordinate("/etc/subuid")
    gid = _subordinate("/etc/subgid")
    if uid is None or gid is None:
        name = _user_name()
        return f"{name} has no subordinate ids of {RANGE_COUNT - 1} in /etc/subuid and /etc/subgid."
    return IdRange(uid, gid, RANGE_COUNT, with_own_id=True)


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _subordinate(file: str) -> int | None:
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        owner, _, rest = line.strip().partition(":")
        first, _, count = rest.partition(":")
        if owner in (_user_name(), str(os.getuid())) and first.isdigit() and count.isdigit() and int(count) >= RANGE_COUNT - 1:
            return int(first)
    return None
