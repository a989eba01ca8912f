"""What becomes of guests when their node dies: the manager of high availability fences it and starts them on another one.

A node that is silent for 60 s is to be fenced (`fence_delay` of PVE::HA::NodeStatus), and is, when the lock of its agent has run out after
120 s (CFS_LOCK_TIMEOUT of pmxcfs); the manager looks every 10 s. Then each service is put where its rules allow, by `select_service_node`:
of the nodes of the highest priority the one with the fewest services, by name among equals (`crs: ha=basic`, the default; its other modes
are not simulated). Read in pve-ha-manager and pve-cluster, 2026-11-29.
"""

from __future__ import annotations

from collections.abc import Iterator

from . import volumes
from .access import Who
from .cluster import Cluster
from .configuration import disks
from .errors import TaskFailed
from .parameters import split_list
from .power import follow, starting
from .state import Guest
from .tasks import Worker

FENCE_S, LOCK_S, CYCLE_S = 60.0, 120.0, 10.0


def lose(cluster: Cluster, node: str) -> None:
    """The node goes dark, with all that runs on it."""
    if node in cluster.faults.silent:
        return
    cluster.faults.silent.add(node)
    cluster.lost[node] = cluster.now
    for guest in (g for g in cluster.guests.values() if g.node == node and g.running):
        guest.running = False
        cluster.waking.pop(guest.vmid, None)
        if guest.has_body and (bodies := cluster.bodies) is not None:
            cluster.in_thread(lambda key=str(guest.vmid), bodies=bodies: bodies.shutdown(key, True))  # type: ignore[misc]
    cluster.agenda.after(LOCK_S + CYCLE_S, lambda: _recover(cluster, node))


def come_back(cluster: Cluster, node: str) -> None:
    """It starts again: what is highly available and still there as the manager has it, the rest as it was told for a boot."""
    cluster.faults.silent.discard(node)
    cluster.lost.pop(node, None)
    for guest in [g for g in cluster.guests.values() if g.node == node and not g.running and not g.is_template]:
        if f"vm:{guest.vmid}" in cluster.ha.resources:
            follow(cluster, guest)
        elif guest.config.get("onboot") == "1":
            cluster.start_task(node, "qmstart", guest.vmid, Who("root@pam"), starting(cluster, guest))


def state_of(cluster: Cluster, sid: str, row: dict[str, str]) -> str:
    """Of a service, as the manager has it."""
    node = cluster.guests[int(sid.partition(":")[2])].node
    dark_s = (cluster.now - cluster.lost[node]) * cluster.agenda.pace if node in cluster.lost else 0.0
    if row["state"] != "started" or dark_s < FENCE_S:
        return row["state"]
    return "fence" if dark_s < LOCK_S + CYCLE_S else "recovery"


def _recover(cluster: Cluster, node: str) -> None:
    """Again and again while a service finds no place, or there is no quorum to act."""
    if node not in cluster.lost:
        return
    if cluster.quorate:
        for guest in _managed(cluster, node):
            if (target := choose(cluster, guest)) is not None:
                guest.node = target
                cluster.start_task(target, "qmstart", guest.vmid, Who("root@pam"), _started(cluster, guest))
    if not cluster.quorate or any(_managed(cluster, node)):
        cluster.agenda.after(CYCLE_S, lambda: _recover(cluster, node))


def _managed(cluster: Cluster, node: str) -> list[Guest]:
    found = (cluster.guests[int(sid.partition(":")[2])] for sid, row in sorted(cluster.ha.resources.items()) if row["state"] == "started")
    return [guest for guest in found if guest.node == node]


def _started(cluster: Cluster, guest: Guest) -> Worker:
    """Its configuration has moved; a disk that only its old node has did not."""
    yield 0.0
    for drive in disks(guest).values():
        if not drive.is_cdrom and volumes.find(cluster, drive.volid, guest.node) is None:
            raise TaskFailed(f"volume '{drive.volid}' does not exist")
    yield from starting(cluster, guest)
    return None


def choose(cluster: Cluster, guest: Guest) -> str | None:
    """Where it is to run; None: nowhere."""
    nodes = [n for n, one in cluster.nodes.items() if cluster.online(n) and not one.maintenance]
    allowed = list(_by_affinity(cluster, guest, _by_priority(cluster, guest, nodes)))
    services = [cluster.guests[int(sid.partition(":")[2])].node for sid in cluster.ha.resources]
    return min(allowed, key=lambda n: (services.count(n), n), default=None)


def _by_priority(cluster: Cluster, guest: Guest, nodes: list[str]) -> list[str]:
    """By its rule of nodes, or its group before Proxmox VE 9: the best of those that are there; any other only where it is not strict."""
    sid = f"vm:{guest.vmid}"
    group = cluster.ha.groups.get(cluster.ha.resources[sid].get("group", ""))
    rules = [(row, "strict") for row in _rules(cluster, sid, "node-affinity")] + ([(group, "restricted")] if group else [])
    for row, strict in rules:
        said = {name: int(priority or 0) for name, _, priority in (one.partition(":") for one in split_list(row["nodes"]))}
        there = [n for n in nodes if n in said]
        if there:
            return [n for n in there if said[n] == max(said[one] for one in there)]
        if row.get(strict) == "1":
            return []
    return nodes


def _by_affinity(cluster: Cluster, guest: Guest, nodes: list[str]) -> Iterator[str]:
    """Together with, or away from, the others of its rules."""
    sid = f"vm:{guest.vmid}"
    together: set[str] = set()
    apart: set[str] = set()
    for row in _rules(cluster, sid, "resource-affinity"):
        others = (cluster.guests.get(int(one.partition(":")[2])) for one in split_list(row["resources"]) if one != sid)
        there = {other.node for other in others if other is not None and cluster.online(other.node)}
        (together if row["affinity"] == "positive" else apart).update(there)
    return (n for n in nodes if n not in apart and (not together or n in together))


def _rules(cluster: Cluster, sid: str, kind: str) -> Iterator[dict[str, str]]:
    rows = (row for row in cluster.ha.rules.values() if row["type"] == kind and row.get("disable", "0") != "1")
    return (row for row in rows if sid in split_list(row["resources"]))
