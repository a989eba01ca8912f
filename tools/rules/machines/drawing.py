"""The picture of a cluster with a plan, as SVG that any browser shows. Every figure is the capacity rules' own sum."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tools.rules.machines.capacity import Room, memory_sum, room_of
from tools.rules.names.foreign import seen
from tools.values.manifest import Part
from tools.values.offer import Sum
from tools.values.situation import Situation
from tools.values.snapshot import Node

_WIDTH, _BAR, _ROW, _LEFT = 780, 420, 58, 150
_COLOURS = {"promised": "#8aa4c8", "new": "#e08a2e", "free": "#eef1f5", "line": "#b3392f"}


def picture(parts: Sequence[Part], situation: Situation) -> dict[str, str]:
    """SVG by file name, of the memory of each node with the parts; what they add has a colour of its own."""
    return {"cluster.svg": draw(*rooms(parts, situation))}


def rooms(parts: Sequence[Part], situation: Situation) -> tuple[Room, Room]:
    """The cluster without the parts and with them, in the environment of the first."""
    name = next((part.needs.text("environment") for part in parts), "")
    return room_of(situation, name), room_of(situation, name, parts)


def draw(before: Room, after: Room) -> str:
    """One row a node: what was taken, what is new, the limit, and the same sum in figures as the plan's table has it."""
    nodes = after.snapshot.nodes
    rows = "".join(_node(56 + number * _ROW, node, memory_sum(before, node), memory_sum(after, node)) for number, node in enumerate(nodes))
    height = 60 + _ROW * len(nodes)
    limit = f"{after.environment.memory_ratio_max:.0%}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
        f'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="16" y="26" font-size="17" font-weight="bold">Memory of the nodes with this plan</text>'
        f'<text x="{_LEFT}" y="44" fill="#667">taken and reserved in blue, new in orange, limit at {limit}</text>{rows}</svg>'
    )


def _node(y: int, node: Node, before: Sum, after: Sum) -> str:
    name = escape(seen(node.name))
    if not node.online or not node.memory_bytes:
        return f'<text x="16" y="{y + 24}">{name}</text><text x="{_LEFT}" y="{y + 24}" fill="#999">silent</text>'
    scale = _BAR / (node.memory_bytes / 2**20)
    used = min(_BAR, min(before.total, after.total) * scale)
    new = min(_BAR - used, max(0.0, after.total - before.total) * scale)
    limit = _LEFT + after.limit * scale
    was = "" if after.total == before.total else f"{before.total / 1024:,.1f} → "
    return (
        f'<text x="16" y="{y + 24}">{name}</text>'
        f'<rect x="{_LEFT}" y="{y + 8}" width="{_BAR}" height="24" fill="{_COLOURS["free"]}"/>'
        f'<rect x="{_LEFT}" y="{y + 8}" width="{used:.1f}" height="24" fill="{_COLOURS["promised"]}"/>'
        f'<rect x="{_LEFT + used:.1f}" y="{y + 8}" width="{new:.1f}" height="24" fill="{_COLOURS["new"]}"/>'
        f'<line x1="{limit:.1f}" y1="{y + 4}" x2="{limit:.1f}" y2="{y + 36}" stroke="{_COLOURS["line"]}" stroke-dasharray="3 2"/>'
        f'<text x="{_LEFT + _BAR + 10}" y="{y + 24}">{was}{after.total / 1024:,.1f} of {after.limit / 1024:,.1f} GiB</text>'
    )
