"""Proxmox's comma-separated strings (disks, networks, agent, start order) and the provider's blocks, translated both ways."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote

from cluster_sim.mirror.schema import Values

GIB = 2**30
DISK_GIB_DEFAULT = 8
NETWORKS_MAX = 32
SERIALS_MAX = 4
DISK_INTERFACE = re.compile(r"^(scsi|virtio|sata|ide)\d+$")
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_DURATION = re.compile(r"([\d.]+)(ms|h|m|s)")


def options_of(text: str) -> dict[str, str]:
    """`local-lvm:vm-1-disk-0,size=2G` → {"": "local-lvm:vm-1-disk-0", "size": "2G"}."""
    parts = [part.partition("=") for part in text.split(",") if part]
    return {name if mark else "": value if mark else name for name, mark, value in parts}


def flag(value: object) -> str:
    return "1" if value else "0"


def size_bytes(text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", text)
    return int(float(found[1]) * _UNITS[found[2]]) if found else 0


def seconds_of(duration: str) -> float:
    """Go's notation: 5s, 15m, 1h30m."""
    return sum(float(number) * {"h": 3600, "m": 60, "s": 1, "ms": 0.001}[unit] for number, unit in _DURATION.findall(duration))


def network_text(device: Values) -> str:
    parts: list[tuple[str, Any]] = [
        ("model", device["model"]),
        ("bridge", device["bridge"]),
        ("firewall", flag(device["firewall"])),
        ("link_down", "1" if device["disconnected"] else None),
        ("macaddr", device["mac_address"] or None),
        ("mtu", device["mtu"] or None),
        ("queues", device["queues"] or None),
        ("rate", device["rate_limit"] or None),
        ("tag", device["vlan_id"] or None),
        ("trunks", device["trunks"] or None),
    ]
    return ",".join(f"{name}={value}" for name, value in parts if value is not None)


