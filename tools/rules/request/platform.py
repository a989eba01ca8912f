"""On which platform an item is to stand: as the site keeps its environment, as it was said, else the first that its service can stand
on."""

from __future__ import annotations

from tools.values.request import Fact
from tools.values.site import Site
from tools.values.snapshot import PlatformName


def platform_of(facts: tuple[Fact, ...], able: tuple[PlatformName, ...], site: Site) -> PlatformName:
    said = {fact.name: fact.value for fact in facts}
    kept_on = site.environment(said["environment"]).platform if "environment" in said else ""
    return next((one for wanted in (said.get("platform", ""), kept_on) for one in able if one == wanted), able[0])
