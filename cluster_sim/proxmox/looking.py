"""What a scan sees: resources, nodes, guests and their state now. What was, is in history.py; storages have a file of their own.

Lists leave out what the caller may not see, without a word, as Proxmox does.
"""

from __future__ import annotations

import hashlib
from typing import Any

from . import load, storages
from .agent import has_agent
from .call import Call
from .cluster import Cluster
from .configuration import digest, disks
from .errors import bad_parameters, failed
from .sizes import read_size
from .state import Guest, Node

QEMU, MACHINE = "10.1.2", "pc-i440fx-10.1+pve0"
KERNELS = {8: "6.8.12-9-pve", 9: "6.17.2-1-pve"}


def version(call: Call) -> dict[str, Any]:
    return {
        "version": call.cluster.version,
        "release": ".".join(call.cluster.version.split(".")[:2]),
        "repoid": "5a1c4e2f8d3b7a60",
    }


def resources(call: Call) -> list[dict[str, Any]]:
    wanted = call.get("type")
    cluster = call.cluster
    rows: list[dict[str, Any]] = []
    if wanted in (None, "pool"):
        rows += [
            {"id": f"/pool/{p.name}", "type": "pool", "pool": p.name}
            for p in cluster.pools.values()
            if call.may(f"/pool/{p.name}", "Pool.Audit", "Pool.Allocate")
        ]
    if wanted in (None, "vm"):
        rows += [_guest_resource(cluster, g) for g in sorted_guests(cluster) if call.may(f"/vms/{g.vmid}", "VM.Audit")]
    if wanted in (None, "node"):
        # Declared nowhere; its own web interface draws a node with it in blue (pve-manager, 2026-11-29).
        away = {name: {"hastate": "maintenance"} for name, n in cluster.nodes.items() if n.maintenance}
        rows += [{"id": f"node/{n.name}", "type": "node", **node_row(call, n), **away.get(n.name, {})} for n in cluster.nodes.values()]
    if wanted in (None, "storage"):
        rows += storages.resources(call)
    for zone in cluster.sdn.running["zones"] if wanted in (None, "sdn") else ():
        if call.may(f"/sdn/zones/{zone}", "SDN.Audit", "SDN.Use", "SDN.Allocate"):
            rows += [
                {
                    "id": f"sdn/{n.name}/{zone}",
                    "type": "sdn",
                    "sdn": zone,
                    "node": n.name,
                    "status": "ok" if cluster.online(n.name) else "unknown",
                }
                for n in cluster.nodes.values()
            ]
    return rows


def sorted_guests(cluster: Cluster) -> list[Guest]:
    return [g for _, g in sorted(cluster.guests.items())]


def _guest_resource(cluster: Cluster, guest: Guest) -> dict[str, Any]:
    row = {"id": f"qemu/{guest.vmid}", "type": "qemu", "node": guest.node, "vmid": guest.vmid, "template": int(guest.is_template)}
    pool = cluster.pool_of(guest.vmid)
    row |= {"pool": pool} if pool else {}
    state = cluster.ha.resources.get(f"vm:{guest.vmid}")
    row |= {"hastate": state["state"]} if state else {}
    if not cluster.online(guest.node):
        # Names and tags come from the shared configuration; figures only from the node itself.
        known = {"name": guest.name} | ({"tags": guest.config["tags"]} if "tags" in guest.config else {})
        return row | known | {"status": "unknown"}
    figures = guest_figures(cluster, guest)
    figures["maxcpu"] = figures.pop("cpus")
    return row | {k: v for k, v in figures.items() if k not in _ONLY_IN_LISTS}


_ONLY_IN_LISTS = ("pid", "vmid", "qmpstatus", "running-machine", "running-qemu", "serial")


