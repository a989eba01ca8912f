"""A Kubernetes cluster: of k3s on virtual machines, with 1 or 3 servers of embedded etcd, workers, and one address of its API; in Azure the
one that Azure runs (AKS).

facts.py says what is wanted and how it is understood, add_ons.py what is installed in it, changing.py which changes it survives; the table
at the end names the rest; guide.md.j2 is the guide. What is Azure's own is in aks/ and aks.md.j2.
"""

from __future__ import annotations

from tools.capabilities import Footing
from tools.capabilities.k3s_cluster.aks import checks as aks_checks
from tools.capabilities.k3s_cluster.aks import choices as aks
from tools.capabilities.k3s_cluster.aks import facts as aks_facts
from tools.capabilities.k3s_cluster.changing import in_place
from tools.capabilities.k3s_cluster.checks import checks
from tools.capabilities.k3s_cluster.commands import commands, farewell
from tools.capabilities.k3s_cluster.facts import API_ADDRESS, SERVERS, WANTED, WORDS, WORKERS, understand
from tools.capabilities.k3s_cluster.variables import KEPT_AS, endpoints, variables
from tools.capabilities.on_machines import SetUp, on_cluster
from tools.rules.azure.placing import names_to_check, regions_of
from tools.values.manifest import Secret
from tools.values.snapshot import PlatformName

NAME = "k3s_cluster"
TITLE = "Kubernetes cluster (k3s; AKS in Azure)"
EXAMPLES = (
    "a k3s cluster, 3 servers and 4 workers, production, on network 20, api address 10.20.0.200",
    "Kubernetes with 1 master and 2 workers, development, on network 20",
    "a Kubernetes cluster in Azure, 3 nodes, production, in eastus",
)
ON: dict[PlatformName, Footing] = {
    "proxmox": in_place(
        on_cluster(
            understand,
            SetUp(
                playbook="k3s_cluster.yml",
                commands=commands,
                variables=variables,
                endpoints=endpoints,
                secrets=(Secret(name=KEPT_AS, kind="password"),),
                checks=checks,
                serves=("80", "443"),
            ),
            groups=(SERVERS, WORKERS),
            virtual_addresses=(API_ADDRESS,),
            farewell=farewell,
        )
    ),
    "azure": Footing(
        understand=aks_facts.understand,
        offer=aks.offer,
        compose=aks.compose,
        review=aks_checks.review,
        stay=aks.stay,
        keep=aks.keep,
        regions_of=regions_of,
        names_to_check=names_to_check(),
        guide="aks.md.j2",
        grants=frozenset(("high_availability",)),
    ),
}

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
