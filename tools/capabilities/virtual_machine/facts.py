"""What is wanted to know of a virtual machine, and how it becomes typed needs, wherever it stands. Where it goes is not decided here."""

from __future__ import annotations

import math

from tools.capabilities.grounds import CLUSTER, Ground
from tools.rules.azure.facts import SHARED
from tools.rules.machines.facts import EVERY_MACHINE
from tools.rules.names import naming
from tools.rules.request.reading import DISK_GIB_MAX, Reading, read_sizes
from tools.rules.request.wanting import wanted
from tools.rules.sizing import applications, sizing
from tools.rules.sizing.application_formulas import Sized
from tools.rules.sizing.applications import Unsized
from tools.rules.sizing.formulas import Span
from tools.rules.sizing.sizing import Assumption
from tools.values.request import Fact
from tools.values.requirements import Field, Missing, Needs, Origin
from tools.values.site import Site
from tools.values.wanted import Wanted

LOAD_MAX = 10_000_000
MEMORY_STEP_MIB = 256
DATA_ROOM = 1.2
"""How much of the disk data is given where no formula says it: a fifth more, to grow. An assumption, told as one."""


APPLICATION = Wanted(
    name="application",
    kind="choice",
    words=("application", "app", "software"),
    meaning="the application it is for; its published size follows",
    choices=tuple(applications.applications().items()),
    alone=True,
)
_OF_AZURE = {name: tuple(one.model_copy(update={"only_in": "azure"}) for one in several) for name, several in SHARED.items()}
WANTED = wanted(__package__, application=(APPLICATION,), every_machine=EVERY_MACHINE, **_OF_AZURE)
LOADS = tuple(applications.UNITS)
"""The facts that say how much the application has to carry."""


def understand(facts: tuple[Fact, ...], site: Site, ground: Ground = CLUSTER) -> Needs:
    reading = Reading.of("virtual_machine", ground.platform, WANTED, facts)
    ground.read_placing(reading, site, workload_of(reading))
    load = read_load(reading)
    basis = read_application(reading, load)
    settle_sizes(reading, basis)
    return reading.needs()


def workload_of(reading: Reading) -> str:
    """What its machines are called by the site's convention: as their application, when they are for one."""
    name = next((reading.facts[fact].value for fact in ("application", "other_application") if fact in reading.facts), "")
    return naming.repair(name)[:40].strip("-") or "vm"


def load_of(needs: Needs) -> dict[str, float]:
    """The load as the tables of applications want it."""
    found = {name: needs.field(name) for name in (*LOADS, "data_gib")}
    return {name: float(f.value) for name, f in found.items() if f is not None and isinstance(f.value, int | float)}


def read_load(reading: Reading) -> dict[str, float]:
    load: dict[str, float] = {}
    for name in LOADS:
        why = "enter at least 1; for more there is no published size."
        number = reading.count(name, name.replace("_", " "), 1, LOAD_MAX, why)
        if number is not None:
            reading.said(name, number, name.replace("_", " "))
            load[name] = number
    data_gib = reading.size(
        "data_size", "data", 2**30, 1, DISK_GIB_MAX, "an application keeps something, and on one disk not more than that."
    )
    if data_gib is not None:
        reading.said("data_gib", data_gib, "GiB", fact="data_size")
        load["data_gib"] = data_gib
    return load


def read_application(reading: Reading, load: dict[str, float]) -> Sized | Unsized | None:
    fact = next((name for name in ("application", "other_application") if name in reading.facts), "")
    if not fact:
        return None
    name = " ".join(reading.facts[fact].value.split())
    if not name or len(name) > 80 or not name.isprintable():
        reading.refuse(
            f"{naming.shorten(name)} cannot be the name of an application. Say one such as Harbor.", "application", "other_application"
        )
        return None
    called = applications.canonical(name) or name
    reading.said("application", called, fact=fact)
    reading.not_included.append(f"installing {called}: the machine gets its system and what every machine gets")
    environment = next((str(f.value) for f in reading.fields if f.name == "environment"), "production")
    sized = applications.size_for(name, load, environment)
    return applications.with_system(sized) if isinstance(sized, Sized) else sized