def guest_figures(cluster: Cluster, guest: Guest) -> dict[str, Any]:
    """The figures that lists and `status/current` share."""
    row: dict[str, Any] = {
        "vmid": guest.vmid,
        "name": guest.name,
        "status": "running" if guest.running else "stopped",
        "cpus": guest.cores,
        "maxmem": guest.memory_bytes,
        "maxdisk": boot_disk_bytes(guest),
        "disk": 0,
        **dict.fromkeys(("cpu", "mem", "memhost", "uptime", "netin", "netout", "diskread", "diskwrite"), 0),
    }
    if guest.config.get("tags"):
        row["tags"] = guest.config["tags"]
    if guest.lock:
        row["lock"] = guest.lock
    if guest.is_template:
        row["template"] = 1
    if guest.running:
        figures = load.of_guest(cluster, guest, load.recent(cluster.now))
        up_s = max(0, int(cluster.now - guest.started_at))
        row |= {
            "cpu": round(figures.cpu, 6),
            "mem": int(figures.memory_bytes),
            "memhost": int(figures.memory_bytes) + 150 * 2**20,
            "uptime": up_s,
            "netin": int(figures.net_in_b_s * up_s),
            "netout": int(figures.net_out_b_s * up_s),
            "diskread": int(figures.disk_read_b_s * up_s),
            "diskwrite": int(figures.disk_write_b_s * up_s),
            "pid": guest.pid,
        }
    return row


def boot_disk_bytes(guest: Guest) -> int:
    order = guest.config.get("boot", "").removeprefix("order=").split(";")
    drives = {k: d for k, d in disks(guest).items() if not d.is_cdrom}
    first = next((drives[k] for k in order if k in drives), None) or next(iter(drives.values()), None)
    return (read_size(first.options.get("size", "0")) or 0) if first else 0


def guests_of_node(call: Call) -> list[dict[str, Any]]:
    here = [g for g in sorted_guests(call.cluster) if g.node == call.node and call.may(f"/vms/{g.vmid}", "VM.Audit")]
    return [guest_figures(call.cluster, g) | _pressures(call.cluster, g) for g in here]


def snapshots(call: Call) -> list[dict[str, Any]]:
    """None is ever taken here; the list always ends in what is."""
    guest = call.guest
    return [{"name": "current", "description": "You are here!", "digest": digest(guest), "running": int(guest.running)}]


def not_backed_up(call: Call) -> list[dict[str, Any]]:
    """There are no backup jobs here, so it is every guest that the caller may see."""
    seen = (g for g in sorted_guests(call.cluster) if call.may(f"/vms/{g.vmid}", "VM.Audit"))
    return [{"vmid": g.vmid, "name": g.name, "type": "qemu"} for g in seen]


def subscription(call: Call) -> dict[str, Any]:
    return {"status": "notfound", "message": "There is no subscription key", "url": "https://www.proxmox.com/proxmox-ve/pricing"}


def replications(call: Call) -> list[dict[str, Any]]:
    """Nothing is replicated here."""
    return []


def containers(call: Call) -> list[dict[str, Any]]:
    """This cluster has none."""
    return []


def current(call: Call) -> dict[str, Any]:
    guest, cluster = call.guest, call.cluster
    row = guest_figures(cluster, guest) | {"ha": {"managed": int(f"vm:{guest.vmid}" in cluster.ha.resources)}}
    row |= {"qmpstatus": row["status"], "serial": int("serial0" in guest.config)} | _pressures(cluster, guest)
    if has_agent(guest):
        row["agent"] = 1
    if guest.running:
        row |= {"running-qemu": QEMU, "running-machine": MACHINE, "balloon": guest.memory_bytes}
    return row


def _pressures(cluster: Cluster, guest: Guest) -> dict[str, Any]:
    names = [f"pressure{what}{how}" for what in ("cpu", "io", "memory") for how in ("some", "full")]
    busy = load.of_guest(cluster, guest, load.recent(cluster.now)).cpu if guest.running else 0.0
    return dict.fromkeys(names, 0) | {"pressurecpusome": load.pressure(busy)}


def index(call: Call) -> list[dict[str, Any]]:
    rows = []
    for node in call.cluster.nodes.values():
        print_bytes = hashlib.sha256(f"{call.cluster.seed} {node.name}".encode()).hexdigest().upper()
        fingerprint = ":".join(print_bytes[i : i + 2] for i in range(0, 64, 2))
        rows.append({"id": f"node/{node.name}", "type": "node", **node_row(call, node), "ssl_fingerprint": fingerprint})
    return rows


