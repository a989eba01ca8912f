"""What every value has in common: it is frozen, it refuses unknown fields, and it has a digest."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict

Json = Any
"""A JSON value, at a border only: what Terraform, Ansible, a database or a policy's author hands us or is handed."""

Named = tuple[tuple[str, bool | int | float | str], ...]
"""Plain values by name."""


def canonical(value: Json) -> bytes:
    """One spelling for equal JSON values: sorted keys, no blanks, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def digest(self) -> str:
        """64 hexadecimal digits over everything the value says."""
        return sha256(canonical(self.model_dump(mode="json")))
