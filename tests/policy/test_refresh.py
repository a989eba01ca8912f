"""The price snapshot refreshed from a list that speaks Azure's Retail Prices API over HTTPS."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from cluster_sim.run import settings
from tools.clients.settings import Settings
from tools.pipeline.price_refresh import refresh
from tools.pipeline.world import open_world
from tools.rules.plans.price_refresh import meters, pick, query
from tools.rules.plans.pricing import read_prices
from tools.values.price import Price
from tools.values.trouble import WorldProblem

ROW = Price(
    key="vm.Standard_D4s_v5",
    region="eastus",
    currency="USD",
    unit="hour",
    price=0.2,
    path="compute",
    meter="m",
    source="s",
    captured_at="2026-11-21",
)


def _item(**changes: Any) -> dict[str, Any]:
    item = {
        "retailPrice": 0.192,
        "productName": "Virtual Machines Dsv5 Series",
        "skuName": "D4s v5",
        "type": "Consumption",
        "currencyCode": "USD",
    }
    return {**item, **changes}


@pytest.mark.parametrize(
    ("items", "price"),
    [
        ([_item()], 0.192),
        ([_item(), _item(productName="Virtual Machines Dsv5 Series Windows", retailPrice=0.376)], 0.192),
        (
            [_item(), _item(skuName="D4s v5 Spot", retailPrice=0.03), _item(skuName="D4s v5 Low Priority", retailPrice=0.04)],
            0.192,
        ),
        ([], None),
        ([_item(), _item(retailPrice=0.5)], None),
    ],
)
def test_exactly_one_public_price_is_taken(items: list[dict[str, Any]], price: float | None) -> None:
    found = pick(ROW, items)
    assert (found.price if found else None) == price


def test_a_meter_whose_public_name_is_not_certain_is_left_alone() -> None:
    assert query(ROW.model_copy(update={"key": "alert.metric"})) is None


LAKE, SERVER = "Azure Data Lake Storage Gen2 Hierarchical Namespace", "Azure Database for PostgreSQL Flexible Server"


@pytest.mark.parametrize(
    ("key", "tier_from", "items", "price"),
    [
        ("nat.data", 0, [_item(meterName="Standard Data Processed", retailPrice=0.05)], 0.05),
        ("nat.data", 0, [_item(meterName="Data Processed", retailPrice=0.05)], 0.05),
        ("nat.data", 0, [_item(meterName="Standard Gateway", retailPrice=0.05)], None),
        ("nat.data", 0, [_item(meterName="Data Processed", retailPrice=0.05), _item(meterName="Standard Data Processed")], None),
        ("blob.hot.LRS", 0, [_item(meterName="Hot LRS Data Stored", productName=LAKE, retailPrice=0.02)], 0.02),
        ("blob.hot.LRS", 0, [_item(meterName="Hot LRS Data Stored", productName="General Block Blob v2")], None),
        (
            "blob.hot.LRS",
            51200,
            [_item(meterName="Hot LRS Data Stored", productName=LAKE, tierMinimumUnits=51200.0, retailPrice=0.019)],
            0.019,
        ),
        ("blob.hot.LRS", 51200, [_item(meterName="Hot LRS Data Stored", productName=LAKE, tierMinimumUnits=0.0)], None),
        ("disk.P15", 0, [_item(meterName="P15 LRS Disk", productName="Premium SSD Managed Disks", retailPrice=38.01)], 38.01),
        ("postgresql.D2s_v3", 0, [_item(meterName="vCore", productName=f"{SERVER} General Purpose Dsv3 Series Compute")], 0.192),
        ("postgresql.D2s_v3", 0, [_item(meterName="vCore", productName=f"{SERVER} Memory Optimized Esv3 Series Compute")], None),
    ],
)
def test_a_meter_is_found_by_its_public_name_and_from_its_quantity_on(
    key: str, tier_from: float, items: list[dict[str, Any]], price: float | None
) -> None:
    row = ROW.model_copy(update={"key": key, "tier_from": tier_from})
    found = pick(row, items)
    assert (found.price if found else None) == price


def test_each_public_name_belongs_to_a_row() -> None:
    rows = {price.key for price in read_prices(files("tools.data").joinpath("prices.csv").read_text("utf-8"))}
    assert meters().keys() <= rows


def test_a_refresh_dates_what_it_found_and_keeps_the_rest(azure_world: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    ready, folder = azure_world
    given = settings(ready, folder) | {"BERTH_HOME": str(tmp_path), "BERTH_PRICES_URL": ready["azure"]["url"]}
    world = open_world(Settings.from_environment(given))
    said: list[str] = []
    result = refresh(world, said.append)
    again = open_world(Settings.from_environment(given))
    assert len(again.prices) == len(world.prices)
    assert result.changed + result.same > 0, "the list prices some of our sizes"
    listed = {p.key for p in again.prices if p.source == "Azure Retail Prices API"}
    assert {"blob.hot.LRS", "dbu.premium.jobs", "nat.data", "private_endpoint.data", "firewall.Standard"} <= listed, "and other meters"
    dated = [p for p in again.prices if p.source == "Azure Retail Prices API"]
    assert len(dated) == result.changed + result.same
    kept = {p.row: p.captured_at for p in world.prices}
    assert all(p.captured_at == kept[p.row] for p in again.prices if p.source != "Azure Retail Prices API")
    assert len(said) == result.changed


def test_a_list_that_is_away_leaves_the_prices_as_they_are(tmp_path: Path) -> None:
    given = {"BERTH_HOME": str(tmp_path), "BERTH_PRICES_URL": "https://127.0.0.1:1"}
    world = open_world(Settings.from_environment(given))
    with pytest.raises(WorldProblem, match="price list cannot be had"):
        refresh(world, lambda _text: None)
    assert not (tmp_path / "prices.csv").exists()
