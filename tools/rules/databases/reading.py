"""Reads what was said of a PostgreSQL database into fields: users, sizes, its name. How large one has to be is decided in
tools.rules.sizing."""

from __future__ import annotations

from collections.abc import Callable

from tools.rules.names import naming
from tools.rules.request.reading import Reading, read_sizes
from tools.rules.sizing import sizing
from tools.rules.sizing.sizing import Assumption, PostgresqlSize

CONNECTIONS_MAX = sizing.postgresql_sizes()[-1].connections_user_max


def read_engine(reading: Reading) -> None:
    sentence = "Berth makes PostgreSQL databases, not {other} ones. Say PostgreSQL"
    reading.refuse_other_makes("engine", "PostgreSQL", sentence)


def read_users(reading: Reading) -> PostgresqlSize | None:
    users = reading.count(
        "users",
        "concurrent users",
        1,
        CONNECTIONS_MAX,
        "a database has at least one, and no published size of PostgreSQL carries more connections than "
        f"{CONNECTIONS_MAX:,}; beyond that a pooler such as PgBouncer goes in front.",
    )
    if users is not None:
        reading.said("concurrent_users", users, "connections", fact="users")
        return sizing.postgresql(users)
    if "users" not in reading.facts:
        reading.ask("users")
    return None


def settle_database_sizes(
    reading: Reading, size: PostgresqlSize | None, disk: Callable[[int], Assumption] = sizing.database_disk_gib
) -> None:
    """Each size as it was said, else the published one for so many connections; the next larger one is the end of its range. `disk` by the
    size of the data."""
    cpu_count, memory_mib, disk_gib = read_sizes(reading)
    larger = sizing.postgresql_next(size) if size else None
    least = sizing.postgresql_least(_users(reading)) if size else None
    if cpu_count is not None:
        reading.said("cpu_count", cpu_count, "vCPU")
    elif size and larger and least and "cpu_count" not in reading.facts:
        reading.assumed("cpu_count", size.cpu_count, carries(size), "vCPU", low=least.cpu_count, high=larger.cpu_count, source=size.source)
    if memory_mib is not None:
        reading.said("memory_mib", memory_mib, "MiB", fact="memory")
    elif size and larger and "memory" not in reading.facts:
        reading.assumed(
            "memory_mib", size.memory_mib, carries(size), "MiB", low=size.memory_mib, high=larger.memory_mib, source=size.source
        )
    database_gib = read_database_size(reading)
    if disk_gib is not None:
        reading.said("disk_gib", disk_gib, "GiB", fact="disk")
        if database_gib is not None and database_gib >= disk_gib:
            reading.refuse(
                f"{database_gib:,} GiB of data do not fit on a disk of {disk_gib:,} GiB that holds the system as well. "
                f"Say a disk of {disk(database_gib).value:,} GiB, which leaves room to grow, or less data.",
                "disk",
                "database_size",
            )
    elif "disk" not in reading.facts:
        assumption = disk(database_gib) if database_gib is not None else sizing.DATABASE_DISK_GIB
        reading.suppose("disk_gib", assumption, "GiB")


def _users(reading: Reading) -> int:
    return next(int(f.value) for f in reading.fields if f.name == "concurrent_users" and isinstance(f.value, int))


def read_database_size(reading: Reading) -> int | None:
    """Also when a disk was said: what was said of the data is in the plan, and it has to fit."""
    database_gib = reading.size(
        "database_size", "data", 2**30, 1, 16 * 1024, "a database holds something, and on one disk not more than 16 TiB."
    )
    if database_gib is not None:
        reading.said("database_gib", database_gib, "GiB", fact="database_size")
    return database_gib


def read_database_name(reading: Reading) -> None:
    if "database_name" not in reading.facts:
        reading.default("database_name", "app", "A database called app unless another name is said.")
        return
    name = reading.facts["database_name"].value.strip().lower()
    if naming.IDENTIFIER.fullmatch(name):
        reading.said("database_name", name)
    else:
        reading.refuse(
            f"{naming.shorten(name)} cannot be the name of a database here: it is made of small letters, digits and underscores "
            "and starts with a letter. Say one such as shop.",
            "database_name",
        )


def carries(size: PostgresqlSize) -> str:
    return f"The smallest published size that carries them: {size.sku}, up to {size.connections_user_max:,} connections of users."
