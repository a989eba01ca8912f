"""What may differ from one resource type to the next, as one value a type.

The generic rules are in `changes`, the types themselves in `families`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cluster_sim.azure.addresses import Address
from cluster_sim.azure.errors import ArmError
from cluster_sim.azure.store import Resource

if TYPE_CHECKING:
    from cluster_sim.azure.cloud import Cloud

_NAMESPACE = uuid.UUID("5d2f0d0c-8b5a-4c63-9b0e-6a1f6d0c1a11")


@dataclass
class Change:
    """A resource about to be written. `body` is the new body and may be filled further; `before` is what was there."""

    cloud: Cloud
    address: Address
    body: dict[str, Any]
    before: Resource | None
    generation: int
    parts: dict[str, Any] = field(default_factory=dict)
    """Child resources given inside the body, by property; they are written after it."""
    fails: dict[str, Any] | None = None
    """The error that its operation will end with, when Azure takes it on and cannot finish it."""

    @property
    def properties(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body.setdefault("properties", {})
        return found

    @property
    def name(self) -> str:
        return self.address.name

    @property
    def location(self) -> str:
        return str(self.body.get("location", ""))

    @property
    def creating(self) -> bool:
        return self.before is None

    def guid(self, label: str) -> str:
        return guid(self.address.id, self.generation, label)


def guid(id_: str, generation: int, label: str) -> str:
    """An id inside a resource: the same at every look, another when the resource is made anew."""
    return str(uuid.uuid5(_NAMESPACE, f"{id_.lower()}#{generation}#{label}"))


@dataclass(frozen=True)
class NameRule:
    pattern: str
    code: str
    message: str
    """With {name}."""
    status: int = 400

    def check(self, name: str) -> None:
        if not re.fullmatch(self.pattern, name):
            raise ArmError(self.status, self.code, self.message.format(name=name))

    def available(self, name: str, is_taken: bool, taken: str, invalid: str = "Invalid") -> dict[str, Any]:
        """What checkNameAvailability answers. `taken`: the words of it; `invalid`: the reason of a name that cannot be."""
        try:
            self.check(name)
        except ArmError as refusal:
            return {"nameAvailable": False, "reason": invalid, "message": refusal.message}
        return {"nameAvailable": False, "reason": "AlreadyExists", "message": taken} if is_taken else {"nameAvailable": True}


def _nothing(*_: Any) -> None:
    return None


Hook = Callable[[Change], None]
Action = Callable[["Cloud", Resource, Any], Any]


@dataclass(frozen=True)
class Kind:
    type: str
    located: bool = True
    """Has a location of its own, and so tags, and is in `/resources`."""
    everywhere: bool = False
    """Its location is `global`."""
    slow: bool = True
    """Writes are operations that are asked after."""
    slow_delete: bool | None = None
    """Whether deleting is such an operation too; None: as writing."""
    created: int = 201
    updated: int = 200
    state: bool = True
    """Has properties.provisioningState."""
    stamped: bool = False
    """ARM gives it systemData."""
    extends: bool = False
    """Stands on any scope."""
    singleton: str = ""
    """The one name it can have; such a resource is there as soon as its parent is."""
    name: NameRule | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    """Properties holding child resources in full: `subnets` → their type's segment."""
    flat_parts: bool = False
    """Parts are listed without `properties`, and those not listed stay (AKS node pools)."""
    unsaid_parts_go: bool = False
    """Parts go, too, where a body does not speak of them at all (security rules). Subnets stay then."""
    references: bool = False
    """Ids in its properties must exist (Microsoft.Network)."""
    used_by: tuple[str, str] | None = None
    """Code and message when it is to go while another resource names it."""
    check: Hook = _nothing
    fill: Hook = _nothing
    written: Hook = _nothing
    """After it is stored: what comes with it."""
    view: Callable[[Cloud, Resource, dict[str, Any]], None] = _nothing
    removing: Callable[[Cloud, Resource], None] = _nothing
    removed: Callable[[Cloud, Resource], None] = _nothing
    actions: Mapping[str, Action] = field(default_factory=dict)
    expands: Mapping[str, Callable[[Cloud, Resource], dict[str, Any]]] = field(default_factory=dict)
    """Properties that are there only when `$expand` names them."""


def by_key(*kinds: Kind) -> dict[str, Kind]:
    return {kind.type.lower(): kind for kind in kinds}


ALPHANUMERIC_64 = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,78}[A-Za-z0-9_]|[A-Za-z0-9]"


def resource_name(pattern: str = ALPHANUMERIC_64, words: str = "") -> NameRule:
    """The rule Microsoft.Network and most others word alike."""
    return NameRule(
        pattern,
        "InvalidResourceName",
        "Resource name {name} is invalid. "
        + (
            words
            or "The name can be up to 80 characters long. It must begin with a word character, and it must end with a word "
            "character or with '_'. The name may contain word characters or '.', '-', '_'."
        ),
    )
