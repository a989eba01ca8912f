"""What touches a platform, one protocol: it is scanned, what was made is verified, and what stands half made is found and taken away.

What a platform is, as far as deciding goes, is in tools.platforms. Nothing else asks which platform it is on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol, cast

from tools.clients.settings import Settings
from tools.pipeline.context import Examined, PartContext, Say
from tools.pipeline.steps import Work
from tools.pipeline.world import World
from tools.rules.plans.permitting import visible
from tools.values.act import Act
from tools.values.manifest import Part
from tools.values.plan import Change
from tools.values.requirements import Needs
from tools.values.site import Site
from tools.values.snapshot import PlatformName, Snapshot
from tools.values.trouble import RequestProblem
from tools.values.value import Json

_OF_TENANT: dict[PlatformName, str] = {"proxmox": "pool on the cluster", "azure": "subscription of Azure"}


class Hands(Protocol):
    """A module of this package: these are its module-level names."""

    @staticmethod
    def scan(
        settings: Settings,
        now: datetime,
        site: Site,
        *,
        regions: Sequence[str] = (),
        names: Sequence[str] = (),
        needs: Sequence[Needs] | None = None,
        parts: Sequence[Part] = (),
    ) -> Snapshot:
        """Raises WorldProblem when nothing at all can be read; whatever else cannot be seen is a problem in the snapshot.

        `regions` are those to look at (otherwise those in use and a bounded number of others), and `names` the globally unique names to
        check, as `Microsoft.Storage/storageAccounts:stmldata`. `needs`: only what these and the `parts` that exist already depend on has to
        be seen; None: all that can be.
        """
        ...

    @staticmethod
    def examine(settings: Settings, site: Site, seen: Snapshot) -> Iterable[Examined]:
        """What a run needs of the platform beside being seen."""
        ...

    @staticmethod
    def assert_rights(settings: Settings, parts: Sequence[Part]) -> None:
        """Raises RequestProblem when whoever would make, change or remove them may not, with what grants it."""
        ...

    @staticmethod
    def assert_unused(settings: Settings, part: Part) -> None:
        """Before it is removed. Raises RequestProblem that names who uses it, where the platform would take it away all the same."""
        ...

    @staticmethod
    def verify(context: PartContext, say: Say) -> tuple[str, ...]:
        """Asks the platform for what the part made: a sentence for each group that is there. Raises WorldProblem that names what is not."""
        ...

    @staticmethod
    def left_half_made(world: World, run_id: str, part: Part) -> tuple[tuple[Change, str], ...]:
        """What the run began to make and Terraform has not recorded: (the line of a plan that removes it, a sentence about it)."""
        ...

    @staticmethod
    def clear_half_made(work: Work) -> None:
        """Before the rest of a plan is planned anew: what was begun is taken away, so that it can be made whole."""
        ...

    @staticmethod
    def wait_idle(work: Work) -> None:
        """Until what somebody who was killed had begun has come to its end."""
        ...

    @staticmethod
    def remove_half_made(work: Work) -> None:
        """Before Terraform begins: what it does not know, and the plan removes by name."""
        ...

    @staticmethod
    def make_true(work: Work) -> dict[str, tuple[str, ...]]:
        """After Terraform: what the approval covers and Terraform left out is done, and what was made is compared with what was approved.
        The addresses of the machines that were restarted, by name. Raises WorldProblem that names every difference."""
        ...

    @staticmethod
    def switched_off(settings: Settings, part: Part) -> tuple[str, ...]:
        """Of what the part made, that which does not run: a sentence each. Raises WorldProblem when it cannot be seen."""
        ...

    @staticmethod
    def acts(settings: Settings, since: datetime) -> tuple[tuple[Act, ...], tuple[str, ...]]:
        """What the platform's own log says was changed since then, by anybody; and sentences about what could not be seen. Raises Away."""
        ...

    @staticmethod
    def refuse_strangers(world: World, folder: Path, part: Part, plan_json: Mapping[str, Json] | None = None) -> None:
        """Raises RequestProblem when what stands under the part's ids is somebody else's: as a plan found it, otherwise as it stands
        now."""
        ...


def hands(platform: PlatformName) -> Hands:
    """A platform's libraries are loaded when it is touched: Azure's and Prometheus's take a while."""
    if platform == "azure":
        from tools.pipeline.platforms import azure

        return cast(Hands, azure)
    from tools.pipeline.platforms import proxmox

    return cast(Hands, proxmox)


def scan(
    world: World,
    platform: PlatformName,
    settings: Settings | None = None,
    regions: Sequence[str] = (),
    names: Sequence[str] = (),
    needs: Sequence[Needs] | None = None,
    parts: Sequence[Part] = (),
) -> Snapshot:
    """As `Hands.scan`, and as the tenant sees it whose world it is. Raises RequestProblem for one that has nothing there."""
    if world.whole and platform in connected(world.whole.settings) and platform not in connected(world.settings):
        raise RequestProblem(
            "Your tenant has nothing there.",
            f"It has no {_OF_TENANT[platform]}, so nothing is made for it there.",
            "Ask for it elsewhere, or have one entered for your tenant in the roles file.",
        )
    at = settings or world.settings
    seen = hands(platform).scan(at, world.now(), world.site, regions=regions, names=names, needs=needs, parts=parts)
    return visible(seen, world.tenant)


def connected(settings: Settings) -> tuple[PlatformName, ...]:
    """Those that settings name a way to. Nothing is loaded or asked."""
    ways: dict[PlatformName, str] = {"proxmox": settings.proxmox_endpoint, "azure": settings.arm_subscription_id}
    return tuple(platform for platform, way in ways.items() if way)
