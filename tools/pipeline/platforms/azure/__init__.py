"""An Azure subscription, touched: what tools.pipeline.platforms asks of every platform.

Azure keeps what it took on and did not finish in Terraform's state, so nothing of it has to be looked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from tools.clients.settings import Settings
from tools.pipeline.begun import record_is_lost
from tools.pipeline.context import Examined
from tools.pipeline.platforms.azure import examining
from tools.pipeline.platforms.azure import scan as scanning
from tools.pipeline.platforms.azure.acts import acts
from tools.pipeline.platforms.azure.verify import verify
from tools.pipeline.run_folder import part_folder
from tools.pipeline.steps import Work
from tools.pipeline.world import World
from tools.values.manifest import Part
from tools.values.plan import Change
from tools.values.requirements import Needs
from tools.values.site import Site
from tools.values.snapshot import Snapshot, SubscriptionSnapshot
from tools.values.trouble import WorldProblem
from tools.values.value import Json

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
) -> SubscriptionSnapshot:
    """A subscription tells of its networks itself."""
    return scanning.scan(settings, now, regions=regions, names=names)


def examine(settings: Settings, site: Site, seen: Snapshot) -> tuple[Examined, ...]:
    assert isinstance(seen, SubscriptionSnapshot)
    return (examining.examine(seen),)


def assert_rights(settings: Settings, parts: Sequence[Part]) -> None:
    """Azure tells when it is asked to do it."""


def left_half_made(world: World, run_id: str, part: Part) -> tuple[tuple[Change, str], ...]:
    """Raises WorldProblem where the record is lost: ARM knows what is in the resource group, not what of it is ours."""
    if record_is_lost(world, run_id, part):
        group = dict(part.cloud.names).get("resource_group", "") if part.cloud else ""
        raise WorldProblem(
            "The record of what was made is lost.",
            f"{part_folder(world.run_folder(run_id), part)} has no Terraform state any more, though {run_id} was carried out.",
            f"Put the folder back from a backup, then ask again. What it made is in the resource group {group}; delete it there yourself.",
        )
    return ()


def clear_half_made(work: Work) -> None:
    return


def remove_half_made(work: Work) -> None:
    return


def wait_idle(work: Work) -> None:
    """ARM answers for what it is still working on, and azapi waits for that."""


def make_true(work: Work) -> dict[str, tuple[str, ...]]:
    """The step `verify` asks ARM."""
    return {}


def switched_off(settings: Settings, part: Part) -> tuple[str, ...]:
    return ()


def assert_unused(settings: Settings, part: Part) -> None:
    """Azure refuses by itself."""


def refuse_strangers(world: World, folder: Path, part: Part, plan_json: Mapping[str, Json] | None = None) -> None:
    """An ARM id names one thing for ever."""
