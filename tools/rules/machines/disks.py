"""Disks beside the system disk: which interface each gets, and what a change keeps of them. How large they are, on which storage, and where
they are mounted was said."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import count

from tools.values.machine import DataDisk, Machine
from tools.values.offer import Exclusion
from tools.values.requirements import Needs


@dataclass(frozen=True)
class Asked:
    """What was said of one of them."""

    disk_gib: int
    storage: str = ""
    """Empty: that of the system disk."""
    folder: str = ""
    """Empty: it is attached empty."""


def asked_of(needs: Needs) -> tuple[Asked, ...]:
    """Each is `500`, or `500 on ceph-hdd at /srv/data`."""
    found: list[Asked] = []
    for one in needs.strings("data_disks_gib"):
        size_gib, *words = one.split(" ")
        where = dict(zip(words[::2], words[1::2], strict=True))
        found.append(Asked(int(size_gib), where.get("on", ""), where.get("at", "")))
    return tuple(found)


def spell_data_disk(disk: Asked | DataDisk) -> str:
    """`500 GiB on ceph-hdd at /srv/data`."""
    on, at = f" on {disk.storage}" if disk.storage else "", f" at {disk.folder}" if disk.folder else ""
    return f"{disk.disk_gib} GiB{on}{at}"


def attach(asked: Iterable[Asked], system: str, taken: Collection[str]) -> tuple[DataDisk, ...]:
    """On the bus of the system disk, each on the next interface that nothing of the template is on. SATA has few, so SCSI stands in."""
    bus = "virtio" if system.startswith("virtio") else "scsi"
    free = (one for number in count(1) if (one := f"{bus}{number}") not in taken)
    return tuple(
        DataDisk(interface=on, disk_gib=one.disk_gib, storage=one.storage, folder=one.folder, serial=f"berth-{on}" if one.folder else "")
        for on, one in zip(free, asked, strict=False)
    )


def keep(old: tuple[DataDisk, ...], new: tuple[DataDisk, ...]) -> tuple[DataDisk, ...]:
    """What exists stays where it is plugged in, and is known as it was, in the order in which it was said; what is more comes behind."""
    there = {disk.interface for disk in old}
    behind = [disk.interface for disk in new if disk.interface not in there]
    interfaces = [*(disk.interface for disk in old), *behind]
    serials = [*(disk.serial for disk in old), *(disk.serial for disk in new[len(old) :])]
    lasting = zip(new, interfaces, serials, strict=False)
    return tuple(disk.model_copy(update={"interface": interface, "serial": serial}) for disk, interface, serial in lasting)


def lost(machines: Iterable[Machine], asked: tuple[Asked, ...]) -> tuple[Exclusion, ...]:
    """A disk that exists neither shrinks nor goes: what is on it would be gone. Nor is it moved or mounted elsewhere."""
    found: list[Exclusion] = []
    sizes_gib = tuple(one.disk_gib for one in asked)
    for machine in machines:
        otherwise = ((one, disk) for one, disk in zip(asked, machine.data_disks, strict=False))
        moved = next((disk for one, disk in otherwise if (one.storage, one.folder) != (disk.storage, disk.folder)), None)
        if moved and len(machine.data_disks) <= len(sizes_gib):
            on, at = moved.storage or machine.storage, moved.folder or "nowhere"
            reason = f"its data disk of {moved.disk_gib} GiB on {moved.interface} is on {on}, mounted {at}, and stays so. Say it as it is"
            found.append(Exclusion(subject=machine.name, reason=reason))
        there = tuple(disk.disk_gib for disk in machine.data_disks)
        if len(there) > len(sizes_gib) or any(new < old for old, new in zip(there, sizes_gib, strict=False)):
            spelt = ", ".join(f"{size_gib} GiB" for size_gib in there)
            reason = f"its data disks of {spelt} are there, and what is on them would be lost. Keep each as large or larger"
            found.append(Exclusion(subject=machine.name, reason=reason))
    return tuple(found)
