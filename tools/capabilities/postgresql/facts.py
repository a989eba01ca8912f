"""What is wanted to know of a PostgreSQL database, wherever it stands, and how it becomes typed needs where it stands on machines.

Of a server that Azure runs that is in flexible/facts.py. Where it goes is not decided here.
"""

from __future__ import annotations

from tools.rules.azure.facts import REGION_ALONE, SHARED
from tools.rules.databases.facts import EVERY_DATABASE
from tools.rules.databases.reading import read_database_name, read_engine, read_users, settle_database_sizes
from tools.rules.machines.facts import EVERY_MACHINE
from tools.rules.request.placing import read_placing
from tools.rules.request.reading import Reading
from tools.rules.request.wanting import wanted
from tools.values.request import Fact
from tools.values.requirements import Needs
from tools.values.site import Site

WANTED = wanted(__package__, every_machine=EVERY_MACHINE, **EVERY_DATABASE, **SHARED | {"region": (REGION_ALONE,)})


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("postgresql", "proxmox", WANTED, facts)
    read_engine(reading)
    size = read_users(reading)
    read_placing(reading, site, workload="db")
    settle_database_sizes(reading, size)
    read_database_name(reading)
    return reading.needs()
