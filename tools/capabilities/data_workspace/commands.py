"""The commands of a data workspace's guide. They need the Azure CLI and a login of the operator's own, so none is run here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.values.manifest import Command


def commands(names: Mapping[str, str], api_ranges: Sequence[str]) -> tuple[Command, ...]:
    group, cluster = names["resource_group"], names["cluster"]
    on_cluster = ("--resource-group", group, "--name", cluster)
    pools = "kubectl get nodes --label-columns pool,agentpool"

    def operators(purpose: str, *argv: str) -> Command:
        return Command(purpose=purpose, argv=argv, runs_here=False)

    reach: tuple[Command, ...]
    if api_ranges:
        reach = (
            operators("Connect kubectl to the cluster", "az", "aks", "get-credentials", *on_cluster),
            operators("Log kubectl in with your own account", "kubelogin", "convert-kubeconfig", "-l", "azurecli"),
            operators("See the nodes and their pools", *pools.split()),
        )
    else:
        reach = (operators("See the nodes and their pools; the API is private, so Azure carries the command in", "az", "aks", "command", "invoke",
                           *on_cluster, "--command", pools),)  # fmt: skip
    return (
        *reach,
        operators("See what lies in the lake", "az", "storage", "fs", "file", "list", "--account-name", names["storage"],
                  "--file-system", "bronze", "--auth-mode", "login"),
        operators("List the names of secrets", "az", "keyvault", "secret", "list", "--vault-name", names["vault"], "--query", "[].name"),
        operators("See what this workspace has cost so far", "az", "consumption", "usage", "list", "--query",
                  f"[?contains(instanceId, '{group}')].[instanceName, pretaxCost]", "--output", "table"),
    )  # fmt: skip
