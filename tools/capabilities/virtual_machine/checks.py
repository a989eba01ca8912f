"""Reviews a virtual machine part: its machines as every machine is checked, and their size against what its application needs."""

from __future__ import annotations

from tools.capabilities.virtual_machine.facts import load_of
from tools.rules.machines import machines
from tools.rules.machines import review as machine_review
from tools.rules.sizing import applications
from tools.rules.sizing.application_formulas import Sized
from tools.values.manifest import Part
from tools.values.review import Finding, Severity
from tools.values.site import Reserved, Site
from tools.values.snapshot import Snapshot

CHECK = "size.application"


def review(part: Part, snapshot: Snapshot, site: Site, reserved: Reserved) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    findings, passed = machine_review.review(part, snapshot, site, reserved)
    if not machines.readable(part):
        return findings, passed
    extra = _application(part)
    held = () if extra else (f"{CHECK}:{part.name}:{part.name}",)
    return (*findings, *extra), (*passed, *held)


def _application(part: Part) -> tuple[Finding, ...]:
    name = machines.text(part.needs, "application")
    if not name:
        return ()
    known = applications.size_for(name, load_of(part.needs), machines.text(part.needs, "environment"))
    if isinstance(known, Sized):
        cpu_least = known.cpu_count.low if known.cpu_count else 0
        memory_least = known.memory_gib.low if known.memory_gib else 0
        source = f"{known.source.title} ({known.source.date})"
        warning = known.warning
    else:
        cpu_least, memory_least = known.cpu_count_min, known.memory_gib_min
        source = f"{known.source.title} ({known.source.date})" if known.source else ""
        warning = ""
    small = [m for m in machines.machines_in(part) if m.cpu_count < cpu_least or m.memory_mib < memory_least * 1024]
    if small:
        one = small[0]
        detail = (
            f"{one.name} has {one.cpu_count} vCPU and {one.memory_mib / 1024:g} GiB; {name} needs at least {cpu_least:g} vCPU and "
            f"{memory_least:g} GiB by {source}."
        )
        return (_finding(part, one.name, detail, "Ask for at least that much."),)
    if warning:
        return (_finding(part, part.name, warning, "Say the load, or the size that you know it needs."),)
    return ()


def _finding(part: Part, subject: str, detail: str, remedy: str) -> Finding:
    return Finding(severity=Severity.WARNING, check=CHECK, part=part.name, subject=subject, detail=detail, remedy=remedy)
