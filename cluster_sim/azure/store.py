"""What exists in the simulated Azure, and keeping it in one JSON file. Whether it may exist is not decided here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Resource:
    id: str
    type: str
    body: dict[str, Any]
    """What ARM answers, without id, name and type."""
    generation: int
    """Counts creations: the same name made anew has other ids inside."""
    created_at_s: float
    changed_at_s: float
    created_by: str
    state: str = "Succeeded"
    operation: str = ""
    """The id of the operation under way, if one is."""
    complete: bool = False
    """Whether it was ever made in full: of one that failed at first nothing is left to recover."""

    @property
    def key(self) -> str:
        return self.id.lower()

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[1]

    @property
    def properties(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body.setdefault("properties", {})
        return found

    @property
    def location(self) -> str:
        return str(self.body.get("location", ""))

    @property
    def group(self) -> str:
        parts = self.id.split("/")
        return parts[4] if len(parts) > 4 and parts[3] == "resourceGroups" else ""


@dataclass
class Operation:
    id: str
    verb: str
    """`put` or `delete`."""
    target: str
    """The resource's key."""
    path: str
    """Where its status is asked for."""
    started_at_s: float
    ends_at_s: float
    error: dict[str, Any] | None = None
    done: bool = False


@dataclass
class Store:
    file: Path | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    deleted: dict[str, Resource] = field(default_factory=dict)
    """Soft-deleted vaults, accounts and workspaces, by their old key."""
    registered: dict[str, str] = field(default_factory=dict)
    """`subscription/namespace` in lower case → state, where it changed since the world began."""
    content: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What is inside a resource that ARM does not see (a Databricks workspace, a cluster, a container of blobs), by its key."""
    events: list[dict[str, Any]] = field(default_factory=list)
    """The activity log, oldest first: what was written and deleted, and refused."""
    generation: int = 0

    def next_generation(self) -> int:
        self.generation += 1
        return self.generation

    def under(self, key: str) -> Iterator[Resource]:
        """Everything below an id, nested resources and extensions alike."""
        prefix = key.rstrip("/") + "/"
        return iter([r for k, r in self.resources.items() if k.startswith(prefix)])

    def of_type(self, type_: str, under: str = "") -> Iterator[Resource]:
        wanted = type_.lower()
        prefix = under.lower().rstrip("/") + "/"
        return iter([r for k, r in self.resources.items() if r.type.lower() == wanted and k.startswith(prefix)])

    def save(self, fingerprint: str) -> None:
        if self.file is None:
            return
        value = {
            "world": fingerprint,
            "generation": self.generation,
            "resources": [asdict(r) for r in self.resources.values()],
            "deleted": [asdict(r) for r in self.deleted.values()],
            "operations": [asdict(o) for o in self.operations.values()],
            "registered": self.registered,
            "content": self.content,
            "events": self.events,
        }
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(value), "utf-8")
        os.replace(new, self.file)

    def load(self, fingerprint: str) -> bool:
        """Takes up what was kept, if it was kept for this very world."""
        if self.file is None or not self.file.exists():
            return False
        value = json.loads(self.file.read_text("utf-8"))
        if value["world"] != fingerprint:
            return False
        self.generation = value["generation"]
        self.resources = {r.key: r for r in (Resource(**item) for item in value["resources"])}
        self.deleted = {r.key: r for r in (Resource(**item) for item in value["deleted"])}
        self.operations = {o.id: o for o in (Operation(**item) for item in value["operations"])}
        self.registered, self.content = value["registered"], value.get("content", value.get("workspace_content", {}))
        self.events = value.get("events", [])
        return True
