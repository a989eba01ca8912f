"""A data workspace worked out: machines, data paths and what each is metered by, for one choice. Choosing is in choices.py."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.review import shipped_prices
from tools.rules.azure.sizes import DAYS_A_MONTH, DRIVER, SYSTEM, SYSTEM_NODES, WORKER, SparkSize, Wanted
from tools.rules.machines.machines import number, text
from tools.rules.names import regions as azure_regions
from tools.rules.plans import pricing
from tools.rules.plans.pricing import HOURS_A_MONTH
from tools.values.manifest import Resource
from tools.values.offer import Sum
from tools.values.price import Price
from tools.values.requirements import Needs
from tools.values.snapshot import SubscriptionSnapshot

DRIVERS_MAX = 2
OPERATION_MIB = 4
"""An assumption: Spark reads and writes Parquet in blocks of about this size, and each is an operation that is paid."""
ENDPOINTS = 3
__all__ = ["Choice", "Design", "shipped_prices"]
Meters = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Choice:
    """What is still open once the needs are known."""

    gpu: str = ""
    """The size of the GPU machine; empty for none."""
    path: str = "service_endpoint"
    """`service_endpoint`, `private_endpoint`; `nat` is only ever reckoned with, never built."""
    spot: bool = True
    gpu_hours: int = 0
    retention_days: int = 0
    """0: as the needs say."""


@dataclass(frozen=True)
class Design:
    needs: Needs
    choice: Choice

    @property
    def region(self) -> str:
        return text(self.needs, "region")

    @property
    def spark(self) -> SparkSize:
        n = self.needs
        return azure_sizes.spark(
            number(n, "daily_gb"), number(n, "window_hours"), number(n, "throughput_gb"), number(n, "passes")
        )

    @property
    def stored_gb(self) -> int:
        if not self.choice.retention_days:
            return number(self.needs, "stored_gb")
        return round(number(self.needs, "daily_gb") * self.choice.retention_days / number(self.needs, "compression", 1))

    @property
    def gpu_hours(self) -> int:
        return self.choice.gpu_hours or number(self.needs, "gpu_hours")

    @property
    def flow_gb(self) -> int:
        """What comes in, a month; it is read once for each pass as well."""
        return number(self.needs, "daily_gb") * DAYS_A_MONTH

    def wanted(self) -> tuple[Wanted, ...]:
        """Machines at the most, as the quota sees them; a node that is replaced needs room beside the old one."""
        found = [
            Wanted(SYSTEM, SYSTEM_NODES + 1),
            Wanted(DRIVER, DRIVERS_MAX),
            Wanted(WORKER, self.spark.workers, self.choice.spot),
        ]
        return (*found, Wanted(self.choice.gpu, 1)) if self.choice.gpu else tuple(found)

    def sums(self, snapshot: SubscriptionSnapshot) -> tuple[Sum, ...]:
        return azure_sizes.quota_sums(self.wanted(), snapshot, self.region)

    def resources(self, names: dict[str, str]) -> tuple[Resource, ...]:
        """As a person is told of them, each with all that it is charged for."""
        where = f"{self.region}, {names['resource_group']}"
        spark, private = self.spark, self.choice.path == "private_endpoint"
        hours = HOURS_A_MONTH

        def made(name: str, kind: str, size: str, because: str, *meters: tuple[str, float]) -> Resource:
            return Resource(name=name, kind=kind, where=where, size=size, because=because, meters=tuple(meters))

        worker_hours = math.ceil(spark.node_hours_monthly)
        window = number(self.needs, "window_hours")
        found = [
            made(names["resource_group"], "resource group", "", "Everything of this workspace, so that it goes together."),
            made(names["network"], "virtual network", "nodes and private endpoints apart", "Nothing comes in from the internet."),
            made(names["nat_gateway"], "NAT gateway", f"{number(self.needs, 'egress_gb')} GB a month",
                 "The one way out, with one address; bulk data does not take it.",
                 ("nat.hour", hours), ("nat.data", number(self.needs, "egress_gb")), ("public_ip.static", hours)),
            made(names["cluster"], "AKS cluster", f"Standard tier, {SYSTEM_NODES} x {SYSTEM}", "Kubernetes with Azure's logins only.",
                 ("aks.Standard", hours), (f"vm.{SYSTEM}", SYSTEM_NODES * hours), ("disk.P10", SYSTEM_NODES),
                 *(() if self.needs.field("api_ranges") else (("private_endpoint.hour", hours),))),
            made("drivers", "AKS node pool", f"0 to {DRIVERS_MAX} x {DRIVER}", "Spark drivers, on machines that nobody takes back.",
                 (f"vm.{DRIVER}", window * DAYS_A_MONTH), ("disk.P10", round(window * DAYS_A_MONTH / hours, 3))),
            made("workers", "AKS node pool", f"0 to {spark.workers} x {WORKER}{', spot' if self.choice.spot else ''}",
                 f"{spark.core_hours_daily:,.0f} core-hours a day, done within {window} hours.",
                 (f"{'vm_spot' if self.choice.spot else 'vm'}.{WORKER}", worker_hours)),
        ]  # fmt: skip
        if self.choice.gpu:
            size = azure_sizes.sizes()[self.choice.gpu]
            found.append(
                made("gpu", "AKS node pool", f"0 to 1 x {size.name} ({size.gpu_kind}), {self.gpu_hours} hours a month",
                     "Training; the pool is empty when nothing is trained.",
                     (f"vm.{size.name}", self.gpu_hours), ("disk.P10", round(self.gpu_hours / hours, 3)))
            )  # fmt: skip
        found += [
            made(names["storage"], "data lake (ADLS Gen2)", f"{self.stored_gb:,} GB, {self.redundancy}",
                 "Identities only, TLS 1.2, closed to all but this network.",
                 (f"blob.hot.{self.redundancy}", self.stored_gb),
                 ("adls.hot.writes", round(self.stored_gb * 1024 / OPERATION_MIB / 10_000, 1)),
                 ("adls.hot.reads", round(self.flow_gb * number(self.needs, "passes") * 1024 / OPERATION_MIB / 10_000, 1))),
            made("data path", {"private_endpoint": "private endpoints", "nat": "NAT gateway"}.get(self.choice.path, "service endpoints"),
                 f"{self.flow_gb:,} GB in, the same out", self.path_because, *self.path_meters),
            made(names["vault"], "key vault", "standard, purge protection", "Secrets, by role.", ("key_vault.operations", 10)),
            made(names["logs"], "Log Analytics workspace", f"{number(self.needs, 'log_gb')} GB a month", "Logs of everything, and alerts.",
                 ("log_analytics.ingestion", number(self.needs, "log_gb"))),
            made(names["jobs_identity"], "managed identity", "", "What Spark jobs are to Azure: reads and writes the lake, reads secrets."),
        ]  # fmt: skip
        if private:
            found.append(made("private endpoints", "private endpoint", f"{ENDPOINTS}: dfs, blob, vault", "Storage and vault have no public front.",
                              ("private_endpoint.hour", ENDPOINTS * hours)))  # fmt: skip
        return tuple(found)

    @property
    def redundancy(self) -> str:
        return "ZRS" if azure_regions.has_zones(self.region) else "LRS"

    @property
    def path_meters(self) -> Meters:
        """In and out, through whatever stands between the cluster and the lake."""
        return {
            "private_endpoint": (("private_endpoint.data", float(2 * self.flow_gb)),),
            "nat": (("nat.data", float(self.flow_gb)),),
        }.get(self.choice.path, ())

    @property
    def path_because(self) -> str:
        return {
            "private_endpoint": "No public address on the whole way; paid by the GB in both directions.",
            "nat": "Bulk data through the NAT gateway.",
        }.get(self.choice.path, "Stays in Azure's network, open to this subnet alone, and costs nothing.")

    def monthly(self, prices: tuple[Price, ...]) -> float:
        """What is priced of it, in USD."""
        return round(sum(self.by_resource(prices).values()), 2)

    def by_resource(self, prices: tuple[Price, ...]) -> dict[str, float]:
        found: dict[str, float] = {}
        for resource in self.resources(PLAIN_NAMES):
            lines = (pricing.line(resource.name, key, quantity, self.region, prices) for key, quantity in resource.meters)
            found[resource.name] = sum(x.amount for x in lines if x.amount is not None)
        return found

    def with_(self, **changes: str | int | bool) -> Design:
        return Design(self.needs, replace(self.choice, **changes))  # type: ignore[arg-type]


class _Plain(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key.replace("_", " ")


PLAIN_NAMES: dict[str, str] = _Plain()
"""For reckoning before anything has a name."""
