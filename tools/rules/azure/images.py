"""Systems that a machine in Azure can be made from: images of the marketplace, each a row with its source and the day its updates end."""

from __future__ import annotations

from datetime import date
from functools import cache

from tools.data import table
from tools.values.value import Json, Value


class Image(Value):
    os: str
    version: str
    publisher: str
    offer: str
    sku: str
    """Of generation 2, which Trusted Launch takes."""
    disk_gib: int
    """The smallest system disk."""
    ends: date
    """The last day of security updates that come without a contract."""

    @property
    def spoken(self) -> str:
        return f"{self.os.capitalize()} {self.version}"

    @property
    def reference(self) -> dict[str, Json]:
        return {"publisher": self.publisher, "offer": self.offer, "sku": self.sku, "version": "latest"}


@cache
def images() -> tuple[Image, ...]:
    """The first of a system is taken where nobody says a version."""
    rows = ({name: value for name, value in row.items() if name not in ("source", "taken")} for row in table("azure-images"))
    return tuple(map(Image.model_validate, rows))


def find(os: str, version: str = "") -> Image | None:
    return next((one for one in images() if one.os == os and version in ("", one.version)), None)


def of_reference(reference: dict[str, Json]) -> Image | None:
    """Which of them a part is made from."""
    return next((one for one in images() if (one.offer, one.sku) == (reference.get("offer"), reference.get("sku"))), None)
