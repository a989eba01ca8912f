"""Rules of high availability: what the cluster's manager keeps to when it starts machines elsewhere, so that they do not come together, or
come apart, after a node is lost. Where they are put at first is decided in tools.rules.machines.placement."""

from __future__ import annotations

from collections.abc import Sequence

from tools.rules.machines.capacity import node_problem
from tools.values.machine import Machine
from tools.values.manifest import Part
from tools.values.requirements import Group, Needs
from tools.values.snapshot import ClusterSnapshot
from tools.values.value import Json

RULES_SINCE = 9
"""Major version of Proxmox VE; before, there are groups of nodes alone."""
AFFINITIES = "affinities"
"""The variable of the module."""
KINDS = {"apart": "negative", "together": "positive"}
"""As Proxmox VE calls them."""


def has_rules(snapshot: ClusterSnapshot) -> bool:
    return snapshot.version.partition(".")[0].isdigit() and int(snapshot.version.partition(".")[0]) >= RULES_SINCE


def rules_of(needs: Needs, machines: Sequence[Machine], snapshot: ClusterSnapshot) -> list[Json]:
    """One a group, where it takes one. A rule is never bent: a machine that finds no node of its own waits. So where nobody asked for it,
    there is one only as long as another node is free."""
    spare = sum(1 for node in snapshot.nodes if not node_problem(node))
    return [
        {"name": f"berth-{mine[0].vm_id}", "group": group.name, "affinity": KINDS[kind], "machines": [m.name for m in mine]}
        for group in needs.kinds
        if (mine := [m for m in machines if m.group == group.name and m.high_availability])[1:]
        if has_rules(snapshot) and (kind := _kind(needs, group, mine, spare))
    ]


def _kind(needs: Needs, group: Group, machines: Sequence[Machine], spare: int) -> str:
    nodes = {m.node for m in machines}
    if group.together:
        return "together" if len(nodes) == 1 else ""
    asked = group.one_a_node or (needs.text("environment") == "production" and spare > len(machines))
    return "apart" if asked and len(nodes) == len(machines) else ""


def keep(old: Part, new: Part, machines: Sequence[Machine]) -> list[Json]:
    """Rules of machines that are partly there already, and called as they were: each rule stays under its name."""
    before = {one["group"]: one["name"] for one in old.variables.get(AFFINITIES, ())}
    called = dict(zip((m.name for m in new.machines), (m.name for m in machines), strict=True))
    ids = {m.name: m.vm_id for m in machines}
    kept: list[Json] = []
    for one in new.variables.get(AFFINITIES, ()):
        names = [called[name] for name in one["machines"]]
        kept.append({**one, "name": before.get(one["group"], f"berth-{ids[names[0]]}"), "machines": names})
    return kept


def address_of(group: str) -> str:
    """Of a rule, in the module terraform/machines."""
    return f'proxmox_harule.machines["rule of the {group or "machines"}"]'
