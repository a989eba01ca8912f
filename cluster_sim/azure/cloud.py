"""The simulated Azure as one thing: its world, its store, its clock.

Finds things and settles operations; how resources are written is in `changes`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cluster_sim.azure import errors
from cluster_sim.azure.addresses import GROUP_TYPE, Address, read
from cluster_sim.azure.faults import Faults
from cluster_sim.azure.kinds import Kind
from cluster_sim.azure.store import Operation, Resource, Store
from cluster_sim.azure.world import Subscription, World

REQUESTS_KEPT = 10_000
OPERATIONS_KEPT = 1_000
_HOLDING = (
    "Microsoft.Network/",
    "Microsoft.ContainerService/",
    "Microsoft.Databricks/",
    "Microsoft.Compute/",
    "Microsoft.DBforPostgreSQL/",
)
_WITH_ETAG = ("Microsoft.Network/", "Microsoft.DataFactory/")


class Clock(Protocol):
    def now(self) -> float: ...


@dataclass
class Cloud:
    world: World
    store: Store
    clock: Clock
    kinds: Mapping[str, Kind]
    fingerprint: str = ""
    faults: Faults = field(default_factory=Faults)
    urls: dict[str, str] = field(default_factory=dict)
    requests: deque[str] = field(default_factory=lambda: deque(maxlen=REQUESTS_KEPT))
    """`METHOD /path` of what was asked, newest last: for tests and for people who wonder."""

    @property
    def now(self) -> float:
        return self.clock.now()

    @property
    def types(self) -> dict[str, str]:
        return {key: kind.type for key, kind in self.kinds.items()}

    def kind(self, type_: str) -> Kind | None:
        return self.kinds.get(type_.lower())

    def address(self, id_: str) -> Address | None:
        return read(id_, self.types)

    def subscription(self, id_: str) -> Subscription:
        for subscription in self.world.subscriptions:
            if subscription.id.lower() == id_.lower():
                return subscription
        raise errors.subscription_not_found(id_)

    def find(self, id_: str) -> Resource | None:
        return self.store.resources.get(id_.lower().rstrip("/"))

    def group(self, subscription: str, name: str) -> Resource:
        found = self.find(f"/subscriptions/{subscription}/resourceGroups/{name}")
        if found is None:
            raise errors.group_not_found(name)
        return found

    def registered(self, subscription: Subscription, namespace: str) -> bool:
        changed = self.store.registered.get(f"{subscription.id}/{namespace}".lower())
        return changed == "Registered" if changed else namespace.lower() not in subscription.unregistered

    def scope_exists(self, scope: str) -> bool:
        """Whether an extension has something to stand on."""
        parts = [p for p in scope.split("/") if p]
        if not parts:
            return True
        if len(parts) == 2 and parts[0].lower() == "subscriptions":
            return any(s.id.lower() == parts[1].lower() for s in self.world.subscriptions)
        # A namespace of a cluster is a scope, whether or not it is there: Azure does not look into the cluster.
        cluster, is_inside, _ = scope.partition("/namespaces/")
        found = self.find(cluster) if is_inside else None
        if found is not None and found.type == "Microsoft.ContainerService/managedClusters":
            return True
        return self.find(scope) is not None or self.implied(scope) is not None

    def implied(self, id_: str) -> Resource | None:
        """A singleton that is there as soon as its parent is, though nobody wrote it: `blobServices/default`."""
        address = self.address(id_)
        kind = address and self.kind(address.type)
        if not address or not kind or not kind.singleton or address.name.lower() != kind.singleton:
            return None
        parent = address.parent
        above = self.find(parent.id) if parent else None
        if above is None:
            return None
        return Resource(
            f"{above.id}/{address.segments[-1]}/{kind.singleton}",
            kind.type,
            {"properties": {}},
            above.generation,
            above.created_at_s,
            above.changed_at_s,
            "",
        )

    def show(self, resource: Resource) -> dict[str, Any]:
        """A resource as ARM answers it."""
        kind = self.kind(resource.type)
        shown: dict[str, Any] = {"id": resource.id, "name": resource.name, "type": resource.type, **_copy(resource.body)}
        if kind is None or kind.state:
            shown["properties"] = {**(shown.get("properties") or {}), "provisioningState": resource.state}
        if kind and kind.stamped:
            shown["systemData"] = {
                "createdBy": resource.created_by,
                "createdByType": "Application",
                "createdAt": stamp(resource.created_at_s),
                "lastModifiedBy": resource.created_by,
                "lastModifiedByType": "Application",
                "lastModifiedAt": stamp(resource.changed_at_s),
            }
        if kind:
            for property_, segment in kind.parts.items():
                parts = [self.show(r) for r in self.store.of_type(f"{resource.type}/{segment}", resource.id)]
                shown["properties"][property_] = parts
            kind.view(self, resource, shown)
        if resource.type.startswith(_WITH_ETAG):
            shown["etag"] = f'W/"{hashlib.sha256(f"{resource.key}{resource.generation}{resource.changed_at_s}".encode()).hexdigest()[:32]}"'
        return shown

    # Operations: nothing runs; whoever asks later finds what has ended by then.

    def settle(self) -> None:
        now = self.now
        due = sorted((o for o in self.store.operations.values() if not o.done and o.ends_at_s <= now), key=lambda o: o.ends_at_s)
        for operation in due:
            self._finish(operation)

    def begin(self, verb: str, resource: Resource, kind: Kind | None, error: dict[str, Any] | None) -> Operation:
        id_ = hashlib.sha256(f"{verb}{resource.key}{self.store.next_generation()}".encode()).hexdigest()[:32]
        id_ = f"{id_[:8]}-{id_[8:12]}-{id_[12:16]}-{id_[16:20]}-{id_[20:]}"
        subscription = resource.id.split("/")[2]
        namespace = resource.type.split("/")[0]
        where = f"/subscriptions/{subscription}/providers/{namespace}/locations/{resource.location or 'global'}"
        path = (
            f"/subscriptions/{subscription}/operationresults/{id_}" if resource.type == GROUP_TYPE else f"{where}/operationStatuses/{id_}"
        )
        lasts = self.world.operation_s_by_type.get(resource.type.lower(), self.world.operation_s)
        for old in [o.id for o in self.store.operations.values() if o.done][: max(0, len(self.store.operations) - OPERATIONS_KEPT)]:
            self.store.operations.pop(old)
        operation = Operation(id_, verb, resource.key, path, self.now, self.now + lasts, error)
        self.store.operations[id_] = operation
        resource.operation = id_
        return operation

    def _finish(self, operation: Operation) -> None:
        operation.done = True
        resource = self.store.resources.get(operation.target)
        if resource is None or resource.operation != operation.id:
            return
        resource.operation = ""
        if operation.error:
            resource.state = "Failed"
        elif operation.verb == "delete":
            self.remove(resource)
        else:
            resource.state, resource.complete = "Succeeded", True

    def keep_deleted(self, resource: Resource) -> None:
        """Soft deletion: it is gone, and its name is not free."""
        if resource.complete:
            resource.changed_at_s = self.now
            self.store.deleted[resource.key] = resource

    def remove(self, resource: Resource) -> None:
        """Takes a resource away with all that is under it; a soft-deletable one keeps its name."""
        for one in (resource, *sorted(self.store.under(resource.key), key=lambda r: r.key)):
            if self.store.resources.pop(one.key, None) is not None and (kind := self.kind(one.type)):
                kind.removed(self, one)

    def users(self, resource: Resource) -> Iterator[Resource]:
        """Other resources that stand on this one. An alert that watches it, or a rule that lets it in, does not hold it."""
        inside = resource.key + "/"
        for other in self.store.resources.values():
            if other.type.startswith(_HOLDING) and other.key != resource.key and not other.key.startswith(inside):
                named = (text.lower() for text in strings(other.body))
                if any(text == resource.key or text.startswith(inside) for text in named):
                    yield other

    def save(self) -> None:
        self.store.save(self.fingerprint)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def stamp(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copy(v) for k, v in value.items()}
    return [_copy(v) for v in value] if isinstance(value, list) else value
