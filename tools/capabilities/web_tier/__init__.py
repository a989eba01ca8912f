"""A web tier: application machines with nginx behind two balancers that share one address, so that the loss of one machine is not noticed.

facts.py says what is wanted and how it is understood; the table at the end names the rest; guide.md.j2 is the guide.
"""

from __future__ import annotations

from tools.capabilities import Footing
from tools.capabilities.on_machines import SetUp, on_cluster
from tools.capabilities.web_tier.checks import checks
from tools.capabilities.web_tier.commands import commands
from tools.capabilities.web_tier.facts import ADDRESS, APPLICATIONS, BALANCERS, WANTED, understand
from tools.capabilities.web_tier.variables import certificates, endpoints, variables
from tools.values.requirements import Group
from tools.values.snapshot import PlatformName
from tools.values.watched import Exporter

NAME = "web_tier"
TITLE = "Web tier"
WORDS = (
    "web tier",
    "web tiers",
    "webtier",
    "load-balanced web application",
    "load balanced web application",
    "load-balanced web site",
    "load balanced website",
    "web farm",
)
EXAMPLES = (
    "a web tier with 3 application machines, production, on network 20, virtual address 10.20.0.200",
    "a web tier for site shop.example.org, staging, on network 20, virtual address 10.20.0.201",
)
ON: dict[PlatformName, Footing] = {
    "proxmox": on_cluster(
        understand,
        SetUp(
            playbook="web_tier.yml",
            commands=commands,
            variables=variables,
            endpoints=endpoints,
            certificates=certificates,
            checks=checks,
            serves=("80", "443"),
        ),
        groups=(
            Group(name=BALANCERS, called="lb", one_a_node=True),
            Group(name=APPLICATIONS, called="app", one_a_node=True),
        ),
        virtual_addresses=(ADDRESS,),
        exporters=(Exporter(job="haproxy", port=8405, group=BALANCERS),),
        grants=frozenset({"load_balancer"}),
    )
}

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
