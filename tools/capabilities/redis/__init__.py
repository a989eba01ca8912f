"""A Redis server on a virtual machine of its own: sized by its data, kept on disk, opened by a password.

facts.py says what is wanted and how it is understood; the table at the end names the rest; guide.md.j2 is the guide.
"""

from __future__ import annotations

from tools.capabilities import Footing
from tools.capabilities.on_machines import SetUp, anywhere
from tools.capabilities.redis.checks import checks
from tools.capabilities.redis.commands import commands
from tools.capabilities.redis.facts import WANTED, WORDS, understand
from tools.capabilities.redis.variables import KEPT_AS, endpoints, variables
from tools.values.manifest import Secret
from tools.values.snapshot import PlatformName

NAME = "redis"
TITLE = "Redis server"
EXAMPLES = (
    "a Redis server for 4 GB of data, production, on network 20",
    "a Redis cache with 8 GB of memory, development, on network 20",
)
ON: dict[PlatformName, Footing] = anywhere(
    understand,
    SetUp(
        playbook="redis.yml",
        commands=commands,
        variables=variables,
        endpoints=endpoints,
        secrets=(Secret(name=KEPT_AS, kind="password"),),
        checks=checks,
    ),
    ports=("6379",),
)

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
