"""Reads what the platforms' own logs say was changed, and finds what no approved run explains. It changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta

from tools.clients.settings import Settings
from tools.pipeline.platforms import connected, hands
from tools.pipeline.world import World
from tools.rules.plans import reconciling as rules
from tools.values.act import Act, Carried, Reconciled
from tools.values.manifest import Manifest
from tools.values.shapes import Unreadable
from tools.values.snapshot import PlatformName
from tools.values.trouble import WorldProblem
from tools.values.value import Json

DAYS = 7
"""That a conversation looks back."""


def reconcile(world: World, days: int = DAYS) -> Reconciled:
    since = world.now() - timedelta(days=days)
    runs, places = _runs(world)
    acts: list[Act] = []
    unread: list[str] = []
    for (platform, _), settings in places.items():
        try:
            found, missing = hands(platform).acts(settings, since)
        except WorldProblem as problem:
            found, missing = (), (f"{problem.summary} {problem.detail}",)
        acts += found
        unread += missing
    found_ = rules.unapproved(acts, runs, whole=world.tenant is None)
    return Reconciled(since=since, looked_at=len(acts), found=found_, unread=tuple(unread))


def _runs(world: World) -> tuple[list[Carried], dict[tuple[PlatformName, str], Settings]]:
    """The runs, and where to look: what is connected, and wherever they made something."""
    told: defaultdict[str, list[Mapping[str, Json]]] = defaultdict(list)
    for record in world.ledger.audit.read():
        told[str(record.facts.get("run_id", ""))].append(record.facts)
    settings = world.settings
    places = {(one, settings.arm_subscription_id if one == "azure" else ""): settings for one in connected(settings)}
    runs = []
    for row in world.ledger.runs.rows():
        manifests = tuple(_manifests(world, row.id))
        runs.append(rules.carried(row.id, manifests, told[row.id], row.status == "removed"))
        for part in (part for one in manifests for part in one.parts):
            places.setdefault((part.platform, part.cloud.subscription_id if part.cloud else ""), world.settings_of(part))
    return runs, places


def _manifests(world: World, run_id: str) -> Iterator[Manifest]:
    for plan in world.ledger.plans.used(run_id):
        with suppress(Unreadable):
            yield world.ledger.plans.kept(plan.digest).manifest
