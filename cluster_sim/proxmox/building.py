"""Makes a cluster from the `proxmox` section of a world file."""

from __future__ import annotations

from collections.abc import Callable

from ..clock import Clock
from ..guests.values import Bodies
from . import volumes
from .access import BUILT_IN_ROLES, PRIVILEGES, Access, Grant, Token, User, as_of
from .checking import is_shared
from .cluster import Cluster
from .configuration import new_mac, new_uuid
from .faults import AnswerFault, Faults, SlowFault, TaskFault, TwiceFault
from .lines import Drive, Net
from .power import mark_running
from .recovery import come_back, lose
from .section import (
    AnswerFaultSection,
    GuestSection,
    Nth,
    ProxmoxSection,
    SilentFaultSection,
    SlowFaultSection,
    StorageSection,
    TaskFaultSection,
    TwiceFaultSection,
)
from .sizes import GIB, write_size
from .state import Bridge, Guest, Load, Network, Node, Pool, Storage, Volume, WebAddress
from .tasks import Agenda
from .vnets import of_world

SMALL_BYTES = 4 * 2**20
"""Of a disk for the variables of UEFI, or for the state of a TPM."""
_AGE_S = 90 * 86400
"""How long the guests of a world file have been there."""


def build_cluster(
    world: ProxmoxSection,
    clock: Clock,
    *,
    bodies: Bodies | None = None,
    pace: float = 1.0,
    say: Callable[[str], None] = lambda text: None,
) -> Cluster:
    now = clock.now()
    cluster = Cluster(
        name=world.cluster,
        clock=clock,
        seed=world.seed,
        nodes={name: _node(world, name, number, now) for number, name in enumerate(world.nodes, 1)},
        storages={name: _storage(world, name, section) for name, section in world.storages.items()},
        networks=[Network(n.tag, n.subnet, n.gateway, name, n.vnet, n.leases_from, n.bridge, n.dhcp) for name, n in world.networks.items()],
        bridges={name: _bridge(world, name, number) for number, name in enumerate(world.bridges, 1)},
        access=_access(world),
        version=world.version,
        timing=world.timing,
        faults=_faults(world),
        web={url: WebAddress(**there.model_dump()) for url, there in world.web.items()},
        bodies=bodies,
        agenda=Agenda(pace=pace, now=now),
        options=dict(world.options),
        say=say,
    )
    cluster.sdn = of_world(cluster.networks, world.zone, next(iter(cluster.bridges)))
    for vmid, section in world.guests.items():
        _add_guest(cluster, vmid, section, now)
    for file in world.files:
        storage = cluster.storages[file.storage]
        kind, size_bytes = file.name.partition("/")[0], int(file.size_gib * GIB)
        node = volumes.node_of(storage, file.node or "")
        volumes.add(cluster, Volume(file.storage, node, file.name, size_bytes, file.name.rsplit(".", 1)[-1], kind, made_at=now - _AGE_S))
    for name, pool in world.pools.items():
        cluster.pools[name] = Pool(name, pool.comment, set(pool.guests), set(pool.storages))
    for sid, state in world.ha.items():
        cluster.ha.resources[sid] = {"state": state}
    for fault in world.faults:
        if isinstance(fault, SilentFaultSection):
            _schedule(cluster, fault)
    return cluster


def _schedule(cluster: Cluster, fault: SilentFaultSection) -> None:
    if fault.after_s:
        cluster.agenda.after(fault.after_s, lambda: lose(cluster, fault.silent))
    if fault.for_s:
        cluster.agenda.after(fault.after_s + fault.for_s, lambda: come_back(cluster, fault.silent))


def _node(world: ProxmoxSection, name: str, number: int, now: float) -> Node:
    n = world.nodes[name]
    return Node(
        name,
        number,
        n.address,
        n.model,
        n.mhz,
        n.sockets,
        n.cores,
        n.threads,
        int(n.memory_gib * GIB),
        int(n.swap_gib * GIB),
        int(n.root_gib * GIB),
        int(n.root_used_gib * GIB),
        int(n.memory_base_gib * GIB),
        now - n.up_days * 86400,
        frozenset(n.flags.split()),
        n.maintenance,
    )


def _storage(world: ProxmoxSection, name: str, section: StorageSection) -> Storage:
    return Storage(
        name,
        section.type,
        tuple(section.content),
        is_shared(section),
        tuple(section.nodes or world.nodes),
        int(section.total_gib * GIB),
        int(section.used_elsewhere_gib * GIB),
        dict(section.settings),
        section.enabled,
    )


def _bridge(world: ProxmoxSection, name: str, number: int) -> Bridge:
    b = world.bridges[name]
    ports = tuple(b.ports) if b.ports is not None else (f"eno{number}",)
    return Bridge(name, b.kind, b.vlan_aware, b.vids, ports, tuple(b.nodes or world.nodes))


