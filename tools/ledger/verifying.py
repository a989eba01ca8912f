"""Whether the other tables tell what the audit chain tells: plans, approvals, runs, their steps and journals. Working memory (what is being
talked about, what is promised, who holds a lease) is not in the chain, and not looked at. Pure: rows are handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.values.manifest import Manifest
from tools.values.plan import Approval, Plan
from tools.values.review import Review
from tools.values.run import Receipt
from tools.values.shapes import Unreadable, read
from tools.values.value import Json, sha256

Row = Any
"""Of the database, with its columns as attributes."""


@dataclass
class Told:
    """What the chain tells."""

    planned: dict[str, dict[str, Json]] = field(default_factory=dict)
    """By the plan's digest."""
    approved: dict[str, dict[str, Json]] = field(default_factory=dict)
    """By its nonce."""
    begun: dict[str, str] = field(default_factory=dict)
    """Plan → run."""
    voided: set[str] = field(default_factory=set)
    runs: dict[str, dict[str, Json]] = field(default_factory=dict)
    """Run → how it stands: status, plan, receipt, and the sums of its steps and journal where nothing has happened since."""


def told(records: Iterable[Mapping[str, Json]]) -> Told:
    found = Told()
    for one in records:
        plan, run = str(one.get("plan", "")), str(one.get("run_id", ""))
        match one.get("action"):
            case "planned":
                found.planned[plan] = dict(one)
            case "approved":
                found.approved[str(one.get("nonce"))] = dict(one)
            case "voided":
                found.voided.add(plan)
            case "begun":
                found.begun[plan] = run
                found.runs[run] = {**found.runs.get(run, {}), "status": "running", "plan": plan, "steps": None}
            case "retried":
                found.runs.setdefault(run, {}).update(status="running", steps=None)
            case "set":
                found.runs.setdefault(run, {}).update(status=one.get("status"))
            case "ended":
                last = found.runs.setdefault(run, {})
                last.update(status=one.get("status"), steps=one.get("steps"), journal=one.get("journal"))
                last["receipt"] = one.get("receipt") or last.get("receipt")
    return found


def plan_differences(of: Told, rows: Iterable[Row]) -> Iterator[str]:
    """Sentences."""
    seen: set[str] = set()
    for row in rows:
        what = f"The plan {row.digest[:12]} of {row.run_id}"
        seen.add(row.digest)
        record = of.planned.get(row.digest)
        if record is None:
            yield f"{what} is in no record."
            continue
        try:
            sums = [read(kind, text, what).digest for kind, text in _values(row)]
        except Unreadable as problem:
            yield problem.detail
            continue
        if sums != [row.digest, record.get("manifest"), record.get("review")]:
            yield f"{what} is not what was recorded: it, its manifest or its review was changed."
        if row.tenant != record.get("tenant", ""):
            yield f"{what} belongs to another tenant than was recorded."
        status = "used" if row.digest in of.begun else "void" if row.digest in of.voided else "open"
        if row.status != status or row.run_id != record.get("run_id"):
            yield f"{what} stands as {row.status}, and the records say {status}."
    yield from (f"The plan {digest[:12]} is gone." for digest in of.planned.keys() - seen)


def _values(row: Row) -> tuple[tuple[Any, str], ...]:
    return (Plan, row.json), (Manifest, row.manifest_json), (Review, row.review_json)


def approval_differences(of: Told, rows: Iterable[Row], uses: Iterable[Row], holds: Callable[[Approval], bool]) -> Iterator[str]:
    """`holds`: whether its signature is ours."""
    plans: dict[str, str] = {}
    for row in rows:
        what = f"The approval of {row.plan_digest[:12]} as {row.role}"
        record = of.approved.get(row.nonce)
        plans[row.nonce] = row.plan_digest
        if record is None:
            yield f"{what} is in no record."
            continue
        try:
            approval = read(Approval, row.json, what)
        except Unreadable as problem:
            yield problem.detail
            continue
        recorded = (record.get("plan"), record.get("role"), record.get("principal"))
        if not holds(approval) or {recorded, (row.plan_digest, row.role, approval.principal)} != {
            (approval.plan_digest, approval.role, approval.principal)
        }:
            yield f"{what} is not what was recorded."
    yield from (f"An approval of {str(of.approved[nonce].get('plan'))[:12]} is gone." for nonce in of.approved.keys() - plans.keys())
    used = {row.nonce: row.run_id for row in uses}
    spent = {nonce: of.begun[plan] for nonce, plan in plans.items() if plan in of.begun}
    if used != spent:
        yield "Which approvals were spent is not what was recorded."


def run_differences(of: Told, rows: Iterable[Row], sums: Callable[[str, int | None], tuple[str, str]]) -> Iterator[str]:
    """`sums`: of a run's steps, and of so many lines of its journal."""
    seen: set[str] = set()
    for row in rows:
        seen.add(row.id)
        said = of.runs.get(row.id)
        if said is None:
            yield f"{row.id} is in no record."
            continue
        if (row.status, row.plan_digest) != (said.get("status"), said.get("plan", row.plan_digest)):
            yield f"{row.id} stands as {row.status} under the plan {row.plan_digest[:12]}, and the records say otherwise."
        if row.tenant != of.planned.get(row.plan_digest, {}).get("tenant", ""):
            yield f"{row.id} belongs to another tenant than was recorded."
        if fault := _receipt_difference(row, said):
            yield fault
        count, journal = said.get("journal") or (None, None)
        steps, lines = sums(row.id, count)
        if said.get("steps") not in (None, steps):
            yield f"The steps of {row.id} are not as they were when it ended."
        if journal not in (None, lines):
            yield f"The journal of {row.id} is not as it was when the run ended."
    yield from (f"{run} is gone." for run in of.runs.keys() - seen)


def _receipt_difference(row: Row, said: Mapping[str, Json]) -> str:
    try:
        receipt = read(Receipt, row.receipt_json, f"The receipt of {row.id}").digest if row.receipt_json else None
    except Unreadable as problem:
        return problem.detail
    return "" if receipt == said.get("receipt") else f"The receipt of {row.id} is not what was recorded."


def sum_of(texts: Iterable[str | None]) -> str:
    """One digest over rows, in their order."""
    return sha256("\n".join(sha256((text or "").encode()) for text in texts).encode())
