"""Reviews a cluster in Azure: what every Azure part is held to, its doors, its release, its nodes and who administers it."""

from __future__ import annotations

from tools.capabilities import Reviewed
from tools.capabilities.k3s_cluster.aks.choices import NODE_POOL
from tools.rules.azure import placing, ranges
from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.checks import Checks
from tools.rules.azure.kubernetes import check_cluster, check_release
from tools.rules.azure.sizes import Claim
from tools.values.manifest import Part
from tools.values.review import Severity
from tools.values.situation import Situation

NODES_LEAST = 2


def review(part: Part, situation: Situation) -> Reviewed:
    variables, needs = part.variables, part.needs
    pools = variables["pools"]
    claims = tuple(Claim(str(pool["vm_size"]), int(pool["count"]) + 1) for pool in pools)
    spaces = (variables["address_space"], ranges.SERVICES, ranges.PODS)
    checks = Checks(part, situation, wanted=claims, spaces=spaces, kept=ranges.AKS)
    check_cluster(checks, sum(one.count for one in claims))
    nodes = next(pool for pool in pools if pool["name"] == NODE_POOL)
    size = azure_sizes.size_named(str(nodes["vm_size"]))
    small = size is None or size.cpu_count < needs.whole("workers_cpu_count") or size.memory_gib * 1024 < needs.whole("workers_memory_mib")
    text = f"{nodes['vm_size']} has less than what was asked for, or is no size that Berth has figures of." if small else ""
    checks.check("size.enough", str(nodes["vm_size"]), text, "Leave the size open.")
    check_release(checks, str(variables["kubernetes_version"]))
    zones = {zone for pool in pools for zone in pool["zones"]}
    production = placing.must_survive(needs)
    text = "All of it fails with one zone, and it must not." if production and len(zones) < 2 else ""
    checks.check("zones.spread", "", text, "Say a region with zones, if it must not.", Severity.WARNING)
    few = production and int(nodes["count"]) < NODES_LEAST
    text = "With one node everything stops while it is replaced, and it must not." if few else ""
    checks.check("nodes.enough", "", text, f"Say `{NODES_LEAST} nodes`, or more.", Severity.WARNING)
    text = "" if variables["administrators"] else "Nobody can use it before an Entra group is named: there are no local accounts."
    checks.note("people", "", text, "Say `administrators` and the object id of an Entra group, or give its people a role afterwards.")
    checks.note(
        "disks",
        "",
        "Volumes, load balancers and public addresses that are asked for inside the cluster are Azure's own, and are in no sum here.",
        "They go with the cluster when it is removed.",
    )
    return checks.done()
