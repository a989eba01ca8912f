"""A lookalike of the public Retail Prices API over a small dated extract.

It knows no discounts, and has only the rows its data file has.
"""

from __future__ import annotations

from typing import Any

from cluster_sim.azure import filters
from cluster_sim.azure.data import table
from cluster_sim.http import Answer, Request, json_answer

PAGE_ROWS = 100


def answer(request: Request) -> Answer:
    query = dict(request.query)
    currency = query.get("currencyCode", "USD").strip("'").upper()
    if request.method != "GET":
        return json_answer({"Error": {"Code": "MethodNotAllowed", "Message": "Only GET is supported."}}, 405)
    if currency != "USD":
        return json_answer({"Error": {"Code": "BadRequest", "Message": f"cluster_sim has prices in USD only, not in {currency}."}}, 400)
    try:
        # Values have been case-sensitive since API version 2023-01-01-preview.
        test = (
            filters.read(query["$filter"], ignore_case=query.get("api-version", "") < "2023") if query.get("$filter") else lambda row: True
        )
    except filters.FilterProblem as problem:
        return json_answer({"Error": {"Code": "BadRequest", "Message": f"Invalid OData parameters supplied. {problem}"}}, 400)
    # The list calls it `type` in its rows and `priceType` in its filters.
    rows = [row for row in _rows() if test({**row, "priceType": row["type"]})]
    skip = int(query["$skip"]) if query.get("$skip", "").isdigit() else 0
    there = rows[skip : skip + PAGE_ROWS]
    more = skip + PAGE_ROWS < len(rows)
    kept = "&".join(f"{k}={v}" for k, v in request.query if k != "$skip")
    following = f"https://{request.host}{request.raw_path}?{kept}&$skip={skip + PAGE_ROWS}" if more else None
    return json_answer(
        {
            "BillingCurrency": "USD",
            "CustomerEntityId": "Default",
            "CustomerEntityType": "Retail",
            "Items": there,
            "NextPageLink": following,
            "Count": len(there),
        }
    )


def _rows() -> list[dict[str, Any]]:
    data = table("prices")
    rows = []
    for number, row in enumerate(data["rows"]):
        for region in row["regions"]:
            name = row.get("armSkuName", "")
            rows.append(
                {
                    "currencyCode": "USD",
                    "tierMinimumUnits": float(row.get("from", 0)),
                    "retailPrice": row["price"],
                    "unitPrice": row["price"],
                    "armRegionName": region,
                    "location": table("regions").get(region, {}).get("display", "Global"),
                    "effectiveStartDate": f"{data['captured_on']}T00:00:00Z",
                    "meterId": f"00000000-0000-4000-8000-{number:012d}",
                    "meterName": row["meter"],
                    "productId": f"SIM{number:04d}",
                    "skuId": f"SIM{number:04d}/0001",
                    "productName": row["product"],
                    "skuName": row["sku"],
                    "serviceName": row["service"],
                    "serviceId": f"SIM{row['service'][:6].upper()}",
                    "serviceFamily": row["family"],
                    "unitOfMeasure": row["unit"],
                    "type": "Consumption",
                    "isPrimaryMeterRegion": True,
                    "armSkuName": name,
                }
            )
    return rows
