"""What is written on a guest's disk before its first boot: what a cloud-init drive and the site's installer put there.

Standard library only.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from cluster_sim.guests.values import GuestSpec

APT_PROXY_PORT = 3142


@dataclass(frozen=True)
class SeedFile:
    path: str
    text: str
    mode: int = 0o644


def new_disk_files(spec: GuestSpec) -> tuple[SeedFile, ...]:
    """What a new disk has besides its image."""
    address = str(spec.address.ip)
    return (
        SeedFile("etc/hostname", f"{spec.hostname}\n"),
        SeedFile("etc/hosts", f"127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{address} {spec.hostname}\n"),
        SeedFile("etc/resolv.conf", "# This network has no name server.\n"),
        SeedFile("etc/apt/apt.conf.d/01proxy", f'Acquire::http::Proxy "http://{spec.gateway}:{APT_PROXY_PORT}";\n'),
    )


def drive_files(spec: GuestSpec) -> tuple[SeedFile, ...]:
    """The cloud-init drive, written anew at every start as Proxmox VE does.

    The instance is named after what is said, so cloud-init sets the machine up again when that has changed, and only then: SHA-1 of the
    user data and the network data, in which a card that asks for its address has none (qemu-server, Cloudinit.pm, 2026-11-29).
    """
    said = user_data(spec)
    network = f"{spec.mac}dhcp" if spec.dhcp else f"{spec.address}{spec.gateway}{spec.mac}"
    instance = hashlib.sha1(f"{said}{network}".encode(), usedforsecurity=False).hexdigest()
    named = {"instance-id": instance, "local-hostname": spec.hostname}
    return (
        SeedFile("var/lib/cloud/seed/nocloud/meta-data", json.dumps(named) + "\n"),
        SeedFile("var/lib/cloud/seed/nocloud/user-data", said, 0o600),
    )


def user_data(spec: GuestSpec) -> str:
    """The cloud-config Proxmox VE writes for a guest, as JSON: no value can add a key, whatever its text."""
    config: dict[str, object] = {
        "hostname": spec.hostname,
        "user": spec.user,
        "disable_root": spec.user != "root",
        "ssh_authorized_keys": list(spec.ssh_keys),
        "chpasswd": {"expire": False},
        "users": ["default"],
        "package_upgrade": False,
    }
    if spec.password is not None:
        # Like Proxmox VE, without `ssh_pwauth`: a password is let in by sshd's own default, and cloud-init need not restart it.
        config["password"] = spec.password
    return "#cloud-config\n" + json.dumps(config, indent=1) + "\n"
