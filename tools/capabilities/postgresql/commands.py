"""The commands of a PostgreSQL server's guide. The verify step runs them; what they need on the machine is put there by the role."""

from __future__ import annotations

from typing import Any

from tools.rules.guiding import common, on_machine
from tools.values.manifest import Command
from tools.values.requirements import Needs

PSQL = "psql --no-psqlrc --no-password service=database"
"""The role writes ~/.pg_service.conf, so this connects over TCP, to the machine's network address, with the password."""


def commands(machines: list[dict[str, Any]], needs: Needs) -> tuple[Command, ...]:
    return tuple(command for machine in machines for command in _of(machine["name"]))


def _of(name: str) -> tuple[Command, ...]:
    return (
        on_machine(name, "Ask the database for its version, over TCP with the password", _psql("SELECT version()"), "PostgreSQL"),
        on_machine(
            name,
            "See that the account may make a table, fill it and read it",
            _psql("CREATE TEMPORARY TABLE berth AS SELECT generate_series(1, 1000) AS n", "SELECT sum(n) FROM berth"),
            " 500500",
        ),
        on_machine(name, "See how many connections it takes", _psql("SHOW max_connections", lines=True), "max_connections|"),
        on_machine(
            name,
            "See that every setting is in force and none waits for a restart",
            _psql("SELECT bool_and(NOT pending_restart) AS in_force FROM pg_settings", lines=True),
            "in_force|t",
        ),
        *common(name),
    )


def _psql(*statements: str, lines: bool = False) -> str:
    """Double quotes, and none within, so that the whole command can be printed in single ones. `lines`: one line a value, with its name."""
    words = [PSQL, *(["--expanded", "--no-align"] if lines else []), *(f'--command "{statement}"' for statement in statements)]
    return " ".join(words)
