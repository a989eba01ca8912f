"""Reviews a part's machines from the manifest and a snapshot alone: every check is made, each fault is a kind with data.

The checks of one machine are in tools.rules.machines.checks. Where a machine should go instead is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tools.rules.machines import firewall
from tools.rules.machines.capacity import room_of
from tools.rules.machines.checks import CHECKS, Checked, Scene, beside, confined, rules_kept, together, virtual_addresses
from tools.rules.machines.keeping import owned_ids
from tools.rules.machines.losing import losses, newly_homeless, proved, survivors
from tools.rules.machines.places import SUBJECTS_NAMED_MAX
from tools.values.manifest import Part
from tools.values.review import THE_CLUSTER, Fault, Finding, Severity, fault
from tools.values.situation import Situation

NODES_LOOKED_AT_MAX = 64
OF_THE_PART = (
    "count",
    "keys",
    "waiting",
    "group.apart",
    "group.rules",
    "group.beside",
    "group.nodes",
    "address.virtual",
    "firewall.network",
    "firewall.ssh",
    "firewall.template",
)
"""Checks of the part as a whole that are not of the whole cluster."""


def review(part: Part, situation: Situation) -> Checked:
    """(findings, checks that hold)."""
    scene = _scene(part, situation)
    findings: list[Finding] = []
    passed: list[str] = []
    for check, look in CHECKS.items():
        for machine in part.machines:
            found = look(machine, scene)
            if found:
                findings.append(found.finding(check, part.label, machine.name))
            else:
                passed.append(f"{check}:{part.label}:{machine.name}")
    for check, severity, found in _whole(scene, situation.parts):
        if found:
            findings.append(found.finding(check, part.label, part.label if check in OF_THE_PART else THE_CLUSTER, severity))
        else:
            passed.append(f"{check}:{part.label}:{part.label}")
    # Two machines on one full node are one thing to say.
    once = {(f.check, f.kind, f.data): f for f in reversed(findings)}
    return tuple(once.values()), tuple(passed)


def _scene(part: Part, situation: Situation) -> Scene:
    seen, ids, name = situation.cluster, owned_ids(part), part.needs.text("environment")
    owned = {g.vm_id: g for g in seen.guests if g.vm_id in ids}
    promised = any(m.high_availability for m in part.machines)
    after = room_of(situation, name, [part], highly_available=promised)
    return Scene(part, seen, situation.site, situation.reserved, after, owned, room_of(situation, name))


def _whole(scene: Scene, others: Iterable[Part]) -> Iterator[tuple[str, Severity, Fault | None]]:
    """Checks of the part as a whole."""
    made = scene.part.machines
    yield "count", Severity.ERROR, _count(scene.part)
    yield "group.apart", *together(scene)
    yield "group.rules", *rules_kept(scene, others)
    yield "group.beside", *beside(scene, others)
    yield "group.nodes", *confined(scene)
    yield "address.virtual", Severity.ERROR, virtual_addresses(scene)
    yield "quorum", Severity.ERROR, None if scene.snapshot.quorate else fault("cluster.no_quorum")
    yield "failover.memory", *_loss(scene)
    yield from firewall.findings(scene.part, scene.snapshot)
    asked = {one for m in made for one in (m.name, m.address_alone)} | scene.part.virtual_alone
    also = tuple(sorted(asked & scene.reserved.waiting))
    yield "waiting", Severity.NOTE, fault("waiting.same", also=also) if also else None
    yield "keys", Severity.NOTE, fault("keys.none") if any(not m.public_keys for m in made) else None


def _count(part: Part) -> Fault | None:
    """As many of each group as were asked for, and none of another."""
    for group in part.needs.kinds:
        asked, found = part.needs.of(group).whole("count", 1), len(part.of_group(group.name))
        if asked != found:
            return fault("asked.count", asked=asked, found=found)
    asked = part.needs.machine_count
    return fault("asked.count", asked=asked, found=len(part.machines)) if asked != len(part.machines) else None


def _loss(scene: Scene) -> tuple[Severity, Fault | None]:
    """What the loss of a node would do. A plan that leaves somebody without a place is refused where the site says so; that somebody has
    none already is told."""
    production = scene.part.needs.text("environment") == "production"
    severity = Severity.WARNING if production else Severity.NOTE
    if len(survivors(scene.room)) < 2:
        return severity, fault("cluster.one_node")
    # Of a large cluster, those nodes are looked at whose load this part changes.
    only = None if len(scene.snapshot.nodes) <= NODES_LOOKED_AT_MAX else {m.node for m in scene.part.machines}
    after = losses(scene.room, only)
    newly = newly_homeless(losses(scene.before, only), after)
    if newly:
        lost = newly[0][0]
        told = fault("loss.newly_homeless", node=lost, who=tuple(mover.spelt for node, mover in newly if node == lost)[:SUBJECTS_NAMED_MAX])
        return Severity.ERROR if proved(scene.room) else severity, told
    worst = max(after, key=lambda loss: sum(mover.memory_mib for mover in loss.homeless), default=None)
    if worst is None or not worst.homeless:
        return severity, None
    return Severity.NOTE, fault("loss.homeless", node=worst.node, who=tuple(m.spelt for m in worst.homeless)[:SUBJECTS_NAMED_MAX])
