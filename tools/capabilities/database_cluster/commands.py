"""The commands of a database cluster's guide. The verify step runs them; what they need on the machine is put there by the role.

What all members tell alike is asked of the first; what each has of its own, of each.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.capabilities.database_cluster.variables import KEPT_AS, WRITERS_PORT, settings_of
from tools.rules.databases.settings import psql, told
from tools.rules.words.guiding import common, from_here, on_machine
from tools.values.machine import AnyMachine
from tools.values.manifest import Command, Part

WRITERS, READERS = "database", "readers"
"""Services of ~/.pg_service.conf, which the role writes: by the virtual address, with TLS, its certificate checked, and the password."""
AS_POSTGRES = "sudo --user postgres"
FIXED = {"synchronous_commit": "on", "password_encryption": "scram-sha-256", "archive_mode": "on"}
"""What is set besides, whatever the size."""


def commands(machine: AnyMachine, part: Part) -> tuple[Command, ...]:
    """In the order of the guide."""
    whole = _of_all(machine, part) if machine.name == part.machines[0].name else ()
    return (*whole, _member(machine), *common(machine))


def _of_all(machine: AnyMachine, part: Part) -> Iterator[Command]:
    name, database = machine.name, part.needs.text("database_name")
    wanted = {**settings_of(machine, part.needs), **FIXED}
    yield on_machine(name, "Ask the database for its version, through the writers' port", psql(WRITERS, "SELECT version()"), "PostgreSQL")
    write = psql(WRITERS, "DROP TABLE IF EXISTS berth", "CREATE TABLE berth AS SELECT sum(n) FROM generate_series(1, 1000) AS n")
    read = psql(READERS, "SELECT sum, pg_is_in_recovery() FROM berth")
    yield on_machine(
        name, "See that what is written through the writers' port can be read from a replica", f"{write} && {read}", " 500500 | t"
    )
    yield on_machine(
        name,
        "See who is the primary, who is the replica that has every acknowledged write, and who follows",
        f"{AS_POSTGRES} patronictl -c /etc/patroni/config.yml list",
        "Sync Standby",
    )
    yield on_machine(
        name,
        "See that etcd's members agree",
        "sudo etcdctl --endpoints https://{address}:2379 --cacert /etc/ssl/certs/database_cluster_ca.pem "
        "--cert /etc/ssl/certs/database_cluster.pem --key /etc/ssl/private/database_cluster.key endpoint health --cluster 2>&1",
        "is healthy",
    )
    yield on_machine(
        name,
        "See that the settings of this plan are in force",
        psql(WRITERS, *(f"SHOW {setting}" for setting in wanted), lines=True),
        told(wanted),
    )
    yield on_machine(
        name, "See that the write-ahead log reaches the backups", f"{AS_POSTGRES} pgbackrest --stanza=database check && echo ok", "ok"
    )
    yield on_machine(name, "See which backups there are", f"{AS_POSTGRES} pgbackrest --stanza=database info", "full backup: ")
    # Without input it ends at once, connected or not is in its status; with a terminal it stays.
    yield Command(
        purpose="Work in the database, on the machine",
        argv=("ssh", "-F", "{run}/ssh_config", "-t", "{machine}", f"psql service={WRITERS}"),
        machine=name,
    )
    yield from_here(
        name,
        "Connect from this computer, through SSH; without its --command it stays",
        WRITERS_PORT,
        f'PGPASSWORD="$(cat {{run}}/secrets/{KEPT_AS})" psql --no-psqlrc --no-password --host 127.0.0.1 --port {{port}} '
        f'--username {database} --command "SELECT version()" {database}',
        "PostgreSQL",
    )


def _member(machine: AnyMachine) -> Command:
    return on_machine(
        machine.name,
        "See that its PostgreSQL runs, as which role",
        "curl --silent --show-error --fail --cacert /etc/ssl/certs/database_cluster_ca.pem https://{address}:8008/health",
        '"state": "running"',
    )
