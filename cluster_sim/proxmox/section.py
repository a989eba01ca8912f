"""The `proxmox` section of a world file: its shape. Whether a cluster could be like that is judged in checking.py."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


FLAGS = "fpu vme de pse tsc msr pae cx8 cx16 lahf_lm pni ssse3 sse4_1 sse4_2 x2apic movbe popcnt aes xsave avx f16c abm bmi1 avx2 bmi2 fma"
"""Of a usual x86-64-v3."""


class NodeSection(Section):
    address: str
    model: str = "AMD EPYC 7313P 16-Core Processor"
    mhz: PositiveInt = 3000
    sockets: PositiveInt = 1
    cores: PositiveInt
    threads: PositiveInt
    memory_gib: PositiveFloat
    swap_gib: float = 8
    root_gib: PositiveFloat = 94
    root_used_gib: float = 11
    memory_base_gib: float = 2.5
    """What the node itself needs: system, Ceph, cache that does not shrink."""
    up_days: PositiveFloat = 41
    flags: str = FLAGS
    """Of its processors, as /proc/cpuinfo names them."""
    maintenance: bool = False
    """As `ha-manager crm-command node-maintenance enable` leaves it."""


class StorageSection(Section):
    type: Literal["dir", "btrfs", "lvm", "lvmthin", "zfspool", "rbd", "nfs", "cephfs", "cifs", "pbs"]
    content: list[str]
    nodes: list[str] | None = None
    total_gib: PositiveFloat
    used_elsewhere_gib: float = 0
    enabled: bool = True
    shared: bool = False
    """Said to be one storage with the same contents on all nodes: a mounted cluster file system, volumes on a SAN."""
    settings: dict[str, str] = {}


class NetworkSection(Section):
    """The addresses of a VLAN, or of what is untagged."""

    tag: int | None
    bridge: str | None = None
    """The only bridge whose wire it is on; None: whichever bridge lets its tag through."""
    subnet: str
    gateway: str
    vnet: str | None = None
    dhcp: bool = True
    """Whether somebody there gives addresses."""
    leases_from: PositiveInt = 100


class BridgeSection(Section):
    kind: Literal["linux", "ovs"] = "linux"
    vlan_aware: bool = True
    """Of a Linux bridge. One that is not makes a `vmbr0v40` beside itself for each tag that a guest asks for."""
    vids: str = "2-4094"
    """The tags that the ports of a VLAN-aware bridge let through: numbers and ranges, with blanks between them."""
    ports: list[str] | None = None
    """None: a card of its own. `eno1.40`: a VLAN of that card, so that guests on the bridge need no tag. []: nothing outside is reached."""
    nodes: list[str] | None = None
    """None: every node has it."""


class DiskSection(Section):
    storage: str
    size_gib: PositiveFloat
    options: str = ""


class LoadSection(Section):
    cpu: float = Field(0.03, ge=0, le=1)
    memory: float = Field(0.35, ge=0, le=1)
    swing: float = Field(0.4, ge=0, le=1)
    peak_hour: float = Field(14, ge=0, lt=24)
    disk_mb_s: float = Field(0.3, ge=0)
    net_mb_s: float = Field(0.1, ge=0)


class GuestSection(Section):
    name: str
    node: str
    cores: PositiveInt = 1
    sockets: PositiveInt = 1
    memory_gib: PositiveFloat
    disks: list[DiskSection] = []
    bridge: str | None = None
    tag: int | None = None
    address: str | None = None
    running: bool = False
    template: bool = False
    cloud_init: str | None = None
    """The storage of its cloud-init drive."""
    cloud_init_on: str = "ide2"
    firmware: Literal["bios", "uefi"] = "bios"
    """UEFI is on a q35 machine, with a disk for its variables beside the first one."""
    tpm: bool = False
    default_user: str = "root"
    agent: bool = True
    tags: list[str] = []
    lock: str | None = None
    locked_for_s: float | None = Field(None, gt=0)
    """When the lock goes by itself; None: never."""
    options: dict[str, str] = {}
    """Further lines of its configuration, as they are."""
    load: LoadSection = LoadSection()


class FileSection(Section):
    storage: str
    node: str | None = None
    name: str
    size_gib: PositiveFloat


class AddressSection(Section):
    """What is at an address of the internet, where it is not what a client expects."""

    checksum: str = ""
    """In hex; empty: what is expected."""
    status: str = "200 OK"


class TokenSection(Section):
    secret: str
    separate: bool = True
    expires_at: int = 0
    comment: str = ""


class UserSection(Section):
    password: str | None = None
    enabled: bool = True
    comment: str = ""
    groups: list[str] = []
    tokens: dict[str, TokenSection] = {}


class GrantSection(Section):
    path: str
    to: str
    role: str
    propagate: bool = True


class PoolSection(Section):
    comment: str = ""
    guests: list[int] = []
    storages: list[str] = []


Nth = PositiveInt | list[PositiveInt] | None


class AnswerFaultSection(Section):
    when: str
    status: int = Field(500, ge=400, le=599)
    reason: str
    nth: Nth = None
    done: bool = False
    """The cluster does what it was asked, and only the answer is lost: 596 says no more than that a node was not heard in time."""


class TwiceFaultSection(Section):
    twice: str
    """Method and path with `*`: it comes twice, as from a proxy that sends again what it heard no answer to (nginx does with
    `proxy_next_upstream … non_idempotent`, nginx.org, 2026-12-01), and the second one's answer is heard."""
    nth: Nth = None


