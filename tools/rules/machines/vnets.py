"""Networks of SDN that a part makes: whether they count on every node, and who is on them. Whether one may be made is decided in
tools/capabilities/vnet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tools.rules.machines.seeing import cards
from tools.rules.names.scanned import Row, display, number
from tools.values.manifest import Part

VNET, ZONE, SUBNET = "SDN vnet", "SDN zone", "SDN subnet"
"""Kinds of resources."""


def vnet_of(part: Part) -> str:
    """Empty where it makes none."""
    return next((one.name for one in part.resources if one.kind == VNET), "")


def zone_of(part: Part) -> str:
    return str(dict(part.facts)["zone"])


def nodes_of(part: Part) -> tuple[str, ...]:
    return tuple(str(dict(part.facts)["nodes"]).split(", "))


def waiting_of(part: Part, waiting: Iterable[str]) -> tuple[str, ...]:
    """Of what is written down and not applied, that which is the part's own: its vnet, its zone and its subnet."""
    names = {one.kind: one.name for one in part.resources}
    own = {f"vnet {names[VNET]}", f"zone {names.get(ZONE, '')}", f"subnet {zone_of(part)}-{names.get(SUBNET, '').replace('/', '-')}"}
    return tuple(one for one in waiting if one in own)


def missing_on(vnet: str, told: Mapping[str, Iterable[Row]]) -> tuple[str, ...]:
    """A sentence a node that does not have it as it should be. `told` is what each node says of the vnets of its zone."""
    found = {node: next((row for row in rows if row.get("vnet") == vnet), None) for node, rows in told.items()}
    return tuple(
        f"{node} does not have vnet {vnet}." if row is None else f"On {node} vnet {vnet} is {display(row.get('status'))}."
        for node, row in found.items()
        if row is None or row.get("status") != "available"
    )


def users(vnet: str, guests: Iterable[Row], configs: Mapping[int, Row]) -> tuple[str, ...]:
    """Whoever has a card on it: `VM 110 (web-01)`."""
    on = {vm_id for vm_id, config in configs.items() if any(bridge == vnet for bridge, _ in cards(config))}
    rows = sorted((row for row in guests if int(number(row, "vmid")) in on), key=lambda row: number(row, "vmid"))
    return tuple(f"VM {int(number(row, 'vmid'))} ({display(row.get('name') or '')})" for row in rows)
