"""The commands of the guide of a cluster in Azure. They need the Azure CLI and a login of the operator's own, so none is run here."""

from __future__ import annotations

from collections.abc import Mapping

from tools.rules.azure.placing import for_operator
from tools.values.manifest import Command


def commands(names: Mapping[str, str]) -> tuple[Command, ...]:
    group, cluster = names["resource_group"], names["cluster"]
    az = ("az", "aks")
    on_it = ("--resource-group", group, "--name", cluster)
    return (
        for_operator("See its nodes, from anywhere", *az, "command", "invoke", *on_it, "--command", "kubectl get nodes"),
        for_operator("See which release it has", *az, "show", *on_it, "--query", "currentKubernetesVersion"),
        for_operator("See which releases it can be upgraded to", *az, "get-upgrades", *on_it, "--output", "table"),
        for_operator(
            "See its node pools", *az, "nodepool", "list", "--resource-group", group, "--cluster-name", cluster, "--output", "table"
        ),
    )
