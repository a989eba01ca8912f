"""Prices as tables: tiers, rows of other regions, and what has no price."""

from __future__ import annotations

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.rules.plans.pricing import amount, currency, line, read_prices, rows_of
from tools.values.trouble import RequestProblem

PRICES = read_prices(files("tools.data").joinpath("prices.csv").read_text())


@pytest.mark.parametrize(
    ("key", "quantity", "total"),
    [
        ("vm.Standard_D4s_v5", 730.0, 140.16),
        ("blob.hot.LRS", 1000.0, 20.80),
        ("blob.hot.LRS", 51_200.0, 1064.96),
        ("blob.hot.LRS", 51_300.0, 1064.96 + 100 * 0.01997),
        ("nat.data", 153_600.0, 6912.00),
        ("private_endpoint.data", 307_200.0, 3072.00),
        ("blob.hot.ZRS", 51_200.0, 1331.20),
    ],
)
def test_a_quantity_costs_what_its_tiers_say(key: str, quantity: float, total: float) -> None:
    assert amount(quantity, rows_of(key, "eastus", PRICES)) == pytest.approx(total)


def test_what_has_no_price_says_so_and_is_never_nothing() -> None:
    unpriced = line("x", "vm.Standard_Imaginary", 10, "eastus", PRICES)
    assert (unpriced.amount, unpriced.path) == (None, "not priced")
    assert "no list price" in unpriced.note


def test_a_row_of_another_region_says_so() -> None:
    assert line("lake", "blob.hot.LRS", 10, "eastus", PRICES).note == "price of westus"
    assert line("pool", "vm.Standard_D4s_v5", 10, "eastus", PRICES).note == ""


def test_every_row_has_its_source_and_date() -> None:
    assert all(p.source and len(p.captured_at) == 10 and p.price >= 0 for p in PRICES)
    rows = [(p.key, p.region, p.tier_from) for p in PRICES]
    assert len(rows) == len(set(rows))


def test_other_currencies_are_refused_in_words() -> None:
    assert currency("usd") == "USD"
    with pytest.raises(RequestProblem, match="not priced"):
        currency("EUR")


@given(st.floats(0, 1e7), st.floats(0, 1e7))
def test_more_never_costs_less(a: float, b: float) -> None:
    tiers = rows_of("blob.hot.LRS", "westus", PRICES)
    assert (amount(a, tiers) <= amount(b, tiers)) or a > b
