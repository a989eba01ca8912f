"""Every address this cluster answers, on one page: method, path, who answers, what it takes, which right it needs.

Paths, parameters and rights are those of the published API (Proxmox VE 9.2); a test holds the table against its schema.
An address that is not here answers 501.
"""

from __future__ import annotations

from . import (
    agent,
    clone,
    configuration,
    high_availability,
    history,
    jobs,
    lifecycle,
    looking,
    network,
    options,
    pools,
    power,
    rights,
    storages,
)
from .besides import BESIDES, indexes
from .call import Address, needs
from .firewall import FIREWALL
from .history import SPANS
from .parameters import BOOLEAN, DNS_NAME, INTEGER, LIST, NODE, POOL, STORAGE, TEXT, VMID, WORDS, choice, integer, matching
from .sdn import SDN
from .users import CHANGES

_GUEST = "/nodes/{node}/qemu/{vmid}"
_AUDIT = needs("/vms/{vmid}", "VM.Audit")
_POWER = needs("/vms/{vmid}", "VM.PowerMgmt")
_STORAGE = needs("/storage/{storage}", "Datastore.Audit", "Datastore.AllocateSpace")
_HA_READ, _HA_WRITE = needs("/", "Sys.Audit"), needs("/", "Sys.Console")
_AGENT = needs("/vms/{vmid}", "VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted")
_AGENT_ALL = needs("/vms/{vmid}", "VM.GuestAgent.Unrestricted")
_CHANGE_GUEST = needs(
    "/vms/{vmid}",
    *(f"VM.Config.{p}" for p in ("Disk", "CDROM", "CPU", "Memory", "Network", "HWType", "Options", "Cloudinit")),
)
_PAST = {"timeframe": choice(*SPANS).must, "cf": choice("AVERAGE", "MAX")}
_RULE = {
    "type": choice("node-affinity", "resource-affinity").must,
    "resources": LIST,
    "nodes": LIST,
    "strict": BOOLEAN,
    "affinity": choice("positive", "negative"),
    "disable": BOOLEAN,
    "comment": TEXT,
}
_HA_RESOURCE = {
    "state": choice("started", "stopped", "enabled", "disabled", "ignored"),
    "max_restart": integer(0),
    "max_relocate": integer(0),
    "failback": BOOLEAN,
    "comment": TEXT,
    "group": TEXT,
    "auto-rebalance": BOOLEAN,
}
_HA_GROUP = {"nodes": LIST, "restricted": BOOLEAN, "nofailback": BOOLEAN, "comment": TEXT}
_STOP = {"timeout": integer(0), "keepActive": BOOLEAN, "skiplock": BOOLEAN}

