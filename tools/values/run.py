"""What happened: a run step by step, and the receipt of what exists because of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from tools.values.value import Json, Record, Value

RunStatus = Literal["planned", "approved", "running", "done", "stopped", "removed", "void"]
StepStatus = Literal["waiting", "running", "done", "failed", "skipped"]


class StepRecord(Value):
    """What became of one step of one part."""

    part: str
    name: str
    """`recheck`, `leave`, `reserve`, `apply`, `wait`, `configure`, `watch`, `verify`, `register`, `guide`."""
    status: StepStatus
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: int = 0
    summary: str = ""
    """One whole sentence."""
    remedy: str = ""


class Progress(Value):
    """One line of a run's journal, as shown while it runs."""

    number: int
    """1, 2, 3 … within the run."""
    at: datetime
    part: str
    step: str
    text: str


class MachineReceipt(Value):
    """A machine that answers."""

    name: str
    address: str
    host_key_sha256: str = ""
    body: str = ""
    """`emulated guest` when the machine itself says it is one; empty otherwise."""


class PartReceipt(Value):
    label: str
    outputs: Json
    """Terraform's outputs, none of them secret."""
    machines: tuple[MachineReceipt, ...] = ()
    verified: tuple[str, ...] = ()
    """What was verified, a sentence each."""
    not_verified: tuple[str, ...] = ()
    providers: tuple[tuple[str, str], ...] = ()


class Receipt(Record):
    run_id: str
    plan_digest: str
    parts: tuple[PartReceipt, ...]
    guide: str
    """The file's path."""
    undo: str
    """What to say or type to remove it."""


class Run(Value):
    id: str
    plan_digest: str
    status: RunStatus
    steps: tuple[StepRecord, ...] = ()
    receipt: Receipt | None = None

    @property
    def begun(self) -> bool:
        """Something may have been changed in the world."""
        return any(step.name == "apply" and step.attempt for step in self.steps)

    @property
    def left(self) -> bool:
        """It had stopped, and was left as it stood."""
        return self.status == "done" and any(step.status != "done" for step in self.steps)

    @property
    def told(self) -> str:
        """How it stands, to a person."""
        return "left as it stood, not done" if self.left else self.status
