"""Part → variables of the playbook. How the role uses them is in ansible/roles/database_cluster."""

from __future__ import annotations

import ipaddress

from tools.rules.databases.settings import settings
from tools.values.manifest import Part
from tools.values.value import Json

VIRTUAL_ADDRESS = "virtual_address"
BACKUP_FOLDER = "/var/lib/pgbackrest"
"""Where pgBackRest's package keeps backups."""
WRITERS_PORT, READERS_PORT = 5000, 5001
"""Of one address: PostgreSQL itself has 5432 on each member, and a second address would be one more to find free. They are the ports of
Patroni's own example for HAProxy."""
SECRETS = {
    "database_cluster_password": "cluster_password",
    "database_cluster_superuser_password": "cluster_superuser_password",
    "database_cluster_replication_password": "cluster_replication_password",
    "database_cluster_rest_password": "cluster_rest_password",
}
"""Variable → secret of the run. The first is the account's, which is called as the database is."""
KEPT_AS = SECRETS["database_cluster_password"]
QUEUE_SHARE = 4
"""A quarter of the disk may fill with what waits for the backups' machine. Berth's own assumption."""


def variables(part: Part) -> dict[str, Json]:
    """Its machines are alike; who has which task follows from their order."""
    database, virtual = part.needs.text("database_name"), ipaddress.ip_interface(part.virtual_address(VIRTUAL_ADDRESS))
    return {
        "database_cluster_database": database,
        "database_cluster_user": database,
        **{variable: {"secret": secret} for variable, secret in SECRETS.items()},
        "database_cluster_address": str(virtual.ip),
        "database_cluster_allowed": [str(dict(part.facts).get("subnet") or virtual.network)],
        "database_cluster_settings": settings(part.machines[0], part.needs),
        "database_cluster_etcd_count": part.needs.whole("etcd_members"),
        "database_cluster_backup_folder": part.needs.text("backup_folder"),
        "database_cluster_backup_queue_gib": max(1, part.machines[0].disk_gib // QUEUE_SHARE),
        "database_cluster_writers_port": WRITERS_PORT,
        "database_cluster_readers_port": READERS_PORT,
    }
