"""The software-defined network as it is changed: zones, vnets and subnets are written down first, and count when they are applied.

Zones of the kinds `vlan` and `simple` are simulated; a card on a vnet of the first reaches the VLAN of its tag on the zone's bridge. Rules
and words are those of pve-network (commit ecf98c5d of 2026-03-31: API2/Network/SDN.pm and what lies below it; VnetPlugin.pm,
SubnetPlugin.pm, and VlanPlugin.pm and SimplePlugin.pm of Zones), read 2026-11-30.
"""

from __future__ import annotations

import copy
from ipaddress import ip_address, ip_network
from typing import Any

from .call import Address, Call, needs
from .errors import Refusal, failed
from .parameters import BOOLEAN, INTEGER, LIST, TEXT, WORDS, choice, integer, matching, split_list
from .vnets import Kind, cidr_of

_TAG_MAX = 4096
_SIMULATED = ("vlan", "simple")


def _assert_lock(call: Call, what: str) -> None:
    call.cluster.require_quorum()
    if call.cluster.sdn.lock and call.get("lock-token") != call.cluster.sdn.lock:
        raise failed(f"{what}: invalid lock token provided!")


def _wrong(what: str, **errors: str) -> Refusal:
    """Inside the lock a parameter's error becomes text (PVE::Exception::stringify)."""
    return failed(f"{what}: 400 Parameter verification failed. {' '.join(f'{name}: {text}' for name, text in errors.items())}")


def _given(call: Call, *besides: str) -> dict[str, Any]:
    left = {"lock-token", "delete", "digest", *besides}
    return {key: int(value) if isinstance(value, bool) else value for key, value in call.values.items() if key not in left}


def _changed(call: Call, before: dict[str, Any], *besides: str) -> dict[str, Any]:
    gone = split_list(call.get("delete") or "")
    return {key: value for key, value in before.items() if key not in gone} | _given(call, *besides)


def _found(call: Call, kind: Kind, id: str) -> dict[str, Any]:
    found = call.cluster.sdn.written[kind].get(id)
    if found is None:
        raise failed(f"sdn {kind[:-1]} object ID '{id}' does not exist")
    return found


def add_zone(call: Call) -> None:
    id, what, zones = call.values["zone"], "create sdn zone object failed", call.cluster.sdn.written["zones"]
    if call.values["type"] not in _SIMULATED:
        raise Refusal(501, f"Zones of type {call.values['type']} are not simulated")
    _assert_lock(call, what)
    if id in zones:
        raise failed(f"{what}: sdn zone object ID '{id}' already defined")
    zones[id] = _checked_zone(_given(call, "zone"), what)


def change_zone(call: Call) -> None:
    id, what = call.values["zone"], "update sdn zone object failed"
    _assert_lock(call, what)
    call.cluster.sdn.written["zones"][id] = _checked_zone(_changed(call, _found(call, "zones", id), "zone"), what)


def _checked_zone(row: dict[str, Any], what: str) -> dict[str, Any]:
    if row["type"] == "vlan" and not row.get("bridge"):
        raise _wrong(what, bridge="property is missing and it is not optional")
    if row.get("ipam", "pve") != "pve":
        raise _wrong(what, ipam=f"{row['ipam']} not existing")
    if row.get("dns") or row.get("reversedns"):
        raise _wrong(what, dns=f"{row.get('dns') or row.get('reversedns')} don't exist")
    return row


def remove_zone(call: Call) -> None:
    id, what, written = call.values["zone"], "delete sdn zone object failed", call.cluster.sdn.written
    _assert_lock(call, what)
    _found(call, "zones", id)
    user = next((vnet for vnet, row in written["vnets"].items() if row["zone"] == id), None)
    if user:
        raise failed(f"{what}: zone {id} is used by vnet {user}")
    del written["zones"][id]


def add_vnet(call: Call) -> None:
    id, what, vnets = call.values["vnet"], "create sdn vnet object failed", call.cluster.sdn.written["vnets"]
    call.require(f"/sdn/zones/{call.values['zone']}", "SDN.Allocate")
    _assert_lock(call, what)
    if id in vnets:
        raise failed(f"{what}: sdn vnet object ID '{id}' already defined")
    vnets[id] = _checked_vnet(call, id, {"type": "vnet", **_given(call, "vnet")}, what)


