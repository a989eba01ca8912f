"""Which changes of a machine shut it down and start it again: as bpg/proxmox 0.111.1 has it, read in its source, and a new network, for
which Berth does. It plans nothing itself."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tools.values.plan import Change
from tools.values.value import Json

VM = "proxmox_virtual_environment_vm"
"""Terraform's resource type of a machine."""
STARTS = "started False → True"
"""What a plan says of a machine that is off and should be on."""
RESTARTING = frozenset(
    [
        "acpi",
        "agent",
        "amd_sev",
        "audio_device",
        "bios",
        "boot_order",
        "cpu",
        "efi_disk",
        "hostpci",
        "initialization",
        "keyboard_layout",
        "kvm_arguments",
        "machine",
        "memory",
        "numa",
        "operating_system",
        "rng",
        "scsi_hardware",
        "serial_device",
        "tablet_device",
        "tpm_state",
        "usb",
        "vga",
        "virtiofs",
        "watchdog",
    ]
)
"""A change of these does, whatever else."""
RESTARTING_OF_A_DISK = ("aio", "queues", "datastore_id")
"""Of a disk it is only these: a disk grows while the machine runs, unless the machine's `hotplug` leaves disks out."""
PLUGGED_IN = {"cpu": frozenset({"hotplugged"}), "memory": frozenset({"dedicated", "floating", "shared"})}
"""What a running machine takes of these where its `hotplug` names them. Of memory it is only more that it takes."""
HOTPLUG_DEFAULT = "network,disk,usb"


def restarts(kind: str, before: Json, after: Json) -> bool:
    """Whether such a change of a resource of this type shuts a running machine down and starts it again."""
    if kind != VM:
        return False
    if not (before.get("started", True) and after.get("started", True) and after.get("reboot_after_update", True)):
        return False
    # What is known only afterwards is not in `after`, and is no change anybody asked for.
    changed = {part for part in RESTARTING if part in after and before.get(part) != after[part]}
    changed -= {part for part in PLUGGED_IN if _plugged_in(part, before, after)}
    return bool(changed) or _disks_restart(before, after) or _network_moves(before, after)


def moves(change: Change) -> bool:
    """Whether it puts a machine on another network. The provider leaves the guest running with its old address there, so Berth restarts
    it."""
    return any(re.match(r"network_device\.(?:\d+\.)?(?:bridge|vlan_id) ", detail) for detail in change.details)


def set_up_anew(changes: Iterable[Change]) -> frozenset[str]:
    """Names of machines that cloud-init takes for new ones: made anew, or told otherwise what to be. Proxmox names an instance after what
    its drive says of users and network, and a new instance gets new host keys (cloud-init's `ssh_deletekeys`)."""
    return frozenset(
        change.name for change in changes if change.action == "replace" or any(one.startswith("initialization.") for one in change.details)
    )


def _network_moves(before: Json, after: Json) -> bool:
    cards = [[(card.get("bridge"), card.get("vlan_id")) for card in values.get("network_device") or ()] for values in (before, after)]
    return any(old != new for old, new in zip(*cards, strict=False))


def _plugged_in(part: str, before: Json, after: Json) -> bool:
    if not _takes_while_running(after, part):
        return False
    old, new = ((values.get(part) or [{}])[0] for values in (before, after))
    differing = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    less = part == "memory" and any((new.get(name) or 0) < (old.get(name) or 0) for name in PLUGGED_IN[part])
    return differing <= PLUGGED_IN[part] and not less


def _disks_restart(before: Json, after: Json) -> bool:
    known = {disk.get("interface"): disk for disk in before.get("disk") or ()}
    both = [(known[new["interface"]], new) for new in after.get("disk") or () if new.get("interface") in known]
    if any(old.get(name) != new[name] for old, new in both for name in RESTARTING_OF_A_DISK if name in new):
        return True
    grows = any(old.get("size") != new["size"] for old, new in both if "size" in new)
    return grows and not _takes_while_running(after, "disk")


def _takes_while_running(after: Json, part: str) -> bool:
    """`1` is everything, `0` nothing."""
    hotplug = str(after.get("hotplug") or HOTPLUG_DEFAULT)
    return hotplug == "1" or part in (word.strip() for word in hotplug.split(","))
