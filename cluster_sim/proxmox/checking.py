"""Could a Proxmox cluster ever be like this? Every reason why not, as a whole sentence; none when it could."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from ipaddress import IPv4Network, ip_address

from .access import BUILT_IN_ROLES, PRIVILEGES, as_of
from .section import (
    AnswerFaultSection,
    GuestSection,
    ProxmoxSection,
    SilentFaultSection,
    SlowFaultSection,
    StorageSection,
    TaskFaultSection,
    TwiceFaultSection,
)

SHARED = ("rbd", "nfs", "cephfs", "cifs", "pbs")
"""By their kind (`SHARED_STORAGE` of pve-storage, read 2026-12-01)."""
MAY_BE_SHARED = ("dir", "btrfs", "lvm")
"""Where somebody says so."""
CONTENT = {
    "dir": {"images", "rootdir", "iso", "vztmpl", "backup", "snippets", "import"},
    "btrfs": {"images", "rootdir", "iso", "vztmpl", "backup", "snippets", "import"},
    "lvm": {"images", "rootdir"},
    "lvmthin": {"images", "rootdir"},
    "pbs": {"backup"},
    "zfspool": {"images", "rootdir"},
    "rbd": {"images", "rootdir"},
    "nfs": {"images", "rootdir", "iso", "vztmpl", "backup", "snippets", "import"},
    "cifs": {"images", "rootdir", "iso", "vztmpl", "backup", "snippets", "import"},
    "cephfs": {"iso", "vztmpl", "backup", "snippets", "import"},
}
LOCKS = ("backup", "clone", "create", "migrate", "rollback", "snapshot", "snapshot-delete", "suspended", "suspending")
TASKS = [
    "download",
    "hamigrate",
    "hashutdown",
    "hastart",
    "hastop",
    "imgcopy",
    "imgdel",
    "qmclone",
    "qmconfig",
    "qmcreate",
    "qmdestroy",
    "qmigrate",
    "qmmove",
    "qmreboot",
    "qmshutdown",
    "qmstart",
    "qmstop",
    "qmtemplate",
    "resize",
]
_NAME = r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"


def problems(world: ProxmoxSection) -> tuple[str, ...]:
    return (
        *_nodes(world),
        *_storages(world),
        *_networks(world),
        *_bridges(world),
        *_guests(world),
        *_room(world),
        *_version(world),
        *(_rights(world) if not any(_version(world)) else ()),
        *_faults(world),
    )


def is_shared(storage: StorageSection) -> bool:
    return storage.shared or storage.type in SHARED


def _nodes(world: ProxmoxSection) -> Iterator[str]:
    for name, node in world.nodes.items():
        if not re.fullmatch(_NAME, name):
            yield f"Node {name!r} cannot have that name: a node's name is a host name of letters, digits and hyphens."
        # Of some processors only some cores have two threads.
        if node.cores % node.sockets or not node.cores <= node.threads <= 2 * node.cores:
            yield (
                f"Node {name} has {node.threads} threads, {node.cores} cores and {node.sockets} sockets: "
                "cores must be a multiple of sockets, and each has one thread or two."
            )
        if node.root_used_gib > node.root_gib:
            yield f"Node {name} uses {node.root_used_gib:g} GiB of a root disk of {node.root_gib:g} GiB."
        if node.memory_base_gib > node.memory_gib:
            yield f"Node {name} needs {node.memory_base_gib:g} GiB for itself and has {node.memory_gib:g} GiB."
    for address, count in Counter(n.address for n in world.nodes.values()).items():
        if count > 1:
            yield f"{count} nodes have the address {address}; every node needs one of its own."


def _storages(world: ProxmoxSection) -> Iterator[str]:
    for name, storage in world.storages.items():
        if storage.shared and storage.type not in (*SHARED, *MAY_BE_SHARED):
            yield f"Storage {name} is of type {storage.type}, which cannot be shared: each node has volumes of its own there."
        for kind in storage.content:
            if kind not in CONTENT[storage.type]:
                known = ", ".join(sorted(CONTENT[storage.type]))
                yield f"Storage {name} is of type {storage.type}, which cannot hold {kind!r}; it holds {known}."
        for node in storage.nodes or ():
            if node not in world.nodes:
                yield f"Storage {name} is to be on node {node!r}, which the cluster does not have."
        if storage.used_elsewhere_gib > storage.total_gib:
            yield f"Storage {name} has {storage.used_elsewhere_gib:g} GiB used of {storage.total_gib:g} GiB."
    for file in world.files:
        owner = world.storages.get(file.storage)
        kind = file.name.partition("/")[0]
        if owner is None:
            yield f"The file {file.name} is to be on storage {file.storage!r}, which the cluster does not have."
        elif kind not in owner.content:
            yield f"The file {file.name} is to be on storage {file.storage}, which is not set up for content {kind!r}."
        elif not is_shared(owner) and file.node not in world.nodes:
            yield f"The file {file.name} is on storage {file.storage}, which every node has of its own: say on which node."


def _networks(world: ProxmoxSection) -> Iterator[str]:
    subnets: dict[str, IPv4Network] = {}
    for name, network in world.networks.items():
        try:
            subnets[name] = IPv4Network(network.subnet)
        except ValueError as why:
            yield f"Network {name} has no IPv4 subnet: {why}."
            continue
        if not _inside(network.gateway, subnets[name]):
            yield f"The gateway of network {name}, {network.gateway}, is not in its subnet {network.subnet}."
        if network.tag is not None and not 1 <= network.tag <= 4094:
            yield f"Network {name} has the VLAN tag {network.tag}; tags go from 1 to 4094."
        if network.vnet and world.zone is None:
            yield f"Network {name} is the vnet {network.vnet}, but the cluster has no SDN zone to hold it."
        if network.vnet and not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9]{1,7}", network.vnet):
            yield f"Network {name} cannot have a vnet called {network.vnet!r}: two to eight letters and digits, a letter first."
    names = list(subnets)
    for first, one in enumerate(names):
        for other in names[first + 1 :]:
            if subnets[one].overlaps(subnets[other]):
                yield f"Networks {one} and {other} share addresses ({subnets[one]} and {subnets[other]})."
    wires = Counter((n.tag, bridge) for n in world.networks.values() for bridge in ([n.bridge] if n.bridge else world.bridges))
    for (tag, bridge), count in wires.items():
        if count > 1:
            what = f"the VLAN tag {tag}" if tag is not None else "no VLAN tag"
            yield f"{count} networks have {what} on bridge {bridge}."


def _bridges(world: ProxmoxSection) -> Iterator[str]:
    for name, bridge in world.bridges.items():
        if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_.]{0,14}", name):
            yield f"Bridge {name!r} cannot have that name: up to 15 letters and digits, a letter first."
        for node in bridge.nodes or ():
            if node not in world.nodes:
                yield f"Bridge {name} is to be on node {node!r}, which the cluster does not have."
        if not re.fullmatch(r"\d{1,4}(-\d{1,4})?([ ,;]+\d{1,4}(-\d{1,4})?)*", bridge.vids):
            yield f"Bridge {name} lets through the tags {bridge.vids!r}; write numbers and ranges, like 2-4094 or 2 20 30-39."
        for port in bridge.ports or ():
            if not re.fullmatch(r"[a-z][a-z0-9]{0,12}(\.\d{1,4})?", port):
                yield f"Bridge {name} has a port {port!r}, which is no network card; write one like eno1, or a VLAN of it like eno1.40."
    for name, network in world.networks.items():
        if network.bridge and network.bridge not in world.bridges:
            yield f"Network {name} is on bridge {network.bridge!r}, which the cluster does not have."


def _guests(world: ProxmoxSection) -> Iterator[str]:
    for vmid, guest in world.guests.items():
        who = f"Guest {vmid} ({guest.name})"
        if not 100 <= vmid <= 999_999_999:
            yield f"{who} has a number that Proxmox does not give: 100 is the lowest, 999999999 the highest."
        if not re.fullmatch(rf"{_NAME}(\.{_NAME})*", guest.name):
            yield f"{who} cannot have that name: it must be a DNS name."
        node = world.nodes.get(guest.node)
        if node is None:
            yield f"{who} is to be on node {guest.node!r}, which the cluster does not have."
        elif guest.running and guest.cores * guest.sockets > node.threads:
            vcpus, threads = guest.cores * guest.sockets, node.threads
            yield f"{who} runs with {vcpus} vCPUs on node {guest.node}, which has {threads} threads: Proxmox would not start it."
        if guest.template and guest.running:
            yield f"{who} is a template and runs; templates never run."
        if guest.running and not guest.disks:
            yield f"{who} runs without a disk."
        if guest.lock and guest.lock not in LOCKS:
            yield f"{who} is locked for {guest.lock!r}; Proxmox locks for {', '.join(LOCKS)}."
        yield from _guest_storages(world, who, guest)
        yield from _guest_network(world, who, guest)
    taken = Counter(g.address for g in world.guests.values() if g.address)
    for address, count in taken.items():
        if count > 1:
            yield f"{count} guests have the address {address}."
    homes: dict[int, list[str]] = defaultdict(list)
    for pool, section in world.pools.items():
        for vmid in section.guests:
            homes[vmid].append(pool)
            if vmid not in world.guests:
                yield f"Pool {pool} has the guest {vmid}, which the cluster does not have."
        for storage in section.storages:
            if storage not in world.storages:
                yield f"Pool {pool} has the storage {storage!r}, which the cluster does not have."
    for vmid, pools in homes.items():
        if len(pools) > 1:
            yield f"Guest {vmid} is in the pools {' and '.join(pools)}; a guest is in one pool at most."
    for sid in world.ha:
        vmid_text = sid.removeprefix("vm:")
        found = world.guests.get(int(vmid_text)) if vmid_text.isdigit() else None
        if found is None:
            yield f"High availability is to look after {sid!r}, which is no guest of the cluster; write vm:NUMBER."
        elif found.template:
            yield f"High availability is to look after {sid}, which is a template."


def _guest_storages(world: ProxmoxSection, who: str, guest: GuestSection) -> Iterator[str]:
    for name in [*(d.storage for d in guest.disks), *([guest.cloud_init] if guest.cloud_init else [])]:
        storage = world.storages.get(name)
        if storage is None:
            yield f"{who} has a disk on storage {name!r}, which the cluster does not have."
        elif "images" not in storage.content:
            yield f"{who} has a disk on storage {name}, which is not set up for images."
        elif storage.nodes is not None and guest.node not in storage.nodes:
            yield f"{who} is on node {guest.node} and has a disk on storage {name}, which that node does not have."


def _guest_network(world: ProxmoxSection, who: str, guest: GuestSection) -> Iterator[str]:
    vnets = {n.vnet: n for n in world.networks.values() if n.vnet}
    if guest.bridge and guest.bridge not in world.bridges and guest.bridge not in vnets:
        yield f"{who} is on bridge {guest.bridge!r}, which is neither a bridge of the nodes nor a vnet."
    if guest.address is None:
        return
    bridge = world.bridges.get(guest.bridge or "")
    port_vlan = next((port.partition(".")[2] for port in (bridge.ports or [] if bridge else [])), "")
    tag = guest.tag or (int(port_vlan) if port_vlan else None)
    here = (n for n in world.networks.values() if n.tag == tag and n.bridge in (None, guest.bridge))
    network = vnets.get(guest.bridge or "") or next(here, None)
    if guest.bridge is None or network is None:
        yield f"{who} has the address {guest.address} but is on no network of this world."
    elif not _inside(guest.address, IPv4Network(network.subnet, strict=False)):
        yield f"{who} has the address {guest.address}, which is not in the subnet of its network, {network.subnet}."


def _room(world: ProxmoxSection) -> Iterator[str]:
    used: dict[tuple[str, str], float] = defaultdict(float)
    for guest in world.guests.values():
        for disk in guest.disks:
            storage = world.storages.get(disk.storage)
            if storage:
                used[(disk.storage, "" if is_shared(storage) else guest.node)] += disk.size_gib
    for (name, node), size_gib in used.items():
        storage = world.storages[name]
        if size_gib + storage.used_elsewhere_gib > storage.total_gib:
            place = f" of node {node}" if node else ""
            yield (
                f"Storage {name}{place} has {storage.total_gib:g} GiB, but its guests' disks take {size_gib:g} GiB"
                f" and {storage.used_elsewhere_gib:g} GiB are used otherwise."
            )


def _version(world: ProxmoxSection) -> Iterator[str]:
    if not re.fullmatch(r"(8|9)\.\d{1,2}(\.\d{1,3})?", world.version):
        yield f"The cluster is to have version {world.version!r}; versions 8 and 9 are simulated, like 8.4.16 or 9.2.2."


def _rights(world: ProxmoxSection) -> Iterator[str]:
    for role, privileges in world.roles.items():
        if role in BUILT_IN_ROLES:
            yield f"Role {role} comes with Proxmox and cannot be changed."
        for privilege in privileges:
            if privilege not in as_of(int(world.version.partition(".")[0]), PRIVILEGES):
                more = " (it went in Proxmox VE 9)" if privilege == "VM.Monitor" else ""
                version = ".".join(world.version.split(".")[:2])
                yield f"Role {role} has the privilege {privilege!r}, which Proxmox VE {version} does not know{more}."
    for name, user in world.users.items():
        if not re.fullmatch(r"[^\s:/!]+@[A-Za-z][A-Za-z0-9.\-_]+", name):
            yield f"User {name!r} has no such name: write name@realm."
        for token, section in user.tokens.items():
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9.\-_]+", token):
                yield f"Token {token!r} of {name} cannot have that name."
            if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", section.secret):
                yield f"The secret of token {name}!{token} is not a UUID, as those of Proxmox are."
    known = {f"{u}!{t}" for u, s in world.users.items() for t in s.tokens} | set(world.users)
    groups = {f"@{g}" for s in world.users.values() for g in s.groups}
    for grant in world.grants:
        if grant.role not in BUILT_IN_ROLES and grant.role not in world.roles:
            yield f"The role {grant.role!r} is granted on {grant.path}, but there is no such role."
        if grant.to not in known | groups:
            kinds = "user, token (user@realm!name) or group (@name)"
            yield f"A role is granted on {grant.path} to {grant.to!r}, which is no {kinds} of this world."
        if not grant.path.startswith("/"):
            yield f"A role is granted on {grant.path!r}; such a path begins with a slash."
    if world.ready_token not in known or "!" not in world.ready_token:
        yield f"The ready line is to hand out the token {world.ready_token!r}, which this world does not have."


def _faults(world: ProxmoxSection) -> Iterator[str]:
    silent = {f.silent for f in world.faults if isinstance(f, SilentFaultSection)}
    for name in silent - set(world.nodes):
        yield f"Node {name!r} is to be silent, but the cluster does not have it."
    if silent >= set(world.nodes):
        yield "Every node is to be silent: then nobody is left to answer. Stop the simulated cluster instead."
    for fault in world.faults:
        if isinstance(fault, TaskFaultSection) and fault.task not in TASKS:
            yield f"A task of type {fault.task!r} is to fail; Proxmox has {', '.join(TASKS)}."
        match fault:
            case AnswerFaultSection(when=pattern) | SlowFaultSection(slow=pattern) | TwiceFaultSection(twice=pattern):
                pass
            case _:
                pattern = "GET /"
        if not re.match(r"(GET|POST|PUT|DELETE|\*) /", pattern):
            yield f"A fault is to strike {pattern!r}; write a method and a path, like `POST /nodes/pve2/qemu/*/clone`."


def _inside(address: str, subnet: IPv4Network) -> bool:
    try:
        return ip_address(address) in subnet
    except ValueError:
        return False
