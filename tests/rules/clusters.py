"""Clusters as values, for tests of rules: nothing is scanned."""

from __future__ import annotations

from datetime import UTC, datetime

from tools.values.request import Fact
from tools.values.site import Reserved, Site
from tools.values.snapshot import ClusterSnapshot, Guest, Load, Network, Node, Storage, Template

GIB = 2**30
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBerth ops@berth"
SITE = Site(public_keys=(KEY,))
NOTHING = Reserved()


def node(
    name: str,
    *,
    threads: int = 32,
    memory_gib: int = 128,
    cpu: float | None = 0.2,
    used_gib: float | None = 20,
    online: bool = True,
) -> Node:
    load = Load(cpu_ratio_p95=cpu, memory_bytes_p95=None if used_gib is None else used_gib * GIB, source="rrddata, 1 day")
    if not online:
        return Node(name=name, online=False)
    return Node(name=name, online=True, cpu_count=threads, memory_bytes=memory_gib * GIB, load=load)


def storage(
    name: str,
    on: str,
    *,
    shared: bool,
    total_gib: int = 1000,
    used_gib: int = 100,
    kind: str = "",
    active: bool = True,
    content: tuple[str, ...] = ("images", "rootdir"),
) -> Storage:
    return Storage(
        name=name,
        node=on,
        kind=kind or ("rbd" if shared else "lvmthin"),
        shared=shared,
        content=content,
        total_bytes=total_gib * GIB,
        used_bytes=used_gib * GIB,
        active=active,
    )


def guest(vm_id: int, name: str, on: str, *, cpus: int = 4, memory_gib: float = 8, disk_gib: int = 40, running: bool = True) -> Guest:
    return Guest(
        vm_id=vm_id,
        name=name,
        node=on,
        running=running,
        template=False,
        cpu_count=cpus,
        memory_bytes=int(memory_gib * GIB),
        disk_bytes=disk_gib * GIB,
    )


def template(
    vm_id: int,
    name: str,
    on: str,
    *,
    storages: tuple[str, ...] = ("ceph-vm",),
    shared: bool = True,
    os: str = "debian",
    disk_gib: int = 3,
    cloud_init: bool = True,
) -> Template:
    return Template(
        vm_id=vm_id,
        name=name,
        node=on,
        disk_interface="scsi0",
        disk_gib=disk_gib,
        storages=storages,
        shared=shared,
        cloud_init=cloud_init,
        os=os,
    )


NAMES = ("pve1", "pve2", "pve3", "pve4")


def four_nodes(**changes: object) -> ClusterSnapshot:
    """Three equal nodes and a small one, Ceph and a local disk each, two guests a node."""
    values: dict[str, object] = {
        "endpoint": "https://pve.example.org:8006",
        "taken_at": datetime(2026, 11, 24, 6, 0, tzinfo=UTC),
        "nodes": (node("pve1"), node("pve2", used_gib=40), node("pve3", cpu=0.4), node("pve4", threads=16, memory_gib=64)),
        "storages": tuple(storage("ceph-vm", n, shared=True, total_gib=4000, used_gib=900) for n in NAMES)
        + tuple(storage("local-lvm", n, shared=False) for n in NAMES)
        + tuple(storage("nfs", n, shared=True, content=("iso", "backup")) for n in NAMES),
        "guests": (
            *tuple(guest(100 + i, f"app-{i}", n) for i, n in enumerate(NAMES)),
            guest(110, "shop-db", "pve1", memory_gib=32),
        ),
        "templates": (
            template(9000, "debian-12", "pve1"),
            template(9001, "ubuntu-24.04", "pve2", os="ubuntu", disk_gib=4),
            template(9002, "debian-12-local", "pve1", storages=("local-lvm",), shared=False),
        ),
        "networks": (
            Network(name="20", bridge="vmbr0", vlan_tag=20, nodes=NAMES, subnet="10.20.0.0/24"),
            Network(name="30", bridge="vmbr0", vlan_tag=30, nodes=NAMES[:2], subnet="10.30.0.0/24"),
            Network(name="vmbr0", bridge="vmbr0", vlan_tag=None, nodes=NAMES),
        ),
    }
    return ClusterSnapshot.model_validate(values | changes)


def facts(**said: str) -> tuple[Fact, ...]:
    return tuple(Fact(name=name, value=value, quote=value) for name, value in said.items())
