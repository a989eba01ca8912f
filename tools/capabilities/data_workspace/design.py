"""A data workspace worked out: machines, data paths and what each is metered by, for one choice. Choosing is in choices.py."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tools.rules.azure import placing
from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.names import PLAIN_NAMES
from tools.rules.azure.sizes import DAYS_A_MONTH, DRIVER, SYSTEM, WORKER, Claim, SparkSize
from tools.rules.names import regions as azure_regions
from tools.rules.names.text import spell_value
from tools.rules.plans import pricing
from tools.rules.plans.pricing import HOURS_A_MONTH
from tools.values.manifest import Resource
from tools.values.offer import Candidate, Sum
from tools.values.price import Price
from tools.values.requirements import Needs
from tools.values.snapshot import SubscriptionSnapshot

DRIVERS_MAX = 2
OPERATION_MIB = 4
"""An assumption: Spark reads and writes Parquet in blocks of about this size, and each is an operation that is paid."""
ENDPOINTS = 3
ALERTS = 4
"""Of terraform/data_workspace/monitoring.tf, each over one series."""
PATHS = {"service_endpoint": "service endpoints", "private_endpoint": "private endpoints", "nat": "NAT gateway"}
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

    @classmethod
    def of(cls, candidate: Candidate) -> Choice:
        chosen = dict(candidate.choice)
        return cls(gpu=str(chosen["gpu"]), path=str(chosen["path"]), spot=bool(chosen["spot"]))


@dataclass(frozen=True)
class Ground:
    """What is there already."""

    zones: tuple[str, ...] = azure_sizes.ZONES
    """In which the subscription can have the machines that must not stop."""
    names_of_site: bool = False
    """Whether the site has private DNS zones."""
    release: str = ""
    """Of Kubernetes; empty where Azure did not tell which there are, and then takes its own."""


@dataclass(frozen=True)
class Design:
    needs: Needs
    choice: Choice
    ground: Ground = Ground()

    @property
    def region(self) -> str:
        return self.needs.text("region")

    @property
    def spark(self) -> SparkSize:
        n = self.needs
        return azure_sizes.spark(n.whole("daily_gb"), n.whole("window_hours"), n.whole("throughput_gb"), n.whole("passes"))

    @property
    def stored_gb(self) -> int:
        if not self.choice.retention_days:
            return self.needs.whole("stored_gb")
        return round(self.needs.whole("daily_gb") * self.choice.retention_days / self.needs.whole("compression", 1))

    @property
    def gpu_hours(self) -> int:
        return self.choice.gpu_hours or self.needs.whole("gpu_hours")

    @property
    def flow_gb(self) -> int:
        """What comes in, a month; it is read once for each pass as well."""
        return self.needs.whole("daily_gb") * DAYS_A_MONTH

    @property
    def system_nodes(self) -> int:
        return azure_sizes.system_nodes(self.needs.text("environment"))

    @property
    def zones(self) -> tuple[str, ...]:
        """Of what must not stop: in production, where the region has zones. Workers stay together: they shuffle among themselves."""
        spread = self.needs.text("environment") == "production" and azure_regions.has_zones(self.region)
        return self.ground.zones if spread and len(self.ground.zones) > 1 else ()

    def wanted(self) -> tuple[Claim, ...]:
        """Machines at the most, as the quota sees them; a node that is replaced needs room beside the old one."""
        found = [
            Claim(SYSTEM, self.system_nodes + 1),
            Claim(DRIVER, DRIVERS_MAX),
            Claim(WORKER, self.spark.workers, self.choice.spot),
        ]
        return (*found, Claim(self.choice.gpu, 1)) if self.choice.gpu else tuple(found)

    def sums(self, snapshot: SubscriptionSnapshot) -> tuple[Sum, ...]:
        return azure_sizes.quota_sums(self.wanted(), snapshot, self.region)

    def resources(self, names: Mapping[str, str]) -> tuple[Resource, ...]:
        """As a person is told of them, each with all that it is charged for."""
        made = placing.resources_in(self.needs, names["resource_group"])
        needs, spark, hours = self.needs, self.spark, HOURS_A_MONTH
        window, stored, flow = needs.whole("window_hours"), self.stored_gb, self.flow_gb
        egress, logs = needs.whole("egress_gb"), needs.whole("log_gb")
        kubernetes = f"Kubernetes {self.ground.release}, " if self.ground.release else ""

        def operations(gigabytes: float) -> float:
            return round(gigabytes * 1024 / OPERATION_MIB / 10_000, 1)

        found = [
            made(
                names["resource_group"],
                "resource group",
                "",
                "Holds all resources of this workspace, so that they can be deleted together.",
            ),
            made(names["network"], "virtual network", "nodes and private endpoints apart", "Nothing comes in from the internet."),
            made(
                names["nat_gateway"],
                "NAT gateway",
                spell_value(egress, "GB a month"),
                "The one way out, with one address; bulk data does not take it.",
                ("nat.hour", hours),
                ("nat.data", egress),
                ("egress.internet", egress),
                ("public_ip.static", hours),
            ),
            made(
                names["cluster"],
                "AKS cluster",
                f"{kubernetes}Standard tier, {self.system_nodes} x {SYSTEM}{f', in {len(self.zones)} zones' if self.zones else ''}",
                "Kubernetes with Azure's logins only.",
                ("aks.Standard", hours),
                (f"vm.{SYSTEM}", self.system_nodes * hours),
                ("disk.P10", self.system_nodes),
                *(() if needs.field("api_ranges") else (("private_endpoint.hour", hours),)),
            ),
            made(
                "drivers",
                "AKS node pool",
                f"1 to {DRIVERS_MAX} x {DRIVER}",
                "Spark drivers and Azure's run command, on VMs that Azure does not reclaim; one is always there.",
                (f"vm.{DRIVER}", hours + (DRIVERS_MAX - 1) * window * DAYS_A_MONTH),
                ("disk.P10", round(1 + (DRIVERS_MAX - 1) * window * DAYS_A_MONTH / hours, 3)),
            ),
            made(
                "workers",
                "AKS node pool",
                f"0 to {spark.workers} x {WORKER}{', spot' if self.choice.spot else ''}",
                f"{spark.core_hours_daily:,.0f} core-hours a day, done within {window} hours.",
                (f"{'vm_spot' if self.choice.spot else 'vm'}.{WORKER}", math.ceil(spark.node_hours_monthly)),
            ),
        ]
        if self.choice.gpu:
            size = azure_sizes.sizes()[self.choice.gpu]
            found.append(
                made(
                    "gpu",
                    "AKS node pool",
                    f"0 to 1 x {size.name} ({size.gpu_kind}), {self.gpu_hours} hours a month",
                    "Training; the pool is empty when nothing is trained.",
                    (f"vm.{size.name}", self.gpu_hours),
                    ("disk.P10", round(self.gpu_hours / hours, 3)),
                )
            )
        found += [
            made(
                names["storage"],
                "data lake (ADLS Gen2)",
                f"{spell_value(stored, 'GB')}, {self.redundancy}",
                "Identities only, TLS 1.2, closed to all but this network.",
                (f"blob.hot.{self.redundancy}", stored),
                (f"adls.hot.writes.{self.redundancy}", operations(stored)),
                ("adls.hot.reads", operations(flow * needs.whole("passes"))),
            ),
            made("data path", PATHS[self.choice.path], f"{spell_value(flow, 'GB')} in, the same out", self.path_because, *self.path_meters),
            made(names["vault"], "key vault", "standard, purge protection", "Secrets, by role.", ("key_vault.operations", 10)),
            made(
                names["logs"],
                "Log Analytics workspace",
                spell_value(logs, "GB a month"),
                "Logs of everything, and alerts.",
                *placing.log_meters(logs),
                ("alert.metric", ALERTS),
            ),
            made(
                names["jobs_identity"],
                "managed identity",
                "",
                "What Spark jobs are to Azure: reads and writes the lake, reads secrets.",
            ),
        ]
        if self.choice.path == "private_endpoint":
            found.append(
                made(
                    "private endpoints",
                    "private endpoint",
                    f"{ENDPOINTS}: dfs, blob, vault",
                    "Storage and vault have no public front.",
                    ("private_endpoint.hour", ENDPOINTS * hours),
                    *(() if self.ground.names_of_site else (("dns.zone", ENDPOINTS),)),
                )
            )
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

    @cached_property
    def unnamed(self) -> tuple[Resource, ...]:
        """Its resources before anything has a name, to reckon with."""
        return self.resources(PLAIN_NAMES)

    def monthly(self, prices: Sequence[Price], resource: str = "") -> float:
        """What is priced of it, or of one resource of it, in USD."""
        counted = [one for one in self.unnamed if resource in ("", one.name)]
        return pricing.monthly(counted, self.region, prices)

    def with_(self, **changes: str | int | bool) -> Design:
        return Design(self.needs, replace(self.choice, **changes), self.ground)  # type: ignore[arg-type]
