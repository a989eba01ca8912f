"""What is wanted to know of a new network, and how it becomes typed needs. Whether the cluster can have it is decided in choices.py."""

from __future__ import annotations

import ipaddress
import re

from tools.rules.names import naming
from tools.rules.request.facts import ENVIRONMENT, PLATFORM
from tools.rules.request.placing import BRIDGE
from tools.rules.request.reading import Reading
from tools.rules.request.wanting import wanted
from tools.values.request import Fact
from tools.values.requirements import Needs
from tools.values.site import Site

ID = re.compile(r"[a-zA-Z][a-zA-Z0-9]{0,6}[a-zA-Z0-9]")
"""Of zones and vnets: `pve-sdn-zone-id`, `pve-sdn-vnet-id` of the published API schema, 2026-11-30."""
ID_LENGTH_MAX = 8
TAG_MAX = 4094
ALIAS = re.compile(r"[()\-_.\w\s]{1,256}")
"""As pve-network has it (VnetPlugin.pm, 2026-11-30)."""
MADE = "vlan"
"""The kind of zone that is made here."""

WANTED = wanted(__package__, environment=(ENVIRONMENT,), platform=(PLATFORM,))


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("vnet", "proxmox", WANTED, facts)
    _read_environment(reading, site)
    _read_place(reading)
    _read_zone(reading)
    _read_subnet(reading)
    return reading.needs()


def _read_environment(reading: Reading, site: Site) -> None:
    """It decides who has to approve; a network without one belongs to all."""
    if "environment" in reading.facts:
        known, value = [e.name for e in site.environments], reading.facts["environment"].value.strip().lower()
        if value in known:
            reading.said("environment", value)
        else:
            reading.refuse(naming.unknown("environment", value, known), "environment")


def _read_place(reading: Reading) -> None:
    """VLAN, name and bridge are said as those of a network that is there."""
    said = {name: reading.facts[name].value.strip() for name in ("network", "vlan", "bridge") if name in reading.facts}
    network = said.get("network", "")
    tags = {name: int(text) for name, text in said.items() if text.isdecimal() and name != "bridge"}  # the network is the later word
    if not tags:
        reading.ask("network")
    elif not 1 <= (tag := next(iter(tags.values()))) <= TAG_MAX:
        reading.refuse(f"{tag} is no VLAN: tags go from 1 to {TAG_MAX}.", "network", "vlan")
    else:
        reading.said("vlan", tag, fact=next(iter(tags)))
    if bridge := said.get("bridge") or (network if BRIDGE.fullmatch(network.lower()) else ""):
        reading.said("bridge", bridge, fact="bridge" if "bridge" in said else "network")
    named = "name" if "name" in reading.facts else "network" if network and network != bridge and "network" not in tags else ""
    if named:
        _read_name(reading, named)


def _read_name(reading: Reading, fact: str) -> None:
    """Proxmox VE takes at most eight letters and digits; a longer name becomes the alias."""
    said = reading.facts[fact].value.strip()
    if not ALIAS.fullmatch(said) or not short(said):
        reading.refuse(f"{naming.shorten(said)} cannot be the name of a network. Say letters and digits, such as lab.", fact)
    else:
        reading.said("name", said, fact=fact)


def short(name: str) -> str:
    """As a vnet can be called; empty where nothing of it can be."""
    plain = re.sub(r"[^a-zA-Z0-9]", "", name).lstrip("0123456789")[:ID_LENGTH_MAX]
    return plain if ID.fullmatch(plain) else ""


def _read_zone(reading: Reading) -> None:
    if "zone" in reading.facts:
        zone = reading.facts["zone"].value.strip()
        if ID.fullmatch(zone):
            reading.said("zone", zone)
        else:
            shown = naming.shorten(zone)
            reading.refuse(
                f"{shown} cannot be a zone: its name has 2 to 8 letters and digits, and begins with a letter. Say another.", "zone"
            )
    kind = reading.facts["zone_kind"].value if "zone_kind" in reading.facts else MADE
    if kind != MADE:
        reading.refuse(f"A zone of kind {kind} is made in Proxmox VE, not here. Say VLAN zone to have one of VLANs.", "zone_kind")


def _read_subnet(reading: Reading) -> None:
    subnet = None
    if "subnet" in reading.facts:
        text = reading.facts["subnet"].value.strip()
        try:
            subnet = ipaddress.ip_network(text)
        except ValueError:
            subnet = None
        if subnet is None or "/" not in text:
            reading.refuse(f"{naming.shorten(text)} is no subnet. Say its first address with the prefix, such as 10.0.60.0/24.", "subnet")
            return
        reading.said("subnet", str(subnet))
    if "gateway" not in reading.facts:
        return
    try:
        gateway = ipaddress.ip_interface(reading.facts["gateway"].value.strip()).ip
    except ValueError:
        reading.facts.read.discard("gateway")  # which is told as not included
        return
    if subnet is None:
        reading.refuse(f"The gateway {gateway} needs a subnet. Say it too, such as 10.0.60.0/24.", "gateway", "subnet")
    elif gateway not in subnet:
        reading.refuse(f"{gateway} is no gateway of {subnet}. Say one within it.", "gateway")
    else:
        reading.said("gateway", str(gateway))
