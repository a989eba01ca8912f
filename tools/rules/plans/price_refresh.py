"""Which public list price belongs to which of our rows, and what a refresh changes. Rows without a query stay as they are, with their
date."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tools.values.price import Price

SOURCE = "Azure Retail Prices API"


def query(price: Price) -> str | None:
    """The filter that finds a row's price; None for a meter whose public name is not known for certain."""
    kind, _, size = price.key.partition(".")
    if kind not in ("vm", "vm_spot"):
        return None
    return (
        f"serviceName eq 'Virtual Machines' and armSkuName eq '{size}' and armRegionName eq '{price.region}' and priceType eq 'Consumption'"
    )


def pick(price: Price, items: Iterable[Mapping[str, Any]]) -> Price | None:
    """The one item that is the row's own: Linux, and spot exactly when the row is. None when there is not exactly one price."""
    spot = price.key.startswith("vm_spot.")
    wanted = {
        (float(item["retailPrice"]), str(item.get("effectiveStartDate", ""))[:10])
        for item in items
        if "Windows" not in str(item.get("productName"))
        and "Low Priority" not in str(item.get("skuName"))
        and ("Spot" in str(item.get("skuName"))) is spot
        and item.get("type", "Consumption") == "Consumption"
        and str(item.get("currencyCode", price.currency)) == price.currency
    }
    if len(wanted) != 1:
        return None
    ((amount, _),) = wanted
    return price.model_copy(update={"price": amount})


def dated(price: Price, on: str) -> Price:
    return price.model_copy(update={"source": SOURCE, "captured_at": on})


def written(prices: Sequence[Price]) -> str:
    """The rows as CSV, in the form of the shipped snapshot."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(Price.model_fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows(price.model_dump() for price in prices)
    return out.getvalue()
