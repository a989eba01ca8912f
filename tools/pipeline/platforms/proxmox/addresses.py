"""What the site's own register has of a cluster's networks. Choosing among what is left belongs to tools.rules.machines.addresses."""

from __future__ import annotations

from tools.clients.ipam import open_ipam
from tools.values.site import Site
from tools.values.snapshot import ClusterSnapshot, ScanProblem
from tools.values.trouble import Trouble


def with_registered(seen: ClusterSnapshot, site: Site) -> ClusterSnapshot:
    """A register that is away is a problem of the snapshot. Nothing wrong comes of it: each address is registered before a machine is made,
    and one that is taken is refused then."""
    if site.ipam is None:
        return seen
    subnets = tuple(dict.fromkeys(one for network in seen.networks for one in (network.subnet, network.subnet6) if one))
    try:
        return seen.model_copy(update={"registered": open_ipam(site.ipam).taken(subnets)})
    except Trouble as trouble:
        problem = ScanProblem(subject="addresses of NetBox", detail=f"{trouble.summary} {trouble.detail}", remedy=trouble.remedy)
        return seen.model_copy(update={"problems": (*seen.problems, problem)})
