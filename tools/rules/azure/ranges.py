"""Address ranges that cannot be had on Azure: those that Azure and AKS keep, and those that are nobody's on the internet."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network

AZURE = ("224.0.0.0/4", "255.255.255.255/32", "127.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32")
"""In no network: learn.microsoft.com, "Virtual Network FAQ", read 2026-11-29."""
AKS = ("169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24")
"""For neither nodes nor pods nor services: learn.microsoft.com, "CNI networking overview in AKS", read 2026-11-29."""
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16")
"""RFC 1918, 6598, 1122 and 3927."""
PODS, SERVICES = "10.244.0.0/16", "172.29.0.0/16"
"""Of every cluster, for neither is seen outside it. 10.244.0.0/16 is what AKS takes by itself; the other lies beside what it reserves."""
NODE_PREFIX = 24
"""Each node takes as much of the pods' range: learn.microsoft.com, "Azure CNI Overlay", read 2026-11-29."""


def nodes_in(pods: str) -> int:
    """Nodes that a range of pods' addresses is enough for."""
    return 1 << max(0, NODE_PREFIX - ip_network(pods).prefixlen)


def met(range_: str, others: Iterable[str]) -> str:
    """The first of the others that a range overlaps; empty for none."""
    one = ip_network(range_, strict=False)
    return next((other for other in others if one.version == ip_network(other).version and one.overlaps(ip_network(other))), "")
