"""The commands of a plain machine's guide. The verify step runs them."""

from __future__ import annotations

from typing import Any

from tools.rules.words.guiding import common
from tools.values.manifest import Command
from tools.values.requirements import Needs


def commands(machines: list[dict[str, Any]], needs: Needs) -> tuple[Command, ...]:
    return tuple(command for machine in machines for command in common(machine))
