"""SDN: zones, vnets and subnets, which are written down, and the applier, which makes them count. The calls are those of bpg/proxmox's
sources (commit d6bd1ffe: fwprovider/cluster/sdn and proxmox/cluster/sdn), read 2026-11-30.
"""

from __future__ import annotations

import time
from typing import Any

from cluster_sim.mirror.provider import Problem
from cluster_sim.mirror.proxmox import devices, schema
from cluster_sim.mirror.proxmox.api import STARTING
from cluster_sim.mirror.proxmox.around import ClusterResource
from cluster_sim.mirror.schema import Block, Values

_APPLY_SECONDS_MAX = 300.0
_DELETED = "deleted"
_OF_ZONE = {"ipam": "ipam", "dns": "dns", "reverse_dns": "reversedns", "dns_zone": "dnszone"}
_OF_VNET = {"alias": "alias", "isolate_ports": "isolate-ports", "tag": "tag", "vlan_aware": "vlanaware"}
_OF_SUBNET = {"dhcp_dns_server": "dhcp-dns-server", "dns_zone_prefix": "dnszoneprefix", "gateway": "gateway"}
"""An attribute → what the API calls it."""


def _said(value: Any) -> Any:
    return None if value in (None, "", _DELETED) else value


class _Zone(ClusterResource):
    """A zone of one kind; `own` is what only this kind has, by its name in the API."""

    kind: str
    own: str

    def create(self, planned: Values, config: Values) -> Values:
        self._api().post("/cluster/sdn/zones", zone=planned["id"], type=self.kind, **self._form(planned))
        return self._read(planned["id"])

    def read(self, state: Values) -> Values | None:
        found = self._found(f"/cluster/sdn/zones/{state['id']}", pending=1)
        return self._of(state["id"], found) if found is not None else None

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        form = {"zone": planned["id"], **self._form(planned)}
        # An MTU that was set stays: the released provider never takes it back.
        gone = [key for key in self._form(prior) if key not in form and key != "mtu"]
        self._api().put(f"/cluster/sdn/zones/{planned['id']}", form | ({"delete": ",".join(gone)} if gone else {}))
        return self._read(planned["id"])

    def delete(self, state: Values) -> None:
        self._api().delete(f"/cluster/sdn/zones/{state['id']}")

    def adopt(self, identifier: str) -> Values:
        return self._read(identifier)

    def _form(self, values: Values) -> Values:
        form = {key: values[name] for name, key in _OF_ZONE.items() if values[name]}
        form |= {"nodes": ",".join(sorted(values["nodes"]))} if isinstance(values["nodes"], list) and values["nodes"] else {}
        form |= {"mtu": values["mtu"]} if isinstance(values["mtu"], int) else {}
        return form | ({self.own: values[self.own]} if values[self.own] else {})

    def _read(self, id: str) -> Values:
        return self._of(id, self._api().get(f"/cluster/sdn/zones/{id}", pending=1))

    def _of(self, id: str, row: Values) -> Values:
        """What is pending counts. Of its own part a kind tells no pending change."""
        waits = row.get("pending") or {}
        told = {**row, **{key: value for key, value in waits.items() if value not in ("", 0)}}
        nodes = _said(told.get("nodes"))
        return {
            **{name: _said(told.get(key)) for name, key in _OF_ZONE.items()},
            "id": id,
            "mtu": told.get("mtu"),
            "nodes": nodes.split(",") if nodes else [],
            "pending": True if any(waits.get(key) for key in (*_OF_ZONE.values(), "state", "mtu", "nodes")) else None,
            "state": _said(row.get("state")),
            self.own: _said(told.get(self.own)),
        }


class ZoneVlan(_Zone):
    schema: Block = schema.SDN_ZONE_VLAN
    kind, own = "vlan", "bridge"


class ZoneSimple(_Zone):
    schema: Block = schema.SDN_ZONE_SIMPLE
    kind, own = "simple", "dhcp"


