"""The commands of a data workspace's guide. They need the Azure CLI and a login of the operator's own, so none is run here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.rules.azure.placing import for_operator
from tools.values.manifest import Command


def commands(names: Mapping[str, str], api_ranges: Sequence[str]) -> tuple[Command, ...]:
    group, az = names["resource_group"], ("az",)
    on_cluster = ("--resource-group", group, "--name", names["cluster"])
    pools, look = "kubectl get nodes --label-columns pool,agentpool", "See the nodes and their pools"
    through_azure = for_operator(
        f"{look}; the API is private, so Azure carries the command in",
        *az,
        "aks",
        "command",
        "invoke",
        *on_cluster,
        "--command",
        pools,
    )
    direct = (
        for_operator("Connect kubectl to the cluster", *az, "aks", "get-credentials", *on_cluster),
        for_operator("Log kubectl in with your own account", "kubelogin", "convert-kubeconfig", "-l", "azurecli"),
        for_operator(look, *pools.split()),
    )
    lake = ("--account-name", names["storage"], "--file-system", "bronze", "--auth-mode", "login")
    spent = f"[?contains(instanceId, '{group}')].[instanceName, pretaxCost]"
    return (
        *(direct if api_ranges else (through_azure,)),
        for_operator("See what lies in the lake", *az, "storage", "fs", "file", "list", *lake),
        for_operator("List the names of secrets", *az, "keyvault", "secret", "list", "--vault-name", names["vault"], "--query", "[].name"),
        for_operator("See what this workspace has cost so far", *az, "consumption", "usage", "list", "--query", spent, "--output", "table"),
    )
