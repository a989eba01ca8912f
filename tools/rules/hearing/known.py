"""What is known to be there, so that its names are understood: of a world its nodes and networks, by a snapshot or any document that lists
them, what a run has made, and what was asked for earlier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tools.values.request import Request

DEPTH_MAX = 4

Built = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Of the items that a run has made, by label: the names of its machines, by group; the group of machines that are all alike is empty."""

Sizes = Mapping[str, Mapping[str, str]]
"""Of the items that are planned or made, by label: how large their machines are, by fact (`memory`, `workers_memory`)."""


@dataclass(frozen=True)
class Segment:
    """A network, by the other words for it."""

    bridge: str = ""
    vlan: str = ""


@dataclass(frozen=True)
class Known:
    nodes: frozenset[str] = frozenset()
    networks: Mapping[str, Segment] = field(default_factory=dict)
    """By their names in small letters."""
    storages: frozenset[str] = frozenset()
    built: Built = field(default_factory=dict)
    sizes: Sizes = field(default_factory=dict)
    earlier: tuple[Request, ...] = ()
    """What the request was before each change of it."""

    def has_network(self, value: str) -> bool:
        said = value.lower()
        return said in self.networks or any(said in (one.vlan, one.bridge) for one in self.networks.values())


NOTHING_KNOWN = Known()


def known_of(document: object) -> Known:
    """Names that are keys (`nodes: {pve1: …}`) or fields (`nodes: [{name: pve1}]`)."""
    networks = {
        name.lower(): Segment(_first(one, "bridge"), _first(one, "vlan_tag", "tag", "vlan")) for name, one in _all(document, "networks")
    }
    nodes, storages = (frozenset(name.lower() for name, _ in _all(document, kind)) for kind in ("nodes", "storages"))
    return Known(nodes, networks, storages)


def _all(document: object, kind: str, depth: int = DEPTH_MAX) -> Iterator[tuple[str, Mapping[str, object]]]:
    if not isinstance(document, Mapping) or not depth:
        return
    for key, value in document.items():
        if key != kind:
            yield from _all(value, kind, depth - 1)
        elif isinstance(value, Mapping):
            yield from ((str(name), one if isinstance(one, Mapping) else {}) for name, one in value.items())
        elif isinstance(value, list):
            yield from ((str(one["name"]), one) for one in value if isinstance(one, Mapping) and "name" in one)


def _first(one: Mapping[str, object], *names: str) -> str:
    return next((str(one[name]) for name in names if one.get(name) not in (None, "")), "")
