"""A guest's configuration as Proxmox VE prints it (`qm config 105`, or a file of /etc/pve/qemu-server), pasted to say what is wanted: which
facts it states, each with its line. It is read as what it is, line by line; whatever else stands in the message is heard as ever."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tools.values.request import Edit

LINES_MIN = 4
_LINE = re.compile(r"^[ \t]*([a-z]+\d{0,2}):[ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_DISK = re.compile(r"(?:scsi|virtio|sata)\d{1,2}")
_SIZE = re.compile(r"(?:^|,)size=(\d+)([MGT])")
_CARD = re.compile(r"net\d{1,2}")
_ADDRESS = re.compile(r"ipconfig\d{1,2}")
_LAUNCH = re.compile(
    r"^[ \t$#]*(?:lxc|incus) (?:launch|init) \w+:(?P<os>[a-z]+)/(?P<os_version>[\d.]+)(?:/\w+)* (?P<name>[\w-]+)(?P<rest>.*)$", re.MULTILINE
)
"""`lxc launch images:debian/12 relay --vm -c limits.cpu=2`, of another kind of host."""
_LIMIT = re.compile(r"(?:limits\.|root,)(?P<what>cpu|memory|size)=(?P<value>\w+)")
LIMITS = {"cpu": "cpu_count", "memory": "memory", "size": "disk"}
PLAIN = {
    "name": "name",
    "memory": "memory",
    "cpu": "cpu_type",
    "nameserver": "dns",
    "searchdomain": "domain",
    "ciuser": "cloud_init_user",
}
"""Lines whose value is that of a fact, but for the unit."""
OF_THE_TEMPLATE = frozenset(
    ("agent", "balloon", "boot", "bootdisk", "citype", "ciupgrade", "digest", "ide", "meta", "numa", "ostype", "scsihw", "serial", "smbios")
) | frozenset(("vga", "vmgenid", "sshkeys", "template", "cores", "sockets", "onboot", "startup", "tags"))
"""What a machine has from its template, or is read with another line."""


class Printed(NamedTuple):
    start: int
    end: int
    facts: tuple[Edit, ...]
    """Each without its item."""
    left: tuple[str, ...]
    """Lines that nothing is made of."""


def printed(text: str) -> Printed | None:
    """The first that stands in the text; lines without a break between them."""
    if launch := _LAUNCH.search(text):
        said = [(name, launch[name], launch[name]) for name in ("name", "os", "os_version")]
        said += [(LIMITS[one["what"]], one["value"], one.group()) for one in _LIMIT.finditer(launch["rest"])]
        facts = tuple(Edit(do="set", name=name, value=value, quote=quote) for name, value, quote in said)
        return Printed(launch.start(), launch.end(), facts, ())
    block: list[re.Match[str]] = []
    for match in _LINE.finditer(text):
        if block and text[block[-1].end() : match.start()].strip():
            if _is_guest(block):
                break
            block = []
        block.append(match)
    return _read(text, block) if _is_guest(block) else None


def without(text: str, one: Printed) -> str:
    """Every other character keeps its place."""
    return text[: one.start] + re.sub(r"[^\n]", " ", text[one.start : one.end]) + text[one.end :]


def _is_guest(block: list[re.Match[str]]) -> bool:
    keys = {match[1] for match in block}
    has_disk = any(_DISK.fullmatch(match[1]) and _SIZE.search(match[2]) for match in block)
    return len(block) >= LINES_MIN and has_disk and bool(keys & {"cores", "memory", "net0", "scsihw"})


def _read(text: str, block: list[re.Match[str]]) -> Printed:
    lines = {match[1]: match for match in block}
    facts = [Edit(do="set", name=name, value=value, quote=lines[key][0].strip()) for key, name, value in _facts(lines)]
    used = {key for key, _, _ in _facts(lines)}
    left = tuple(m[0].strip() for key, m in lines.items() if key not in used and key.rstrip("0123456789") not in OF_THE_TEMPLATE)
    return Printed(block[0].start(), block[-1].end(), tuple(facts), left)


def _facts(lines: Mapping[str, re.Match[str]]) -> Iterator[tuple[str, str, str]]:
    """(key of the line, fact, value)."""
    said = {key: match[2] for key, match in lines.items()}
    for key, name in PLAIN.items():
        if key in said:
            value = said[key].split(",")[0]
            yield key, name, f"{value} MB" if key == "memory" else ", ".join(value.split()) if key == "nameserver" else value
    if "cores" in said:
        yield "cores", "cpu_count", str(int(said["cores"]) * int(said.get("sockets", "1")))
    if "tags" in said:
        yield "tags", "tags", ", ".join(said["tags"].replace(";", " ").split())
    if "onboot" in said:
        yield "onboot", "start_on_boot", "yes" if said["onboot"] == "1" else "no"
    if order := re.search(r"order=(\d+)", said.get("startup", "")):
        yield "startup", "start_order", order[1]
    if said.get("ostype", "").startswith("w"):
        yield "ostype", "os", "windows"
    yield from _disks(said)
    yield from _cards(said)
    yield from _addresses(said)


def _disks(said: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """The one that it boots from, and the others, each on its own storage."""
    disks = {key: value for key, value in said.items() if _DISK.fullmatch(key) and _SIZE.search(value) and "media=cdrom" not in value}
    order = re.search(r"order=([a-z0-9;]+)", said.get("boot", ""))
    first = next((key for key in (*(order[1].split(";") if order else ()), *sorted(disks)) if key in disks), "")
    storage = disks[first].partition(":")[0]
    yield first, "disk", _size(disks[first])
    yield first, "storage", storage
    others = [key for key in sorted(disks) if key != first]
    said_of = {key: "" if (on := disks[key].partition(":")[0]) == storage else f" on {on}" for key in others}
    for key in others:
        yield key, "data_disks", ", ".join(f"{_size(disks[one])}{said_of[one]}" for one in others)


def _size(value: str) -> str:
    found = _SIZE.search(value)
    assert found  # disks are those with a size
    return f"{found[1]} {found[2]}B"


def _cards(said: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    cards = {key: dict(one.split("=", 1) for one in said[key].split(",") if "=" in one) for key in sorted(said) if _CARD.fullmatch(key)}
    plugged = {key: (card["bridge"], card.get("tag", "")) for key, card in cards.items() if "bridge" in card}
    first = next(iter(plugged), "")
    if first:
        bridge, tag = plugged[first]
        yield first, "network", tag or bridge
        if tag:
            yield first, "bridge", bridge
    further = [f"{bridge}.{tag}" if tag else bridge for key, (bridge, tag) in plugged.items() if key != first]
    if further:
        yield next(key for key in plugged if key != first), "more_networks", ", ".join(further)


def _addresses(said: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    lines = {key: dict(one.split("=", 1) for one in said[key].split(",") if "=" in one) for key in sorted(said) if _ADDRESS.fullmatch(key)}
    if fixed := _fixed(lines.get("ipconfig0", {})):
        yield "ipconfig0", "address", ", ".join(fixed)
    gateways = [lines["ipconfig0"][one] for one in ("gw", "gw6") if one in lines.get("ipconfig0", {})]
    if gateways:
        yield "ipconfig0", "gateway", ", ".join(gateways)
    more = {key: fixed for key, line in lines.items() if key != "ipconfig0" and (fixed := _fixed(line))}
    if more:
        yield next(iter(more)), "more_addresses", ", ".join(one for fixed in more.values() for one in fixed)


def _fixed(line: Mapping[str, str]) -> list[str]:
    return [line[one] for one in ("ip", "ip6") if "/" in line.get(one, "")]