_TABLE: tuple[Address, ...] = (
    # The cluster
    Address("GET", "/version", looking.version),
    Address("GET", "/cluster/resources", looking.resources, takes={"type": choice("vm", "storage", "node", "sdn", "pool", "network")}),
    Address("GET", "/cluster/status", looking.cluster_status, needs("/", "Sys.Audit")),
    Address("GET", "/cluster/options", looking.cluster_options),
    Address("GET", "/cluster/nextid", looking.next_id, takes={"vmid": VMID}),
    Address("GET", "/cluster/tasks", jobs.of_cluster),
    Address("GET", "/cluster/backup-info/not-backed-up", looking.not_backed_up, needs("/", "Sys.Audit")),
    Address("GET", "/cluster/sdn/zones", network.zones, takes={"pending": BOOLEAN, "running": BOOLEAN, "type": TEXT}),
    Address("GET", "/cluster/sdn/vnets", network.vnets, takes={"pending": BOOLEAN, "running": BOOLEAN}),
    Address("GET", "/cluster/sdn/vnets/{vnet}/subnets", network.subnets, takes={"pending": BOOLEAN, "running": BOOLEAN}),
    # High availability
    Address("GET", "/cluster/ha/resources", high_availability.resources, _HA_READ, {"type": TEXT}),
    Address(
        "POST",
        "/cluster/ha/resources",
        high_availability.add_resource,
        _HA_WRITE,
        _HA_RESOURCE | {"sid": TEXT.must, "type": TEXT},
    ),
    Address("GET", "/cluster/ha/resources/{sid}", high_availability.resource, _HA_READ),
    Address(
        "PUT",
        "/cluster/ha/resources/{sid}",
        high_availability.change_resource,
        _HA_WRITE,
        _HA_RESOURCE | {"delete": LIST, "digest": TEXT},
    ),
    Address("DELETE", "/cluster/ha/resources/{sid}", high_availability.remove_resource, _HA_WRITE, {"purge": BOOLEAN}),
    Address("GET", "/cluster/ha/rules", high_availability.rules, _HA_READ, {"type": TEXT, "resource": TEXT}),
    Address("POST", "/cluster/ha/rules", high_availability.add_rule, _HA_WRITE, _RULE | {"rule": TEXT.must}),
    Address("GET", "/cluster/ha/rules/{rule}", high_availability.rule, _HA_READ),
    Address("PUT", "/cluster/ha/rules/{rule}", high_availability.change_rule, _HA_WRITE, _RULE | {"delete": LIST, "digest": TEXT}),
    Address("DELETE", "/cluster/ha/rules/{rule}", high_availability.remove_rule, _HA_WRITE),
    Address("GET", "/cluster/ha/groups", high_availability.groups, _HA_READ),
    Address(
        "POST",
        "/cluster/ha/groups",
        high_availability.add_group,
        _HA_WRITE,
        _HA_GROUP | {"group": TEXT.must, "nodes": LIST.must, "type": choice("group")},
    ),
    Address("GET", "/cluster/ha/groups/{group}", high_availability.group, _HA_READ),
    Address("PUT", "/cluster/ha/groups/{group}", high_availability.change_group, _HA_WRITE, _HA_GROUP | {"delete": LIST, "digest": TEXT}),
    Address("DELETE", "/cluster/ha/groups/{group}", high_availability.remove_group, _HA_WRITE),
    Address("GET", "/cluster/ha/status/current", high_availability.manager, _HA_READ),
    # Rights
    Address("GET", "/access/permissions", rights.permissions, takes={"path": TEXT, "userid": TEXT}),
    Address("GET", "/access/users", rights.users, takes={"full": BOOLEAN, "enabled": BOOLEAN}),
    Address("GET", "/access/users/{userid}/token/{tokenid}", rights.token),
    Address("GET", "/access/roles", rights.roles),
    Address("GET", "/access/roles/{roleid}", rights.role),
    Address("GET", "/access/acl", rights.acl),
    Address("GET", "/access/domains", rights.domains, open_to_all=True),
    # Pools
    Address("GET", "/pools", pools.index, takes={"poolid": POOL, "type": choice("qemu", "lxc", "storage").with_("poolid")}),
    Address("POST", "/pools", pools.create, takes={"poolid": POOL.must, "comment": TEXT}),
    Address(
        "PUT",
        "/pools",
        pools.update,
        takes={"poolid": POOL.must, "comment": TEXT, "vms": LIST, "storage": LIST, "delete": BOOLEAN, "allow-move": BOOLEAN},
    ),
    Address("DELETE", "/pools", pools.remove, takes={"poolid": POOL.must}),
    Address("GET", "/pools/{poolid}", pools.read, takes={"type": choice("qemu", "lxc", "storage")}),
    Address(
        "PUT",
        "/pools/{poolid}",
        pools.update,
        takes={"comment": TEXT, "vms": LIST, "storage": LIST, "delete": BOOLEAN, "allow-move": BOOLEAN},
    ),
    Address("DELETE", "/pools/{poolid}", pools.remove),
    # Nodes
    Address("GET", "/nodes", looking.index),
    Address("GET", "/nodes/{node}/status", looking.node_status, needs("/nodes/{node}", "Sys.Audit")),
    Address("GET", "/nodes/{node}/version", looking.version),
    Address("GET", "/nodes/{node}/subscription", looking.subscription),
    Address("GET", "/nodes/{node}/replication", looking.replications, takes={"guest": VMID}),
    Address("GET", "/nodes/{node}/rrddata", history.of_node, needs("/nodes/{node}", "Sys.Audit"), _PAST),
    Address("GET", "/nodes/{node}/network", network.interfaces, takes={"type": TEXT}),
    Address("GET", "/nodes/{node}/network/{iface}", network.interface, needs("/nodes/{node}", "Sys.Audit")),
    Address(
        "GET",
        "/nodes/{node}/tasks",
        jobs.of_node,
        takes={
            "start": integer(0),
            "limit": integer(0),
            "userfilter": TEXT,
            "typefilter": TEXT,
            "vmid": VMID,
            "errors": BOOLEAN,
            "source": choice("archive", "active", "all"),
            "since": INTEGER,
            "until": INTEGER,
            "statusfilter": TEXT,
        },
    ),
    Address("GET", "/nodes/{node}/tasks/{upid}/status", jobs.status),
    Address("GET", "/nodes/{node}/tasks/{upid}/log", jobs.log, takes={"start": integer(0), "limit": integer(0), "download": BOOLEAN}),
    Address("DELETE", "/nodes/{node}/tasks/{upid}", jobs.stop),
    # Storages
    Address("GET", "/storage", storages.definitions, takes={"type": TEXT}),
    Address("GET", "/storage/{storage}", storages.definition, needs("/storage/{storage}", "Datastore.Allocate")),
    Address(
        "GET",
        "/nodes/{node}/storage",
        storages.of_node,
        takes={"content": LIST, "enabled": BOOLEAN, "format": BOOLEAN, "storage": STORAGE, "target": NODE},
    ),
    Address("GET", "/nodes/{node}/storage/{storage}/status", storages.status, _STORAGE),
    Address("GET", "/nodes/{node}/storage/{storage}/content", storages.content, _STORAGE, {"content": TEXT, "vmid": VMID}),
    Address("GET", "/nodes/{node}/storage/{storage}/content/{volume}", storages.volume),
    Address(
        "DELETE",
        "/nodes/{node}/storage/{storage}/content/{volume}",
        storages.remove_volume,
        takes={"delay": integer(1, 30)},
    ),
    Address("GET", "/nodes/{node}/storage/{storage}/rrddata", history.of_storage, _STORAGE, _PAST),
    Address(
        "POST",
        "/nodes/{node}/storage/{storage}/upload",
        storages.upload,
        needs("/storage/{storage}", "Datastore.AllocateTemplate"),
        {
            "content": choice("iso", "vztmpl", "import").must,
            "filename": TEXT,
            "checksum": TEXT.with_("checksum-algorithm"),
            "checksum-algorithm": choice("md5", "sha1", "sha224", "sha256", "sha384", "sha512").with_("checksum"),
            "tmpfilename": TEXT,
        },
    ),
    Address(
        "POST",
        "/nodes/{node}/storage/{storage}/download-url",
        storages.download,
        needs("/storage/{storage}", "Datastore.AllocateTemplate"),
        {
            "content": choice("iso", "vztmpl", "import").must,
            "filename": TEXT.must,
            "url": matching(r"https?://.*").must,
            "checksum": TEXT.with_("checksum-algorithm"),
            "checksum-algorithm": choice("md5", "sha1", "sha224", "sha256", "sha384", "sha512").with_("checksum"),
            "compression": TEXT,
            "verify-certificates": BOOLEAN,
        },
    ),
    Address(
        "GET",
        "/nodes/{node}/query-url-metadata",
        storages.url_metadata,
        takes={"url": matching(r"https?://.*").must, "verify-certificates": BOOLEAN},
    ),
    # Guests
    Address("GET", "/nodes/{node}/lxc", looking.containers),
    Address("GET", "/nodes/{node}/qemu", looking.guests_of_node, takes={"full": BOOLEAN}),
    Address(
        "POST",
        "/nodes/{node}/qemu",
        lifecycle.create,
        takes=options.CREATE
        | {
            "vmid": VMID.must,
            "pool": POOL,
            "start": BOOLEAN,
            "storage": STORAGE,
            "unique": BOOLEAN.with_("archive"),
            "bwlimit": integer(0),
        },
        families=options.FAMILIES,
    ),
    Address(
        "DELETE",
        _GUEST,
        lifecycle.destroy,
        needs("/vms/{vmid}", "VM.Allocate"),
        {"purge": BOOLEAN, "destroy-unreferenced-disks": BOOLEAN, "skiplock": BOOLEAN},
    ),
    Address("GET", f"{_GUEST}/config", configuration.read, _AUDIT, {"current": BOOLEAN, "snapshot": TEXT}),
    Address("PUT", f"{_GUEST}/config", configuration.change, _CHANGE_GUEST, options.CHANGE, options.FAMILIES),
    Address(
        "POST",
        f"{_GUEST}/config",
        configuration.change_in_background,
        _CHANGE_GUEST,
        options.CHANGE,
        options.FAMILIES,
    ),
    Address("GET", f"{_GUEST}/pending", configuration.pending, _AUDIT),
    Address("PUT", f"{_GUEST}/cloudinit", lifecycle.rebuild_cloud_init, needs("/vms/{vmid}", "VM.Config.Cloudinit")),
    Address(
        "PUT",
        f"{_GUEST}/resize",
        configuration.resize,
        needs("/vms/{vmid}", "VM.Config.Disk"),
        {
            "disk": matching(options.DRIVE).must,
            "size": matching(r"\+?\d+(\.\d+)?[KMGT]?").must,
            "digest": TEXT,
            "skiplock": BOOLEAN,
        },
    ),
    Address(
        "POST",
        f"{_GUEST}/move_disk",
        lifecycle.move_disk,
        needs("/vms/{vmid}", "VM.Config.Disk"),
        {
            "disk": matching(rf"{options.DRIVE}|unused\d{{1,3}}").must,
            "storage": STORAGE,
            "delete": BOOLEAN,
            "format": TEXT,
            "digest": TEXT,
            "bwlimit": integer(0),
        },
    ),
    Address(
        "POST",
        f"{_GUEST}/clone",
        clone.clone,
        needs("/vms/{vmid}", "VM.Clone"),
        {
            "newid": VMID.must,
            "name": DNS_NAME,
            "description": TEXT,
            "pool": POOL,
            "snapname": TEXT,
            "storage": STORAGE,
            "format": choice("raw", "qcow2", "vmdk"),
            "full": BOOLEAN,
            "target": NODE,
            "bwlimit": integer(0),
        },
    ),
    Address("POST", f"{_GUEST}/template", lifecycle.make_template, needs("/vms/{vmid}", "VM.Allocate"), {"disk": TEXT}),
    Address(
        "POST",
        f"{_GUEST}/migrate",
        lifecycle.migrate,
        needs("/vms/{vmid}", "VM.Migrate"),
        {
            "target": NODE.must,
            "online": BOOLEAN,
            "with-local-disks": BOOLEAN,
            "targetstorage": TEXT,
            "bwlimit": integer(0),
            "force": BOOLEAN,
            "migration_type": TEXT,
            "migration_network": TEXT,
            "with-conntrack-state": BOOLEAN,
        },
    ),
    Address("GET", f"{_GUEST}/snapshot", looking.snapshots, _AUDIT),
    Address("GET", f"{_GUEST}/status/current", looking.current, _AUDIT),
    Address("POST", f"{_GUEST}/status/start", power.start, _POWER, {"timeout": integer(0), "skiplock": BOOLEAN}),
    Address("POST", f"{_GUEST}/status/stop", power.stop, _POWER, _STOP | {"overrule-shutdown": BOOLEAN}),
    Address("POST", f"{_GUEST}/status/shutdown", power.shutdown, _POWER, _STOP | {"forceStop": BOOLEAN}),
    Address("POST", f"{_GUEST}/status/reboot", power.reboot, _POWER, {"timeout": integer(0)}),
    Address("GET", f"{_GUEST}/rrddata", history.of_guest, _AUDIT, _PAST),
    Address("POST", f"{_GUEST}/agent/ping", agent.ping, _AGENT),
    Address("GET", f"{_GUEST}/agent/network-get-interfaces", agent.interfaces, _AGENT),
    Address("POST", f"{_GUEST}/agent/exec", agent.execute, _AGENT_ALL, {"command": WORDS.must}),
    Address("GET", f"{_GUEST}/agent/exec-status", agent.executed, _AGENT_ALL, {"pid": INTEGER.must}),
    Address("GET", f"{_GUEST}/agent/get-osinfo", agent.system, _AGENT),
    Address("GET", f"{_GUEST}/agent/get-host-name", agent.host_name, _AGENT),
)

_EVERY = (*_TABLE, *CHANGES, *SDN, *FIREWALL, *BESIDES)
ADDRESSES: tuple[Address, ...] = (*_EVERY, *indexes(_EVERY))
