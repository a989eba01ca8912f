"""Whether a machine is what was approved: as Proxmox has it, and as it sees itself. From values alone; whoever asks is elsewhere.

Terraform's plan is blind to two things: what waits for a restart reads like what is so, and nothing is asked of the guest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest

from tools.rules.machines import firewall
from tools.rules.machines.firewall import CARDS_MAX
from tools.rules.machines.restarting import STARTS, moves
from tools.rules.names.scanned import display, number, rows
from tools.rules.names.text import spell_memory
from tools.values.machine import Machine
from tools.values.plan import Change
from tools.values.value import Json, Value

_MEMORY = re.compile(r"(?:^|current=)(\d{1,12})")
"""`4096`, and `current=4096` of newer versions."""
_SIZE = re.compile(r"(?:^|,)size=(\d{1,15}(?:\.\d{1,6})?)([KMGT]?)(?:,|$)")
_UNITS_GIB = {"": 2.0**-30, "K": 2.0**-20, "M": 2.0**-10, "G": 1.0, "T": 1024.0}
_CARD = ("bridge", "tag")
_DRIVE = re.compile(r"(?:ide|sata|scsi|virtio)\d{1,2}")


class Here(Value):
    """A machine as its cluster has it now, what waits for a restart left out."""

    vm_id: int
    node: str
    status: str
    """`running`, `stopped`, `paused`, …"""
    cpu_count: int
    memory_mib: int
    disks_gib: tuple[tuple[str, float], ...]
    """(interface, GiB)."""
    network: tuple[str, str]
    """Bridge and VLAN tag of its first card; empty where there is none."""
    further: tuple[tuple[str, str], ...] = ()
    """The same of its other cards."""
    left_out: tuple[str, ...] = ()
    """Cards that its firewall leaves out: `net0`."""
    uptime_seconds: int = 0
    waiting: tuple[str, ...] = ()
    """Names of what was changed and waits for a restart."""


def here(vm_id: int, node: str, current: Json, pending: Json) -> Here:
    """From `status/current`, and `/pending`, whose `value` is what is so and whose `pending` or `delete` is what waits."""
    listed = [row for row in rows(pending) if isinstance(row.get("key"), str)]
    values = {str(row["key"]): str(row["value"]) for row in listed if "value" in row}
    memory = _MEMORY.search(values.get("memory", "512"))  # Proxmox's own default, and of sockets and cores one.
    status = current if isinstance(current, dict) else {}
    running = str(status.get("status") or "unknown")
    state = str(status.get("qmpstatus") or running) if running == "running" else running
    return Here(
        vm_id=vm_id,
        node=node,
        status=display(state),
        cpu_count=_whole(values.get("sockets")) * _whole(values.get("cores")),
        memory_mib=int(memory[1]) if memory else 0,
        disks_gib=tuple(_disks(values)),
        network=_card(values.get("net0", "")),
        further=tuple(_card(values[name]) for name in (f"net{number}" for number in range(1, CARDS_MAX)) if name in values),
        left_out=firewall.left_out(values),
        uptime_seconds=int(number(status, "uptime")),
        waiting=tuple(sorted(display(row["key"]) for row in listed if "pending" in row or row.get("delete"))),
    )


def _card(line: str) -> tuple[str, str]:
    card = dict(part.partition("=")[::2] for part in line.split(","))
    bridge, tag = (card.get(name, "") for name in _CARD)
    return display(bridge), display(tag)


def _whole(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"\d{1,6}", text) else 1


def _disks(values: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    for name, line in sorted(values.items()):
        if found := _SIZE.search(line):
            yield name, float(found[1]) * _UNITS_GIB[found[2]]


def is_off(one: Here) -> bool:
    return one.status != "running"


def off(name: str, vm_id: int, node: str, status: str) -> str:
    """The sentence about a machine that does not run."""
    state = "switched off" if status == "stopped" else display(status)
    return f"{name} (VM {vm_id} on {node}) is {state} now."


def differences(machine: Machine, found: Here | None) -> tuple[str, ...]:
    """What is not as it was approved, a sentence each."""
    if found is None:
        return (f"{machine.name} (VM {machine.vm_id}) is not in the cluster.",)
    return tuple(_differences(machine, found))


def _differences(machine: Machine, found: Here) -> Iterator[str]:
    name, where = machine.name, f"VM {machine.vm_id} on {found.node}"
    if is_off(found):
        yield off(name, machine.vm_id, found.node, found.status)
    if found.waiting:
        yield f"{name} ({where}) waits for a restart before this is so: {', '.join(found.waiting)}."
    if found.cpu_count != machine.cpu_count:
        yield f"{name} ({where}) has {_processors(found.cpu_count)}, and {machine.cpu_count} were approved."
    if found.memory_mib != machine.memory_mib:
        yield f"{name} ({where}) has {spell_memory(found.memory_mib)} of memory, and {spell_memory(machine.memory_mib)} were approved."
    sizes = dict(found.disks_gib)
    wanted = {machine.disk_interface: machine.disk_gib, **{disk.interface: disk.disk_gib for disk in machine.data_disks}}
    for interface, disk_gib in wanted.items():
        # A disk that somebody made larger has room for all that was approved.
        if sizes.get(interface, 0.0) < disk_gib:
            has = f"{sizes[interface]:g} GiB on {interface}" if interface in sizes else f"no disk on {interface}"
            yield f"{name} ({where}) has {has}, and {disk_gib} GiB were approved."
    wanted_cards = [(card.bridge, "" if card.vlan_tag is None else str(card.vlan_tag)) for card in machine.every_card]
    cards = [found.network, *found.further[: len(machine.cards)]]
    for on, asked in zip_longest(cards, wanted_cards, fillvalue=("", "")):
        if on != asked:
            yield f"{name} ({where}) is on {_network(*on)}, and {_network(*asked)} was approved."


def _processors(count: int) -> str:
    return f"{count} processor{'' if count == 1 else 's'}"


def _network(bridge: str, tag: str) -> str:
    return f"{bridge or 'no bridge'}{f' with VLAN {tag}' if tag else ''}"


def may_restart(changes: Iterable[Change], name: str) -> bool:
    """Whether the approval covers that this machine is started, or shut down and started again."""
    return any(
        change.name == name and (change.action in ("create", "replace") or change.restarts or STARTS in change.details)
        for change in changes
    )


def wants_restart(changes: Iterable[Change], found: Here, name: str, seconds: float) -> bool:
    """Whether something waits for a restart: in the cluster, or in the guest, which keeps its old address on a new network. `seconds`
    since its change began: whoever was started after that has restarted already."""
    moved = any(change.name == name and change.action == "update" and moves(change) for change in changes)
    return bool(found.waiting) or (moved and found.uptime_seconds > seconds)


def way_out(machine: Machine, found: Here | None) -> str:
    """The next move where the approval does not cover what is missing; empty where a retry may."""
    if found is None:
        return ""
    if is_off(found):
        return f"Type `qm start {machine.vm_id}` on {found.node}, then say retry."
    if found.waiting:
        return f"Restart {machine.name} when it suits you (`qm reboot {machine.vm_id}` on {found.node}), then say retry."
    return ""


# What the guest says of itself.


LOOK = (
    "grep -c ^processor /proc/cpuinfo; grep ^MemTotal: /proc/meminfo; "
    "df --block-size=1 --output=source,size /; lsblk --bytes --noheadings --list --output PATH,PKNAME,SIZE,TYPE; "
    "findmnt --bytes --noheadings --list --types ext4 --output FSTYPE,TARGET,SIZE; "
    "test -e /run/systemd/container && echo container"
)
"""What a machine is asked over SSH: its processors, its memory, its root file system, its disks and their partitions, and its mounts."""
MEMORY_KEPT_RATIO, MEMORY_KEPT_KIB = 0.12, 192 * 1024
"""What a Linux kernel keeps for itself before it says MemTotal: page structures (64 B for each 4 KiB, 1.6 %), itself, and on the EL family
room for a crash kernel (192 MiB). More than that is an assumption on the safe side."""
GAP_BYTES_MAX = 64 * 2**20
"""What may lie outside of partitions: the tables at both ends, alignment."""
FILE_SYSTEM_RATIO_MIN = 0.9
"""Of its partition: ext4 keeps 1.6 % for inodes and up to some per cent for its journal."""


class Itself(Value):
    """A machine as its own kernel has it."""

    cpu_count: int
    memory_kib: int
    disk_bytes: int = 0
    """Of the disk that its root is on; 0 where that is no partition of a disk."""
    partitions_bytes: int = 0
    """Of all partitions of that disk together."""
    root_partition_bytes: int = 0
    root_bytes: int = 0
    """Of the root file system."""
    mounted_bytes: tuple[tuple[str, int], ...] = ()
    """By folder, the sizes of file systems such as Berth makes."""
    container: bool = False
    """It has no disks of its own."""


def itself(said: str) -> Itself | None:
    """From the answer to LOOK; None when it cannot be read."""
    lines = [line.split() for line in said.splitlines() if line.strip()]
    memory = next((words for words in lines if words[0] == "MemTotal:" and len(words) > 1), None)
    if memory is None or not memory[1].isdecimal() or not lines[0][0].isdecimal():
        return None
    numbered = [words for words in lines if len(words) >= 2 and words[0].startswith("/") and words[-1].isdecimal()]
    root = next(iter(numbered), ["", "0"])
    blocks = [words for words in lines if len(words) >= 3 and words[-1] in ("disk", "part") and words[-2].isdecimal()]
    parts = {words[0]: (words[1], int(words[2])) for words in blocks if len(words) == 4}
    disks = {words[0].removeprefix("/dev/"): int(words[-2]) for words in blocks if words[-1] == "disk"}
    disk, root_partition_bytes = parts.get(root[0], ("", 0))
    return Itself(
        cpu_count=int(lines[0][0]),
        memory_kib=int(memory[1]),
        disk_bytes=disks.get(disk, 0),
        partitions_bytes=sum(size for parent, size in parts.values() if parent == disk) if disk else 0,
        root_partition_bytes=root_partition_bytes,
        root_bytes=int(root[-1]) if disk else 0,
        mounted_bytes=tuple(
            (words[1], int(words[2])) for words in lines if len(words) == 3 and words[0] == "ext4" and words[2].isdecimal()
        ),
        container=["container"] in lines,
    )


def says_otherwise(machine: Machine, found: Itself) -> tuple[str, ...]:
    """What the machine itself has otherwise than approved, a sentence each."""
    return tuple(_says_otherwise(machine, found))


def _says_otherwise(machine: Machine, found: Itself) -> Iterator[str]:
    if found.cpu_count != machine.cpu_count:
        yield f"{machine.name} itself sees {_processors(found.cpu_count)}, and {machine.cpu_count} were approved."
    wanted_kib = machine.memory_mib * 1024
    if not wanted_kib * (1 - MEMORY_KEPT_RATIO) - MEMORY_KEPT_KIB <= found.memory_kib <= wanted_kib:
        seen = spell_memory(found.memory_kib // 1024)
        yield f"{machine.name} itself sees {seen} of memory, and {spell_memory(machine.memory_mib)} were approved."
    mounted = dict(found.mounted_bytes)
    for disk in (one for one in machine.data_disks if one.folder and not found.container):
        if disk.folder not in mounted:
            yield f"{machine.name} has no file system mounted at {disk.folder}."
        elif mounted[disk.folder] < disk.disk_gib * 2**30 * FILE_SYSTEM_RATIO_MIN:
            seen = f"{mounted[disk.folder] / 2**30:.1f} GiB"
            yield f"The file system at {disk.folder} of {machine.name} has {seen}, and its disk {disk.disk_gib} GiB."
    if not found.disk_bytes:
        return
    if found.disk_bytes < machine.disk_gib * 2**30:
        yield f"{machine.name} itself sees a disk of {found.disk_bytes / 2**30:.1f} GiB, and {machine.disk_gib} GiB were approved."
    elif found.partitions_bytes + GAP_BYTES_MAX < found.disk_bytes:
        unused = (found.disk_bytes - found.partitions_bytes) / 2**30
        yield f"{machine.name} does not use {unused:.1f} GiB of its disk: no partition reaches there."
    elif found.root_bytes < found.root_partition_bytes * FILE_SYSTEM_RATIO_MIN:
        yield (
            f"The root file system of {machine.name} has {found.root_bytes / 2**30:.1f} GiB, "
            f"and its partition {found.root_partition_bytes / 2**30:.1f} GiB."
        )


def seen_itself(machine: Machine, found: Itself) -> str:
    """The sentence of what was looked at and is so."""
    disk = f", a root file system of {found.root_bytes / 2**30:.1f} GiB" if found.disk_bytes else ""
    mounted = "".join(f", {size / 2**30:.1f} GiB at {folder}" for folder, size in found.mounted_bytes if folder != "/")
    if found.container and any(one.folder for one in machine.data_disks):
        mounted += "; it is a container, and its folders of disks were not looked at"
    return (
        f"{machine.name} itself sees {_processors(found.cpu_count)} and {spell_memory(found.memory_kib // 1024)} of memory{disk}{mounted}."
    )


def seen_by_cluster(machine: Machine, found: Here) -> str:
    sizes = f"{_processors(found.cpu_count)} and {spell_memory(found.memory_mib)} of memory"
    return f"{machine.name} runs on {found.node} with {sizes}, and nothing waits for a restart."


def template_differences(machine: Machine, found: Here | None, config: Json) -> tuple[str, ...]:
    """What of a template is not as it was approved, a sentence each."""
    if found is None:
        return (f"{machine.name} (VM {machine.vm_id}) is not in the cluster.",)
    where = f"{machine.name} (VM {machine.vm_id} on {found.node})"
    said = config if isinstance(config, dict) else {}
    drives = [str(value) for key, value in said.items() if _DRIVE.fullmatch(str(key))]
    size_gib = dict(found.disks_gib).get(machine.disk_interface, 0.0)
    wrong = {
        "is no template": not said.get("template"),
        "runs": found.status == "running",
        "has its guest agent switched off": not re.match(r"1|enabled=1", str(said.get("agent") or "0")),
        "has no cloud-init drive": not any("cloudinit" in drive for drive in drives),
        f"has {size_gib:g} GiB on {machine.disk_interface}, and {machine.disk_gib} GiB were approved": size_gib < machine.disk_gib,
    }
    return tuple(f"{where} {what}." for what, so in wrong.items() if so)


def seen_as_template(machine: Machine, found: Here) -> str:
    return (
        f"{machine.name} is a template on {found.node}, with a cloud-init drive on {machine.storage} and the guest agent, and does not run."
    )


def switched_off(made: Iterable[Machine], resources: Json) -> tuple[str, ...]:
    """Of the machines that exist, those that do not run, a sentence each: from the cluster's resources. A node that does not answer says
    nothing of its machines."""
    lines = {str(row.get("vmid")): row for row in rows(resources)}
    found = ((one, lines[str(one.vm_id)]) for one in made if str(one.vm_id) in lines)
    return tuple(
        off(one.name, one.vm_id, display(row.get("node")), str(row.get("status")))
        for one, row in found
        if row.get("status") not in ("running", "unknown") and row.get("name") == one.name
    )
