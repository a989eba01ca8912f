"""tools.pipeline for the stages, each module loaded when it is first used: the ledger's and the engine's libraries take half a second, and
the first prompt need not wait for them. Use as `pipeline.carry_out.approve(…)`."""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return importlib.import_module(f"tools.pipeline.{name}")
