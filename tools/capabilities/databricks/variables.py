"""Needs → the part: names, the network's ranges, variables for Terraform, what is made inside the workspace, and what it costs a month."""

from __future__ import annotations

import ipaddress
import math
from typing import Any

from tools.capabilities.databricks.facts import workspace_name
from tools.data import table
from tools.rules.azure import placing as azure_placing
from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.placing import number, text
from tools.rules.plans.pricing import HOURS_A_MONTH
from tools.values.manifest import Command, Configure, Part, Resource
from tools.values.offer import Candidate, Pick
from tools.values.requirements import Needs
from tools.values.site import Reserved, Site
from tools.values.snapshot import SubscriptionSnapshot

MODULE = "databricks"
SPARK = {False: "16.4.x-scala2.12", True: "16.4.x-gpu-ml-scala2.12"}
"""The long-term support version that is pinned, for nodes without and with graphics processors; 2026-11-24."""
NETWORK = "10.139.0.0"
AZURE_KEEPS = 5
"""Addresses of every subnet."""
POOL_IDLE_MINUTES = 10
EGRESS_GB, ENDPOINT_GB, LOG_GB, STORAGE_GB = 100.0, 20.0, 10.0, 50.0
"""A month, assumed: packages and images through the gateway, people's pages through the endpoints, logs, the workspace's own storage."""


def part(needs: Needs, candidate: Candidate, pick: Pick, seen: SubscriptionSnapshot, site: Site, reserved: Reserved) -> Part:
    size, region = str(candidate.choice["size"]), str(candidate.choice["region"])
    base = azure_placing.base_of(needs, text(needs, "workload", "dbx"), seen, reserved.names)
    group, name = azure_placing.group_of(needs, base), workspace_name(base)
    tags = azure_placing.tags(needs, site)
    inside = inside_of(needs, size, name, tags)
    return Part(
        name=needs.capability,
        capability=needs.capability,
        target="azure",
        needs=needs,
        candidate=candidate.id,
        because=" ".join(filter(None, [pick.because, *candidate.reasons])),
        module=MODULE,
        variables={
            "subscription_id": seen.subscription_id,
            "location": region,
            "tags": tags,
            "resource_group_name": group,
            "managed_resource_group_name": f"{group[:80]}-managed",
            "workspace_name": name,
            "names": {
                "virtual_network": base.name("network"),
                "security_group": base.name("nsg"),
                "nat_gateway": base.name("nat_gateway"),
                "public_ip": base.name("public_ip"),
                "access_connector": f"dbac-{'-'.join(base.words)}"[:64].rstrip("-"),
                "log_workspace": base.name("logs"),
            },
            **network_of(int(number(needs, "max_workers"))),
        },
        resources=resources_of(needs, size, region, group, name),
        configure=Configure(kind="databricks", variables=inside),
        commands=commands(group, name, inside),
        facts={"size": size, "spark_version": inside["cluster"]["spark_version"], "savings": list(savings(needs, size))},
    )


def network_of(workers: int) -> dict[str, Any]:
    """Two subnets with an address a node in each, with as much again for nodes that replace others, and one for private endpoints."""
    wanted = 2 * (workers + 1) + AZURE_KEEPS
    length = 32 - max(6, math.ceil(math.log2(wanted)))
    whole = ipaddress.ip_network(f"{NETWORK}/{length - 2}")
    host, container, endpoints, _ = whole.subnets(new_prefix=length)
    return {
        "address_space": str(whole),
        "subnets": {"host": str(host), "container": str(container), "endpoints": str(next(endpoints.subnets(new_prefix=27)))},
    }


def inside_of(needs: Needs, size: str, name: str, tags: dict[str, str]) -> dict[str, Any]:
    """What tools/clients/databricks_inside.py makes in the workspace, by name."""
    most, least = int(number(needs, "max_workers")), int(number(needs, "min_workers"))
    minutes = int(number(needs, "idle_minutes"))
    gpu = azure_sizes.sizes()[size].gpu_count > 0
    shown = {key: tags[key] for key in ("team", "environment") if key in tags}
    spark = SPARK[gpu]
    return {
        "pool": {
            "instance_pool_name": f"pool-{name}",
            "node_type_id": size,
            "min_idle_instances": 0,
            "max_capacity": most + 1,
            "idle_instance_autotermination_minutes": POOL_IDLE_MINUTES,
            "custom_tags": shown,
        },
        "policy": {
            "name": f"policy-{name}",
            "definition": {
                "autotermination_minutes": {"type": "range", "minValue": 10, "maxValue": minutes, "defaultValue": minutes},
                "autoscale.max_workers": {"type": "range", "maxValue": most, "defaultValue": most},
                "spark_version": {"type": "allowlist", "values": [spark], "defaultValue": spark},
                **{f"custom_tags.{key}": {"type": "fixed", "value": value} for key, value in shown.items()},
            },
        },
        "cluster": {
            "cluster_name": f"cluster-{name}",
            "spark_version": spark,
            "autoscale": {"min_workers": least, "max_workers": most},
            "autotermination_minutes": minutes,
            # The machine learning runtime shares no cluster among people.
            "data_security_mode": "SINGLE_USER" if gpu else "USER_ISOLATION",
            "runtime_engine": "STANDARD",
            "custom_tags": shown,
        },
    }


