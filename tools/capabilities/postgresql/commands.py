"""The commands of a PostgreSQL server's guide. The verify step runs them; what they need on the machine is put there by the role."""

from __future__ import annotations

from tools.capabilities.postgresql.variables import KEPT_AS
from tools.rules.databases.settings import psql, settings, told
from tools.rules.words.guiding import common, from_here, on_machine
from tools.values.machine import AnyMachine
from tools.values.manifest import Command, Part

SERVICE = "database"
"""The role writes ~/.pg_service.conf, so this connects over TCP, to the machine's network address, with the password."""
FIXED = {"listen_addresses": "*", "port": "5432", "password_encryption": "scram-sha-256"}
"""What the role sets besides, whatever the size."""


def commands(machine: AnyMachine, part: Part) -> tuple[Command, ...]:
    """In the order of the guide."""
    name = machine.name
    database = part.needs.text("database_name")
    wanted = {**settings(machine, part.needs), **FIXED}
    return (
        on_machine(name, "Ask the database for its version, over TCP with the password", psql(SERVICE, "SELECT version()"), "PostgreSQL"),
        on_machine(
            name,
            "See that the account may make a table, fill it and read it",
            psql(SERVICE, "CREATE TEMPORARY TABLE berth AS SELECT generate_series(1, 1000) AS n", "SELECT sum(n) FROM berth"),
            " 500500",
        ),
        on_machine(
            name,
            "See that the settings of this plan are in force",
            psql(SERVICE, *(f"SHOW {setting}" for setting in wanted), lines=True),
            told(wanted),
        ),
        # Without input it ends at once, connected or not is in its status; with a terminal it stays.
        Command(
            purpose="Work in the database, on the machine",
            argv=("ssh", "-F", "{run}/ssh_config", "-t", "{machine}", "psql service=database"),
            machine=name,
        ),
        from_here(
            name,
            "Connect from this computer, through SSH; without its --command it stays",
            5432,
            f'PGPASSWORD="$(cat {{run}}/secrets/{KEPT_AS})" psql --no-psqlrc --no-password --host 127.0.0.1 --port {{port}} '
            f'--username {database} --command "SELECT version()" {database}',
            "PostgreSQL",
        ),
        *common(machine),
    )
