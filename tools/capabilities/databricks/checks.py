"""Reviews a Databricks part: what every Azure part is held to, and that its subnets have an address for every node."""

from __future__ import annotations

from tools.capabilities import Reviewed
from tools.capabilities.databricks.variables import holds
from tools.rules.azure.checks import Checks
from tools.rules.azure.sizes import Claim
from tools.values.manifest import Part
from tools.values.review import Severity
from tools.values.situation import Situation


def review(part: Part, situation: Situation) -> Reviewed:
    assert part.configure is not None, "a workspace is configured from inside"
    pool = part.configure.variables["pool"]
    nodes = int(pool["max_capacity"])
    wanted = (Claim(str(pool["node_type_id"]), nodes),)
    checks = Checks(part, situation, wanted=wanted, spaces=tuple(part.variables["subnets"].values()))
    small = [name for name, subnet in part.variables["subnets"].items() if name != "endpoints" and holds(subnet) < nodes]
    text = f"The subnets {' and '.join(small)} have no address for each of {nodes} nodes." if small else ""
    checks.check("addresses.enough", "", text, "Say `plan again`.")
    managed = str(part.variables["managed_resource_group_name"])
    there = not part.owned and managed.lower() in {g.name.lower() for g in checks.seen.groups}
    text = f"Databricks makes the group {managed} itself, and there is one already." if there else ""
    checks.check("name.free", managed, text, "Say another name.")
    shared = str(part.variables.get("dns_zones_id") or "").rpartition("/")[2]
    text = (
        f"People log in through one browser_authentication endpoint that all workspaces of {checks.cloud.region} share, "
        f"since their names lie in one zone of {shared}; it is not made here."
    )
    checks.note(
        "login",
        "",
        text if shared else "",
        "Whoever keeps the zones makes it once, on a workspace that stays: learn.microsoft.com, Azure Databricks, Private Link.",
    )
    if hub := str(part.variables.get("hub_id") or "").rpartition("/")[2]:
        text = f"The workspace has no public door: it is reached from {hub}, which its network is peered with."
        checks.note(
            "reach",
            "",
            f"{text} Pool, policy and cluster are made from there, so Berth must run where {hub} is reached.",
            f"Run it in {hub}, or on what is joined to it.",
        )
    else:
        text = "The workspace has no public door, and nothing is joined to its new network. Pool, policy and cluster are made through it, "
        checks.check(
            "reach",
            "",
            f"{text}so the run will wait at the configure step until this computer reaches it.",
            "Name a hub in the site's file (`network.hub`), or peer your network with the workspace's at that step, then say `retry`.",
            Severity.WARNING,
        )
    return checks.done()
