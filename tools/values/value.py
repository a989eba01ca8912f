"""What every value has in common: it is frozen, it refuses unknown fields, and it has a digest."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr

Json = Any
"""A JSON value, at a border only: what Terraform, Ansible, a database or a policy's author hands us or is handed."""

Named = tuple[tuple[str, bool | int | float | str], ...]
"""Plain values by name."""


def canonical(value: Json) -> bytes:
    """One spelling for equal JSON values: sorted keys, no blanks, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def same(one: str, other: str) -> bool:
    """In the same time wherever they differ, and whatever characters somebody has put into one of them."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def said(self) -> Json:
        """What the value says, as JSON: every field that is not as it is by default. A field that is added later, with a default, does not
        change what was said before."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @property
    def digest(self) -> str:
        """64 hexadecimal digits over everything the value says."""
        return sha256(canonical(self.said()))


class Record(Value):
    """A value that the ledger keeps and others name by its digest. Read back, it says what was recorded, whatever its shape is by now: so
    an
    approval, and the digest that it covers, hold as long as the record."""

    _recorded: tuple[int, Json] | None = PrivateAttr(default=None)

    @property
    def recorded(self) -> tuple[int, Json] | None:
        """(shape, what it said), of a record that would be written another way today."""
        return self._recorded

    def recorded_as(self, shape: int, said: Json) -> None:
        """Told once, when it was read."""
        self._recorded = (shape, said) if said != super().said() else None

    def said(self) -> Json:
        return super().said() if self._recorded is None else self._recorded[1]

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy that says something else was never recorded."""
        copy = super().model_copy(update=update, deep=deep)
        if update:
            copy._recorded = None
        return copy
