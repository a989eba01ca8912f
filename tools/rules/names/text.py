"""Text as people type it, folded so that it can be compared, and sizes as they read them. Folding keeps every character at its place, so
that quotes can be found again."""

from __future__ import annotations

from collections.abc import Sequence


def fold(text: str) -> str:
    """The text in small letters, each at its old place: dotted and dotless i are one, and full-width digits are digits."""
    small = text.translate(_FOLDED).lower()
    return small if len(small) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text.translate(_FOLDED))


_FOLDED = str.maketrans(
    {"İ": "i", "ı": "i", "I": "i", "−": "-", "–": "-", "—": "-", "\u00a0": " ", "’": "'"} | {chr(0xFF10 + n): str(n) for n in range(10)}
)


def is_latin(text: str) -> bool:
    """Most of its letters are of the Latin alphabet."""
    letters = [c for c in text if c.isalpha()]
    return 2 * sum(ord(c) < LATIN_END for c in letters) >= len(letters)


LATIN_END = 0x250
"""Where Unicode's Latin letters end, up to Latin Extended-B."""


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


_BYTES = {"bytes": 1, "MiB": 2**20, "GiB": 2**30}


def spell_value(value: float, unit: str = "") -> str:
    """A number in the unit that people would say it in: 4,096 MiB is 4 GiB, 5,120 GB a day is 5 TB a day, 1 hours is 1 hour."""
    first, _, rest = unit.partition(" ")
    if first in _BYTES:
        said = spell_size(value * _BYTES[first])
    elif first == "GB" and value >= 1024:
        said = f"{spell_number(value / 1024)} TB"
    else:
        said = f"{spell_number(value)} {_one(first) if value == 1 else first}".strip()
    return f"{said} {rest}".strip()


def _one(many: str) -> str:
    return many.removesuffix("es") if many.endswith("sses") else many.removesuffix("s")


def spell_number(value: float) -> str:
    """1,024 and 1.5: with at most two digits behind the point, and none that says nothing."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def spell_of(part: float, whole: float, unit: str) -> str:
    """So much of so much, rounded to what the eye takes in: 70.5 of 102 GiB."""
    if unit == "MiB":
        part, whole, unit = part / 1024, whole / 1024, "GiB"
    return f"{spell_about(part)} of {spell_about(whole)} {unit}"


def spell_about(value: float) -> str:
    """Rounded to what the eye takes in."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}".removesuffix(".0")


def spell_turn(before: str, after: str) -> str:
    """From one value to another, the unit said once: 4 → 8 GiB."""
    return f"{_bare(before, after)} → {after}"


def spell_span(low: float, high: float, unit: str) -> str:
    """512 MiB to 8 GiB, 7 to 90 days."""
    least, most = spell_value(low, unit), spell_value(high, unit)
    return f"{_bare(least, most)} to {most}"


def _bare(first: str, last: str) -> str:
    """Without the unit that the last one says too."""
    number, _, unit = first.partition(" ")
    return number if unit and last.partition(" ")[2] == unit else first


def join_and(words: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
