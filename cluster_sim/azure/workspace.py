"""The inside of a Databricks workspace: clusters, policies, pools, permissions, as `databricks-sdk` speaks of them.

No Spark runs. Each workspace answers on a port of its own, because its host is all that tells it from another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cluster_sim.azure import login
from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.cluster_policies import hold_to_policy
from cluster_sim.azure.data import table
from cluster_sim.azure.families import compute
from cluster_sim.azure.families.network_intent import WORKSPACE
from cluster_sim.azure.families.private_link import private_connections
from cluster_sim.azure.kinds import guid
from cluster_sim.azure.running import end, settle, sizes
from cluster_sim.azure.store import Resource
from cluster_sim.azure.world import Fault
from cluster_sim.http import Answer, Request, json_answer

SPARK_VERSIONS = {
    "16.4.x-scala2.12": "16.4 LTS (includes Apache Spark 3.5.2, Scala 2.12)",
    "16.4.x-cpu-ml-scala2.12": "16.4 LTS ML (includes Apache Spark 3.5.2, Scala 2.12)",
    "16.4.x-gpu-ml-scala2.12": "16.4 LTS ML (includes Apache Spark 3.5.2, GPU, Scala 2.12)",
    "15.4.x-scala2.12": "15.4 LTS (includes Apache Spark 3.5.0, Scala 2.12)",
    "15.4.x-gpu-ml-scala2.12": "15.4 LTS ML (includes Apache Spark 3.5.0, GPU, Scala 2.12)",
}
_PERMISSIONS = {
    "clusters": ("CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE"),
    "cluster-policies": ("CAN_USE",),
    "instance-pools": ("CAN_ATTACH_TO", "CAN_MANAGE"),
}
_CLUSTER_INPUT = (
    "cluster_name",
    "spark_version",
    "node_type_id",
    "driver_node_type_id",
    "num_workers",
    "autoscale",
    "autotermination_minutes",
    "spark_conf",
    "custom_tags",
    "azure_attributes",
    "policy_id",
    "instance_pool_id",
    "driver_instance_pool_id",
    "data_security_mode",
    "single_user_name",
    "spark_env_vars",
    "init_scripts",
    "cluster_log_conf",
    "enable_elastic_disk",
    "runtime_engine",
    "is_single_node",
    "kind",
    "use_ml_runtime",
    "apply_policy_default_values",
    "enable_local_disk_encryption",
)


class Refusal(Exception):
    """An error as the workspace API words it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Workspace:
    """A `Service` for the workspace in one slot."""

    def __init__(self, cloud: Cloud, slot: int) -> None:
        self.cloud, self.slot = cloud, slot

    def __call__(self, request: Request) -> Answer:
        self.cloud.requests.append(f"{request.method} [databricks {self.slot}]{request.path}")
        self.cloud.settle()
        strikes = self.cloud.faults.of(request.method, request.path)
        try:
            answer = self._answer(request, strikes)
        except (AttributeError, TypeError, KeyError, ValueError) as problem:
            # A body of another shape than the call's: a text where a number belongs.
            answer = json_answer({"error_code": "MALFORMED_REQUEST", "message": f"Could not parse request object: {problem}"}, 400)
        except Refusal as refusal:
            answer = json_answer({"error_code": refusal.code, "message": refusal.message}, refusal.status)
        if request.method != "GET":
            self.cloud.save()
        return replace(answer, delay_s=max((f.delay_s for f in strikes), default=0.0))

    def _answer(self, request: Request, strikes: tuple[Fault, ...]) -> Answer:
        path = re.sub(r"/{2,}", "/", request.path)
        if path.startswith("/.well-known/"):
            return json_answer({"error_code": "ENDPOINT_NOT_FOUND", "message": f"No API found for '{request.method} {path}'"}, 404)
        workspace = next((r for r in self.cloud.store.of_type(WORKSPACE) if int(r.properties["simulatedSlot"]) == self.slot), None)
        if workspace is None or workspace.state in ("Creating", "Failed"):
            raise Refusal(404, "RESOURCE_DOES_NOT_EXIST", "There is no Databricks workspace at this address yet.")
        if workspace.properties.get("publicNetworkAccess") == "Disabled" and not private_connections(self.cloud, workspace):
            # With neither a public address nor a private endpoint nobody at all can reach it.
            raise Refusal(403, "403", f"Unauthorized network access to workspace: {workspace.properties['workspaceId']}")
        try:
            login.read_token(request, self.cloud.world.tenant, self.cloud.now, databricks=True)
        except login.BadToken as problem:
            raise Refusal(
                401 if problem.code == "AuthenticationFailed" else 403, "403", f"Invalid access token. {problem.message}"
            ) from None
        for fault in strikes:
            if fault.status:
                raise Refusal(fault.status, fault.code, fault.message)
        inside = self.cloud.store.content.setdefault(
            workspace.key, {"clusters": {}, "policies": {}, "pools": {}, "permissions": {}, "number": 0}
        )
        return _Inside(self.cloud, workspace, inside, request).answer(path)


