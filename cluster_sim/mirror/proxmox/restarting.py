"""Which changes a running VM takes only by being off in between: pure, and as read in the released provider (commit d6bd1ff)."""

from __future__ import annotations

from cluster_sim.mirror.provider import first
from cluster_sim.mirror.schema import Values

_ALWAYS = (
    "acpi",
    "agent",
    "bios",
    "boot_order",
    "initialization",
    "keyboard_layout",
    "kvm_arguments",
    "machine",
    "operating_system",
    "scsi_hardware",
    "serial_device",
    "tablet_device",
    "vga",
)
_DISK_OPTIONS = ("aio", "queues")
"""Of a disk it is only these. Other options and a larger size reach a running VM, unless disks cannot be plugged at all."""
_HOTPLUG_DEFAULT = "network,disk,usb"


def needed(prior: Values, planned: Values) -> bool:
    """Size and storage of a disk are not asked about here: what they take depends on how far the update has come."""
    if any(planned[name] != prior[name] for name in _ALWAYS):
        return True
    if planned["cpu"] != prior["cpu"] and not (pluggable(planned, "cpu") and _changed("cpu", prior, planned) <= {"hotplugged"}):
        return True
    if planned["memory"] != prior["memory"] and not (pluggable(planned, "memory") and _only_more_memory(prior, planned)):
        return True
    before = {disk["interface"]: disk for disk in prior["disk"]}
    known = [(before[disk["interface"]], disk) for disk in planned["disk"] if disk["interface"] in before]
    return any(disk[name] != was[name] for was, disk in known for name in _DISK_OPTIONS)


def pluggable(planned: Values, feature: str) -> bool:
    """Whether a running VM takes it: `0` is nothing, `1` everything."""
    hotplug = str(planned["hotplug"] or _HOTPLUG_DEFAULT)
    return hotplug == "1" or feature in (part.strip() for part in hotplug.split(","))


def _changed(block: str, prior: Values, planned: Values) -> set[str]:
    before, now = first(prior[block]) or {}, first(planned[block]) or {}
    return {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}


def _only_more_memory(prior: Values, planned: Values) -> bool:
    before, now = first(prior["memory"]) or {}, first(planned["memory"]) or {}
    sizes = ("dedicated", "floating", "shared")
    more = all((now.get(name) or 0) >= (before.get(name) or 0) for name in sizes)
    return more and _changed("memory", prior, planned) <= set(sizes)
