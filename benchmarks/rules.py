"""The pure part: policy and prices of many resources, and one look at the four-node cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from itertools import cycle, islice

from benchmarks.bench import Bench
from benchmarks.rows import Row, median

RESOURCES = 200
POLICY_MS_MAX = 50.0
TIMES = 5


def policy(bench: Bench) -> Iterator[Row]:
    """Judged as a draft is (the request and every resource), and as a plan is (every change)."""
    from tools.rules.plans.policy import document, judge, read_policy
    from tools.rules.plans.pricing import price_parts, read_prices
    from tools.values.manifest import Cloud, Part, Resource
    from tools.values.requirements import Field, Needs, Origin

    data = files("tools.data")
    prices = read_prices(data.joinpath("prices.csv").read_text(encoding="utf-8"))
    rules = read_policy(data.joinpath("policy.yaml").read_text(encoding="utf-8"))
    keys = islice(cycle(sorted({price.key for price in prices})), 2 * RESOURCES)
    said = {"region": "eastus", "environment": "production", "gpu": True, "data_bytes": 5e12, "budget_monthly": 8000}
    part = Part(
        label="many",
        capability="data_workspace",
        platform="azure",
        needs=Needs(
            capability="data_workspace",
            platform="azure",
            fields=tuple(Field(name=n, value=v, origin=Origin.SAID) for n, v in said.items()),
        ),
        candidate="eastus",
        because="",
        module="data_workspace",
        cloud=Cloud(subscription_id="", region="eastus", names=()),
        resources=tuple(
            Resource(name=f"r{i}", kind="resource", where="eastus", size="", because="", meters=((next(keys), 730), (next(keys), 5000)))
            for i in range(RESOURCES)
        ),
    )
    change = {
        "type": "azapi_resource",
        "action": "create",
        "after": {
            "type": "Microsoft.Storage/storageAccounts@2025-06-01",
            "location": "eastus",
            "tags": {"owner": "ml", "environment": "production"},
            "body": {
                "properties": {
                    "supportsHttpsTrafficOnly": True,
                    "minimumTlsVersion": "TLS1_2",
                    "publicNetworkAccess": "Disabled",
                    "allowSharedKeyAccess": False,
                }
            },
        },
    }
    changes = [{**change, "address": f"azapi_resource.r{i}"} for i in range(RESOURCES)]

    def both() -> None:
        estimate = price_parts((part,), ("eastus",), prices)
        assert len(estimate.lines) == 2 * RESOURCES
        assert estimate.total
        judged = judge(rules, document(part, estimate, requester="me", team="ml", changes=changes))
        assert len(judged.passed) > RESOURCES

    yield Row(
        f"policy and cost of {RESOURCES} resources",
        _ms(both, TIMES),
        "ms",
        limit=POLICY_MS_MAX,
        note=f"{len(rules.rules)} rules, {2 * RESOURCES} meters, {len(prices)} prices",
    )


def _ms(work: Callable[[], object], times: int) -> float:
    work()  # Once for the caches.
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return median(took)
