"""What is wanted to know of a virtual machine, and how it becomes typed needs. Where it goes is not decided here."""

from __future__ import annotations

from tools.rules import sizing
from tools.rules.machine_facts import EVERY_MACHINE
from tools.rules.reading import Reading, read_placing, read_sizes
from tools.values.heard import Fact
from tools.values.requirements import Needs
from tools.values.site import Site
from tools.values.wanted import Wanted

WANTED: tuple[Wanted, ...] = EVERY_MACHINE


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("virtual_machine", WANTED, facts)
    read_placing(reading, site, workload="vm")
    cpu_count, memory_mib, disk_gib = read_sizes(reading)
    if cpu_count is not None:
        reading.said("cpu_count", cpu_count, "vCPU")
    elif "cpu_count" not in reading.facts:
        reading.ask("cpu_count")
    if memory_mib is not None:
        reading.said("memory_mib", memory_mib, "MiB", fact="memory")
    elif "memory" not in reading.facts:
        reading.ask("memory")
    if disk_gib is not None:
        reading.said("disk_gib", disk_gib, "GiB", fact="disk")
    elif "disk" not in reading.facts:
        reading.suppose("disk_gib", sizing.VM_DISK_GIB, "GiB")
    return reading.needs()
