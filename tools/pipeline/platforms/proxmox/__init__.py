"""A Proxmox VE cluster, touched: what tools.pipeline.platforms asks of every platform."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from tools.clients.settings import Settings
from tools.pipeline.context import Examined
from tools.pipeline.platforms.proxmox import examining
from tools.pipeline.platforms.proxmox import scan as scanning
from tools.pipeline.platforms.proxmox.addresses import with_registered
from tools.pipeline.platforms.proxmox.half_made import clear_half_made, left_half_made, refuse_strangers, remove_half_made
from tools.pipeline.platforms.proxmox.rights import assert_rights
from tools.pipeline.platforms.proxmox.truth import make_true, switched_off, verify, wait_idle
from tools.rules.machines import networks
from tools.values.site import Site
from tools.values.snapshot import ClusterSnapshot, Snapshot

__all__ = [
    "assert_rights",
    "clear_half_made",
    "examine",
    "left_half_made",
    "make_true",
    "refuse_strangers",
    "remove_half_made",
    "scan",
    "switched_off",
    "verify",
    "wait_idle",
]


def scan(settings: Settings, now: datetime, site: Site, *, regions: Sequence[str] = (), names: Sequence[str] = ()) -> ClusterSnapshot:
    """A cluster has no regions. `names` are addresses: where one is wanted, guests are asked for theirs."""
    return with_registered(networks.as_known(scanning.scan(settings, now, agents=bool(names)), site.networks), site)


def examine(settings: Settings, site: Site, seen: Snapshot) -> Iterable[Examined]:
    assert isinstance(seen, ClusterSnapshot)
    return examining.examine(settings, site, seen)
