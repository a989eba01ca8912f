"""A PostgreSQL database that survives the loss of a machine: a primary and its replicas by Patroni and etcd, one address for writers and
readers, and backups.

facts.py says what is wanted and how it is understood; the table at the end names the rest; guide.md.j2 is the guide.
"""

from __future__ import annotations

from dataclasses import replace

from tools.capabilities import Footing
from tools.capabilities.database_cluster.checks import checks
from tools.capabilities.database_cluster.commands import commands
from tools.capabilities.database_cluster.facts import FULFILLED, WANTED, WORDS, understand
from tools.capabilities.database_cluster.variables import READERS_PORT, SECRETS, VIRTUAL_ADDRESS, WRITERS_PORT, variables
from tools.capabilities.on_machines import SetUp, on_cluster
from tools.values.manifest import Secret
from tools.values.requirements import Group
from tools.values.snapshot import PlatformName
from tools.values.watched import Exporter

NAME = "database_cluster"
TITLE = "PostgreSQL cluster"
EXAMPLES = (
    "a PostgreSQL database that survives a node, 100 concurrent users, production, on network 20, virtual address 10.20.0.200",
    "a highly available PostgreSQL cluster, 3 nodes, 200 users, production, on network 20, virtual address 10.20.0.201",
)
_MACHINES = on_cluster(
    understand,
    SetUp(
        playbook="database_cluster.yml",
        commands=commands,
        variables=variables,
        secrets=tuple(Secret(name=name, kind="password") for name in SECRETS.values()),
        checks=checks,
        serves=(str(WRITERS_PORT), str(READERS_PORT)),
    ),
    groups=(Group(name="", one_a_node=True, quorum=True),),
    virtual_addresses=(VIRTUAL_ADDRESS,),
    exporters=(Exporter(job="postgresql", port=9187),),
)
ON: dict[PlatformName, Footing] = {"proxmox": replace(_MACHINES, grants=_MACHINES.grants | FULFILLED)}

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
