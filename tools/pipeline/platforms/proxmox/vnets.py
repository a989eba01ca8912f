"""Networks of SDN that a run makes, looked at: whether they count on every node, and whether anybody is on them. Terraform changes them."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING

from tools.clients.settings import Settings
from tools.clients.together import together
from tools.platforms.proxmox import ids_in
from tools.rules.machines import seeing, vnets
from tools.rules.machines.vnets import Written
from tools.rules.names.scanned import Row, number, rows
from tools.rules.names.text import join_and
from tools.values.manifest import Part
from tools.values.trouble import RequestProblem, WorldProblem
from tools.values.value import Json

if TYPE_CHECKING:
    from tools.clients.proxmox import Proxmox

SHOWN_MAX = 6


def verify(settings: Settings, part: Part) -> tuple[str, ...]:
    """Raises WorldProblem that names every node on which it does not count."""
    from tools.clients.proxmox import Proxmox

    cluster, vnet, zone = Proxmox(settings), vnets.vnet_of(part), vnets.zone_of(part)
    online = {str(row.get("node")) for row in rows(cluster.read("cluster", "resources", type="node")) if row.get("status") == "online"}
    nodes = [node for node in vnets.nodes_of(part) if node in online]
    told = together({node: partial(cluster.read, "nodes", node, "sdn", "zones", zone, "content") for node in nodes})
    if silent := next((answer for answer in told.values() if isinstance(answer, WorldProblem)), None):
        raise silent
    wrong = vnets.missing_on(vnet, {node: rows(answer) for node, answer in told.items()})
    waits = vnets.waiting_of(part, _waiting(cluster, vnet))
    if wrong or waits:
        left = f"{join_and(waits)} is not applied yet." if waits else ""
        raise WorldProblem(
            "The network does not count everywhere.",
            " ".join(filter(None, [*wrong, left])),
            "Look at Datacenter, SDN in Proxmox VE, then say retry.",
            retryable=True,
        )
    off = [node for node in vnets.nodes_of(part) if node not in online]
    besides = f" {join_and(off)} {'is' if len(off) == 1 else 'are'} not online, and was not asked." if off else ""
    return (f"{join_and(nodes)} {'has' if len(nodes) == 1 else 'have'} vnet {vnet}, and nothing of it waits to be applied.{besides}",)


def _waiting(cluster: Proxmox, vnet: str) -> tuple[str, ...]:
    return tuple(one for kind, found in _pending(cluster, vnet).items() for one in seeing.sdn_waiting(kind.split()[-1], found))


def _pending(cluster: Proxmox, vnet: str) -> dict[str, list[Row]]:
    """By kind, with what is not applied yet. A vnet that is not written down has no subnets."""
    read = {kind: rows(cluster.read("cluster", "sdn", path, pending=1)) for kind, path in ((vnets.ZONE, "zones"), (vnets.VNET, "vnets"))}
    there = any(row.get("vnet") == vnet for row in read[vnets.VNET])
    return {**read, vnets.SUBNET: rows(cluster.read("cluster", "sdn", "vnets", vnet, "subnets", pending=1)) if there else []}


def half_made(settings: Settings, part: Part, state: Json) -> tuple[Written, ...]:
    """What a part that was begun has written down, and Terraform has not recorded. Nothing is changed."""
    vnet = vnets.vnet_of(part)
    if not vnet or not settings.proxmox_endpoint:
        return ()
    from tools.clients.proxmox import Proxmox

    return vnets.half_made(part, ids_in(state), _pending(Proxmox(settings), vnet))


def clear(settings: Settings, part: Part, state: Json, wanted: Collection[Written]) -> tuple[Written, ...]:
    """Those of `wanted` that still stand so are taken out, and told. Others' changes are not applied by that."""
    left = tuple(one for one in half_made(settings, part, state) if one in wanted)
    if left:
        from tools.clients.proxmox_removing import Removing

        cluster = Removing(settings)
        for one in left:
            cluster.take_out_of_sdn(*one.path)
    return left


def assert_gone(settings: Settings, part: Part) -> None:
    from tools.clients.proxmox import Proxmox

    there = {row.get("vnet") for row in rows(Proxmox(settings).read("cluster", "sdn", "vnets", running=1))}
    if (vnet := vnets.vnet_of(part)) in there:
        raise WorldProblem(
            "The network is still there.",
            f"Vnet {vnet} was to be removed, and still counts.",
            "Look at Datacenter, SDN in Proxmox VE, then say retry.",
            retryable=True,
        )


def assert_unused(settings: Settings, part: Part) -> None:
    """Proxmox VE takes a vnet away from under its guests, so it is looked at here. Raises RequestProblem that names them."""
    vnet = vnets.vnet_of(part)
    if not vnet:
        return
    from tools.clients.proxmox import Proxmox

    look = settings.model_copy(update={"proxmox_api_token": settings.proxmox_scan_token}) if settings.proxmox_scan_token else settings
    cluster = Proxmox(look)
    guests = [row for row in rows(cluster.read("cluster", "resources", type="vm")) if number(row, "vmid")]
    answers = together({int(number(row, "vmid")): partial(cluster.read, *_config(row)) for row in guests})
    for answer in answers.values():
        if isinstance(answer, WorldProblem):
            raise answer
    configs: dict[int, Row] = {vm_id: answer for vm_id, answer in answers.items() if isinstance(answer, dict)}
    on_it = vnets.users(vnet, guests, configs)
    if on_it:
        more = f" and {len(on_it) - SHOWN_MAX} more" if len(on_it) > SHOWN_MAX else ""
        raise RequestProblem(
            "Machines are on this network.",
            f"{', '.join(on_it[:SHOWN_MAX])}{more} {'has a card' if len(on_it) == 1 else 'have cards'} on vnet {vnet}. Nothing was done.",
            "Remove them, or put them on another network, then ask again.",
        )


def _config(row: Row) -> tuple[str, ...]:
    return ("nodes", str(row.get("node")), str(row.get("type")), str(int(number(row, "vmid"))), "config")
