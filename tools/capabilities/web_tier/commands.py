"""The commands of a web tier's guide. The verify step runs them."""

from __future__ import annotations

from tools.capabilities.web_tier.facts import APPLICATIONS, BALANCERS
from tools.capabilities.web_tier.variables import address, certificates, site_name
from tools.rules.words.guiding import common, on_machine
from tools.values.machine import AnyMachine
from tools.values.manifest import Command, Part

CURL = "curl --silent --show-error --fail"
PUBLIC = "/etc/haproxy/tls/certificate.pem"
AUTHORITY = "/etc/haproxy/tls/authority.pem"
"""Whom to trust, where the site's ACME server has signed it."""


def commands(machine: AnyMachine, part: Part) -> tuple[Command, ...]:
    """In the order of the guide."""
    return (*(_of_balancer(machine, part) if machine.group == BALANCERS else _of_application(machine, part)), *common(machine))


def _of_application(machine: AnyMachine, part: Part) -> tuple[Command, ...]:
    return (
        on_machine(machine.name, "Ask the machine itself whether it is well", f"{CURL} http://{{address}}/health", "ok"),
        on_machine(machine.name, "Ask the site, by its virtual address", f"{CURL} --insecure https://{address(part)}/health", "ok"),
    )


def _of_balancer(machine: AnyMachine, part: Part) -> tuple[Command, ...]:
    name = site_name(part) or address(part)
    trusted = PUBLIC if certificates(part) else AUTHORITY
    known = f"--cacert {trusted} --resolve {name}:443:{address(part)}"
    up = 'awk -F, \'$1 == "machines" && $2 != "BACKEND" && $18 == "UP" {n++} END {print n + 0 " up"}\''
    count = len(part.of_group(APPLICATIONS))
    return (
        on_machine(machine.name, "Ask the site by its name, with its certificate", f"{CURL} {known} https://{name}/", "is serving"),
        on_machine(
            machine.name,
            "See that the balancer finds every application machine well",
            f"echo show stat | sudo socat stdio /run/haproxy/admin.sock | {up}",
            f"{count} up",
        ),
        on_machine(
            machine.name,
            "See that keepalived runs",
            "systemctl is-active keepalived",
            "active",
        ),
    )
