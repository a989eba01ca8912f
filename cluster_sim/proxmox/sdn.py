"""The software-defined network as it is changed: zones, vnets and subnets are written down first, and count when they are applied.

Zones of the kinds `vlan` and `simple` are simulated; a card on a vnet of the first reaches the VLAN of its tag on the zone's bridge. Rules
and words are those of pve-network (commit ecf98c5d of 2026-03-31: API2/Network/SDN.pm and what lies below it; VnetPlugin.pm,
SubnetPlugin.pm, and the plugins of Zones) and of pve-common's SectionConfig.pm (f665029 of 2026-08-04), read 2026-11-30.
"""

from __future__ import annotations

import copy
from ipaddress import ip_address, ip_network
from typing import Any

from .call import Address, Call, needs
from .errors import Refusal, failed
from .parameters import BOOLEAN, DNS_NAME, INTEGER, LIST, NODE, TEXT, WORDS, choice, integer, matching, split_list
from .vnets import Kind, cidr_of

_TAG_MAX = 4096
_SIMULATED = ("vlan", "simple")
_OF_EVERY_ZONE = frozenset({"nodes", "mtu", "dns", "reversedns", "dnszone", "ipam"})
_BRIDGED = frozenset({"bridge-disable-mac-learning"})
_ZONE_KEYS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "simple": (frozenset(), frozenset({"dhcp"})),
    "vlan": (frozenset({"bridge"}), _BRIDGED),
    "qinq": (frozenset({"tag", "bridge"}), _BRIDGED | {"vlan-protocol"}),
    "vxlan": (frozenset(), frozenset({"peers", "vxlan-port", "fabric"})),
    "evpn": (
        frozenset({"vrf-vxlan", "controller"}),
        frozenset(
            {"exitnodes", "exitnodes-local-routing", "exitnodes-primary", "advertise-subnets", "disable-arp-nd-suppression"}
            | {"rt-import", "vxlan-port", "mac", *_BRIDGED}
        ),
    ),
}
"""What a zone of each kind must say and may say besides (`options` of the plugins)."""
_VNET_KEYS = (frozenset({"zone"}), frozenset({"tag", "alias", "vlanaware", "isolate-ports"}))
_SUBNET_KEYS = (frozenset({"vnet"}), frozenset({"gateway", "snat", "dnszoneprefix", "dhcp-range", "dhcp-dns-server"}))


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


def _changed(call: Call, kind: Kind, before: dict[str, Any], keys: tuple[frozenset[str], frozenset[str]], what: str) -> dict[str, Any]:
    """What an object becomes: by somebody who knew what it was, and who takes away what may be taken away."""
    if call.get("digest") and call.values["digest"] != call.cluster.sdn.digest(kind):
        raise failed(f"{what}: detected modified configuration - file changed by other user? Try again.")
    given = _given(call, kind[:-1])
    _assert_known(given, keys, f"{what}: ")
    gone = split_list(call.get("delete") or "")
    for key in gone:
        if key not in keys[0] | keys[1]:
            raise failed(f"{what}: no such option '{key}'")
        if key in keys[0]:
            raise failed(f"{what}: unable to delete required option '{key}'")
        if key in given:
            raise failed(f"{what}: cannot set and delete property '{key}' at the same time!")
    return {key: value for key, value in before.items() if key not in gone} | given


def _assert_known(given: dict[str, Any], keys: tuple[frozenset[str], frozenset[str]], what: str = "", *, whole: bool = False) -> None:
    for key in given:
        if key not in keys[0] | keys[1] | {"type"}:
            raise failed(f"{what}unexpected property '{key}'")
    for key in sorted(keys[0] - set(given)) if whole else ():
        raise failed(f"{what}missing value for required option '{key}'")


def _of_zone(kind: str) -> tuple[frozenset[str], frozenset[str]]:
    if kind not in _ZONE_KEYS:
        raise Refusal(501, f"Zones of type {kind} are not simulated")
    must, may = _ZONE_KEYS[kind]
    return must, may | _OF_EVERY_ZONE


