"""Compares reviews: whether a refinement is kept, and whether the world has moved since a plan was made. The checks are elsewhere."""

from __future__ import annotations

from tools.values.manifest import Part
from tools.values.review import Finding, Review, Severity


def ratchet(before: Review, after: Review) -> bool:
    """Whether a refinement is kept: no check that held fails now, and there are not more errors (contract N9).

    Checks are named by machine and not by place, so that moving a machine loses none.
    """
    failed = {(f.check, f.part) for f in _errors(after)}
    lost = any(_check_and_part(name) in failed for name in set(before.passed) - set(after.passed))
    return not lost and len(_errors(after)) <= len(_errors(before))


def world_moved(part: Part, before: Review, after: Review) -> tuple[Finding, ...]:
    """What stops a plan that was approved. Empty: the part may be built as planned, whatever the load is now.

    `after` is the review of the same manifest against a fresh snapshot. A manifest names what it was built on (its templates and
    storages), so the review finds those changed as well. Machines of the part that exist by then are to be named with
    `machines.owning` first, so that a run taken up again does not stumble over its own work.
    """
    return tuple(f for f in _errors(after) if f.part == part.label and f not in _errors(before))


def _errors(review: Review) -> tuple[Finding, ...]:
    return tuple(f for f in review.findings if f.severity is Severity.ERROR)


def _check_and_part(name: str) -> tuple[str, str]:
    check, part, _ = (*name.split(":", 2), "", "")[:3]
    return check, part
