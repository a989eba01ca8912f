"""A machine as a file of Terraform has it, for either provider of Proxmox VE (bpg/proxmox, Telmate/proxmox), pasted to say what is wanted:
which facts it states. Only literal values are read; what names something else of such a file is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tools.rules.hearing.layout.printed import Printed
from tools.values.request import Edit

_HEAD = re.compile(r"resource\s+\"(?:proxmox_virtual_environment_vm|proxmox_vm_qemu|proxmox_vm)\"\s+\"[\w-]{1,60}\"\s*\{")
_PIECE = re.compile(
    r"\s*(?:(?:#|//)[^\n]*|,|(?P<close>\})|(?P<key>[\w-]{1,60})\s*(?:=\s*(?=\{)|(?P<block>(?=\{))|=\s*(?P<value>\"[^\"\n]*\"|\[[^\]]*\]|[^\s{},#]+)))"
    r"(?P<open>\{)?"
)
PIECES_MAX = 400
PLAIN = {
    "count": "count",
    "vm_id": "vm_id",
    "vmid": "vm_id",
    "node_name": "node",
    "target_node": "node",
    "clone": "template",
    "clone_id": "template",
    "clone.vm_id": "template",
    "cpu.type": "cpu_type",
    "cpu_type": "cpu_type",
    "initialization.dns.domain": "domain",
    "searchdomain": "domain",
    "initialization.user_account.username": "cloud_init_user",
    "ciuser": "cloud_init_user",
    "description": "vm_notes",
    "desc": "vm_notes",
    "startup.order": "start_order",
}
"""Attributes whose value is that of a fact, by the names of the blocks that they are in."""
LISTS = {"tags": "tags", "initialization.dns.servers": "dns", "initialization.dns.server": "dns", "nameserver": "dns"}
MEMORY = ("memory.dedicated", "memory")
ON_BOOT = ("on_boot", "onboot")
CORES, SOCKETS = ("cores", "cpu.cores"), ("sockets", "cpu.sockets")
DISK = re.compile(r"disk|scsi|virtio|disks\.(?:scsi|virtio|sata)\.[a-z]+\d+\.disk")
CARD = ("network_device", "network")
IP_CONFIG = re.compile(r"initialization\.ip_config\.ipv[46]")
OF_THE_TEMPLATE = re.compile(
    r"(?:agent|serial_device|serial|vga|operating_system|efi_disk|efidisk|tpm_state|startup|lifecycle|depends_on|clone|started|stop_on_destroy)\b.*"
    r"|bios|machine|scsi_hardware|scsihw|os_type|full_clone|boot|bootdisk|tablet_device|hotplug|balloon|timeout_\w+|define_connection_info"
    r"|disks\.ide\..*|cpu\.(?:sockets|units|numa|architecture)|sockets|initialization\.(?:datastore_id|interface|user_account\.\w+)|sshkeys|cipassword"
    r"|.*(?:interface|discard|iothread|ssd|file_format|cache|aio|model|firewall|slot|mac_address|enabled|replicate|backup|emulatessd|format|type|id)"
)
"""What a machine has from its template, or by Berth's own rules."""


class Piece(NamedTuple):
    path: str
    block: int
    """The same for all that stands in one block."""
    value: str
    line: str


def written(text: str) -> Printed | None:
    """The first that stands in the text."""
    head = _HEAD.search(text)
    if head is None:
        return None
    pieces, end = _pieces(text, head.end())
    lines = {piece.path: piece.line for piece in reversed(pieces)}
    facts, used = list[Edit](), set[str]()
    for paths, name, value in _facts(pieces):
        used |= set(paths)
        if name:
            facts.append(Edit(do="set", name=name, value=value, quote=next(lines[path] for path in paths if path in lines)))
    left = tuple(f"{p.path} = {p.value}" for p in pieces if p.path not in used and not OF_THE_TEMPLATE.fullmatch(p.path))
    return Printed(head.start(), end, tuple(facts), left)


def _pieces(text: str, start: int) -> tuple[list[Piece], int]:
    """Attributes, each with where it stands, and where the resource ends."""
    found, path, blocks = list[Piece](), list[str](), [0]
    for count in range(PIECES_MAX):
        match = _PIECE.match(text, start)
        if match is None:
            return found, start
        start = match.end()
        if match["close"]:
            if not path:
                return found, start
            path.pop()
            blocks.pop()
        elif match["key"] and match["open"]:
            path.append(match["key"])
            blocks.append(count)
        elif match["key"] and match["value"]:
            found.append(Piece(".".join([*path, match["key"]]), blocks[-1], match["value"].strip('"'), match[0].strip(" \n\t,")))
    return found, start


