"""Part → variables of the playbook and the certificate of the run. Which machine is what stands in the inventory's groups."""

from __future__ import annotations

from tools.capabilities.web_tier.facts import ADDRESS, APPLICATIONS
from tools.rules.request.attaching import acme_variables
from tools.values.machine import without_prefix
from tools.values.manifest import Endpoint, Part, TlsCertificate
from tools.values.value import Json

CERTIFICATE = "tls_certificate"
"""The balancers', with its key: a secret of the run."""
WORKER_CONNECTIONS = 768
"""nginx's value in Debian's own nginx.conf."""


def variables(part: Part) -> dict[str, Json]:
    return {
        "nginx_site_name": site_name(part) or "_",
        "nginx_worker_connections": _worker_connections(part),
        **({"haproxy_certificate": {"secret": CERTIFICATE}} if certificates(part) else acme_variables(part.needs, site_name(part))),
        "haproxy_backends": APPLICATIONS,
        "keepalived_address": part.virtual_address(ADDRESS),
        "keepalived_check": "/usr/bin/systemctl is-active --quiet haproxy",
    }


def certificates(part: Part) -> tuple[TlsCertificate, ...]:
    """For the site's name and the virtual address; none where the balancers have their own signed."""
    if part.needs.text("acme_directory"):
        return ()
    return (TlsCertificate(name=CERTIFICATE, names=tuple(filter(None, (site_name(part), address(part))))),)


def site_name(part: Part) -> str:
    """Empty where every name is answered."""
    return part.needs.text("site_name").removeprefix("_")


def address(part: Part) -> str:
    return without_prefix(part.virtual_address(ADDRESS))


def _worker_connections(part: Part) -> int:
    """Each worker, of which nginx starts one a vCPU, can carry its share of the users at once with room for what it fetches itself. Of the
    others' share, too, when one machine is lost."""
    machines = part.of_group(APPLICATIONS)
    workers = max(1, machines[0].cpu_count) * max(1, len(machines) - 1) if machines else 1
    return max(WORKER_CONNECTIONS, -(-part.needs.whole("concurrent_users") * 2 // workers))


def endpoints(part: Part) -> tuple[Endpoint, ...]:
    names = (("name", site_name(part)),) if site_name(part) else ()
    return (
        Endpoint(protocol="https", port=443, address=address(part), names=names, certificate=CERTIFICATE if certificates(part) else ""),
    )
