"""Compares reviews: whether a refinement is kept, and whether the world has moved since a plan was made. The checks are elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from tools.rules import machines
from tools.values.manifest import Part
from tools.values.review import Finding, Review, Severity
from tools.values.snapshot import ClusterSnapshot, Snapshot


def ratchet(before: Review, after: Review) -> bool:
    """Whether a refinement is kept: no check that held is lost (contract N9). Checks are named by machine, not by place."""
    failed = {(f.check, f.part) for f in after.findings if f.severity is Severity.ERROR}
    lost = {name for name in set(before.passed) - set(after.passed) if _check_and_part(name) in failed}
    return not lost and _errors(after) <= _errors(before)


def world_moved(part: Part, before: Snapshot, after: Snapshot, fresh: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """What stops a plan that was approved. Empty: the world is as it was, whatever its load.

    `fresh` is what the part's capability finds against the snapshot `after`; machines of the part that exist by then are to be
    named with `machines.owning` first, so that a run taken up again does not stumble over its own work.
    """
    errors = tuple(f for f in fresh if f.severity is Severity.ERROR)
    if isinstance(before, ClusterSnapshot) and isinstance(after, ClusterSnapshot):
        told = {(f.check, f.subject) for f in errors}
        return errors + tuple(f for f in _changes(part, before, after) if (f.check, f.subject) not in told)
    return errors


def _changes(part: Part, before: ClusterSnapshot, after: ClusterSnapshot) -> Iterator[Finding]:
    """What the plan was built on and is different now, though it might still do."""
    owned = machines.owned_ids(part)
    for m in machines.machines_in(part):
        if m.vm_id in owned:
            continue
        was = next((t for t in before.templates if t.vm_id == m.template_vm_id), None)
        now = next((t for t in after.templates if t.vm_id == m.template_vm_id), None)
        if was != now:
            what = f"is not what it was when the plan was made: {_difference(was, now)}"
            yield _finding(part, "template.there", m.name, f"Template {m.template_vm_id} {what}.")
        stored = [(s.kind, s.shared, s.content, s.active) for s in before.storages if (s.name, s.node) == (m.storage, m.node)]
        stores = [(s.kind, s.shared, s.content, s.active) for s in after.storages if (s.name, s.node) == (m.storage, m.node)]
        if stored != stores:
            yield _finding(
                part, "storage.there", m.name, f"Storage {m.storage} of {m.node} is not what it was when the plan was made."
            )


def _difference(was: object, now: object) -> str:
    if was is None or now is None:
        return "it appeared" if was is None else "it is gone"
    changed = [name for name, value in vars(was).items() if vars(now).get(name) != value]
    return ", ".join(f"{name.replace('_', ' ')} changed" for name in changed)


def _finding(part: Part, check: str, subject: str, detail: str) -> Finding:
    remedy = "Ask for a new plan; it starts from the world as it is now."
    return Finding(severity=Severity.ERROR, check=check, part=part.name, subject=subject, detail=detail, remedy=remedy)


def _errors(review: Review) -> int:
    return sum(1 for f in review.findings if f.severity is Severity.ERROR)


def _check_and_part(name: str) -> tuple[str, str]:
    check, part, _ = (*name.split(":", 2), "", "")[:3]
    return check, part
