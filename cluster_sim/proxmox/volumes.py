"""Volumes and the room they take: allocating, growing, freeing, finding. What storages look like from outside is in storages.py.

Every volume takes all of its size, also on thin storage: a simulated plan that fits would fit on a real cluster too.
"""

from __future__ import annotations

from .cluster import Cluster
from .errors import TaskFailed, failed
from .sizes import GIB, MIB
from .state import Storage, Volume
from .tasks import Worker

CLOUD_INIT_BYTES = 4 * MIB
_VOLUMES_MAX = 256


def node_of(storage: Storage, node: str) -> str | None:
    """The node a volume lies on when it is made there; None when the storage is shared by all."""
    return None if storage.shared else node


def usable(cluster: Cluster, name: str, node: str) -> Storage:
    """The storage, if it can be used from this node."""
    storage = cluster.storage(name)
    if not storage.enabled:
        raise failed(f"storage '{name}' is disabled")
    if node not in storage.nodes:
        raise failed(f"storage '{name}' is not available on node '{node}'")
    return storage


def used_bytes(cluster: Cluster, storage: Storage, node: str) -> int:
    here = node_of(storage, node)
    mine = (v for v in cluster.volumes.values() if v.storage == storage.name and v.node == here)
    return min(
        storage.total_bytes,
        storage.used_elsewhere_bytes + sum(v.size_bytes if v.used_bytes is None else v.used_bytes for v in mine),
    )


def free_bytes(cluster: Cluster, storage: Storage, node: str) -> int:
    return storage.total_bytes - used_bytes(cluster, storage, node)


def find(cluster: Cluster, volid: str, node: str) -> Volume | None:
    name, _, volume = volid.partition(":")
    storage = cluster.storages.get(name)
    return cluster.volumes.get((name, node_of(storage, node), volume)) if storage else None


def add(cluster: Cluster, volume: Volume) -> Volume:
    cluster.volumes[(volume.storage, volume.node, volume.name)] = volume
    return volume


def allocate(
    cluster: Cluster,
    storage: Storage,
    node: str,
    vmid: int,
    size_bytes: int,
    *,
    cloud_init: bool = False,
    parent: Volume | None = None,
) -> Volume:
    """Makes a volume of a guest, or fails with what the storage's own tool would say."""
    extension = (".qcow2" if cloud_init or parent else ".raw") if storage.in_files else ""
    here = node_of(storage, node)
    prefix = f"{vmid}/" if storage.in_files else ""
    # Only rbd and files write a linked clone's parent into its name; a thin volume does not show where it came from.
    if parent and storage.kind != "lvmthin":
        prefix = f"{parent.name}/{prefix}"

    def taken(name: str) -> bool:
        return any(v.storage == storage.name and v.node == here and v.name.rsplit("/", 1)[-1] == name for v in cluster.volumes.values())

    if cloud_init:
        name = f"vm-{vmid}-cloudinit{extension}"
        if taken(name):
            raise failed(_exists(storage, name))
    else:
        numbers = range(_VOLUMES_MAX)
        free = (n for n in numbers if not any(taken(f"{kind}-{vmid}-disk-{n}{extension}") for kind in ("vm", "base")))
        name = f"vm-{vmid}-disk-{next(free)}{extension}"
    takes = 0 if parent else size_bytes
    if takes > free_bytes(cluster, storage, node):
        raise TaskFailed(_full(storage, name))
    return add(
        cluster,
        Volume(
            storage.name,
            here,
            prefix + name,
            size_bytes,
            "qcow2" if extension == ".qcow2" else "raw",
            "images",
            vmid,
            used_bytes=0 if parent else None,
            parent=parent.name if parent else None,
            made_at=cluster.now,
        ),
    )


def grow(cluster: Cluster, volume: Volume, node: str, size_bytes: int) -> None:
    storage = cluster.storage(volume.storage)
    if size_bytes - volume.size_bytes > free_bytes(cluster, storage, node):
        raise TaskFailed(_cannot_grow(storage, volume.name, size_bytes))
    if volume.used_bytes is not None:
        volume.used_bytes += size_bytes - volume.size_bytes
    volume.size_bytes = size_bytes


def free(cluster: Cluster, volume: Volume) -> None:
    cluster.volumes.pop((volume.storage, volume.node, volume.name), None)


def of_guest(cluster: Cluster, vmid: int, node: str) -> list[Volume]:
    return [v for v in cluster.volumes.values() if v.vmid == vmid and v.node in (None, node)]


def copy_seconds(cluster: Cluster, size_bytes: int) -> float:
    return size_bytes / GIB / cluster.timing.copy_gib_s


def storage_lock(cluster: Cluster, storage: Storage, node: str) -> Worker:
    """Held while a volume is allocated: one at a time per node on local storage, in the whole cluster on shared storage.

    Files are allocated under no lock worth waiting for.
    """
    name = lock_name(storage, node)
    text = (
        f"cfs-lock 'storage-{storage.name}' error: got lock request timeout"
        if storage.shared
        else f"can't lock file '/var/lock/pve-manager/pve-storage-{storage.name}' - got timeout"
    )
    yield from cluster.lock(name, text)
    return None


def lock_name(storage: Storage, node: str) -> str:
    return f"storage {storage.name} {node_of(storage, node)}"


def _exists(storage: Storage, name: str) -> str:
    if storage.kind == "rbd":
        return f"error with cfs lock 'storage-{storage.name}': rbd create '{name}' error: rbd: create error: (17) File exists"
    if storage.in_files:
        return f"disk image '{storage.settings.get('path', '')}/images/{name}' already exists"
    group = storage.settings.get("vgname", "pve")
    return f'lvcreate \'{group}/{name}\' error:   Logical Volume "{name}" already exists in volume group "{group}"'


def _full(storage: Storage, name: str) -> str:
    short = name.rsplit("/", 1)[-1]
    if storage.kind == "rbd":
        return f"rbd create '{short}' error: rbd: create error: (28) No space left on device"
    if storage.in_files:
        return f"unable to create image: qemu-img: {storage.settings.get('path', '')}/images/{short}: No space left on device"
    group, pool = storage.settings.get("vgname", "pve"), storage.settings.get("thinpool", "data")
    reason = f"Cannot create new thin volume, free space in thin pool {group}/{pool} reached threshold."
    return f"lvcreate '{group}/{short}' error:   {reason}"


def _cannot_grow(storage: Storage, name: str, size_bytes: int) -> str:
    short = name.rsplit("/", 1)[-1]
    if storage.kind == "rbd":
        return f"rbd resize '{short}' error: rbd: resize error: (28) No space left on device"
    if storage.in_files:
        path = f"{storage.settings.get('path', '')}/images/{name}"
        return f"command '/usr/bin/qemu-img resize -f raw {path} {size_bytes}' failed: exit code 1 (No space left on device)"
    group = storage.settings.get("vgname", "pve")
    return f"command '/sbin/lvextend -L {size_bytes // 1024}k /dev/{group}/{short}' failed: exit code 5 (insufficient free space)"
