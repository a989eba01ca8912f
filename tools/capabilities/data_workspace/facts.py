"""What is wanted to know of a data workspace, and how it becomes typed needs: a daily volume is a flow, and what is stored follows from
it."""

from __future__ import annotations

from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.facts import SHARED, read_alert_email, read_common, read_group
from tools.rules.azure.kubernetes import read_api_ranges
from tools.rules.azure.sizes import (
    COMPRESSION,
    DAYS_A_MONTH,
    EGRESS_GB,
    GPU_HOURS,
    LOG_GB,
    PASSES,
    RETENTION_DAYS,
    THROUGHPUT_GB,
    WINDOW_HOURS,
)
from tools.rules.names.text import spell_value
from tools.rules.request.reading import Reading
from tools.rules.request.wanting import wanted
from tools.rules.sizing.sizing import Assumption
from tools.values.request import Fact
from tools.values.requirements import Needs
from tools.values.site import Site

GIB = 2**30
DAILY_GB_MAX, STORED_GB_MAX = 1024 * 1024, 64 * 1024 * 1024

WANTED = wanted(__package__, **SHARED)


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("data_workspace", "azure", WANTED, facts)
    read_common(reading, site, workload="spark")
    daily_gb = _read_daily(reading)
    _number(reading, "retention_days", "days", RETENTION_DAYS, 1, 3650)
    stored_gb = _read_stored(reading, daily_gb)
    if daily_gb is not None:
        reading.suppose("throughput_gb", THROUGHPUT_GB, "GB a core-hour")
        reading.suppose("passes", PASSES, "passes")
        _number(reading, "window_hours", "hours", WINDOW_HOURS, 1, 24)
        _read_biggest(reading, daily_gb, stored_gb or 0)
    _read_gpu(reading)
    _read_choices(reading)
    reading.suppose("log_gb", LOG_GB, "GB a month")
    reading.suppose("egress_gb", EGRESS_GB, "GB a month")
    return reading.needs()


def _read_biggest(reading: Reading, daily_gb: float, stored_gb: float) -> None:
    """The larger of a day's data and what is stored. It is assumed where that is."""
    size_bytes = int(max(daily_gb, stored_gb) * GIB)
    if stored_gb > daily_gb and "stored_volume" not in reading.facts:
        because = f"{spell_value(round(stored_gb), 'GB')} stored is what is assumed; say how much it is, such as `500 GB stored`."
        reading.assumed("data_bytes", size_bytes, because, "bytes")
    else:
        reading.default("data_bytes", size_bytes, "The larger of a day's data and what is stored.", "bytes")


def _read_daily(reading: Reading) -> int | None:
    daily = reading.size("daily_volume", "data a day", GIB, 1, DAILY_GB_MAX, "work is measured between 1 GB and 1 PB a day.")
    if daily is not None:
        reading.said("daily_gb", daily, "GB a day", fact="daily_volume")
        return daily
    monthly = reading.size("monthly_volume", "data a month", GIB, 1, DAILY_GB_MAX * 30, "work is measured between 1 GB and 30 PB a month.")
    if monthly is not None:
        daily = max(1, round(monthly / DAYS_A_MONTH))
        reading.said("daily_gb", daily, "GB a day", fact="monthly_volume")
        return daily
    if "daily_volume" not in reading.facts and "monthly_volume" not in reading.facts:
        reading.ask("daily_volume")
    return None


def _read_stored(reading: Reading, daily_gb: int | None) -> int | None:
    stored = reading.size("stored_volume", "stored data", GIB, 1, STORED_GB_MAX, "a workspace holds between 1 GB and 64 PB.")
    if stored is not None:
        reading.said("stored_gb", stored, "GB", fact="stored_volume")
        return stored
    if daily_gb is None or "stored_volume" in reading.facts:
        return None
    days = next((int(f.value) for f in reading.fields if f.name == "retention_days" and isinstance(f.value, int)), RETENTION_DAYS.value)
    reading.suppose("compression", COMPRESSION, ": 1")
    stored = round(daily_gb * days / COMPRESSION.value)
    monthly_tb = daily_gb * DAYS_A_MONTH / 1024
    reading.assumed(
        "stored_gb",
        stored,
        f"A daily volume is a flow, about {monthly_tb:,.0f} TB a month; {days} days of it are kept at {COMPRESSION.value}:1.",
        "GB",
        low=round(daily_gb * days / COMPRESSION.high),
        high=round(daily_gb * days / COMPRESSION.low),
    )
    return stored


def _read_gpu(reading: Reading) -> None:
    kind = reading.facts["gpu_kind"].value if "gpu_kind" in reading.facts else ""
    said = "gpu" in reading.facts
    wanted = (reading.facts["gpu"].value == "yes") if said else bool(kind)
    if said or kind:
        reading.said("gpu", wanted, fact="gpu" if said else "gpu_kind")
    else:
        reading.default("gpu", False, "No GPU unless it is asked for.")
    if not wanted:
        return
    if kind:
        size = azure_sizes.size_named(kind)
        if size is not None and size.retired:
            new = azure_sizes.sizes()[size.replaced_by]
            reading.assumed("gpu_kind", new.gpu_kind, azure_sizes.replacement(size))
        else:
            reading.said("gpu_kind", kind)
    daily = reading.count("gpu_hours_daily", "hours of GPU a day", 1, 24, "a day has 24 hours.")
    if daily is not None and "gpu_hours" not in reading.facts:
        reading.said("gpu_hours", daily * DAYS_A_MONTH, "hours a month", fact="gpu_hours_daily")
    elif "gpu_hours" in reading.facts or "gpu_hours_daily" not in reading.facts:
        _number(reading, "gpu_hours", "hours a month", GPU_HOURS, 1, 730)


def _read_choices(reading: Reading) -> None:
    for name in ("storage_path", "machines"):
        if name in reading.facts:
            reading.said(name, reading.facts[name].value)
    read_api_ranges(reading)
    read_group(reading, "team_group")
    read_alert_email(reading)


def _number(reading: Reading, name: str, unit: str, assumption: Assumption, low: int, high: int) -> None:
    value = reading.count(name, name.replace("_", " "), low, high, "that cannot be.")
    if value is not None:
        reading.said(name, value, unit)
    elif name not in reading.facts:
        reading.suppose(name, assumption, unit)
