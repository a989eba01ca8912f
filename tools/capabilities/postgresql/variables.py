"""Manifest → variables of the playbook. How the role uses them is in ansible/roles/postgresql."""

from __future__ import annotations

from tools.rules.machines import choices as machine_choices
from tools.rules.machines import machines
from tools.rules.machines.machines import Machine
from tools.rules.sizing import sizing
from tools.values.manifest import Configure
from tools.values.requirements import Needs

KEPT_AS = "database_password"
"""The secret of the run that is the account's password. The account is called as the database is."""


def configure(made: tuple[Machine, ...], needs: Needs, subnet: str) -> Configure:
    one = made[0]
    database = machines.text(needs, "database_name")
    return Configure(
        kind="ansible",
        playbook="postgresql.yml",
        variables={
            **machine_choices.base_variables(),
            "postgresql_database": database,
            "postgresql_user": database,
            "postgresql_password": {"secret": KEPT_AS},
            "postgresql_settings": settings(one.memory_mib, one.cpu_count, needs),
            # Whoever is on the machine's own network may log in with the password; a network of unknown range opens nothing.
            "postgresql_allowed": [subnet] if subnet else [],
        },
    )


def settings(memory_mib: int, cpu_count: int, needs: Needs) -> dict[str, str]:
    """What the server is set to; the guide's commands look whether it is in force."""
    return sizing.pgtune(memory_mib, machines.number(needs, "concurrent_users"), cpu_count, "web")
