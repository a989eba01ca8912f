"""What a stand-in provider is made of: resources, data sources, and problems told as Terraform diagnostics."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cluster_sim.mirror import planning
from cluster_sim.mirror.planning import Path
from cluster_sim.mirror.schema import Block, Values


class Problem(Exception):
    """Something the operator must know. `state` is what came into being before it, so that Terraform keeps it."""

    def __init__(self, summary: str, detail: str = "", *, path: Path = (), state: Values | None = None) -> None:
        super().__init__(summary)
        self.summary, self.detail, self.path, self.state = summary, detail, path, state


class _Remarks(threading.local):
    """Warnings of the call under way. Every call has a thread to itself."""

    def __init__(self) -> None:
        self.made: list[Problem] = []


_remarks = _Remarks()


def warn(summary: str, detail: str = "") -> None:
    """Something the operator should read although the work went on."""
    _remarks.made.append(Problem(summary, detail))


def take_warnings() -> list[Problem]:
    made, _remarks.made = _remarks.made, []
    return made


class Stopping:
    """Set when Terraform asks to stop: waits end early, and what exists is kept in the state."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask(self) -> None:
        self._asked.set()

    def pause(self, seconds: float) -> None:
        if self._asked.wait(seconds):
            raise Problem("Terraform was asked to stop, so the provider no longer waits. What exists so far is kept in the state.")


class Resource:
    """One resource type. The plugin calls these; `planned` and `state` hold every member of the schema."""

    schema: Block
    version = 0
    legacy = False
    """Made with Terraform's older SDK, whose plans and results Terraform checks less strictly."""

    def validate(self, config: Values) -> list[Problem]:
        return []

    def adjust(self, planned: Values, config: Values, prior: Values | None) -> Values:
        """Corrects a plan where the table cannot say it."""
        return planned

    def replacements(self, planned: Values, prior: Values) -> list[Path]:
        """The paths whose change makes a new resource."""
        return planning.replacements(self.schema, planned, prior)

    def create(self, planned: Values, config: Values) -> Values:
        raise NotImplementedError

    def read(self, state: Values) -> Values | None:
        """The state as the world has it now, or None when the resource has gone."""
        raise NotImplementedError

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        raise NotImplementedError

    def delete(self, state: Values) -> None:
        raise NotImplementedError

    def adopt(self, identifier: str) -> Values:
        """The beginning of a state from what `terraform import` was given; `read` fills in the rest."""
        raise Problem("The stand-in provider cannot import this resource.")


class DataSource:
    schema: Block

    def look(self, config: Values) -> Values:
        raise NotImplementedError


@dataclass
class Provider:
    schema: Block
    resources: Mapping[str, Resource]
    data_sources: Mapping[str, DataSource] = field(default_factory=dict)
    stopping: Stopping = field(default_factory=Stopping)

    def configure(self, config: Values) -> None:
        raise NotImplementedError


def empty(block: Block) -> Values:
    """A state of nothing: every member present, none set."""
    return {
        name: [] if isinstance(member, Block) and member.nesting == "list" and not member.flags else None
        for name, member in block.members.items()
    }


def first(items: Any) -> dict[str, Any] | None:
    """The one item of a block that may be written once."""
    return items[0] if isinstance(items, list) and items else None
