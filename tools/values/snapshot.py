"""What was seen, when, and what could not be seen. Judging it belongs to tools.rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, Self

from tools.values.value import Value

PlatformName = Literal["proxmox", "azure"]


class Seen(Value):
    """What is seen as a whole is large, and asked for its digest more than once: it is reckoned once."""

    @cached_property
    def digest(self) -> str:
        return super().digest

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy may say something else."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("digest", None)
        return copy


class ScanProblem(Value):
    """Something that could not be looked at. Data, not an exception: a silent node is part of the picture."""

    subject: str
    """`node pve4`, `storage ceph-vm on pve2`, `history`."""
    detail: str
    remedy: str = ""
    ours: bool = False
    """A limit of Berth's own: nothing is amiss in the world."""


class Load(Value):
    """How busy something has been."""

    cpu_ratio_p95: float | None
    """0..1 of all its processor threads."""
    memory_bytes_p95: float | None
    source: str
    """`Prometheus, 7 days, 98 % of samples` or `rrddata of pve1, 1 day`."""


class Node(Value):
    name: str
    online: bool
    cpu_count: int = 0
    """Processor threads."""
    memory_bytes: int = 0
    memory_used_bytes: int = 0
    cpu_ratio: float = 0.0
    """Now, 0..1."""
    load: Load | None = None
    cpu_model: str = ""
    cpu_types: tuple[str, ...] = ()
    """The general types of processors that a machine on it may have, the most able last. Empty: it did not tell its flags."""
    maintenance: bool = False
    """Of high availability: its guests are elsewhere until it is over."""


class Storage(Value):
    """One storage as one node sees it. A shared storage appears once a node: never add those up."""

    name: str
    node: str
    kind: str
    """`rbd`, `lvmthin`, `dir`, `nfs`."""
    shared: bool
    content: tuple[str, ...]
    """`images`, `iso`, `backup`, `snippets`."""
    total_bytes: int
    used_bytes: int
    active: bool


class Guest(Value):
    vm_id: int
    name: str
    node: str
    running: bool
    template: bool
    cpu_count: int
    memory_bytes: int
    disk_bytes: int
    """Of its system disk."""
    data_disks_gib: tuple[tuple[str, int], ...] = ()
    """(interface, GiB) of its other disks, as far as its configuration was read."""
    tags: tuple[str, ...] = ()
    pool: str = ""
    lock: str = ""
    on_boot: bool | None = None
    """It starts with its node; None: its configuration was not read."""
    addresses: tuple[str, ...] = ()
    """As cloud-init was told, and as its agent reports where that was asked."""


class Template(Value):
    """A guest marked as a template, with what a clone needs to know."""

    vm_id: int
    name: str
    node: str
    disk_interface: str
    """Of the system disk: `scsi0`."""
    disk_gib: int
    storages: tuple[str, ...]
    """Every storage that a volume of it lies on, the cloud-init drive and a CD in the drive included."""
    shared: bool
    """All of those are shared, so it can be cloned straight to any node."""
    cloud_init: bool
    os: str = ""
    """`debian`, `ubuntu`, … by name or tags, as far as can be told."""
    cards: tuple[tuple[str, int | None], ...] = ()
    """(bridge, tag) of its network cards: whoever clones it must be allowed to use them."""
    cloud_init_on: str = "ide2"
    """The interface of its cloud-init drive. Its system may see no other: the cloud kernels know no IDE drive of a q35 machine."""
    drives: tuple[str, ...] = ()
    """The interfaces that something is on: `ide2`, `scsi0`."""
    rules_count: int = 0
    """Of its own firewall: a machine that is cloned from it has them, too."""


class Network(Value):
    """A bridge or SDN network that guests can be put on."""

    name: str
    """As the operator says it: `20`, `vmbr0`, `prod`."""
    bridge: str
    vlan_tag: int | None
    nodes: tuple[str, ...]
    subnet: str = ""
    """CIDR, when the cluster or the site knows it."""
    seen_by: str = ""
    """How it was found: `SDN vnet prod`, `tag of VM 105`."""
    gateway: str = ""
    vlan_ids: str = ""
    """Of a bridge: the tags that a card on it may have, `2-99 200`. Empty: none, or it is no bridge."""
    dhcp: bool = True
    """False where the site says that nobody gives addresses there."""
    pool: tuple[str, ...] = ()
    """Addresses of the site that new machines may have: `10.0.30.100-10.0.30.199` or single ones."""
    dns_servers: tuple[str, ...] = ()
    domain: str = ""
    zone: str = "localnetwork"
    """Of SDN; every bridge is in this one."""
    subnet6: str = ""
    """CIDR of IPv6, where it has both."""
    gateway6: str = ""


class Zone(Value):
    """A zone of SDN, in which its vnets are."""

    name: str
    kind: str
    """`vlan`, `simple`, `vxlan`, as Proxmox VE calls it."""
    bridge: str = ""
    """Of a zone of VLANs: on which they are."""
    nodes: tuple[str, ...] = ()
    """On which it is."""
    tags: tuple[tuple[int, str], ...] = ()
    """(VLAN, vnet) of the vnets in it."""


