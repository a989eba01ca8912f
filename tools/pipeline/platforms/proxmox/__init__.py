"""A Proxmox VE cluster, touched: what tools.pipeline.platforms asks of every platform."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tools.clients.settings import Settings
from tools.pipeline.context import PartContext, Say
from tools.pipeline.platforms.proxmox import scan as scanning
from tools.pipeline.platforms.proxmox.half_made import clear_half_made, left_half_made, refuse_strangers, remove_half_made
from tools.values.snapshot import ClusterSnapshot

__all__ = ["clear_half_made", "left_half_made", "refuse_strangers", "remove_half_made", "scan", "verify"]


def scan(settings: Settings, now: datetime, *, regions: Sequence[str] = (), names: Sequence[str] = ()) -> ClusterSnapshot:
    """A cluster has no regions, and no names that are taken elsewhere."""
    return scanning.scan(settings, now)


def verify(context: PartContext, say: Say) -> tuple[str, ...]:
    """The machines themselves are asked, by the commands of the guide."""
    return ()
