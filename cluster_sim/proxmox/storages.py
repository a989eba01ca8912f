"""Storages as they look from outside: status, content, definition. The room in them is kept in volumes.py."""

from __future__ import annotations

from typing import Any

from . import images, volumes
from .call import Call
from .cluster import Cluster
from .errors import Refusal, bad_parameters, failed, forbidden
from .parameters import split_list
from .state import Storage, Volume
from .tasks import Worker

_SEES = ("Datastore.Audit", "Datastore.AllocateSpace")


def resources(call: Call) -> list[dict[str, Any]]:
    """One row for each node: a shared storage appears several times."""
    cluster, rows = call.cluster, []
    for storage in cluster.storages.values():
        if not storage.enabled or not call.may(f"/storage/{storage.name}", *_SEES):
            continue
        for node in storage.nodes:
            row: dict[str, Any] = {
                "id": f"storage/{node}/{storage.name}",
                "type": "storage",
                "storage": storage.name,
                "node": node,
                "plugintype": storage.kind,
                "content": ",".join(storage.content),
                "shared": int(storage.shared),
                "status": "available" if cluster.online(node) else "unknown",
            }
            if cluster.online(node):
                row |= {"disk": volumes.used_bytes(cluster, storage, node), "maxdisk": storage.total_bytes}
            rows.append(row)
    return rows


def _status(cluster: Cluster, storage: Storage, node: str) -> dict[str, Any]:
    used = volumes.used_bytes(cluster, storage, node) if storage.enabled else 0
    total = storage.total_bytes if storage.enabled else 0
    return {
        "type": storage.kind,
        "content": ",".join(storage.content),
        "active": int(storage.enabled),
        "enabled": int(storage.enabled),
        "shared": int(storage.shared),
        "total": total,
        "used": used,
        "avail": total - used,
    }


def of_node(call: Call) -> list[dict[str, Any]]:
    rows = []
    for storage in call.cluster.storages.values():
        if call.node not in storage.nodes or not call.may(f"/storage/{storage.name}", *_SEES):
            continue
        if call.get("storage") and call.get("storage") != storage.name:
            continue
        if call.get("enabled") and not storage.enabled:
            continue
        if call.get("target") and call.get("target") not in storage.nodes:
            continue
        if call.get("content") and not set(split_list(call.get("content"))) & set(storage.content):
            continue
        row = {"storage": storage.name, **_status(call.cluster, storage, call.node)}
        row["used_fraction"] = row["used"] / row["total"] if row["total"] else 0
        rows.append(row)
    return rows


def status(call: Call) -> dict[str, Any]:
    storage = call.cluster.storages.get(call.values["storage"])
    if storage is None or call.node not in storage.nodes:
        raise bad_parameters({"storage": "No such storage."})
    return _status(call.cluster, storage, call.node)


def content(call: Call) -> list[dict[str, Any]]:
    storage = volumes.usable(call.cluster, call.values["storage"], call.node)
    here = volumes.node_of(storage, call.node)
    rows = []
    for volume in sorted(call.cluster.volumes.values(), key=lambda v: v.volid):
        if volume.storage != storage.name or volume.node != here:
            continue
        if call.get("content") and call.get("content") != volume.content:
            continue
        if call.get("vmid") and call.get("vmid") != volume.vmid:
            continue
        rows.append(_content_row(volume))
    return rows


def _content_row(volume: Volume) -> dict[str, Any]:
    row: dict[str, Any] = {
        "volid": volume.volid,
        "content": volume.content,
        "format": volume.format,
        "size": volume.size_bytes,
        "ctime": int(volume.made_at),
    }
    row |= {"vmid": volume.vmid} if volume.vmid else {}
    return row | ({"parent": volume.parent} if volume.parent else {})


def volume(call: Call) -> dict[str, Any]:
    found = _volume(call)
    storage = call.cluster.storage(found.storage)
    return {"path": _path(storage, found), "size": found.size_bytes, "used": used_of(found), "format": found.format}


def used_of(volume: Volume) -> int:
    return volume.size_bytes if volume.used_bytes is None else volume.used_bytes


def remove_volume(call: Call) -> str:
    found = _volume(call)
    # Content.pm of pve-storage 0c56bad (2026-07-24): only of a backup something less is enough.
    if found.content == "backup" and found.vmid:
        call.require(f"/storage/{found.storage}", "Datastore.AllocateSpace")
        call.require(f"/vms/{found.vmid}", "VM.Backup")
    else:
        call.require(f"/storage/{found.storage}", "Datastore.Allocate")
    if found.vmid in call.cluster.guests and found.volid in " ".join(call.cluster.guests[found.vmid].config.values()):
        raise failed(f"cannot remove volume '{found.volid}' - it is still in use by VM {found.vmid}")

    def worker() -> Worker:
        yield call.cluster.timing.quick_s
        volumes.free(call.cluster, found)
        return None

    return call.start_task("imgdel", found.volid.replace(":", "@").replace("/", "@"), worker())


