"""What a change keeps of machines that exist, and what machines rest on. Where machines go is decided in choices, whether they may in
review."""

from __future__ import annotations

from collections.abc import Iterable

from tools.rules.machines import affinity, disks
from tools.rules.machines.restarting import VM
from tools.rules.names.text import spell_memory
from tools.values.machine import AnyMachine, Card, Machine
from tools.values.manifest import Part
from tools.values.requirements import Needs
from tools.values.snapshot import ClusterSnapshot
from tools.values.value import Named


def resting_on(made: Iterable[Machine], snapshot: ClusterSnapshot) -> tuple[tuple[str, Named], ...]:
    """The templates and storages that machines are made from, as they were seen."""
    templates = {t.vm_id: t for t in snapshot.templates}
    storages = {(s.name, s.node): s for s in snapshot.storages}
    seen: dict[str, Named] = {}
    for m in made:
        template = templates.get(m.template_vm_id)
        if template is not None:
            plain = template.model_dump(exclude={"storages", "drives", "cards", "rules_count"}) | {"storages": ", ".join(template.storages)}
            seen[f"template {m.template_vm_id}"] = tuple(plain.items())
        for storage in (storages[name, m.node] for name in sorted(m.storages) if (name, m.node) in storages):
            seen[f"storage {storage.name} of {m.node}"] = (("kind", storage.kind), ("shared", storage.shared))
    return tuple(seen.items())


def size_of(machine: AnyMachine) -> str:
    """As a person reads it: `4 vCPU, 8 GiB memory, 60 GiB disk`."""
    more = "".join(f" + {disks.spell_data_disk(disk)}" for disk in machine.data_disks)
    return f"{machine.cpu_count} vCPU, {spell_memory(machine.memory_mib)} memory, {machine.disk_gib} GiB disk{more}"


def where_of(machine: Machine, network: str) -> str:
    """`pve2, ceph-vm, network 20 (vmbr0, VLAN 20)`, and a fixed address."""
    card = "" if machine.card == network else f" ({machine.card})"
    return f"{machine.node}, {machine.storage}, network {network}{card}{_fixed(machine)}{''.join(map(_further, machine.cards))}"


def _further(card: Card) -> str:
    return f"; another card on {card.spelled}{_fixed(card)}"


def _fixed(card: Machine | Card) -> str:
    return "".join(f", {one}" for one in (card.address, card.address6) if one and one != "dhcp")


def owned_ids(part: Part) -> frozenset[int]:
    """VM ids of the part's machines that exist."""
    return frozenset(int(one) for one in part.owned if one.isdecimal())


def without(snapshot: ClusterSnapshot, vm_ids: Iterable[int]) -> ClusterSnapshot:
    """The cluster as if these machines were not there: what a change of them is offered against."""
    gone = frozenset(vm_ids)
    return snapshot.model_copy(update={"guests": tuple(g for g in snapshot.guests if g.vm_id not in gone)})


def where_now(part: Part, snapshot: ClusterSnapshot) -> Part:
    """The part with its machines on the nodes that they are on now: one may have been migrated, or recovered elsewhere."""
    nodes = {guest.vm_id: guest.node for guest in snapshot.guests}
    return part.model_copy(update={"machines": tuple(m.model_copy(update={"node": nodes.get(m.vm_id, m.node)}) for m in part.machines)})


def keep(old: Part, new: Part) -> Part:
    """A change of machines that exist: same names keep their id, node, storage and template; only their sizes change.

    Names that nobody changed are taken over in order, however they were numbered. Whether a disk shrinks is for the review to find.
    """
    before = {m.name: m for m in old.machines}
    called = [m.name for m in new.machines]
    if new.needs.text("name") == old.needs.text("name"):
        called = [name for group in dict.fromkeys(m.group for m in new.machines) for name in _called_before(old, new, group)]
    kept = tuple(
        m.model_copy(update={"name": name} | (_lasting(before[name], m, new.needs) if name in before else {}))
        for m, name in zip(new.machines, called, strict=True)
    )
    gone = [name for name in before if name not in called]
    network = str(dict(new.facts)["network"])
    resources = tuple(
        one.model_copy(update={"name": m.name, "where": where_of(m, network), "size": size_of(m)})
        for one, m in zip(new.resources, kept, strict=True)
    )
    return new.model_copy(
        update={
            "machines": kept,
            "owned": tuple(str(one.vm_id) for name, one in before.items() if name in called),
            "rests_on": tuple((dict(new.rests_on) | dict(old.rests_on)).items()),
            "resources": resources,
            "variables": {**new.variables, **affinity.keep(old, new, kept)},
            "lets_go": (
                *(address for name in gone for address in addresses_of(name)),
                *affinity.addresses_of(old),
            ),
        }
    )


def addresses_of(name: str) -> tuple[str, ...]:
    """Of a machine, in the module terraform/machines: itself, its high availability, and its firewall."""
    return (
        f'{VM}.machine["{name}"]',
        f'proxmox_haresource.machine["high availability of {name}"]',
        *(f'proxmox_virtual_environment_firewall_{what}.machine["firewall of {name}"]' for what in ("rules", "options")),
        f'terraform_data.guarded["firewall of {name}"]',
    )


def _lasting(old: Machine, new: Machine, needs: Needs) -> dict[str, object]:
    """An address that the site gave stays, as long as the network is the same and nobody says another."""
    stays = (old.bridge, old.vlan_tag) == (new.bridge, new.vlan_tag)
    address: dict[str, object] = {}
    if stays and not needs.strings("address"):
        address = {"address": old.address, "gateway": old.gateway}
    if stays and not needs.strings("address6"):
        address |= {"address6": old.address6, "gateway6": old.gateway6}
    if not needs.strings("more_addresses"):
        before = {(card.bridge, card.vlan_tag): card for card in old.cards}
        address["cards"] = tuple(before.get((card.bridge, card.vlan_tag), card) for card in new.cards)
    if not needs.text("cpu_type"):
        address["cpu_type"] = old.cpu_type
    return (
        old.placement.model_dump()
        | {"vm_id": old.vm_id, "rules": old.rules, "data_disks": disks.keep(old.data_disks, new.data_disks)}
        | address
    )


def _called_before(old: Part, new: Part, group: str) -> list[str]:
    """Of one group, in order: the names of those that there were, then new ones."""
    before, called = ([m.name for m in part.of_group(group)] for part in (old, new))
    there = {m.name for m in old.machines}
    return [*before, *(name for name in called if name not in there)][: len(called)]
