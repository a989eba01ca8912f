"""What is said between the simulated cluster and the bodies of its guests. How a body is made belongs to pod.py and emulated/."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Protocol

Say = Callable[[str], None]
"""Takes one whole sentence for the person who waits."""


class GuestProblem(Exception):
    """A guest or its body cannot do what was asked. The text is a whole sentence with the next move."""


@dataclass(frozen=True)
class GuestSpec:
    """What a guest's cloud-init drive and its network card say."""

    key: str
    hostname: str
    mac: str
    address: IPv4Interface | IPv6Interface
    gateway: IPv4Address | IPv6Address
    user: str
    ssh_keys: tuple[str, ...]
    password: str | None = None
    dhcp: bool = False
    """Its drive says that it asks for its address; what it then gets is not on the drive."""
    cpu_count: int = 0
    """As its machine is configured; 0: what the computer has that it runs on."""
    memory_bytes: int = 0
    """Likewise."""
    drives: tuple[tuple[str, str, int], ...] = ()
    """(interface, serial number, GiB) of its disks that have a serial number. Real bodies have none."""


@dataclass(frozen=True)
class Executed:
    """How a command ended in a guest."""

    returncode: int
    stdout: str
    stderr: str


class Bodies(Protocol):
    """All guests of one simulated cluster. Every method may be called from several threads at once."""

    kind: str
    proxy_command: str | None

    def boot(self, spec: GuestSpec) -> None:
        """Starts the guest and returns at once; `is_up` tells when it answers. The disk of an earlier boot is kept."""
        ...

    def shutdown(self, key: str, force: bool = False) -> None:
        """Returns when the guest is off: by its own shutdown, or at once like pulling the plug when forced."""
        ...

    def destroy(self, key: str) -> None:
        """Stops the guest and forgets its disk."""
        ...

    def is_up(self, key: str) -> bool:
        """Whether the guest runs and its SSH server accepts connections."""
        ...

    def running(self) -> tuple[str, ...]: ...

    def exec(self, key: str, argv: Sequence[str]) -> Executed:
        """What the QEMU guest agent's guest-exec does: a command as root, outside any login."""
        ...

    def close(self) -> None:
        """Stops every guest and leaves no process and no mount behind; and no disk, unless disks are kept."""
        ...
