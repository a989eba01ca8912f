"""What the tests of guests share: a key pair, specs, and how a person logs in."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

from cluster_sim.guests import Bodies, GuestSpec

NETWORKS = (IPv4Interface("10.10.20.1/24"), IPv4Interface("10.10.30.1/24"))
UP_SECONDS_MAX = 60.0


@dataclass(frozen=True)
class Key:
    private: Path

    @property
    def public(self) -> str:
        return self.private.with_suffix(".pub").read_text().strip()


def make_key(folder: Path) -> Key:
    private = folder / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", str(private)], check=True)
    return Key(private)


def spec(operator: Key, number: int, network: IPv4Interface = NETWORKS[0], **changes: object) -> GuestSpec:
    address = IPv4Interface(f"{network.network.network_address + number}/{network.network.prefixlen}")
    said = {
        "key": str(100 + number),
        "hostname": f"web-{number}",
        "mac": f"BC:24:11:00:{number // 256:02X}:{number % 256:02X}",
        "address": address,
        "gateway": network.ip,
        "user": "ops",
        "ssh_keys": (operator.public,),
    }
    return GuestSpec(**(said | changes))  # type: ignore[arg-type]


def until(true: Callable[[], bool], seconds_max: float = UP_SECONDS_MAX) -> bool:
    ending = time.monotonic() + seconds_max
    while time.monotonic() < ending:
        if true():
            return True
        time.sleep(0.05)
    return False


def boot(bodies: Bodies, guest: GuestSpec) -> None:
    bodies.boot(guest)
    assert until(lambda: bodies.is_up(guest.key)), f"{guest.hostname} was not up after {UP_SECONDS_MAX:.0f} s"


def ssh(bodies: Bodies, guest: GuestSpec, key: Key, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """What a person types, with nothing of his own settings."""
    options = {
        "ProxyCommand": bodies.proxy_command,
        "UserKnownHostsFile": key.private.parent / f"known_hosts-{bodies.kind}-{guest.key}",
        "StrictHostKeyChecking": "accept-new",
        "BatchMode": "yes",
        "LogLevel": "ERROR",
    }
    words = ["ssh", "-F", "none", "-i", str(key.private)]
    for name, value in options.items():
        words += ["-o", f"{name}={value}"]
    words += [f"{guest.user}@{guest.address.ip}", command]
    return subprocess.run(words, check=False, capture_output=True, text=True, input=stdin, timeout=60)