class _Inside:
    def __init__(self, cloud: Cloud, workspace: Resource, inside: dict[str, Any], request: Request) -> None:
        self.cloud, self.workspace, self.inside, self.request = cloud, workspace, inside, request
        self.query = dict(request.query)
        try:
            self.body: dict[str, Any] = request.json or {} if request.method != "GET" else {}
        except json.JSONDecodeError:
            raise Refusal(400, "MALFORMED_REQUEST", "The request body is not JSON.") from None

    def answer(self, path: str) -> Answer:
        run = self._routes().get((self.request.method, path))
        if run is not None:
            return json_answer(run())
        if found := re.fullmatch(r"/api/2\.0/permissions/(?P<kind>[a-z-]+)/(?P<id>[^/]+)(?P<levels>/permissionLevels)?", path):
            return json_answer(self._permissions(found["kind"], found["id"], bool(found["levels"])))
        return json_answer(
            {"error_code": "NOT_IMPLEMENTED", "message": f"cluster_sim does not simulate {self.request.method} {path}."}, 501
        )

    def _routes(self) -> dict[tuple[str, str], Callable[[], Any]]:
        c, p, i = "/api/2.1/clusters/", "/api/2.0/policies/clusters/", "/api/2.0/instance-pools/"
        return {
            ("POST", c + "create"): self._create,
            ("GET", c + "get"): lambda: self._show(self._cluster(self.query.get("cluster_id", ""))),
            ("GET", c + "list"): lambda: {"clusters": [self._show(x) for x in self.inside["clusters"].values()]},
            ("POST", c + "edit"): self._edit,
            ("POST", c + "start"): lambda: self._start(self._cluster(self.body.get("cluster_id", ""))),
            ("POST", c + "restart"): lambda: self._start(self._cluster(self.body.get("cluster_id", "")), again=True),
            ("POST", c + "resize"): self._resize,
            ("POST", c + "delete"): self._terminate,
            ("POST", c + "permanent-delete"): self._forget,
            ("POST", c + "pin"): lambda: self._cluster(self.body.get("cluster_id", "")) and {},
            ("POST", c + "unpin"): lambda: self._cluster(self.body.get("cluster_id", "")) and {},
            ("POST", c + "events"): self._events,
            ("GET", c + "list-node-types"): self._node_types,
            ("GET", c + "spark-versions"): lambda: {"versions": [{"key": k, "name": n} for k, n in SPARK_VERSIONS.items()]},
            ("POST", p + "create"): self._create_policy,
            ("GET", p + "get"): lambda: self._policy(self.query.get("policy_id", "")),
            ("GET", p + "list"): lambda: {
                "policies": list(self.inside["policies"].values()),
                "total_count": len(self.inside["policies"]),
            },
            ("POST", p + "edit"): self._edit_policy,
            ("POST", p + "delete"): lambda: self._drop("policies", self._policy(self.body.get("policy_id", ""))["policy_id"]),
            ("POST", i + "create"): self._create_pool,
            ("GET", i + "get"): lambda: self._pool(self.query.get("instance_pool_id", "")),
            ("GET", i + "list"): lambda: {"instance_pools": list(self.inside["pools"].values())},
            ("POST", i + "edit"): self._edit_pool,
            ("POST", i + "delete"): lambda: self._drop("pools", self._pool(self.body.get("instance_pool_id", ""))["instance_pool_id"]),
            ("GET", "/api/2.0/preview/scim/v2/Me"): self._me,
        }

    def _me(self) -> dict[str, Any]:
        tenant = self.cloud.world.tenant
        return {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": str(int(tenant.object_id[:8], 16)),
            "userName": tenant.client_id,
            "displayName": tenant.client_id,
            "active": True,
            "groups": [{"display": "admins", "type": "direct", "value": "1"}],
        }

    def _id(self, label: str) -> str:
        self.inside["number"] += 1
        return guid(self.workspace.id, self.workspace.generation, f"{label} {self.inside['number']}").replace("-", "")

    def _drop(self, shelf: str, id_: str) -> dict[str, Any]:
        self.inside[shelf].pop(id_)
        return {}

    # Clusters.

    def _cluster(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self.inside["clusters"].get(id_)
        if found is None:
            raise Refusal(400, "INVALID_PARAMETER_VALUE", f"Cluster {id_} does not exist")
        settle(found, self.cloud.now)
        return found

    def _show(self, cluster: dict[str, Any]) -> dict[str, Any]:
        settle(cluster, self.cloud.now)
        words = {"RUNNING": "", "PENDING": "Waiting for driver", "TERMINATED": "Terminated"}
        shown = {k: v for k, v in cluster.items() if k != "ready_at_s"}
        memory_mb = cores = 0.0
        for name, count, _ in sizes(cluster) if cluster["state"] == "RUNNING" else ():
            row = self._row(name)
            cores, memory_mb = cores + row["vcpus"] * count, memory_mb + row["memory_gib"] * 1024 * count
        return shown | {
            "state_message": words.get(cluster["state"], ""),
            "cluster_cores": cores,
            "cluster_memory_mb": int(memory_mb),
            "cluster_source": "API",
        }

    def _row(self, name: str) -> dict[str, Any]:
        row: dict[str, Any] | None = table("skus")["sizes"].get(name)
        if row is None or self.workspace.location not in row.get("regions", [self.workspace.location]):
            raise Refusal(
                400,
                "INVALID_PARAMETER_VALUE",
                f"Node type {name} is not supported. Supported node types: {', '.join(sorted(table('skus')['sizes']))}",
            )
        return row

    def _checked(self, body: dict[str, Any]) -> dict[str, Any]:
        cluster = {k: v for k, v in body.items() if k in _CLUSTER_INPUT and v is not None}
        for key, shelf in (("instance_pool_id", self._pool), ("driver_instance_pool_id", self._pool)):
            if cluster.get(key):
                cluster["driver_node_type_id" if key.startswith("driver") else "node_type_id"] = shelf(cluster[key])["node_type_id"]
        if cluster.get("policy_id"):
            broken = hold_to_policy(cluster, json.loads(self._policy(cluster["policy_id"])["definition"]))
            if broken:
                raise Refusal(400, "INVALID_PARAMETER_VALUE", f"Cluster validation error: {broken}")
        if cluster.get("spark_version") not in SPARK_VERSIONS:
            raise Refusal(400, "INVALID_PARAMETER_VALUE", f"Invalid spark version {cluster.get('spark_version')}.")
        if not cluster.get("node_type_id"):
            raise Refusal(400, "INVALID_PARAMETER_VALUE", "Cluster validation error: Missing required field: node_type_id")
        cluster.setdefault("driver_node_type_id", cluster["node_type_id"])
        for name in (cluster["node_type_id"], cluster["driver_node_type_id"]):
            self._row(name)
        scale = cluster.get("autoscale")
        if scale and not 0 <= scale.get("min_workers", 0) <= scale.get("max_workers", -1):
            raise Refusal(400, "INVALID_PARAMETER_VALUE", "min_workers must be less than or equal to max_workers.")
        if not scale and cluster.get("num_workers") is None and not cluster.get("is_single_node"):
            raise Refusal(400, "INVALID_PARAMETER_VALUE", "Missing required field: num_workers or autoscale")
        minutes = cluster.setdefault("autotermination_minutes", 0)
        if minutes and not 10 <= minutes <= 10000:
            raise Refusal(400, "INVALID_PARAMETER_VALUE", f"autotermination_minutes is {minutes}; it must be 0, or between 10 and 10000.")
        return cluster

    def _create(self) -> dict[str, Any]:
        cluster = self._checked(self.body)
        text = self._id("cluster")
        cluster["cluster_id"] = f"{int(text[:4], 16) % 1300:04d}-{int(text[4:10], 16) % 240000:06d}-{text[10:18]}"
        cluster.setdefault("cluster_name", "")
        cluster |= {
            "creator_user_name": self.cloud.world.tenant.client_id,
            "default_tags": {"Vendor": "Databricks", "ClusterId": cluster["cluster_id"], "ClusterName": cluster["cluster_name"]},
        }
        self.inside["clusters"][cluster["cluster_id"]] = cluster
        self._launch(cluster)
        return {"cluster_id": cluster["cluster_id"]}

    def _launch(self, cluster: dict[str, Any]) -> None:
        now = self.cloud.now
        cluster |= {"state": "PENDING", "start_time": int(now * 1000), "ready_at_s": now + self.cloud.world.cluster_start_s}
        cluster.pop("termination_reason", None)
        if lacking := self._lacking():
            family, room = lacking
            end(
                cluster,
                "AZURE_QUOTA_EXCEEDED_EXCEPTION",
                "CLIENT_ERROR",
                {
                    "azure_error_code": "QuotaExceeded",
                    "azure_error_message": f"Operation could not be completed as it results in exceeding approved {family} "
                    f"Cores quota in {self.workspace.location}: {-room} vCPUs too many.",
                },
                now,
            )

    def _lacking(self) -> tuple[str, int] | None:
        """The quota that everything running, this included, goes beyond."""
        subscription = self.cloud.subscription(self.workspace.id.split("/")[2])
        used = compute.cores_used(self.cloud, subscription, self.workspace.location)
        for family in sorted(used):
            room = compute.limit(subscription, self.workspace.location, family) - used[family]
            if room < 0:
                return family, room
        return None

    def _edit(self) -> dict[str, Any]:
        cluster = self._cluster(self.body.get("cluster_id", ""))
        if cluster["state"] not in ("RUNNING", "TERMINATED"):
            raise Refusal(400, "INVALID_STATE", f"Cluster {cluster['cluster_id']} is in unexpected state {cluster['state']}.")
        new = self._checked(self.body)
        for key in _CLUSTER_INPUT:
            cluster.pop(key, None)
        cluster |= new
        if cluster["state"] == "RUNNING":
            self._launch(cluster)
        return {}

    def _start(self, cluster: dict[str, Any], *, again: bool = False) -> dict[str, Any]:
        wanted = "RUNNING" if again else "TERMINATED"
        if cluster["state"] != wanted:
            raise Refusal(400, "INVALID_STATE", f"Cluster {cluster['cluster_id']} is in unexpected state {cluster['state']}.")
        self._launch(cluster)
        return {}

    def _resize(self) -> dict[str, Any]:
        cluster = self._cluster(self.body.get("cluster_id", ""))
        if cluster["state"] != "RUNNING":
            raise Refusal(400, "INVALID_STATE", f"Cluster {cluster['cluster_id']} is in unexpected state {cluster['state']}.")
        cluster.pop("num_workers", None)
        cluster.pop("autoscale", None)
        cluster |= {k: self.body[k] for k in ("num_workers", "autoscale") if k in self.body}
        return {}

    def _terminate(self) -> dict[str, Any]:
        cluster = self._cluster(self.body.get("cluster_id", ""))
        if cluster["state"] != "TERMINATED":
            end(cluster, "USER_REQUEST", "SUCCESS", {"username": self.cloud.world.tenant.client_id}, self.cloud.now)
        return {}

    def _forget(self) -> dict[str, Any]:
        return self._drop("clusters", self._cluster(self.body.get("cluster_id", ""))["cluster_id"])

    def _events(self) -> dict[str, Any]:
        cluster = self._cluster(self.body.get("cluster_id", ""))
        events = [{"cluster_id": cluster["cluster_id"], "timestamp": cluster["start_time"], "type": "CREATING", "details": {}}]
        if cluster["state"] == "TERMINATED":
            details = {"reason": cluster["termination_reason"]}
            events.insert(
                0,
                {
                    "cluster_id": cluster["cluster_id"],
                    "timestamp": cluster["terminated_time"],
                    "type": "TERMINATING",
                    "details": details,
                },
            )
        return {"events": events, "total_count": len(events)}

    def _node_types(self) -> dict[str, Any]:
        return {
            "node_types": [
                {
                    "node_type_id": name,
                    "memory_mb": int(row["memory_gib"] * 1024),
                    "num_cores": float(row["vcpus"]),
                    "num_gpus": row.get("gpus", 0),
                    "description": name,
                    "instance_type_id": name,
                    "is_deprecated": False,
                    "category": "GPU Accelerated" if row.get("gpus") else "General Purpose",
                    "support_cluster_tags": True,
                    "support_ebs_volumes": True,
                    "is_io_cache_enabled": bool(row.get("disk_gib")),
                    "node_info": {"status": [], "available_core_quota": self._room(row["family"])},
                    "node_instance_type": {
                        "instance_type_id": name,
                        "local_disks": 1 if row.get("disk_gib") else 0,
                        "local_disk_size_gb": row.get("disk_gib", 0),
                    },
                }
                for name, row in table("skus")["sizes"].items()
                if self.workspace.location in row.get("regions", [self.workspace.location])
            ]
        }

    def _room(self, family: str) -> int:
        return compute.left(self.cloud, self.cloud.subscription(self.workspace.id.split("/")[2]), self.workspace.location, family)

    # Policies.

    def _policy(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self.inside["policies"].get(id_)
        if found is None:
            raise Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"Can't find a cluster policy with id: {id_}.")
        return found

    def _policy_input(self, but: str = "") -> dict[str, Any]:
        name, text = self.body.get("name"), self.body.get("definition", "{}")
        if not name:
            raise Refusal(400, "INVALID_PARAMETER_VALUE", "The name of a cluster policy must not be empty.")
        if any(p["name"] == name and p["policy_id"] != but for p in self.inside["policies"].values()):
            raise Refusal(400, "INVALID_PARAMETER_VALUE", f"Cannot create policy: a policy with name '{name}' exists already.")
        try:
            rules = json.loads(text)
        except (json.JSONDecodeError, TypeError):
            raise Refusal(400, "INVALID_PARAMETER_VALUE", "Failed to parse policy JSON: the definition is not JSON.") from None
        for path, rule in rules.items():
            if not isinstance(rule, dict) or rule.get("type") not in (
                "fixed",
                "forbidden",
                "allowlist",
                "blocklist",
                "regex",
                "range",
                "unlimited",
            ):
                raise Refusal(400, "INVALID_PARAMETER_VALUE", f"Validation failed: the rule of '{path}' has an unknown type.")
        return {k: self.body[k] for k in ("name", "definition", "description", "max_clusters_per_user") if k in self.body}

    def _create_policy(self) -> dict[str, Any]:
        given = self._policy_input()
        id_ = self._id("policy")[:16].upper()
        self.inside["policies"][id_] = {
            "policy_id": id_,
            **given,
            "creator_user_name": self.cloud.world.tenant.client_id,
            "created_at_timestamp": int(self.cloud.now * 1000),
        }
        return {"policy_id": id_}

    def _edit_policy(self) -> dict[str, Any]:
        policy = self._policy(self.body.get("policy_id", ""))
        policy |= self._policy_input(policy["policy_id"])
        return {}

    # Instance pools.

    def _pool(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self.inside["pools"].get(id_)
        if found is None:
            raise Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"Can't find an instance pool with id: {id_}.")
        return found

    def _create_pool(self) -> dict[str, Any]:
        body = self.body
        if not body.get("instance_pool_name") or not body.get("node_type_id"):
            raise Refusal(400, "INVALID_PARAMETER_VALUE", "An instance pool needs instance_pool_name and node_type_id.")
        if any(p["instance_pool_name"] == body["instance_pool_name"] for p in self.inside["pools"].values()):
            raise Refusal(400, "INVALID_PARAMETER_VALUE", f"An instance pool named '{body['instance_pool_name']}' exists already.")
        self._row(body["node_type_id"])
        if body.get("max_capacity") is not None and body.get("min_idle_instances", 0) > body["max_capacity"]:
            raise Refusal(400, "INVALID_PARAMETER_VALUE", "min_idle_instances must not be greater than max_capacity.")
        id_ = self._id("pool")
        id_ = f"{id_[:4]}-{id_[4:10]}-pool-{id_[10:18]}"
        stats = {
            "used_count": 0,
            "idle_count": body.get("min_idle_instances", 0),
            "pending_used_count": 0,
            "pending_idle_count": 0,
        }
        self.inside["pools"][id_] = {
            "instance_pool_id": id_,
            "state": "ACTIVE",
            "idle_instance_autotermination_minutes": 60,
            "min_idle_instances": 0,
            **body,
            "stats": stats,
        }
        return {"instance_pool_id": id_}

    def _edit_pool(self) -> dict[str, Any]:
        pool = self._pool(self.body.get("instance_pool_id", ""))
        if self.body.get("node_type_id", pool["node_type_id"]) != pool["node_type_id"]:
            raise Refusal(400, "INVALID_PARAMETER_VALUE", "The node type of an instance pool cannot be changed.")
        pool |= self.body
        return {}

    # Permissions.

    def _permissions(self, kind: str, id_: str, levels: bool) -> dict[str, Any]:
        shelves = {"clusters": self._cluster, "cluster-policies": self._policy, "instance-pools": self._pool}
        if kind not in shelves:
            raise Refusal(501, "NOT_IMPLEMENTED", f"cluster_sim does not simulate permissions of {kind}.")
        shelves[kind](id_)
        if levels:
            return {"permission_levels": [{"permission_level": level, "description": ""} for level in _PERMISSIONS[kind]]}
        key = f"{kind}/{id_}"
        held: list[dict[str, Any]] = self.inside["permissions"].setdefault(key, [])
        if self.request.method in ("PUT", "PATCH"):
            given = self.body.get("access_control_list") or []
            for row in given:
                if row.get("permission_level") not in _PERMISSIONS[kind]:
                    raise Refusal(
                        400,
                        "INVALID_PARAMETER_VALUE",
                        f"{row.get('permission_level')} is not a permission of {kind}; it has {', '.join(_PERMISSIONS[kind])}.",
                    )
            replaced = {_who(row) for row in given}
            held[:] = ([] if self.request.method == "PUT" else [row for row in held if _who(row) not in replaced]) + given
        rows = [
            {
                **{k: v for k, v in row.items() if k != "permission_level"},
                "all_permissions": [{"permission_level": row["permission_level"], "inherited": False}],
            }
            for row in held
        ]
        admins = {
            "group_name": "admins",
            "all_permissions": [{"permission_level": _PERMISSIONS[kind][-1], "inherited": True, "inherited_from_object": [f"/{kind}/"]}],
        }
        return {"object_id": f"/{key}", "object_type": kind.rstrip("s"), "access_control_list": [*rows, admins]}


def _who(row: dict[str, Any]) -> str:
    return str(row.get("user_name") or row.get("group_name") or row.get("service_principal_name"))
