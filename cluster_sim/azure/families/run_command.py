"""AKS's run command: a line of kubectl that Azure carries into a cluster, in a pod of its own that has to find a node.

learn.microsoft.com, "Access a private AKS cluster using command invoke", and the REST reference "Managed Clusters - Run Command", read
2026-11-29; a node whose taint the pod does not tolerate cannot take it (Azure/azure-cli, issue 25336). A managed Entra cluster is spoken to
as whoever the cluster token is for.
"""

from __future__ import annotations

import base64
import binascii
import io
import uuid
import zipfile
from typing import Any

from cluster_sim.azure import login
from cluster_sim.azure.cloud import Cloud, stamp
from cluster_sim.azure.errors import ArmError, invalid_parameter, resource_not_found
from cluster_sim.azure.families.authorization import holds_role
from cluster_sim.azure.kubectl import Kind, Kubectl
from cluster_sim.azure.store import Resource
from cluster_sim.http import Answer, Request, json_answer

AKS_AUDIENCE = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""The AKS Entra server application, the same in every tenant."""
CONTEXT_BYTES_MAX = 4 * 1024 * 1024
LOG_BYTES_MAX = 512 * 1024
_POOLS = "Microsoft.ContainerService/managedClusters/agentPools"
CLUSTER_ADMIN, ADMIN, WRITER, READER = (f"Azure Kubernetes Service RBAC {name}" for name in ("Cluster Admin", "Admin", "Writer", "Reader"))
_OF_ADMINS = ("Role", "RoleBinding", "ResourceQuota")


def _run(cloud: Cloud, words: dict[str, str], request: Request) -> Answer:
    cluster = _cluster(cloud, words)
    body = request.json if isinstance(request.json, dict) else {}
    if not body.get("command"):
        raise invalid_parameter("The command is missing.", "command")
    if (cluster.properties.get("apiServerAccessProfile") or {}).get("disableRunCommand"):
        raise ArmError(400, "RunCommandDisabled", f"Run command is disabled on the cluster {cluster.name}.")
    who = _who(cloud, cluster, body)
    if not _nodes(cloud, cluster, untainted=True):
        raise ArmError(
            400,
            "KubernetesOperationError",
            "Failed to run command due to cluster perf issue, container command in aks-command namespace did not start within 30s on your "
            "cluster, retry may helps. If issue persist, you may need to tune your cluster with better performance.",
        )
    inside = cloud.store.content.setdefault(cluster.key, {"objects": {}, "results": {}})

    def may(verb: str, kind: Kind, namespace: str) -> bool:
        places = [cluster.id, *([f"{cluster.id}/namespaces/{namespace}"] if namespace else [])]
        roles = [CLUSTER_ADMIN] if not namespace else [CLUSTER_ADMIN, ADMIN] if kind.name in _OF_ADMINS else [CLUSTER_ADMIN, ADMIN, WRITER]
        roles = [*roles, ADMIN, WRITER, READER] if verb == "get" and kind.name != "Secret" else roles
        return any(holds_role(cloud, who, role, place) for role in roles for place in places)

    kubectl = Kubectl(inside["objects"], _files(body), _nodes(cloud, cluster), may, who)
    code, logs = kubectl.run(str(body["command"]))
    id_ = uuid.uuid5(uuid.NAMESPACE_URL, f"{cluster.id} {cloud.store.next_generation()}").hex
    inside["results"][id_] = {
        "provisioningState": "Succeeded" if code == 0 else "Failed",
        "exitCode": code,
        "startedAt": stamp(cloud.now),
        "finishedAt": stamp(cloud.now),
        "logs": logs[:LOG_BYTES_MAX] + "\n",
        "reason": "",
    }
    version = dict(request.query).get("api-version", "")
    at = f"https://{request.host}{cluster.id}/commandResults/{id_}?api-version={version}"
    return Answer(202, b"", {"Location": at, "Retry-After": str(cloud.world.retry_after_s)})


def _result(cloud: Cloud, words: dict[str, str], request: Request) -> Answer:
    cluster = _cluster(cloud, words)
    found = cloud.store.content.get(cluster.key, {}).get("results", {}).get(words["id"])
    if found is None:
        raise ArmError(404, "NotFound", f"The command {words['id']} was not found.")
    return json_answer({"id": words["id"], "properties": found})


def _cluster(cloud: Cloud, words: dict[str, str]) -> Resource:
    cluster = cloud.find(words["cluster"])
    if cluster is None:
        raise resource_not_found(words["cluster"].rsplit("/providers/", 1)[1], words["cluster"].split("/")[4])
    return cluster


def _who(cloud: Cloud, cluster: Resource, body: dict[str, Any]) -> str:
    """The object id that the API server sees."""
    if not (cluster.properties.get("aadProfile") or {}).get("managed"):
        return "masterclient"
    try:
        claims = login.claims_of(str(body.get("clusterToken") or ""), cloud.world.tenant, cloud.now)
    except login.BadToken as problem:
        raise ArmError(400, "ClusterTokenInvalid", f"The cluster token is missing or invalid: {problem.message}") from None
    if str(claims["aud"]).strip("/") != AKS_AUDIENCE:
        raise ArmError(400, "ClusterTokenInvalid", f"The cluster token is for {claims['aud']}, not for the AKS server application.")
    return str(claims["oid"])


def _nodes(cloud: Cloud, cluster: Resource, *, untainted: bool = False) -> tuple[str, ...]:
    pools = [p for p in cloud.store.of_type(_POOLS, cluster.id) if not untainted or not _repels(p)]
    return tuple(f"aks-{p.name}-vmss{n:06d}" for p in pools for n in range(int(p.properties.get("count") or 0)))


def _repels(pool: Resource) -> bool:
    return any(str(taint).endswith((":NoSchedule", ":NoExecute")) for taint in pool.properties.get("nodeTaints") or [])


def _files(body: dict[str, Any]) -> dict[str, str]:
    if not body.get("context"):
        return {}
    try:
        # The Azure CLI breaks it into lines, as MIME does.
        packed = base64.b64decode("".join(str(body["context"]).split()), validate=True)
        with zipfile.ZipFile(io.BytesIO(packed[:CONTEXT_BYTES_MAX])) as archive:
            return {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}
    except (binascii.Error, zipfile.BadZipFile):
        raise invalid_parameter("The context is no zip file in base64.", "context") from None


_AT = r"(?P<cluster>{subscription}/resourceGroups/[^/]+/providers/Microsoft\.ContainerService/managedClusters/[^/]+)"
KINDS = ()
ROUTES = (
    ("POST", rf"{_AT}/runCommand", _run),
    ("GET", rf"{_AT}/commandResults/(?P<id>[^/]+)", _result),
)
