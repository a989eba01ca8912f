"""Microsoft.CostManagement: what a subscription was charged this month, as the world file says what its groups cost a day.

Azure REST, Query - Usage, 2023-11-01; a charge is told 8 hours late or more (Microsoft Learn, "Understand Cost Management data", read
2026-11-30). What is made in the simulated subscription costs nothing, so it has no row.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.errors import ArmError, not_simulated
from cluster_sim.http import Request

LATE_S = 8 * 3600
_FRAMES = ("MonthToDate", "BillingMonthToDate", "TheLastMonth", "TheLastBillingMonth", "WeekToDate", "Custom")


def _query(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    body = request.json
    if not isinstance(body, dict):
        raise ArmError(400, "BadRequest", "Invalid query definition: Missing body.")
    dataset = body.get("dataset") or {}
    for name, allowed in (("type", ("ActualCost", "AmortizedCost", "Usage")), ("timeframe", _FRAMES)):
        if body.get(name) not in allowed:
            raise ArmError(
                400, "BadRequest", f"Invalid query definition: Invalid {name} '{body.get(name)}'; valid values: {', '.join(allowed)}."
            )
    if not dataset.get("aggregation"):
        raise ArmError(400, "BadRequest", "Invalid query definition: Missing dataset aggregation.")
    grouping = [(one.get("type"), one.get("name")) for one in dataset.get("grouping") or ()]
    asked = (
        body["timeframe"],
        dataset.get("granularity", "None"),
        [(one.get("name"), one.get("function")) for one in dataset["aggregation"].values()],
    )
    known = asked == ("MonthToDate", "None", [("Cost", "Sum")]) and grouping in ([], [("Dimension", "ResourceGroupName")])
    if not known or dataset.get("filter"):
        raise not_simulated("POST", f"{request.path} but for the cost of the month to date, by resource group or as a whole")
    subscription = cloud.subscription(words["subscription"])
    now = dt.datetime.fromtimestamp(cloud.now, dt.UTC)
    began = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    days = max(0.0, (now - began).total_seconds() - LATE_S) / 86400
    by_group = {group.lower(): round(daily * days, 4) for group, daily in sorted(subscription.costs_daily.items())}
    columns = [{"name": "Cost", "type": "Number"}, {"name": "ResourceGroupName", "type": "String"}, {"name": "Currency", "type": "String"}]
    rows: list[list[Any]] = [[amount, group, "USD"] for group, amount in by_group.items()]
    if not grouping:
        rows, columns = [[round(sum(by_group.values()), 4), "USD"]] if by_group else [], [columns[0], columns[2]]
    at = f"/subscriptions/{subscription.id}/providers/Microsoft.CostManagement/query/00000000-0000-4000-8000-000000000000"
    return {
        "id": at,
        "name": at.rpartition("/")[2],
        "type": at.split("providers/")[1].rpartition("/")[0],
        "properties": {"nextLink": None, "columns": columns, "rows": rows},
    }


KINDS = ()
ROUTES = (("POST", r"{subscription}/providers/Microsoft\.CostManagement/query", _query),)
