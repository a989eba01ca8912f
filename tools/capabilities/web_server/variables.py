"""Part → variables of the playbook. How the role uses them is in ansible/roles/nginx."""

from __future__ import annotations

from tools.values.manifest import Endpoint, Part
from tools.values.requirements import Needs
from tools.values.value import Json

WORKER_CONNECTIONS = 768
"""nginx's value in Debian's own nginx.conf."""


def variables(part: Part) -> dict[str, Json]:
    return {
        "nginx_site_name": part.needs.text("site_name") or "_",
        "nginx_worker_connections": worker_connections(part.needs),
    }


def worker_connections(needs: Needs) -> int:
    """Each worker, of which nginx starts one a vCPU, can carry its share of the users at once with room for what it fetches itself."""
    users, workers = needs.whole("concurrent_users"), max(1, needs.whole("cpu_count", 1))
    share = -(-users * 2 // (workers * max(1, needs.whole("count", 1))))
    return max(WORKER_CONNECTIONS, share)


def endpoints(part: Part) -> tuple[Endpoint, ...]:
    return (Endpoint(protocol="http", port=80, machines=tuple(m.name for m in part.every_machine)),)
