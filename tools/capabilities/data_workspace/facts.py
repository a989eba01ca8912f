"""What is wanted to know of a data workspace, and how it becomes typed needs: a daily volume is a flow, and what is stored follows from it."""

from __future__ import annotations

import ipaddress

from tools.rules.azure import facts as azure_facts
from tools.rules.azure import sizes as azure_sizes
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
from tools.rules.names import naming
from tools.rules.request.reading import Reading
from tools.rules.sizing.sizing import Assumption
from tools.values.heard import Fact
from tools.values.requirements import Needs
from tools.values.site import Site
from tools.values.wanted import Wanted

GIB = 2**30
DAILY_GB_MAX, STORED_GB_MAX = 1024 * 1024, 64 * 1024 * 1024

_GPU_CHOICES = (
    ("T4", ("t4", "nc4as_t4_v3", "standard_nc4as_t4_v3")),
    ("A100", ("a100", "nc24ads_a100_v4", "standard_nc24ads_a100_v4")),
    ("H100", ("h100", "nc40ads_h100_v5", "standard_nc40ads_h100_v5")),
    ("NC6s_v3", ("nc6s_v3", "standard_nc6s_v3", "v100")),
    ("NC12s_v3", ("nc12s_v3", "standard_nc12s_v3")),
    ("NC24s_v3", ("nc24s_v3", "standard_nc24s_v3")),
)

WANTED: tuple[Wanted, ...] = (
    Wanted(
        name="stored_volume",
        kind="volume",
        meaning="data that lies there at one time, with its unit",
        words=("stored", "storage", "in total", "total", "kept", "retained", "data lake", "lake"),
    ),
    Wanted(
        name="daily_volume",
        kind="volume",
        meaning="data that comes in and is worked on each day, with its unit: a flow",
        words=("daily", "a day", "per day", "every day", "each day", "day"),
        question="How much data is worked on each day?",
        suggestions=("100 GB daily", "1 TB daily", "5 TB daily"),
    ),
    Wanted(
        name="monthly_volume",
        kind="volume",
        meaning="the same by the month",
        words=("monthly", "a month", "per month", "every month", "month"),
    ),
    Wanted(
        name="gpu",
        kind="yes_no",
        meaning="whether models are trained on GPUs",
        words=("gpu", "gpus", "graphics processor", "cuda"),
    ),
    Wanted(
        name="gpu_kind",
        kind="choice",
        meaning="the kind of GPU, or a machine size, only when the operator names one",
        choices=_GPU_CHOICES,
    ),
    Wanted(
        name="gpu_hours",
        kind="count",
        meaning="hours of GPU a month",
        words=("gpu hours", "hours of gpu", "training hours", "hours of training"),
    ),
    Wanted(
        name="gpu_hours_daily",
        kind="count",
        meaning="the same by the day",
        words=("hours a day", "hours per day", "hours daily", "hours every day", "hours each day"),
    ),
    Wanted(
        name="retention_days",
        kind="count",
        meaning="days that data is kept",
        words=("days retention", "days of retention", "retention", "days"),
    ),
    Wanted(
        name="window_hours",
        kind="count",
        meaning="hours within which a day's data is to be done",
        words=("hour window", "hours window", "window"),
    ),
    Wanted(
        name="storage_path",
        kind="choice",
        meaning="how the cluster reaches the data, only when the operator says so",
        choices=(
            ("service_endpoint", ("service endpoint",)),
            ("private_endpoint", ("private endpoint", "private link", "privatelink")),
        ),
    ),
    Wanted(
        name="machines",
        kind="choice",
        meaning="spot machines, which Azure may take back, or ordinary ones, only when the operator says so",
        choices=(("spot", ("spot", "preemptible")), ("on_demand", ("on demand", "on-demand", "no spot", "pay as you go"))),
    ),
    Wanted(
        name="api_ranges",
        kind="text",
        meaning="addresses (CIDR) from which the Kubernetes API may be reached",
        words=("ip range", "from address", "addresses"),
    ),
    Wanted(
        name="alert_email",
        kind="text",
        meaning="who is told of alerts: an e-mail address",
        words=("alerts to", "alert email", "email"),
    ),
    *azure_facts.EVERY_CLOUD,
)


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("data_workspace", "azure", WANTED, facts)
    azure_facts.read_common(reading, site, workload="spark")
    daily_gb = _read_daily(reading)
    _number(reading, "retention_days", "days", RETENTION_DAYS, 1, 3650)
    stored_gb = _read_stored(reading, daily_gb)
    if daily_gb is not None:
        reading.suppose("throughput_gb", THROUGHPUT_GB, "GB a core-hour")
        reading.suppose("passes", PASSES, "passes")
        _number(reading, "window_hours", "hours", WINDOW_HOURS, 1, 24)
        biggest = max(daily_gb, stored_gb or 0)
        reading.default("data_bytes", int(biggest * GIB), "The larger of a day's data and what is stored.", "bytes")
    _read_gpu(reading)
    _read_choices(reading)
    reading.suppose("log_gb", LOG_GB, "GB a month")
    reading.suppose("egress_gb", EGRESS_GB, "GB a month")
    return reading.needs()


def _read_daily(reading: Reading) -> int | None:
    daily = reading.size("daily_volume", "data a day", GIB, 1, DAILY_GB_MAX, "work is measured between 1 GB and 1 PB a day.")
    if daily is not None:
        reading.said("daily_gb", daily, "GB a day", fact="daily_volume")
        return daily
    monthly = reading.size(
        "monthly_volume", "data a month", GIB, 1, DAILY_GB_MAX * 30, "work is measured between 1 GB and 30 PB a month."
    )
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
    days = next(
        (int(f.value) for f in reading.fields if f.name == "retention_days" and isinstance(f.value, int)), RETENTION_DAYS.value
    )
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
    if "api_ranges" in reading.facts:
        ranges = tuple(word.strip(",") for word in reading.facts["api_ranges"].value.split() if "." in word)
        wrong = [one for one in ranges if not _is_range(one)]
        if wrong or not ranges:
            shown = naming.shorten(reading.facts["api_ranges"].value)
            reading.problems.append(f"{shown} is no range of addresses. Say one such as 198.51.100.0/24, and never 0.0.0.0/0.")
        else:
            reading.said("api_ranges", ranges)
    if "alert_email" in reading.facts:
        email = reading.facts["alert_email"].value.strip()
        if email.count("@") == 1 and "." in email.split("@")[1] and len(email) <= 254 and " " not in email:
            reading.said("alert_email", email)
        else:
            reading.problems.append(f"{naming.shorten(email)} is no e-mail address. Say one such as ml-team@example.org.")


def _is_range(text: str) -> bool:
    try:
        return ipaddress.ip_network(text, strict=False).prefixlen >= 8
    except ValueError:
        return False


def _number(reading: Reading, name: str, unit: str, assumption: Assumption, low: int, high: int) -> None:
    value = reading.count(name, name.replace("_", " "), low, high, "that cannot be.")
    if value is not None:
        reading.said(name, value, unit)
    elif name not in reading.facts:
        reading.suppose(name, assumption, unit)
