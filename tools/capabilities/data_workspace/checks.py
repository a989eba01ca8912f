"""Reviews a data workspace: what every Azure part is held to, and its own doors and alerts."""

from __future__ import annotations

from tools.capabilities import Reviewed
from tools.rules.azure import ranges
from tools.rules.azure.checks import Checks
from tools.rules.azure.kubernetes import check_cluster, check_release
from tools.rules.azure.sizes import Claim
from tools.values.manifest import Part
from tools.values.situation import Situation

PEOPLE = (
    "Say the object id of the team's Entra group, such as `group 00000000-0000-0000-0000-000000000000`; "
    "`az ad group show --group NAME --query id` tells it."
)


def review(part: Part, situation: Situation) -> Reviewed:
    variables = part.variables
    # A node that is replaced needs room beside the old one.
    pools = [Claim(p["vm_size"], p["max_count"] + (p.get("mode") == "System"), bool(p.get("spot"))) for p in variables["pools"]]
    pods, services = variables.get("pod_cidr", ranges.PODS), variables.get("service_cidr", ranges.SERVICES)
    checks = Checks(part, situation, wanted=pools, spaces=(variables["address_space"], services, pods), kept=ranges.AKS)
    check_cluster(checks, sum(pool.count for pool in pools))
    if release := str(variables.get("kubernetes_version", "")):
        check_release(checks, release)
    text = "" if variables.get("team_group_id") else "Nobody of the team gets a role: the jobs and whoever carries this out do."
    checks.note("people", "", text, PEOPLE)
    return checks.done()
