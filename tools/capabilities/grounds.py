"""Where a service that is machines stands, as far as understanding goes: which facts say where its machines go, and how they are read."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from tools.rules.azure.machine_facts import read_machines, read_set_up
from tools.rules.request import placing
from tools.rules.request.reading import Reading
from tools.values.site import Site
from tools.values.snapshot import PlatformName


class ReadPlacing(Protocol):
    def __call__(self, reading: Reading, site: Site, workload: str, environment: str = "") -> None: ...


class Ground(NamedTuple):
    platform: PlatformName
    read_placing: ReadPlacing
    """`workload` is what the machines are called by the site's convention, `environment` is taken where none is said."""


def _on_cluster(reading: Reading, site: Site, workload: str, environment: str = "") -> None:
    placing.read_placing(reading, site, workload=workload, environment=environment)


CLUSTER = Ground("proxmox", _on_cluster)
AZURE = Ground("azure", read_set_up)
AZURE_BARE = Ground("azure", read_machines)
"""Of machines that are made though nothing can be set up on them."""
