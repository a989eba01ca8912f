"""An Azure subscription, touched: what tools.pipeline.platforms asks of every platform.

Azure keeps what it took on and did not finish in Terraform's state, so nothing of it has to be looked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from tools.clients.settings import Settings
from tools.pipeline.context import Examined
from tools.pipeline.platforms.azure import examining
from tools.pipeline.platforms.azure import scan as scanning
from tools.pipeline.platforms.azure.verify import verify
from tools.pipeline.steps import Work
from tools.pipeline.world import World
from tools.values.manifest import Part
from tools.values.plan import Change
from tools.values.site import Site
from tools.values.snapshot import Snapshot, SubscriptionSnapshot
from tools.values.value import Json

__all__ = ["assert_rights", "clear_half_made", "examine", "left_half_made", "refuse_strangers", "remove_half_made", "scan", "verify"]


def scan(settings: Settings, now: datetime, site: Site, *, regions: Sequence[str] = (), names: Sequence[str] = ()) -> SubscriptionSnapshot:
    """A subscription tells of its networks itself."""
    return scanning.scan(settings, now, regions=regions, names=names)


def examine(settings: Settings, site: Site, seen: Snapshot) -> tuple[Examined, ...]:
    assert isinstance(seen, SubscriptionSnapshot)
    return (examining.examine(seen),)


def assert_rights(settings: Settings, parts: Sequence[Part]) -> None:
    """Azure tells when it is asked to do it."""


def left_half_made(world: World, run_id: str, part: Part) -> tuple[tuple[Change, str], ...]:
    return ()


def clear_half_made(work: Work) -> None:
    return


def remove_half_made(work: Work) -> None:
    return


def refuse_strangers(world: World, folder: Path, part: Part, plan_json: Mapping[str, Json] | None = None) -> None:
    """An ARM id names one thing for ever."""
