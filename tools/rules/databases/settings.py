"""What a PostgreSQL server is set to by the size of its machine, and how it prints what it is set to."""

from __future__ import annotations

from tools.rules.sizing import sizing
from tools.values.machine import AnyMachine
from tools.values.requirements import Needs

BLOCK_KB = 8
IN_BLOCKS = ("shared_buffers", "effective_cache_size", "wal_buffers")
"""Settings that the server keeps in blocks, to which it rounds what it is given."""


def settings(machine: AnyMachine, needs: Needs) -> dict[str, str]:
    """What the server is set to; the guide's commands look whether it is in force."""
    return sizing.pgtune(machine.memory_mib, needs.whole("concurrent_users"), machine.cpu_count, "web")


def shown(setting: str, value: str) -> str:
    """A value as SHOW prints it: sizes in whole blocks where the server keeps blocks, in the largest unit that divides them."""
    if setting in IN_BLOCKS and value.endswith("kB"):
        return f"{round(int(value.removesuffix('kB')) / BLOCK_KB) * BLOCK_KB}kB"
    return value


def told(settings: dict[str, str]) -> str:
    """As `psql --expanded --no-align` prints what SHOW answers for each of them."""
    return "\n".join(f"{name}|{shown(name, value)}" for name, value in settings.items())


def psql(service: str, *statements: str, lines: bool = False) -> str:
    """A line for the shell, by a service of the account's ~/.pg_service.conf. Double quotes, and none within, so that the whole command can
    be printed in single ones. `lines`: one line a value, with its name."""
    words = [f"psql --no-psqlrc --no-password service={service}", *(["--expanded", "--no-align"] if lines else [])]
    return " ".join([*words, *(f'--command "{statement}"' for statement in statements)])