class TaskFaultSection(Section):
    task: str
    exitstatus: str
    node: str = "*"
    id: str | int = "*"
    nth: Nth = None


class SilentFaultSection(Section):
    silent: str
    after_s: float = Field(default=0.0, ge=0)
    """When it dies; 0: it is silent from the start."""
    for_s: float | None = Field(default=None, gt=0)
    """After which it is back; none: never."""


class SlowFaultSection(Section):
    slow: str
    delay_s: float = Field(ge=0, le=60)


FaultSection = AnswerFaultSection | TwiceFaultSection | TaskFaultSection | SilentFaultSection | SlowFaultSection


class TimingSection(Section):
    """How long things take, in seconds, before `time` speeds them up."""

    storage_lock_s: float = Field(0.5, ge=0)
    """How long the allocation of one volume keeps the lock of a block storage."""
    lock_wait_s: float = Field(10, ge=0)
    """How long Proxmox waits for such a lock before a task fails."""
    copy_gib_s: PositiveFloat = 1.5
    start_s: float = Field(1.0, ge=0)
    boot_s: float = Field(2.0, ge=0)
    """From the start of a guest without a body to its agent's first answer."""
    stop_s: float = Field(0.4, ge=0)
    shutdown_s: float = Field(1.5, ge=0)
    quick_s: float = Field(0.3, ge=0)
    """Everything that takes no time worth naming."""
    unauthorized_s: float = Field(3.0, ge=0)


class ProxmoxSection(Section):
    cluster: str
    version: str = "9.2.2"
    seed: int = 1
    nodes: Annotated[dict[str, NodeSection], Field(min_length=1)]
    storages: dict[str, StorageSection]
    bridges: dict[str, BridgeSection] = {"vmbr0": BridgeSection()}
    networks: dict[str, NetworkSection] = {}
    zone: str | None = None
    """The SDN zone (of type vlan) that the vnets of the networks are in."""
    guests: dict[int, GuestSection] = {}
    files: list[FileSection] = []
    web: dict[str, AddressSection] = {}
    """By address. Whatever is not here is there, and is what it is expected to be."""
    users: dict[str, UserSection] = {}
    roles: dict[str, list[str]] = {}
    grants: list[GrantSection] = []
    pools: dict[str, PoolSection] = {}
    ha: dict[str, Literal["started", "stopped", "disabled", "ignored"]] = {}
    ready_token: str
    """The token that the ready line hands out: `user@realm!name`."""
    timing: TimingSection = TimingSection()
    faults: list[FaultSection] = []
    options: dict[str, Any] = {}
