"""A machine that watches others: Prometheus with alert rules that were tested, Alertmanager, and exporters. What Berth makes registers with
it by itself (tools.rules.machines.watching).

facts.py says what is wanted and how it is understood; the table at the end names the rest; guide.md.j2 is the guide. Rules and dashboards
are data, in ansible/roles/monitoring/files.
"""

from __future__ import annotations

from tools.capabilities import Footing
from tools.capabilities.monitoring.checks import checks
from tools.capabilities.monitoring.commands import GRAFANA, PROMETHEUS, commands
from tools.capabilities.monitoring.facts import WANTED, WORDS, understand
from tools.capabilities.monitoring.variables import variables
from tools.capabilities.on_machines import SetUp, on_cluster
from tools.values.snapshot import PlatformName

NAME = "monitoring"
TITLE = "Monitoring"
EXAMPLES = (
    "monitoring for production on network 20",
    "a Prometheus server that keeps 90 days, production, on network 20",
)
ON: dict[PlatformName, Footing] = {
    "proxmox": on_cluster(
        understand,
        SetUp(playbook="monitoring.yml", commands=commands, variables=variables, checks=checks, serves=(str(PROMETHEUS), str(GRAFANA))),
        watches=True,
    )
}

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
