"""Checks of a virtual machine part besides those of every machine: its size against what its application needs."""

from __future__ import annotations

from collections.abc import Iterator

from tools.capabilities.on_machines import Check
from tools.capabilities.virtual_machine.facts import load_of
from tools.rules.sizing import applications
from tools.rules.sizing.application_formulas import Sized
from tools.values.manifest import Part
from tools.values.review import Finding, Severity, fault

CHECK = "size.application"


def checks(part: Part) -> Iterator[Check]:
    yield CHECK, _application(part)


def _application(part: Part) -> Finding | None:
    name = part.needs.text("application")
    if not name:
        return None
    known = applications.size_for(name, load_of(part.needs), part.needs.text("environment"))
    if isinstance(known, Sized):
        known = applications.with_system(known)
        cpu_least = known.cpu_count.low if known.cpu_count else 0
        memory_least = known.memory_gib.low if known.memory_gib else 0
        source = f"{known.source.title} ({known.source.date})"
        warning = known.warning
    else:
        cpu_least, memory_least = known.cpu_count_min, known.memory_gib_min
        source = f"{known.source.title} ({known.source.date})" if known.source else ""
        warning = ""
    small = [m for m in part.machines if m.cpu_count < cpu_least or m.memory_mib < memory_least * 1024]
    if small:
        found = fault(
            "virtual_machine:size.small",
            machine=small[0].name,
            cpu_count=small[0].cpu_count,
            memory_mib=small[0].memory_mib,
            application=name,
            cpu_least=cpu_least,
            memory_least_gib=memory_least,
            source=source,
        )
        return found.finding(CHECK, part.label, small[0].name, Severity.WARNING)
    uncertain = fault("virtual_machine:size.uncertain", warning=warning)
    return uncertain.finding(CHECK, part.label, part.label, Severity.WARNING) if warning else None
