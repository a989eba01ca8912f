"""Everything that a manifest was composed from, so that it can be composed again."""

from __future__ import annotations

from tools.values.manifest import Manifest
from tools.values.offer import Offer, Proposal
from tools.values.price import Price
from tools.values.requirements import Requirements
from tools.values.site import Reserved, Site
from tools.values.snapshot import PlatformName
from tools.values.value import Value
from tools.values.watched import Monitor, Watched


class MadeFrom(Value):
    requirements: Requirements
    offer: Offer
    proposal: Proposal
    site: Site
    reserved: Reserved
    prices: tuple[Price, ...] = ()
    monitors: tuple[Monitor, ...] = ()
    unwatched: tuple[Watched, ...] = ()
    snapshots: tuple[tuple[PlatformName, str], ...]
    """Their digests; they stand beside it."""
    parent_digest: str = ""
    built: Manifest | None = None
    """What a change was composed for."""
