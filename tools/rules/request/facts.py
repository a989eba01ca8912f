"""The facts that every request may state (facts.toml), wherever its things are to stand. A region of Azure says that it is Azure, too."""

from __future__ import annotations

from tools.data import table
from tools.rules.request.wanting import wanted

ENVIRONMENT, _PLATFORM = wanted(__package__)
_REGIONS = tuple(dict.fromkeys(name for row in table("azure-regions") for name in (row["name"], row["display_name"].lower())))
PLATFORM = _PLATFORM.model_copy(
    update={"choices": tuple((place, (*words, *_REGIONS) if place == "azure" else words) for place, words in _PLATFORM.choices)}
)
