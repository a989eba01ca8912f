"""What is wanted to know of a Databricks workspace, and how it becomes typed needs. Nothing has to be asked for: what is not said is
assumed, with its range."""

from __future__ import annotations

from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.facts import SHARED, read_common
from tools.rules.azure.placing import read_name
from tools.rules.hearing.tokens import quantities
from tools.rules.request.reading import Reading
from tools.rules.request.wanting import wanted
from tools.values.request import Fact
from tools.values.requirements import Needs, Source
from tools.values.site import Site
from tools.values.wanted import Wanted

WORKERS_MAX = 100
WORKERS = (2, 8)
"""When nobody says how many: from two, so that a lost node stops nothing, to eight."""
IDLE_MINUTES, IDLE_MINUTES_LOW, IDLE_MINUTES_HIGH = 20, 10, 30
IDLE_MINUTES_MAX = 240
HOURS = 176
_OURS = Source(title="Berth's own assumption", date="2026-11-24", grade="assumption")

_NODE_TYPE = Wanted(
    name="node_type",
    kind="choice",
    meaning="the virtual machine size of its nodes",
    choices=tuple((name, (name.lower(), name.lower().removeprefix("standard_"))) for name in azure_sizes.sizes()),
)
WANTED = wanted(__package__, node_type=(_NODE_TYPE,), **SHARED)


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("databricks", "azure", WANTED, facts)
    read_common(reading, site, "dbx")
    read_name(reading, "resource_group", "resource_group")
    _read_workers(reading)
    _read_nodes(reading)
    _read_times(reading)
    return reading.needs()


def _read_workers(reading: Reading) -> None:
    why = "a cluster has at least one worker, and one with more is reviewed by people, not composed here."
    most = reading.count("max_workers", "workers", 1, WORKERS_MAX, why)
    least = reading.count("min_workers", "workers at the least", 1, WORKERS_MAX, why)
    if most is None and "max_workers" in reading.facts:
        return
    # Of `1-4 workers` the fact itself is the upper end.
    low_said = quantities.low_end(reading.facts["max_workers"].quote) if most is not None else None
    if most is not None:
        reading.said("max_workers", most, "workers")
    else:
        most = max(WORKERS[1], least or 0)
        reading.assumed("max_workers", most, "How many workers was not said.", "workers", low=2, high=20, source=_OURS)
    if least is not None and least > most:
        reading.refuse(
            f"At least {least} and at most {most} workers cannot both be. Say `minimum workers {most}` or `maximum workers {least}`.",
            "max_workers",
            "min_workers",
        )
    elif least is not None:
        reading.said("min_workers", least, "workers")
    elif low_said is not None and 1 <= low_said <= most:
        reading.said("min_workers", low_said, "workers", fact="max_workers")
    else:
        fewest = min(WORKERS[0], most)
        reading.assumed("min_workers", fewest, "It grows from here as work comes in.", "workers", low=1, high=most, source=_OURS)


def _read_nodes(reading: Reading) -> None:
    size = azure_sizes.size_named(reading.facts["node_type"].value) if "node_type" in reading.facts else None
    gpu_said = "gpu" in reading.facts or "gpu_kind" in reading.facts
    gpu = reading.facts["gpu"].value == "yes" if "gpu" in reading.facts else "gpu_kind" in reading.facts
    if size is not None:
        gpu = size.gpu_count > 0
        if size.retired:
            new = azure_sizes.sizes()[size.replaced_by]
            reading.assumed("node_type", new.name, azure_sizes.replacement(size))
        else:
            reading.said("node_type", size.name)
    if "gpu_kind" in reading.facts:
        reading.said("gpu_kind", reading.facts["gpu_kind"].value)
    if gpu_said:
        reading.said("gpu", gpu, fact="gpu" if "gpu" in reading.facts else "gpu_kind")
    else:
        reading.default("gpu", gpu, "By the size of its nodes." if size else "Without graphics processors unless they are asked for.")


def _read_times(reading: Reading) -> None:
    minutes = reading.count(
        "idle_minutes",
        "minutes",
        IDLE_MINUTES_LOW,
        IDLE_MINUTES_MAX,
        "Databricks stops no cluster sooner, and a longer wait is paid for nothing.",
    )
    if minutes is not None:
        reading.said("idle_minutes", minutes, "minutes")
    elif "idle_minutes" not in reading.facts:
        why = "A cluster without work stops itself; Databricks' own default of 120 minutes is paid for nothing."
        reading.assumed("idle_minutes", IDLE_MINUTES, why, "minutes", low=IDLE_MINUTES_LOW, high=IDLE_MINUTES_HIGH, source=_OURS)
    hours = reading.count("hours_monthly", "hours a month", 1, 744, "a month has at least 672 and at most 744 hours.")
    if hours is not None:
        reading.said("hours_monthly", hours, "hours a month")
    elif "hours_monthly" not in reading.facts:
        why = "The cluster runs in working hours, 22 days of 8 hours, and is stopped otherwise."
        reading.assumed("hours_monthly", HOURS, why, "hours a month", low=20, high=730, source=_OURS)