def node_row(call: Call, node: Node) -> dict[str, Any]:
    """Whoever lacks Sys.Audit sees that a node is online, and no figure."""
    cluster = call.cluster
    row: dict[str, Any] = {"node": node.name, "status": "online" if cluster.online(node.name) else "offline"}
    if not call.may(f"/nodes/{node.name}", "Sys.Audit") or not cluster.online(node.name):
        return row
    figures = load.of_node(cluster, node, load.recent(cluster.now))
    return row | {
        "cpu": round(figures.cpu, 6),
        "maxcpu": node.threads,
        "mem": load.memory_used(node, figures)[0],
        "maxmem": node.memory_bytes,
        "disk": node.root_used_bytes,
        "maxdisk": node.root_bytes,
        "uptime": int(cluster.now - node.up_since),
        "level": "",
    }


def node_status(call: Call) -> dict[str, Any]:
    cluster, node = call.cluster, call.cluster.nodes[call.node]
    at = load.recent(cluster.now)
    figures = load.of_node(cluster, node, at)
    used, swapped = load.memory_used(node, figures)
    kernel = KERNELS[cluster.major]
    return {
        "uptime": int(cluster.now - node.up_since),
        "idle": 0,
        "loadavg": [f"{figures.cpu * node.threads * k:.2f}" for k in (1.05, 1.0, 0.97)],
        "kversion": f"Linux {kernel} #1 SMP PREEMPT_DYNAMIC PMX {kernel} (2025-11-01T00:00Z)",
        "current-kernel": {
            "sysname": "Linux",
            "release": kernel,
            "version": f"#1 SMP PREEMPT_DYNAMIC PMX {kernel} (2025-11-01T00:00Z)",
            "machine": "x86_64",
        },
        "boot-info": {"mode": "efi", "secureboot": 0},
        "cpu": round(figures.cpu, 6),
        "wait": round(load.iowait(cluster, node, figures, at), 6),
        "cpuinfo": {
            "cpus": node.threads,
            "cores": node.cores,
            "sockets": node.sockets,
            "model": node.model,
            "mhz": str(node.mhz),
            "hvm": "1",
            "user_hz": 100,
            "flags": " ".join(sorted(node.flags)),
        },
        "memory": {
            "total": node.memory_bytes,
            "used": used,
            "free": node.memory_bytes - used,
            "available": node.memory_bytes - used,
        },
        "swap": {"total": node.swap_bytes, "used": swapped, "free": node.swap_bytes - swapped},
        "ksm": {"shared": 0},
        "rootfs": {
            "total": node.root_bytes,
            "used": node.root_used_bytes,
            "avail": node.root_bytes - node.root_used_bytes,
            "free": node.root_bytes - node.root_used_bytes,
        },
        "pveversion": f"pve-manager/{cluster.version}/5a1c4e2f8d3b7a60",
    }


def cluster_status(call: Call) -> list[dict[str, Any]]:
    cluster = call.cluster
    first = next(n for n in cluster.nodes if cluster.online(n))
    rows: list[dict[str, Any]] = []
    if len(cluster.nodes) > 1:
        rows.append(
            {
                "type": "cluster",
                "id": "cluster",
                "name": cluster.name,
                "nodes": len(cluster.nodes),
                "quorate": int(cluster.quorate),
                "version": len(cluster.nodes),
            }
        )
    for node in cluster.nodes.values():
        rows.append(
            {
                "type": "node",
                "id": f"node/{node.name}",
                "name": node.name,
                "nodeid": node.number,
                "ip": node.address,
                "online": int(cluster.online(node.name)),
                "local": int(node.name == first),
                "level": "",
            }
        )
    return rows


def next_id(call: Call) -> str:
    """The first free number, as text. It reserves nothing."""
    wanted = call.get("vmid")
    if wanted is not None:
        if wanted in call.cluster.guests:
            raise bad_parameters({"vmid": f"VM {wanted} already exists"})
        return str(wanted)
    between = {"lower": 100, "upper": 1_000_000} | call.cluster.options.get("next-id", {})
    lower, upper = int(between["lower"]), int(between["upper"])
    free = next((n for n in range(lower, upper) if n not in call.cluster.guests), None)
    if free is None:
        raise failed(f"unable to get any free VMID in range [{lower}, {upper - 1}]")
    return str(free)


def cluster_options(call: Call) -> dict[str, Any]:
    return {"keyboard": "en-us", **call.cluster.options, "allowed-tags": sorted(_tags(call.cluster))}


def _tags(cluster: Cluster) -> set[str]:
    return {t for g in cluster.guests.values() for t in g.config.get("tags", "").split(";") if t}
