"""Checks of a cluster's part besides those of every machine: servers that etcd can live on, and none of them on one node together."""

from __future__ import annotations

from collections.abc import Iterator

from tools.capabilities.k3s_cluster import sizes
from tools.capabilities.k3s_cluster.facts import SERVER_COUNTS, SERVERS
from tools.capabilities.on_machines import Check
from tools.values.manifest import Part
from tools.values.review import Finding, Severity, fault


def checks(part: Part) -> Iterator[Check]:
    yield "servers.count", _count(part)
    yield "servers.memory", _memory(part)
    yield "servers.apart", _apart(part)
    yield "release.checked", _release(part)


def _count(part: Part) -> Finding | None:
    servers = len(part.of_group(SERVERS.name))
    if servers in SERVER_COUNTS:
        return None
    return fault("k3s_cluster:servers.no_majority", servers=servers).finding("servers.count", part.label, part.label)


def _memory(part: Part) -> Finding | None:
    least = sizes.SERVER_MEMORY_MIB
    small = next((m for m in part.of_group(SERVERS.name) if m.memory_mib < least.low), None)
    if small is None:
        return None
    found = fault(
        "k3s_cluster:servers.small", machine=small.name, memory_mib=small.memory_mib, least_mib=least.low, source=least.source.title
    )
    return found.finding("servers.memory", part.label, small.name, Severity.WARNING)


def _apart(part: Part) -> Finding | None:
    """Two servers of three on one node go together, and the cluster with them. The review says how many nodes there are to choose from."""
    servers = part.of_group(SERVERS.name)
    nodes = [m.node for m in servers]
    shared = next((node for node in nodes if nodes.count(node) > 1), None)
    if shared is None:
        return None
    names = ", ".join(m.name for m in servers if m.node == shared)
    found = fault("k3s_cluster:servers.together", machines=names, node=shared)
    return found.finding("servers.apart", part.label, part.label, Severity.WARNING)


def _release(part: Part) -> Finding | None:
    if len(part.needs.text("release_sha256")) == 64:
        return None
    return fault("k3s_cluster:release.unchecked", release=part.needs.text("release")).finding("release.checked", part.label, part.label)
