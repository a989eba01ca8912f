"""Values for the ledger's tests, with a clock that moves when told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tools.ledger.ledger import Ledger
from tools.values.manifest import Manifest
from tools.values.plan import Approval, Estimate, PartPlan, Plan
from tools.values.review import Review
from tools.values.site import Reserved

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, **length: float) -> datetime:
        self.time += timedelta(**length)
        return self.time


def open_ledger(home: Path, clock: Clock | None = None, url: str = "", lease_seconds: float = 5.0) -> Ledger:
    return Ledger(url or f"sqlite:///{home / 'ledger.db'}", home, clock or Clock(), lease_seconds)


def manifest(name: str = "ops") -> Manifest:
    return Manifest(requester=name, made_by="rule", parts=(), snapshot_digests=("0" * 64,))


def plan(run_id: str = "run-1", conversation: str = "talk", made_at: datetime = NOON, **more: object) -> Plan:
    asked = manifest()
    values: dict[str, object] = {
        "run_id": run_id,
        "conversation": conversation,
        "kind": "create",
        "requester": "ops",
        "manifest_digest": asked.digest,
        "review_digest": Review(manifest_digest=asked.digest).digest,
        "snapshot_digests": asked.snapshot_digests,
        "policy_version": "1",
        "parts": (
            PartPlan(
                label="web",
                changes=(),
                plan_sha256="a" * 64,
                plan_json_sha256="b" * 64,
                inputs_sha256="c" * 64,
                state_sha256="",
                providers=(),
            ),
        ),
        "estimate": Estimate(),
        "made_at": made_at,
        "expires_at": made_at + timedelta(minutes=30),
        **more,
    }
    return Plan.model_validate(values)


def add(ledger: Ledger, one: Plan, family: str = "family", promised: Reserved = Reserved()) -> Plan:
    asked = manifest()
    ledger.plans.add(one, asked, Review(manifest_digest=asked.digest), family, promised, one.made_at)
    return one


def approval(one: Plan, role: str = "operator", at: datetime = NOON, nonce: str = "n1", **more: object) -> Approval:
    values = {
        "plan_digest": one.digest,
        "role": role,
        "principal": "ops",
        "words": "approve it",
        "at": at,
        "expires_at": at + timedelta(minutes=30),
        "nonce": nonce,
        **more,
    }
    return Approval.model_validate(values)
