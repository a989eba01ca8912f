"""A development environment: a Debian or Ubuntu machine with the packages that people build software with.

facts.py: what is wanted and understood; choices.py: offer and compose; checks.py: review; commands.py and guide.md.j2: the guide.
"""

from __future__ import annotations

from tools.capabilities.dev_environment.checks import review
from tools.capabilities.dev_environment.choices import compose, offer
from tools.capabilities.dev_environment.facts import WANTED, understand
from tools.rules.machines.changes import stay
from tools.rules.machines.machines import keep
from tools.values.snapshot import Target

NAME = "dev_environment"
TITLE = "Development environment"
TARGET: Target = "proxmox"
WORDS = (
    "development environment",
    "development environments",
    "dev environment",
    "development machine",
    "dev machine",
    "dev box",
    "workstation",
)
EXAMPLES = (
    "a development environment on network 20",
    "two dev environments with 8 cores and 16 GB on network 20, with packages nodejs and npm",
)

__all__ = ["EXAMPLES", "NAME", "TARGET", "TITLE", "WANTED", "WORDS", "compose", "keep", "offer", "review", "stay", "understand"]
