"""Reviews a data workspace: what every Azure part is held to, and its own doors and alerts."""

from __future__ import annotations

from tools.capabilities import Reviewed
from tools.rules.azure import ranges
from tools.rules.azure.checks import Checks
from tools.rules.azure.sizes import Claim
from tools.values.manifest import Part
from tools.values.situation import Situation

PEOPLE = (
    "Say the object id of the team's Entra group, such as `group 00000000-0000-0000-0000-000000000000`; "
    "`az ad group show --group NAME --query id` tells it."
)
PUBLIC = "Name the public addresses of your office or VPN, such as `from addresses 198.51.100.0/24`, or none: it is private then."


def review(part: Part, situation: Situation) -> Reviewed:
    variables = part.variables
    # A node that is replaced needs room beside the old one.
    pools = [Claim(p["vm_size"], p["max_count"] + (p.get("mode") == "System"), bool(p.get("spot"))) for p in variables["pools"]]
    pods, services = variables.get("pod_cidr", ranges.PODS), variables.get("service_cidr", ranges.SERVICES)
    checks = Checks(part, situation, wanted=pools, spaces=(variables["address_space"], services, pods), kept=ranges.AKS)
    nodes = sum(pool.count for pool in pools)
    text = f"{nodes} nodes are more than {pods} has addresses for: each takes a /24 of it." if nodes > ranges.nodes_in(pods) else ""
    checks.check("addresses.enough", "", text, "Ask for fewer workers, or give the pods a wider range.")
    let_in = variables["api_ranges"]
    wide = [one for one in let_in if one.endswith("/0")]
    text = f"The Kubernetes API would be open to {', '.join(wide)}." if wide else ""
    checks.check("exposure", "", text, "Name your own addresses, or none.")
    private = [one for one in let_in if ranges.met(one, ranges.PRIVATE)]
    text = f"{', '.join(private)} cannot come in: the Kubernetes API sees public addresses only." if private else ""
    checks.check("exposure.public", "", text, PUBLIC)
    text = "" if let_in else "The Kubernetes API is private: reach it from the network, or by `az aks command invoke`."
    checks.note("reach", "", text, "Say from which addresses it is to be reached, such as `from addresses 198.51.100.0/24`.")
    text = "" if variables.get("team_group_id") else "Nobody of the team gets a role: the jobs and whoever carries this out do."
    checks.note("people", "", text, PEOPLE)
    text = "" if variables["alert_email"] else "Alerts show in the portal, and nobody is told of them."
    checks.note("alerts", "", text, "Say whom to tell, such as `alerts to ml-team@example.org`.")
    return checks.done()
