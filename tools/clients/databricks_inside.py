"""The child of tools.clients.databricks: brings about an instance pool, a cluster policy and a cluster by name, or tells what is there.

Reads one JSON object from its standard input and says one sentence a line. Done twice, it changes nothing the second time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import OperationFailed, PermissionDenied, Unauthenticated
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.compute import (
    AutoScale,
    ClusterDetails,
    DataSecurityMode,
    InstancePoolAndStats,
    Policy,
    RuntimeEngine,
    State,
)
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

START_MINUTES_MAX = 25
RETRY_SECONDS_MAX = 30
CONNECT_SECONDS_MAX = 10
CONNECTS_MAX = 3
"""Again after the first, within six seconds where the connection is refused."""
Found = TypeVar("Found")
ENDED_WELL = ("SUCCESS",)
"""Kinds of an end that is nobody's fault: stopped for idleness, or by somebody."""


class Refusal(Exception):
    """What the workspace says against it, as a sentence."""


def say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    order = json.loads(sys.stdin.read())
    try:
        _reach(f"https://{order['host']}")
        # The token is a Microsoft Entra one; by "pat" it is sent as it is, and the SDK asks no login of its own.
        workspace = WorkspaceClient(
            config=Config(
                host=f"https://{order['host']}",
                token=order["token"],
                auth_type="pat",
                retry_timeout_seconds=RETRY_SECONDS_MAX,
            )
        )
        {"make": make, "look": look}[order["wish"]](workspace, order["wanted"])
    except (requests.ConnectionError, requests.Timeout, TimeoutError) as error:
        return _end(f"it does not answer ({type(error).__name__}).", away=True, retryable=True)
    except (PermissionDenied, Unauthenticated) as error:
        away = "network access" in str(error)
        return _end(str(error), away=away, retryable=True)
    except (DatabricksError, OperationFailed, Refusal) as error:
        return _end(str(error), away=False, retryable=True)
    return 0


def _reach(url: str) -> None:
    """A workspace that is away is mostly closed to this network for good. The SDK would try each call of its own for minutes."""
    with requests.Session() as session:
        session.mount("https://", HTTPAdapter(max_retries=Retry(total=CONNECTS_MAX, backoff_factor=1.0, redirect=False)))
        session.get(url, timeout=CONNECT_SECONDS_MAX, allow_redirects=False)


def _end(detail: str, *, away: bool, retryable: bool) -> int:
    print(json.dumps({"detail": detail, "away": away, "retryable": retryable}), file=sys.stderr)
    return 1


def make(workspace: WorkspaceClient, wanted: Mapping[str, Any]) -> None:
    pool_id = _make_pool(workspace, wanted["pool"])
    policy_id = _make_policy(workspace, wanted["policy"], pool_id)
    _make_cluster(workspace, wanted["cluster"], pool_id, policy_id)


def look(workspace: WorkspaceClient, wanted: Mapping[str, Any]) -> None:
    """Raises when something that is wanted is not there."""
    me = workspace.current_user.me()
    say(f"The workspace answers, and knows us as {me.display_name or me.user_name}.")
    pool = _pool(workspace, wanted["pool"]["instance_pool_name"])
    if pool is None:
        raise Refusal(f"There is no instance pool {wanted['pool']['instance_pool_name']}.")
    say(f"The instance pool {pool.instance_pool_name} is there: up to {pool.max_capacity} nodes of {pool.node_type_id}.")
    policy = _policy(workspace, wanted["policy"]["name"])
    if policy is None:
        raise Refusal(f"There is no cluster policy {wanted['policy']['name']}.")
    say(f"The cluster policy {policy.name} is there.")
    cluster = _cluster(workspace, wanted["cluster"]["cluster_name"])
    if cluster is None:
        raise Refusal(f"There is no cluster {wanted['cluster']['cluster_name']}.")
    scale = cluster.autoscale
    say(
        f"The cluster {cluster.cluster_name} is {str(cluster.state.value if cluster.state else 'unknown').lower()}, with "
        f"{scale.min_workers if scale else '?'} to {scale.max_workers if scale else '?'} workers, and stops after "
        f"{cluster.autotermination_minutes} idle minutes."
    )


def _make_pool(workspace: WorkspaceClient, wanted: Mapping[str, Any]) -> str:
    name = wanted["instance_pool_name"]
    there = _pool(workspace, name)
    if there is None:
        made = workspace.instance_pools.create(**wanted)
        say(f"Instance pool {name}: made.")
        return str(made.instance_pool_id)
    pool_id = str(there.instance_pool_id)
    if there.node_type_id != wanted["node_type_id"]:
        raise Refusal(
            f"The pool {name} has nodes of {there.node_type_id}, and a pool's node type cannot change to {wanted['node_type_id']}."
        )
    different = _different(there.as_dict(), wanted)
    if different:
        # Tags of a pool are set once.
        workspace.instance_pools.edit(instance_pool_id=pool_id, **wanted)
        say(f"Instance pool {name}: changed ({', '.join(different)}).")
    else:
        say(f"Instance pool {name}: as it should be.")
    return pool_id


