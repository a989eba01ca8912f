"""The commands of a data workspace's guide. They need the Azure CLI and a login of the operator's own, so none is run here.

Nothing asks the lake or the vault from outside, for their firewall answers this network alone: names are read through Azure Resource
Manager, and data by a job inside.
"""

from __future__ import annotations

from collections.abc import Mapping

from tools.capabilities.data_workspace.objects import CHECK, GPU_CHECK, NAMESPACE
from tools.rules.azure.placing import for_operator
from tools.values.manifest import Command

FILES = {CHECK: "spark-check.json", GPU_CHECK: "gpu-check.json"}
"""In the part's folder, for the operator to use again and to change."""


def commands(names: Mapping[str, str], label: str, *, gpu: bool) -> tuple[Command, ...]:
    group = names["resource_group"]

    def invoke(purpose: str, line: str, file: str = "") -> Command:
        more = ("--file", f"{{run}}/{label}/{file}") if file else ()
        at = ("az", "aks", "command", "invoke", "--resource-group", group, "--name", names["cluster"])
        return for_operator(purpose, *at, "--command", line, *more)

    def again(job: str) -> str:
        return f"kubectl delete job {job} -n {NAMESPACE} --ignore-not-found && kubectl apply -f {FILES[job]}"

    vault = f"/subscriptions/{{subscriptionId}}/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/{names['vault']}"
    secrets = f"{vault}/secrets?api-version=2024-11-01"
    spent = f"[?contains(instanceId, '{group}')].[instanceName, pretaxCost]"
    at_lake = ("--resource-group", group, "--storage-account", names["storage"])
    training = (
        invoke("Ask for a GPU: it starts a machine, which takes some minutes and costs", again(GPU_CHECK), FILES[GPU_CHECK]),
        invoke("See what the GPU answered", f"kubectl logs job/{GPU_CHECK} -n {NAMESPACE}"),
    )
    return (
        invoke("See the nodes and their pools", "kubectl get nodes --label-columns pool,agentpool"),
        invoke("Run a Spark job that writes to the lake and reads it back", again(CHECK), FILES[CHECK]),
        invoke("See what it said", f"kubectl logs job/{CHECK} -n {NAMESPACE} --tail 20"),
        *(training if gpu else ()),
        for_operator("List the containers of the lake", "az", "storage", "container-rm", "list", *at_lake, "--query", "[].name"),
        for_operator("List the names of secrets", "az", "rest", "--method", "get", "--url", secrets, "--query", "value[].name"),
        for_operator(
            "See what this workspace has cost so far", "az", "consumption", "usage", "list", "--query", spent, "--output", "table"
        ),
    )
