"""What is wanted to know of ports to open, and how it becomes typed needs. Who may come in is always asked: nothing stands in for it."""

from __future__ import annotations

import ipaddress
import re

from tools.rules.azure.facts import SHARED, read_common
from tools.rules.azure.placing import read_name
from tools.rules.names import naming
from tools.rules.names.text import fold
from tools.rules.request.editing import values_of
from tools.rules.request.ports import Ports, all_ports, ports
from tools.rules.request.reading import Reading
from tools.rules.request.wanting import wanted
from tools.values.request import Fact
from tools.values.requirements import Needs
from tools.values.site import Site

ADMINISTRATION = (22, 3389)
"""SSH and RDP: never for the whole internet, whoever approves it."""
PORTS_MAX, SOURCES_MAX = 20, 50
EVERYBODY_PREFIX = 8
"""A range shorter than this is the internet by another name."""
INTERNET = "Internet"
"""Azure's service tag."""

WANTED = wanted(__package__, **SHARED)


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("azure_firewall_ports", "azure", WANTED, facts)
    read_common(reading, site, "ports")
    read_name(reading, "resource_group", "resource_group")
    read_name(reading, "security_group", "nsg")
    _read_ports(reading)
    _read_sources(reading)
    found = wanted_rules(reading.needs())
    open_to_all = any(INTERNET in sources for _, sources in found)
    if found and not reading.missing and not reading.problems:
        closed = sorted(
            {port for ports, sources in found if INTERNET in sources for one in ports for port in ADMINISTRATION if holds(one, port)}
        )
        if closed:
            named = " and ".join(map(str, closed))
            reading.refuse(
                f"Port {named} is not opened to the whole internet: it is for administration, and is attacked within minutes. "
                "Say from which addresses, such as 203.0.113.0/24.",
                "sources",
            )
        reading.default(
            "public_exposure",
            open_to_all,
            "The internet may come in." if open_to_all else "Only the addresses named may come in.",
        )
    if "protocol" in reading.facts:
        reading.said("protocol", reading.facts["protocol"].value)
    else:
        reading.default("protocol", "Tcp", "TCP unless UDP is said.")
    return reading.needs()


def wanted_rules(needs: Needs) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """(ports, who may come in), a rule each: those with the same sources together."""
    found: dict[tuple[str, ...], list[str]] = {}
    for one in needs.strings("ports"):
        port, _, own = one.partition(" from ")
        found.setdefault(tuple(own.split(" and ")) if own else needs.strings("sources"), []).append(port)
    return tuple((tuple(ports), sources) for sources, ports in found.items())


def _read_ports(reading: Reading) -> None:
    """`ports`: each as `443` or `8000-8100`, or as `8443 from 10.2.0.0/16` where others may come in than to the rest."""
    if "ports" not in reading.facts:
        reading.ask("ports")
        return
    found: dict[Ports, str] = {}
    for listed in values_of(reading.facts["ports"].value):
        bare, _, own = listed.partition(" from ")
        sources = _sources(reading, own) if own else ()
        for one in filter(None, re.split(r"\s*(?:/|&|\+|\band\b|\bor\b|\s)\s*", fold(bare))):
            port = ports(one)
            if not isinstance(port, Ports):
                reading.refuse(port, "ports")
                return
            found[port] = f"{port.span} from {' and '.join(sources)}" if sources else port.span
    if not found or len(found) > PORTS_MAX:
        reading.refuse(f"{len(found)} ports cannot be opened by one rule. Say from 1 to {PORTS_MAX}, or a range.", "ports")
        return
    reading.said("ports", tuple(found[port] for port in sorted(found)))


def _read_sources(reading: Reading) -> None:
    if "sources" not in reading.facts:
        reading.ask("sources")
        return
    sources = _sources(reading, reading.facts["sources"].value)
    if len(sources) > SOURCES_MAX:
        reading.refuse(
            f"{len(sources)} addresses are too many for one rule. Say at most {SOURCES_MAX}, or a range that holds them.", "sources"
        )
    elif sources:
        reading.said("sources", sources)


def _sources(reading: Reading, text: str) -> tuple[str, ...]:
    """Ranges of addresses, or the internet; none, and a problem told, when one of them is no address."""
    words = re.findall(r"\d[\d./]*", text)
    if not words:
        return (INTERNET,)
    found: list[str] = []
    for word in dict.fromkeys(words):
        try:
            network = ipaddress.ip_network(word, strict=False)
        except ValueError:
            reading.refuse(f"{naming.shorten(word, 40)} is no address. Say it such as 10.0.0.0/16 or 203.0.113.7.", "sources")
            return ()
        found.append(INTERNET if network.prefixlen < EVERYBODY_PREFIX else str(network))
    return (INTERNET,) if INTERNET in found else tuple(found)


def holds(said: str, port: int) -> bool:
    return any(one.low <= port <= one.high for one in all_ports((said,)))
