"""What a manifest costs a month, from dated list prices. An item without a price is named, never counted as nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from tools.values.manifest import Part, Resource
from tools.values.plan import Estimate, Line
from tools.values.price import Price
from tools.values.trouble import RequestProblem

HOURS_A_MONTH = 730.0
CURRENCY = "USD"
NOT_PRICED = "not priced"
"""The path of a line that has no price."""


def read_prices(text: str) -> tuple[Price, ...]:
    """The rows of a price snapshot (CSV)."""
    return tuple(Price.model_validate(row) for row in csv.DictReader(io.StringIO(text)))


def currency(wanted: str) -> str:
    """Raises RequestProblem for a currency that the snapshot has no prices in."""
    if wanted.upper() != CURRENCY:
        raise RequestProblem(
            "The currency is not priced.",
            f"List prices are in {CURRENCY}, and none is in {wanted.upper()}.",
            "State the budget in USD.",
        )
    return CURRENCY


def rows_of(key: str, region: str, prices: Sequence[Price]) -> tuple[Price, ...]:
    """The tiers of one meter: the region's own, otherwise those of one other region; empty when there are none."""
    all_rows = [p for p in prices if p.key == key]
    nearest = region if any(p.region == region for p in all_rows) else min((p.region for p in all_rows), default="")
    return tuple(sorted((p for p in all_rows if p.region == nearest), key=lambda p: p.tier_from))


def amount(quantity: float, tiers: Sequence[Price]) -> float:
    """The sum over the tiers that a month's quantity runs through; 0 where there is no price."""
    total = 0.0
    for tier, upper in zip(tiers, [*(t.tier_from for t in tiers[1:]), float("inf")], strict=False):
        total += max(0.0, min(quantity, upper) - tier.tier_from) * tier.price
    return total


def line(subject: str, key: str, quantity: float, region: str, prices: Sequence[Price]) -> Line:
    tiers = rows_of(key, region, prices)
    if not tiers:
        return Line(
            subject=subject,
            path=NOT_PRICED,
            quantity=quantity,
            unit=key,
            amount=None,
            note=f"not priced: no list price for {key}",
        )
    first = tiers[0]
    elsewhere = "" if first.region in (region, "global") else f"price of {first.region}"
    return Line(
        subject=f"{subject}: {first.meter}",
        path=first.path,
        quantity=quantity,
        unit=first.unit,
        amount=round(amount(quantity, tiers), 2),
        note=elsewhere,
        price_row=first.row,
    )


def by_key(prices: Iterable[Price]) -> dict[str, list[Price]]:
    """The rows of each meter, where many are looked up."""
    found: dict[str, list[Price]] = {}
    for one in prices:
        found.setdefault(one.key, []).append(one)
    return found


def monthly(resources: Iterable[Resource], region: str, prices: Sequence[Price]) -> float:
    """What is priced of them, in USD."""
    rows = by_key(prices)
    meters = (meter for one in resources for meter in one.meters)
    return round(sum(round(amount(quantity, rows_of(key, region, rows.get(key, ()))), 2) for key, quantity in meters), 2)


def price_parts(parts: Iterable[Part], regions: Sequence[str], prices: Sequence[Price]) -> Estimate:
    """Every meter of every resource, in the region of its part. `regions` goes with `parts`, in the same order."""
    rows = by_key(prices)
    lines = tuple(
        line(resource.name, key, quantity, region, rows.get(key, ()))
        for part, region in zip(parts, regions, strict=True)
        for resource in part.resources
        for key, quantity in resource.meters
    )
    used = {p.row: p.captured_at for p in prices}
    dates = sorted({used[x.price_row] for x in lines if x.price_row})
    unpriced = list(dict.fromkeys(f"{x.unit} of {x.subject}" for x in lines if x.amount is None))
    stated = [f"{HOURS_A_MONTH:g} hours a month; list prices without tax, discounts and reservations."]
    if unpriced:
        stated.append(f"Not priced, and so not in the sum: {', '.join(unpriced)}.")
    if moving := sorted({used[x.price_row] for x in lines if x.price_row.startswith("vm_spot.")}):
        stated.append(f"Spot prices move by the hour: the sum has them as they were on {', '.join(moving)}.")
    if elsewhere := sorted({x.price_row.partition("@")[2] for x in lines if x.note.startswith("price of")}):
        stated.append(f"Where the region has no row, the row of another stands in and says so: {', '.join(elsewhere)}.")
    return Estimate(
        currency=CURRENCY,
        total=round(sum(x.amount for x in lines if x.amount is not None), 2),
        lines=lines,
        assumptions=tuple(stated),
        captured_at=" to ".join(dict.fromkeys((dates[0], dates[-1]))) if dates else "",
    )
