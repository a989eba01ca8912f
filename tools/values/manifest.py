"""Everything needed to build, no choice left."""

from __future__ import annotations

from typing import Literal

from tools.values.requirements import Needs
from tools.values.snapshot import Target
from tools.values.value import Json, Value


class Resource(Value):
    """One thing that will exist, as a person is told of it."""

    name: str
    kind: str
    """`virtual machine`, `storage account`, `AKS node pool`."""
    where: str
    """`pve2, ceph-vm, network 20` or `eastus, rg-ml-prod`."""
    size: str
    """`4 vCPU, 8 GiB, 60 GiB`."""
    because: str
    meters: tuple[tuple[str, float], ...] = ()
    """What it costs, for pricing: price key and quantity a month. Empty when it has no price."""


class Secret(Value):
    """A secret of the run: made when the plan is carried out, kept in a file of the run folder, named here and never shown."""

    name: str
    """Also the file's name under `secrets/`."""
    kind: Literal["password", "ssh_key"]


class Configure(Value):
    """How the machines of a part are configured once they are there."""

    kind: Literal["ansible", "databricks"]
    playbook: str = ""
    """A file under ansible/, such as `postgresql.yml`."""
    variables: Json = None
    """Values for the playbook or the configuring program. Secrets stand as `{"secret": "<name>"}`."""


class Command(Value):
    """A command of the guide. The verify step runs it just as it is printed."""

    purpose: str
    argv: tuple[str, ...]
    """Placeholders `{run}` (the run folder), `{address}`, `{machine}` and, in lines run from this computer, `{port}` (a free one) are filled in;
    nothing else is."""
    machine: str = ""
    """The machine it is about; empty for all or none."""
    expect: str = ""
    """A text its output must contain."""
    runs_here: bool = True
    """False for what cannot be run here (a browser, a tool of the operator's); the guide then says that it was not run."""


class Part(Value):
    """One part of a manifest: one Terraform root module with its own state, configured and verified by itself."""

    name: str
    """Unique within the manifest, also the folder's name: `postgresql`, `databricks`."""
    capability: str
    target: Target
    needs: Needs
    candidate: str
    because: str
    module: str
    """A folder under terraform/."""
    variables: Json
    """What becomes terraform.tfvars.json. No secret is ever among these."""
    resources: tuple[Resource, ...]
    secrets: tuple[Secret, ...] = ()
    configure: Configure | None = None
    commands: tuple[Command, ...] = ()
    facts: Json = None
    """What the guide's template needs besides; the capability's own."""
    after: tuple[str, ...] = ()
    """Names of parts that must be done before."""
    confirm: str = ""
    """Why this part is costly or sensitive and must be confirmed by itself; empty when it need not."""


class Manifest(Value):
    requester: str
    made_by: str
    parts: tuple[Part, ...]
    snapshot_digests: tuple[str, ...]
    parent_digest: str = ""
    """Of the manifest this one was refined or changed from."""

    def part(self, name: str) -> Part:
        return next(p for p in self.parts if p.name == name)
