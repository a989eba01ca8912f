"""A PostgreSQL database, sized by its connections: on a virtual machine of its own, tuned by pgtune's rules, or as a server that Azure
runs.

facts.py says what is wanted and how it is understood; the table at the end names the rest; guide.md.j2 is the guide. What is Azure's own
is in flexible/ and flexible.md.j2.
"""

from __future__ import annotations

from tools.capabilities import Footing
from tools.capabilities.on_machines import SetUp, on_cluster
from tools.capabilities.postgresql.checks import checks
from tools.capabilities.postgresql.commands import commands
from tools.capabilities.postgresql.facts import WANTED, understand
from tools.capabilities.postgresql.flexible import checks as flexible_checks
from tools.capabilities.postgresql.flexible import choices as flexible
from tools.capabilities.postgresql.flexible import facts as flexible_facts
from tools.capabilities.postgresql.variables import KEPT_AS, endpoints, variables
from tools.rules.azure.placing import names_to_check, regions_of
from tools.values.manifest import Secret
from tools.values.snapshot import PlatformName
from tools.values.watched import Exporter

NAME = "postgresql"
TITLE = "PostgreSQL database"
WORDS = ("postgresql", "postgres", "database", "db", "pgsql", "pg")
EXAMPLES = (
    "I need a PostgreSQL database for 100 concurrent users, production, on network 20",
    "a postgres for 30 connections in development on vlan 20, 4 cores and 8 GB",
    "a PostgreSQL database in Azure for 200 users, production, in eastus",
)
ON: dict[PlatformName, Footing] = {
    "proxmox": on_cluster(
        understand,
        SetUp(
            playbook="postgresql.yml",
            commands=commands,
            variables=variables,
            endpoints=endpoints,
            secrets=(Secret(name=KEPT_AS, kind="password"),),
            checks=checks,
        ),
        exporters=(Exporter(job="postgresql", port=9187),),
    ),
    "azure": Footing(
        understand=flexible_facts.understand,
        offer=flexible.offer,
        compose=flexible.compose,
        review=flexible_checks.review,
        stay=flexible.stay,
        keep=flexible.keep,
        regions_of=regions_of,
        names_to_check=names_to_check("postgresql"),
        guide="flexible.md.j2",
        grants=frozenset(("high_availability", "backup")),
    ),
}

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
