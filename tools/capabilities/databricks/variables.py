"""Needs → the part: names, the network's ranges, variables for Terraform, what is made inside the workspace, and what it costs a month."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterator, Mapping, Sequence

from tools.data import table
from tools.rules.azure import placing
from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.placing import for_operator
from tools.rules.plans.pricing import HOURS_A_MONTH, rows_of
from tools.values.manifest import Command, Configure, Part, Resource
from tools.values.offer import Candidate, Pick
from tools.values.price import Price
from tools.values.requirements import Needs
from tools.values.site import Site
from tools.values.situation import Situation
from tools.values.value import Json

KINDS = ("databricks", "network", "nsg", "nat_gateway", "public_ip", "access_connector", "logs")
SPARK = {False: "16.4.x-scala2.12", True: "16.4.x-gpu-ml-scala2.12"}
"""The long-term support version that is pinned, for nodes without and with graphics processors; 2026-11-24."""
SPARK_ENDS_ON = "2028-05-09"
"""Databricks Runtime release notes, versions and compatibility, read 2026-11-29."""
AZURE_KEEPS = 5
"""Addresses of every subnet."""
POOL_IDLE_MINUTES = 10
EGRESS_GB, ENDPOINT_GB, LOG_GB, STORAGE_GB = 100.0, 20.0, 10.0, 50.0
"""A month, assumed: packages and images through the gateway, people's pages through the endpoints, logs, the workspace's own storage."""


def part(needs: Needs, candidate: Candidate, pick: Pick, situation: Situation) -> Part:
    """Raises RequestProblem when no name is free."""
    size = str(dict(candidate.choice)["size"])
    names = placing.names_of(needs, situation, *KINDS)
    group, name = dict(names)["resource_group"], dict(names)["databricks"]
    inside = inside_of(needs, size, name, dict(placing.tags_of(needs, situation.site)))
    return placing.part_of(
        needs,
        candidate,
        pick,
        situation,
        names=names,
        resources=resources_of(needs, size, group, name, situation.site),
        variables={
            "managed_resource_group_name": f"{group[:80]}-managed",
            **network_of(placing.address_space(needs, situation, group, prefix_length(needs.whole("max_workers")))),
            **placing.joined(needs, situation.site),
        },
        configure=Configure(kind="databricks", variables=inside),
        commands=commands(group, name),
        savings=tuple(savings(needs, size, situation.prices)),
    )


def prefix_length(workers: int) -> int:
    """Of a network of four such subnets, each with an address a node, and as much again for nodes that replace others."""
    return 30 - max(6, math.ceil(math.log2(2 * (workers + 1) + AZURE_KEEPS)))


def network_of(space: str) -> dict[str, Json]:
    """Two subnets for the nodes, and one for private endpoints."""
    whole = ipaddress.ip_network(space)
    host, container, endpoints, _ = whole.subnets(prefixlen_diff=2)
    return {
        "address_space": str(whole),
        "subnets": {"host": str(host), "container": str(container), "endpoints": str(next(endpoints.subnets(new_prefix=27)))},
    }


def holds(subnet: str) -> int:
    """Nodes that have an address there."""
    return ipaddress.ip_network(subnet).num_addresses - AZURE_KEEPS


def inside_of(needs: Needs, size: str, name: str, tags: Mapping[str, str]) -> dict[str, Json]:
    """What tools/clients/databricks_inside.py makes in the workspace, by name."""
    most, least = needs.whole("max_workers"), needs.whole("min_workers")
    minutes = needs.whole("idle_minutes")
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
    return (1 + (needs.number("min_workers") + needs.number("max_workers")) / 2) * needs.number("hours_monthly")


def resources_of(needs: Needs, size: str, group: str, name: str, site: Site) -> tuple[Resource, ...]:
    made = placing.resources_in(needs, group)
    hours, dbu = node_hours(needs), dbu_an_hour(size)
    # A node type whose rate is not known is named as not priced, and not left out.
    units = ("dbu.premium.all_purpose", hours * dbu) if dbu is not None else (f"dbu.unknown.{size}", hours)
    least, most = needs.text("min_workers"), needs.text("max_workers")
    average = (needs.number("min_workers") + needs.number("max_workers")) / 2
    # One to reach it, and where names are its own, one to log in: workspaces that share a zone share that one.
    endpoints = 1 if placing.joined(needs, site)["dns_zones_id"] else 2

    return (
        made(
            name,
            "Databricks workspace",
            "premium",
            "The standard tier was retired on 2026-10-01; nodes have no public address, and the workspace no public door.",
            ("blob.hot.GRS", STORAGE_GB),
        ),
        made(
            f"cluster-{name}",
            "Databricks cluster",
            f"{least} to {most} workers and a driver, {size}",
            f"Its runtime is 16.4 LTS, which Databricks supports until {SPARK_ENDS_ON}. "
            f"Counted with {average:g} workers and a driver for {needs.number('hours_monthly'):g} hours a month.",
            (f"vm.{size}", hours),
            units,
        ),
        made(
            "private endpoints",
            "private endpoint",
            f"{endpoints}",
            "People reach the workspace by these alone.",
            ("private_endpoint.hour", endpoints * HOURS_A_MONTH),
            ("private_endpoint.data", ENDPOINT_GB),
            *placing.zone_meters(needs, site),
        ),
        made(
            "NAT gateway",
            "NAT gateway",
            "1 address",
            "Nodes leave by it; data of the region's storage goes by a service endpoint, which is free.",
            ("nat.hour", HOURS_A_MONTH),
            ("nat.data", EGRESS_GB),
            ("public_ip.static", HOURS_A_MONTH),
        ),
        made(
            "logs",
            "Log Analytics workspace",
            "1 GB a day at most",
            "Every log of the workspace, kept for 90 days.",
            *placing.log_meters(LOG_GB),
        ),
    )


def savings(needs: Needs, size: str, prices: Sequence[Price]) -> Iterator[str]:
    """Scheduled work as jobs costs less a unit."""
    dbu = dbu_an_hour(size)
    jobs, people = (rows_of(f"dbu.premium.{kind}", needs.text("region"), prices) for kind in ("jobs", "all_purpose"))
    if dbu is None or not jobs or not people:
        return
    less = node_hours(needs) * dbu * (people[0].price - jobs[0].price)
    yield (
        f"Work that runs as scheduled jobs instead of on this cluster costs {jobs[0].price:g} and not {people[0].price:g} USD a DBU: "
        f"{less:,.0f} USD a month less if all of it does ({people[0].region}, {people[0].captured_at})."
    )


def commands(group: str, name: str) -> tuple[Command, ...]:
    """What they would tell, the verify step asks of the workspace itself."""
    show = ("az", "databricks", "workspace", "show", "--resource-group", group, "--name", name, "--query", "workspaceUrl")
    return (
        for_operator("Show the workspace", *show),
        for_operator("See who you are in it", "databricks", "current-user", "me"),
        for_operator("List its clusters", "databricks", "clusters", "list"),
        for_operator("List its cluster policies", "databricks", "cluster-policies", "list"),
    )
