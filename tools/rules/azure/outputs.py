"""Fills what was made into what is to be applied: `${jobs.client_id}` becomes that output of Terraform's."""

from __future__ import annotations

import re

from tools.values.value import Json

_PLACE = re.compile(r"\$\{([a-z_]+(?:\.[a-z_]+)*)\}")


def fill(value: Json, outputs: Json) -> Json:
    """Raises KeyError for an output that is not there: the module and what is applied have come apart."""
    if isinstance(value, str):
        return _PLACE.sub(lambda found: str(_at(outputs, found[1])), value)
    if isinstance(value, list):
        return [fill(one, outputs) for one in value]
    if isinstance(value, dict):
        return {name: fill(one, outputs) for name, one in value.items()}
    return value


def _at(outputs: Json, path: str) -> Json:
    for step in path.split("."):
        outputs = outputs[step]
    return outputs
