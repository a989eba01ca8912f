"""A Proxmox VE cluster as a platform. Where machines go and what is checked of them is in tools.rules.machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.rules.machines import certifying, drawing
from tools.rules.machines.capacity import GIB, MIB
from tools.rules.machines.keeping import owned_ids
from tools.rules.machines.restarting import STARTS, restarts
from tools.rules.plans import own_metal
from tools.rules.plans.changes import Provider
from tools.values.certificate import Certificate
from tools.values.machine import Machine, without_prefix
from tools.values.manifest import Manifest, Part
from tools.values.plan import Estimate, Line
from tools.values.site import Held, Reserved
from tools.values.situation import Situation
from tools.values.snapshot import ClusterSnapshot, Guest
from tools.values.value import Json

TITLE = "Proxmox VE"

PROVIDER = Provider(
    source="bpg/proxmox",
    kinds="proxmox_",
    versions=("0.111.1", "0.114.0"),
    restarts=restarts,
    starts=STARTS,
    acts=("proxmox_sdn_applier.", "proxmox_virtual_environment_firewall_options.", "terraform_data.guarded", "terraform_data.written"),
    remade=("proxmox_virtual_environment_firewall_rules.",),
    called=(("proxmox_sdn_zone_vlan", "id"), ("proxmox_sdn_vnet", "id"), ("proxmox_sdn_subnet", "cidr")),
)

RECORD_IN: tuple[str, ...] = ()
"""Machines are compared with their record before each step, without a network in between, so it stays beside them."""

UNREACHED = "Look at the machine's console in the cluster: has it an address, and does its template run cloud-init?"
SDN = {"proxmox_sdn_zone_vlan": "zones", "proxmox_sdn_vnet": "vnets", "proxmox_sdn_subnet": "subnets"}
"""Of Terraform's kinds, as the cluster's API calls them."""


def reserves(part: Part) -> Reserved:
    """Ids, names, memory, vCPUs and disks of its machines, and its addresses; of a machine that a snapshot shows too, the capacity rules
    count one. Of anything else its name."""
    total = Reserved(
        vm_ids=frozenset(m.vm_id for m in part.machines),
        names=frozenset([*(m.name for m in part.machines), *_named(part)]),
        machines=tuple(
            Held(
                vm_id=m.vm_id,
                node=m.node,
                storage=m.storage,
                cpu_count=m.cpu_count,
                memory_mib=m.memory_mib,
                disk_gib=m.gib_on(m.storage),
                further=tuple((name, m.gib_on(name)) for name in sorted(m.storages - {m.storage})),
            )
            for m in part.machines
        ),
        addresses=frozenset(without_prefix(one) for m in part.machines for one in m.fixed_addresses) | part.virtual_alone,
    )
    for m in part.machines:
        total = total.plus(Reserved(memory_bytes=((m.node, m.memory_mib * MIB),), cpu_count=((m.node, m.cpu_count),)))
    return total


def _named(part: Part) -> Iterator[str]:
    """What is no machine, and of which there can be one of that name."""
    return (f"{one.kind} {one.name}" for one in part.resources if not part.machines)


def joined(part: Part, used: Sequence[Part]) -> Part:
    """Networks of a cluster are as they are."""
    return part


def ids_in(state: Json) -> tuple[str, ...]:
    """VM ids; and what is of SDN by kind and name: `vnets/lab`."""
    made = [(resource, one.get("attributes", {})) for resource in state.get("resources", ()) for one in resource.get("instances", ())]
    machines = sorted({int(values["vm_id"]) for _, values in made if values.get("vm_id")})
    of_sdn = (f"{SDN[str(resource['type'])]}/{values['id']}" for resource, values in made if str(resource.get("type")) in SDN)
    return (*map(str, machines), *sorted(of_sdn))


def variables(part: Part) -> dict[str, Json]:
    machines = [m.model_dump(mode="json", exclude={"group"}) for m in part.machines]
    return {**part.variables, **({"machines": machines} if machines else {})}


def estimate(parts: Sequence[Part], situation: Situation) -> Estimate:
    parts = [part for part in parts if part.machines]
    if not parts:
        return Estimate(assumptions=("A network takes no part of the cluster's processors, memory or storage.",))
    lines = tuple(_shares(parts, situation.cluster))
    metal, nodes = situation.site.own_metal, sum(n.online for n in situation.cluster.nodes)
    wholes = _wholes(situation.cluster)
    if metal is None or not all(wholes):
        return Estimate(lines=lines, assumptions=(own_metal.NOT_STATED,))
    memory, cpu = (line.quantity / whole for line, whole in zip(lines, wholes, strict=False))
    own = own_metal.line(f"own hardware and energy of {_names(parts)}", metal, nodes, memory, cpu)
    return Estimate(lines=(*lines, own), assumptions=(own_metal.arithmetic(metal, nodes, memory, cpu),))


def certify(parts: Sequence[Part], situation: Situation) -> Certificate | None:
    return certifying.certify(parts, situation)


def pictures(manifest: Manifest, situation: Situation) -> dict[str, str]:
    return drawing.picture([part for part in manifest.parts if part.machines], situation)


def _shares(parts: Sequence[Part], snapshot: ClusterSnapshot) -> Iterator[Line]:
    """Shares of what is online, of all parts together. Of a machine that exists only the growth is new."""
    made = [machine for part in parts for machine in part.machines]
    owned = frozenset(vm_id for part in parts for vm_id in owned_ids(part))
    old = [g for g in snapshot.guests if g.vm_id in owned]
    names, (memory_whole, cpu_whole) = _names(parts), _wholes(snapshot)
    memory_gib = sum(m.memory_mib for m in made) / 1024 - sum(g.memory_bytes for g in old) / GIB
    cpu_count = sum(m.cpu_count for m in made) - sum(g.cpu_count for g in old)
    yield _line(f"memory of {names}", memory_gib, "GiB", memory_whole, "memory")
    yield _line(f"vCPUs of {names}", cpu_count, "vCPU", cpu_whole, "processors")
    there = {g.vm_id: g for g in old}
    for storage in sorted({name for m in made for name in m.storages}):
        seen = [s.total_bytes for s in snapshot.storages if s.name == storage and s.active]
        shared = any(s.shared for s in snapshot.storages if s.name == storage and s.active)
        total_bytes = max(seen, default=0) if shared else sum(seen)
        disk_gib = sum(m.gib_on(storage) - _old_gib_on(storage, m, there.get(m.vm_id)) for m in made)
        yield _line(f"disks on {storage}", disk_gib, "GiB", total_bytes / GIB, f"storage {storage}", "storage")


def _old_gib_on(storage: str, machine: Machine, old: Guest | None) -> float:
    if old is None:
        return 0
    data = dict(old.data_disks_gib)
    system: float = old.disk_bytes / GIB if machine.storage == storage else 0
    return system + sum(data.get(one.interface, 0) for one in machine.data_disks if (one.storage or machine.storage) == storage)


def _names(parts: Sequence[Part]) -> str:
    names = [machine.name for part in parts for machine in part.machines]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _wholes(snapshot: ClusterSnapshot) -> tuple[float, float]:
    """Memory in GiB and processors of the nodes that are online."""
    online = [n for n in snapshot.nodes if n.online]
    return sum(n.memory_bytes for n in online) / GIB, sum(n.cpu_count for n in online)


def _line(subject: str, quantity: float, unit: str, whole: float, of: str, path: str = "cluster") -> Line:
    note = f"{quantity / whole:.1%} of {of}" if whole else f"{of} could not be seen"
    return Line(subject=subject, path=path, quantity=round(quantity, 2), unit=unit, amount=None, note=note)
