"""A PostgreSQL database on a virtual machine of its own: sized by its connections, tuned by pgtune's rules.

facts.py says what is wanted and how it is understood; the table at the end names the rest; guide.md.j2 is the guide.
"""

from __future__ import annotations

from tools.capabilities import Footing
from tools.capabilities.on_machines import on_machines
from tools.capabilities.postgresql.checks import checks
from tools.capabilities.postgresql.commands import commands
from tools.capabilities.postgresql.facts import WANTED, understand
from tools.capabilities.postgresql.variables import KEPT_AS, variables
from tools.values.manifest import Secret
from tools.values.snapshot import PlatformName

NAME = "postgresql"
TITLE = "PostgreSQL database"
WORDS = ("postgresql", "postgres", "database", "db", "pgsql")
EXAMPLES = (
    "I need a PostgreSQL database for 100 concurrent users, production, on network 20",
    "a postgres for 30 connections in development on vlan 20, 4 cores and 8 GB",
)
ON: dict[PlatformName, Footing] = {
    "proxmox": on_machines(
        understand=understand,
        playbook="postgresql.yml",
        commands=commands,
        variables=variables,
        secrets=(Secret(name=KEPT_AS, kind="password"),),
        checks=checks,
    )
}

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