def _found(call: Call, kind: Kind, id: str, what: str = "") -> dict[str, Any]:
    found = call.cluster.sdn.written[kind].get(id)
    if found is None:
        named = f"sdn {'' if kind == 'zones' else kind[:-1] + ' '}'{id}'"
        raise failed(f"{what}{': ' if what else ''}{named} does not exist")
    return found


def add_zone(call: Call) -> None:
    id, what, zones = call.values["zone"], "create sdn zone object failed", call.cluster.sdn.written["zones"]
    row = _given(call, "zone")
    # Before the lock is taken, so without its words.
    _assert_known(row, _of_zone(row["type"]), whole=True)
    if row["type"] not in _SIMULATED:
        raise Refusal(501, f"Zones of type {row['type']} are not simulated")
    _assert_lock(call, what)
    if id in zones:
        raise failed(f"{what}: sdn zone object ID '{id}' already defined")
    _assert_zone(row, what)
    zones[id] = row


def change_zone(call: Call) -> None:
    id, what = call.values["zone"], "update sdn zone object failed"
    _assert_lock(call, what)
    before = _found(call, "zones", id, what)
    after = _changed(call, "zones", before, _of_zone(before["type"]), what)
    if after.get("ipam") != before.get("ipam") and any(of.startswith(f"{id}-") for of in call.cluster.sdn.written["subnets"]):
        raise _wrong(what, ipam="can't change ipam if a subnet is already defined in this zone")
    _assert_zone(_given(call, "zone"), what)
    call.cluster.sdn.written["zones"][id] = after


def _assert_zone(given: dict[str, Any], what: str) -> None:
    """What is said in this very call: no DNS server and no other IPAM is there to be named."""
    for key in ("dns", "reversedns"):
        if given.get(key):
            raise _wrong(what, **{key: f"{given[key]} don't exist"})
    if given.get("dnszone"):
        raise _wrong(what, dnszone="missing dns server")
    if given.get("ipam", "pve") != "pve":
        raise _wrong(what, ipam=f"{given['ipam']} not existing")


def remove_zone(call: Call) -> None:
    id, what, written = call.values["zone"], "delete sdn zone object failed", call.cluster.sdn.written
    _assert_lock(call, what)
    _found(call, "zones", id, what)
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
    row = _changed(call, "vnets", before, _VNET_KEYS, what)
    if _subnets_of(call, id) and row.get("zone") != before["zone"]:
        raise _wrong(what, zone="can't change zone if subnets exist")
    call.cluster.sdn.written["vnets"][id] = _checked_vnet(call, id, row, what)


def _checked_vnet(call: Call, id: str, row: dict[str, Any], what: str) -> dict[str, Any]:
    zone = call.cluster.sdn.written["zones"].get(row.get("zone", ""))
    if zone is None:
        raise failed(f"{what}: cannot lookup undefined type!")
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
    row = _changed(call, "subnets", _found(call, "subnets", id, what), _SUBNET_KEYS, what)
    call.cluster.sdn.written["subnets"][id] = _checked_subnet(call, id, row, what)


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
    zone = call.cluster.sdn.written["zones"].get(_vnet(call, call.values["vnet"])["zone"], {})
    _assert_lock(call, what)
    if call.cluster.sdn.written["subnets"].pop(id, None) is None and zone.get("ipam"):
        # Nobody asks whether it is there but the IPAM.
        raise failed(f"{what}: zone '' doesn't exist in IPAM DB")


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
    "advertise-subnets": BOOLEAN,
    "bridge": TEXT,
    "bridge-disable-mac-learning": BOOLEAN,
    "controller": TEXT,
    "dhcp": choice("dnsmasq"),
    "disable-arp-nd-suppression": BOOLEAN,
    "dns": TEXT,
    "dnszone": DNS_NAME,
    "exitnodes": LIST,
    "exitnodes-local-routing": BOOLEAN,
    "exitnodes-primary": NODE,
    "fabric": TEXT,
    "ipam": TEXT,
    "mac": TEXT,
    "mtu": INTEGER,
    "nodes": LIST,
    "peers": LIST,
    "reversedns": TEXT,
    "rt-import": LIST,
    "tag": integer(0),
    "vlan-protocol": choice("802.1q", "802.1ad"),
    "vrf-vxlan": integer(1, 16777215),
    "vxlan-port": integer(1, 65536),
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
