"""The disks beside the first of an emulated host: seen, formatted, mounted by a unit of systemd, and grown. The first one is no disk of its
own: what is on `/` lies on an overlay, so nothing grows there."""

from __future__ import annotations

import json
import re

from cluster_sim.guests.emulated.host import Host, HostProblem
from cluster_sim.guests.emulated.shell import Session

BLOCKS_A_GIB = 2**18
"""Of 4 KiB, as ext4 counts."""


def lsblk(host: Host, session: Session, words: list[str]) -> int:
    if words != ["--json", "--paths", "--output", "NAME,SERIAL"]:
        raise HostProblem("only `lsblk --json --paths --output NAME,SERIAL` is emulated")
    rows = [{"name": one.device, "serial": one.serial or None} for one in host.drives.found.values()]
    session.write(f"{json.dumps({'blockdevices': rows})}\n".encode())
    return 0


def findmnt(host: Host, session: Session, words: list[str]) -> int:
    if words != ["--json", "--list", "--output", "TARGET,SOURCE,FSTYPE"]:
        raise HostProblem("only `findmnt --json --list --output TARGET,SOURCE,FSTYPE` is emulated")
    rows = [{"target": "/", "source": "overlay", "fstype": "overlay"}]
    rows += [{"target": folder, "source": device, "fstype": "ext4"} for folder, device in host.drives.mounted.items()]
    session.write(f"{json.dumps({'filesystems': rows})}\n".encode())
    return 0


def wipefs(host: Host, session: Session, words: list[str]) -> int:
    if words[:-1] != ["--no-act", "--noheadings", "--output", "TYPE"]:
        raise HostProblem("only `wipefs --no-act --noheadings --output TYPE DEVICE` is emulated")
    session.write(f"{held}\n".encode() if (held := host.drives.at(words[-1]).fstype) else b"")
    return 0


def mkfs(host: Host, session: Session, words: list[str]) -> int:
    """Without a terminal it asks nobody whether to overwrite (e2fsprogs 1.47, tried on 2026-12-01)."""
    drive = host.drives.at(words[-1])
    drive.fstype, drive.fs_gib = "ext4", drive.size_gib
    return 0


def resize2fs(host: Host, session: Session, words: list[str]) -> int:
    drive = host.drives.at(words[-1])
    if drive.fstype is None:
        raise HostProblem(f"Bad magic number in super-block while trying to open {drive.device}")
    same = drive.fs_gib == drive.size_gib
    drive.fs_gib = drive.size_gib
    blocks = f"{drive.size_gib * BLOCKS_A_GIB} (4k) blocks long."
    told = f"The filesystem is already {blocks}  Nothing to do!" if same else f"The filesystem on {drive.device} is now {blocks}"
    session.write(f"{told}\n".encode())
    return 0


def find(host: Host, session: Session, words: list[str]) -> int:
    if words[1:] != ["-mindepth", "1", "-maxdepth", "1", "-print", "-quit"]:
        raise HostProblem("only `find FOLDER -mindepth 1 -maxdepth 1 -print -quit` is emulated")
    if host.entry(words[0]) is None:
        raise HostProblem(f"'{words[0]}': No such file or directory")
    for name in host.children(words[0])[:1]:
        session.write(f"{words[0]}/{name}\n".encode())
    return 0


def start(host: Host, unit: str) -> bool:
    """A unit that mounts; whether it was not mounted before."""
    said = host.text(f"/etc/systemd/system/{unit}")
    what, where = (re.search(rf"^{name}=(\S+)$", said, re.M) for name in ("What", "Where"))
    if not what or not where:
        raise HostProblem(f"Failed to start {unit}: Unit {unit} has a bad unit file setting.")
    drive = host.drives.at(what[1])
    if drive.fstype is None or host.entry(where[1]) is None:
        raise HostProblem(f'Failed to start {unit}: Job failed. See "journalctl -xe" for details.')
    new = where[1] not in host.drives.mounted
    host.drives.mounted[where[1]] = drive.device
    return new
