"""Looks at a world, whichever it is. How each is looked at stands in scan_proxmox and scan_azure; judging it belongs to tools.rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from tools.clients.connections import AzureConnection, ProxmoxConnection
from tools.values.snapshot import Snapshot, Target


class Settings(ProxmoxConnection, AzureConnection, Protocol):
    """What is needed of the settings."""


def scan(
    settings: Settings, target: Target, now: datetime, *, regions: Sequence[str] = (), names: Sequence[str] = ()
) -> Snapshot:
    """Raises WorldProblem when nothing at all can be read; whatever else cannot be seen is a problem in the snapshot.

    For Azure, `regions` are those to look at (otherwise those in use and a bounded number of others), and `names` the globally
    unique names to check, as `Microsoft.Storage/storageAccounts:stmldata`.
    """
    # A world's libraries are loaded when it is looked at: Azure's and Prometheus's take a while.
    if target == "azure":
        from tools.pipeline.scan_azure import scan_azure

        return scan_azure(settings, now, regions=regions, names=names)
    from tools.pipeline.scan_proxmox import scan_proxmox

    return scan_proxmox(settings, now)
