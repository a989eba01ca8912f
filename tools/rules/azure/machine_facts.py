"""How what was said of machines in Azure becomes typed needs, whatever runs on them. How large they are is read where the service is; which
size carries them is decided in tools.rules.azure.machines."""

from __future__ import annotations

from tools.rules.azure.facts import read_alert_email, read_where, refuse_places_of_clusters
from tools.rules.azure.images import find, images
from tools.rules.azure.placing import read_name
from tools.rules.azure.sizes import assumed
from tools.rules.names import naming
from tools.rules.names.private import is_private
from tools.rules.request.attaching import read_data_disks
from tools.rules.request.placing import read_count_and_name, read_public_key
from tools.rules.request.ports import Ports, ports
from tools.rules.request.reading import Reading
from tools.values.site import Site

SYSTEM = "debian"
LOG_GB = assumed(1, 1, 10, "Metrics of the machines a month.")
EGRESS_GB = assumed(20, 1, 500, "Updates and downloads through the NAT gateway a month, for each machine.")
KEYS = ("ssh-rsa", "ssh-ed25519")
"""learn.microsoft.com, "Create and manage SSH keys for authentication to a Linux VM", read 2026-11-30."""


def read_machines(reading: Reading, site: Site, workload: str, environment: str = "", systems: tuple[str, ...] = ()) -> None:
    """`environment` is taken where none is said; `systems` are those that what runs on them is made for, all where there is none."""
    read_where(reading, site, environment)
    read_name(reading, "resource_group", "resource_group")
    read_count_and_name(reading, site, workload, 1)
    refuse_places_of_clusters(reading)
    _read_system(reading, systems)
    _read_keys(reading, site)
    read_data_disks(reading, by_place=False)
    _read_ports(reading)
    read_alert_email(reading)
    reading.suppose("log_gb", LOG_GB, "GB a month")
    reading.suppose("egress_gb", EGRESS_GB, "GB a month")


def read_set_up(reading: Reading, site: Site, workload: str, environment: str = "") -> None:
    """Of machines on which something is to be set up: they must be reached."""
    read_machines(reading, site, workload, environment, (SYSTEM,))
    said = next((str(one.value) for one in reading.fields if one.name == "environment"), "")
    if said and not site.environment(said).network.is_reached:
        reading.refuse(
            f"It is set up over SSH, and nothing says that Berth reaches machines of {said} in Azure. Say `on proxmox`, or have the hub "
            f"and `reached: true` written under `network` of {said} in the site's file.",
            "platform",
        )


def _read_ports(reading: Reading) -> None:
    """No machine has a public address, so whoever comes in comes from a network of the operator's own."""
    if "ports" not in reading.facts:
        return
    said = naming.listed(reading.facts["ports"].value)
    found = [ports(one) for one in said]
    origins = [one.partition(" from ")[2].strip() for one in said]
    if no_port := next((one for one in found if isinstance(one, str)), ""):
        reading.refuse(no_port, "ports")
    elif wrong := next((origin for origin, one in zip(origins, found, strict=True) if origin and not _are_own(one)), ""):
        reading.refuse(
            f"Nobody comes in from {naming.shorten(wrong)}: the machines have no public address. Say addresses of your own, such as "
            "port 443 from 10.0.0.0/8.",
            "ports",
        )
    else:
        reading.said("ports", said)


def _are_own(one: Ports | str) -> bool:
    return isinstance(one, Ports) and bool(one.sources) and all(map(is_private, one.sources))


def _read_system(reading: Reading, systems: tuple[str, ...]) -> None:
    said = reading.facts["os"].value.strip().lower() if "os" in reading.facts else ""
    version = reading.facts["os_version"].value.strip().lower() if "os_version" in reading.facts else ""
    known = [one for one in images() if one.os in (systems or (one.os,))]
    image = find(said or SYSTEM, version)
    if image is None or image not in known:
        shown = naming.shorten(f"{said} {version}".strip() or version)
        there = " or ".join(one.spoken for one in known)
        reading.refuse(f"In Azure it is made from {there}, and not from {shown}. Say one of these, or `on proxmox`.", "os", "platform")
        return
    because = f"{image.spoken}, which has updates until {image.ends}, unless another is asked for."
    if said or version:
        reading.said("os", image.os, fact="os" if said else "os_version")
    else:
        reading.default("os", image.os, because)
    if version:
        reading.said("os_version", image.version)
    else:
        reading.default("os_version", image.version, because)


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
