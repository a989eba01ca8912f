"""Everything needed to build, no choice left."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tools.values.certificate import Certificate
from tools.values.machine import AnyMachine, Machine, without_prefix
from tools.values.offer import Sum
from tools.values.requirements import Needs
from tools.values.snapshot import PlatformName
from tools.values.value import Json, Named, Record, Value
from tools.values.watched import Exporter


class Resource(Value):
    """One thing that will exist, as a person is told of it."""

    name: str
    kind: str
    """`virtual machine`, `storage account`, `AKS node pool`."""
    where: str
    """`pve2, ceph-vm, network 20` or `eastus, rg-ml-prod`."""
    size: str
    """`4 vCPU, 8 GiB memory, 60 GiB disk`."""
    because: str
    meters: tuple[tuple[str, float], ...] = ()
    """What it costs, for pricing: price key and quantity a month. Empty when it has no price."""


class Secret(Value):
    """A secret of the run: made when the plan is carried out, kept in a file of the run folder, named here and never shown."""

    name: str
    """Also the file's name under `secrets/`."""
    kind: Literal["password", "ssh_key"]


class TlsCertificate(Value):
    """A certificate of the run with its key: a secret as well, made when its machines are configured, and made anew before it ends."""

    name: str
    """Also the file's name under `secrets/`."""
    names: tuple[str, ...]
    """What it is for: DNS names and addresses, the first one as its own name."""


class Configure(Value):
    """How the machines of a part are configured once they are there."""

    kind: Literal["ansible", "databricks", "kubernetes"]
    playbook: str = ""
    """A file under ansible/, such as `postgresql.yml`."""
    variables: Json = None
    """Values for the playbook or the configuring program. Secrets stand as `{"secret": "<name>"}`."""


class Command(Value):
    """A command of the guide. The verify step runs it just as it is printed."""

    purpose: str
    argv: tuple[str, ...]
    """Placeholders `{run}` (the run folder), `{address}`, `{machine}` and, in lines run from this computer, `{port}` (a free one) are
    filled in;
    nothing else is."""
    machine: str = ""
    """The machine it is about; empty for all or none."""
    expect: str = ""
    """A text its output must contain."""
    runs_here: bool = True
    """False for what cannot be run here (a browser, a tool of the operator's); the guide then says that it was not run."""
    own_kernel: bool = False
    """It needs a machine whose kernel is its own: where a container does not answer as it should, that is told, and no failure."""


class Cloud(Value):
    """Where a part lies in a cloud, and what it is called there."""

    subscription_id: str
    region: str
    names: tuple[tuple[str, str], ...]
    """(kind, name) of everything with a name that the part makes; `resource_group` among the kinds."""
    tags: tuple[tuple[str, str], ...] = ()
    """On everything that takes tags."""
    machines: tuple[AnyMachine, ...] = ()
    """Of a part that is machines which are set up over SSH."""


class Endpoint(Value):
    """How others reach what a part runs: an output of it, and an input of whoever uses it."""

    protocol: str
    """`postgresql`, `redis`, `https`."""
    port: int
    machines: tuple[str, ...] = ()
    """Names of those that answer there, the first one first. Their addresses are known when they are made."""
    address: str = ""
    """The one for all of them, where they have one."""
    names: tuple[tuple[str, str], ...] = ()
    """What a client has to name besides: `database`, `user`."""
    password: str = ""
    """The secret of the run that opens it; empty: none is asked for."""
    certificate: str = ""
    """The certificate of the run that it shows."""