def _access(world: ProxmoxSection) -> Access:
    users = {
        name: User(name, u.password, u.enabled, u.comment, tuple(u.groups), {t: Token(**s.model_dump()) for t, s in u.tokens.items()})
        for name, u in world.users.items()
    }
    users.setdefault("root@pam", User("root@pam"))
    major = int(world.version.partition(".")[0])
    roles = {name: as_of(major, privileges) for name, privileges in BUILT_IN_ROLES.items()} | {
        name: frozenset(privileges) for name, privileges in world.roles.items()
    }
    return Access(users, roles, [Grant(**g.model_dump()) for g in world.grants], as_of(major, PRIVILEGES))


def _times(nth: Nth) -> tuple[int, ...]:
    return () if nth is None else (nth,) if isinstance(nth, int) else tuple(nth)


def _faults(world: ProxmoxSection) -> Faults:
    answers = (AnswerFault(f.when, f.status, f.reason, _times(f.nth), f.done) for f in world.faults if isinstance(f, AnswerFaultSection))
    tasks = (TaskFault(f.task, f.exitstatus, _times(f.nth), f.node, str(f.id)) for f in world.faults if isinstance(f, TaskFaultSection))
    slow = (SlowFault(f.slow, f.delay_s) for f in world.faults if isinstance(f, SlowFaultSection))
    twice = (TwiceFault(f.twice, _times(f.nth)) for f in world.faults if isinstance(f, TwiceFaultSection))
    silent = {f.silent for f in world.faults if isinstance(f, SilentFaultSection) and not f.after_s}
    return Faults(tuple(answers), tuple(twice), tuple(tasks), tuple(slow), silent)


def _add_guest(cluster: Cluster, vmid: int, section: GuestSection, now: float) -> None:
    config = {
        "agent": "1" if section.agent else "0",
        "boot": "order=scsi0",
        "cores": str(section.cores),
        "cpu": "x86-64-v2-AES",
        "memory": str(int(section.memory_gib * 1024)),
        "meta": f"creation-qemu=10.0.2,ctime={int(now - _AGE_S)}",
        "name": section.name,
        "numa": "0",
        "ostype": "l26",
        "scsihw": "virtio-scsi-single",
        "smbios1": f"uuid={new_uuid(cluster, 'smbios', vmid)}",
        "sockets": str(section.sockets),
        "vmgenid": new_uuid(cluster, "vmgenid", vmid),
    }
    guest = Guest(
        vmid,
        section.node,
        config,
        made_at=now - _AGE_S,
        load=Load(**section.load.model_dump()),
        default_user=section.default_user,
        fixed_address=section.address,
    )
    kind = "base" if section.template else "vm"
    for number, disk in enumerate(section.disks):
        storage = cluster.storages[disk.storage]
        size_bytes = int(disk.size_gib * GIB)
        name = f"{kind}-{vmid}-disk-{number}" if not storage.in_files else f"{vmid}/{kind}-{vmid}-disk-{number}.raw"
        node = volumes.node_of(storage, section.node)
        volume = volumes.add(cluster, Volume(disk.storage, node, name, size_bytes, "raw", "images", vmid, made_at=guest.made_at))
        options = dict(o.split("=", 1) for o in disk.options.split(",") if o)
        config[f"scsi{number}"] = Drive(volume.volid, options | {"size": write_size(size_bytes)}).line()
    if section.cloud_init:
        storage = cluster.storages[section.cloud_init]
        volume = volumes.allocate(cluster, storage, section.node, vmid, volumes.CLOUD_INIT_BYTES, cloud_init=True)
        config[section.cloud_init_on] = Drive(volume.volid, {"media": "cdrom", "size": write_size(volume.size_bytes)}).line()
        config |= {"serial0": "socket", "vga": "serial0", "ipconfig0": "ip=dhcp"}
    if section.firmware == "uefi":
        config |= {"bios": "ovmf", "machine": "q35", "efidisk0": _small_disk(cluster, guest, section, "efitype=4m,pre-enrolled-keys=1")}
    if section.tpm:
        config["tpmstate0"] = _small_disk(cluster, guest, section, "version=v2.0")
    if section.bridge:
        options = {"bridge": section.bridge} | ({"tag": str(section.tag)} if section.tag else {})
        config["net0"] = Net("virtio", new_mac(cluster, vmid), options).line()
    if section.tags:
        config["tags"] = ";".join(sorted(section.tags))
    if section.template:
        config["template"] = "1"
    config |= section.options
    if section.lock:
        config["lock"] = section.lock
        if section.locked_for_s is not None:
            cluster.agenda.after(section.locked_for_s, lambda: cluster.guests[vmid].config.pop("lock", None))
    cluster.guests[vmid] = guest
    if section.running:
        mark_running(cluster, guest)
        up_days = 3 + int(cluster.chance("up", vmid)[0] / 256 * 35)
        guest.started_at = now - min(up_days * 86400.0, now - cluster.nodes[section.node].up_since)


def _small_disk(cluster: Cluster, guest: Guest, section: GuestSection, options: str) -> str:
    """Of firmware or of a TPM, on the storage of its first disk."""
    storage = cluster.storages[section.disks[0].storage]
    volume = volumes.allocate(cluster, storage, section.node, guest.vmid, SMALL_BYTES)
    return Drive(volume.volid, dict(o.split("=", 1) for o in options.split(",")) | {"size": write_size(volume.size_bytes)}).line()
