"""What the operator's site has settled beforehand: conventions and limits, read from settings and files, never from a model."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, Field

from tools.values.value import Value

StoppedGuests = Literal["count", "on_boot", "leave_out"]


def _subnet(text: str) -> str:
    return str(ipaddress.ip_network(text)) if text else ""


def _address(text: str) -> str:
    return str(ipaddress.ip_address(text)) if text else ""


def _span(text: str) -> str:
    first, _, last = text.partition("-")
    ends = [ipaddress.ip_address(end.strip()) for end in (first, last or first)]
    if ends[0].version != ends[1].version or int(ends[1]) < int(ends[0]):
        raise ValueError(f"{text} is no range of addresses")
    return "-".join(str(end) for end in dict.fromkeys(ends))


Subnet = Annotated[str, AfterValidator(_subnet)]
Address = Annotated[str, AfterValidator(_address)]
Span = Annotated[str, AfterValidator(_span)]
ZONE = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*")
_GROUP_ID = r"/subscriptions/[0-9a-fA-F-]{36}/resourceGroups/[^/]+"


REFERENCE_SCHEMES = ("env", "file", "vault", "keyvault", "age", "pass")
"""Where a secret may stand. How each is read: tools.clients.references."""
REFERENCE = rf"({'|'.join(REFERENCE_SCHEMES)}):\S+"


class StateStorage(Value):
    """The storage account that keeps Terraform's states of an environment. It is logged in to with Entra ID; there is no key."""

    storage_account: str = Field(pattern=r"^[a-z0-9]{3,24}$")
    container: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{1,61})[a-z0-9]$")
    key_prefix: str = Field(default="", pattern=r"^$|^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")
    """Before the run's id in the name of a blob."""
    resource_group: str = ""
    subscription_id: str = ""


class Networking(Value):
    """How networks of an Azure environment are laid out."""

    ranges: tuple[ipaddress.IPv4Network, ...] = ()
    """From which new networks take theirs; empty: from 10.64.0.0/10."""
    hub: str = Field(default="", pattern=rf"^$|{_GROUP_ID}/providers/Microsoft\.Network/virtualNetworks/[^/]+$")
    """The id of the network that new ones are peered with; empty: none."""
    reached: bool = False
    """Berth reaches what is peered with the hub: it runs there, or BERTH_GUEST_PROXY_COMMAND leads there."""
    dns_zones: str = Field(default="", pattern=rf"^$|{_GROUP_ID}$")
    """The id of the resource group that has the private DNS zones of the site; empty: each service makes its own."""

    @property
    def is_reached(self) -> bool:
        """Machines can be set up over SSH."""
        return bool(self.hub) and self.reached


class Environment(Value):
    """A named environment: where things of it go, what they may cost, and where their state lives."""

    name: str
    platform: Literal["", "azure", "proxmox"] = Field(default="", validation_alias=AliasChoices("platform", "target"))
    """The only platform that it may be on; empty: any. Site files of Berth 0.1 call it `target`."""
    subscription_id: str = ""
    """The Azure subscription of its own; empty: the one that is connected."""
    region: str = ""
    cpu_ratio_max: float = 0.8
    """A node's processor use after placement, p95 plus the new vCPUs at full use. Contract F49: production 0.6, development 0.8."""
    memory_ratio_max: float = 0.8
    """A node's memory after placement, the larger of promised and p95. Contract F49: at least 20 % head-room stays."""
    storage_ratio_max: float = 0.8
    """A storage after placement. Thin pools and Ceph go read-only when full, so a fifth stays free."""
    stopped_guests: Literal["", "count", "on_boot", "leave_out"] = ""
    """Whose memory counts though they do not run: all; those that start with their node, and those of which it is not known; none.
    Empty: all in production, else those that start with their node."""
    node_loss: Literal["", "refuse", "tell"] = ""
    """What is done about a plan after which the loss of one node, on a cluster of 3 to 5, would leave a guest without a place. Empty: it is
    refused in production, else told."""
    budget_monthly: float | None = None
    currency: str = "USD"
    state_backend: Literal["local", "azurerm"] = "local"
    """Where Terraform's record of new parts in Azure is kept: in the run folder, or in a blob. See docs/environments.md."""
    state_storage: StateStorage | None = None
    """Of `azurerm`; with `local`, where a team may take the record to when it takes a run over."""
    tags: tuple[tuple[str, str], ...] = ()
    high_availability: bool = False
    """Its machines on a cluster are started on another node when theirs is lost, without being asked for."""
    network: Networking = Networking()

    @property
    def counts_stopped(self) -> StoppedGuests:
        return self.stopped_guests or ("count" if self.name == "production" else "on_boot")

    @property
    def refuses_node_loss(self) -> bool:
        return (self.node_loss or ("refuse" if self.name == "production" else "tell")) == "refuse"


