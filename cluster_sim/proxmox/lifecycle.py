"""Creating, removing and moving guests, and making templates of them. Cloning has a file of its own."""

from __future__ import annotations

import re
from typing import Any

from . import bodies, configuration, images, volumes
from .call import Call
from .cluster import Cluster
from .configuration import check_lock, disks
from .errors import TaskFailed, bad_parameters, failed, forbidden
from .lines import DRIVE_KEY, Drive, read_drive
from .sizes import write_size
from .state import Guest, Volume
from .tasks import Worker

_NOT_CONFIGURATION = {
    "node",
    "vmid",
    "pool",
    "start",
    "storage",
    "unique",
    "force",
    "archive",
    "bwlimit",
    "live-restore",
    "import-working-storage",
}


def create(call: Call) -> str:
    cluster, vmid, pool = call.cluster, call.vmid, call.get("pool")
    if not call.may(f"/vms/{vmid}", "VM.Allocate") and not (pool and call.may(f"/pool/{pool}", "VM.Allocate")):
        raise forbidden(f"/vms/{vmid}", "VM.Allocate")
    cluster.require_quorum()
    if vmid in cluster.guests:
        raise failed(f"unable to create VM {vmid} - VM {vmid} already exists on node '{cluster.guests[vmid].node}'")
    for key, value in call.values.items():
        if DRIVE_KEY.fullmatch(key):
            drive = read_drive(str(value))
            if drive.storage:
                call.require(f"/storage/{drive.storage}", "Datastore.AllocateSpace")
            if source := drive.options.get("import-from"):
                _check_source(call, key, source)
    guest = Guest(vmid, call.node, {"lock": "create"}, made_at=cluster.now)
    path = f"/pool/{pool}" if pool and call.may(f"/pool/{pool}", "VM.Allocate") else f"/vms/{vmid}"
    for key, value in call.values.items():
        if key not in _NOT_CONFIGURATION:
            configuration.require(call, guest, key, str(value), path)
    cluster.guests[vmid] = guest

    def worker() -> Worker:
        done = False
        try:
            yield cluster.timing.quick_s
            config = {k: v for k, v in call.values.items() if k not in _NOT_CONFIGURATION}
            guest.config = {}
            for image in (images.image_of(one) for one in _sources(config)):
                guest.default_user, guest.agent_inside = image.default_user, image.agent
            for key, value in config.items():
                configuration.put(cluster, guest, key, value)
            guest.config.setdefault("smbios1", f"uuid={configuration.new_uuid(cluster, 'smbios', vmid)}")
            guest.config.setdefault("vmgenid", configuration.new_uuid(cluster, "vmgenid", vmid))
            guest.config.setdefault("meta", f"creation-qemu=10.0.2,ctime={int(cluster.now)}")
            if pool:
                cluster.pools[pool].vmids.add(vmid)
            done = True
        finally:
            if not done:
                for volume in volumes.of_guest(cluster, vmid, guest.node):
                    volumes.free(cluster, volume)
                cluster.guests.pop(vmid, None)
        return None

    return call.start_task("qmcreate", vmid, worker())


def _sources(config: dict[str, Any]) -> list[str]:
    drives = (read_drive(str(value)) for key, value in config.items() if DRIVE_KEY.fullmatch(key))
    return [drive.options["import-from"] for drive in drives if "import-from" in drive.options]


def _check_source(call: Call, key: str, source: str) -> None:
    """check_drive_param and check_volume_access (qemu-server e6352be6, 2026-08-17; pve-storage 0c56bad)."""
    storage, _, name = source.partition(":")
    if not name:
        raise failed("Only root can pass arbitrary filesystem paths.")
    kind = name.partition("/")[0]
    if kind in ("iso", "vztmpl", "backup"):
        raise bad_parameters({key: f"{source} has wrong type '{kind}' - needs to be 'images' or 'import'"})
    call.require(f"/storage/{storage}", "Datastore.AllocateSpace", "Datastore.Audit", "Datastore.Allocate")


def destroy(call: Call) -> str:
    cluster, guest = call.cluster, call.guest
    sid = f"vm:{guest.vmid}"
    if guest.config.get("protection") == "1":
        raise failed(f"can't remove VM {guest.vmid} - protection mode enabled")
    if sid in cluster.ha.resources and not call.get("purge"):
        raise failed(f"unable to remove VM {guest.vmid} - used in HA resources and purge parameter not set.")
    if guest.running:
        raise failed(f"VM {guest.vmid} is running - destroy failed")
    check_lock(guest)

    def worker() -> Worker:
        yield cluster.timing.quick_s
        if guest.running:
            raise TaskFailed(f"VM {guest.vmid} is running - destroy failed")
        owned = volumes.of_guest(cluster, guest.vmid, guest.node)
        for volume in owned:
            if any(v.parent == volume.name and v.storage == volume.storage for v in cluster.volumes.values()):
                raise TaskFailed(f"base volume '{volume.volid}' is still in use by linked cloned")
        for volume in owned:
            volumes.free(cluster, volume)
        yield from bodies.remove(cluster, guest)
        forget(cluster, guest)
        return None

    return call.start_task("qmdestroy", guest.vmid, worker())


def forget(cluster: Cluster, guest: Guest) -> None:
    cluster.guests.pop(guest.vmid, None)
    cluster.firewall.guests.pop(guest.vmid, None)
    cluster.ha.resources.pop(f"vm:{guest.vmid}", None)
    for pool in cluster.pools.values():
        pool.vmids.discard(guest.vmid)
    for net in configuration.nets(guest).values():
        cluster.leases.pop(str(net.mac), None)
    cluster.access.grants[:] = [g for g in cluster.access.grants if g.path != f"/vms/{guest.vmid}"]


