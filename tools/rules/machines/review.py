"""Reviews a part's machines from the manifest and a snapshot alone: every check is made, each fault is a kind with data.

The checks of one machine are in tools.rules.machines.checks. Where a machine should go instead is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.rules.machines.capacity import Room, Taking, failover_sum
from tools.rules.machines.checks import CHECKS, Checked, Scene
from tools.rules.machines.keeping import owned_ids
from tools.values.manifest import Part
from tools.values.review import Fault, Finding, Severity, fault
from tools.values.situation import Situation


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
    for check, severity, found in _whole(scene):
        if found:
            findings.append(found.finding(check, part.label, part.label, severity))
        else:
            passed.append(f"{check}:{part.label}:{part.label}")
    # Two machines on one full node are one thing to say.
    once = {(f.check, f.kind, f.data): f for f in reversed(findings)}
    return tuple(once.values()), tuple(passed)


def _scene(part: Part, situation: Situation) -> Scene:
    seen, ids = situation.cluster, owned_ids(part)
    owned = {g.vm_id: g for g in seen.guests if g.vm_id in ids}
    environment = situation.site.environment(part.needs.text("environment"))
    room = Room.of(seen, environment, situation.reserved, frozenset(owned)).after(Taking.of(m, owned.get(m.vm_id)) for m in part.machines)
    return Scene(part, seen, situation.site, situation.reserved, room, owned)


def _whole(scene: Scene) -> Iterator[tuple[str, Severity, Fault | None]]:
    """Checks of the part as a whole."""
    asked, made = scene.part.needs.whole("count", 1), scene.part.machines
    yield "count", Severity.ERROR, fault("asked.count", asked=asked, found=len(made)) if asked != len(made) else None
    yield "quorum", Severity.ERROR, None if scene.snapshot.quorate else fault("cluster.no_quorum")
    failover = failover_sum(scene.room)
    lost = fault("cluster.one_node") if failover is None else fault("cluster.loss_not_carried", sum=failover)
    production = scene.part.needs.text("environment") == "production"
    severity = Severity.WARNING if production else Severity.NOTE
    yield "failover.memory", severity, None if failover and failover.holds else lost
    yield "keys", Severity.NOTE, fault("keys.none") if any(not m.public_keys for m in made) else None
