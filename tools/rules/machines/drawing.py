"""Pictures of values: the cluster before and after, as SVG that any browser shows."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from tools.values.manifest import Manifest
from tools.values.snapshot import ClusterSnapshot, Snapshot, Target

_WIDTH, _BAR, _ROW, _LEFT = 760, 420, 58, 150
_COLOURS = {"promised": "#8aa4c8", "new": "#e08a2e", "free": "#eef1f5", "line": "#b3392f"}


def before_and_after(snapshots: Mapping[Target, Snapshot], manifest: Manifest) -> dict[str, str]:
    """SVG by file name; empty when there is no cluster to draw."""
    cluster = snapshots.get("proxmox")
    if not isinstance(cluster, ClusterSnapshot):
        return {}
    return {"cluster_before.svg": draw(cluster, {}), "cluster_after.svg": draw(cluster, _added(manifest))}


def _added(manifest: Manifest) -> dict[str, tuple[int, int]]:
    """(memory in bytes, vCPUs) that the manifest adds to each node."""
    added: dict[str, tuple[int, int]] = {}
    for part in manifest.parts:
        for machine in (part.variables or {}).get("machines", []):
            memory, cpus = added.get(machine["node"], (0, 0))
            added[machine["node"]] = (memory + machine["memory_mib"] * 2**20, cpus + machine["cpu_count"])
    return added


def draw(cluster: ClusterSnapshot, added: Mapping[str, tuple[int, int]]) -> str:
    rows = "".join(_node(cluster, i, node.name, added.get(node.name, (0, 0))) for i, node in enumerate(cluster.nodes))
    height = 60 + _ROW * len(cluster.nodes)
    title = "Cluster after this plan" if added else "Cluster now"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
        f'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="16" y="26" font-size="17" font-weight="bold">{title}</text>'
        f'<text x="{_LEFT}" y="44" fill="#667">memory promised to guests, new in orange, limit at 80 %</text>{rows}</svg>'
    )


def _node(cluster: ClusterSnapshot, index: int, name: str, added: tuple[int, int]) -> str:
    node = cluster.node(name)
    assert node is not None
    y = 56 + index * _ROW
    if not node.online or not node.memory_bytes:
        return f'<text x="16" y="{y + 24}">{escape(name)}</text><text x="{_LEFT}" y="{y + 24}" fill="#999">silent</text>'
    promised = sum(g.memory_bytes for g in cluster.guests if g.node == name and g.running)
    scale = _BAR / node.memory_bytes
    used, new = min(_BAR, promised * scale), added[0] * scale
    limit = _LEFT + _BAR * 0.8
    gib = 2**30
    return (
        f'<text x="16" y="{y + 24}">{escape(name)}</text>'
        f'<rect x="{_LEFT}" y="{y + 8}" width="{_BAR}" height="24" fill="{_COLOURS["free"]}"/>'
        f'<rect x="{_LEFT}" y="{y + 8}" width="{used:.1f}" height="24" fill="{_COLOURS["promised"]}"/>'
        f'<rect x="{_LEFT + used:.1f}" y="{y + 8}" width="{min(new, _BAR - used):.1f}" height="24" fill="{_COLOURS["new"]}"/>'
        f'<line x1="{limit:.1f}" y1="{y + 4}" x2="{limit:.1f}" y2="{y + 36}" stroke="{_COLOURS["line"]}" stroke-dasharray="3 2"/>'
        f'<text x="{_LEFT + _BAR + 10}" y="{y + 24}">{(promised + added[0]) / gib:,.0f} of {node.memory_bytes / gib:,.0f} GiB</text>'
    )
