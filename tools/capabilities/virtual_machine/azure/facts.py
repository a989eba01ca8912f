"""How what was said of a virtual machine becomes typed needs, where it stands in Azure. Which size carries it is decided in choices."""

from __future__ import annotations

from tools.capabilities.by_table import is_private
from tools.capabilities.virtual_machine.facts import WANTED, read_application, read_load, settle_sizes, workload_of
from tools.rules.azure.facts import read_where, refuse_places_of_clusters
from tools.rules.azure.placing import read_name
from tools.rules.azure.sizes import assumed
from tools.rules.names import naming
from tools.rules.request.placing import read_count_and_name, read_public_key
from tools.rules.request.reading import Reading
from tools.values.request import Fact
from tools.values.requirements import Needs
from tools.values.site import Site

SYSTEM = "debian"
LOG_GB = assumed(1, 1, 10, "Metrics of the machines a month.")
EGRESS_GB = assumed(20, 1, 500, "Updates and downloads through the NAT gateway a month, for each machine.")
KEYS = ("ssh-rsa", "ssh-ed25519")
"""learn.microsoft.com, "Create and manage SSH keys for authentication to a Linux VM", read 2026-11-30."""


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("virtual_machine", "azure", WANTED, facts)
    read_where(reading, site)
    read_name(reading, "resource_group", "resource_group")
    read_count_and_name(reading, site, workload_of(reading), 1)
    refuse_places_of_clusters(reading)
    _read_system(reading)
    _read_keys(reading, site)
    settle_sizes(reading, read_application(reading, read_load(reading)))
    _read_ports(reading)
    reading.suppose("log_gb", LOG_GB, "GB a month")
    reading.suppose("egress_gb", EGRESS_GB, "GB a month")
    return reading.needs()


def _read_ports(reading: Reading) -> None:
    """No machine has a public address, so whoever comes in comes from a network of the operator's own."""
    if "ports" not in reading.facts:
        return
    ports = naming.listed(reading.facts["ports"].value)
    sources = (port.partition(" from ")[2].strip() for port in ports)
    if wrong := next((one for one in sources if one and not _is_own(one)), ""):
        reading.refuse(
            f"Nobody comes in from {naming.shorten(wrong)}: the machines have no public address. Say addresses of your own, such as "
            "port 443 from 10.0.0.0/8.",
            "ports",
        )
    else:
        reading.said("ports", ports)


def _is_own(text: str) -> bool:
    try:
        return is_private(text)
    except ValueError:
        return False


def _read_system(reading: Reading) -> None:
    said = reading.facts["os"].value.strip().lower() if "os" in reading.facts else SYSTEM
    version = reading.facts["os_version"].value.strip() if "os_version" in reading.facts else "12"
    if said != SYSTEM or version != "12":
        shown = naming.shorten(f"{said} {version}" if said == SYSTEM else said)
        reading.refuse(f"In Azure a machine is made from Debian 12, and not {shown}. Say `Debian 12`, or `on proxmox`.", "os", "platform")
    elif "os" in reading.facts:
        reading.said("os", SYSTEM)
    else:
        reading.default("os", SYSTEM, "Debian 12, which every machine in Azure gets.")


def _read_keys(reading: Reading, site: Site) -> None:
    read_public_key(reading, site)
    field = next((one for one in reading.fields if one.name == "public_keys"), None)
    keys = field.value if field is not None and isinstance(field.value, tuple) else ()
    if field is not None and not any(key.split(" ")[0] in KEYS for key in keys):
        reading.refuse(
            "A machine in Azure has no password, and takes RSA and ED25519 keys alone. Paste the line of a .pub file that begins with "
            "ssh-ed25519 or ssh-rsa.",
            "public_key",
        )
