"""Looks whether this machine can give guests a real body, and says why or why not. It changes nothing."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cluster_sim
from cluster_sim.guests.sources import MIRROR_VARIABLE, machine_sources

INSTALL = "apt-get install -y mmdebstrap uidmap iproute2"
APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
TRIAL_SECONDS_MAX = 30


@dataclass(frozen=True)
class Finding:
    """One thing a pod needs."""

    what: str
    good: bool
    why: str


def probe(folder: Path) -> tuple[Finding, ...]:
    """Everything a pod needs, up to the first thing that makes the rest pointless. Disks would be in `folder`."""
    found = []
    for finding in _looks(folder):
        found.append(finding)
        if not finding.good and finding.what in ("Linux", "user namespaces", "user ids"):
            break
    return tuple(found)


def _looks(folder: Path) -> Iterator[Finding]:
    system = platform.system()
    if system != "Linux":
        yield Finding("Linux", False, f"This is {system}; system containers need Linux.")
        return
    yield Finding("Linux", True, f"Linux {platform.release()}.")
    # Imported now: these files need Linux.
    from cluster_sim.guests.cgroups import cgroup_parent, delegation_prefix
    from cluster_sim.guests.namespaces import id_range

    root = os.geteuid() == 0
    ids = id_range()
    if isinstance(ids, str):
        yield Finding("user ids", False, f"{ids} As root: usermod --add-subuids 200000-265535 --add-subgids 200000-265535 {_user()}")
    else:
        whose = "an unused range, mapped by root" if root else "the range in /etc/subuid"
        yield Finding("user ids", True, f"Guests get {ids.count} user ids from {ids.uid_first}: {whose}.")
    missing = [tool for tool in ("ip", "nsenter", "tar") + (() if root else ("newuidmap", "newgidmap")) if shutil.which(tool) is None]
    yield Finding(
        "tools",
        not missing,
        f"Missing: {', '.join(missing)}. As root: {INSTALL}" if missing else "ip, nsenter and tar are there.",
    )
    if not isinstance(ids, str) and not missing:
        yield _trial(folder)
    parent = cgroup_parent()
    if isinstance(parent, Path):
        yield Finding("cgroups", True, f"{parent} is writable.")
    elif delegation_prefix():
        yield Finding("cgroups", True, "systemd --user gives a delegated one.")
    else:
        yield Finding(
            "cgroups",
            False,
            f"{parent} systemd in a guest needs one. With systemd: systemd-run --user --scope -p Delegate=yes COMMAND",
        )
    yield _image()


def _trial(folder: Path) -> Finding:
    """Does what a boot does, once, in a process of its own."""
    source = str(Path(cluster_sim.__file__).parents[1])
    words = [sys.executable, "-X", "utf8", "-m", "cluster_sim.guests.mapped", "--trial", str(folder)]
    done = subprocess.run(
        words, check=False, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": source}, timeout=TRIAL_SECONDS_MAX
    )
    if done.returncode == 0:
        return Finding("user namespaces", True, "Namespaces, overlay with userxattr and /proc can be made.")
    said = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
    hint = ""
    if APPARMOR.exists() and APPARMOR.read_text().strip() == "1":
        hint = " AppArmor restricts user namespaces here. As root: sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    return Finding("user namespaces", False, f"A trial failed: {said}.{hint}")


def _image() -> Finding:
    from cluster_sim.guests.image import built_image

    if (image := built_image()) is not None:
        return Finding("base image", True, f"{image} is built.")
    if shutil.which("mmdebstrap") is None:
        return Finding("base image", False, f"mmdebstrap, which builds the base image, is missing. As root: {INSTALL}")
    if not machine_sources():
        return Finding(
            "base image",
            False,
            f"apt's sources name no archive of this distribution. Name one: {MIRROR_VARIABLE}=http://your.mirror/debian",
        )
    return Finding("base image", True, "mmdebstrap is there and will build it once, in about a minute.")


def _user() -> str:
    return os.environ.get("USER") or str(os.getuid())