def change_vnet(call: Call) -> None:
    id, what = call.values["vnet"], "update sdn vnet object failed"
    before = _vnet(call, id)
    _assert_lock(call, what)
    row = _changed(call, before, "vnet")
    if _subnets_of(call, id) and row.get("zone") != before["zone"]:
        raise _wrong(what, zone="can't change zone if subnets exist")
    call.cluster.sdn.written["vnets"][id] = _checked_vnet(call, id, row, what)


def _checked_vnet(call: Call, id: str, row: dict[str, Any], what: str) -> dict[str, Any]:
    zone = call.cluster.sdn.written["zones"].get(row.get("zone", ""))
    if zone is None:
        raise failed(f"{what}: sdn zone object ID '{row.get('zone', '')}' does not exist")
    tag = row.get("tag")
    if zone["type"] == "simple" and tag is not None:
        raise _wrong(what, tag="vlan tag is not allowed on simple zone")
    if zone["type"] == "vlan":
        others = call.cluster.sdn.written["vnets"].items()
        same = next((name for name, other in others if (other["zone"], other.get("tag")) == (row["zone"], tag) and name != id), "")
        if tag is None or tag > _TAG_MAX or same:
            text = "missing vlan tag" if tag is None else f"vlan tag max value is {_TAG_MAX}"
            raise _wrong(what, tag=f"tag {tag} already exist in vnet {same}" if same else text)
    if row.get("vlanaware") and _subnets_of(call, id):
        raise _wrong(what, vlanaware="vlanaware vnet is not compatible with subnets")
    return row


def remove_vnet(call: Call) -> None:
    id, what = call.values["vnet"], "delete sdn vnet object failed"
    _vnet(call, id)
    _assert_lock(call, what)
    if _subnets_of(call, id):
        raise _wrong(what, vnet="Can't delete vnet if subnets exists")
    del call.cluster.sdn.written["vnets"][id]


def _vnet(call: Call, id: str) -> dict[str, Any]:
    found = _found(call, "vnets", id)
    call.require(f"/sdn/zones/{found['zone']}/{id}", "SDN.Allocate")
    return found


def _subnets_of(call: Call, vnet: str) -> list[str]:
    return [id for id, row in call.cluster.sdn.written["subnets"].items() if row["vnet"] == vnet]


def add_subnet(call: Call) -> None:
    what, subnets = "create sdn subnet object failed", call.cluster.sdn.written["subnets"]
    zone = _vnet(call, call.values["vnet"])["zone"]
    _assert_lock(call, what)
    try:
        cidr = ip_network(call.values["subnet"])
    except ValueError:
        raise _wrong(what, subnet="value does not look like a valid CIDR network") from None
    id = f"{zone}-{cidr.network_address}-{cidr.prefixlen}"
    if id in subnets:
        raise failed(f"{what}: sdn subnet object ID '{id}' already defined")
    subnets[id] = _checked_subnet(call, id, _given(call, "subnet"), what)


def change_subnet(call: Call) -> None:
    id, what = call.values["subnet"], "update sdn subnet object failed"
    _vnet(call, call.values["vnet"])
    _assert_lock(call, what)
    call.cluster.sdn.written["subnets"][id] = _checked_subnet(call, id, _changed(call, _found(call, "subnets", id), "subnet"), what)


def _checked_subnet(call: Call, id: str, row: dict[str, Any], what: str) -> dict[str, Any]:
    cidr, gateway = ip_network(cidr_of(id)), row.get("gateway")
    if call.cluster.sdn.written["vnets"][row["vnet"]].get("vlanaware"):
        raise _wrong(what, vnet="you can't add a subnet on a vlanaware vnet")
    if gateway and ip_address(gateway) not in cidr and cidr.prefixlen != 32:
        raise _wrong(what, gateway=f"{gateway} is not in subnet {cidr}")
    if row.get("dhcp-range") or row.get("snat"):
        raise Refusal(501, "DHCP and source NAT of SDN are not simulated")
    return row


def remove_subnet(call: Call) -> None:
    id, what = call.values["subnet"], "delete sdn subnet object failed"
    _vnet(call, call.values["vnet"])
    _assert_lock(call, what)
    _found(call, "subnets", id)
    del call.cluster.sdn.written["subnets"][id]


