"""The commands of a Redis server's guide. The verify step runs them; what they need on the machine is put there by the role."""

from __future__ import annotations

from tools.capabilities.redis.facts import policy
from tools.capabilities.redis.variables import KEPT_AS, data_max_mib
from tools.rules.words.guiding import common, from_here, on_machine
from tools.values.machine import AnyMachine
from tools.values.manifest import Command, Part

PORT = 6379
CLIENT = "redis-cli -h {address}"
WITH_PASSWORD = f'REDISCLI_AUTH="$(cat ~/.redis_password)" {CLIENT}'
"""The role writes ~/.redis_password. By the environment, so that the password is in no process list."""


def commands(machine: AnyMachine, part: Part) -> tuple[Command, ...]:
    """In the order of the guide."""
    name = machine.name
    wanted = settings(machine, part)
    return (
        on_machine(
            name,
            "Ask the server for its version, over the network with the password",
            f"{WITH_PASSWORD} INFO server | grep ^redis_version",
            "redis_version:",
        ),
        on_machine(
            name,
            "See that a key can be written, read and deleted",
            _lines("SET berth:verify 500500 EX 60", "GETDEL berth:verify"),
            "OK\n500500",
        ),
        on_machine(
            name,
            "See that the settings of this plan are in force",
            _lines(*(f"CONFIG GET {setting}" for setting in wanted)),
            "\n".join(f"{setting}\n{value}" for setting, value in wanted.items()),
        ),
        on_machine(
            name,
            "See that what is written is kept on disk",
            f"{WITH_PASSWORD} INFO persistence | grep -e ^aof_enabled -e ^aof_last_write_status -e ^rdb_last_bgsave_status",
            "aof_last_write_status:ok",
        ),
        on_machine(name, "See that nobody gets in without the password", f"{CLIENT} PING", "NOAUTH"),
        # Without input it ends at once; with a terminal it stays.
        Command(
            purpose="Work in the server, on the machine",
            argv=("ssh", "-F", "{run}/ssh_config", "-t", "{machine}", WITH_PASSWORD),
            machine=name,
        ),
        from_here(
            name,
            "Ask the server from this computer, through SSH; without PING it stays",
            PORT,
            f'REDISCLI_AUTH="$(cat {{run}}/secrets/{KEPT_AS})" redis-cli -h 127.0.0.1 -p {{port}} PING',
            "PONG",
        ),
        *common(machine),
    )


def settings(machine: AnyMachine, part: Part) -> dict[str, str]:
    """As CONFIG GET prints them."""
    return {
        "maxmemory": str(data_max_mib(machine, part.needs) * 2**20),
        "maxmemory-policy": policy(part.needs),
        "appendonly": "yes",
        "appendfsync": "everysec",
    }


def _lines(*statements: str) -> str:
    """Each on a line of the client's input: one connection, and answers in the order of the statements."""
    return f'printf "{"".join(f"{statement}{chr(92)}n" for statement in statements)}" | {WITH_PASSWORD}'