def dbu_an_hour(size: str) -> float | None:
    return next((float(row["dbu_per_hour"]) for row in table("dbu") if row["vm_size"] == size), None)


def node_hours(needs: Needs) -> float:
    """A month: the driver, and halfway between the fewest and the most workers."""
    return (1 + (number(needs, "min_workers") + number(needs, "max_workers")) / 2) * number(needs, "hours_monthly")


def resources_of(needs: Needs, size: str, region: str, group: str, name: str) -> tuple[Resource, ...]:
    where = f"{region}, {group}"
    hours, dbu = node_hours(needs), dbu_an_hour(size)
    # A node type whose rate is not known is named as not priced, and not left out.
    units = ("dbu.premium.all_purpose", hours * dbu) if dbu is not None else (f"dbu.unknown.{size}", hours)
    least, most = text(needs, "min_workers"), text(needs, "max_workers")
    average = (number(needs, "min_workers") + number(needs, "max_workers")) / 2
    return (
        Resource(name=name, kind="Databricks workspace", where=where, size="premium", meters=(("blob.hot.GRS", STORAGE_GB),),
                 because="The standard tier was retired on 2026-10-01; nodes have no public address, and the workspace no public door."),
        Resource(name=f"cluster-{name}", kind="Databricks cluster", where=where, size=f"{least} to {most} workers and a driver, {size}",
                 meters=((f"vm.{size}", hours), units),
                 because=f"Counted with {average:g} workers and a driver for {number(needs, 'hours_monthly'):g} hours a month."),
        Resource(name="private endpoints", kind="private endpoint", where=where, size="2", because="People reach the workspace by these alone.",
                 meters=(("private_endpoint.hour", 2 * HOURS_A_MONTH), ("private_endpoint.data", ENDPOINT_GB))),
        Resource(name="NAT gateway", kind="NAT gateway", where=where, size="1 address", because="Nodes leave by it; data of the region's storage goes by a service endpoint, which is free.",
                 meters=(("nat.hour", HOURS_A_MONTH), ("nat.data", EGRESS_GB), ("public_ip.static", HOURS_A_MONTH))),
        Resource(name="logs", kind="Log Analytics workspace", where=where, size="1 GB a day at most", because="Every log of the workspace, kept for 90 days.",
                 meters=(("log_analytics.ingestion", LOG_GB),)),
    )  # fmt: skip


def savings(needs: Needs, size: str) -> tuple[str, ...]:
    """Scheduled work as jobs costs less a unit; worked out with the shipped list prices."""
    dbu = dbu_an_hour(size)
    rows = {row["key"]: row for row in table("prices") if row["key"].startswith("dbu.premium.")}
    if dbu is None or len(rows) < 2:
        return ()
    jobs, people = rows["dbu.premium.jobs"], rows["dbu.premium.all_purpose"]
    less = node_hours(needs) * dbu * (float(people["price"]) - float(jobs["price"]))
    return (
        f"Work that runs as scheduled jobs instead of on this cluster costs {jobs['price']} and not {people['price']} USD a DBU: "
        f"{less:,.0f} USD a month less if all of it does ({people['region']}, {people['captured_at']}).",
    )


def commands(group: str, name: str, inside: dict[str, Any]) -> tuple[Command, ...]:
    """Printed, not run: `az` and `databricks` are the operator's own. What they would tell, the verify step asks of the workspace itself."""
    return (
        Command(
            purpose="Show the workspace",
            argv=("az", "databricks", "workspace", "show", "--resource-group", group, "--name", name, "--query", "workspaceUrl"),
            runs_here=False,
        ),
        Command(purpose="See who you are in it", argv=("databricks", "current-user", "me"), runs_here=False),
        Command(purpose="List its clusters", argv=("databricks", "clusters", "list"), runs_here=False),
        Command(purpose="List its cluster policies", argv=("databricks", "cluster-policies", "list"), runs_here=False),
    )
