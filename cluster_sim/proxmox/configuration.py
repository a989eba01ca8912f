"""A guest's configuration: reading it as Proxmox shows it, changing it as Proxmox does."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import volumes
from .call import Call
from .cluster import Cluster
from .errors import Refusal, TaskFailed, bad_parameters, failed
from .images import image_of
from .lines import DRIVE_KEY, NET_KEY, Drive, Net, read_drive, read_net
from .options import BOOLEANS, DRIVE, FAMILIES, INTEGERS, NO_OPTION, OPTIONS, PRIVILEGES, WAITS_FOR_A_START
from .parameters import split_list
from .sizes import GIB, read_size, write_size
from .state import Guest, Volume

MASKED = "**********"


def shown(guest: Guest, *, current: bool = False) -> dict[str, Any]:
    config = guest.config if current else guest.shown()
    answer: dict[str, Any] = {k: typed(k, v) for k, v in config.items()}
    if "cipassword" in answer:
        answer["cipassword"] = MASKED
    answer["digest"] = digest(guest)
    return answer


def typed(key: str, value: str) -> str | float:
    """Proxmox sends what its schema calls integer or boolean as a number, all else as text: also `memory`."""
    if key == "migrate_downtime":
        return float(value)
    return int(value) if key in INTEGERS or key in BOOLEANS else value


def digest(guest: Guest) -> str:
    text = "".join(f"{k}: {v}\n" for k, v in sorted(guest.config.items())) + repr(sorted(guest.pending.items()))
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def check_lock(guest: Guest) -> None:
    if guest.lock:
        raise failed(f"VM is locked ({guest.lock})")


def read(call: Call) -> dict[str, Any]:
    return shown(call.guest, current=bool(call.get("current")))


def pending(call: Call) -> list[dict[str, Any]]:
    guest = call.guest
    rows: list[dict[str, Any]] = []
    for key in sorted({*guest.config, *guest.pending}):
        row: dict[str, Any] = {"key": key}
        if key in guest.config:
            row["value"] = MASKED if key == "cipassword" else typed(key, guest.config[key])
        if key in guest.pending:
            change = guest.pending[key]
            row |= {"delete": 1} if change is None else {"pending": typed(key, change)}
        rows.append(row)
    return [*rows, {"key": "digest", "value": digest(guest)}]


def change(call: Call) -> None:
    """PUT: done when answered. POST does the same as a task."""
    guest = call.guest
    changes = {k: v for k, v in call.values.items() if k not in NO_OPTION}
    deletes = split_list(call.get("delete", ""))
    if not changes and not deletes and not call.get("revert"):
        raise failed("no options specified")
    for key in deletes:
        if key not in OPTIONS and not any(re.fullmatch(f, key) for f in FAMILIES):
            raise bad_parameters({"delete": f"unknown option '{key}'"})
        if key in changes:
            raise bad_parameters({"delete": f"you can't use '-{key}' and -delete {key}' at the same time"})
    if call.get("skiplock") and not call.who.is_root:
        raise bad_parameters({"skiplock": "Only root may use this option."})
    if call.get("digest") and call.get("digest") != digest(guest):
        raise failed("checksum mismatch (file change by other user?)")
    if not call.get("skiplock"):
        check_lock(guest)
    for key in [*deletes, *changes]:
        require(call, guest, key, str(changes.get(key, "")), f"/vms/{guest.vmid}")
    with _all_or_nothing(call.cluster, guest):
        for key in split_list(call.get("revert", "")):
            guest.pending.pop(key, None)
        for key in deletes:
            remove(call.cluster, guest, key)
        for key, value in changes.items():
            put(call.cluster, guest, key, value)


@contextmanager
def _all_or_nothing(cluster: Cluster, guest: Guest) -> Iterator[None]:
    """A change that is refused half-way leaves neither lines nor volumes."""
    kept = dict(guest.config), dict(guest.pending), guest.password, dict(cluster.volumes)
    try:
        yield
    except (TaskFailed, Refusal) as why:
        guest.config, guest.pending, guest.password, cluster.volumes = kept
        # What fails inside a task elsewhere fails here in the answer: this call is no task.
        raise failed(str(why)) if isinstance(why, TaskFailed) else why from None


def change_in_background(call: Call) -> str:
    def worker() -> Any:
        yield call.cluster.timing.quick_s
        change(call)

    check_lock(call.guest)
    return call.start_task("qmconfig", call.vmid, worker())


def remove(cluster: Cluster, guest: Guest, key: str) -> None:
    """Deleting what is not there is no mistake: Proxmox only warns."""
    value = guest.config.get(key)
    guest.pending.pop(key, None)
    if value is None:
        return
    if re.fullmatch(DRIVE, key):
        _detach(cluster, guest, read_drive(value))
    elif key.startswith("unused"):
        volume = volumes.find(cluster, value, guest.node)
        if volume:
            volumes.free(cluster, volume)
    elif guest.running and WAITS_FOR_A_START.fullmatch(key):
        guest.pending[key] = None
        return
    del guest.config[key]


def put(cluster: Cluster, guest: Guest, key: str, value: Any) -> None:
    text = str(int(value)) if isinstance(value, bool) else str(value)
    if re.fullmatch(DRIVE, key):
        text = _drive(cluster, guest, key, text)
    elif NET_KEY.fullmatch(key):
        text = _net(cluster, guest, key, text).line()
    elif key == "tags":
        text = ";".join(sorted({t.lower() for t in split_list(text)}))
    elif key == "cipassword":
        guest.password = text
    elif key == "balloon" and int(text) > int(guest.shown().get("memory", "512")):
        raise failed("balloon value too large (must be smaller than assigned memory)")
    elif key == "description":
        text = text.rstrip("\n")
    if guest.running and WAITS_FOR_A_START.fullmatch(key):
        if guest.config.get(key) == text:
            guest.pending.pop(key, None)
        else:
            guest.pending[key] = text
    elif key == "tags" and not text:
        guest.config.pop("tags", None)
    else:
        guest.config[key] = text


def apply_pending(guest: Guest) -> None:
    guest.config = guest.shown()
    guest.pending.clear()


def new_mac(cluster: Cluster, vmid: int) -> str:
    return "BC:24:11:" + ":".join(f"{b:02X}" for b in cluster.chance("mac", vmid, cluster.fresh())[:3])


def new_uuid(cluster: Cluster, *what: object) -> str:
    return str(uuid.UUID(bytes=cluster.chance("uuid", *what, cluster.fresh())[:16], version=4))


def disks(guest: Guest) -> dict[str, Drive]:
    return {k: read_drive(v) for k, v in guest.config.items() if DRIVE_KEY.fullmatch(k)}


def nets(guest: Guest) -> dict[str, Net]:
    found = {k: read_net(v) for k, v in guest.config.items() if NET_KEY.fullmatch(k)}
    return {k: n for k, n in sorted(found.items()) if n}


def _drive(cluster: Cluster, guest: Guest, key: str, text: str) -> str:
    wanted = read_drive(text)
    before = read_drive(guest.config[key]) if key in guest.config else None
    if wanted.volid == "none" or wanted.volid == "cdrom":
        made = wanted
    elif wanted.volume == "cloudinit":
        storage = volumes.usable(cluster, str(wanted.storage), guest.node)
        volume = volumes.allocate(cluster, storage, guest.node, guest.vmid, volumes.CLOUD_INIT_BYTES, cloud_init=True)
        made = Drive(volume.volid, {"media": "cdrom", "size": write_size(volume.size_bytes)})
    elif re.fullmatch(r"\d+(\.\d+)?", wanted.volume):
        made = _allocated(cluster, guest, wanted)
    else:
        volume = _existing(cluster, guest, key, wanted)
        options = {k: v for k, v in wanted.options.items() if k not in ("size", "volume")}
        made = Drive(volume.volid, options | {"size": write_size(volume.size_bytes)})
    if before and before.volid != made.volid:
        _detach(cluster, guest, before)
    for unused in [k for k, v in guest.config.items() if k.startswith("unused") and v == made.volid]:
        del guest.config[unused]
    return made.line()


def _allocated(cluster: Cluster, guest: Guest, wanted: Drive) -> Drive:
    storage = volumes.usable(cluster, str(wanted.storage), guest.node)
    if "images" not in storage.content:
        raise bad_parameters({"storage": f"storage '{storage.name}' does not support vm images"})
    options = {k: v for k, v in wanted.options.items() if k not in ("size", "import-from", "format")}
    size_bytes = int(float(wanted.volume) * GIB)
    source = wanted.options.get("import-from")
    if source:
        image = volumes.find(cluster, source, guest.node)
        if image is None:
            raise failed(f"volume '{source}' does not exist")
        # A disk is as large as the image says, not as its file.
        size_bytes = int(image_of(image.name).disk_gib * GIB) if image.content == "import" else image.size_bytes
    volume = volumes.allocate(cluster, storage, guest.node, guest.vmid, size_bytes)
    return Drive(volume.volid, options | {"size": write_size(volume.size_bytes)})


def _existing(cluster: Cluster, guest: Guest, key: str, wanted: Drive) -> Volume:
    if wanted.storage is None:
        raise bad_parameters({key: f"unable to parse volume ID '{wanted.volid}'\n"})
    cluster.storage(wanted.storage)
    volume = volumes.find(cluster, wanted.volid, guest.node)
    if volume is None:
        raise failed(f"volume '{wanted.volid}' does not exist")
    return volume


def _detach(cluster: Cluster, guest: Guest, drive: Drive) -> None:
    """A cloud-init drive is freed at once; a disk stays, as `unusedN`; a CD only leaves the drive."""
    volume = volumes.find(cluster, drive.volid, guest.node)
    if volume is None or volume.vmid != guest.vmid:
        return
    if drive.is_cloud_init:
        volumes.free(cluster, volume)
        return
    number = next(n for n in range(256) if f"unused{n}" not in guest.config)
    guest.config[f"unused{number}"] = drive.volid


def _net(cluster: Cluster, guest: Guest, key: str, text: str) -> Net:
    net = read_net(text)
    if net is None:
        raise bad_parameters({key: "invalid format - missing key in comma-separated list property: model\n"})
    if net.mac is None:
        net.mac = new_mac(cluster, guest.vmid)
    return net


def require(call: Call, guest: Guest, key: str, value: str, path: str) -> None:
    """What it takes to set a line of a guest's configuration, on the guest's path or, while it is made, on its pool's."""
    if re.fullmatch(DRIVE, key):
        drive = read_drive(value or guest.config.get(key, ""))
        if drive.is_cloud_init:
            call.require(path, "VM.Config.Cloudinit", "VM.Config.CDROM")
        else:
            call.require(path, "VM.Config.CDROM" if drive.is_cdrom else "VM.Config.Disk")
        if value and drive.storage and (drive.volume == "cloudinit" or re.fullmatch(r"\d+(\.\d+)?", drive.volume)):
            call.require(f"/storage/{drive.storage}", "Datastore.AllocateSpace")
        return
    if call.who.is_root:
        return
    privileges = next((p for pattern, p in PRIVILEGES if re.fullmatch(pattern, key)), None)
    if privileges is None or (key.startswith("serial") and value not in ("", "socket")):
        raise failed(f"only root can set '{key}' config")
    call.require(path, *privileges)
    if key == "startup":
        # It changes how the node boots.
        call.require("/", "Sys.Modify")
    net = read_net(value) if NET_KEY.fullmatch(key) else None
    if net and net.bridge:
        require_bridge(call, net)