def make_template(call: Call) -> str:
    cluster, guest = call.cluster, call.guest
    if guest.is_template:
        raise failed("you can't convert a template to a template")
    if guest.running:
        raise failed("you can't convert a VM to template if VM is running")
    check_lock(guest)

    def worker() -> Worker:
        yield cluster.timing.quick_s
        to_base(cluster, guest)
        return None

    return call.start_task("qmtemplate", guest.vmid, worker())


def to_base(cluster: Cluster, guest: Guest) -> None:
    for key, drive in disks(guest).items():
        volume = volumes.find(cluster, drive.volid, guest.node)
        if volume is None or drive.is_cdrom or volume.vmid != guest.vmid:
            continue
        volumes.free(cluster, volume)
        volume.name = re.sub(r"vm-(\d+)-disk", r"base-\1-disk", volume.name)
        volumes.add(cluster, volume)
        guest.config[key] = Drive(volume.volid, drive.options).line()
    guest.config["template"] = "1"


def migrate(call: Call) -> str:
    cluster, guest, target = call.cluster, call.guest, str(call.values["target"])
    if target not in cluster.nodes:
        raise bad_parameters({"target": f"no such cluster node '{target}'"})
    if target == guest.node:
        raise bad_parameters({"target": "target is local node."})
    if guest.running and not call.get("online"):
        raise failed("can't migrate running VM without --online")

    def worker() -> Worker:
        yield cluster.timing.quick_s
        if guest.lock:
            raise TaskFailed(f"VM is locked ({guest.lock})")
        if not cluster.online(target):
            raise TaskFailed(f"migration aborted: no route to host '{target}'")
        guest.config["lock"] = "migrate"
        try:
            yield from _move(cluster, guest, target, call.get("targetstorage"), bool(call.get("with-local-disks")))
        finally:
            guest.config.pop("lock", None)
        return None

    return call.start_task("qmigrate", guest.vmid, worker())


def _move(cluster: Cluster, guest: Guest, target: str, mapping: str | None, with_local_disks: bool) -> Worker:
    wanted = dict(p.split(":", 1) for p in mapping.split(",") if ":" in p) if mapping else {}
    everywhere = mapping if mapping and ":" not in mapping and mapping != "1" else None
    moves: list[tuple[str, Drive, Volume, Volume]] = []
    done = False
    try:
        for key, drive in disks(guest).items():
            volume = volumes.find(cluster, drive.volid, guest.node)
            if volume is None:
                continue
            name = everywhere or wanted.get(volume.storage, volume.storage)
            if volume.node is None and name == volume.storage:
                continue
            if not with_local_disks and not drive.is_cloud_init:
                raise TaskFailed(f"can't migrate local disk '{volume.volid}': local disk is only possible with 'with-local-disks'")
            storage = volumes.usable(cluster, name, target)
            moved = volumes.allocate(cluster, storage, target, guest.vmid, volume.size_bytes, cloud_init=drive.is_cloud_init)
            moves.append((key, drive, volume, moved))
            if not drive.is_cloud_init:
                yield volumes.copy_seconds(cluster, volume.size_bytes)
        if guest.running:
            yield guest.memory_bytes / 2**30 * 0.2
        for key, drive, old, new in moves:
            volumes.free(cluster, old)
            guest.config[key] = Drive(new.volid, drive.options | {"size": write_size(new.size_bytes)}).line()
        guest.node = target
        done = True
    finally:
        if not done:
            for *_, new in moves:
                volumes.free(cluster, new)
    return None


def move_disk(call: Call) -> str:
    cluster, guest, key = call.cluster, call.guest, str(call.values["disk"])
    storage_name = call.get("storage")
    if not storage_name:
        raise bad_parameters({"storage": "property is missing and it is not optional"})
    call.require(f"/storage/{storage_name}", "Datastore.AllocateSpace")
    check_lock(guest)
    if key not in guest.config:
        raise failed(f"disk '{key}' does not exist")

    def worker() -> Worker:
        drive = read_drive(guest.config[key])
        volume = volumes.find(cluster, drive.volid, guest.node)
        storage = volumes.usable(cluster, storage_name, guest.node)
        if volume is None:
            raise TaskFailed(f"disk '{key}' has no associated volume")
        if storage.name == volume.storage:
            raise TaskFailed("you can't move to the same storage with same format")
        guest.config["lock"] = "disk"
        try:
            moved: Any = volumes.allocate(cluster, storage, guest.node, guest.vmid, volume.size_bytes)
            yield volumes.copy_seconds(cluster, volume.size_bytes)
        finally:
            guest.config.pop("lock", None)
        guest.config[key] = Drive(moved.volid, drive.options | {"size": write_size(moved.size_bytes)}).line()
        if call.get("delete"):
            volumes.free(cluster, volume)
        else:
            guest.config[f"unused{next(n for n in range(256) if f'unused{n}' not in guest.config)}"] = volume.volid
        return None

    return call.start_task("qmmove", guest.vmid, worker())


def rebuild_cloud_init(call: Call) -> None:
    """The drive's content follows the configuration at every start anyway: nothing to keep."""
    if call.guest.lock:
        raise failed(f"VM is locked ({call.guest.lock})")


def move_in_pool(cluster: Cluster, vmid: int, pool: str) -> None:
    for other in cluster.pools.values():
        other.vmids.discard(vmid)
    cluster.pools[pool].vmids.add(vmid)
