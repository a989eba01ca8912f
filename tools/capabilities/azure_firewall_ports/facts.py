"""What is wanted to know of ports to open, and how it becomes typed needs. Who may come in is always asked: nothing stands in for it."""

from __future__ import annotations

import ipaddress
import re

from tools.rules.azure.facts import SHARED, read_common
from tools.rules.azure.placing import read_name
from tools.rules.names import naming
from tools.rules.names.text import fold
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
    ports = _read_ports(reading)
    sources = _read_sources(reading)
    open_to_all = INTERNET in sources
    if ports and sources:
        closed = sorted({port for one in ports for port in ADMINISTRATION if holds(one, port)})
        if open_to_all and closed:
            named = " and ".join(map(str, closed))
            reading.problems.append(
                f"Port {named} is not opened to the whole internet: it is for administration, and is attacked within minutes. "
                "Say from which addresses, such as 203.0.113.0/24."
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


def _read_ports(reading: Reading) -> tuple[str, ...]:
    if "ports" not in reading.facts:
        reading.ask("ports")
        return ()
    text = reading.facts["ports"].value
    found = [one for one in re.split(r"\s*(?:,|/|&|\+|\band\b|\bor\b|\s)\s*", fold(text)) if one]
    ports: list[str] = []
    for one in dict.fromkeys(found):
        low, _, high = one.partition("-")
        if low.isdigit() and (not high or high.isdigit()) and 1 <= int(low) <= int(high or low) <= 65535:
            ports.append(f"{int(low)}-{int(high)}" if high and int(high) > int(low) else str(int(low)))
        else:
            reading.problems.append(f"{naming.shorten(one, 20)} is no port. Say a number from 1 to 65535, or a range such as 8000-8100.")
            return ()
    if not ports or len(ports) > PORTS_MAX:
        reading.problems.append(f"{len(ports)} ports cannot be opened by one rule. Say from 1 to {PORTS_MAX}, or a range.")
        return ()
    kept = tuple(sorted(ports, key=lambda p: int(p.partition("-")[0])))
    reading.said("ports", kept)
    return kept


def _read_sources(reading: Reading) -> tuple[str, ...]:
    if "sources" not in reading.facts:
        reading.ask("sources")
        return ()
    text = reading.facts["sources"].value
    words = re.findall(r"\d[\d./]*", text)
    if not words:
        reading.said("sources", (INTERNET,))
        return (INTERNET,)
    found: list[str] = []
    for word in dict.fromkeys(words):
        try:
            network = ipaddress.ip_network(word, strict=False)
        except ValueError:
            reading.problems.append(f"{naming.shorten(word, 40)} is no address. Say it such as 10.0.0.0/16 or 203.0.113.7.")
            return ()
        found.append(INTERNET if network.prefixlen < EVERYBODY_PREFIX else str(network))
    if len(found) > SOURCES_MAX:
        reading.problems.append(f"{len(found)} addresses are too many for one rule. Say at most {SOURCES_MAX}, or a range that holds them.")
        return ()
    sources = (INTERNET,) if INTERNET in found else tuple(found)
    reading.said("sources", sources)
    return sources


def holds(ports: str, port: int) -> bool:
    low, _, high = ports.partition("-")
    return int(low) <= port <= int(high or low)
