"""What a cluster is asked besides its guests and storages: jobs, mappings, notifications, SDN's parts, and what a node says of
itself. Of most of it this world has none, and says so as a cluster does on which nobody ever set it up: with an empty list.

Also the indexes of the API, which name what lies below an address: what this simulator answers, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from . import looking, network, volumes
from .access import User
from .agent import answering, has_agent
from .call import Address, Call, needs
from .configuration import disks
from .errors import failed
from .looking import QEMU
from .parameters import BOOLEAN, NODE, STORAGE, TEXT, choice
from .processors import CPU_TYPES
from .rights import require_self_or, require_user

_GUEST = "/nodes/{node}/qemu/{vmid}"
_AUDIT, _ON_NODE = needs("/", "Sys.Audit"), needs("/nodes/{node}", "Sys.Audit")
_OF_GUEST = needs("/vms/{vmid}", "VM.Audit")
_OF_AGENT = needs("/vms/{vmid}", "VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted")
_NOTIFIES = needs("/mapping/notifications", "Mapping.Audit", "Mapping.Modify", "Mapping.Use")
_PENDING = {"pending": BOOLEAN, "running": BOOLEAN}
_API_OF_CONFIG = 1
"""JOIN_API_VERSION (pve-cluster, 2026-11-29)."""


def nothing(call: Call) -> list[dict[str, Any]]:
    return []


def unset(call: Call) -> dict[str, Any]:
    """Options that nobody changed."""
    return {}


# Users


def groups(call: Call) -> list[dict[str, Any]]:
    members: dict[str, list[str]] = {group: [] for group in call.cluster.access.every_group}
    for user in call.cluster.access.users.values():
        for group in user.groups:
            members.setdefault(group, []).append(user.name)
    seen = [g for g in sorted(members) if call.may(f"/access/groups/{g}", "User.Modify", "Group.Allocate", "Sys.Audit")]
    told = call.cluster.access.groups
    return [{"groupid": group, "users": ",".join(members[group])} | ({"comment": told[group]} if told.get(group) else {}) for group in seen]


def user(call: Call) -> dict[str, Any]:
    return _told(require_user(call, call.values["userid"], "User.Modify", "Sys.Audit"))


def _told(found: User) -> dict[str, Any]:
    row: dict[str, Any] = {"enable": int(found.enabled), "expire": found.expires_at, "groups": list(found.groups), **found.details}
    row["tokens"] = {token: {"privsep": int(t.separate), "expire": t.expires_at} for token, t in found.tokens.items()}
    return row | ({"comment": found.comment} if found.comment else {})


def tokens(call: Call) -> list[dict[str, Any]]:
    found = require_self_or(call, call.values["userid"], "User.Modify")
    return [{"tokenid": token, **values} for token, values in _told(found)["tokens"].items()]


def domain(call: Call) -> dict[str, Any]:
    realm = call.values["realm"]
    if realm not in ("pam", "pve"):
        raise failed(f"domain '{realm}' does not exist")
    return {"type": realm, "digest": "0" * 40}


# The cluster


def members(call: Call) -> list[dict[str, Any]]:
    return [
        {"node": n.name, "name": n.name, "nodeid": str(n.number), "quorum_votes": "1", "ring0_addr": n.address}
        for n in call.cluster.nodes.values()
    ]


def totem(call: Call) -> dict[str, Any]:
    interface = {"0": {"linknumber": "0"}}
    return {"cluster_name": call.cluster.name, "config_version": str(len(call.cluster.nodes)), "interface": interface, "version": "2"}


def join_information(call: Call) -> dict[str, Any]:
    """What a node that wants to join is given, from the node that is asked."""
    named = call.get("node") or next(n for n in call.cluster.nodes if call.cluster.online(n))
    if named not in call.cluster.nodes:
        raise failed(f"unable to read member info for node '{named}'")
    prints = {row["node"]: row["ssl_fingerprint"] for row in looking.index(call)}
    told = [
        {
            "name": n.name,
            "nodeid": n.number,
            "pve_addr": n.address,
            "pve_fp": prints[n.name],
            "quorum_votes": 1,
            "ring0_addr": n.address,
        }
        for n in call.cluster.nodes.values()
    ]
    return {"nodelist": told, "preferred_node": named, "totem": totem(call), "config_digest": "0" * 40}


def manager_status(call: Call) -> dict[str, Any]:
    cluster = call.cluster
    online = [n for n in cluster.nodes if cluster.online(n)]
    state = {n: "maintenance" if node.maintenance else "online" if n in online else "unknown" for n, node in cluster.nodes.items()}
    services = {
        sid: {"node": cluster.guests[int(sid.partition(":")[2])].node, "state": row["state"]} for sid, row in cluster.ha.resources.items()
    }
    return {
        "manager_status": {"master_node": online[0], "node_status": state, "service_status": services, "timestamp": int(cluster.now)},
        "lrm_status": {},
        "quorum": {"node": online[0], "quorate": str(int(cluster.quorate))},
    }


MAIL = {"name": "mail-to-root", "origin": "builtin", "comment": "Send mails to root@pam's email address"}
"""Every cluster has it, and a matcher that sends everything there (pve-cluster, notify.pm, 2026-11-29)."""


def mail_endpoints(call: Call) -> list[dict[str, Any]]:
    return [MAIL | {"mailto-user": ["root@pam"]}]


def targets(call: Call) -> list[dict[str, Any]]:
    return [MAIL | {"type": "sendmail"}]


def matchers(call: Call) -> list[dict[str, Any]]:
    said = "Route all notifications to mail-to-root"
    return [{"name": "default-matcher", "origin": "builtin", "comment": said, "mode": "all", "target": ["mail-to-root"]}]


# SDN


def ipams(call: Call) -> list[dict[str, Any]]:
    return [{"ipam": "pve", "type": "pve"}]


def entries(call: Call) -> list[dict[str, Any]]:
    """Addresses that the cluster itself gives: only in zones with a DHCP server of its own, and no zone here has one (pve-network,
    API2/Network/SDN/Ipams.pm, 2026-11-30)."""
    if call.values["ipam"] != "pve":
        raise failed("Currently only PVE IPAM is supported!")
    return []


def of_vnet(call: Call) -> dict[str, Any]:
    vnet(call)
    return {}


def rules_of_vnet(call: Call) -> list[dict[str, Any]]:
    vnet(call)
    return []


def zone(call: Call) -> dict[str, Any]:
    return _one(network.zones(call), "zone", call.values["zone"], "sdn")


def vnet(call: Call) -> dict[str, Any]:
    return _one(network.vnets(call), "vnet", call.values["vnet"], "sdn vnet")


def subnet(call: Call) -> dict[str, Any]:
    return _one(network.subnets(call), "subnet", call.values["subnet"], "sdn subnet")


def _one(rows: Iterable[dict[str, Any]], key: str, wanted: str, what: str) -> dict[str, Any]:
    found = next((row for row in rows if row[key] == wanted), None)
    if found is None:
        raise failed(f"{what} '{wanted}' does not exist")
    return found


def zones_of_node(call: Call) -> list[dict[str, Any]]:
    return [{"zone": row["zone"], "status": "available"} for row in network.zones(call)]


def vnets_of_node(call: Call) -> list[dict[str, Any]]:
    """Those that run there (pve-network, SDN/Zones.pm, `status`, 2026-11-30)."""
    zone, running = call.values["zone"], call.cluster.sdn.running["vnets"]
    here = (id for id, row in running.items() if row["zone"] == zone and network.is_on(call.cluster, id, call.node))
    return [{"vnet": id, "status": "available"} for id in sorted(here)]


# Nodes

SERVICES = {
    "chrony": "chrony, an NTP client/server",
    "corosync": "Corosync Cluster Engine",
    "cron": "Regular background program processing daemon",
    "pve-cluster": "The Proxmox VE cluster filesystem",
    "pve-firewall": "Proxmox VE firewall",
    "pve-ha-crm": "PVE Cluster HA Resource Manager Daemon",
    "pve-ha-lrm": "PVE Local HA Resource Manager Daemon",
    "pvedaemon": "PVE API Daemon",
    "pveproxy": "PVE API Proxy Server",
    "pvescheduler": "Proxmox VE scheduler",
    "pvestatd": "PVE Status Daemon",
    "qmeventd": "PVE Qemu Event Daemon",
    "spiceproxy": "PVE SPICE Proxy Server",
    "sshd": "OpenBSD Secure Shell server",
}
"""What a node watches (pve-manager, Services.pm, 2026-11-29)."""


def services(call: Call) -> list[dict[str, Any]]:
    well = {"state": "running", "active-state": "active", "unit-state": "enabled"}
    alone = len(call.cluster.nodes) == 1
    away = {"state": "dead", "active-state": "inactive", "unit-state": "enabled"}
    return [{"service": s, "name": s, "desc": d, **(away if alone and s == "corosync" else well)} for s, d in SERVICES.items()]


def time(call: Call) -> dict[str, Any]:
    now = int(call.cluster.now)
    return {"timezone": "UTC", "time": now, "localtime": now}


def hosts(call: Call) -> dict[str, Any]:
    lines = ["127.0.0.1 localhost.localdomain localhost", *(f"{n.address} {n.name}" for n in call.cluster.nodes.values())]
    return {"data": "\n".join(lines) + "\n", "digest": "0" * 40}


def resolver(call: Call) -> dict[str, Any]:
    at = call.cluster.nodes[call.node].address
    gateway = next((n.gateway for n in call.cluster.networks if network.holds(n.subnet, at)), None)
    return {"search": "example.org"} | ({"dns1": gateway} if gateway else {})


def packages(call: Call) -> list[dict[str, Any]]:
    """The two by which a version is known."""
    said = {
        "pve-manager": ("Proxmox Virtual Environment Management Tools", call.cluster.version),
        "pve-qemu-kvm": ("Full virtualization", QEMU),
    }
    return [
        {
            "Package": name,
            "Title": title,
            "Description": title,
            "Version": version,
            "OldVersion": version,
            "Arch": "amd64",
            "CurrentState": "Installed",
            "Origin": "Proxmox",
            "Priority": "optional",
            "Section": "admin",
        }
        for name, (title, version) in said.items()
    ]


def cpu_types(call: Call) -> list[dict[str, Any]]:
    """The usual ones; Proxmox VE has some hundred more, named after processors."""
    return [{"name": name, "custom": 0, "vendor": "default"} for name in CPU_TYPES]


def machine_types(call: Call) -> list[dict[str, Any]]:
    version = ".".join(QEMU.split(".")[:2])
    return [{"id": f"pc-{kind}-{version}", "type": kind, "version": version} for kind in ("i440fx", "q35")]


def pools_of_zfs(call: Call) -> list[dict[str, Any]]:
    rows = []
    for storage in call.cluster.storages.values():
        if storage.kind == "zfspool":
            used, free = (of(call.cluster, storage, call.node) for of in (volumes.used_bytes, volumes.free_bytes))
            name = str(storage.settings.get("pool", storage.name)).partition("/")[0]
            rows.append({"name": name, "size": used + free, "alloc": used, "free": free, "frag": 0, "dedup": 1.0, "health": "ONLINE"})
    return rows


def vzdump(call: Call) -> dict[str, Any]:
    return {"all": 0, "compress": "0", "mode": "snapshot", "notification-mode": "auto", "prune-backups": "keep-all=1"}


# Guests


def cloud_init(call: Call) -> list[dict[str, Any]]:
    keys = re.compile(r"ci\w+|sshkeys|nameserver|searchdomain|ipconfig\d+")
    return [
        {"key": key, "value": "**********" if key == "cipassword" else value}
        for key, value in sorted(call.guest.config.items())
        if keys.fullmatch(key)
    ]


IN_SNAPSHOTS = ("rbd", "lvmthin", "zfspool", "btrfs", "cephfs")
"""Types of storage whose volumes can be snapshotted, whatever their format."""


def feature(call: Call) -> dict[str, Any]:
    guest, cluster = call.guest, call.cluster
    drives = [d for d in disks(guest).values() if not d.is_cdrom and d.storage in cluster.storages]
    able = {
        "clone": guest.is_template,
        "copy": True,
        "snapshot": not guest.is_template and all(cluster.storages[str(d.storage)].kind in IN_SNAPSHOTS for d in drives),
    }[call.values["feature"]]
    shared = all(cluster.storages[str(d.storage)].shared for d in drives)
    return {"hasFeature": int(able), "nodes": sorted(cluster.nodes) if shared else [guest.node]}


def before_migration(call: Call) -> dict[str, Any]:
    guest, cluster = call.guest, call.cluster
    local = [d for d in disks(guest).values() if d.storage in cluster.storages and not cluster.storages[str(d.storage)].shared]
    rows = []
    for drive in local:
        found = volumes.find(cluster, drive.volid, guest.node)
        rows.append({"volid": drive.volid, "size": found.size_bytes if found else 0, "cdrom": int(drive.is_cdrom), "is_unused": 0})
    answer: dict[str, Any] = {
        "running": int(guest.running),
        "local_disks": rows,
        "local_resources": [],
        "mapped-resources": [],
        "mapped-resource-info": {},
        "has-dbus-vmstate": 0,
    }
    if not guest.running:
        answer["allowed_nodes"] = [n for n in cluster.nodes if n != guest.node and cluster.online(n)]
    return answer


def file_systems(call: Call) -> dict[str, Any]:
    guest = answering(call)
    first = next((d for d in disks(guest).values() if not d.is_cdrom), None)
    found = volumes.find(call.cluster, first.volid, guest.node) if first else None
    total = found.size_bytes if found else 0
    root = {"name": "sda1", "mountpoint": "/", "type": "ext4", "total-bytes": total, "used-bytes": total // 10, "disk": []}
    return {"result": [root]}


def clock(call: Call) -> dict[str, Any]:
    answering(call)
    return {"result": int(call.cluster.now * 1_000_000_000)}


def time_zone(call: Call) -> dict[str, Any]:
    answering(call)
    return {"result": {"offset": 0, "zone": "UTC"}}


def logged_in(call: Call) -> dict[str, Any]:
    answering(call)
    return {"result": []}


def processors(call: Call) -> dict[str, Any]:
    return {"result": [{"logical-id": n, "online": True, "can-offline": n > 0} for n in range(answering(call).cores)]}


def agent_itself(call: Call) -> dict[str, Any]:
    assert has_agent(answering(call))
    known = ("guest-get-osinfo", "guest-network-get-interfaces", "guest-ping", "guest-exec")
    return {"result": {"version": "7.2.0", "supported_commands": [{"name": n, "enabled": True, "success-response": True} for n in known]}}


def _get(path: str, answer: Callable[[Call], Any], right: Any = None, **takes: Any) -> Address:
    return Address("GET", path, answer, right, {name.replace("_", "-"): one for name, one in takes.items()})


BESIDES: tuple[Address, ...] = (
    _get("/access/groups", groups),
    _get("/access/tfa", nothing),
    _get("/access/users/{userid}", user),
    _get("/access/users/{userid}/token", tokens),
    _get("/access/domains/{realm}", domain, needs("/access/realm", "Sys.Audit")),
    _get("/cluster/acme/account", nothing),
    _get("/cluster/backup", nothing, _AUDIT),
    _get("/cluster/config/apiversion", lambda call: _API_OF_CONFIG, _AUDIT),
    _get("/cluster/config/join", join_information, _AUDIT, node=NODE),
    _get("/cluster/config/nodes", members, _AUDIT),
    _get("/cluster/config/qdevice", unset, _AUDIT),
    _get("/cluster/config/totem", totem, _AUDIT),
    _get("/cluster/ha/status/manager_status", manager_status, _AUDIT),
    _get("/cluster/jobs/realm-sync", nothing, _AUDIT),
    *(_get(f"/cluster/mapping/{kind}", nothing, check_node=TEXT) for kind in ("dir", "pci", "usb")),
    _get("/cluster/metrics/server", nothing, _AUDIT),
    *(
        _get(f"/cluster/notifications/endpoints/{kind}", nothing, needs("/mapping/notifications", "Mapping.Audit"))
        for kind in ("gotify", "smtp", "webhook")
    ),
    _get("/cluster/notifications/endpoints/sendmail", mail_endpoints, needs("/mapping/notifications", "Mapping.Audit", "Mapping.Modify")),
    _get("/cluster/notifications/matchers", matchers, _NOTIFIES),
    _get("/cluster/notifications/targets", targets, _NOTIFIES),
    _get("/cluster/qemu/custom-cpu-models", nothing),
    _get("/cluster/replication", nothing),
    _get("/cluster/sdn/controllers", nothing, type=TEXT, **_PENDING),
    _get("/cluster/sdn/dns", nothing, type=TEXT),
    _get("/cluster/sdn/ipams", ipams, type=TEXT),
    _get("/cluster/sdn/ipams/{ipam}/status", entries),
    _get("/cluster/sdn/vnets/{vnet}", vnet, **_PENDING),
    _get("/cluster/sdn/vnets/{vnet}/firewall/options", of_vnet),
    _get("/cluster/sdn/vnets/{vnet}/firewall/rules", rules_of_vnet),
    _get("/cluster/sdn/vnets/{vnet}/subnets/{subnet}", subnet, **_PENDING),
    _get("/cluster/sdn/zones/{zone}", zone, needs("/sdn/zones/{zone}", "SDN.Allocate"), **_PENDING),
    _get("/nodes/{node}/apt/update", nothing, needs("/nodes/{node}", "Sys.Modify")),
    _get("/nodes/{node}/apt/versions", packages, _ON_NODE),
    _get("/nodes/{node}/capabilities/qemu/cpu", cpu_types, arch=choice("x86_64", "aarch64")),
    _get("/nodes/{node}/capabilities/qemu/machines", machine_types, arch=choice("x86_64", "aarch64")),
    _get("/nodes/{node}/config", unset, _AUDIT, property=TEXT),
    _get("/nodes/{node}/disks/directory", nothing, _AUDIT),
    _get("/nodes/{node}/disks/zfs", pools_of_zfs, _AUDIT),
    _get("/nodes/{node}/dns", resolver, _ON_NODE),
    _get("/nodes/{node}/firewall/options", unset, _ON_NODE),
    _get("/nodes/{node}/firewall/rules", nothing, _ON_NODE),
    _get("/nodes/{node}/hosts", hosts, _AUDIT),
    _get("/nodes/{node}/sdn/zones", zones_of_node),
    _get("/nodes/{node}/sdn/zones/{zone}/content", vnets_of_node, needs("/sdn/zones/{zone}", "SDN.Audit")),
    _get("/nodes/{node}/services", services, _ON_NODE),
    _get("/nodes/{node}/time", time, _ON_NODE),
    _get("/nodes/{node}/vzdump/defaults", vzdump, storage=STORAGE),
    _get(f"{_GUEST}/agent/get-fsinfo", file_systems, _OF_AGENT),
    _get(f"{_GUEST}/agent/get-time", clock, _OF_AGENT),
    _get(f"{_GUEST}/agent/get-timezone", time_zone, _OF_AGENT),
    _get(f"{_GUEST}/agent/get-users", logged_in, _OF_AGENT),
    _get(f"{_GUEST}/agent/get-vcpus", processors, _OF_AGENT),
    _get(f"{_GUEST}/agent/info", agent_itself, _OF_AGENT),
    _get(f"{_GUEST}/cloudinit", cloud_init, _OF_GUEST),
    _get(f"{_GUEST}/feature", feature, _OF_GUEST, feature=choice("snapshot", "clone", "copy").must, snapname=TEXT),
    _get(f"{_GUEST}/migrate", before_migration, needs("/vms/{vmid}", "VM.Migrate"), target=TEXT),
)

INDEXES = {
    "/access": "subdir",
    "/cluster": "name",
    "/cluster/backup-info": "subdir",
    "/cluster/config": "name",
    "/cluster/firewall": "name",
    "/cluster/ha": "id",
    "/cluster/ha/status": "name",
    "/cluster/jobs": "subdir",
    "/cluster/mapping": "name",
    "/cluster/metrics": "name",
    "/cluster/notifications": "name",
    "/cluster/notifications/endpoints": "name",
    "/cluster/qemu": "name",
    "/cluster/sdn": "id",
    "/nodes/{node}": "name",
    "/nodes/{node}/apt": "id",
    "/nodes/{node}/capabilities": "name",
    "/nodes/{node}/capabilities/qemu": "name",
    "/nodes/{node}/disks": "name",
    "/nodes/{node}/firewall": "name",
    "/nodes/{node}/sdn": "name",
    "/nodes/{node}/storage/{storage}": "subdir",
    "/nodes/{node}/tasks/{upid}": "name",
    _GUEST: "subdir",
    f"{_GUEST}/agent": "name",
    f"{_GUEST}/firewall": "name",
    f"{_GUEST}/status": "subdir",
}
"""Addresses that list what lies below them → the key that names it."""
_RIGHTS = {
    "/cluster/config": _AUDIT,
    "/cluster/ha": _AUDIT,
    "/cluster/sdn": needs("/sdn", "SDN.Audit"),
    "/nodes/{node}/storage/{storage}": needs("/storage/{storage}", "Datastore.Audit", "Datastore.AllocateSpace"),
}


def indexes(table: Iterable[Address]) -> tuple[Address, ...]:
    paths = {address.path for address in table} | set(INDEXES)
    made = []
    for path, key in INDEXES.items():
        below = {rest.split("/")[0] for one in paths if one.startswith(f"{path}/") and (rest := one[len(path) + 1 :])}
        rows = [{key: name} for name in sorted(below) if not name.startswith("{")]
        made.append(_get(path, lambda call, rows=rows: rows, _RIGHTS.get(path)))  # type: ignore[misc]
    return tuple(made)
