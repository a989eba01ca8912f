"""The words in which a stand-in provider writes its one table: attributes and blocks, with flags, defaults and what replaces.

Flags are the recorded ones: R required, O optional, C computed, S sensitive, W write-only, D deprecated.
How a plan follows from the table is in `planning`; how it is told to Terraform is in `plugin`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cluster_sim.mirror.values import Type

STRING, NUMBER, BOOL, DYNAMIC = "string", "number", "bool", "dynamic"
STRINGS = ["list", STRING]
STRING_SET = ["set", STRING]
STRING_MAP = ["map", STRING]

Values = dict[str, Any]


@dataclass(frozen=True)
class Attribute:
    type: Type
    flags: str
    default: Any = None
    replaces: bool | Callable[[Values], bool] = False
    """Whether a change makes a new resource; a function decides by the whole planned resource."""
    refused: bool = False
    """Part of the schema, so that plans look right, but not stood in for."""

    @property
    def computed(self) -> bool:
        return "C" in self.flags


@dataclass(frozen=True)
class Nested:
    """A nested attribute: written with `=`, unlike a block."""

    nesting: Literal["single", "list"]
    flags: str
    members: Mapping[str, Attribute]

    @property
    def type(self) -> Type:
        inner = ["object", {name: member.type for name, member in self.members.items()}]
        return inner if self.nesting == "single" else ["list", inner]


@dataclass(frozen=True)
class Block:
    members: Mapping[str, Attribute | Nested | Block]
    nesting: Literal["list", "single"] = "list"
    items_max: int = 0
    computed: bool = False
    """Left out by the operator, it is filled in by the provider."""
    flags: str = ""
    """Set when Terraform is told of an attribute holding objects, which operators may still write as blocks."""
    refused: bool = False
    """As for an attribute."""

    @property
    def object_type(self) -> Type:
        return ["object", {name: member.type for name, member in self.members.items()}]

    @property
    def type(self) -> Type:
        return self.object_type if self.nesting == "single" else ["list", self.object_type]


Member = Attribute | Nested | Block


def one(members: Mapping[str, Member], **more: Any) -> Block:
    """A block that may be written once."""
    return Block(members, items_max=1, **more)
