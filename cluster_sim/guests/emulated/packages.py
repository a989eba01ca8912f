"""Which Debian packages the emulated host knows, and what each brings. A package that is not here cannot be installed there.

It is no copy of Debian's archive: files and folders are those that a role reads, or writes into. Names are Debian 12's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Package:
    needs: tuple[str, ...] = ()
    service: str = ""
    account: str = ""
    home: str = "/nonexistent"
    folders: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)


IN_IMAGE = ("openssh-server", "python3", "python3-apt", "sudo", "cloud-init", "procps", "curl", "tzdata")
"""As in the base image of guests with a body."""
_PLAIN = """acl apt-utils build-essential ca-certificates dbus gcc git gnupg htop iproute2 iputils-ping jq less locales make
nodejs python3-dev python3-pip python3-psycopg2 python3-venv rsync systemd tmux unzip vim vim-tiny wget"""
_SERVICES = ("chrony", "cron", "haproxy", "unattended-upgrades")
_POSTGRESQL = "/etc/postgresql/15/main"
CATALOGUE: dict[str, Package] = {
    **{name: Package() for name in (*IN_IMAGE, *_PLAIN.split())},
    **{name: Package(service=name) for name in _SERVICES},
    "openssh-server": Package(service="ssh"),
    "qemu-guest-agent": Package(service="qemu-guest-agent", files={"/usr/sbin/qemu-ga": ""}),
    "systemd-timesyncd": Package(service="systemd-timesyncd", account="systemd-timesync"),
    "prometheus-node-exporter": Package(service="prometheus-node-exporter", account="prometheus"),
    "nginx": Package(
        service="nginx",
        folders=(
            "/etc/nginx/conf.d",
            "/etc/nginx/modules-enabled",
            "/etc/nginx/sites-enabled",
            "/var/www/html",
            "/var/log/nginx",
        ),
        files={
            "/etc/nginx/nginx.conf": "events {}\nhttp { include conf.d/*.conf; include sites-enabled/*; }\n",
            "/etc/nginx/mime.types": "types {\n\ttext/html html htm;\n}\n",
            "/etc/nginx/sites-enabled/default": "server {\n\tlisten 80 default_server;\n\troot /var/www/html;\n}\n",
        },
    ),
    "postgresql-client-15": Package(),
    "postgresql-client": Package(needs=("postgresql-client-15",)),
    "postgresql-common": Package(account="postgres", home="/var/lib/postgresql"),
    "postgresql-15": Package(
        needs=("postgresql-common", "postgresql-client-15"),
        service="postgresql",
        folders=(f"{_POSTGRESQL}/conf.d", "/var/lib/postgresql/15/main", "/var/log/postgresql"),
        files={
            f"{_POSTGRESQL}/postgresql.conf": "port = 5432\nmax_connections = 100\ninclude_dir = 'conf.d'\n",
            f"{_POSTGRESQL}/pg_hba.conf": "local all postgres peer\nhost all all 127.0.0.1/32 scram-sha-256\n",
        },
    ),
    "postgresql": Package(needs=("postgresql-15",)),
    "prometheus-postgres-exporter": Package(service="prometheus-postgres-exporter", account="prometheus"),
    "prometheus": Package(service="prometheus", account="prometheus", folders=("/etc/prometheus",)),
    "prometheus-alertmanager": Package(service="prometheus-alertmanager", account="prometheus", folders=("/etc/prometheus",)),
    "redis-server": Package(service="redis-server", account="redis", files={"/etc/redis/redis.conf": "port 6379\n"}),
}
