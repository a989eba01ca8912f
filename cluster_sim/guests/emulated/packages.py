"""Which Debian packages the emulated host knows, and what each brings. A package that is not here cannot be installed there.

Names and versions are Debian 12's, as `apt-cache policy` showed them in November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Package:
    version: str
    needs: tuple[str, ...] = ()
    services: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Each service with the ports it listens on."""
    people: tuple[str, ...] = ()
    home: str = ""
    folders: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    in_image: bool = False


_NGINX = Package(
    "1.22.1-9+deb12u11",
    services={"nginx": (80,)},
    folders=("/etc/nginx/conf.d", "/etc/nginx/modules-enabled", "/etc/nginx/snippets", "/var/www/html", "/var/log/nginx"),
    files={
        "/etc/nginx/nginx.conf": "user www-data;\nevents {}\nhttp {\n\tinclude /etc/nginx/conf.d/*.conf;\n\tinclude /etc/nginx/sites-enabled/*;\n}\n",
        "/etc/nginx/mime.types": "types {\n\ttext/html html htm;\n}\n",
        "/etc/nginx/sites-available/default": "server {\n\tlisten 80 default_server;\n\troot /var/www/html;\n}\n",
        "/etc/nginx/sites-enabled/default": "server {\n\tlisten 80 default_server;\n\troot /var/www/html;\n}\n",
        "/var/www/html/index.nginx-debian.html": "<!DOCTYPE html>\n<title>Welcome to nginx!</title>\n",
    },
)
_POSTGRES = "15+248+deb12u2"
CATALOGUE: dict[str, Package] = {
    # In the image, as in the base image of guests with a body.
    "systemd": Package("252.39-1~deb12u2", in_image=True, services={"systemd-journald": ()}),
    "dbus": Package("1.14.10-1~deb12u1", in_image=True, services={"dbus": ()}),
    "openssh-server": Package(
        "1:9.2p1-2+deb12u10",
        in_image=True,
        services={"ssh": (22,)},
        files={"/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\n"},
    ),
    "python3": Package("3.11.2-1+b1", in_image=True),
    "python3-apt": Package("2.6.0", in_image=True),
    "sudo": Package("1.9.13p3-1+deb12u4", in_image=True),
    "iproute2": Package("6.1.0-3", in_image=True),
    "iputils-ping": Package("3:20221126-1+deb12u1", in_image=True),
    "ca-certificates": Package("20250419~deb12u2", in_image=True),
    "cloud-init": Package("22.4.2-1+deb12u4", in_image=True),
    "procps": Package("2:4.0.2-3", in_image=True),
    "curl": Package("7.88.1-10+deb12u15", in_image=True),
    "less": Package("590-2.1~deb12u2", in_image=True),
    "vim-tiny": Package("2:9.0.1378-2+deb12u2", in_image=True),
    "tzdata": Package("2026f-0+deb12u1", in_image=True),
    "apt-utils": Package("2.6.2", in_image=True),
    # What roles install.
    "systemd-timesyncd": Package("252.39-1~deb12u2", services={"systemd-timesyncd": ()}, people=("systemd-timesync",)),
    "chrony": Package(
        "4.3-2+deb12u3",
        services={"chrony": ()},
        people=("_chrony",),
        files={"/etc/chrony/chrony.conf": "pool 2.debian.pool.ntp.org iburst\n"},
    ),
    "prometheus-node-exporter": Package(
        "1.5.0-1+b6",
        services={"prometheus-node-exporter": (9100,)},
        people=("prometheus",),
        files={"/etc/default/prometheus-node-exporter": 'ARGS=""\n'},
    ),
    "nginx-common": Package("1.22.1-9+deb12u11", folders=("/etc/nginx",)),
    "nginx": _NGINX,
    "nginx-light": _NGINX,
    "nginx-full": _NGINX,
    "postgresql-client-15": Package("15.20-0+deb12u1"),
    "postgresql-client": Package(_POSTGRES, needs=("postgresql-client-15",)),
    "postgresql-common": Package("248+deb12u2", people=("postgres",), home="/var/lib/postgresql"),
    "postgresql-15": Package(
        "15.20-0+deb12u1",
        needs=("postgresql-common", "postgresql-client-15"),
        services={"postgresql": (5432,)},
        folders=("/etc/postgresql/15/main/conf.d", "/var/lib/postgresql/15/main", "/var/log/postgresql", "/run/postgresql"),
        files={
            "/etc/postgresql/15/main/postgresql.conf": "port = 5432\nmax_connections = 100\nshared_buffers = 128MB\ninclude_dir = 'conf.d'\n",
            "/etc/postgresql/15/main/pg_hba.conf": "local all postgres peer\nlocal all all peer\nhost all all 127.0.0.1/32 scram-sha-256\n",
        },
    ),
    "postgresql": Package(_POSTGRES, needs=("postgresql-15",)),
    "python3-psycopg2": Package("2.9.5-1+b1"),
    "haproxy": Package(
        "2.6.12-1+deb12u4",
        services={"haproxy": ()},
        people=("haproxy",),
        files={"/etc/haproxy/haproxy.cfg": "global\n\tuser haproxy\n"},
    ),
    "keepalived": Package("1:2.2.7-1+b2", services={"keepalived": ()}, folders=("/etc/keepalived",)),
    "prometheus": Package(
        "2.42.0+ds-5+deb12u1", services={"prometheus": (9090,)}, people=("prometheus",), folders=("/etc/prometheus",)
    ),
    "git": Package("1:2.39.5-0+deb12u3"),
    "build-essential": Package("12.9"),
    "make": Package("4.3-4.1"),
    "gcc": Package("4:12.2.0-3"),
    "python3-venv": Package("3.11.2-1+b1"),
    "python3-pip": Package("23.0.1+dfsg-1"),
    "python3-dev": Package("3.11.2-1+b1"),
    "nodejs": Package("18.20.4+dfsg-1~deb12u3"),
    "vim": Package("2:9.0.1378-2+deb12u2"),
    "tmux": Package("3.3a-3"),
    "htop": Package("3.2.2-2"),
    "jq": Package("1.6-2.1+deb12u3"),
    "rsync": Package("3.5.0+ds1-0+deb12u1"),
    "unzip": Package("6.0-28+deb12u1"),
    "wget": Package("1.21.3-1+deb12u1"),
    "gnupg": Package("2.2.40-1.1+deb12u2"),
    "acl": Package("2.3.1-3"),
    "cron": Package("3.0pl1-162", services={"cron": ()}),
    "logrotate": Package("3.21.0-1", folders=("/etc/logrotate.d",)),
    "locales": Package("2.36-9+deb12u14"),
    "unattended-upgrades": Package("2.9.1+nmu3", services={"unattended-upgrades": ()}),
    "fail2ban": Package("1.0.2-2", services={"fail2ban": ()}, folders=("/etc/fail2ban",)),
    "ufw": Package("0.36.2-1", services={"ufw": ()}),
    "qemu-guest-agent": Package("1:7.2+dfsg-7+deb12u18+b3", services={"qemu-guest-agent": ()}),
    "docker.io": Package("20.10.24+dfsg1-1+deb12u1+b6", services={"docker": ()}),
    "redis-server": Package("5:7.0.15-1~deb12u10", services={"redis-server": (6379,)}, people=("redis",)),
    "mariadb-server": Package("1:10.11.19-0+deb12u1", services={"mariadb": (3306,)}, people=("mysql",)),
}