def network_block(text: str, was: Values | None) -> Values:
    given = options_of(text)
    model = next((name for name in given if re.fullmatch(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}", given[name])), "")
    if "model" in given:
        model, mac = given["model"], given.get("macaddr", "")
    else:
        mac = given.get(model, "")
    down = given.get("link_down") == "1"
    return {
        "bridge": given.get("bridge"),
        "disconnected": down if down or (was and was["disconnected"] is not None) else None,
        "enabled": True,
        "firewall": given.get("firewall", "0") == "1",
        "mac_address": mac.upper(),
        "model": model,
        "mtu": int(given.get("mtu", 0)),
        "queues": int(given.get("queues", 0)),
        "rate_limit": float(given.get("rate", 0)),
        "trunks": given.get("trunks"),
        "vlan_id": int(given.get("tag", 0)),
    }


def disk_text(disk: Values, volume: str, *, bytes_now: int | None = None) -> str:
    parts: list[tuple[str, Any]] = [
        ("file", volume),
        ("size", bytes_now),
        ("aio", disk["aio"]),
        ("backup", flag(disk["backup"])),
        ("iothread", flag(disk["iothread"]) if disk["interface"].startswith(("scsi", "virtio")) else None),
        ("ssd", flag(disk["ssd"]) if not disk["interface"].startswith("virtio") else None),
        ("discard", disk["discard"]),
        ("cache", disk["cache"]),
        ("queues", disk["queues"] or None),
        ("replicate", flag(disk["replicate"])),
        ("serial", disk["serial"]),
    ]
    return ",".join(f"{name}={value}" for name, value in parts if value is not None)


def imported_text(disk: Values) -> str:
    """Of a disk that is imported when its VM is made; without a source it is allocated."""
    source = f",import-from={disk['import_from']}" if disk["import_from"] else ""
    kind = f",format={disk['file_format']}" if disk["file_format"] else ""
    size_gib = disk["size"] or DISK_GIB_DEFAULT
    volume = f"{disk['datastore_id']}:{0 if source else size_gib}"
    return disk_text(disk, f"{volume}{source}{kind}", bytes_now=size_gib * GIB)


def disk_block(interface: str, text: str, file_format: str, was: Values | None) -> Values:
    given = options_of(text)
    storage, _, path = given.get("", given.get("file", "")).partition(":")
    return {
        "aio": given.get("aio", "io_uring"),
        "backup": given.get("backup", "1") == "1",
        "cache": given.get("cache", "none"),
        "datastore_id": storage,
        "discard": given.get("discard", "ignore"),
        "file_format": given.get("format", file_format),
        "file_id": was["file_id"] if was else None,
        "import_from": was["import_from"] if was else None,
        "interface": interface,
        "iothread": given.get("iothread", "0") == "1",
        "path_in_datastore": path,
        "queues": int(given.get("queues", 0)),
        "replicate": given.get("replicate", "1") == "1",
        "serial": given.get("serial"),
        # A template of 3.5 GiB counts as 4: a state holds whole GiB.
        "size": -(-size_bytes(given.get("size", "0")) // GIB),
        "ssd": given.get("ssd", "0") == "1",
        "speed": [],
    }


def disk_options(disk: Values) -> Values:
    """What of a disk is set by its options, as against its size and place."""
    return {name: disk[name] for name in ("aio", "backup", "cache", "discard", "iothread", "queues", "replicate", "serial", "ssd")}


def agent_text(agent: Values) -> str:
    return f"enabled={flag(agent['enabled'])},fstrim_cloned_disks={flag(agent['trim'])},type={agent['type']}"


def agent_block(text: str, was: Values) -> Values:
    given = options_of(text)
    return was | {
        "enabled": given.get("enabled", given.get("", "0")) == "1",
        "trim": given.get("fstrim_cloned_disks", "0") == "1",
        "type": given.get("type", "virtio"),
    }


def startup_text(startup: Values) -> str:
    parts = (("order", startup["order"]), ("up", startup["up_delay"]), ("down", startup["down_delay"]))
    return ",".join(f"{name}={value}" for name, value in parts if value >= 0)


def startup_block(text: str) -> Values:
    given = options_of(text)
    return {
        "order": int(given.get("order", given.get("", -1))),
        "up_delay": int(given.get("up", -1)),
        "down_delay": int(given.get("down", -1)),
    }


def vga_text(vga: Values) -> str:
    clipboard = f",clipboard={vga['clipboard']}" if vga["clipboard"] else ""
    return f"type={vga['type']},memory={vga['memory']}{clipboard}"


def vga_block(text: str) -> Values:
    given = options_of(text)
    return {
        "clipboard": given.get("clipboard"),
        "memory": int(given.get("memory", 16)),
        "type": given.get("type", given.get("", "std")),
    }


def cpu_text(cpu: Values) -> str:
    flags = f",flags={';'.join(cpu['flags'])}" if cpu["flags"] else ""
    return f"{cpu['type']}{flags}"


def address_text(ip_config: Values) -> str:
    parts = []
    for block, address_key, gateway_key in (("ipv4", "ip", "gw"), ("ipv6", "ip6", "gw6")):
        for address in ip_config[block]:
            parts += [f"{address_key}={address['address']}"] if address["address"] else []
            parts += [f"{gateway_key}={address['gateway']}"] if address["gateway"] else []
    return ",".join(parts)


def address_block(text: str) -> Values:
    given = options_of(text)
    return {
        "ipv4": [{"address": given["ip"], "gateway": given.get("gw")}] if "ip" in given else [],
        "ipv6": [{"address": given["ip6"], "gateway": given.get("gw6")}] if "ip6" in given else [],
    }


def keys_text(keys: list[str]) -> str:
    """Encoded once here, and once more as a form value: Proxmox wants it so."""
    return quote("\n".join(key.strip() for key in keys), safe="")


def keys_of(text: str) -> list[str]:
    return [line for line in unquote(text).split("\n") if line.strip()]


def cloud_init_drive(config: Values, vm_id: int) -> tuple[str, str] | None:
    """The interface and the storage of the cloud-init drive, recognised by its volume's name."""
    for name, value in config.items():
        if DISK_INTERFACE.match(name) and isinstance(value, str) and f"vm-{vm_id}-cloudinit" in value:
            return name, value.partition(":")[0]
    return None


def is_disk(name: str, value: Any) -> bool:
    return bool(DISK_INTERFACE.match(name)) and isinstance(value, str) and "media=cdrom" not in value and "cloudinit" not in value


def storages_of(config: Values) -> list[str]:
    """Every storage that a VM has a drive on: disks, cloud-init drive, CD, EFI variables, TPM state. An empty CD has none."""
    volumes = [options_of(str(value)) for name, value in config.items() if DISK_INTERFACE.match(name) or name in ("efidisk0", "tpmstate0")]
    named = {storage_of(given.get("", given.get("file", ""))) for given in volumes}
    return sorted(named - {"none"})


def storage_of(volume: str) -> str:
    return volume.partition(":")[0]
