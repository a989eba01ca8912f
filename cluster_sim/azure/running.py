"""What runs in a Databricks workspace by now, and which machines it holds.

Counting them against a quota belongs to `families.compute`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.store import Resource

_ALIVE = ("PENDING", "RUNNING", "RESTARTING", "RESIZING")


def machines(cloud: Cloud, workspace: Resource) -> Iterator[tuple[str, int, bool]]:
    """Size, how many and whether spot, of what runs in a workspace: it counts against the subscription's quota."""
    for cluster in (cloud.store.content.get(workspace.key) or {}).get("clusters", {}).values():
        settle(cluster, cloud.now)
        if cluster["state"] in _ALIVE:
            yield from sizes(cluster)


def sizes(cluster: dict[str, Any]) -> Iterator[tuple[str, int, bool]]:
    spot = str((cluster.get("azure_attributes") or {}).get("availability", "")).startswith("SPOT")
    yield str(cluster.get("driver_node_type_id") or cluster.get("node_type_id", "")), 1, False
    workers = (cluster.get("autoscale") or {}).get("min_workers", cluster.get("num_workers") or 0)
    yield str(cluster.get("node_type_id", "")), int(workers), spot


def settle(cluster: dict[str, Any], now: float) -> None:
    """What has become of a cluster by now: started, or stopped for idleness."""
    if cluster["state"] in ("PENDING", "RESTARTING") and now >= cluster["ready_at_s"]:
        cluster["state"] = "RUNNING"
    minutes = cluster.get("autotermination_minutes") or 0
    idle_at_s = cluster["ready_at_s"] + minutes * 60
    if cluster["state"] == "RUNNING" and minutes and now >= idle_at_s:
        end(cluster, "INACTIVITY", "SUCCESS", {"inactivity_duration_min": str(minutes)}, idle_at_s)


def end(cluster: dict[str, Any], code: str, kind: str, parameters: dict[str, str], when_s: float) -> None:
    reason = {"code": code, "type": kind, "parameters": parameters}
    cluster |= {"state": "TERMINATED", "termination_reason": reason, "terminated_time": int(when_s * 1000)}
