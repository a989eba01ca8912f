"""A virtual machine of a stated size, or for a known application: Debian or Ubuntu, reachable by SSH, nothing installed but the base; or of
another system, with nothing installed at all.

facts.py says what is wanted and how it is understood; the table at the end names the rest; guide.md.j2 is the guide, in Azure
azure_machines.md.j2.
"""

from __future__ import annotations

from tools.capabilities import Footing
from tools.capabilities.grounds import AZURE_BARE
from tools.capabilities.on_machines import SetUp, in_azure, on_cluster
from tools.capabilities.virtual_machine.checks import checks
from tools.capabilities.virtual_machine.facts import WANTED, understand
from tools.rules.words.guiding import common
from tools.values.snapshot import PlatformName

NAME = "virtual_machine"
TITLE = "Virtual machine"
WORDS = ("virtual machine", "virtual machines", "vm", "vms", "machine", "server", "box")
EXAMPLES = (
    "4 cores 8 GB 60 GB Debian VM called build-01 on network 20 for development",
    "a VM for Harbor, production, on network 20",
    "2 VMs in Azure with 2 cores and 8 GB, production, in eastus",
)
ON: dict[PlatformName, Footing] = {
    "proxmox": on_cluster(
        understand,
        SetUp(
            playbook="virtual_machine.yml",
            commands=lambda machine, part: common(machine),
            checks=checks,
            plain="plain_machine.yml",
        ),
    ),
    "azure": in_azure(
        lambda facts, site: understand(facts, site, AZURE_BARE),
        SetUp(playbook="virtual_machine.yml", commands=lambda machine, part: common(machine)),
        bare=True,
        guide="azure_machines.md.j2",
    ),
}

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
