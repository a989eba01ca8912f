"""Runs one command as the guests' root, or tries what a guest needs.

`python -m cluster_sim.guests.mapped FOLDER COMMAND…`, or with `--trial` and a folder.

Standard library only.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable

from cluster_sim.guests import namespaces as ns


def main() -> int:
    folder, *words = sys.argv[1:]
    ids = ns.id_range()
    if isinstance(ids, str):
        print(ids, file=sys.stderr)
        return 1
    if folder != "--trial":
        return as_guest_root(ids, folder, lambda: os.execvp(words[0], words))  # noqa: S606
    os.makedirs(words[0], exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="trial-", dir=words[0]) as place:
        return as_guest_root(ids, place, _try)


def as_guest_root(ids: ns.IdRange, folder: str, run: Callable[[], None]) -> int:
    """Runs a function in a process that is the guests' root and stands in `folder`. Returns its exit status."""
    if not ids.with_own_id:
        os.chown(folder, ids.uid_first, ids.gid_first)
    # The guests' root may not be allowed to walk to the folder, but standing in it he may use it.
    os.chdir(folder)
    wait_in, wait_out = os.pipe()
    told_in, told_out = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(wait_out)
            ns.unshare("user")
            os.write(told_out, b"u")
            if os.read(wait_in, 1) == b"m":
                os.setgroups([])
                os.setresgid(0, 0, 0)
                os.setresuid(0, 0, 0)
                run()
                os._exit(0)
        except OSError as problem:
            print(problem.args[-1], file=sys.stderr, flush=True)
        os._exit(1)
    os.close(told_out)
    if os.read(told_in, 1) == b"u":
        ids.write(pid)
        os.write(wait_out, b"m")
    os.close(wait_out)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _try() -> None:
    ns.unshare("mnt", "net", "uts", "ipc", "pid", "cgroup")
    pid = os.fork()
    if pid:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    try:
        ns.mount("none", "/", flags="rec private")
        for name in ("lower", "upper", "work", "root", "proc"):
            os.mkdir(name)
        ns.mount("proc", "proc", "proc", "nosuid nodev noexec")
        ns.mount("overlay", "root", "overlay", "", "lowerdir=lower,upperdir=upper,workdir=work,userxattr,volatile")
        # What dpkg does, and an overlay without userxattr refuses.
        os.mkdir("root/a")
        os.rename("root/a", "root/b")
        os.rmdir("root/b")
        os._exit(0)
    except OSError as problem:
        print(problem.args[-1], file=sys.stderr, flush=True)
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