def _make_policy(workspace: WorkspaceClient, wanted: Mapping[str, Any], pool_id: str) -> str:
    name = wanted["name"]
    rules = {**wanted["definition"], "instance_pool_id": {"type": "fixed", "value": pool_id}}
    there = _policy(workspace, name)
    if there is None:
        made = workspace.cluster_policies.create(name=name, definition=json.dumps(rules))
        say(f"Cluster policy {name}: made.")
        return str(made.policy_id)
    policy_id = str(there.policy_id)
    if json.loads(there.definition or "{}") != rules:
        workspace.cluster_policies.edit(policy_id=policy_id, name=name, definition=json.dumps(rules))
        say(f"Cluster policy {name}: changed.")
    else:
        say(f"Cluster policy {name}: as it should be.")
    return policy_id


def _make_cluster(workspace: WorkspaceClient, wanted: Mapping[str, Any], pool_id: str, policy_id: str) -> None:
    name = wanted["cluster_name"]
    typed = {
        **wanted,
        "autoscale": AutoScale(**wanted["autoscale"]),
        "data_security_mode": DataSecurityMode(wanted["data_security_mode"]),
        "runtime_engine": RuntimeEngine(wanted["runtime_engine"]),
        "instance_pool_id": pool_id,
        "policy_id": policy_id,
    }
    versions = {v.key for v in workspace.clusters.spark_versions().versions or ()}
    if wanted["spark_version"] not in versions:
        like = sorted(v for v in versions if v and v.endswith(wanted["spark_version"].partition("x")[2]))
        raise Refusal(f"The workspace does not offer the runtime {wanted['spark_version']}; it has {', '.join(like[-3:]) or 'others'}.")
    there = _cluster(workspace, name)
    if there is None:
        made = workspace.clusters.create(**typed)
        say(f"Cluster {name}: made; it starts.")
        _wait(workspace, str(made.cluster_id), name)
        return
    cluster_id = str(there.cluster_id)
    if there.state in (State.PENDING, State.RESTARTING, State.RESIZING):
        _wait(workspace, cluster_id, name)
        there = workspace.clusters.get(cluster_id)
    different = _different(there.as_dict(), {**wanted, "instance_pool_id": pool_id, "policy_id": policy_id})
    if different:
        workspace.clusters.edit(cluster_id=cluster_id, **typed)
        say(f"Cluster {name}: changed ({', '.join(different)}).")
        if there.state is State.RUNNING:
            _wait(workspace, cluster_id, name)
        return
    reason = there.termination_reason
    if there.state is State.TERMINATED and reason and reason.type and reason.type.value not in ENDED_WELL:
        workspace.clusters.start(cluster_id)
        say(f"Cluster {name}: it had failed, and is started again.")
        _wait(workspace, cluster_id, name)
    else:
        say(f"Cluster {name}: as it should be.")


def _wait(workspace: WorkspaceClient, cluster_id: str, name: str) -> None:
    try:
        workspace.clusters.wait_get_cluster_running(cluster_id, timeout=timedelta(minutes=START_MINUTES_MAX))
    except OperationFailed:
        reason = workspace.clusters.get(cluster_id).termination_reason
        told = (reason.parameters or {}) if reason else {}
        code = reason.code.value if reason and reason.code else "no reason was given"
        words = told.get("azure_error_message") or told.get("databricks_error_message") or ""
        raise Refusal(f"The cluster {name} did not start: {code}. {words}".strip()) from None
    say(f"Cluster {name}: it runs.")


def _pool(workspace: WorkspaceClient, name: str) -> InstancePoolAndStats | None:
    return _only((p for p in workspace.instance_pools.list() if p.instance_pool_name == name), "instance pools", name)


def _policy(workspace: WorkspaceClient, name: str) -> Policy | None:
    return _only((p for p in workspace.cluster_policies.list() if p.name == name), "cluster policies", name)


def _cluster(workspace: WorkspaceClient, name: str) -> ClusterDetails | None:
    found = _only((c for c in workspace.clusters.list() if c.cluster_name == name), "clusters", name)
    return workspace.clusters.get(str(found.cluster_id)) if found else None


def _only(found: Iterable[Found], kind: str, name: str) -> Found | None:
    several = list(found)
    if len(several) > 1:
        raise Refusal(f"There are {len(several)} {kind} called {name}; remove those that are not wanted.")
    return several[0] if several else None


def _different(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Names of what is wanted otherwise than it is. Databricks adds tags of its own, so ours need only be among them."""
    found = []
    for key, value in wanted.items():
        now = there.get(key)
        if isinstance(value, dict) and isinstance(now, dict):
            same = all(now.get(k) == v for k, v in value.items())
        else:
            same = now == value or (not value and not now)
        if not same:
            found.append(key)
    return found


if __name__ == "__main__":
    sys.exit(main())
