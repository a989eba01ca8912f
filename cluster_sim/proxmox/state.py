"""What a cluster is made of, as plain values. How they change belongs to the files next to this one."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Node:
    name: str
    number: int
    address: str
    model: str
    mhz: int
    sockets: int
    cores: int
    threads: int
    memory_bytes: int
    swap_bytes: int
    root_bytes: int
    root_used_bytes: int
    memory_base_bytes: int
    up_since: float
    flags: frozenset[str] = frozenset()
    maintenance: bool = False
    """Of high availability: its guests are elsewhere until it is over."""


@dataclass(frozen=True)
class Storage:
    name: str
    kind: str
    content: tuple[str, ...]
    shared: bool
    nodes: tuple[str, ...]
    total_bytes: int
    used_elsewhere_bytes: int
    """What is used besides the volumes that are listed: metadata, other pools on the same disks, backups nobody models."""
    settings: dict[str, str]
    enabled: bool = True

    @property
    def in_files(self) -> bool:
        return self.kind in ("dir", "nfs", "cifs", "cephfs", "btrfs")


@dataclass(frozen=True)
class WebAddress:
    """What is at an address of the internet, where it is not what a client expects."""

    checksum: str = ""
    """In hex, of whichever algorithm it is asked for; empty: what is expected."""
    status: str = "200 OK"


@dataclass
class Volume:
    storage: str
    node: str | None
    """None on a shared storage."""
    name: str
    size_bytes: int
    format: str
    content: str
    vmid: int | None = None
    used_bytes: int | None = None
    """What it takes of the storage; None: all of its size."""
    parent: str | None = None
    made_at: float = 0.0

    @property
    def volid(self) -> str:
        return f"{self.storage}:{self.name}"


@dataclass(frozen=True)
class Load:
    """What a guest does all day: means over a day, as fractions of what it has."""

    cpu: float = 0.03
    memory: float = 0.35
    swing: float = 0.4
    peak_hour: float = 14.0
    disk_mb_s: float = 0.3
    net_mb_s: float = 0.1


@dataclass
class Guest:
    vmid: int
    node: str
    config: dict[str, str]
    pending: dict[str, str | None] = field(default_factory=dict)
    """Changes that wait for the next start; None: the key goes."""
    running: bool = False
    started_at: float = 0.0
    made_at: float = 0.0
    load: Load = field(default_factory=Load)
    default_user: str = "root"
    password: str | None = None
    has_body: bool = False
    pid: int = 0
    fixed_address: str | None = None
    """Guests of the world file may say which address they have."""
    held: tuple[str, str, str] | None = None
    """Card, address with its prefix, and gateway as it got them when it started. On another bridge or tag it keeps them: its link stays
    up, so no DHCP client of it asks again (qemu-server, vmconfig_update_net, 2026-11-29: only the bridge of the tap device changes)."""
    agent_inside: bool = True
    """The program is installed. A cloud image may come without."""
    held_by_card: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The same of all its cards: MAC, and addresses with their prefixes."""

    @property
    def is_template(self) -> bool:
        return self.config.get("template") == "1"

    @property
    def lock(self) -> str | None:
        return self.config.get("lock")

    @property
    def name(self) -> str:
        return self.config.get("name", f"VM {self.vmid}")

    @property
    def cores(self) -> int:
        return int(self.config.get("cores", "1")) * int(self.config.get("sockets", "1"))

    @property
    def memory_bytes(self) -> int:
        text = self.config.get("memory", "512")
        return int(text.removeprefix("current=").split(",")[0]) * 2**20

    def shown(self) -> dict[str, str]:
        """The configuration with the waiting changes in it."""
        merged = dict(self.config)
        for key, value in self.pending.items():
            if value is None:
                merged.pop(key, None)
            else:
                merged[key] = value
        return merged


@dataclass
class Pool:
    name: str
    comment: str = ""
    vmids: set[int] = field(default_factory=set)
    storages: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Network:
    """A VLAN and the addresses on it."""

    tag: int | None
    subnet: str
    gateway: str
    name: str
    vnet: str | None = None
    leases_from: int = 100
    bridge: str | None = None
    """The only bridge whose wire it is on."""
    dhcp: bool = True


@dataclass(frozen=True)
class Bridge:
    name: str
    kind: str
    """`linux` or `ovs`."""
    vlan_aware: bool
    vids: str
    ports: tuple[str, ...]
    nodes: tuple[str, ...]

    @property
    def wire_tag(self) -> int | None:
        """The VLAN that its port is of, for guests without a tag."""
        vlan = next((port.partition(".")[2] for port in self.ports), "")
        return int(vlan) if vlan else None

    def lets_through(self, tag: int) -> bool:
        """A VLAN-aware bridge only what its ports are set up for; the others everything, where they reach anything."""
        if not self.ports:
            return False
        return self.kind == "ovs" or not self.vlan_aware or any(low <= tag <= high for low, high in read_vids(self.vids))


def read_vids(text: str) -> list[tuple[int, int]]:
    """`2-4094` or `2 20 30-39`, as pve-bridge-id-list has it (pve-common, 2026-11-29)."""
    ranges = (part.partition("-") for part in text.replace(",", " ").replace(";", " ").split())
    return [(int(low), int(high or low)) for low, _, high in ranges]


@dataclass
class HighAvailability:
    resources: dict[str, dict[str, str]] = field(default_factory=dict)
    rules: dict[str, dict[str, str]] = field(default_factory=dict)
    groups: dict[str, dict[str, str]] = field(default_factory=dict)
    """Before 9, which has rules in their place."""
