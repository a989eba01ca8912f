"""A virtual machine of a stated size, or for a known application: Debian or Ubuntu, reachable by SSH, nothing installed but the base.

facts.py: what is wanted and understood; choices.py: offer and compose; checks.py: review; commands.py and guide.md.j2: the guide.
"""

from __future__ import annotations

from tools.capabilities.virtual_machine.checks import review
from tools.capabilities.virtual_machine.choices import compose, offer
from tools.capabilities.virtual_machine.facts import WANTED, understand
from tools.rules.machines.changes import stay
from tools.rules.machines.machines import keep
from tools.values.snapshot import Target

NAME = "virtual_machine"
TITLE = "Virtual machine"
TARGET: Target = "proxmox"
WORDS = ("virtual machine", "virtual machines", "vm", "vms", "machine", "server")
EXAMPLES = (
    "4 cores 8 GB 60 GB Debian VM called build-01 on network 20 for development",
    "a VM for Harbor, production, on network 20",
)

__all__ = ["EXAMPLES", "NAME", "TARGET", "TITLE", "WANTED", "WORDS", "compose", "keep", "offer", "review", "stay", "understand"]
