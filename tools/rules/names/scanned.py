"""What a platform answered, taken apart: names as they may be shown, rows, numbers. It trusts no type, no number and no name."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from tools.values.value import Json

NAME_LENGTH_MAX = 64
_SAFE = re.compile(r"[A-Za-z0-9 ._@+:/()-]")

Row = Mapping[str, Json]


def display(text: object, length: int = NAME_LENGTH_MAX) -> str:
    """A scanned name as it may be shown and kept: everything that is not plainly a name is escaped."""
    shown = "".join(
        c if _SAFE.fullmatch(c) else c.encode("ascii", "backslashreplace").decode() if ord(c) > 126 else f"\\x{ord(c):02x}"
        for c in str(text)[:length]
    )
    return shown[:length]


def rows(answer: Json) -> list[Row]:
    return [row for row in answer if isinstance(row, dict)] if isinstance(answer, list) else []


def number(row: Row, key: str) -> float:
    """0 for whatever is no finite, positive number."""
    try:
        value = float(row.get(key) or 0)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return value if math.isfinite(value) and value > 0 else 0.0
