"""Ports as they are said of a machine, `443`, `8000-8100`, `53/udp`, `8443 from 10.0.0.0/8 and 10.1.0.0/16`, and what each lets in. Which
rules follow is in tools.rules.machines.firewall."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from tools.rules.names import naming

PORTS_MAX, SOURCES_MAX = 40, 50
PROTOCOLS = ("tcp", "udp")


class Ports(NamedTuple):
    low: int
    high: int
    protocol: str
    sources: tuple[str, ...]
    """Networks; none: whoever the network lets through."""

    @property
    def span(self) -> str:
        """`443`, `8000-8100`."""
        return f"{self.low}-{self.high}" if self.high > self.low else str(self.low)

    @property
    def spelled(self) -> str:
        """`443`, `8000-8100/udp`."""
        return self.span if self.protocol == "tcp" else f"{self.span}/{self.protocol}"

    def holds(self, other: Ports) -> bool:
        return self.protocol == other.protocol and self.low <= other.low and other.high <= self.high


def ports(text: str) -> Ports | str:
    """What a port that was said lets in; or why it cannot be, a whole sentence."""
    said, _, origin = text.partition(" from ")
    span, _, protocol = said.strip().lower().partition("/")
    found = re.fullmatch(r"(\d{1,5})(?:\s*[-:]\s*(\d{1,5}))?", span.strip())
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= low <= high <= 65535 or (protocol or "tcp") not in PROTOCOLS:
        return f"{naming.shorten(said.strip(), 20)} is no port. Say a number from 1 to 65535, a range such as 8000-8100, or 53/udp."
    sources: list[str] = []
    for word in re.findall(r"(?<![\w.:-])[0-9a-fA-F:.]*[0-9:][0-9a-fA-F:./]*(?![\w-])", origin):
        try:
            network = ipaddress.ip_network(word.strip("."), strict=False)
        except ValueError:
            return f"{naming.shorten(word, 40)} is no address. Say it such as 10.0.0.0/16 or 203.0.113.7."
        sources.append(str(network))
    if origin and not sources and not re.search(r"\b(?:any\w*|every\w*|all|internet)\b", origin.lower()):
        return f"{naming.shorten(origin, 40)} is no address. Say from which, such as 10.0.0.0/16, or from anywhere."
    everybody = any(ipaddress.ip_network(one).prefixlen == 0 for one in sources)
    return Ports(low, high, protocol or "tcp", () if everybody else tuple(dict.fromkeys(sources)))


def all_ports(said: tuple[str, ...]) -> tuple[Ports, ...]:
    """Of ports that were understood."""
    return tuple(one for one in map(ports, said) if isinstance(one, Ports))
