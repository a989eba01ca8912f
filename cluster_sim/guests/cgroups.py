"""Finds a place for the guests' cgroups, and removes what a dead predecessor left. Standard library only."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from pathlib import Path

from cluster_sim.guests.podinit import remove_cgroups

NAME = "cluster_sim"


def cgroup_parent() -> Path | str:
    """The cgroup (version 2) of this process if it may make others below it, or a sentence why not."""
    mounted = _cgroup2_mount()
    if mounted is None:
        return "No cgroup version 2 is mounted."
    own = next((line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")), "/")
    parent = mounted / own.lstrip("/")
    if not os.access(parent, os.W_OK) or not os.access(parent / "cgroup.procs", os.W_OK):
        return f"The cgroup of this process, {parent}, is not writable for this user."
    # Only making one shows it: a mount may be read-only, or the tree not ours to divide.
    trial = parent / f"{NAME}-trial-{os.getpid()}-{secrets.token_hex(3)}"
    try:
        trial.mkdir()
        trial.rmdir()
    except OSError as problem:
        return f"No cgroup can be made in {parent}: {problem.strerror}."
    return parent


def delegation_prefix() -> list[str]:
    """Words that start a command in a cgroup of its own, by the user's systemd; none where there is no such thing."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and shutil.which("systemd-run") and Path(runtime, "systemd", "private").exists():
        return ["systemd-run", "--user", "--scope", "--quiet", "--collect", "-p", "Delegate=yes", "--"]
    return []


def make_cgroup(parent: Path) -> Path:
    """One cgroup for a pod, named after this process; `pod` in it is for the pod's own processes."""
    made = parent / f"{NAME}-{os.getpid()}-{_started(os.getpid())}"
    (made / "pod").mkdir(parents=True)
    return made


def clean_stale(parent: Path) -> None:
    for folder in parent.glob(f"{NAME}-*"):
        named = re.fullmatch(rf"{NAME}-(\d+)-(\d+)", folder.name)
        if named and _started(int(named[1])) != named[2]:
            with contextlib.suppress(OSError):
                remove_cgroups(str(folder))


def _started(pid: int) -> str | None:
    """When a process started, in clock ticks since boot: a pid alone may be somebody else's by now."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


def _cgroup2_mount() -> Path | None:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        words, _, rest = line.partition(" - ")
        if rest.startswith("cgroup2 "):
            return Path(words.split()[4].replace("\\040", " "))
    return None