def settle_sizes(reading: Reading, basis: Sized | Unsized | None) -> None:
    """Each size as it was said, else as published for the application, else asked for; a disk is assumed, but for an application that
    nobody has published a size of."""
    cpu_count, memory_mib, disk_gib = read_sizes(reading)
    sized = basis if isinstance(basis, Sized) else None
    asked = len(reading.missing)
    if isinstance(basis, Unsized) and basis.unit and not {"cpu_count", "memory"} <= set(reading.facts):
        # The load decides, so it alone is asked for.
        question = f"{basis.because} How many is it?"
        suggestions = ("100", "1000") if basis.unit in LOADS else ()
        reading.missing.append(Missing(name=basis.unit, question=question, suggestions=suggestions))
    else:
        if cpu_count is not None:
            reading.said("cpu_count", cpu_count, "vCPU")
        elif "cpu_count" not in reading.facts:
            _as_published(reading, "cpu_count", "cpu_count", sized.cpu_count if sized else None, "vCPU", 1, 1, basis)
        if memory_mib is not None:
            reading.said("memory_mib", memory_mib, "MiB", fact="memory")
        elif "memory" not in reading.facts:
            _as_published(reading, "memory", "memory_mib", sized.memory_gib if sized else None, "MiB", 1024, MEMORY_STEP_MIB, basis)
        if isinstance(basis, Unsized) and len(reading.missing) > asked and "disk" not in reading.facts and "data_size" not in reading.facts:
            reading.ask("disk")
            return _because(reading, asked, basis.because)
        _because(reading, asked, _why_asked(basis))
    _settle_disk(reading, disk_gib, basis)


def _why_asked(basis: Sized | Unsized | None) -> str:
    """What is known of the application, said before the first question about its size."""
    if isinstance(basis, Sized):
        return f"No vendor says so of {basis.application}. {applications.lower_bound(basis.application)}".rstrip()
    return basis.because if basis else ""


def _because(reading: Reading, first: int, because: str) -> None:
    if because and len(reading.missing) > first:
        asked = reading.missing[first]
        reading.missing[first] = asked.model_copy(update={"question": f"{because} {asked.question}"})


def _settle_disk(reading: Reading, disk_gib: int | None, basis: Sized | Unsized | None) -> None:
    """As it was said, when the data fits on it; else as published, when that counts the data; else the data comes on top."""
    published = basis.disk_gib if isinstance(basis, Sized) else None
    data = next((f.value for f in reading.fields if f.name == "data_gib" and isinstance(f.value, int)), 0)
    if disk_gib is not None:
        reading.said("disk_gib", disk_gib, "GiB", fact="disk")
        if data >= disk_gib:
            reading.refuse(
                f"{data:,} GiB of data do not fit on a disk of {disk_gib:,} GiB that holds the system as well. "
                "Say a larger disk, or how much of the data is to lie on it.",
                "disk",
                "data_size",
            )
    elif "disk" in reading.facts:
        pass  # It cannot be taken, which is told.
    elif published and (not data or published.value >= data + sizing.SYSTEM_DISK_GIB):
        _as_published(reading, "disk", "disk_gib", published, "GiB", 1, 1, basis)
    elif data:
        reading.suppose("disk_gib", _disk_with(data, published), "GiB")
    else:
        reading.suppose("disk_gib", sizing.VM_DISK_GIB, "GiB")


def _disk_with(data_gib: int, published: Span | None) -> Assumption:
    """Beside the data, the disk that a machine or its application has anyway; capped, since no disk is larger."""
    bare = sizing.VM_DISK_GIB
    beside = math.ceil(published.value) if published else bare.value
    least = data_gib + (math.ceil(published.low) if published else sizing.SYSTEM_DISK_GIB)
    return Assumption(
        value=max(min(beside + math.ceil(data_gib * DATA_ROOM), DISK_GIB_MAX), least),
        low=least,
        high=beside + data_gib * 2,
        because=f"{data_gib:,} GiB of data, a fifth more for growth, and {beside} GiB for the system and what runs on it.",
        source=bare.source,
    )


def _as_published(
    reading: Reading, fact: str, name: str, span: Span | None, unit: str, scale: int, step: int, basis: Sized | Unsized | None
) -> None:
    """The published figure, rounded up to a size that machines come in; without one it is asked for, and what is known is told."""
    if span is None or not isinstance(basis, Sized):
        reading.ask(fact)
        return

    def rounded(value: float) -> int:
        return math.ceil(round(value * scale, 6) / step) * step

    field = Field(
        name=name,
        value=rounded(span.value),
        unit=unit,
        origin=Origin.ASSUMED,
        because=" ".join(filter(None, [basis.because, basis.warning])),
        low=rounded(span.low),
        high=rounded(span.high),
        source=basis.source,
    )
    reading.fields.append(field)
