"""What is wanted to know of a development environment, and how it becomes typed needs. Where it goes is not decided here."""

from __future__ import annotations

import re

from tools.rules.machines.facts import EVERY_MACHINE
from tools.rules.names import naming
from tools.rules.request.placing import read_placing
from tools.rules.request.reading import Reading, settle_sizes
from tools.rules.request.wanting import wanted
from tools.rules.sizing import sizing
from tools.values.request import Fact
from tools.values.requirements import Needs
from tools.values.site import Site

PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]{1,63}")
"""Debian policy's form of a package's name."""

WANTED = wanted(__package__, every_machine=EVERY_MACHINE)


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("dev_environment", "proxmox", WANTED, facts)
    read_placing(reading, site, workload="dev", environment="development")
    settle_sizes(reading, sizing.DEV_CPU, sizing.DEV_MEMORY_MIB, sizing.DEV_DISK_GIB)
    _read_packages(reading)
    return reading.needs()


def _read_packages(reading: Reading) -> None:
    if "packages" not in reading.facts:
        return
    packages = [p for p in re.split(r"[\s,;]+", reading.facts["packages"].value.lower()[:2000]) if p and p != "and"]
    wrong = [p for p in packages if not PACKAGE.fullmatch(p)]
    if wrong or not packages:
        shown = naming.shorten(wrong[0]) if wrong else "Nothing"
        reading.refuse(f"{shown} cannot be the name of a Debian package. Say them as in `packages nodejs, npm`.", "packages")
    else:
        reading.said("packages", tuple(dict.fromkeys(packages)))
