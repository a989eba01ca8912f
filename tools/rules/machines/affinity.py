"""Rules of high availability: what the cluster's manager keeps to when it starts machines elsewhere, so that they do not come together, or
come apart, after a node is lost, and go to no node that could not run them. Where they are put at first is decided in
tools.rules.machines.placement."""

from __future__ import annotations

from collections.abc import Sequence

from tools.rules.machines.capacity import node_problem
from tools.rules.machines.reaching import able
from tools.values.machine import Machine
from tools.values.manifest import Part
from tools.values.requirements import Group, Needs
from tools.values.snapshot import ClusterSnapshot
from tools.values.value import Json

RULES_SINCE = 9
"""Major version of Proxmox VE; before, there are groups of nodes alone."""
AFFINITIES = "affinities"
CONFINED = "confined"
"""Variables of the module: who is kept together or apart, and who may be on some nodes alone."""
KINDS = {"apart": "negative", "together": "positive"}
"""As Proxmox VE calls them."""


def has_rules(snapshot: ClusterSnapshot) -> bool:
    return snapshot.version.partition(".")[0].isdecimal() and int(snapshot.version.partition(".")[0]) >= RULES_SINCE


def variables_of(needs: Needs, machines: Sequence[Machine], snapshot: ClusterSnapshot) -> dict[str, Json]:
    """What the module is told; nothing where there is nothing to keep to."""
    found = {AFFINITIES: rules_of(needs, machines, snapshot), CONFINED: confined(machines, snapshot)}
    return {name: value for name, value in found.items() if value}


def confined(machines: Sequence[Machine], snapshot: ClusterSnapshot) -> list[Json]:
    """Those that not every node could run, by the nodes that can: without being told, the manager would try any. A rule, or before
    Proxmox VE 9 a group."""
    online = {node.name for node in snapshot.nodes if node.online}
    alike: dict[tuple[str, tuple[str, ...]], list[Machine]] = {}
    for machine in machines:
        if machine.high_availability and set(nodes := able(machine, snapshot)) < online:
            alike.setdefault((machine.group, nodes), []).append(machine)
    return [
        {
            "name": f"berth-{mine[0].vm_id}-nodes",
            "by_group": not has_rules(snapshot),
            "nodes": list(nodes),
            "machines": [m.name for m in mine],
        }
        for (_, nodes), mine in alike.items()
    ]


def rules_of(needs: Needs, machines: Sequence[Machine], snapshot: ClusterSnapshot) -> list[Json]:
    """One a group, where it takes one. A rule is never bent: a machine that finds no node of its own waits. So where nobody asked for it,
    there is one only as long as another node is free."""
    usable = {node.name for node in snapshot.nodes if not node_problem(node)}
    return [
        {"name": f"berth-{mine[0].vm_id}", "group": group.name, "affinity": KINDS[kind], "machines": [m.name for m in mine]}
        for group in needs.kinds
        if (mine := [m for m in machines if m.group == group.name and m.high_availability])[1:]
        if has_rules(snapshot)
        if (kind := _kind(needs, group, mine, spare=len(usable.intersection(*(able(m, snapshot) for m in mine)))))
    ]


def _kind(needs: Needs, group: Group, machines: Sequence[Machine], spare: int) -> str:
    nodes = {m.node for m in machines}
    if group.together:
        return "together" if len(nodes) == 1 else ""
    asked = group.one_a_node or (needs.text("environment") == "production" and spare > len(machines))
    return "apart" if asked and len(nodes) == len(machines) else ""


def keep(old: Part, new: Part, machines: Sequence[Machine]) -> dict[str, Json]:
    """Of machines that are partly there already, and called as they were: each rule stays under its name."""
    renamed = {AFFINITIES: _rules_kept(old, new, machines), CONFINED: _confined_kept(old, new, machines)}
    return {name: value for name, value in renamed.items() if value}


def _confined_kept(old: Part, new: Part, machines: Sequence[Machine]) -> list[Json]:
    called = dict(zip((m.name for m in new.machines), (m.name for m in machines), strict=True))
    before = {name: one["name"] for one in old.variables.get(CONFINED, ()) for name in one["machines"]}
    ids = {m.name: m.vm_id for m in machines}
    kept: list[Json] = []
    for one in new.variables.get(CONFINED, ()):
        names = [called[name] for name in one["machines"]]
        taken = {each["name"] for each in kept}
        stays = next((before[name] for name in names if name in before and before[name] not in taken), "")
        kept.append({**one, "name": stays or f"berth-{ids[names[0]]}-nodes", "machines": names})
    return kept


def _rules_kept(old: Part, new: Part, machines: Sequence[Machine]) -> list[Json]:
    before = {one["group"]: one["name"] for one in old.variables.get(AFFINITIES, ())}
    called = dict(zip((m.name for m in new.machines), (m.name for m in machines), strict=True))
    ids = {m.name: m.vm_id for m in machines}
    kept: list[Json] = []
    for one in new.variables.get(AFFINITIES, ()):
        names = [called[name] for name in one["machines"]]
        kept.append({**one, "name": before.get(one["group"], f"berth-{ids[names[0]]}"), "machines": names})
    return kept


def addresses_of(part: Part) -> tuple[str, ...]:
    """Of its rules and groups, in the module terraform/machines."""
    rules = (f'proxmox_harule.machines["rule of the {one["group"] or "machines"}"]' for one in part.variables.get(AFFINITIES, ()))
    told = (("hagroup" if one["by_group"] else "harule", one["name"]) for one in part.variables.get(CONFINED, ()))
    return (*rules, *(f'proxmox_{kind}.nodes["nodes of {name}"]' for kind, name in told))
