"""Which monitoring watches which part, and what it is told of it. Telling it is done in tools.pipeline.watching."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Sequence

from tools.rules.machines import templates
from tools.rules.machines.images import becomes_template
from tools.values.manifest import Part
from tools.values.run import MachineReceipt
from tools.values.site import Site
from tools.values.watched import Exporter, Monitor, Watched, list_name

NODE = Exporter(job="node", port=9100)
"""Of the role `base`, which every machine gets."""


def watch(parts: Sequence[Part], monitors: Sequence[Monitor], unwatched: Sequence[Watched]) -> tuple[Part, ...]:
    """The parts of a request, each with the machines that will watch it. `unwatched` runs already, and nobody watches it: the first
    monitoring of the request takes it over."""
    own = tuple(as_monitor("", part) for part in parts if part.watches)
    made: list[Part] = []
    for part in parts:
        by = monitor_of(part, own, monitors) if watches_or_is_watched(part) and not part.watches else None
        first = part.watches and part.label == own[0].label
        taken = tuple((one.listed, ", ".join(one.names)) for one in unwatched) if first else ()
        made.append(part.model_copy(update={"watched_by": by.names if by else (), "takes_over": taken}))
    return tuple(made)


def monitor_of(part: Part, own: Sequence[Monitor], others: Sequence[Monitor]) -> Monitor | None:
    """Of the same request; else of the same environment; else the site's own; else any, the first by name."""
    environment = part.needs.text("environment")
    ranked = sorted(others, key=lambda one: (one.environment != environment, bool(one.run_id), one.names))
    return next(iter((*own, *ranked)), None)


def is_reached(part: Part) -> bool:
    """Its machines are reached over SSH, and run when all is done: one can log in to them."""
    return bool(part.every_machine) and part.configure is not None and part.configure.kind == "ansible" and not becomes_template(part)


def watches_or_is_watched(part: Part) -> bool:
    """A monitoring stands on a cluster, with what it watches: what is in a cloud has its figures there."""
    exports = not part.machines or templates.is_set_up(str(dict(part.facts).get("os", "")))  # node_exporter
    return bool(part.machines) and is_reached(part) and exports


def as_monitor(run_id: str, part: Part) -> Monitor:
    names = tuple(machine.name for machine in part.machines)
    return Monitor(names=names, environment=part.needs.text("environment"), run_id=run_id, label=part.label)


def monitors_of(standing: Iterable[tuple[str, Part]], site: Site) -> tuple[Monitor, ...]:
    """Of runs that stand, and the site's own."""
    found = tuple(as_monitor(run_id, part) for run_id, part in standing if part.watches)
    return (*found, Monitor(names=(site.monitoring.host,))) if site.monitoring.host else found


def unwatched(standing: Sequence[tuple[str, Part]], monitors: Iterable[Monitor]) -> tuple[Watched, ...]:
    """What runs and no monitoring that stands knows of."""
    there = {name for one in monitors for name in one.names}
    known = {taken for _, part in standing if there & {machine.name for machine in part.machines} for taken, _ in part.takes_over}
    each = ((run_id, part) for run_id, part in standing if watches_or_is_watched(part) and not part.watches)
    return tuple(
        as_watched(run_id, part) for run_id, part in each if not there & set(part.watched_by) and list_name(run_id, part.label) not in known
    )


def as_watched(run_id: str, part: Part) -> Watched:
    names = tuple(machine.name for machine in part.machines)
    return Watched(run_id=run_id, label=part.label, names=names, watched_by=part.watched_by)


def targets(run_id: str, part: Part, machines: Iterable[MachineReceipt]) -> str:
    """A list of targets as Prometheus reads it (file_sd): each exporter of each machine, under the machine's name."""
    groups = {machine.name: machine.group for machine in part.machines}
    listed = [
        {
            "targets": [f"{_host(machine.address)}:{exporter.port}"],
            "labels": {
                "job": exporter.job,
                "instance": machine.name,
                "service": part.capability,
                "environment": part.needs.text("environment"),
                "run": run_id,
                "part": part.label,
            },
        }
        for machine in machines
        for exporter in (NODE, *part.exporters)
        if exporter.group in ("", groups.get(machine.name))
    ]
    return json.dumps(listed, indent=1) + "\n"


def _host(address: str) -> str:
    return f"[{address}]" if ipaddress.ip_address(address).version == 6 else address
