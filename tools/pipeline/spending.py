"""Asks Azure what it has charged, for what the runs that stand have made. Nothing is decided here."""

from __future__ import annotations

from tools.pipeline.context import Say
from tools.pipeline.world import World
from tools.rules.plans import spending as rules
from tools.values.spending import Spending, Sums
from tools.values.trouble import Trouble

STANDING = ("running", "done", "stopped")
QUERY_VERSION = "2023-11-01"
QUERY = {
    "type": "ActualCost",
    "timeframe": "MonthToDate",
    "dataset": {
        "granularity": "None",
        "aggregation": {"totalCost": {"name": "Cost", "function": "Sum"}},
        "grouping": [{"type": "Dimension", "name": "ResourceGroupName"}],
    },
}
"""Of a subscription: what each resource group has cost this month. Azure REST, Query - Usage."""


def spending(world: World, say: Say = lambda _text: None) -> Spending:
    plans = world.ledger.plans
    estimates = {one.manifest_digest: one for one in plans.costs(STANDING)}
    standing = [(run_id, manifest, estimates.get(manifest.digest)) for run_id, manifest in plans.standing(STANDING)]
    charged: dict[str, dict[str, Sums]] = {}
    unread: list[str] = []
    for subscription in rules.subscriptions(manifest for _, manifest, _ in standing):
        say(f"Asking Azure what the subscription {subscription} was charged…")
        try:
            charged[subscription] = _charged(world, subscription)
        except Trouble as trouble:
            unread.append(f"{trouble.summary} {trouble.detail}")
    rows = [(run_id, manifest, cost.monthly if cost else 0.0, cost.currency if cost else "") for run_id, manifest, cost in standing]
    return rules.spending(rows, charged, unread, world.now().date(), world.site.team)


def _charged(world: World, subscription: str) -> dict[str, Sums]:
    from tools.clients.azure import Azure  # Its libraries take a quarter of a second, which no request for a machine waits for.

    path = f"/subscriptions/{subscription}/providers/Microsoft.CostManagement/query"
    azure = Azure(world.settings.in_subscription(subscription))
    _, answer = azure.ask("what was charged", "POST", path, QUERY_VERSION, QUERY)
    found = answer.get("properties")
    properties = found if isinstance(found, dict) else {}
    return rules.by_group(properties.get("columns") or (), properties.get("rows") or ())
