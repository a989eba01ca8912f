"""Networks of SDN that a part makes: whether they count on every node, and who is on them. Whether one may be made is decided in
tools/capabilities/vnet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from tools.rules.machines.seeing import cards
from tools.rules.names.scanned import Row, display, number
from tools.values.manifest import Part
from tools.values.plan import Change
from tools.values.value import Json, Value

VNET, ZONE, SUBNET = "SDN vnet", "SDN zone", "SDN subnet"
"""Kinds of resources."""
_ID = {VNET: "vnet", ZONE: "zone", SUBNET: "subnet"}
_LEFT = ", left half made"


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


class Written(Value):
    """One thing of SDN that was written down and never counted."""

    kind: str
    name: str
    path: tuple[str, ...]
    """Below /cluster/sdn."""


def written_by(part: Part) -> tuple[Written, ...]:
    """What a part writes down, in the order in which it can be taken out again."""
    names, vnet = {one.kind: one.name for one in part.resources}, vnet_of(part)
    if not vnet:
        return ()
    subnet = f"{zone_of(part)}-{names.get(SUBNET, '').replace('/', '-')}"
    paths = {SUBNET: ("vnets", vnet, "subnets", subnet), VNET: ("vnets", vnet), ZONE: ("zones", names.get(ZONE, ""))}
    return tuple(Written(kind=kind, name=names[kind], path=path) for kind, path in paths.items() if kind in names)


def half_made(part: Part, recorded: Collection[str], rows: Mapping[str, Iterable[Row]]) -> tuple[Written, ...]:
    """Of a part that was begun: what stands as new in the cluster as the part would write it down, and no state records. Where it has
    another zone, bridge, VLAN or gateway it is somebody else's. `rows`: zones, vnets and subnets by kind, read with what is pending;
    `recorded`: `vnets/lab`."""
    new = {(kind, display(row.get(_ID[kind]))): row.get("pending") for kind, of in rows.items() for row in of if row.get("state") == "new"}
    return tuple(
        one
        for one in written_by(part)
        if f"{one.path[-2]}/{one.path[-1]}" not in recorded and _alike(new.get((one.kind, one.path[-1])), _wanted(part, one.kind))
    )


def removal_of(left: Written) -> Change:
    """The line in a plan of removal for what Terraform does not know."""
    return Change(address=f"{left.kind} {'/'.join(left.path)}{_LEFT}", action="delete", name=left.name)


def to_be_cleared(changes: Iterable[Change], part: Part) -> tuple[Written, ...]:
    named = {change.address for change in changes if change.action == "delete"}
    return tuple(one for one in written_by(part) if removal_of(one).address in named)


def told(left: Written, run_id: str) -> str:
    """For a receipt."""
    return (
        f"{left.kind} {left.name} was written down and not applied, and Terraform has no record of it. "
        f"Say `remove {run_id}` to plan its removal, or take it out in Proxmox VE (Datacenter, SDN)."
    )


def _wanted(part: Part, kind: str) -> dict[str, Json]:
    zone, vnet, subnet = part.variables["zone"], part.variables["vnet"], part.variables["subnet"] or {}
    wanted = {
        ZONE: {"bridge": zone["bridge"]},
        VNET: {"zone": zone["id"], "tag": vnet["tag"]},
        SUBNET: {"gateway": subnet.get("gateway")},
    }
    return wanted[kind]


def _alike(pending: Json, wanted: Mapping[str, Json]) -> bool:
    return isinstance(pending, dict) and all(str(pending.get(key) or "") == str(value or "") for key, value in wanted.items())


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
