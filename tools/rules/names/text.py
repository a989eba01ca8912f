"""Text as people type it, folded so that it can be compared, and sizes as they read them. Folding keeps every character at its place, so
that quotes can be found again."""

from __future__ import annotations


def fold(text: str) -> str:
    """The text in small letters, each at its old place: dotted and dotless i are one, and full-width digits are digits."""
    return "".join(_FOLDED.get(c) or (c.lower() if len(c.lower()) == 1 else c) for c in text)


_FOLDED = {"İ": "i", "ı": "i", "I": "i", "−": "-", "–": "-", "—": "-", "\u00a0": " ", "’": "'"} | {
    chr(0xFF10 + digit): str(digit) for digit in range(10)
}


def spell_size(size_bytes: float) -> str:
    """512 MiB, 8 GiB, 1.5 TiB: in the largest unit that says it exactly with two decimals, so that it can be said back; else in whole
    MiB."""
    for unit, unit_bytes in (("TiB", 2**40), ("GiB", 2**30)):
        amount = size_bytes / unit_bytes
        if amount >= 1 and round(amount, 2) == amount:
            return f"{amount:,.2f}".rstrip("0").rstrip(".") + f" {unit}"
    return f"{round(size_bytes / 2**20):,} MiB"


def spell_memory(memory_mib: float) -> str:
    return spell_size(memory_mib * 2**20)