class SiteNetwork(Value):
    """A network of a cluster as this site knows it: what no scan can tell. See docs/networks.md."""

    name: str = Field(min_length=1, max_length=40)
    bridge: str = Field(min_length=1, max_length=40)
    """Or an SDN vnet."""
    vlan_tag: int | None = Field(default=None, ge=1, le=4094)
    subnet: Subnet = ""
    gateway: Address = ""
    dhcp: bool = True
    """False: nobody gives addresses there, so each machine is told its own."""
    pool: tuple[Span, ...] = ()
    """Addresses that new machines may have: `10.0.30.100-10.0.30.199` or single ones. Without DHCP they are taken from it."""
    subnet6: Subnet = ""
    """Of IPv6, where it has both."""
    gateway6: Address = ""
    dns_servers: tuple[Address, ...] = ()
    domain: str = ""


def _zones(zones: tuple[str, ...]) -> tuple[str, ...]:
    lower = tuple(zone.lower().rstrip(".") for zone in zones)
    if wrong := [zone for zone in lower if not ZONE.fullmatch(zone)]:
        raise ValueError(f"{wrong[0][:80]} is no name of a zone")
    if all(zone.endswith(".arpa") for zone in lower):
        raise ValueError("at least one zone for names is needed, such as example.org, beside those that end in .arpa")
    return lower


class NameServer(Value):
    """A name server that takes dynamic updates (RFC 2136), at which new machines get their names. See docs/networks.md."""

    server: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$")
    """Its address, or its name."""
    port: int = Field(default=53, ge=1, le=65535)
    zones: Annotated[tuple[str, ...], AfterValidator(_zones)] = Field(min_length=1)
    """That it lets Berth change, for names and for the way back: `example.org`, `30.0.10.in-addr.arpa`. A machine whose search domain is in
    none of them gets a name in the first."""
    key: str = Field(pattern=rf"^{REFERENCE}$")
    """Where the TSIG key stands, as tsig-keygen prints it: `env:NAME` or `file:/path`."""
    ttl_seconds: int = Field(default=300, ge=1, le=2**31 - 1)
    """How long others may remember an answer. What is made here may be made anew at another address, so it is short."""


class Ipam(Value):
    """A NetBox, in which addresses of new machines are registered. See docs/networks.md."""

    url: str = Field(pattern=r"^https://[A-Za-z0-9\[][!-~]{0,500}$")
    token: str = Field(pattern=rf"^{REFERENCE}$")
    """Where its API token stands: `env:NAME` or `file:/path`."""
    ca_file: str = ""
    """The authority that vouches for it, as a file; empty: those of the system."""


class OwnMetal(Value):
    """What the nodes of the site's own cluster cost, for an estimate beside a cloud's price."""

    node_price: float = Field(ge=0)
    """Of one node with its disks, and its share of switches and racks."""
    years: float = Field(gt=0)
    """For which it is used."""
    watts: float = Field(ge=0)
    """That a node takes, on average."""
    kwh_price: float = Field(ge=0)
    facility_factor: float | None = Field(default=None, ge=1)
    """All power of the place over that of its computers (PUE). None: the average that is published, in tools/data/own-metal.csv."""
    other_monthly: float = Field(default=0, ge=0)
    """Rent, lines, support, people: for the whole cluster."""
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")


