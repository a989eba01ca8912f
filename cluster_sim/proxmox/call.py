"""One call as a handler sees it: the cluster, who calls, and the parameters as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .access import Who
from .cluster import Cluster
from .parameters import Takes
from .state import Guest


@dataclass(frozen=True)
class Call:
    cluster: Cluster
    who: Who
    values: Mapping[str, Any]
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    """What was uploaded: field → file name and content."""

    @property
    def node(self) -> str:
        return str(self.values["node"])

    @property
    def vmid(self) -> int:
        return int(self.values["vmid"])

    @property
    def guest(self) -> Guest:
        return self.cluster.guest(self.node, self.vmid)

    def get(self, name: str, default: Any = None) -> Any:
        return self.values.get(name, default)

    def may(self, path: str, *any_of: str) -> bool:
        return self.cluster.may(self.who, path, *any_of)

    def require(self, path: str, *any_of: str) -> None:
        self.cluster.require(self.who, path, *any_of)

    def start_task(self, kind: str, id: str | int, worker: Any, node: str | None = None) -> str:
        return self.cluster.start_task(node or self.node, kind, id, self.who, worker)


@dataclass(frozen=True)
class Needs:
    """A privilege, any of those named, on a path in which `{…}` stand for parameters."""

    path: str
    any_of: tuple[str, ...]


def needs(path: str, *any_of: str) -> Needs:
    return Needs(path, any_of)


@dataclass(frozen=True)
class Address:
    method: str
    path: str
    """As the schema writes it: `/nodes/{node}/qemu/{vmid}/config`."""
    answer: Callable[[Call], Any]
    needs: Needs | None = None
    takes: Takes = field(default_factory=dict)
    families: Takes = field(default_factory=dict)
    open_to_all: bool = False
    """Asked without a ticket or token."""