def lock(call: Call) -> str:
    what = "could not acquire lock for SDN config"
    _assert_lock(call, what)
    sdn = call.cluster.sdn
    if sdn.changed and not call.get("allow-pending"):
        raise failed(f"{what}: configuration has pending changes")
    shown = call.cluster.chance("sdn", call.cluster.fresh()).hex()
    sdn.lock = f"{shown[:8]}-{shown[8:12]}-7{shown[13:16]}-8{shown[17:20]}-{shown[20:32]}"
    return sdn.lock


def unlock(call: Call) -> None:
    if not call.get("force"):
        _assert_lock(call, "could not release lock")
    call.cluster.sdn.lock = ""


def apply(call: Call) -> str:
    _assert_lock(call, "could not commit SDN config")
    sdn = call.cluster.sdn
    sdn.running = copy.deepcopy(sdn.written)
    _let_go(call)
    first = next(n for n in call.cluster.nodes if call.cluster.online(n))
    return call.start_task("reloadnetworkall", "", _reload(call), node=first)


def rollback(call: Call) -> None:
    _assert_lock(call, "could not rollback SDN configuration")
    call.cluster.sdn.written = copy.deepcopy(call.cluster.sdn.running)
    _let_go(call)


def _let_go(call: Call) -> None:
    if call.get("lock-token") and call.get("release-lock", True):
        call.cluster.sdn.lock = ""


def _reload(call: Call) -> Any:
    yield call.cluster.timing.quick_s
    return None


_ID = matching(r"[a-zA-Z][a-zA-Z0-9]{0,6}[a-zA-Z0-9]")
_ALL, _OF_ZONE, _LOCK = needs("/sdn", "SDN.Allocate"), needs("/sdn/zones/{zone}", "SDN.Allocate"), {"lock-token": TEXT}
_CHANGES = {**_LOCK, "delete": LIST, "digest": TEXT}
_ZONE = {
    "bridge": TEXT,
    "dns": TEXT,
    "dnszone": TEXT,
    "ipam": TEXT,
    "mtu": INTEGER,
    "nodes": LIST,
    "reversedns": TEXT,
    "dhcp": choice("dnsmasq"),
}
_VNET = {
    "alias": matching(r"[()\-_.\w\s]{0,256}"),
    "isolate-ports": BOOLEAN,
    "tag": integer(1, 16777215),
    "vlanaware": BOOLEAN,
}
_SUBNET = {"dhcp-dns-server": TEXT, "dhcp-range": WORDS, "dnszoneprefix": TEXT, "gateway": TEXT, "snat": BOOLEAN}
_SUBNETS = "/cluster/sdn/vnets/{vnet}/subnets"
SDN: tuple[Address, ...] = (
    Address("PUT", "/cluster/sdn", apply, _ALL, {**_LOCK, "release-lock": BOOLEAN}),
    Address("POST", "/cluster/sdn/lock", lock, _ALL, {"allow-pending": BOOLEAN}),
    Address("DELETE", "/cluster/sdn/lock", unlock, _ALL, {**_LOCK, "force": BOOLEAN}),
    Address("POST", "/cluster/sdn/rollback", rollback, _ALL, {**_LOCK, "release-lock": BOOLEAN}),
    Address(
        "POST",
        "/cluster/sdn/zones",
        add_zone,
        needs("/sdn/zones", "SDN.Allocate"),
        {**_ZONE, **_LOCK, "zone": _ID.must, "type": choice("evpn", "faucet", "qinq", "simple", "vlan", "vxlan").must},
    ),
    Address("PUT", "/cluster/sdn/zones/{zone}", change_zone, _OF_ZONE, _ZONE | _CHANGES),
    Address("DELETE", "/cluster/sdn/zones/{zone}", remove_zone, _OF_ZONE, _LOCK),
    Address("POST", "/cluster/sdn/vnets", add_vnet, takes={**_VNET, **_LOCK, "vnet": _ID.must, "zone": TEXT.must, "type": choice("vnet")}),
    Address("PUT", "/cluster/sdn/vnets/{vnet}", change_vnet, takes=_VNET | _CHANGES | {"zone": TEXT}),
    Address("DELETE", "/cluster/sdn/vnets/{vnet}", remove_vnet, takes=_LOCK),
    Address("POST", _SUBNETS, add_subnet, takes={**_SUBNET, **_LOCK, "subnet": TEXT.must, "type": choice("subnet").must}),
    Address("PUT", f"{_SUBNETS}/{{subnet}}", change_subnet, takes=_SUBNET | _CHANGES),
    Address("DELETE", f"{_SUBNETS}/{{subnet}}", remove_subnet, takes=_LOCK),
)
