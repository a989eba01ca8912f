"""The commands of a web server's guide. The verify step runs them."""

from __future__ import annotations

from tools.capabilities.web_server.variables import worker_connections
from tools.rules.words.guiding import common, from_here, on_machine
from tools.values.machine import AnyMachine
from tools.values.manifest import Command, Part

CURL = "curl --silent --show-error --fail"


def commands(machine: AnyMachine, part: Part) -> tuple[Command, ...]:
    """In the order of the guide."""
    name = machine.name
    return (
        on_machine(name, "Ask the site whether it is well", f"{CURL} http://{{address}}/health", "ok"),
        on_machine(name, "Ask the site for its page", f"{CURL} http://{{address}}/", f"{name} is serving"),
        on_machine(
            name,
            "See that its workers run with these settings, by the files that each may open",
            # The newest of its processes is a worker; one from before a reload may still be ending.
            "grep files /proc/$(pgrep --newest --exact nginx)/limits",
            f" {files_max(worker_connections(part.needs))} ",
        ),
        from_here(
            name,
            "Ask the site from this computer, through SSH",
            80,
            f"{CURL} http://127.0.0.1:{{port}}/health",
            "ok",
        ),
        *common(machine),
    )


def files_max(connections: int) -> int:
    """As ansible/roles/nginx/templates/nginx.conf.j2 reckons it: the running server tells of no other of its settings."""
    return connections * 2 + 64
