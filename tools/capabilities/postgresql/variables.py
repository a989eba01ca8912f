"""Part → variables of the playbook. How the role uses them is in ansible/roles/postgresql."""

from __future__ import annotations

from tools.rules.databases.settings import settings
from tools.values.manifest import Endpoint, Part
from tools.values.value import Json

OWN_NETWORK = "samenet"
"""What pg_hba.conf calls every network that the server has an address in: for a network whose range is not known before."""
KEPT_AS = "database_password"
"""The secret of the run that is the account's password. The account is called as the database is."""


def variables(part: Part) -> dict[str, Json]:
    """Its machines are alike. Whoever is on their own network may log in with the password."""
    database, subnet = part.needs.text("database_name"), dict(part.facts)["subnet"]
    return {
        "postgresql_database": database,
        "postgresql_user": database,
        "postgresql_password": {"secret": KEPT_AS},
        "postgresql_settings": settings(part.machines[0], part.needs),
        "postgresql_allowed": [subnet or OWN_NETWORK],
    }


def endpoints(part: Part) -> tuple[Endpoint, ...]:
    """Each server has its own databases, so the first one is named."""
    database = part.needs.text("database_name")
    names = (("database", database), ("user", database))
    return (Endpoint(protocol="postgresql", port=5432, machines=tuple(m.name for m in part.machines), names=names, password=KEPT_AS),)
