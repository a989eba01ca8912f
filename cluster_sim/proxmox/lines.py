"""The option lines of a guest's configuration: `local-lvm:vm-101-disk-0,discard=on,size=40G`, `virtio=MAC,bridge=vmbr0,tag=20`.

Proxmox writes the leading value first and the other options in alphabetical order, whatever order they came in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

DRIVE_KEY = re.compile(r"(?:ide[0-3]|sata[0-5]|scsi(?:[12]?\d|30)|virtio(?:\d|1[0-5])|efidisk0|tpmstate0)")
NET_KEY = re.compile(r"net(?:[12]?\d|3[01])")
_CLOUD_INIT = re.compile(r"(?:^|[:/])(?:vm-\d+-)?cloudinit(?:\.\w+)?$")
NET_MODELS = ("virtio", "e1000", "e1000e", "rtl8139", "vmxnet3")


@dataclass
class Drive:
    volid: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def is_cdrom(self) -> bool:
        return self.options.get("media") == "cdrom" or self.is_cloud_init

    @property
    def is_cloud_init(self) -> bool:
        return bool(_CLOUD_INIT.search(self.volid))

    @property
    def storage(self) -> str | None:
        return self.volid.partition(":")[0] if ":" in self.volid else None

    @property
    def volume(self) -> str:
        return self.volid.partition(":")[2]

    def line(self) -> str:
        return ",".join([self.volid, *(f"{k}={v}" for k, v in sorted(self.options.items()))])


def read_drive(line: str) -> Drive:
    volid, options = "", {}
    for number, part in enumerate(p for p in line.split(",") if p):
        key, equals, value = part.partition("=")
        if key == "file":
            volid = value
        elif number == 0 and not equals:
            volid = part
        else:
            options[key] = value
    return Drive(volid, options)


@dataclass
class Net:
    model: str
    mac: str | None
    options: dict[str, str]

    @property
    def bridge(self) -> str | None:
        return self.options.get("bridge")

    @property
    def tag(self) -> int | None:
        return int(self.options["tag"]) if self.options.get("tag", "").isdigit() else None

    def line(self) -> str:
        return ",".join([f"{self.model}={self.mac}", *(f"{k}={v}" for k, v in sorted(self.options.items()))])


def read_net(line: str) -> Net | None:
    """None when the line names no model of a network card."""
    model, mac, options = None, None, {}
    for part in (p for p in line.split(",") if p):
        key, equals, value = part.partition("=")
        if key in NET_MODELS:
            model, mac = key, value.upper() if equals else None
        elif key == "model":
            model = value
        elif key == "macaddr":
            mac = value.upper()
        else:
            options[key] = value
    return Net(model, mac, options) if model in NET_MODELS else None


def read_pairs(line: str) -> dict[str, str]:
    """`ip=dhcp,gw=…` as a dict; a first value without a name is called `""`."""
    return {key if equals else "": value if equals else key for key, equals, value in (p.partition("=") for p in line.split(",") if p)}
