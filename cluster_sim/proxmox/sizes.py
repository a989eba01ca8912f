"""Sizes as Proxmox writes and reads them (`40G`, `4M`, `+10G`)."""

from __future__ import annotations

import re

KIB, MIB, GIB, TIB = 2**10, 2**20, 2**30, 2**40
_UNITS = {"": 1, "K": KIB, "M": MIB, "G": GIB, "T": TIB}


def write_size(size_bytes: int) -> str:
    """The largest unit that divides the size: 41943040 KiB is `40G`, 3758096384 bytes is `3584M`."""
    written = str(size_bytes)
    for unit in ("K", "M", "G", "T"):
        if size_bytes % _UNITS[unit]:
            break
        written = f"{size_bytes // _UNITS[unit]}{unit}"
    return written if size_bytes else "0"


def read_size(text: str) -> int | None:
    """Bytes, or None when the text is not a size."""
    seen = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", text)
    return int(float(seen[1]) * _UNITS[seen[2]]) if seen else None
