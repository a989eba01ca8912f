"""On which platform an item is to stand: as it was said, as its region tells, as the site keeps its environment, else the first that its
service can stand on."""

from __future__ import annotations

from tools.values.request import Fact
from tools.values.site import Site
from tools.values.snapshot import PlatformName

OF_CLUSTERS = frozenset(("network", "bridge", "vlan", "node", "storage", "template"))
"""Facts that mean something on a cluster alone."""
OF_AZURE = frozenset(("region", "managed_kubernetes"))
"""Facts that say that it is Azure."""


def platform_of(facts: tuple[Fact, ...], able: tuple[PlatformName, ...], site: Site) -> PlatformName:
    said = {fact.name: fact.value for fact in facts}
    by_facts = "azure" if not OF_AZURE.isdisjoint(said) and OF_CLUSTERS.isdisjoint(said) else ""
    kept_on = site.environment(said["environment"]).platform if "environment" in said else ""
    return next((one for wanted in (said.get("platform", ""), by_facts, kept_on) for one in able if one == wanted), able[0])
