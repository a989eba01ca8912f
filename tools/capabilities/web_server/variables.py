"""Manifest → variables of the playbook. How the role uses them is in ansible/roles/nginx."""

from __future__ import annotations

from tools.rules.machines import choices as machine_choices
from tools.rules.machines import machines
from tools.values.manifest import Configure
from tools.values.requirements import Needs

WORKER_CONNECTIONS = 768
"""nginx's value in Debian's own nginx.conf."""


def configure(needs: Needs) -> Configure:
    return Configure(
        kind="ansible",
        playbook="web_server.yml",
        variables={
            **machine_choices.base_variables(),
            "nginx_site_name": machines.text(needs, "site_name") or "_",
            "nginx_worker_connections": worker_connections(needs),
        },
    )


def worker_connections(needs: Needs) -> int:
    """Each worker, of which nginx starts one a vCPU, can carry its share of the users at once with room for what it fetches itself."""
    users, workers = machines.number(needs, "concurrent_users"), max(1, machines.number(needs, "cpu_count", 1))
    share = -(-users * 2 // (workers * max(1, machines.number(needs, "count", 1))))
    return max(WORKER_CONNECTIONS, share)
