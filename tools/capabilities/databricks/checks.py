"""Reviews a Databricks part: where it goes, its names, whether region and quota still carry it, its ranges, and that it stays closed."""

from __future__ import annotations

import ipaddress

from tools.rules.azure import names as azure_names
from tools.rules.azure import placing as azure_placing
from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.placing import Checked, subscription
from tools.rules.azure.sizes import Wanted
from tools.values.manifest import Part
from tools.values.review import Finding, Severity
from tools.values.site import Reserved, Site
from tools.values.snapshot import Snapshot, SubscriptionSnapshot

ERROR, NOTE = Severity.ERROR, Severity.NOTE
AZURE_KEEPS = 5


def review(part: Part, snapshot: Snapshot, site: Site, reserved: Reserved) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    seen = subscription(snapshot)
    found = [*azure_placing.common_checks(part, seen), *_names(part, seen), *_nodes(part, seen), _network(part), _reach(part)]
    return azure_placing.judged(part, found)


def _names(part: Part, seen: SubscriptionSnapshot) -> list[Checked]:
    name = str(part.variables["workspace_name"])
    managed = str(part.variables["managed_resource_group_name"])
    problem = azure_names.name_problem("databricks", name)
    there = azure_placing.group_taken(part, seen, managed) and not azure_placing.owns(part)
    return [
        ("name.workspace", ERROR, (problem, "Say another name.") if problem else None),
        (
            "group.managed",
            ERROR,
            (f"Databricks makes the group {managed} itself, and there is one already.", "Say another name.") if there else None,
        ),
    ]


def _nodes(part: Part, seen: SubscriptionSnapshot) -> list[Checked]:
    pool = part.configure.variables["pool"] if part.configure else {}
    size, count, region = str(pool.get("node_type_id")), int(pool.get("max_capacity", 0)), str(part.variables["location"])
    gone = azure_sizes.sku_problem(size, seen, region)
    retired = azure_sizes.sizes()[size].retired if size in azure_sizes.sizes() else False
    wanted = (Wanted(size, count),)
    # A part that exists is counted in what is used already.
    short = (
        None if azure_placing.owns(part) else next((s for s in azure_sizes.quota_sums(wanted, seen, region) if not s.holds), None)
    )
    unseen = azure_sizes.unseen_families(wanted, seen, region)
    return [
        ("size.current", ERROR, (f"{size} is retired.", "Name a current size.") if retired else None),
        ("size.offered", ERROR, (f"{gone}.", "Name another node type or region.") if gone else None),
        (
            "quota.cores",
            ERROR,
            (
                f"{short.subject}: {short.total:g} vCPU with what is in use, and the quota is {short.limit:g}.",
                "Ask for fewer workers, or for more quota in the portal under Quotas.",
            )
            if short
            else None,
        ),
        (
            "quota.seen",
            NOTE,
            (f"The quota of {', '.join(unseen)} could not be seen, so it was not checked.", "Look under Quotas in the portal.")
            if unseen
            else None,
        ),
    ]


def _network(part: Part) -> Checked:
    nodes = int(part.configure.variables["pool"]["max_capacity"]) if part.configure else 0
    subnets = {name: ipaddress.ip_network(cidr) for name, cidr in part.variables["subnets"].items()}
    small = [n for n, s in subnets.items() if n != "endpoints" and s.num_addresses - AZURE_KEEPS < nodes]
    return (
        "network.addresses",
        ERROR,
        (f"The subnets {' and '.join(small)} have no address for each of {nodes} nodes.", "Compose the manifest again.")
        if small
        else None,
    )


def _reach(part: Part) -> Checked:
    return (
        "network.reach",
        NOTE,
        (
            "The workspace has no public door: it is reached from its own network, or from one that is peered with it or joined by a VPN. "
            "Pool, policy and cluster are made through that way too.",
            "Peer your network with the workspace's, and link its private DNS zone, before or after.",
        ),
    )
