"""A world of its own for each test, and an engine that is closed afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.pipeline import engine
from tools.pipeline.world import World

from ..ledger.postgresql import postgresql_server, postgresql_url
from .builders import world_at

__all__ = ["postgresql_server", "postgresql_url"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = world_at(tmp_path / "home")
    yield made
    engine.close()
    made.ledger.close()


@pytest.fixture
def effects(tmp_path: Path) -> Path:
    return tmp_path / "effects"
