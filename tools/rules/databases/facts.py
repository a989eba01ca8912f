"""The facts that every request for a PostgreSQL database may state (facts.toml). How they are read is in tools.rules.databases.reading."""

from __future__ import annotations

from tools.rules.request.wanting import wanted

EVERY_DATABASE = {one.name: (one,) for one in wanted(__package__)}
"""By the names that sections of a capability's facts.toml have for them."""