class Part(Value):
    """One item of a manifest: one Terraform root module with its own state, configured and verified by itself."""

    label: str
    """Of the item, once in the manifest; also the folder's name: `postgresql`, `web_server-2`."""
    capability: str
    platform: PlatformName
    needs: Needs
    candidate: str
    because: str
    sums: tuple[Sum, ...] = ()
    """Of what was chosen, with the numbers that were settled and beside the parts before it."""
    module: str
    """A folder under terraform/."""
    machines: tuple[Machine, ...] = ()
    cloud: Cloud | None = None
    variables: dict[str, Json] = Field(default_factory=dict)
    """What the module is handed besides its machines, for terraform.tfvars.json. No secret is ever among these."""
    resources: tuple[Resource, ...]
    owned: tuple[str, ...] = ()
    """Ids, as its platform spells them, of what exists of it already: a change keeps these, and they are in nobody's way."""
    virtual_addresses: Named = ()
    """(what it is called, the address with its prefix) that move from machine to machine: none has one for good."""
    dns_names: Named = ()
    """(machine or virtual address, the name that leads to it), of those that the site's name server is told."""
    registered_in: str = ""
    """The site's register of addresses, in which its fixed ones are registered: `NetBox`; empty: in none."""
    rests_on: tuple[tuple[str, Named], ...] = ()
    """(what, as it was seen) that it was composed from: a plan stops when it is different by the time it is carried out."""
    rights: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(path, privileges) that whoever makes, changes or removes it must have, where the platform can be asked for that beforehand."""
    savings: tuple[str, ...] = ()
    """Sentences: what would cost less."""
    secrets: tuple[Secret, ...] = ()
    certificates: tuple[TlsCertificate, ...] = ()
    configure: Configure | None = None
    commands: tuple[Command, ...] = ()
    farewell: tuple[Command, ...] = ()
    """Run on a machine that stays before a change takes another one away, whose name stands for `{leaving}`: its work is moved first."""
    facts: Named = ()
    """What the guide says besides; the capability's own."""
    exporters: tuple[Exporter, ...] = ()
    """What its machines give figures by, besides those of every machine."""
    watches: bool = False
    """Its machines watch others."""
    watched_by: tuple[str, ...] = ()
    """The machines that watch it."""
    takes_over: Named = ()
    """Of a part that watches: (the list of its targets, its machines) of what runs already and nobody watches yet."""
    after: tuple[str, ...] = ()
    """Labels of parts that must be done before."""
    endpoints: tuple[Endpoint, ...] = ()
    """What it gives to those that use it."""
    uses: tuple[str, ...] = ()
    """Labels of parts whose endpoints its machines are told."""
    let_go_by: tuple[str, ...] = ()
    """Of a part that is taken away: labels of those that needed it and stay."""
    lets_go: tuple[str, ...] = ()
    """Addresses in its module of what a change takes away, because it was asked for: rules, deployments, containers."""
    confirm: str = ""
    """Why this part is costly or sensitive and must be confirmed by itself; empty when it need not."""

    @property
    def every_machine(self) -> tuple[AnyMachine, ...]:
        """Those that are logged in to, wherever they stand."""
        return self.machines or (self.cloud.machines if self.cloud else ())

    def letting_in(self, public_key: str) -> Part:
        """With a key more that opens its machines."""
        cloud = self.cloud and self.cloud.model_copy(update={"machines": tuple(m.letting_in(public_key) for m in self.cloud.machines)})
        return self.model_copy(update={"machines": tuple(m.letting_in(public_key) for m in self.machines), "cloud": cloud})

    @property
    def virtual_alone(self) -> frozenset[str]:
        """Its virtual addresses without their prefixes."""
        return frozenset(without_prefix(str(address)) for _, address in self.virtual_addresses)

    def virtual_address(self, name: str) -> str:
        """With its prefix; empty where it has none of that name."""
        return str(dict(self.virtual_addresses).get(name, ""))

    @property
    def groups(self) -> tuple[str, ...]:
        """Of its machines, in their order; empty for machines that are all alike."""
        return tuple(dict.fromkeys(machine.group for machine in self.machines))

    def of_group(self, group: str) -> tuple[Machine, ...]:
        return tuple(machine for machine in self.machines if machine.group == group)


class Manifest(Record):
    requester: str
    made_by: str
    parts: tuple[Part, ...]
    snapshot_digests: tuple[str, ...]
    parent_digest: str = ""
    """Of the manifest this one was refined or changed from."""
    certificate: Certificate | None = None
    """What its placement on a cluster claims, for a second program to check."""
    taken_back: tuple[Part, ...] = ()
    """Parts that are removed: the way back from a change that had added them."""

    def part(self, label: str) -> Part:
        return next(part for part in (*self.parts, *self.taken_back) if part.label == label)
