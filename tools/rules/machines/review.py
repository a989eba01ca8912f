"""Reviews a part's machines from the manifest and a snapshot alone: every check is made, each failure has a remedy.

The checks of one machine are in tools.rules.machines.checks. Where a machine should go instead is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from tools.rules.machines.capacity import Room, failover_sum, spell_sum
from tools.rules.machines.checks import CHECKS, Scene, Trouble
from tools.rules.machines.machines import Machine, cluster, environment_of, machines_in, number, owned_ids, taking, text
from tools.values.manifest import Part
from tools.values.review import Finding, Severity
from tools.values.site import Reserved, Site
from tools.values.snapshot import ClusterSnapshot, Snapshot

Checked = tuple[tuple[Finding, ...], tuple[str, ...]]


def review(part: Part, snapshot: Snapshot, site: Site, reserved: Reserved) -> Checked:
    """(findings, checks that hold)."""
    seen = cluster(snapshot)
    try:
        made = machines_in(part)
    except ValidationError as error:
        fields = ", ".join(sorted({".".join(map(str, e["loc"])) for e in error.errors()}))
        return (
            _finding(
                part, "machines.form", part.name, (f"The machines cannot be read: {fields}.", "Compose the manifest again.")
            ),
        ), ()
    scene = _scene(part, made, seen, site, reserved)
    findings: list[Finding] = []
    passed: list[str] = []
    for check, look in CHECKS.items():
        for machine in made:
            trouble = look(machine, scene)
            if trouble:
                findings.append(_finding(part, check, machine.name, trouble))
            else:
                passed.append(f"{check}:{part.name}:{machine.name}")
    for check, severity, trouble in _whole(scene):
        if trouble:
            findings.append(_finding(part, check, part.name, trouble, severity))
        else:
            passed.append(f"{check}:{part.name}:{part.name}")
    return tuple(_each_once(findings)), tuple(passed)


def _scene(part: Part, made: tuple[Machine, ...], seen: ClusterSnapshot, site: Site, reserved: Reserved) -> Scene:
    ids = owned_ids(part)
    owned = {g.vm_id: g for g in seen.guests if g.vm_id in ids}
    room = Room.of(seen, environment_of(part.needs, site), reserved, frozenset(owned)).after(
        taking(m, owned.get(m.vm_id)) for m in made
    )
    return Scene(part, made, seen, site, reserved, room, owned)


def _finding(part: Part, check: str, subject: str, trouble: Trouble, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(severity=severity, check=check, part=part.name, subject=subject, detail=trouble[0], remedy=trouble[1])


def _each_once(findings: list[Finding]) -> Iterator[Finding]:
    """Two machines on one full node are one thing to say."""
    said: set[tuple[str, str]] = set()
    for finding in findings:
        if (finding.check, finding.detail) not in said:
            said.add((finding.check, finding.detail))
            yield finding


def _whole(scene: Scene) -> Iterator[tuple[str, Severity, Trouble | None]]:
    """Checks of the part as a whole."""
    wanted, made = number(scene.part.needs, "count", 1), len(scene.machines)
    count: Trouble = (f"{wanted} machines were asked for, and the manifest has {made}.", "Compose the manifest again.")
    yield "count", Severity.ERROR, None if wanted == made else count
    quorum: Trouble = ("The cluster has no quorum, so nothing in it can be changed.", "Bring its nodes back first.")
    yield "quorum", Severity.ERROR, None if scene.snapshot.quorate else quorum
    failover = failover_sum(scene.room)
    production = text(scene.part.needs, "environment") == "production"
    severity = Severity.WARNING if production else Severity.NOTE
    lost: Trouble | None = None
    if failover is None:
        lost = ("The cluster has one node online: nothing can take over from it.", "Add a node before relying on it.")
    elif not failover.holds:
        lost = (
            f"The loss of the largest node could not be carried: {spell_sum(failover)}.",
            "Add memory or nodes, or stop guests that are not needed.",
        )
    yield "failover.memory", severity, lost
    no_key: Trouble = (
        "Only the run's own SSH key will open these machines.",
        "Name your public key if you want to log in with your own.",
    )
    keyless = any(not m.public_keys for m in scene.machines)
    yield "keys", Severity.NOTE, no_key if keyless else None
