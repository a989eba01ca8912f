"""A world like a cluster that was looked at: from what Berth saw of it (JSON: `made-from.json.gz` of a run folder, or a snapshot by itself)
to a world file. What a look does not tell is assumed, and the world's first lines say so. Nothing of Berth's is imported."""

from __future__ import annotations

import gzip
import ipaddress
import json
from typing import Any

import yaml

Json = dict[str, Any]
GIB = 2**30
KINDS = {"dir", "btrfs", "lvm", "lvmthin", "zfspool", "rbd", "nfs", "cephfs", "cifs", "pbs"}
TOKEN = "be27ab1e-0000-4000-8000-000000000003"  # noqa: S105  of a world, as in those that come along
PRIVILEGES = """
    VM.Allocate VM.Audit VM.Clone VM.Config.CDROM VM.Config.CPU VM.Config.Cloudinit VM.Config.Disk VM.Config.HWType VM.Config.Memory
    VM.Config.Network VM.Config.Options VM.Migrate VM.PowerMgmt Datastore.Allocate Datastore.AllocateSpace Datastore.AllocateTemplate
    Datastore.Audit SDN.Audit SDN.Use Sys.AccessNetwork Sys.Audit Sys.Console Pool.Audit
"""
ABOUT = """\
# Like {cluster}, as it was seen at {taken_at}. Not seen, and assumed: addresses and swap of nodes, how processors are spread over sockets,
# which cards other guests have, users and rights. Guests have the load of their node's last day.
"""


class NoScan(Exception):
    """The text is a whole sentence with the next move."""


def world_of(data: bytes) -> str:
    """The world file. Raises NoScan."""
    seen = _snapshot(data)
    nodes = [node for node in seen["nodes"] if node.get("cpu_count") and node.get("memory_bytes")]
    if not nodes:
        raise NoScan("No node of this scan told its processors and memory. Take one of a run that was planned while they were online.")
    names = {node["name"] for node in nodes}
    endpoint = str(seen.get("endpoint", "")).removeprefix("https://").partition(":")[0] or "a cluster"
    proxmox: Json = {
        "cluster": "seen",
        "version": str(seen.get("version") or "9.2.2"),
        "nodes": {node["name"]: _node(node, number) for number, node in enumerate(nodes, 10)},
        "storages": _storages(seen, names),
        "bridges": _bridges(seen, names),
        "networks": _networks(seen),
        "guests": _guests(seen, names),
        "users": {"berth@pve": {"tokens": {"berth": {"secret": TOKEN, "separate": False}}}},
        "roles": {"BerthAll": [*PRIVILEGES.split(), "VM.Monitor" if str(seen.get("version")).startswith("8") else "VM.GuestAgent.Audit"]},
        "grants": [{"path": "/", "to": "berth@pve", "role": "BerthAll"}],
        "ready_token": "berth@pve!berth",
    }
    about = ABOUT.format(cluster=endpoint, taken_at=seen.get("taken_at", "some time"))
    return about + yaml.safe_dump({"name": f"Like {endpoint}", "proxmox": proxmox}, sort_keys=False, width=140)


def _snapshot(data: bytes) -> Json:
    """The first of a cluster that stands in it, a JSON object a line or in all."""
    try:
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
    except (OSError, EOFError, UnicodeDecodeError):
        text = ""
    for part in [text, *text.splitlines()]:
        try:
            found = json.loads(part)
        except ValueError:
            continue
        if isinstance(found, dict) and isinstance(found.get("nodes"), list) and isinstance(found.get("storages"), list):
            return found
    raise NoScan("There is no scan of a Proxmox VE cluster in this file. Take `made-from.json.gz` of a run folder.")


def _node(node: Json, number: int) -> Json:
    threads = int(node["cpu_count"])
    made: Json = {"address": f"192.0.2.{number}", "cores": threads, "threads": threads, "memory_gib": round(node["memory_bytes"] / GIB, 2)}
    made |= {"model": node["cpu_model"]} if node.get("cpu_model") else {}
    return made | ({"maintenance": True} if node.get("maintenance") else {})


