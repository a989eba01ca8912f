"""Numbers, sizes and sums of money in words: the table `quantities.yaml` of what people type, and no text that breaks it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.rules.hearing.tokens.quantities import NUMBER_MAX, SIZE_BYTES_MAX, count, low_end, money, numbers, size_bytes, sizes, sums
from tools.rules.names.text import fold

GIB = 2**30
TABLE = yaml.safe_load((Path(__file__).parent / "quantities.yaml").read_text())


@pytest.mark.parametrize(("text", "expected"), [*TABLE["counts"].items(), ("9" * 5000, NUMBER_MAX), ("-" + "9" * 40, -NUMBER_MAX)])
def test_counts(text: str, expected: int | None) -> None:
    assert count(str(text)) == expected


@pytest.mark.parametrize(("text", "expected"), TABLE["low ends"].items())
def test_the_low_end_of_a_range(text: str, expected: int | None) -> None:
    assert low_end(str(text)) == expected


@pytest.mark.parametrize(("text", "expected"), [*TABLE["sizes"].items(), ("9" * 400 + " TB", SIZE_BYTES_MAX / GIB)])
def test_sizes(text: str, expected: float | None) -> None:
    assert size_bytes(text) == (None if expected is None else expected * GIB)


@pytest.mark.parametrize(("text", "expected"), TABLE["money"].items())
def test_money(text: str, expected: list[object] | None) -> None:
    found = money(text)
    assert (found and [found.amount, found.currency, pytest.approx(found.monthly)]) == expected


@settings(max_examples=60)
@given(st.text(alphabet=st.characters(codec="utf-16", exclude_categories=()), max_size=200))
def test_no_text_breaks_it_and_places_are_true(text: str) -> None:
    assert len(fold(text)) == len(text)
    for found in [*numbers(text), *sizes(text), *sums(text)]:
        assert 0 <= found.start < found.end <= len(text)


@settings(max_examples=60)
@given(st.integers(-(10**14), 10**14))
def test_a_number_written_is_the_number_read(number: int) -> None:
    assert count(str(number)) == number
    assert count(f"we have {number:,} users") == number


HOSTILE = ["1", "1,", "1.", "a ", "$", "one ", "$1,111", " ", "-", "half a ", "1 g", "minus "]


@pytest.mark.parametrize("piece", HOSTILE)
def test_time_grows_with_the_length_only(piece: str) -> None:
    """A pattern that backtracks would need minutes for this; the bound leaves room for a busy machine."""
    text = piece * (300_000 // len(piece))
    began = time.process_time()
    for find in (numbers, sizes, sums):
        for _ in find(text):
            pass
    assert time.process_time() - began < 10
