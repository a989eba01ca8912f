"""The pure part: policy and prices of many resources, placement; and one look at the four-node cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from importlib.resources import files
from itertools import cycle, islice

from benchmarks.bench import Bench
from benchmarks.rows import Row, median
from tools.values.snapshot import ClusterSnapshot

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


def scanning(bench: Bench) -> Iterator[Row]:
    from tools.pipeline.scan import scan

    from tools.clients.settings import Settings

    settings = Settings.from_environment()
    scan(settings, "proxmox", datetime.now(UTC))
    took = _ms(lambda: scan(settings, "proxmox", datetime.now(UTC)), TIMES)
    yield Row("scan of four nodes", took, "ms", note="the simulator shares the machine")


def placing(bench: Bench) -> Iterator[Row]:
    """The four scanned nodes, again and again under other names, each with storages and guests of its own."""
    from tools.pipeline.scan import scan

    from tools.capabilities import catalogue, chain
    from tools.clients.settings import Settings
    from tools.rules.hearing.reading import read
    from tools.rules.request.editing import apply
    from tools.values.request import Request
    from tools.values.site import Reserved, Site

    site = Site(public_keys=("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBerth bench",))
    seen = scan(Settings.from_environment(), "proxmox", datetime.now(UTC))
    assert isinstance(seen, ClusterSnapshot)
    edits = read("a web server for production on network 20", Request(), catalogue(), (), date.today())
    needs = chain.understand(apply(Request(), edits, catalogue())[0], site, "me")
    for nodes in (4, 100, 1000):
        wide = widened(seen, nodes)

        def offer(wide: ClusterSnapshot = wide) -> None:
            found = chain.offer(needs, {"proxmox": wide}, site, Reserved())
            assert found.parts[0].candidates

        yield Row(f"placement among {nodes} nodes", _ms(offer, TIMES), "ms", note=f"{len(wide.guests)} guests")


def widened(seen: ClusterSnapshot, nodes: int) -> ClusterSnapshot:
    copies = range(nodes // len(seen.nodes))

    def name(node: str, copy: int) -> str:
        return f"{node}-{copy}" if copy else node

    return seen.model_copy(
        update={
            "nodes": tuple(n.model_copy(update={"name": name(n.name, i)}) for i in copies for n in seen.nodes),
            "storages": tuple(s.model_copy(update={"node": name(s.node, i)}) for i in copies for s in seen.storages),
            "guests": tuple(
                g.model_copy(update={"node": name(g.node, i), "vm_id": g.vm_id + 10_000 * i, "name": name(g.name, i)})
                for i in copies
                for g in seen.guests
            ),
            "networks": tuple(w.model_copy(update={"nodes": tuple(name(n, i) for i in copies for n in w.nodes)}) for w in seen.networks),
        }
    )


def _ms(work: Callable[[], object], times: int) -> float:
    work()  # Once for the caches.
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return median(took)
