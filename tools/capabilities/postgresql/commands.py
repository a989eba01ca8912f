"""The commands of a PostgreSQL server's guide. The verify step runs them; what they need on the machine is put there by the role."""

from __future__ import annotations

from typing import Any

from tools.rules.guiding import common, on_machine
from tools.values.manifest import Command
from tools.values.requirements import Needs

PSQL = "psql --no-psqlrc --no-password service=database"
"""The role writes ~/.pg_service.conf, so this connects over TCP, to the machine's network address, with the password."""
SETTINGS = ("max_connections", "shared_buffers", "effective_cache_size", "work_mem")


def commands(machines: list[dict[str, Any]], needs: Needs) -> tuple[Command, ...]:
    return tuple(command for machine in machines for command in _of(machine["name"]))


def _of(name: str) -> tuple[Command, ...]:
    settings = ", ".join(f"'{setting}'" for setting in SETTINGS)
    return (
        on_machine(name, "Ask the database for its version, over TCP with the password", _psql("SELECT version()"), "PostgreSQL"),
        on_machine(
            name,
            "See that the account may make a table, fill it and read it",
            _psql(
                "CREATE TEMPORARY TABLE berth AS SELECT generate_series(1, 1000) AS n",
                "SELECT count(*) || ' rows' AS answer FROM berth",
            ),
            "1000 rows",
        ),
        on_machine(
            name,
            "See the settings, and that none waits for a restart",
            _psql(
                f"SELECT name, setting, unit FROM pg_settings WHERE name IN ({settings}) ORDER BY name",  # noqa: S608  our own names
                "SELECT count(*) || ' settings wait for a restart' AS answer FROM pg_settings WHERE pending_restart",
            ),
            " 0 settings wait for a restart",
        ),
        *common(name),
    )


def _psql(*statements: str) -> str:
    return " ".join([PSQL, *(f'--command "{statement}"' for statement in statements)])
