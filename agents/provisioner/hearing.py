"""tools.rules.hearing for the agents, loaded when the first message is heard: the first prompt need not wait for its word lists."""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(importlib.import_module("tools.rules.hearing.hear"), name)
