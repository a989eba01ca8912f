"""Pools: names for sets of guests and storages, and a place to give rights on."""

from __future__ import annotations

from typing import Any

from .call import Call
from .errors import bad_parameters, failed
from .lifecycle import move_in_pool
from .looking import guest_figures
from .parameters import split_list
from .state import Pool


def index(call: Call) -> list[dict[str, Any]]:
    wanted = call.get("poolid")
    if wanted is not None:
        return [{"poolid": wanted, **_details(call, _pool(call, wanted))}]
    seen = [p for p in call.cluster.pools.values() if call.may(f"/pool/{p.name}", "Pool.Audit", "Pool.Allocate")]
    return [{"poolid": p.name} | ({"comment": p.comment} if p.comment else {}) for p in seen]


def read(call: Call) -> dict[str, Any]:
    return _details(call, _pool(call, call.values["poolid"]))


def _pool(call: Call, name: str) -> Pool:
    call.require(f"/pool/{name}", "Pool.Audit")
    return _existing(call, name)


def _existing(call: Call, name: str) -> Pool:
    if name not in call.cluster.pools:
        raise failed(f"pool '{name}' does not exist")
    return call.cluster.pools[name]


def _details(call: Call, pool: Pool) -> dict[str, Any]:
    cluster, wanted = call.cluster, call.get("type")
    members: list[dict[str, Any]] = []
    for vmid in sorted(pool.vmids):
        guest = cluster.guests.get(vmid)
        if guest and wanted in (None, "qemu"):
            members.append({"id": f"qemu/{vmid}", "type": "qemu", "node": guest.node, **guest_figures(cluster, guest)})
    if wanted in (None, "storage"):
        for name in sorted(pool.storages):
            node = cluster.storages[name].nodes[0]
            members.append({"id": f"storage/{node}/{name}", "type": "storage", "node": node, "storage": name})
    return {"members": members} | ({"comment": pool.comment} if pool.comment else {})


def create(call: Call) -> None:
    name = call.values["poolid"]
    call.require(f"/pool/{name}", "Pool.Allocate")
    if name in call.cluster.pools:
        raise failed(f"create pool failed: pool '{name}' already exists")
    call.cluster.pools[name] = Pool(name, call.get("comment", ""))


def update(call: Call) -> None:
    name = call.values["poolid"]
    call.require(f"/pool/{name}", "Pool.Allocate")
    pool = _existing(call, name)
    for text in split_list(call.get("vms", "")):
        vmid = int(text) if text.isdigit() else 0
        if vmid not in call.cluster.guests:
            raise bad_parameters({"vms": f"VM {text} does not exist"})
        call.require(f"/vms/{vmid}", "VM.Allocate")
        if call.get("delete"):
            if vmid not in pool.vmids:
                raise failed(f"update pool failed: VM {vmid} is not a pool member")
            pool.vmids.discard(vmid)
        else:
            other = call.cluster.pool_of(vmid)
            if other and not call.get("allow-move"):
                raise failed(f"update pool failed: VM {vmid} already belongs to pool '{other}' and 'allow-move' is not set")
            move_in_pool(call.cluster, vmid, name)
    for storage in split_list(call.get("storage", "")):
        call.cluster.storage(storage)
        (pool.storages.discard if call.get("delete") else pool.storages.add)(storage)
    if call.get("comment") is not None:
        pool.comment = call.get("comment")


def remove(call: Call) -> None:
    name = call.values["poolid"]
    call.require(f"/pool/{name}", "Pool.Allocate")
    pool = _existing(call, name)
    if pool.vmids or pool.storages:
        raise failed(f"delete pool failed: pool '{name}' is not empty")
    del call.cluster.pools[name]
