"""One machine on a cluster, with no choice left. Its figures become an entry of the Terraform module's `machines`, field by field."""

from __future__ import annotations

from tools.values.value import Value


class Placement(Value):
    """Where a machine goes: a candidate names one for each machine."""

    node: str
    storage: str
    template_vm_id: int
    template_node: str
    disk_interface: str


class DataDisk(Value):
    """A disk beside the system's, on the same storage."""

    interface: str
    disk_gib: int


class Machine(Placement):
    """The module's variables.tf says the same, but for the group: it is what a machine is for, not what it is."""

    name: str
    group: str = ""
    """Of those machines of its part that are like it; empty: all are."""
    vm_id: int
    disk_gib: int
    """Of the system."""
    data_disks: tuple[DataDisk, ...] = ()
    cpu_count: int
    memory_mib: int
    bridge: str
    vlan_tag: int | None
    address: str = "dhcp"
    gateway: str | None = None
    user_name: str
    public_keys: tuple[str, ...]
    dns_servers: tuple[str, ...] = ()
    domain: str | None = None
    tags: tuple[str, ...] = ()
    on_boot: bool = True
    high_availability: bool = False
    """The cluster's manager starts it on another node when its own is lost."""
    pool: str | None = None
    description: str | None = None

    @property
    def card(self) -> str:
        """Where its network card is plugged in: `vmbr0, VLAN 40`."""
        return self.bridge if self.vlan_tag is None else f"{self.bridge}, VLAN {self.vlan_tag}"

    @property
    def address_alone(self) -> str:
        """Without its prefix; empty where the network gives it."""
        return "" if self.address == "dhcp" else self.address.partition("/")[0]

    @property
    def disks_gib(self) -> int:
        """All of them together."""
        return self.disk_gib + sum(disk.disk_gib for disk in self.data_disks)

    @property
    def placement(self) -> Placement:
        return Placement(**{name: getattr(self, name) for name in Placement.model_fields})
