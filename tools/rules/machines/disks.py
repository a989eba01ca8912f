"""Disks beside the system disk: which interface each gets, and what a change keeps of them. How large they are was said."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import count

from tools.values.machine import DataDisk, Machine
from tools.values.offer import Exclusion


def attach(sizes_gib: Iterable[int], system: str, taken: Collection[str]) -> tuple[DataDisk, ...]:
    """On the bus of the system disk, each on the next interface that nothing of the template is on. SATA has few, so SCSI stands in."""
    bus = "virtio" if system.startswith("virtio") else "scsi"
    free = (one for number in count(1) if (one := f"{bus}{number}") not in taken)
    return tuple(DataDisk(interface=interface, disk_gib=size_gib) for interface, size_gib in zip(free, sizes_gib, strict=False))


def keep(old: tuple[DataDisk, ...], new: tuple[DataDisk, ...]) -> tuple[DataDisk, ...]:
    """What exists stays where it is plugged in, in the order in which it was said; what is more comes behind it."""
    there = {disk.interface for disk in old}
    behind = [disk.interface for disk in new if disk.interface not in there]
    interfaces = [*(disk.interface for disk in old), *behind]
    return tuple(disk.model_copy(update={"interface": interface}) for disk, interface in zip(new, interfaces, strict=False))


def lost(machines: Iterable[Machine], sizes_gib: tuple[int, ...]) -> tuple[Exclusion, ...]:
    """A disk that exists neither shrinks nor goes: what is on it would be gone."""
    found: list[Exclusion] = []
    for machine in machines:
        there = tuple(disk.disk_gib for disk in machine.data_disks)
        if len(there) > len(sizes_gib) or any(new < old for old, new in zip(there, sizes_gib, strict=False)):
            spelt = ", ".join(f"{size_gib} GiB" for size_gib in there)
            reason = f"its data disks of {spelt} are there, and what is on them would be lost. Keep each as large or larger"
            found.append(Exclusion(subject=machine.name, reason=reason))
    return tuple(found)
