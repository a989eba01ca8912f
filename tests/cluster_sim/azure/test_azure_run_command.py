"""AKS's run command in the simulated Azure: who may, whether a node takes it, and what kubectl keeps."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

import pytest
from azure_site import Direct, direct, section

from cluster_sim.azure.data import table

RG = "{sub}/resourceGroups/rg"
AKS = f"{RG}/providers/Microsoft.ContainerService/managedClusters/aks"
AUDIENCE = "6dae42f8-4368-4678-94ff-3960e28e3630/.default"
SPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "spark"}}
ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "spark", "namespace": "spark"}}
ROLE = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r", "namespace": "spark"}, "rules": []}


def cluster(taints: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    pools = [
        {"name": "system", "mode": "System", "count": 2, "vmSize": "Standard_D4s_v5", "nodeTaints": ["CriticalAddonsOnly=true:NoSchedule"]},
        {"name": "work", "count": 1, "vmSize": "Standard_D4s_v5", "nodeTaints": list(taints)},
    ]
    entra = {"managed": True, "enableAzureRBAC": True}
    properties = {"dnsPrefix": "aks", "disableLocalAccounts": True, "aadProfile": entra, "agentPoolProfiles": pools, **more}
    return {"location": "eastus", "identity": {"type": "SystemAssigned"}, "properties": properties}


def world(**more: Any) -> Direct:
    azure = direct(section() | more)
    azure.make(RG, location="eastus")
    return azure


def give(azure: Direct, role: str, scope: str = AKS, name: str = "6f1b5d5c-31a7-4f2e-9f0e-5a6b7c8d9e01") -> None:
    id_ = f"{{sub}}/providers/Microsoft.Authorization/roleDefinitions/{table('roles')[role]}"
    properties = {"roleDefinitionId": id_, "principalId": azure.part.cloud.world.tenant.object_id}
    azure.make(f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", properties=properties)


def packed(**files: Any) -> str:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, value in files.items():
            archive.writestr(f"{name}.json", json.dumps(value))
    return base64.b64encode(held.getvalue()).decode()


def invoke(azure: Direct, line: str, **files: Any) -> tuple[int, str]:
    token = json.loads(azure.log_in(AUDIENCE).body)["access_token"]
    answer = azure.ask("POST", f"{AKS}/runCommand", {"command": line, "context": packed(**files), "clusterToken": token})
    assert answer.status == 202, answer.body
    found = azure.json("GET", answer.headers["Location"].partition("4443")[2].partition("?")[0])["properties"]
    return found["exitCode"], found["logs"].strip()


def objects(*items: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "List", "items": list(items)}


def test_objects_are_applied_kept_and_gone() -> None:
    azure = world()
    azure.make(AKS, **cluster())
    give(azure, "Azure Kubernetes Service RBAC Cluster Admin")
    apply = "kubectl apply -f o.json"
    assert invoke(azure, apply, o=objects(ACCOUNT)) == (
        1,
        'Error from server (NotFound): error when creating: namespaces "spark" not found',
    )
    assert invoke(azure, apply, o=objects(SPACE, ACCOUNT, ROLE)) == (
        0,
        "namespace/spark created\nserviceaccount/spark created\nrole.rbac.authorization.k8s.io/r created",
    )
    labelled = SPACE | {"metadata": {"name": "spark", "labels": {"a": "b"}}}
    assert invoke(azure, apply, o=objects(labelled, ACCOUNT)) == (0, "namespace/spark configured\nserviceaccount/spark unchanged")
    assert invoke(azure, "kubectl get sa,roles -n spark -o name") == (0, "serviceaccount/spark\nrole.rbac.authorization.k8s.io/r")
    assert json.loads(invoke(azure, "kubectl get sa spark -n spark -ojson")[1]) == ACCOUNT
    assert invoke(azure, "kubectl get nodes")[1].splitlines() == [
        "NAME",
        "aks-system-vmss000000",
        "aks-system-vmss000001",
        "aks-work-vmss000000",
    ]
    code, said = invoke(azure, "kubectl wait job/x -n spark --for=condition=complete && kubectl get nodes")
    assert code == 1 and "no kubelet" in said
    assert invoke(azure, "kubectl delete ns spark && kubectl get sa -n spark")[1].endswith("No resources found")
    assert invoke(azure, "kubectl apply -f other.json")[0] == 1


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (cluster(("dedicated=x:NoSchedule",)), "KubernetesOperationError"),
        (cluster(apiServerAccessProfile={"disableRunCommand": True}), "RunCommandDisabled"),
        (cluster(), "ClusterTokenInvalid"),
    ],
)
def test_a_command_needs_a_node_a_switch_and_a_token(body: Any, refused: str) -> None:
    azure = world()
    azure.make(AKS, **body)
    token = json.loads(azure.log_in(AUDIENCE).body)["access_token"] if refused == "KubernetesOperationError" else azure.token
    answer = azure.json("POST", f"{AKS}/runCommand", {"command": "kubectl get nodes", "clusterToken": token})
    assert answer["error"]["code"] == refused


@pytest.mark.parametrize(
    ("role", "scope", "item", "may"),
    [
        ("Cluster Admin", AKS, ROLE, True),
        ("Writer", f"{AKS}/namespaces/default", {**ACCOUNT, "metadata": {"name": "a", "namespace": "default"}}, True),
        ("Writer", f"{AKS}/namespaces/other", {**ACCOUNT, "metadata": {"name": "a", "namespace": "default"}}, False),
        ("Writer", AKS, {**ROLE, "metadata": {"name": "r", "namespace": "default"}}, False),
        ("Writer", AKS, SPACE, False),
        ("Reader", AKS, {**ACCOUNT, "metadata": {"name": "a", "namespace": "default"}}, False),
    ],
)
def test_what_one_may_do_inside_is_told_by_azures_roles(role: str, scope: str, item: Any, may: bool) -> None:
    azure = world()
    azure.make(AKS, **cluster())
    give(azure, f"Azure Kubernetes Service RBAC {role}", scope)
    first = (SPACE,) if may and role == "Cluster Admin" else ()
    code, said = invoke(azure, "kubectl apply -f o.json", o=objects(*first, item))
    assert (code == 0) is may and ("(Forbidden)" in said) is not may


def test_a_role_counts_when_it_has_come_through() -> None:
    azure = world(role_propagation_s=120)
    azure.make(AKS, **cluster())
    give(azure, "Azure Kubernetes Service RBAC Cluster Admin")
    assert "(Forbidden)" in invoke(azure, "kubectl apply -f o.json", o=SPACE)[1]
    azure.clock.advance(121)
    assert invoke(azure, "kubectl apply -f o.json", o=SPACE) == (0, "namespace/spark created")
