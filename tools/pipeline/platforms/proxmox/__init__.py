"""A Proxmox VE cluster, touched: what tools.pipeline.platforms asks of every platform."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from tools.clients.settings import Settings
from tools.pipeline.context import Examined
from tools.pipeline.platforms.proxmox import examining
from tools.pipeline.platforms.proxmox import scan as scanning
from tools.pipeline.platforms.proxmox.acts import acts
from tools.pipeline.platforms.proxmox.addresses import with_registered
from tools.pipeline.platforms.proxmox.half_made import clear_half_made, left_half_made, refuse_strangers, remove_half_made
from tools.pipeline.platforms.proxmox.rights import assert_rights, held
from tools.pipeline.platforms.proxmox.truth import make_true, switched_off, verify, wait_idle
from tools.pipeline.platforms.proxmox.vnets import assert_unused
from tools.rules.machines import networks
from tools.values.manifest import Part
from tools.values.requirements import Needs
from tools.values.site import Site
from tools.values.snapshot import ClusterSnapshot, Network, Snapshot

__all__ = [
    "acts",
    "assert_rights",
    "assert_unused",
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


def scan(
    settings: Settings,
    now: datetime,
    site: Site,
    *,
    regions: Sequence[str] = (),
    names: Sequence[str] = (),
    needs: Sequence[Needs] | None = None,
    parts: Sequence[Part] = (),
) -> ClusterSnapshot:
    """A cluster has no regions. `names` are addresses: where one is wanted, guests are asked for theirs."""
    wishes = None if needs is None else [wish for one in needs for wish in networks.wishes_of(one)]

    def enough(known: tuple[Network, ...], tags: Collection[int]) -> bool:
        so_far = networks.as_known(ClusterSnapshot(endpoint="", taken_at=now, networks=known), site.networks)
        return all(networks.is_settled(so_far, wish, tags) for wish in wishes or ())

    vm_ids = frozenset(machine.vm_id for part in parts for machine in part.machines)
    seen = scanning.scan(settings, now, agents=bool(names), enough=None if wishes is None else enough, vm_ids=vm_ids)
    seen = seen.model_copy(update={"held": held(settings)})
    return with_registered(networks.as_known(seen, site.networks), site)


def examine(settings: Settings, site: Site, seen: Snapshot) -> Iterable[Examined]:
    assert isinstance(seen, ClusterSnapshot)
    return examining.examine(settings, site, seen)
