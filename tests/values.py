"""The values behind a conversation: what the ledger and the run folders hold, read as the product itself reads them.

Tests assert on these and not on phrases, so that words may change without a test. How a value is called stands here alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from tools.clients.settings import Settings
from tools.clients.terraform import Terraform
from tools.ledger.plans import Kept
from tools.pipeline.drifting import drift
from tools.pipeline.world import World, open_world
from tools.values.conversation import Conversation
from tools.values.machine import Machine
from tools.values.manifest import Part
from tools.values.plan import Approval, Change
from tools.values.requirements import Field, Requirements
from tools.values.run import Run


@dataclass(frozen=True)
class Stored:
    """What is stored of one conversation."""

    world: World = field(repr=False)
    conversation: str

    @property
    def now(self) -> Conversation:
        """Where the conversation is, and every value that it holds."""
        return TypeAdapter(Conversation).validate_python(self.world.ledger.get(self.conversation))

    @property
    def phase(self) -> str:
        return self.now.phase.value

    @property
    def asked(self) -> set[str]:
        """Names of the facts that are asked for."""
        return {fact for _, fact in self.now.asked}

    @property
    def refinements(self) -> int:
        """Rounds in which a choice that failed its review was chosen anew."""
        return self.now.rounds

    @property
    def requirements(self) -> Requirements:
        assert self.now.requirements is not None, "nothing is required"
        return self.now.requirements

    def required(self, name: str, part: int = 0) -> Field:
        field = self.requirements.parts[part].field(name)
        assert field is not None, f"{name} is not required"
        return field

    @property
    def kept(self) -> Kept | None:
        """The newest plan, with what it was made from and whether it is open, void or used."""
        plans = self.world.ledger.plans
        latest = plans.latest(self.conversation)
        return plans.kept(latest.plan_digest) if latest else None

    @property
    def plan(self) -> Kept:
        assert self.kept is not None, "there is no plan"
        return self.kept

    @property
    def open_digest(self) -> str:
        """The digits to approve the plan that waits; empty when none does."""
        kept = self.kept
        return kept.plan.digest[:12] if kept and kept.status == "open" else ""

    @property
    def changes(self) -> Mapping[str, int]:
        """How many things the newest plan creates, updates, replaces and deletes."""
        return Counter(change.action for part in self.plan.plan.parts for change in part.changes)

    @property
    def part(self) -> Part:
        """The one part of the newest plan."""
        [part] = self.plan.manifest.parts
        return part

    @property
    def machines(self) -> tuple[Machine, ...]:
        return self.part.machines

    @property
    def inputs(self) -> dict[str, Any]:
        """What Terraform is given for that part."""
        return dict(json.loads((self.folder / self.part.label / "terraform.tfvars.json").read_text()))

    @property
    def findings(self) -> set[str]:
        """The checks that found something in the newest plan's manifest."""
        return {finding.check for finding in self.plan.review.findings}

    @property
    def roles(self) -> set[str]:
        """Whose approval the newest plan needs."""
        return {role for role, _ in self.plan.plan.approvals}

    @property
    def approvals(self) -> tuple[Approval, ...]:
        """Of the newest plan."""
        return self.world.ledger.plans.approvals(self.plan.plan.digest)

    @property
    def run(self) -> Run:
        """The run of the newest plan."""
        return self.world.ledger.runs.get(self.plan.plan.run_id)

    @property
    def steps(self) -> dict[tuple[str, str], str]:
        """(part, step) → its status, of that run."""
        return {(step.part, step.name): step.status for step in self.run.steps}

    @property
    def folder(self) -> Path:
        return self.world.run_folder(self.plan.plan.run_id)

    def state(self, part: str = "") -> list[dict[str, Any]]:
        """The attributes of whatever a part's Terraform state says there is; of the one part where none is named."""
        [of] = [one for one in self.plan.manifest.parts if one.label == (part or self.part.label)]
        state = Terraform(self.world.settings_of(of), self.folder / of.label).state()
        return [one["attributes"] for resource in state["resources"] for one in resource["instances"]]

    def drift(self) -> tuple[Change, ...]:
        """What Terraform would change now, by a plan that is thrown away."""
        return tuple(change for _, changes in drift(self.world, self.plan.plan.run_id) for change in changes)


@contextmanager
def opened(environment: Mapping[str, str]) -> Iterator[World]:
    """The world of a server, beside the server: its ledger, its run folders and what it is connected to."""
    world = open_world(Settings.from_environment(environment))
    try:
        yield world
    finally:
        world.ledger.close()
