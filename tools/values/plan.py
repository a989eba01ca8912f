"""What will happen, exactly: terraform's own plan of every part, what it costs, who must approve, and one digest over all of it."""

from __future__ import annotations

from datetime import datetime
from math import inf
from typing import Literal

from tools.values.value import Record, Value


class Change(Value):
    address: str
    """Terraform's: `proxmox_virtual_environment_vm.machine["db-01"]`."""
    action: Literal["create", "update", "replace", "delete"]
    name: str
    details: tuple[str, ...] = ()
    """`memory.dedicated 8192 → 16384`."""
    restarts: bool = False
    """A running machine is shut down and started again by it."""
    act: bool = False
    """It makes and removes no thing: it applies what else is changed."""


class PartPlan(Value):
    label: str
    changes: tuple[Change, ...]
    plan_sha256: str
    """Of the plan file as Terraform wrote it."""
    plan_json_sha256: str
    inputs_sha256: str
    """Of everything in the run folder that Terraform reads besides the state: module, variables, lock file."""
    state_sha256: str
    """Of the state before; empty when there is none."""
    providers: tuple[tuple[str, str], ...]
    """(`bpg/proxmox`, the version as installed)."""
    inputs: tuple[tuple[str, str], ...] = ()
    """(file, its SHA-256) of each of the inputs, so that a changed one can be named. Empty in what an older Berth planned."""


class Line(Value):
    """One line of the estimate."""

    subject: str
    path: str
    """What it is grouped by besides: `compute`, `storage`, `data path`, `cluster`."""
    quantity: float
    unit: str
    amount: float | None
    """A month, in `Estimate.currency`; None when it has no price: then `note` says so."""
    note: str = ""
    price_row: str = ""
    """The key of the row of the price snapshot."""


class Estimate(Value):
    currency: str = ""
    """Empty when nothing is paid in money: a cluster's memory and storage."""
    total: float | None = None
    lines: tuple[Line, ...] = ()
    assumptions: tuple[str, ...] = ()
    savings: tuple[str, ...] = ()
    captured_at: str = ""


class Swing(Value):
    """What an assumption would change: the cost a month of everything with either end of its range; None where nothing would fit then."""

    part: str
    field: str
    low: float | None
    high: float | None

    @property
    def spread(self) -> float:
        """What does not fit any more is more than any money."""
        return inf if self.low is None or self.high is None else abs(self.high - self.low)


class Plan(Record):
    run_id: str
    conversation: str
    kind: Literal["create", "change", "remove"]
    requester: str
    manifest_digest: str
    review_digest: str
    snapshot_digests: tuple[str, ...]
    policy_version: str
    parts: tuple[PartPlan, ...]
    estimate: Estimate
    approvals: tuple[tuple[str, str], ...] = (("operator", "Every plan is approved by the person who asked."),)
    """(role, reason). The run starts when every role has approved this digest."""
    made_at: datetime
    expires_at: datetime


class Approval(Record):
    plan_digest: str
    role: str
    principal: str
    words: str
    """Exactly as typed."""
    at: datetime
    expires_at: datetime
    nonce: str
    override_reason: str = ""
    signature: str = ""
    """HMAC-SHA256 by the ledger's key over the rest."""
