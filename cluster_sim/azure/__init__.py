"""The simulated Azure: one subscription or several behind ARM's own addresses, and the Databricks workspaces inside.

`build` makes it from a world section.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster_sim.azure.arm import Arm
from cluster_sim.azure.blobs import SUFFIX, Blobs
from cluster_sim.azure.cloud import Clock, Cloud
from cluster_sim.azure.families import KINDS
from cluster_sim.azure.families.databricks import service_name
from cluster_sim.azure.faults import Faults
from cluster_sim.azure.machines import Machines
from cluster_sim.azure.seed import seed
from cluster_sim.azure.store import Store
from cluster_sim.azure.workspace import Workspace
from cluster_sim.azure.world import ImpossibleWorld, read_world
from cluster_sim.clock import WallClock
from cluster_sim.guests.none import NoBodies
from cluster_sim.guests.values import Bodies
from cluster_sim.http import Answer, Request, Service

__all__ = ["AzurePart", "ImpossibleWorld", "build", "problems"]


@dataclass(frozen=True)
class AzurePart:
    """What a server mounts: services by name, told their URLs once these are known."""

    cloud: Cloud
    services: Mapping[str, Service]
    names: Mapping[str, tuple[str, ...]]
    """Of a service that is not found by its URL: the names that its certificate is for."""
    resolves: Mapping[str, Callable[[str], bool]]
    """Of such a service: whether there is such a name."""

    def bind(self, urls: Mapping[str, str]) -> None:
        self.cloud.urls.update({name: url.rstrip("/") for name, url in urls.items()})

    def ready(self) -> dict[str, str]:
        tenant = self.cloud.world.tenant
        return {
            "url": self.cloud.urls["arm"],
            "operator_network": self.cloud.world.operator_network,
            "tenant_id": tenant.id,
            "subscription_id": self.cloud.world.subscriptions[0].id,
            "client_id": tenant.client_id,
            "client_secret": tenant.client_secret,
        }


def build(section: Mapping[str, Any], clock: Clock, folder: Path | None = None, bodies: Bodies | None = None) -> AzurePart:
    """Raises ImpossibleWorld when Azure could never be like that.

    What happens is kept in `folder` and taken up again for the same world. `bodies` are what its machines get.
    """
    world = read_world(section)
    fingerprint = hashlib.sha256(json.dumps(section, sort_keys=True, default=str).encode()).hexdigest()
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    cloud = Cloud(world, Store(folder / "azure.json" if folder else None), clock, KINDS, fingerprint, Faults(world.faults))
    if not cloud.store.load(fingerprint):
        seed(cloud)
        cloud.save()
    # The services of one Azure are served by threads of their own and share one store: one at a time.
    lock = threading.Lock()
    machines = Machines(cloud, bodies or NoBodies())
    machines.follow()

    def alone(service: Service) -> Service:
        def serve(request: Request) -> Answer:
            with lock:
                answer = service(request)
                machines.follow()
                return answer

        return serve

    workspaces = {service_name(n): alone(Workspace(cloud, n)) for n in range(1, world.databricks_workspaces_max + 1)}
    blobs = Blobs(cloud)
    services = {"arm": alone(Arm(cloud)), "blob": alone(blobs), **workspaces}

    def resolves(host: str) -> bool:
        with lock:
            return blobs.resolves(host)

    return AzurePart(cloud, services, {"blob": (f"*{SUFFIX}",)}, {"blob": resolves})


def problems(section: Mapping[str, Any]) -> tuple[str, ...]:
    """Why Azure could never be like that, one sentence each; none when it could."""
    try:
        build(section, WallClock())
    except ImpossibleWorld as refusal:
        return refusal.problems
    return ()
