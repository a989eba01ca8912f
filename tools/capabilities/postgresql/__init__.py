"""A PostgreSQL database on a virtual machine of its own: sized by its connections, tuned by pgtune's rules.

facts.py: what is wanted and understood; choices.py: offer and compose; checks.py: review; commands.py and guide.md.j2: the guide.
"""

from __future__ import annotations

from tools.capabilities.postgresql.checks import review
from tools.capabilities.postgresql.choices import compose, offer
from tools.capabilities.postgresql.facts import WANTED, understand
from tools.rules.machines.changes import stay
from tools.rules.machines.machines import keep
from tools.values.snapshot import Target

NAME = "postgresql"
TITLE = "PostgreSQL database"
TARGET: Target = "proxmox"
WORDS = ("postgresql", "postgres", "database", "db", "pgsql")
EXAMPLES = (
    "I need a PostgreSQL database for 100 concurrent users, production, on network 20",
    "a postgres for 30 connections in development on vlan 20, 4 cores and 8 GB",
)

__all__ = ["EXAMPLES", "NAME", "TARGET", "TITLE", "WANTED", "WORDS", "compose", "keep", "offer", "review", "stay", "understand"]
