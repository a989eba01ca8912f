"""What a name server is told of machines."""

from __future__ import annotations

from typing import Literal

from tools.values.value import Value

Kind = Literal["A", "AAAA", "PTR"]


class Record(Value):
    """One record of a zone (RFC 1035 section 3.2)."""

    zone: str
    """All names are in small letters, without the dot at the end."""
    name: str
    kind: Kind
    data: str
    """An address, or of a PTR a name."""

    @property
    def spelled(self) -> str:
        return f"{self.name} {self.kind} {self.data}"
