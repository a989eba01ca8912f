"""Part → variables of the playbook. How the role uses them is in ansible/roles/database_cluster."""

from __future__ import annotations

import ipaddress

from tools.rules.databases.settings import settings
from tools.values.machine import AnyMachine
from tools.values.manifest import Part
from tools.values.requirements import Needs
from tools.values.value import Json

VIRTUAL_ADDRESS = "virtual_address"
BACKUP_FOLDER = "/var/lib/pgbackrest"
"""Where pgBackRest's package keeps backups."""
SHARED_FOLDER = "/mnt/backups"
"""Where a share for backups is mounted."""
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
CONNECTIONS_MIN = 25
"""Patroni takes no smaller max_connections, and sets its default of 100 instead (CMDLINE_OPTIONS of its postgresql package, 3.0.2 and
master; seen on Debian 12, 2026-11-30)."""


def settings_of(machine: AnyMachine, needs: Needs) -> dict[str, str]:
    """Of each member's server, by name, as Patroni takes them."""
    found = settings(machine, needs)
    return found | {"max_connections": str(max(CONNECTIONS_MIN, int(found["max_connections"])))}


def variables(part: Part) -> dict[str, Json]:
    """Its machines are alike; who has which task follows from their order."""
    database, virtual = part.needs.text("database_name"), ipaddress.ip_interface(part.virtual_address(VIRTUAL_ADDRESS))
    return {
        "database_cluster_database": database,
        "database_cluster_user": database,
        **{variable: {"secret": secret} for variable, secret in SECRETS.items()},
        "database_cluster_address": str(virtual.ip),
        "keepalived_address": str(virtual),
        "keepalived_check": "/usr/bin/systemctl is-active --quiet haproxy",
        "database_cluster_allowed": [str(dict(part.facts).get("subnet") or virtual.network)],
        "database_cluster_settings": settings_of(part.machines[0], part.needs),
        "database_cluster_etcd_count": part.needs.whole("etcd_members"),
        "database_cluster_backup_folder": part.needs.text("backup_folder"),
        "database_cluster_backup_share": part.needs.text("backup_share"),
        "database_cluster_backup_queue_gib": max(1, part.machines[0].disk_gib // QUEUE_SHARE),
        "database_cluster_writers_port": WRITERS_PORT,
        "database_cluster_readers_port": READERS_PORT,
    }
