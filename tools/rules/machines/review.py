"""Reviews a part's machines from the manifest and a snapshot alone: every check is made, each failure has a remedy.

The checks of one machine are in tools.rules.machines.checks. Where a machine should go instead is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.rules.machines.capacity import Room, Taking, failover_sum
from tools.rules.machines.checks import CHECKS, Checked, Scene, Trouble
from tools.rules.machines.keeping import owned_ids
from tools.values.manifest import Part
from tools.values.review import Finding, Severity
from tools.values.situation import Situation


def review(part: Part, situation: Situation) -> Checked:
    """(findings, checks that hold)."""
    scene = _scene(part, situation)
    findings: list[Finding] = []
    passed: list[str] = []
    for check, look in CHECKS.items():
        for machine in part.machines:
            trouble = look(machine, scene)
            if trouble:
                findings.append(_finding(part, check, machine.name, trouble))
            else:
                passed.append(f"{check}:{part.label}:{machine.name}")
    for check, severity, trouble in _whole(scene):
        if trouble:
            findings.append(_finding(part, check, part.label, trouble, severity))
        else:
            passed.append(f"{check}:{part.label}:{part.label}")
    return tuple(_each_once(findings)), tuple(passed)


def _scene(part: Part, situation: Situation) -> Scene:
    seen, ids = situation.cluster, owned_ids(part)
    owned = {g.vm_id: g for g in seen.guests if g.vm_id in ids}
    environment = situation.site.environment(part.needs.text("environment"))
    room = Room.of(seen, environment, situation.reserved, frozenset(owned)).after(
        Taking.of(m, owned.get(m.vm_id)) for m in part.machines
    )
    return Scene(part, seen, situation.site, situation.reserved, room, owned)


def _finding(part: Part, check: str, subject: str, trouble: Trouble, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(severity=severity, check=check, part=part.label, subject=subject, detail=trouble[0], remedy=trouble[1])


def _each_once(findings: list[Finding]) -> Iterator[Finding]:
    """Two machines on one full node are one thing to say."""
    said: set[tuple[str, str]] = set()
    for finding in findings:
        if (finding.check, finding.detail) not in said:
            said.add((finding.check, finding.detail))
            yield finding


def _whole(scene: Scene) -> Iterator[tuple[str, Severity, Trouble | None]]:
    """Checks of the part as a whole."""
    wanted, made = scene.part.needs.whole("count", 1), len(scene.part.machines)
    count: Trouble = (f"{wanted} machines were asked for, and the manifest has {made}.", "Compose the manifest again.")
    yield "count", Severity.ERROR, None if wanted == made else count
    quorum: Trouble = ("The cluster has no quorum, so nothing in it can be changed.", "Bring its nodes back first.")
    yield "quorum", Severity.ERROR, None if scene.snapshot.quorate else quorum
    failover = failover_sum(scene.room)
    production = scene.part.needs.text("environment") == "production"
    severity = Severity.WARNING if production else Severity.NOTE
    lost: Trouble | None = None
    if failover is None:
        lost = ("The cluster has one node online: nothing can take over from it.", "Add a node before relying on it.")
    elif not failover.holds:
        lost = (
            f"The loss of the largest node could not be carried: {failover.spelt}.",
            "Add memory or nodes, or stop guests that are not needed.",
        )
    yield "failover.memory", severity, lost
    no_key: Trouble = (
        "Only the run's own SSH key will open these machines.",
        "Name your public key if you want to log in with your own.",
    )
    keyless = any(not m.public_keys for m in scene.part.machines)
    yield "keys", Severity.NOTE, no_key if keyless else None