def _facts(pieces: list[Piece]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """(paths that say it, fact, value)."""
    said = {piece.path: piece.value for piece in pieces}
    if base := re.sub(r"[-_]?\$\{.*", "", said.get("name", "")):  # `moth-${count.index + 1}`: Berth numbers them itself
        yield ("name",), "name", base
    cores, sockets = (next((said[one] for one in several if said.get(one, "").isdecimal()), "") for several in (CORES, SOCKETS))
    if cores:
        yield CORES, "cpu_count", str(int(cores) * int(sockets or 1))
    literal = [piece for piece in pieces if re.search(r"\$\{|\b(?:var|local|data|module)\.", piece.value) is None]
    for piece in literal:
        if name := PLAIN.get(piece.path):
            yield (piece.path,), name, piece.value
        elif name := LISTS.get(piece.path):
            yield (piece.path,), name, ", ".join(re.findall(r"[^\s\"\[\],;]+", piece.value))
        elif piece.path in MEMORY:
            yield (piece.path,), "memory", f"{piece.value} MB"
        elif piece.path in ON_BOOT:
            yield (piece.path,), "start_on_boot", "yes" if piece.value == "true" else "no"
    yield from _disks(literal)
    yield from _cards(literal)
    yield from _addresses(literal)


def _blocks(pieces: list[Piece], named: re.Pattern[str] | tuple[str, ...]) -> list[tuple[str, dict[str, str]]]:
    """(path, attributes) of each such block, in their order."""
    found: dict[int, tuple[str, dict[str, str]]] = {}
    for piece in pieces:
        path, _, key = piece.path.rpartition(".")
        if path in named if isinstance(named, tuple) else named.fullmatch(path):
            found.setdefault(piece.block, (path, {}))[1][key] = piece.value
    return list(found.values())


def _disks(pieces: list[Piece]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """The first is the system's."""
    disks = [(path, one) for path, one in _blocks(pieces, DISK) if "size" in one and one.get("type", "disk") != "cloudinit"]
    if not disks:
        return
    storages = [one.get("datastore_id", one.get("storage", "")) for _, one in disks]
    sizes = [f"{one['size']} GB" if one["size"].isdecimal() else f"{one['size']}B" for _, one in disks]
    told = tuple(f"{path}.{key}" for path, one in disks for key in one)
    yield told, "disk", sizes[0]
    if storages[0]:
        yield told, "storage", storages[0]
    if more := [f"{size} on {on}" if on and on != storages[0] else size for size, on in list(zip(sizes, storages, strict=True))[1:]]:
        yield told, "data_disks", ", ".join(more)


def _cards(pieces: list[Piece]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    cards = [(path, one) for path, one in _blocks(pieces, CARD) if "bridge" in one]
    plugged = [(one["bridge"], tag if (tag := one.get("vlan_id", one.get("tag", ""))) not in ("0", "-1") else "") for _, one in cards]
    told = tuple(f"{path}.{key}" for path, one in cards for key in one)
    if plugged:
        bridge, tag = plugged[0]
        yield told, "network", tag or bridge
        if tag:
            yield told, "vlan", tag
            yield told, "bridge", bridge
    if further := [f"{bridge}.{tag}" if tag else bridge for bridge, tag in plugged[1:]]:
        yield told, "more_networks", ", ".join(further)


def _addresses(pieces: list[Piece]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    of_bpg = [
        (f"{path}.address", one.get("address", ""), f"{path}.gateway", one.get("gateway", "")) for path, one in _blocks(pieces, IP_CONFIG)
    ]
    of_telmate = []
    for piece in (one for one in pieces if one.path == "ipconfig0"):
        line = dict(part.split("=", 1) for part in piece.value.split(",") if "=" in part)
        of_telmate += [(piece.path, line.get(ip, ""), piece.path, line.get(gw, "")) for ip, gw in (("ip", "gw"), ("ip6", "gw6"))]
    said = [*of_bpg, *of_telmate]
    paths = tuple(path for address_path, _, gateway_path, _ in said for path in (address_path, gateway_path))
    if fixed := [address for _, address, _, _ in said if "/" in address]:
        yield paths, "address", ", ".join(fixed)
    if gateways := [gateway for *_, gateway in said if gateway]:
        yield paths, "gateway", ", ".join(gateways)
    if paths and not fixed:
        yield paths, "", ""
