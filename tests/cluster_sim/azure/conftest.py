"""The simulated Azure over real TLS, once for all tests, and a small one in process for tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure_site import Direct, Site, direct, section, serve

from cluster_sim.azure import build
from cluster_sim.clock import WallClock


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    yield from serve(build(section(), WallClock(), tmp_path_factory.mktemp("azure")), tmp_path_factory.mktemp("authority"))


@pytest.fixture
def azure() -> Direct:
    """A fresh world with an empty group `rg` in eastus."""
    asked = direct()
    asked.make("{sub}/resourceGroups/rg", location="eastus")
    return asked
