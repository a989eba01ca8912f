"""A development environment: a Debian or Ubuntu machine with the packages that people build software with.

facts.py says what is wanted and how it is understood; the table at the end names the rest; guide.md.j2 is the guide.
"""

from __future__ import annotations

from tools.capabilities import Footing
from tools.capabilities.dev_environment.commands import commands
from tools.capabilities.dev_environment.facts import WANTED, understand
from tools.capabilities.dev_environment.variables import variables
from tools.capabilities.on_machines import SetUp, on_cluster
from tools.values.snapshot import PlatformName

NAME = "dev_environment"
TITLE = "Development environment"
WORDS = (
    "development environment",
    "development environments",
    "dev environment",
    "workstation",
)
EXAMPLES = (
    "a development environment on network 20",
    "two dev environments with 8 cores and 16 GB on network 20, with packages nodejs and npm",
)
ON: dict[PlatformName, Footing] = {
    "proxmox": on_cluster(understand, SetUp(playbook="dev_environment.yml", commands=commands, variables=variables))
}

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
