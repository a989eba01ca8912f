"""Checks the certificate of a placement from plain JSON: the manifest, and the cluster as it was seen. It imports nothing of Berth, so a
mistake of the engine's cannot hide in here."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

Json = dict[str, Any]
MIB, GIB = 2**20, 2**30


def problems(manifest: Json, snapshot: Json) -> list[str]:
    """Whole sentences; none where every claim holds."""
    certificate = manifest.get("certificate")
    parts = [part for part in manifest["parts"] if part.get("machines")]
    if certificate is None:
        return ["machines without a certificate"] if parts else []
    machines = [machine for part in parts for machine in part["machines"]]
    own = {machine["vm_id"] for machine in machines} | {int(one) for part in parts for one in part.get("owned", ())}
    seen = {node["name"]: node for node in snapshot["nodes"]}
    rows = {row["name"]: row for row in certificate["nodes"]}
    found = [f"no row of {name}" for name in {machine["node"] for machine in machines} - set(rows)]
    for name, row in rows.items():
        found += _node(row, seen[name], [m for m in machines if m["node"] == name], _guests(snapshot, name, own))
    for store in certificate["storages"]:
        found += _storage(store, snapshot, machines)
    for lost in certificate["losses"]:
        found += _loss(lost, rows, [m for m in machines if m["node"] == lost["node"]], _guests(snapshot, lost["node"], own))
    homeless = any(not move["to"] for lost in certificate["losses"] for move in lost["moves"])
    return found + (["somebody has no place, and it says that all have"] if homeless == certificate["all_carried"] else [])


def _guests(snapshot: Json, node: str, own: set[int]) -> list[Json]:
    """Others that run there."""
    return [g for g in snapshot["guests"] if g["node"] == node and g["running"] and not g["template"] and g["vm_id"] not in own]


def _node(row: Json, seen: Json, machines: list[Json], guests: list[Json]) -> list[str]:
    name, load = row["name"], seen.get("load") or {}
    new = sum(machine["memory_mib"] for machine in machines)
    after = max(row["promised_mib"] + new, row["used_mib"] + new - row["old_mib"]) + row["reserved_mib"]
    promised = sum(math.ceil(guest["memory_bytes"] / MIB) for guest in guests)
    threads = (load.get("cpu_ratio_p95") or 0) * seen["cpu_count"]
    cpu = row["cpu_used"] + row["cpu_reserved"] + row["cpu_new"]
    wrong = {
        "its memory is not what was seen": row["memory_mib"] != seen["memory_bytes"] // MIB,
        "the plan's machines are not all counted": row["new_mib"] != new,
        "its memory afterwards is not the sum": row["memory_after_mib"] != after,
        "guests that run are not counted": row["promised_mib"] + row["reserved_mib"] < promised,
        "its history is not counted": row["used_mib"] + row["reserved_mib"] < math.floor((load.get("memory_bytes_p95") or 0) / MIB),
        "memory is promised beyond its limit": bool(machines) and after > row["memory_mib_max"],
        "its limit is above what it has": row["memory_mib_max"] > row["memory_mib"],
        "its processors' history is not counted": row["cpu_used"] < round(threads, 2),
        "its new vCPUs are not counted": not row["old_mib"] and row["cpu_new"] != sum(machine["cpu_count"] for machine in machines),
        "processors are promised beyond their limit": bool(machines) and round(cpu, 2) > row["cpu_max"],
        "its limit of processors is above what it has": row["cpu_max"] > seen["cpu_count"],
    }
    return [f"{name}: {what}" for what, so in wrong.items() if so]


def _storage(store: Json, snapshot: Json, machines: list[Json]) -> list[str]:
    rows = [s for s in snapshot["storages"] if s["name"] == store["name"] and (not store["node"] or s["node"] == store["node"])]
    on = [m for m in machines if not store["node"] or m["node"] == store["node"]]
    disks = [
        disk for m in on for disk in [m, *({"storage": m["storage"]} | {k: v for k, v in d.items() if v} for d in m.get("data_disks", ()))]
    ]
    asked = sum(disk["disk_gib"] for disk in disks if disk["storage"] == store["name"])
    wrong = {
        "used is less than was seen": store["used_gib"] < max(row["used_bytes"] for row in rows) // GIB,
        "more is counted than was asked for": store["new_gib"] > asked,
        "disks are promised beyond its limit": store["used_gib"] + store["reserved_gib"] + store["new_gib"] > store["gib_max"],
        "its limit is above what it has": store["gib_max"] > max(row["total_bytes"] for row in rows) // GIB,
    }
    return [f"{store['name']} {store['node']}: {what}" for what, so in wrong.items() if so]


def _loss(lost: Json, rows: dict[str, Json], machines: list[Json], guests: list[Json]) -> list[str]:
    """Everybody on the node goes to one other node, and none of these holds more than it has."""
    node, moves = lost["node"], lost["moves"]
    sizes = Counter(move["memory_mib"] for move in moves)
    there = Counter([*(math.ceil(g["memory_bytes"] / MIB) for g in guests), *(m["memory_mib"] for m in machines)])
    found = [f"without {node}: somebody of {size} MiB is forgotten" for size in there - sizes]
    if len({move["who"] for move in moves if move["who"].startswith("VM ")}) != sum(move["who"].startswith("VM ") for move in moves):
        found.append(f"without {node}: a guest is placed twice")
    for to in {move["to"] for move in moves} - {""}:
        total = rows[to]["memory_after_mib"] + sum(move["memory_mib"] for move in moves if move["to"] == to)
        if to == node or total > rows[to]["memory_mib"]:
            found.append(f"without {node}: {to} would hold {total} of {rows[to]['memory_mib']} MiB")
    return found
