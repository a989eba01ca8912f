"""List prices as they were captured: dated rows, each with its own region and source."""

from __future__ import annotations

from tools.values.value import Value


class Price(Value):
    key: str
    """What is priced: `vm.Standard_D4s_v5`, `blob.hot.LRS`, `nat.data`."""
    region: str
    currency: str
    unit: str
    """`hour`, `GB-month`, `GB`, `10k`, `1M tokens`, `DBU-hour`, `month`."""
    price: float
    tier_from: float = 0.0
    """The price holds for the quantity above this, in a month."""
    path: str
    """What it is grouped by: `compute`, `storage`, `data path`, `monitoring`, `security`, `tokens`."""
    meter: str
    source: str
    captured_at: str
    """ISO date."""

    @property
    def row(self) -> str:
        return f"{self.key}@{self.region}"
