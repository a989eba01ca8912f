"""Cloning: full or linked, on the same node or onto another, with the locks and refusals that Proxmox has for it."""

from __future__ import annotations

import re
from typing import Any

from . import volumes
from .call import Call
from .cluster import Cluster
from .configuration import check_lock, disks, nets, new_mac, new_uuid, require_bridge
from .errors import Refusal, TaskFailed, bad_parameters, failed, forbidden
from .lines import Drive
from .sizes import write_size
from .state import Guest, Volume
from .tasks import Worker

_NOT_COPIED = re.compile(r"unused\d+|template|lock|parent|snaptime|vmgenid|smbios1")


def clone(call: Call) -> str:
    cluster, source, newid = call.cluster, call.guest, int(call.values["newid"])
    target = str(call.get("target", call.node))
    _require(call, source, newid)
    cluster.require_quorum()
    full = bool(call.get("full", not source.is_template))
    _check_target(call, target)
    check_lock(source)
    if not full:
        for name in ("storage", "format"):
            if call.get(name):
                raise failed(f"parameter '{name}' not allowed for linked clones")
    drives = {key: drive for key, drive in disks(source).items() if drive.storage is not None}
    for drive in drives.values():
        if not drive.is_cdrom:
            call.require(f"/storage/{call.get('storage') or drive.storage}", "Datastore.AllocateSpace")
    for net in nets(source).values():
        if net.bridge:
            require_bridge(call, net)
    # Also a CD and the cloud-init drive count: all of it must be within reach of the other node.
    if target != call.node and not all(cluster.storage(str(d.storage)).shared for d in drives.values()):
        raise failed(f"can't clone VM to node '{target}' (VM uses local storage)")
    if newid in cluster.guests:
        raise failed(f"unable to create VM {newid}: config file already exists")
    for key, drive in drives.items():
        if not full and not drive.is_cdrom and not source.is_template:
            raise failed(f"Linked clone feature is not supported for '{drive.volid}' ({key})")
    guest = Guest(
        newid,
        call.node,
        {"lock": "clone", "name": str(call.get("name", f"Copy-of-VM-{source.config.get('name', source.vmid)}"))},
        made_at=cluster.now,
        default_user=source.default_user,
        agent_inside=source.agent_inside,
    )
    cluster.guests[newid] = guest
    return call.start_task("qmclone", call.vmid, _worker(call, source, guest, drives, full, target))


def _check_target(call: Call, target: str) -> None:
    name = call.get("storage")
    if target not in call.cluster.nodes:
        raise bad_parameters({"target": f"no such cluster node '{target}'"})
    if name:
        storage = volumes.usable(call.cluster, name, call.node)
        if "images" not in storage.content:
            raise bad_parameters({"storage": f"storage '{name}' does not support vm images"})
        if target != call.node:
            volumes.usable(call.cluster, name, target)
            if not storage.shared:
                raise failed(f"can't clone to non-shared storage '{name}'")


def _require(call: Call, source: Guest, newid: int) -> None:
    pool = call.get("pool")
    call.require(f"/vms/{source.vmid}", "VM.Clone")
    if pool and pool not in call.cluster.pools:
        raise failed(f"no such pool '{pool}'")
    if not call.may(f"/vms/{newid}", "VM.Allocate") and not (pool and call.may(f"/pool/{pool}", "VM.Allocate")):
        raise forbidden(f"/vms/{newid}", "VM.Allocate")


def _worker(call: Call, source: Guest, guest: Guest, drives: dict[str, Drive], full: bool, target: str) -> Worker:
    cluster = call.cluster
    made: list[Volume] = []
    done = False
    yield f"creating a clone of VM {source.vmid} with ID {guest.vmid}"
    try:
        config = {k: v for k, v in source.config.items() if not _NOT_COPIED.fullmatch(k)}
        config |= _identity(cluster, source, guest)
        for key in ("name", "description"):
            if call.get(key):
                config[key] = str(call.get(key))
        for key, drive in drives.items():
            if drive.is_cdrom and not drive.is_cloud_init:
                continue
            yield f"create {'full' if full or drive.is_cloud_init else 'linked'} clone of drive {key} ({drive.volid})"
            volume = yield from _copy(cluster, call.get("storage"), drive, source, guest, full, made)
            options = {"media": "cdrom"} if drive.is_cloud_init else dict(drive.options)
            config[key] = Drive(volume.volid, options | {"size": write_size(volume.size_bytes)}).line()
        yield cluster.timing.quick_s
        guest.config = config
        guest.node = target
        cluster.firewall.clone(source.vmid, guest.vmid)
        if call.get("pool"):
            cluster.pools[call.get("pool")].vmids.add(guest.vmid)
        done = True
    except (TaskFailed, Refusal) as why:
        raise TaskFailed(f"clone failed: {why}") from None
    finally:
        if not done:
            for volume in made:
                volumes.free(cluster, volume)
            cluster.guests.pop(guest.vmid, None)
    return None


def _identity(cluster: Cluster, source: Guest, guest: Guest) -> dict[str, str]:
    """What a clone must not share with its template: its name, its MACs and its uuids."""
    own = {"name": guest.config["name"], "smbios1": f"uuid={new_uuid(cluster, 'smbios', guest.vmid)}"}
    if "vmgenid" in source.config:
        own["vmgenid"] = new_uuid(cluster, "vmgenid", guest.vmid)
    for key, net in nets(source).items():
        net.mac = new_mac(cluster, guest.vmid)
        own[key] = net.line()
    return own


def _copy(cluster: Cluster, storage_name: str | None, drive: Drive, source: Guest, guest: Guest, full: bool, made: list[Volume]) -> Any:
    before = volumes.find(cluster, drive.volid, source.node)
    if before is None:
        raise TaskFailed(f"volume '{drive.volid}' does not exist")
    storage = volumes.usable(cluster, storage_name or before.storage, guest.node)
    if not storage.in_files:
        yield from volumes.storage_lock(cluster, storage, guest.node)
    try:
        parent = None if full or drive.is_cloud_init else before
        after = volumes.allocate(cluster, storage, guest.node, guest.vmid, before.size_bytes, cloud_init=drive.is_cloud_init, parent=parent)
        made.append(after)
        if not storage.in_files:
            yield cluster.timing.storage_lock_s / (4 if drive.is_cloud_init or parent else 1)
    finally:
        if not storage.in_files:
            cluster.unlock(volumes.lock_name(storage, guest.node))
    if full and not drive.is_cloud_init:
        yield volumes.copy_seconds(cluster, before.size_bytes)
    return after