def _storages(seen: Json, names: set[str]) -> Json:
    """Of one that is larger on one node than on another, the largest."""
    on = _guests(seen, names)
    found: Json = {}
    for one in seen["storages"]:
        if one["node"] not in names or not one.get("total_bytes"):
            continue
        there = found.setdefault(one["name"], {"type": one["kind"] if one["kind"] in KINDS else "dir", "content": list(one["content"])})
        there["nodes"] = [*there.get("nodes", []), one["node"]]
        there["total_gib"] = max(there.get("total_gib", 0), round(one["total_bytes"] / GIB, 1))
        there["used_elsewhere_gib"] = max(there.get("used_elsewhere_gib", 0), int(one["used_bytes"] / GIB))
        if one["shared"]:
            there["shared"] = True
    for name, one in found.items():
        whose = [
            sum(d["size_gib"] for g in on.values() if g["node"] == node for d in g["disks"] if d["storage"] == name)
            for node in one["nodes"]
        ]
        own = sum(whose) if one.get("shared") else max(whose, default=0)
        one["used_elsewhere_gib"] = max(0, min(one["used_elsewhere_gib"] - own, one["total_gib"] - own))
    return found


def _bridges(seen: Json, names: set[str]) -> Json:
    found: Json = {}
    for one in seen.get("networks", ()):
        if one.get("zone", "localnetwork") == "localnetwork":
            bridge = found.setdefault(one["bridge"], {"nodes": sorted(names & set(one["nodes"]))})
            if one.get("vlan_ids"):
                bridge["vids"] = one["vlan_ids"]
    return found or {"vmbr0": {}}


def _networks(seen: Json) -> Json:
    """Those whose subnet is known. One that is seen with and without its tag is the tagged one."""
    found: Json = {}
    for one in sorted(seen.get("networks", ()), key=lambda one: one["vlan_tag"] is None):
        if not one.get("subnet") or one.get("zone", "localnetwork") != "localnetwork":
            continue
        subnet = ipaddress.ip_network(one["subnet"], strict=False)
        if any(subnet.version == 4 and subnet.overlaps(ipaddress.IPv4Network(other["subnet"])) for other in found.values()):
            continue
        key = f"{one['bridge']}-{one['vlan_tag'] or 'untagged'}"
        gateway = one.get("gateway") or str(subnet[1])
        found[key] = {
            "tag": one["vlan_tag"],
            "bridge": one["bridge"],
            "subnet": str(subnet),
            "gateway": gateway,
            "dhcp": one.get("dhcp", True),
        }
    return found


def _guests(seen: Json, names: set[str]) -> dict[int, Json]:
    templates = {one["vm_id"]: one for one in seen.get("templates", ())}
    usable = {(s["name"], s["node"]) for s in seen["storages"] if "images" in s["content"]}
    loads = {node["name"]: (node.get("load") or {}).get("cpu_ratio_p95") or 0.05 for node in seen["nodes"]}
    found: dict[int, Json] = {}
    for one in seen["guests"]:
        node, template = one["node"], templates.get(one["vm_id"])
        if node not in names or (one["template"] and template is None):
            continue
        storage = next((s for s in (template["storages"] if template else ()) if (s, node) in usable), "")
        storage = storage or min((name for name, on in usable if on == node), default="")
        size = (template["disk_gib"] if template else 0) or max(1, one["disk_bytes"] // GIB)
        guest: Json = {
            "name": one["name"] or f"vm-{one['vm_id']}",
            "node": node,
            "memory_gib": round(max(one["memory_bytes"], 2**26) / GIB, 3),
        }
        guest |= {"cores": max(1, one["cpu_count"]), "disks": [{"storage": storage, "size_gib": size}] if storage else []}
        if template:
            card = next(iter(template.get("cards", ())), None)
            guest |= {
                "template": True,
                "cloud_init_on": template.get("cloud_init_on", "ide2"),
                "default_user": template.get("os") or "root",
            }
            guest |= {"cloud_init": storage} if template["cloud_init"] else {}
            guest |= {"bridge": card[0], "tag": card[1]} if card else {}
        elif one["running"]:
            guest |= {"running": True, "load": {"cpu": round(min(1.0, loads[node]), 3)}}
        found[int(one["vm_id"])] = guest | ({"tags": list(one["tags"])} if one.get("tags") else {})
    return found
