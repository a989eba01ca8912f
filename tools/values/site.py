"""What the operator's site has settled beforehand: conventions and limits, read from settings and files, never from a model."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, Field

from tools.values.value import Value


class StateStorage(Value):
    """The storage account that keeps Terraform's states of an environment. It is logged in to with Entra ID; there is no key."""

    storage_account: str = Field(pattern=r"^[a-z0-9]{3,24}$")
    container: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{1,61})[a-z0-9]$")
    resource_group: str = ""
    subscription_id: str = ""


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
    budget_monthly: float | None = None
    currency: str = "USD"
    state_backend: Literal["local", "azurerm"] = "local"
    """Where the team keeps the state once a run is handed over; Berth itself works with the run folder's. See docs/environments.md."""
    state_storage: StateStorage | None = None
    """Of `azurerm`."""
    tags: tuple[tuple[str, str], ...] = ()


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
    pool: str = ""
    """The Proxmox pool that new machines are put in; a token of least privilege may act in that pool alone. Empty: in none."""
    dns_servers: tuple[str, ...] = ()
    team: str = ""
    machines_max: int = 20
    """In one request."""

    def environment(self, name: str) -> Environment:
        return next((e for e in self.environments if e.name == name), self.environments[-1])


class Reserved(Value):
    """What the ledger has promised to plans that are not carried out yet, and to runs: two conversations cannot promise the same."""

    vm_ids: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()
    memory_bytes: tuple[tuple[str, int], ...] = ()
    """(node, bytes) promised but not yet visible in a snapshot."""
    cpu_count: tuple[tuple[str, int], ...] = ()

    def plus(self, other: Reserved) -> Reserved:
        return Reserved(
            vm_ids=self.vm_ids | other.vm_ids,
            names=self.names | other.names,
            memory_bytes=_added(self.memory_bytes, other.memory_bytes),
            cpu_count=_added(self.cpu_count, other.cpu_count),
        )

    def besides(self, other: Reserved) -> Reserved:
        """Without the ids and names of the other."""
        return self.model_copy(update={"vm_ids": self.vm_ids - other.vm_ids, "names": self.names - other.names})


def _added(*several: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    total: dict[str, int] = {}
    for name, amount in (pair for one in several for pair in one):
        total[name] = total.get(name, 0) + amount
    return tuple(sorted(total.items()))
