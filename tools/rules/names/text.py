"""Text as people type it, folded so that it can be compared. It keeps every character at its place, so that quotes can be found again."""

from __future__ import annotations


def fold(text: str) -> str:
    """The text in small letters, each at its old place: dotted and dotless i are one, and full-width digits are digits."""
    return "".join(_FOLDED.get(c) or (c.lower() if len(c.lower()) == 1 else c) for c in text)


_FOLDED = {"İ": "i", "ı": "i", "I": "i", "−": "-", "–": "-", "—": "-", "\u00a0": " ", "’": "'"} | {
    chr(0xFF10 + digit): str(digit) for digit in range(10)
}
