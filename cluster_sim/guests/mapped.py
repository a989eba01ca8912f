"""Runs one command as the guests' root: `python -m cluster_sim.guests.mapped FOLDER COMMAND…`. Standard library only."""

from __future__ import annotations

import os
import sys

from cluster_sim.guests import namespaces as ns


def main() -> int:
    folder, *words = sys.argv[1:]
    ids = ns.id_range()
    if isinstance(ids, str):
        print(ids, file=sys.stderr)
        return 1
    if not ids.with_own_id:
        os.chown(folder, ids.uid_first, ids.gid_first)
    # The guests' root may not be allowed to walk to the folder, but standing in it he may use it.
    os.chdir(folder)
    wait_in, wait_out = os.pipe()
    told_in, told_out = os.pipe()
    pid = os.fork()
    if pid == 0:
        ns.unshare("user")
        os.write(told_out, b"u")
        os.read(wait_in, 1)
        os.setgroups([])
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        os.execvp(words[0], words)  # noqa: S606
    os.close(told_out)
    if os.read(told_in, 1) != b"u":
        return 1
    ids.write(pid)
    os.write(wait_out, b"m")
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