def require_bridge(call: Call, net: Net) -> None:
    vnet = call.cluster.sdn.running["vnets"].get(net.bridge or "")
    path = f"/sdn/zones/{vnet['zone']}/{net.bridge}" if vnet else f"/sdn/zones/localnetwork/{net.bridge}"
    if net.tag and not vnet:
        path += f"/{net.tag}"
    call.require(path, "SDN.Use")


def resize(call: Call) -> str:
    """A worker in 9.2; what is wrong with the request shows in how the task ends."""
    cluster, guest, key, text = call.cluster, call.guest, call.values["disk"], str(call.values["size"])
    if call.get("digest") and call.get("digest") != digest(guest):
        raise failed("checksum mismatch (file change by other user?)")

    def worker() -> Any:
        yield cluster.timing.quick_s
        if guest.lock:
            raise TaskFailed(f"VM is locked ({guest.lock})")
        if key not in guest.config:
            raise TaskFailed(f"disk '{key}' does not exist")
        drive = read_drive(guest.config[key])
        if drive.is_cdrom:
            raise TaskFailed("you can't resize a cdrom")
        volume = volumes.find(cluster, drive.volid, guest.node)
        if volume is None:
            raise TaskFailed(f"disk '{key}' has no associated volume")
        call.require(f"/storage/{volume.storage}", "Datastore.AllocateSpace")
        size_bytes = (read_size(text.removeprefix("+")) or 0) + (volume.size_bytes if text.startswith("+") else 0)
        if size_bytes < volume.size_bytes:
            raise TaskFailed("shrinking disks is not supported")
        volumes.grow(cluster, volume, guest.node, size_bytes)
        drive.options["size"] = write_size(size_bytes)
        guest.config[key] = drive.line()

    return call.start_task("resize", call.vmid, worker())