class Registered(Value):
    """An address that the site's own register has, whoever has it in the world."""

    address: str
    """Without its prefix; of a range the first one."""
    last: str = ""
    """Of a range; empty: it is one address."""
    who: str
    """`NetBox (printer.example.org)`."""
    vm_id: int = 0
    """Of the machine, where Berth registered it."""


class ClusterSnapshot(Seen):
    platform: Literal["proxmox"] = "proxmox"
    endpoint: str
    taken_at: datetime
    version: str = ""
    quorate: bool = True
    nodes: tuple[Node, ...] = ()
    storages: tuple[Storage, ...] = ()
    guests: tuple[Guest, ...] = ()
    templates: tuple[Template, ...] = ()
    networks: tuple[Network, ...] = ()
    zones: tuple[Zone, ...] = ()
    firewall_on: bool | None = None
    """The datacentre's, without which no rule counts. None: it could not be seen."""
    sdn_waiting: tuple[str, ...] = ()
    """What of SDN is written down and not applied yet: `vnet lab`. Whoever applies a change applies all of it."""
    registered: tuple[Registered, ...] = ()
    """In the subnets of its networks that are known."""
    held: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What the token that makes may do, by each path that the cluster has a rule for: (`/vms`, (`VM.Audit/`, `VM.Clone`)). What has a `/`
    behind it goes down to paths below. Empty: it could not be looked up."""
    problems: tuple[ScanProblem, ...] = ()
    hidden_names: tuple[str, ...] = ()
    """SHA-256 of the names of guests that whoever it was taken for does not see: they are taken nevertheless."""

    def node(self, name: str) -> Node | None:
        return next((n for n in self.nodes if n.name == name), None)


class Quota(Value):
    """How much of something a subscription may use in a region."""

    region: str
    name: str
    """`standardDSv5Family`, `cores`, `OpenAI.GlobalStandard.gpt-4.1-mini`."""
    used: float
    limit: float
    unit: str = "Count"


class Sku(Value):
    """A virtual machine size that a region offers."""

    name: str
    region: str
    family: str
    cpu_count: int
    memory_gib: float
    gpu_count: int = 0
    restricted: str = ""
    """Why this subscription cannot have it; empty when it can."""
    zones: tuple[str, ...] | None = None
    """Of the region, in which this subscription can have it; None where that was not told."""


class CloudResource(Value):
    id: str
    type: str
    name: str
    region: str = ""
    tags: tuple[tuple[str, str], ...] = ()


class SecurityRule(Value):
    """A rule of a network security group, as far as its place among the others goes."""

    group_id: str
    name: str
    priority: int
    inbound: bool
    allow: bool


class Region(Value):
    name: str
    display_name: str


class CloudNetwork(Value):
    id: str
    region: str
    ranges: tuple[str, ...]
    """CIDR."""


class Permission(Value):
    """What one of the login's roles allows in the subscription, with `*` for anything, as Azure writes it."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()


class ModelEnd(Value):
    """Where a language model stands in its life, by what Azure says of it."""

    model: str
    """`region/model/version/sku`."""
    stage: str
    """`GenerallyAvailable`, `Deprecating`, as Azure spells it."""
    ends_on: str = ""
    """The day from which it answers no more, ISO; empty when Azure says none."""

    @property
    def is_open(self) -> bool:
        """It takes new deployments."""
        return self.stage.lower() not in ("deprecating", "deprecated", "legacy", "retired")


class KubernetesVersion(Value):
    """A minor release that a region offers for new clusters."""

    region: str
    version: str
    """`1.34`"""
    is_default: bool = False
    is_preview: bool = False
    is_supported: bool = True
    """Without a contract of long-term support."""


class SubscriptionSnapshot(Seen):
    platform: Literal["azure"] = "azure"
    endpoint: str
    taken_at: datetime
    subscription_id: str
    subscription_name: str = ""
    tenant_id: str = ""
    regions: tuple[Region, ...] = ()
    groups: tuple[CloudResource, ...] = ()
    resources: tuple[CloudResource, ...] = ()
    quotas: tuple[Quota, ...] = ()
    skus: tuple[Sku, ...] = ()
    models: tuple[str, ...] = ()
    """`region/model/version/sku` of language models that can be deployed anew."""
    networks: tuple[CloudNetwork, ...] = ()
    permissions: tuple[Permission, ...] = ()
    """None: they could not be seen."""
    unregistered: tuple[str, ...] = ()
    """Resource providers that the subscription has not registered: `Microsoft.Databricks`."""
    principal: str = ""
    """Who is logged in, as `az role assignment create --assignee` takes it; empty when it is not known."""
    model_ends: tuple[ModelEnd, ...] = ()
    """When each of them ends, and those that take no new deployments any more."""
    kubernetes: tuple[KubernetesVersion, ...] = ()
    groups_gone: tuple[str, ...] = ()
    """Object ids of Entra groups that were asked for, and of which the directory says that it has none."""
    groups_unseen: tuple[str, ...] = ()
    """Those that were asked for, and that this login may not look up."""
    names_taken: tuple[str, ...] = ()
    """`type:name` of the globally unique names that were checked and are in use."""
    security_rules: tuple[SecurityRule, ...] = ()
    """Of every network security group; Azure's own default rules are left out."""
    problems: tuple[ScanProblem, ...] = ()


Snapshot = ClusterSnapshot | SubscriptionSnapshot
