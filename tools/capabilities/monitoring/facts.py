"""What is wanted to know of a monitoring machine, and how it becomes typed needs. Where it goes is not decided here."""

from __future__ import annotations

from tools.capabilities.monitoring import sizes
from tools.rules.machines.facts import EVERY_MACHINE
from tools.rules.request.placing import read_placing
from tools.rules.request.reading import Reading, read_sizes
from tools.rules.request.wanting import wanted
from tools.values.request import Fact
from tools.values.requirements import Needs
from tools.values.site import Site

# The longer ones are said of what is asked for besides, where `monitoring` alone is a wish about a single thing.
WORDS = (
    "monitoring", "monitoring server", "monitoring machine", "monitoring system", "monitoring stack", "monitoring host",
    "prometheus", "prometheus server", "prometheus monitoring", "alertmanager",
    "monitoring for all of it", "monitoring for all of them", "monitoring for all of this", "monitoring for all",
    "monitoring for everything", "monitoring for it all", "monitoring of all of it", "monitoring of everything",
    "monitor all of it", "monitor everything",
    "monitoring for the cluster", "monitoring of the cluster",
)  # fmt: skip

WANTED = wanted(__package__, every_machine=EVERY_MACHINE)
_IN_THE_SITE_FILE = "under `monitoring` in the site file"


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("monitoring", "proxmox", WANTED, facts)
    reading.refuse_other_makes("make", "Prometheus", "Berth makes monitoring with Prometheus, not with {other}. Say Prometheus")
    watched = _read(reading, "watched", "machines to watch", sizes.MACHINES_ASSUMED, sizes.MACHINES_MAX, "Nobody said how many.")
    days = _read(reading, "retention", "days", sizes.RETENTION_DAYS, sizes.RETENTION_DAYS_MAX, "As long as Prometheus itself keeps them.")
    _read_site(reading, site)
    read_placing(reading, site, workload="monitor")
    _settle_sizes(reading, watched, days)
    return reading.needs()


def _read(reading: Reading, name: str, subject: str, otherwise: int, high: int, because: str) -> int:
    said = reading.count(name, subject, 1, high, "a machine watches something, and Prometheus on one machine has its limits.")
    if said is not None:
        reading.said(name, said)
    elif name not in reading.facts:
        reading.default(name, otherwise, because)
    return said or otherwise


def _read_site(reading: Reading, site: Site) -> None:
    """What only the site can say: whom alerts are sent to, by which token a cluster is looked at, where Grafana is from."""
    has = site.monitoring
    if has.alert_webhook:
        reading.default("alert_webhook", has.alert_webhook, "The site sends its alerts there.")
    else:
        reading.not_included.append(f"sending alerts anywhere: name an alert_webhook {_IN_THE_SITE_FILE}")
    if has.proxmox_token:
        reading.default("proxmox_token", has.proxmox_token, "The site lets monitoring look at the cluster by it.")
    else:
        reading.not_included.append(f"the cluster's own figures: name a proxmox_token that may only look {_IN_THE_SITE_FILE}")
    if has.grafana_source:
        reading.default("grafana_source", has.grafana_source, "The site has Grafana there.")
        reading.default("grafana_key", has.grafana_key, "The site vouches for it by this key.")
    if "grafana" in reading.facts and not has.grafana_source:
        reading.not_included.append(f"Grafana, which Debian has not: name a grafana_source {_IN_THE_SITE_FILE}")


def _settle_sizes(reading: Reading, watched: int, days: int) -> None:
    cpu_count, memory_mib, disk_gib = read_sizes(reading)
    for fact, name, unit, said, assumption in (
        ("cpu_count", "cpu_count", "vCPU", cpu_count, sizes.CPU),
        ("memory", "memory_mib", "MiB", memory_mib, sizes.MEMORY_MIB),
        ("disk", "disk_gib", "GiB", disk_gib, sizes.disk(watched, days)),
    ):
        if said is not None:
            reading.said(name, said, unit, fact=fact)
        elif fact not in reading.facts:
            reading.suppose(name, assumption, unit)
    if disk_gib is not None and disk_gib < sizes.DISK_GIB_MIN:
        reading.refuse(
            f"A disk of {disk_gib} GiB holds the system and next to no figures. Say a disk of {sizes.DISK_GIB_MIN} GiB or more.", "disk"
        )
