"""What a platform's own log says that somebody changed, and which of it nobody approved."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from tools.values.snapshot import PlatformName
from tools.values.value import Value


class Act(Value):
    platform: PlatformName
    at: datetime
    by: str
    is_ours: bool | None
    """By the login that Berth carries out with; None where that cannot be told."""
    what: str
    """As the platform calls it: `qmclone`, `Microsoft.Compute/virtualMachines/write`."""
    thing: str
    """By which it is compared: a guest's id, or a subscription and a resource group in small letters. Empty: of no guest."""
    where: str
    """For people."""
    outcome: str


class Carried(Value):
    """A run, by what it may change and when it was carried out."""

    run_id: str
    things: frozenset[str]
    """That it made, changed or removed."""
    uses: frozenset[str]
    """That it only reads: the template of a clone."""
    spans: tuple[tuple[datetime, datetime | None], ...]
    """From and to; None: it is being carried out."""
    removed: bool


Why = Literal["others", "outside", "unnamed"]


class Unapproved(Value):
    act: Act
    run_id: str
    """That made what was changed; empty for none."""
    why: Why
    """`others`: by another login than Berth's; `outside`: by Berth's, while no run was carried out; `unnamed`: by Berth's, on what no
    run at work names."""


class Reconciled(Value):
    since: datetime
    looked_at: int
    """How many acts the logs had."""
    found: tuple[Unapproved, ...]
    unread: tuple[str, ...] = ()
    """Sentences: what could not be seen."""
