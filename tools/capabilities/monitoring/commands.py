"""The commands of a monitoring machine's guide. The verify step runs them."""

from __future__ import annotations

from tools.rules.words.guiding import common, from_here, on_machine
from tools.values.machine import AnyMachine
from tools.values.manifest import Command, Part

CURL = "curl --silent --show-error --fail"
PROMETHEUS, ALERTMANAGER, GRAFANA = 9090, 9093, 3000


def commands(machine: AnyMachine, part: Part) -> tuple[Command, ...]:
    """In the order of the guide."""
    name, days = machine.name, part.needs.whole("retention")
    return (
        on_machine(name, "Ask Prometheus whether it is ready", f"{CURL} http://{{address}}:{PROMETHEUS}/-/ready", "Ready"),
        on_machine(
            name,
            "See that it scrapes this machine",
            _query('up{job="node"} == 1'),
            f'instance="{name}"',
        ),
        on_machine(
            name,
            "See how long it keeps figures",
            f'{CURL} http://{{address}}:{PROMETHEUS}/api/v1/status/flags | grep -o \'"storage.tsdb.retention.time":"[^"]*"\'',
            f'"{_spelled(days)}"',
        ),
        on_machine(name, "See that the rules of its alerts are sound", "promtool check rules /etc/prometheus/rules/*.yml", "SUCCESS"),
        on_machine(
            name,
            "Read the alerts that are on; none is listed when all is well",
            f"amtool alert query --alertmanager.url http://127.0.0.1:{ALERTMANAGER} --output extended",
            "Labels",
        ),
        *(
            (
                on_machine(
                    name,
                    "See that the cluster is watched",
                    _query('count(pve_up{id=~"node/.+"})'),
                    "=>",
                ),
            )
            if part.needs.text("proxmox_token")
            else ()
        ),
        *(
            (on_machine(name, "Ask Grafana whether it is well", f"{CURL} http://127.0.0.1:{GRAFANA}/api/health", "ok"),)
            if part.needs.text("grafana_source")
            else ()
        ),
        from_here(
            name,
            "Ask Alertmanager from this computer, through SSH; a browser shows its page there",
            ALERTMANAGER,
            f"{CURL} http://127.0.0.1:{{port}}/-/ready",
            "OK",
        ),
        *common(machine),
    )


def _query(query: str) -> str:
    return f"promtool query instant http://{{address}}:{PROMETHEUS} '{query}'"


def _spelled(days: int) -> str:
    """As Prometheus spells a duration: 90d, 2w, 1y."""
    for unit, length in (("y", 365), ("w", 7)):
        if days % length == 0:
            return f"{days // length}{unit}"
    return f"{days}d"
