"""The lines a guest's configuration may have: their types, which right each needs, and which wait for the next start."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

from .lines import DRIVE_KEY, NET_KEY, read_pairs
from .parameters import BOOLEAN, DNS_NAME, LIST, TEXT, VMID, Parameter, choice, integer, matching, number

BOOLEANS = tuple(
    re.split(
        r"\s+",
        "acpi allow-ksm autostart ciupgrade freeze keephugepages kvm localtime numa onboot protection reboot tablet tdf template",
    )
)
INTEGERS = {
    "balloon": integer(0),
    "cores": integer(1),
    "cpuunits": integer(1, 262_144),
    "migrate_speed": integer(0),
    "shares": integer(0, 50_000),
    "smp": integer(1),
    "sockets": integer(1),
    "vcpus": integer(1),
}
_TEXTS = re.split(
    r"\s+",
    "affinity agent amd-sev arch args audio0 boot bootdisk cicustom cipassword ciuser cpu description hookscript hotplug "
    "hugepages "
    "intel-tdx ivshmem keyboard machine memory nameserver rng0 searchdomain smbios1 spice_enhancements startdate startup tags "
    "vga "
    "vmgenid vmstatestorage watchdog",
)


def _memory(text: str) -> str:
    size = text.removeprefix("current=").split(",")[0]
    if not size.isascii() or not size.isdigit():
        raise ValueError(f"invalid format - format error\ncurrent: type check ('integer') failed - got '{size}'\n")
    if int(size) < 16:
        raise ValueError("invalid format - format error\ncurrent: value must have a minimum value of 16\n")
    return text


def _ip_config(text: str) -> str:
    said = read_pairs(text)
    for key, value in said.items():
        kind, kinds = ("ipv6", (IPv6Interface, IPv6Address)) if key.endswith("6") else ("ipv4", (IPv4Interface, IPv4Address))
        wrong = key not in ("ip", "gw", "ip6", "gw6") or (key == "ip" and value != "dhcp" and not _is(kinds[0], value, "/"))
        wrong = wrong or (key == "ip6" and value not in ("dhcp", "auto") and not _is(kinds[0], value, "/"))
        if wrong or (key in ("gw", "gw6") and not _is(kinds[1], value)):
            raise ValueError(
                f"invalid format - format error\n{key or text}: value does not look like a valid {kind} network configuration\n"
            )
    return text


def _is(kind: Callable[[str], object], text: str, must_have: str = "") -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return must_have in text


OPTIONS: dict[str, Parameter] = (
    dict.fromkeys(BOOLEANS, BOOLEAN)
    | INTEGERS
    | dict.fromkeys(_TEXTS, TEXT)
    | {
        "name": DNS_NAME,
        "sshkeys": matching(r"[-%a-zA-Z0-9_.!~*'()]*", "invalid format - invalid urlencoded string\n"),
        "bios": choice("seabios", "ovmf"),
        "citype": choice("configdrive2", "nocloud", "opennebula"),
        "ostype": choice(*re.split(r"\s+", "other wxp w2k w2k3 w2k8 wvista win7 win8 win10 win11 l24 l26 solaris")),
        "scsihw": choice("lsi", "lsi53c810", "virtio-scsi-pci", "virtio-scsi-single", "megasas", "pvscsi"),
        "memory": Parameter(_memory),
        "tags": matching(
            r"[a-zA-Z0-9_][a-zA-Z0-9_\-+.]*([;, ]+[a-zA-Z0-9_][a-zA-Z0-9_\-+.]*)*[;, ]*|",
            "invalid format - invalid characters in tag\n",
        ),
        "cpulimit": number(0, 128),
        "migrate_downtime": number(0),
    }
)
DRIVE = DRIVE_KEY.pattern
FAMILIES: dict[str, Parameter] = {
    DRIVE: TEXT,
    NET_KEY.pattern: TEXT,
    r"ipconfig(?:[12]?\d|3[01])": Parameter(_ip_config),
    r"serial[0-3]": TEXT,
    r"parallel[0-2]": TEXT,
    r"usb(?:\d|1[0-4])": TEXT,
    r"hostpci(?:\d|1[0-5])": TEXT,
    r"numa\d": TEXT,
    r"virtiofs\d": TEXT,
    r"unused\d{1,3}": TEXT,
}
_ABOUT_THE_CALL: dict[str, Parameter] = {
    "node": TEXT,
    "vmid": VMID,
    "delete": LIST,
    "digest": TEXT,
    "revert": LIST,
    "force": BOOLEAN.with_("delete"),
    "skiplock": BOOLEAN,
}
_IN_BACKGROUND: dict[str, Parameter] = {"background_delay": integer(1, 30), "import-working-storage": TEXT}
CHANGE = _ABOUT_THE_CALL | OPTIONS
CREATE = {k: v for k, v in CHANGE.items() if k not in ("delete", "digest", "revert", "skiplock")} | {"force": BOOLEAN.with_("archive")}
NO_OPTION = frozenset(_ABOUT_THE_CALL | _IN_BACKGROUND)
"""Parameters of the same calls that are not lines of the configuration."""

WAITS_FOR_A_START = re.compile(
    r"memory|cores|sockets|vcpus|cpu|numa\d*|scsihw|ostype|bios|machine|vga|serial\d|agent|acpi|kvm|tablet|boot|smbios1|hugepages"
)

PRIVILEGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"cores|cpu|cpulimit|cpuunits|numa\d*|smp|sockets|vcpus", ("VM.Config.CPU",)),
    (r"allow-ksm|balloon|memory|shares", ("VM.Config.Memory",)),
    (r"acpi|hotplug|kvm|machine|scsihw|smbios1|tablet|vga|watchdog|audio0|rng0|serial\d|usb\d+", ("VM.Config.HWType",)),
    (
        r"agent|autostart|bios|description|keyboard|localtime|migrate_downtime|migrate_speed|name|onboot|ostype|protection|reboot|"
        r"startdate|startup|tags|tdf|template",
        ("VM.Config.Options",),
    ),
    (r"freeze", ("VM.PowerMgmt",)),
    (r"boot|bootdisk|vmstatestorage|unused\d+", ("VM.Config.Disk",)),
    (r"net\d+", ("VM.Config.Network",)),
    (
        r"cicustom|cipassword|citype|ciuser|ciupgrade|nameserver|searchdomain|sshkeys|ipconfig\d+",
        ("VM.Config.Cloudinit", "VM.Config.Network"),
    ),
)
"""Which right a line needs, any one of those named. What is not here only root may change."""
