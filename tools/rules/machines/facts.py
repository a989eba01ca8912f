"""The facts that every request for machines may state (facts.toml). How they are read is in tools.rules.request.reading."""

from __future__ import annotations

from tools.rules.request.facts import ENVIRONMENT
from tools.rules.request.wanting import wanted

EVERY_MACHINE = wanted(__package__, environment=(ENVIRONMENT,))
