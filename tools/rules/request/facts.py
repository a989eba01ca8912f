"""The facts that every request may state (facts.toml), wherever its things are to stand."""

from __future__ import annotations

from tools.rules.request.wanting import wanted

ENVIRONMENT, PLATFORM = wanted(__package__)
