"""The software-defined network as a value: what is written down, what runs, and what is behind a vnet. Changing it is in sdn.py."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from .state import Network

Kind = Literal["zones", "vnets", "subnets"]
Objects = dict[str, dict[str, Any]]


def _empty() -> dict[str, Objects]:
    return {"zones": {}, "vnets": {}, "subnets": {}}


@dataclass
class Sdn:
    written: dict[str, Objects] = field(default_factory=_empty)
    running: dict[str, Objects] = field(default_factory=_empty)
    lock: str = ""
    """The token of whoever holds all of it."""

    def pending(self, kind: Kind) -> Objects:
        """Both together, with what differs, as pending_config has it."""
        return {
            id: _pending(self.running[kind].get(id), self.written[kind].get(id))
            for id in sorted({*self.running[kind], *self.written[kind]})
        }

    @property
    def changed(self) -> bool:
        return self.running != self.written

    def digest(self, kind: Kind) -> str:
        """Of all that is written down of a kind: SHA-1, as of the file that Proxmox keeps it in."""
        return hashlib.sha1(json.dumps(self.written[kind], sort_keys=True).encode(), usedforsecurity=False).hexdigest()


def _pending(running: dict[str, Any] | None, written: dict[str, Any] | None) -> dict[str, Any]:
    if written is None:
        return {**(running or {}), "state": "deleted", "pending": {}}
    if running is None:
        return {"type": written["type"], "state": "new", "pending": {k: v for k, v in written.items() if k != "type"}}
    other = {k: v for k, v in written.items() if running.get(k) != v} | {k: "deleted" for k in running if k not in written}
    return {**running, **({"state": "changed", "pending": other} if other else {})}


def of_world(networks: Iterable[Network], zone: str | None, bridge: str) -> Sdn:
    """As a world file has it: one zone of VLANs on the first bridge."""
    objects = _empty()
    if zone:
        objects["zones"][zone] = {"type": "vlan", "bridge": bridge, "ipam": "pve"}
        for one in (n for n in networks if n.vnet):
            objects["vnets"][str(one.vnet)] = {"type": "vnet", "zone": zone, "tag": one.tag, "alias": one.name}
            subnet = {"type": "subnet", "vnet": one.vnet, "gateway": one.gateway}
            objects["subnets"][f"{zone}-{one.subnet.replace('/', '-')}"] = subnet
    return Sdn(objects, copy.deepcopy(objects))


def network_of(sdn: Sdn, vnet: str, networks: Iterable[Network]) -> Network | None:
    """What is behind a vnet: the VLAN of its tag, where the world has one on that bridge; else what its own subnet says. Nobody gives
    addresses there."""
    row = sdn.running["vnets"].get(vnet)
    if row is None:
        return None
    zone = sdn.running["zones"].get(row["zone"], {})
    reached = (n for n in networks if zone.get("type") == "vlan" and n.tag == row.get("tag") and n.bridge in (None, zone.get("bridge")))
    known = next((n for n in networks if n.vnet == vnet), None) or next(reached, None)
    if known is not None:
        return known
    subnet = next(((id, one) for id, one in sdn.running["subnets"].items() if one["vnet"] == vnet), None)
    return Network(row.get("tag"), cidr_of(subnet[0]), subnet[1].get("gateway", ""), vnet, vnet, dhcp=False) if subnet else None


def cidr_of(subnet: str) -> str:
    _, address, prefix = subnet.rsplit("-", 2)
    return f"{address}/{prefix}"