class Vnet(ClusterResource):
    schema = schema.SDN_VNET

    def create(self, planned: Values, config: Values) -> Values:
        self._api().post("/cluster/sdn/vnets", vnet=planned["id"], **self._form(planned))
        return self.read(planned) or planned

    def read(self, state: Values) -> Values | None:
        row = self._found(f"/cluster/sdn/vnets/{state['id']}")
        if row is None:
            return None
        flags = {name: bool(row[key]) if key in row else None for name, key in _OF_VNET.items() if name not in ("alias", "tag")}
        return {"id": state["id"], "zone": row.get("zone"), "alias": row.get("alias"), "tag": row.get("tag"), **flags}

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        form = self._form(planned)
        gone = [key for key in self._form(prior) if key not in form]
        self._api().put(f"/cluster/sdn/vnets/{planned['id']}", form | ({"delete": ",".join(gone)} if gone else {}))
        return self.read(planned) or planned

    def delete(self, state: Values) -> None:
        self._api().delete(f"/cluster/sdn/vnets/{state['id']}")

    def adopt(self, identifier: str) -> Values:
        return self.read({"id": identifier}) or {"id": identifier, "zone": None, **dict.fromkeys(_OF_VNET)}

    def _form(self, values: Values) -> Values:
        told = {key: values[name] for name, key in _OF_VNET.items() if values[name] is not None}
        return {"zone": values["zone"], **{key: devices.flag(one) if isinstance(one, bool) else one for key, one in told.items()}}


class Subnet(ClusterResource):
    schema = schema.SDN_SUBNET

    def create(self, planned: Values, config: Values) -> Values:
        path, cidr = f"/cluster/sdn/vnets/{planned['vnet']}/subnets", planned["cidr"]
        self._api().post(path, subnet=cidr, type="subnet", **self._form(planned))
        rows = self._api().get(path)
        id = next((row["subnet"] for row in rows if row["subnet"].endswith(cidr.replace("/", "-"))), None)
        if id is None:
            raise Problem("Unable to Resolve SDN Subnet ID", f"could not resolve canonical subnet ID for {cidr}")
        return self.read(planned | {"id": id}) or planned

    def read(self, state: Values) -> Values | None:
        row = self._found(f"/cluster/sdn/vnets/{state['vnet']}/subnets/{state['id']}")
        if row is None:
            return None
        told = {name: _said(row.get(key)) for name, key in _OF_SUBNET.items()}
        snat = bool(row["snat"]) if "snat" in row else None
        cidr = "/".join(state["id"].rsplit("-", 2)[1:])
        return {"id": state["id"], "vnet": row.get("vnet"), "cidr": cidr, "dhcp_range": state.get("dhcp_range"), "snat": snat, **told}

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        form = self._form(planned)
        gone = [key for key in self._form(prior) if key not in form]
        path = f"/cluster/sdn/vnets/{planned['vnet']}/subnets/{planned['id']}"
        self._api().put(path, {"subnet": planned["id"], **form} | ({"delete": ",".join(gone)} if gone else {}))
        return self.read(planned) or planned

    def delete(self, state: Values) -> None:
        self._api().delete(f"/cluster/sdn/vnets/{state['vnet']}/subnets/{state['id']}")

    def adopt(self, identifier: str) -> Values:
        vnet, _, id = identifier.partition("/")
        if not vnet or not id:
            raise Problem("Unexpected Import Identifier", "Expected import identifier in format 'vnet-id/subnet-id'.")
        return self.read({"id": id, "vnet": vnet}) or {"id": id, "vnet": vnet}

    def _form(self, values: Values) -> Values:
        form: Values = {"vnet": values["vnet"], **{key: values[name] for name, key in _OF_SUBNET.items() if values[name]}}
        if reach := values["dhcp_range"]:
            form["dhcp-range"] = f"start-address={reach['start_address']},end-address={reach['end_address']}"
        return form | ({"snat": devices.flag(values["snat"])} if values["snat"] is not None else {})


class Applier(ClusterResource):
    """It applies when it is made, and when it is taken away. There is nothing of it to look at."""

    schema = schema.SDN_APPLIER

    def create(self, planned: Values, config: Values) -> Values:
        if planned["on_create"]:
            self._apply()
        return planned | {"id": str(int(time.time() * 1000))}

    def read(self, state: Values) -> Values | None:
        return state

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        return self.create(planned | {"on_create": True}, config) | {"on_create": planned["on_create"]}

    def delete(self, state: Values) -> None:
        if state["on_destroy"]:
            self._apply()

    def _apply(self) -> None:
        self._api().run("PUT", "/cluster/sdn", "SDN apply", {}, seconds_max=_APPLY_SECONDS_MAX, again=STARTING)
