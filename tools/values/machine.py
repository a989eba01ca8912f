"""One machine, with no choice left: what every service needs to know of it, and what one on a cluster has besides. The figures of that
become an entry of the Terraform module's `machines`, field by field."""

from __future__ import annotations

from typing import Self

from tools.values.value import Value


class Placement(Value):
    """Where a machine goes: a candidate names one for each machine."""

    node: str
    storage: str
    template_vm_id: int
    template_node: str
    disk_interface: str
    cloud_init_on: str = "ide2"
    """The interface of its cloud-init drive: that of its template."""


class DataDisk(Value):
    """A disk beside the system's."""

    interface: str
    disk_gib: int
    storage: str = ""
    """On a cluster; empty: that of the system disk."""
    folder: str = ""
    """Where its file system is mounted; empty: it is attached empty."""
    serial: str = ""
    """By which the machine itself knows it, where it is to be mounted."""


class Card(Value):
    """A network card beside the first. It has no gateway: whatever is elsewhere is reached by the first."""

    bridge: str
    vlan_tag: int | None = None
    address: str = "dhcp"
    """Or fixed, with its prefix; empty: none of IPv4."""
    address6: str | None = None

    @property
    def spelled(self) -> str:
        return plugged(self.bridge, self.vlan_tag)

    @property
    def addresses(self) -> tuple[str, ...]:
        return told(self.address, self.address6)


BY_DHCP = "by DHCP"


def told(address: str, address6: str | None) -> tuple[str, ...]:
    """How a card gets its addresses: `10.0.30.5/24`, `by DHCP`."""
    of_ipv4 = BY_DHCP if address == "dhcp" else address
    return tuple(one for one in (of_ipv4, address6) if one)


def plugged(bridge: str, vlan_tag: int | None) -> str:
    """Where a network card is plugged in: `vmbr0, VLAN 40`."""
    return bridge if vlan_tag is None else f"{bridge}, VLAN {vlan_tag}"


def without_prefix(address: str) -> str:
    return address.partition("/")[0]


class Rule(Value):
    """What a machine's firewall lets in; the rest is dropped. Protocol, ports and source are spelled as Proxmox VE takes
    them, each empty for any."""

    protocol: str = ""
    ports: str = ""
    """`443`, `8000:8100`."""
    source: str = ""
    """Networks joined by commas, of one version of IP."""
    comment: str


class AnyMachine(Value):
    """Wherever it stands: what runs on it, and who logs in to it, ask for no more."""

    name: str
    group: str = ""
    """Of those machines of its part that are like it; empty: all are."""
    disk_gib: int
    """Of the system."""
    data_disks: tuple[DataDisk, ...] = ()
    cpu_count: int
    cpu_type: str = "x86-64-v2-AES"
    memory_mib: int
    user_name: str
    public_keys: tuple[str, ...]

    def letting_in(self, public_key: str) -> Self:
        """With a key more that opens it, as the last one."""
        return self.model_copy(update={"public_keys": (*(known for known in self.public_keys if known != public_key), public_key)})

    @property
    def every_card_spelled(self) -> str:
        """Where its network cards are plugged in; empty where that goes without saying."""
        return ""

    @property
    def address_alone(self) -> str:
        """By which it is reached, without its prefix; empty where the network gives it."""
        return ""


class Machine(Placement, AnyMachine):
    """On a cluster. The module's variables.tf says the same, but for the group: it is what a machine is for, not what it is."""

    vm_id: int
    bridge: str
    vlan_tag: int | None
    address: str = "dhcp"
    """Or fixed, with its prefix; empty: none of IPv4."""
    gateway: str | None = None
    address6: str | None = None
    """A fixed one of IPv6. None: what the network announces."""
    gateway6: str | None = None
    cards: tuple[Card, ...] = ()
    """Beside the first."""
    dns_servers: tuple[str, ...] = ()
    domain: str | None = None
    tags: tuple[str, ...] = ()
    on_boot: bool = True
    start_order: int | None = None
    """Among those that start with their node: the lowest first."""
    high_availability: bool = False
    """The cluster's manager starts it on another node when its own is lost."""
    rules: tuple[Rule, ...] = ()
    """Of its firewall; none: it has none."""
    pool: str | None = None
    description: str | None = None

    @property
    def card(self) -> str:
        """Where its network card is plugged in: `vmbr0, VLAN 40`."""
        return plugged(self.bridge, self.vlan_tag)

    @property
    def every_card_spelled(self) -> str:
        """`vmbr0, VLAN 40; vmbr1, 10.9.0.5/24`: of the others their fixed addresses, too."""
        further = (", ".join((one.spelled, *(a for a in one.addresses if a != BY_DHCP))) for one in self.cards)
        return "; ".join((self.card, *further))

    @property
    def address_alone(self) -> str:
        """By which it is reached, without its prefix; empty where the network gives it."""
        return "" if self.address == "dhcp" else without_prefix(self.address or self.address6 or "")

    @property
    def every_card(self) -> tuple[Card, ...]:
        first = Card(bridge=self.bridge, vlan_tag=self.vlan_tag, address=self.address, address6=self.address6)
        return (first, *self.cards)

    @property
    def first_addresses(self) -> tuple[str, ...]:
        """The fixed ones of its first card, each with its prefix; and what else gives it one."""
        return told(self.address, self.address6)

    @property
    def fixed_addresses(self) -> tuple[str, ...]:
        """All that it was given, of all its cards, each with its prefix."""
        return tuple(one for card in self.every_card for one in card.addresses if one != BY_DHCP)

    @property
    def disks_gib(self) -> int:
        """All of them together."""
        return self.disk_gib + sum(disk.disk_gib for disk in self.data_disks)

    @property
    def storages(self) -> frozenset[str]:
        """That its disks lie on."""
        return frozenset({self.storage, *(disk.storage for disk in self.data_disks if disk.storage)})

    def gib_on(self, storage: str) -> int:
        """Of its disks together, on one storage."""
        own = self.disk_gib if storage == self.storage else 0
        return own + sum(disk.disk_gib for disk in self.data_disks if (disk.storage or self.storage) == storage)

    @property
    def placement(self) -> Placement:
        return Placement(**{name: getattr(self, name) for name in Placement.model_fields})
