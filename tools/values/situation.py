"""What a decision is made in view of: what was seen, what the site has settled, what is promised to others, and what things cost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tools.values.manifest import Part
from tools.values.price import Price
from tools.values.site import Reserved, Site
from tools.values.snapshot import ClusterSnapshot, PlatformName, Snapshot, SubscriptionSnapshot
from tools.values.watched import Monitor, Watched


@dataclass(frozen=True)
class Situation:
    """Handed to every function of a capability. It is never stored: what of it matters is in the manifest, by digest or by name."""

    snapshots: dict[PlatformName, Snapshot]
    """Of every platform that the request touches."""
    site: Site = field(default_factory=Site)
    reserved: Reserved = field(default_factory=Reserved)
    prices: tuple[Price, ...] = ()
    """The site's own rows, refreshed or shipped: offers and estimates count by the same."""
    parts: tuple[Part, ...] = ()
    """Of the same request, decided already."""
    monitors: tuple[Monitor, ...] = ()
    """That stand."""
    unwatched: tuple[Watched, ...] = ()
    """What runs, and no monitoring knows of."""

    @property
    def cluster(self) -> ClusterSnapshot:
        seen = self.snapshots["proxmox"]
        assert isinstance(seen, ClusterSnapshot)
        return seen

    @property
    def subscription(self) -> SubscriptionSnapshot:
        seen = self.snapshots["azure"]
        assert isinstance(seen, SubscriptionSnapshot)
        return seen

    @property
    def digests(self) -> tuple[str, ...]:
        return tuple(self.snapshots[platform].digest for platform in sorted(self.snapshots))

    def beside(self, part: Part, reserves: Reserved) -> Situation:
        """With another part of the same request: its ids and names are taken, and its machines are counted with the request's own."""
        named = reserves.model_copy(update={"memory_bytes": (), "cpu_count": (), "machines": ()})
        return replace(self, reserved=self.reserved.plus(named), parts=(*self.parts, part))
