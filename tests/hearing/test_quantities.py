"""Numbers, sizes and sums of money in words: tables of what people type, and no text that breaks it."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.rules.hearing.quantities import NUMBER_MAX, SIZE_BYTES_MAX, count, low_end, money, numbers, size_bytes, sizes, sums
from tools.rules.names.text import fold

GIB = 2**30


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100", 100), ("100 concurrent users", 100), ("1,000", 1000), ("1.000 users", 1000), ("ten", 10), ("a dozen", 12),
        ("half a dozen", 6), ("2k", 2000), ("1.5k users", 1500), ("10M users", 10_000_000), ("two hundred", 200),
        ("a hundred", 100), ("twenty five", 25), ("thirty-two", 32), ("ten thousand", 10_000), ("3 million", 3_000_000),
        ("zero cores", 0), ("0", 0), ("-5", -5), ("−5", -5), ("minus 5", -5), ("10,000 cores", 10_000), ("100个用户", 100),
        ("１００", 100), ("100 kullanıcı", 100), ("20.", 20), ("9" * 5000, NUMBER_MAX), ("-" + "9" * 40, -NUMBER_MAX),
        ("a couple of users", 2), ("50-100 users", 100), ("50 to 100 users", 100), ("between 50 and 100 users", 100),
        ("from 8 to 4 cores", 4), ("50 - 100", 100), ("5 and 6", 5), ("one of us", None), ("on 2024-11-24", None),
        ("2.5 cores", None), ("build-01", None), ("10.0.20.0/24", None), ("v16", None), ("1e9", None), ("1st", None),
        ("24/7", None), ("on pve2", None), ("phone", None), ("", None), ("{{7*7}}", 7), ("a user", None), ("1.2.3", None),
    ],
)  # fmt: skip
def test_counts(text: str, expected: int | None) -> None:
    assert count(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2-8 workers", 2), ("2–8 workers", 2), ("2 to 8 workers", 2), ("between 2 and 8", 2), ("2 - 8", 2), ("8 to 2", 8),
        ("2 and 8", None), ("8 workers", None), ("2024-11-24", None), ("10.0.0.1 to 10.0.0.9", None), ("db-01 to 8", None), ("", None),
    ],
)  # fmt: skip
def test_the_low_end_of_a_range(text: str, expected: int | None) -> None:
    assert low_end(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8 GB", 8 * GIB), ("from 4 to 8 GB", 8 * GIB), ("8GB", 8 * GIB), ("8 GiB", 8 * GIB), ("8gb", 8 * GIB), ("8g", 8 * GIB), ("8 gigs", 8 * GIB),
        ("8 gigabytes", 8 * GIB), ("512 MB", GIB // 2), ("5 TB", 5 * 1024 * GIB), ("1.5 TB", 1536 * GIB), ("0 GB", 0),
        ("-5 GB", -5 * GIB), ("−5 GB", -5 * GIB), ("8GB内存", 8 * GIB), ("16 GB'lık", 16 * GIB), ("100 bytes", 100),
        ("1,024 MB", GIB), ("9" * 400 + " TB", SIZE_BYTES_MAX),
        ("2k users", None), ("10M users", None), ("4 people", None), ("100", None), ("GB", None), ("", None),
    ],
)  # fmt: skip
def test_sizes(text: str, expected: int | None) -> None:
    assert size_bytes(text) == expected


@pytest.mark.parametrize(
    ("text", "amount", "currency", "monthly"),
    [
        ("$8K/month", 8000, "USD", 8000), ("8,000 USD a month", 8000, "USD", 8000), ("€500", 500, "EUR", 500),
        ("8k dollars per month", 8000, "USD", 8000), ("$120,000 per year", 120_000, "USD", 10_000), ("500€", 500, "EUR", 500),
        ("₺1.000", 1000, "TRY", 1000), ("-$5", -5, "USD", -5), ("$0", 0, "USD", 0), ("$9.99 daily", 9.99, "USD", 299.7),
        ("8000 TL", 8000, "TRY", 8000), ("US$ 5", 5, "USD", 5),
    ],
)  # fmt: skip
def test_money(text: str, amount: float, currency: str, monthly: float) -> None:
    found = money(text)
    assert found is not None
    assert (found.amount, found.currency, found.monthly) == (amount, currency, pytest.approx(monthly))


@pytest.mark.parametrize("text", ["", "a budget of 8000", "8000 users", "try 5 times", '${file("/etc/passwd")}', "$"])
def test_no_money(text: str) -> None:
    assert money(text) is None


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=st.characters(codec="utf-16", exclude_categories=()), max_size=200))
def test_no_text_breaks_it_and_places_are_true(text: str) -> None:
    assert len(fold(text)) == len(text)
    for found in [*numbers(text), *sizes(text), *sums(text)]:
        assert 0 <= found.start < found.end <= len(text)


@settings(deadline=None, max_examples=60)
@given(st.integers(-(10**14), 10**14))
def test_a_number_written_is_the_number_read(number: int) -> None:
    assert count(str(number)) == number
    assert count(f"we have {number:,} users") == number


HOSTILE = ["1", "1,", "1.", "a ", "$", "one ", "$1,111", " ", "-", "half a ", "1 g", "minus ", "İ", "\x00\xff", "{{7*7}}"]


@pytest.mark.parametrize("piece", HOSTILE)
def test_time_grows_with_the_length_only(piece: str) -> None:
    """A pattern that backtracks would need minutes for this; the bound leaves room for a busy machine."""
    text = piece * (300_000 // len(piece))
    began = time.process_time()
    for find in (numbers, sizes, sums):
        for _ in find(text):
            pass
    assert time.process_time() - began < 10
