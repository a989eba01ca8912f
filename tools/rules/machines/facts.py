"""The facts that requests for machines may state (facts.toml). How they are read is in tools.rules.request.reading."""

from __future__ import annotations

from tools.rules.request.facts import ENVIRONMENT, PLATFORM
from tools.rules.request.wanting import named, wanted

_ALL = wanted(__package__, environment=(ENVIRONMENT,), platform=(PLATFORM,))
VIRTUAL_ADDRESS = named(_ALL, "virtual_address")
"""Of a service whose table names it."""
EVERY_MACHINE = tuple(one for one in _ALL if one is not VIRTUAL_ADDRESS)