class Release(Value):
    """A program that is not among a distribution's packages: where it is had from, and what it must be."""

    program: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")
    version: str = Field(pattern=r"^v?[0-9][A-Za-z0-9.+_-]{0,60}$")
    url: str = Field(pattern=r"^https?://[!-~]{1,500}$")
    """Of its one file. What comes from there is taken only with the SHA-256 beside it, so a mirror need not be trusted."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    source: str = ""
    """Where the SHA-256 was read."""
    taken: str = ""
    """The day of it, ISO."""


class CloudImage(Value):
    """A system's cloud image, of which a template is made: where it is had from, and what it must be."""

    os: str = Field(pattern=r"^[a-z][a-z0-9]{0,30}$")
    version: str = Field(pattern=r"^[0-9]{1,4}(\.[0-9]{1,4})?$")
    url: str = Field(pattern=r"^https?://[!-~]{1,500}$")
    """Of a qcow2 file. What comes from there is taken only with the checksum beside it, so a mirror need not be trusted."""
    checksum: str = Field(pattern=r"^([0-9a-f]{64}|[0-9a-f]{128})$")
    checksum_algorithm: Literal["sha256", "sha512"]
    agent: bool = False
    """The guest agent is in it."""
    disk_gib: int = Field(ge=1, le=1024)
    """Of the template: as large as the image says, at least."""
    source: str = ""
    """Where the checksum was read."""
    taken: str = ""
    """The day of it, ISO."""

    @property
    def name(self) -> str:
        """What its template is called where nobody says: `ubuntu-24-04`. A machine's name has no dots."""
        return f"{self.os}-{self.version}".replace(".", "-")

    @property
    def spoken(self) -> str:
        """`Debian 12`."""
        return f"{self.os.capitalize()} {self.version}"


class Acme(Value):
    """Who signs the certificates of sites that are served, by RFC 8555. See tools/capabilities/reverse_proxy/README.md."""

    directory: str = Field(pattern=r"^https://[A-Za-z0-9.:/_~-]{1,300}$")
    """Its address."""
    authority: str = Field(default="", pattern=r"^$|^(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$")
    """PEM of whom to trust: of the server itself, and of what it signs. Empty: whoever Debian trusts."""


class Monitoring(Value):
    """What only the site can say of watching. See tools/capabilities/monitoring/README.md."""

    host: str = Field(default="", pattern=r"^$|^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$")
    """A Prometheus of the site's own, as ssh calls its machine; empty: none."""
    ssh_config: str = ""
    """How ssh reaches it; empty: by the operator's own settings."""
    targets: str = Field(default="/etc/prometheus/targets", pattern=r"^/[A-Za-z0-9/_.-]+$")
    """The folder there that its file_sd_configs read."""
    alert_webhook: str = Field(default="", pattern=rf"^$|^https?://[^\s\"']+$|^{REFERENCE}$")
    """Where alerts are posted, or where that address stands."""
    proxmox_token: str = Field(default="", pattern=rf"^$|^{REFERENCE}$")
    """Where a token stands that may look at the cluster and no more: a reference such as `env:NAME` or `file:/path` (docs/secrets.md)."""
    grafana_source: str = Field(default="", pattern=r"^$|^deb [^\r\n]+$")
    """A line of apt's sources for a repository that has Grafana."""
    grafana_key: str = ""
    """Its public key, armored."""


SECRETS = ("names.key", "ipam.token", "monitoring.alert_webhook", "monitoring.proxmox_token")
"""What of a site file is a secret, or a reference to one. Those of the settings are the fields of the type Secret."""


