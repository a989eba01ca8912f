"""How what was said of a PostgreSQL database becomes typed needs, where Azure runs the server. Which size carries it is decided in
choices."""

from __future__ import annotations

from tools.capabilities.postgresql.facts import WANTED
from tools.rules.azure.facts import read_alert_email, read_common, read_group, refuse_places_of_clusters
from tools.rules.azure.placing import read_name
from tools.rules.azure.sizes import assumed
from tools.rules.databases.reading import read_database_name, read_database_size, read_engine, read_users
from tools.rules.request.reading import Reading, read_sizes
from tools.rules.sizing import sizing
from tools.values.request import Fact
from tools.values.requirements import Needs
from tools.values.site import Site

STORAGE_GIB = (32, 64, 128, 256, 512, 1024, 2048, 4095, 4096, 8192, 16384, 32767)
"""Sizes of a Premium SSD; registry.terraform.io hashicorp/azurerm postgresql_flexible_server, storage_mb, 2026-11-29."""
VERSION = "17"
"""The newest that has all extensions: 18 lacks some (learn.microsoft.com azure/postgresql concepts-supported-versions, 2025-12-08)."""
LOG_GB = assumed(5, 1, 50, "Logs a month, of who connected and of slow statements.")
BACKUP_DAYS, BACKUP_DAYS_RANGE = 14, (7, 35)
"""learn.microsoft.com azure/postgresql concepts-backup-restore, read 2026-12-01."""


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("postgresql", "azure", WANTED, facts)
    read_engine(reading)
    read_users(reading)
    read_common(reading, site, "db")
    read_name(reading, "resource_group", "resource_group")
    _read_sizes(reading)
    read_database_name(reading)
    reading.default("version", VERSION, "The newest version that has all extensions.")
    reading.suppose("log_gb", LOG_GB, "GB a month")
    _read_wishes(reading)
    read_group(reading, "administrators")
    read_alert_email(reading)
    refuse_places_of_clusters(reading)
    count = reading.count("count", "servers", 1, 1, "one server is made for one database.")
    if count is not None:
        reading.said("count", count, "servers")
    return reading.needs()


def _read_sizes(reading: Reading) -> None:
    """Processors and memory only when they were said: the published size follows from the connections."""
    cpu_count, memory_mib, disk_gib = read_sizes(reading)
    if cpu_count is not None:
        reading.said("cpu_count", cpu_count, "vCPU")
    if memory_mib is not None:
        reading.said("memory_mib", memory_mib, "MiB", fact="memory")
    database_gib = read_database_size(reading)
    wanted = sizing.database_disk_gib(database_gib) if database_gib is not None else sizing.DATABASE_DISK_GIB
    least = disk_gib if disk_gib is not None else wanted.value
    storage_gib = next((size for size in STORAGE_GIB if size >= least), None)
    if storage_gib is None:
        reading.refuse(
            f"{least:,} GiB are more than one server's storage holds. Say at most {STORAGE_GIB[-1]:,} GiB, or less data.",
            "disk",
            "database_size",
        )
    elif disk_gib is not None:
        reading.said("storage_gib", storage_gib, "GiB", fact="disk")
    else:
        because = f"{wanted.because} The next size of a Premium SSD; it only ever grows."
        reading.assumed("storage_gib", storage_gib, because, "GiB", low=STORAGE_GIB[0], high=STORAGE_GIB[-1], source=wanted.source)


def _read_wishes(reading: Reading) -> None:
    """Azure keeps backups anyhow; how long is what can be said of them."""
    if "high_availability" in reading.facts:
        reading.said("high_availability", True)
    reading.facts.read.add("backup")  # Azure makes them without being asked
    days = reading.count("backup_days", "days of backups", *BACKUP_DAYS_RANGE, "that is how long Azure keeps backups of PostgreSQL.")
    if days is not None:
        reading.said("backup_days", days, "days")
    elif "backup_days" not in reading.facts:
        reading.default("backup_days", BACKUP_DAYS, "A week more than Azure keeps by itself.", "days")
