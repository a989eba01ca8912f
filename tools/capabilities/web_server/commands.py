"""The commands of a web server's guide. The verify step runs them."""

from __future__ import annotations

from typing import Any

from tools.rules.guiding import common, on_machine
from tools.values.manifest import Command
from tools.values.requirements import Needs

CURL = "curl --silent --show-error --fail"


def commands(machines: list[dict[str, Any]], needs: Needs) -> tuple[Command, ...]:
    return tuple(command for machine in machines for command in _of(machine["name"]))


def _of(name: str) -> tuple[Command, ...]:
    return (
        on_machine(name, "Ask the site whether it is well", f"{CURL} http://{{address}}/health", "ok"),
        on_machine(name, "Ask the site for its page", f"{CURL} http://{{address}}/", f"{name} is serving"),
        *common(name),
        Command(
            purpose="Ask the site from a computer that reaches its network",
            argv=("curl", "http://{address}/health"),
            machine=name,
            runs_here=False,
        ),
    )