class Site(Value):
    environments: tuple[Environment, ...] = (
        Environment(name="production", cpu_ratio_max=0.6),
        Environment(name="staging", cpu_ratio_max=0.8),
        Environment(name="development", cpu_ratio_max=0.8),
    )
    vm_id_low: int = 20000
    vm_id_high: int = 29999
    user_name: str = "ops"
    """The account that cloud-init makes on new machines."""
    public_keys: tuple[str, ...] = ()
    """The operator's own, installed beside the run's."""
    name_pattern: str = "{workload}-{number:02d}"
    default_network: str = ""
    networks: tuple[SiteNetwork, ...] = ()
    names: NameServer | None = None
    """None: no name server is told anything."""
    ipam: Ipam | None = None
    """None: what the cluster and the ledger know of addresses is all that is known."""
    pool: str = ""
    """The Proxmox pool that new machines are put in; a token of least privilege may act in that pool alone. Empty: in none."""
    dns_servers: tuple[str, ...] = ()
    team: str = ""
    tenant: str = ""
    """Whose conversation it is, where the roles file has tenants: told by the login, and by nothing that is typed."""
    monitoring: Monitoring = Monitoring()
    acme: Acme | None = None
    """None: certificates are of the site's authority, or of one that is made for the run."""
    machines_max: int = 20
    """In one request."""
    own_metal: OwnMetal | None = None
    """None: nothing is told in money of what stands on a cluster."""
    releases: tuple[Release, ...] = ()
    """A site's own mirror of programs. Where it names one, the shipped rows of that program do not count."""
    images: tuple[CloudImage, ...] = ()
    """A site's own mirror of cloud images. Where it names one of a system and version, the shipped row of it does not count."""

    def secrets(self) -> dict[str, str]:
        """What stands in the place of each secret of the file, by the names of `SECRETS`."""
        named = {name: getattr(getattr(self, name.partition(".")[0]), name.partition(".")[2], "") for name in SECRETS}
        return {name: str(text) for name, text in named.items() if text}

    def environment(self, name: str) -> Environment:
        return next((e for e in self.environments if e.name == name), self.environments[-1])


def texts_of(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Each text in a value, by its name: `releases.0.url`."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Value):
        yield from texts_of(dict(value), name)
    elif isinstance(value, (dict, tuple)):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from texts_of(one, f"{name}.{key}" if name else str(key))


class Held(Value):
    """A machine that is promised its room."""

    vm_id: int
    node: str
    storage: str
    cpu_count: int
    memory_mib: int
    disk_gib: int
    further: tuple[tuple[str, int], ...] = ()
    """(storage, GiB) of its disks on other storages."""
    made: bool = False
    """It runs, and what a node remembers of its load is older than the machine."""


class Reserved(Value):
    """What the ledger has promised to plans that are not carried out yet, and to runs: two conversations cannot promise the same."""

    vm_ids: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()
    memory_bytes: tuple[tuple[str, int], ...] = ()
    """(node, bytes) promised but not yet visible in a snapshot."""
    cpu_count: tuple[tuple[str, int], ...] = ()
    machines: tuple[Held, ...] = ()
    """The same one by one, as far as it is known: they have disks as well, and each goes somewhere when its node is lost."""
    addresses: frozenset[str] = frozenset()
    """Fixed ones, without prefix."""
    waiting: frozenset[str] = frozenset()
    """Names and addresses of plans that wait for an approval. Who chooses keeps off them; who was told one may have it, and the plan that
    is approved first has it in the end."""

    @property
    def widest(self) -> Reserved:
        """For choosing: what waits counts as taken."""
        return self.model_copy(update={"names": self.names | self.waiting, "addresses": self.addresses | self.waiting})

    @property
    def unapproved(self) -> Reserved:
        """What a plan that waits for an approval holds of it: no room, and nothing that another one asks for by name."""
        return Reserved(vm_ids=self.vm_ids, waiting=self.names | self.addresses)

    def plus(self, other: Reserved) -> Reserved:
        return Reserved(
            vm_ids=self.vm_ids | other.vm_ids,
            names=self.names | other.names,
            memory_bytes=_added(self.memory_bytes, other.memory_bytes),
            cpu_count=_added(self.cpu_count, other.cpu_count),
            machines=tuple(sorted({*self.machines, *other.machines}, key=lambda held: held.vm_id)),
            addresses=self.addresses | other.addresses,
            waiting=self.waiting | other.waiting,
        )

    def besides(self, other: Reserved) -> Reserved:
        """Without the ids, names and addresses of the other."""
        left = {name: getattr(self, name) - getattr(other, name) for name in ("vm_ids", "names", "addresses")}
        return self.model_copy(update=left)


def _added(*several: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    total: dict[str, int] = {}
    for name, amount in (pair for one in several for pair in one):
        total[name] = total.get(name, 0) + amount
    return tuple(sorted(total.items()))
