"""Which public list price belongs to which of our rows, and what a refresh changes. Rows without a query stay as they are, with their
date."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from tools.data import table
from tools.values.price import Price

SOURCE = "Azure Retail Prices API"


class Meter(NamedTuple):
    """What the public list calls something that is priced by a key of ours."""

    service: str
    sku: str
    names: tuple[str, ...]
    """It was called one after another, and in one region otherwise than in another."""
    product: str
    """Within the name of its product, where others are sold under the same names; empty: none are."""


@cache
def meters() -> dict[str, Meter]:
    return {row["key"]: Meter(row["service"], row["sku"], tuple(row["meters"].split("|")), row["product"]) for row in table("price-meters")}


def query(price: Price) -> str | None:
    """The filter that finds a row's price; None for a meter whose public name is not known for certain."""
    kind, _, size = price.key.partition(".")
    if kind in ("vm", "vm_spot"):
        return (
            f"serviceName eq 'Virtual Machines' and armSkuName eq '{size}' and armRegionName eq '{price.region}' "
            "and priceType eq 'Consumption'"
        )
    if meter := meters().get(price.key):
        where = f"(armRegionName eq '{price.region}' or armRegionName eq 'Global')"
        return f"serviceName eq '{meter.service}' and skuName eq '{meter.sku}' and {where} and priceType eq 'Consumption'"
    return None


def pick(price: Price, items: Iterable[Mapping[str, Any]]) -> Price | None:
    """The one item that is the row's own, from the same quantity on. None when there is not exactly one price."""
    meter = meters().get(price.key)
    is_ours = _is_meter(meter, price) if meter else _is_machine(price)
    wanted = {
        (float(item["retailPrice"]), str(item.get("effectiveStartDate", ""))[:10])
        for item in items
        if is_ours(item)
        and item.get("type", "Consumption") == "Consumption"
        and str(item.get("currencyCode", price.currency)) == price.currency
    }
    if len(wanted) != 1:
        return None
    ((amount, _),) = wanted
    return price.model_copy(update={"price": amount})


def _is_machine(price: Price) -> Callable[[Mapping[str, Any]], bool]:
    """Linux, and spot exactly when the row is."""
    spot = price.key.startswith("vm_spot.")

    def is_ours(item: Mapping[str, Any]) -> bool:
        sku = str(item.get("skuName"))
        return "Windows" not in str(item.get("productName")) and "Low Priority" not in sku and ("Spot" in sku) is spot

    return is_ours


def _is_meter(meter: Meter, price: Price) -> Callable[[Mapping[str, Any]], bool]:
    def is_ours(item: Mapping[str, Any]) -> bool:
        of_product = meter.product in str(item.get("productName"))
        return of_product and item.get("meterName") in meter.names and float(item.get("tierMinimumUnits", 0)) == price.tier_from

    return is_ours


def dated(price: Price, on: str) -> Price:
    return price.model_copy(update={"source": SOURCE, "captured_at": on})


def written(prices: Sequence[Price]) -> str:
    """The rows as CSV, in the form of the shipped snapshot."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(Price.model_fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows(price.model_dump() for price in prices)
    return out.getvalue()
