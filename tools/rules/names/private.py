"""Addresses that are nobody's on the internet."""

from __future__ import annotations

import ipaddress

PRIVATE = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8"))
)
PRIVATE6 = tuple(map(ipaddress.ip_network, ("fc00::/7", "fe80::/10", "::1/128")))
"""RFC 1918, 6598, 3927, 4193 and 4291."""


def is_private(word: str) -> bool:
    """An address, or a network the whole of which is."""
    network = ipaddress.ip_network(word)
    return any(network.subnet_of(one) for one in (PRIVATE if network.version == 4 else PRIVATE6))  # type: ignore[arg-type]