def _volume(call: Call) -> Volume:
    name = str(call.values["volume"])
    volid = name if ":" in name else f"{call.values['storage']}:{name}"
    storage = volumes.usable(call.cluster, volid.partition(":")[0], call.node)
    found = volumes.find(call.cluster, volid, call.node)
    owner = found.vmid if found else None
    sees = call.may(f"/storage/{storage.name}", "Datastore.Audit", "Datastore.Allocate")
    if not sees and not (owner and call.may(f"/vms/{owner}", "VM.Audit", "VM.Config.Disk")):
        raise forbidden(f"/storage/{storage.name}", "Datastore.Audit")
    if found is None:
        tool = "lvs" if storage.kind in ("lvm", "lvmthin") else "rbd"
        raise failed(f"volume_size_info on '{volid}' failed - no such {tool} volume: No such file or directory")
    return found


def _path(storage: Storage, volume: Volume) -> str:
    if storage.kind == "rbd":
        pool, keyring = storage.settings.get("pool", storage.name), f"/etc/pve/priv/ceph/{storage.name}.keyring"
        return f"rbd:{pool}/{volume.name}:conf=/etc/pve/ceph.conf:id=admin:keyring={keyring}"
    if storage.kind in ("lvmthin", "lvm"):
        return f"/dev/{storage.settings.get('vgname', 'pve')}/{volume.name}"
    if storage.kind == "zfspool":
        return f"/dev/zvol/{storage.settings.get('pool', storage.name)}/{volume.name}"
    folder = {"iso": "template", "vztmpl": "template", "backup": "dump"}.get(volume.content, "images")
    name = volume.name.replace("vztmpl/", "cache/").replace("backup/", "")
    return f"{storage.settings.get('path', '/mnt/pve/' + storage.name)}/{folder}/{name}"


def definitions(call: Call) -> list[dict[str, Any]]:
    wanted = call.get("type")
    seen = [s for s in call.cluster.storages.values() if call.may(f"/storage/{s.name}", *_SEES)]
    return [_definition(call.cluster, s) for s in seen if wanted in (None, s.kind)]


def definition(call: Call) -> dict[str, Any]:
    return _definition(call.cluster, call.cluster.storage(call.values["storage"]))


def _definition(cluster: Cluster, storage: Storage) -> dict[str, Any]:
    row: dict[str, Any] = {
        "storage": storage.name,
        "type": storage.kind,
        "content": ",".join(storage.content),
        "digest": "0" * 40,
    }
    row |= storage.settings
    row |= {"shared": 1} if storage.shared else {}
    row |= {"nodes": ",".join(storage.nodes)} if set(storage.nodes) != set(cluster.nodes) else {}
    return row | ({} if storage.enabled else {"disable": 1})


def upload(call: Call) -> str:
    storage = volumes.usable(call.cluster, call.values["storage"], call.node)
    kind = str(call.values["content"])
    if kind not in storage.content:
        raise bad_parameters({"content": f"storage '{storage.name}' does not support '{kind}' content"})
    if "filename" not in call.files:
        raise Refusal(400, "missing file upload")
    name, data = call.files["filename"]
    return _arrive(call, storage, kind, str(call.get("filename", name)), len(data), "imgcopy")


def download(call: Call) -> str:
    storage = volumes.usable(call.cluster, call.values["storage"], call.node)
    images.require_network(call)
    kind, name, url = (str(call.values[key]) for key in ("content", "filename", "url"))
    if not storage.in_files:
        raise failed(f"can't upload to storage type '{storage.kind}', not a file based storage!")
    if kind not in storage.content:
        raise failed(f"storage '{storage.name}' is not configured for content-type '{kind}'")
    if kind == "import" and not images.IMPORTABLE.fullmatch(name):
        raise bad_parameters({"filename": "invalid filename or wrong extension"})
    there = volumes.find(call.cluster, f"{storage.name}:{kind}/{name}", call.node)
    if there is not None and not call.get("checksum"):
        raise failed(f"refusing to override existing file '{_path(storage, there)}'")
    return _arrive(call, storage, kind, name, images.bytes_at(call, url), "download", url)


def url_metadata(call: Call) -> dict[str, Any]:
    images.require_network(call)
    url = str(call.values["url"])
    return {"filename": url.rsplit("/", 1)[-1], "size": images.bytes_at(call, url), "mimetype": "application/octet-stream"}


def _arrive(call: Call, storage: Storage, kind: str, name: str, size_bytes: int, task: str, url: str = "") -> str:
    def worker() -> Worker:
        yield volumes.copy_seconds(call.cluster, size_bytes)
        if url:
            images.check_sum(call, url)
        found = Volume(
            storage.name,
            volumes.node_of(storage, call.node),
            f"{kind}/{name}",
            size_bytes,
            name.rsplit(".", 1)[-1],
            kind,
            made_at=call.cluster.now,
        )
        if size_bytes > volumes.free_bytes(call.cluster, storage, call.node):
            raise failed(f"not enough free space on storage '{storage.name}'")
        volumes.add(call.cluster, found)
        return None

    return call.start_task(task, "", worker())
