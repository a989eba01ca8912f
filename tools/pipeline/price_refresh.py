"""Refreshes the price snapshot: asks the public list for every row that has a query, and writes the result into Berth's home."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tools.clients.files import private_folder, write_private
from tools.clients.prices import RetailPrices
from tools.pipeline.world import PRICES_FILE, World
from tools.rules.plans import price_refresh as rules
from tools.values.price import Price


class Refreshed(NamedTuple):
    changed: int
    same: int
    kept: int
    """Rows without a query, or without exactly one public price: they keep their price and date."""


def refresh(world: World, say: Callable[[str], None]) -> Refreshed:
    source = RetailPrices(world.settings.prices_url, world.settings.ca_file if world.settings.prices_url_is_ours else None)
    today = world.now().date().isoformat()
    changed = same = kept = 0
    rows: list[Price] = []
    for price in world.prices:
        query = rules.query(price)
        found = rules.pick(price, source.rows(query)) if query else None
        if found is None:
            kept += 1
            rows.append(price)
            continue
        if found.price != price.price:
            changed += 1
            say(f"{price.row}: {price.price:g} is now {found.price:g} {price.currency} a {price.unit}.")
        else:
            same += 1
        rows.append(rules.dated(found, today))
    write_private(private_folder(world.settings.shared) / PRICES_FILE, rules.written(rows))
    return Refreshed(changed, same, kept)
