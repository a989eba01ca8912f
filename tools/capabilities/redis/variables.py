"""Part → variables of the playbook. How the role uses them is in ansible/roles/redis."""

from __future__ import annotations

from tools.capabilities.redis import sizes
from tools.capabilities.redis.facts import policy
from tools.values.machine import AnyMachine
from tools.values.manifest import Endpoint, Part
from tools.values.requirements import Needs
from tools.values.value import Json

KEPT_AS = "redis_password"
"""The secret of the run that is the server's password."""


def variables(part: Part) -> dict[str, Json]:
    """Its machines are alike, and each is a server of its own."""
    return {
        "redis_password": {"secret": KEPT_AS},
        "redis_data_max_mib": data_max_mib(part.every_machine[0], part.needs),
        "redis_policy": policy(part.needs),
    }


def data_max_mib(machine: AnyMachine, needs: Needs) -> int:
    return sizes.data_max_mib(machine.memory_mib, needs.whole("data_mib"))


def endpoints(part: Part) -> tuple[Endpoint, ...]:
    machines = tuple(m.name for m in part.every_machine)
    return (Endpoint(protocol="redis", port=6379, machines=machines, names=(("user", "default"),), password=KEPT_AS),)
