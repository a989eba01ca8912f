"""Held against the published API schema of Proxmox VE 9.2, which the dev-only package `fakepve` brings as data."""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cluster_sim.proxmox.access import Grant
from cluster_sim.proxmox.addresses import ADDRESSES
from cluster_sim.proxmox.call import Address
from cluster_sim.world import World
from tests.cluster_sim.proxmox.driver import Driver

FIREWALLS = ("/cluster/firewall", "/nodes/{node}/qemu/{vmid}/firewall")
UNDECLARED = {
    # Proxmox sends these without declaring them (seen in its own web interface's models).
    "/access/ticket": {"clustername"},
    "/cluster/resources": {"hastate"},
    "/nodes": {"disk", "maxdisk", "id", "type"},
    "/nodes/{node}/network": {"priority", "bridge_fd", "bridge_stp"},
    "/nodes/{node}/network/{iface}": {"*"},
    "/nodes/{node}/qemu": {"disk", "name", "balloon"},
    "/nodes/{node}/qemu/{vmid}/status/current": {"disk", "balloon", "running-machine"},
    "/nodes/{node}/qemu/{vmid}/snapshot": {"digest", "running"},
    "/nodes/{node}/status": {"*"},
    "/nodes/{node}/tasks": {"tokenid"},
    "/nodes/{node}/tasks/{upid}/status": {"tokenid"},
    "/pools": {"*"},
    "/pools/{poolid}": {"*"},
    "/storage": {"*"},
    "/storage/{storage}": {"*"},
    "/cluster/sdn/vnets/{vnet}/subnets": {"*"},
    "/cluster/tasks": {"*"},
    "/cluster/config/nodes": {"name", "nodeid", "quorum_votes", "ring0_addr"},
    "/cluster/ha/resources": {"*"},
    "/cluster/ha/rules": {"*"},
    "/cluster/ha/rules/{rule}": {"*"},
    "/nodes/{node}/storage/{storage}/content": {"content"},
    # Of what the firewall keeps, the digest by which whoever changes it says what he saw (copy_list_with_digest in Firewall.pm).
    **{f"{at}/{what}": {"digest"} for at in FIREWALLS for what in ("options", "rules", "rules/{pos}")},
    "/cluster/firewall/groups/{group}": {"digest"},
    "/cluster/firewall/groups/{group}/{pos}": {"digest"},
}

OTHERWISE = {("/nodes/{node}/qemu/{vmid}/pending", key) for key in ("value", "pending")} | {
    (f"{at}/{{pos}}", "pos") for at in (*(f"{one}/rules" for one in FIREWALLS), "/cluster/firewall/groups/{group}")
}
"""Declared as text; what the configuration holds as a number comes as one (qemu-server 9.2.6, 2026-11-29). Declared as a number; the place
of a rule that is asked for by itself comes as the text it was asked with (API2/Firewall/Rules.pm, 2026-12-01)."""


@cache
def schema() -> dict[str, Any]:
    spec = importlib.util.find_spec("fakepve")
    assert spec is not None and spec.origin is not None
    with gzip.open(Path(spec.origin).parent / "data" / "pve-api.json.gz") as file:
        return dict(json.load(file)["paths"])


def published(address: Address) -> dict[str, Any]:
    path = next((p for p in schema() if re.sub(r"{\w+}", "{}", p) == re.sub(r"{\w+}", "{}", address.path)), None)
    assert path is not None, f"{address.path} is not in the published API"
    assert address.method in schema()[path], f"{address.path} has no {address.method}"
    return dict(schema()[path][address.method])


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda a: f"{a.method} {a.path}")
def test_the_address_is_published_with_its_parameters(address: Address) -> None:
    if "/ha/rules" in address.path:
        # Two schemas joined by `allOf`, one for each type of rule: the flat table has the union.
        return
    properties = published(address).get("parameters", {}).get("properties", {})
    in_path = set(re.findall(r"{(\w+)}", address.path))
    known = {re.sub(r"\[n\]$", "", name) for name in properties}
    foreign = set(address.takes) - set(properties) - {"group"}
    assert not {name for name in foreign if re.sub(r"\d+$", "", name) not in known}
    required = {n for n, p in properties.items() if not p.get("optional")} - in_path
    assert {n for n, p in address.takes.items() if p.required} >= required - ({"filename"} if address.path.endswith("/upload") else set())


def test_what_may_be_said_beside_another_alone_is_what_is_published() -> None:
    for address in ADDRESSES:
        properties = published(address).get("parameters", {}).get("properties", {})
        wanted = {name: str(rule.get("requires") or "") for name, rule in properties.items() if name in address.takes}
        assert {name: address.takes[name].requires for name in wanted} == wanted, f"{address.method} {address.path}"


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda a: f"{a.method} {a.path}")
def test_the_address_asks_for_the_published_right(address: Address) -> None:
    check = published(address).get("permissions", {}).get("check")
    if address.needs is None or check is None:
        return
    named = set(re.findall(r'"((?:VM|Sys|Datastore|SDN|Pool|Mapping|Group|User|Realm|Permissions)\.[\w.]+)"', json.dumps(check)))
    assert set(address.needs.any_of) <= named


@pytest.mark.parametrize("address", [a for a in ADDRESSES if a.takes], ids=lambda a: f"{a.method} {a.path}")
def test_numbers_and_choices_are_limited_as_published(address: Address) -> None:
    properties = published(address).get("parameters", {}).get("properties", {})
    for name, parameter in address.takes.items():
        rule = properties.get(name, {})
        for bad in _outside(rule):
            with pytest.raises(ValueError, match=r"value|type check|format"):
                parameter.read(bad)
        for good in rule.get("enum") or []:
            parameter.read(str(good))


def _outside(rule: dict[str, Any]) -> list[str]:
    if rule.get("type") == "integer":
        low = rule.get("minimum")
        return ["abc"] + ([str(int(low) - 1)] if low is not None else [])
    return ["perhaps"] if rule.get("type") == "boolean" else []


@pytest.fixture(scope="module")
def busy(four_nodes: World) -> Driver:
    """A cluster in which every kind of thing exists once."""
    pve = Driver(four_nodes)
    pve.cluster.access.grants.append(Grant("/", "berth@pve", "Administrator"))
    assert pve.clone(201, name="web-1", pool="berth") == "OK"
    pve.put("/nodes/pve1/qemu/201/config", net0="virtio,bridge=vmbr0,tag=20", tags="a;b")
    assert pve.end(pve.post("/nodes/pve1/qemu/201/status/start")) == "OK"
    pve.post("/access/groups", groupid="ops", comment="Operators")
    pve.cluster.ha.resources["vm:201"] = {"state": "started"}
    pve.cluster.ha.rules["apart"] = {
        "type": "resource-affinity",
        "affinity": "negative",
        "resources": "vm:201,vm:110",
        "order": "1",
    }
    for at, rules in (("/cluster/firewall", "rules"), ("/nodes/pve1/qemu/201/firewall", "rules"), ("/cluster/firewall/groups", "web")):
        if rules == "rules":
            pve.post(f"{at}/aliases", name="office", cidr="10.0.0.0/8", comment="Ours")
            pve.post(f"{at}/ipset", name="office", comment="Ours")
            pve.post(f"{at}/ipset/office", cidr="10.1.0.0/16", nomatch=1)
        else:
            pve.post(at, group="web", comment="Web")
        pve.post(f"{at}/{rules}", type="in", action="ACCEPT", proto="tcp", dport="443", source="10.0.0.0/8", comment="Web", enable=1)
    pve.clock.advance(60)
    return pve


SAMPLE = {
    "node": "pve1",
    "vmid": "201",
    "storage": "ceph-vm",
    "volume": "ceph-vm:vm-201-disk-0",
    "sid": "vm:201",
    "rule": "apart",
    "poolid": "berth",
    "vnet": "net20",
    "iface": "vmbr0",
    "roleid": "PVEAuditor",
    "userid": "berth@pve",
    "tokenid": "berth",
    "realm": "pve",
    "groupid": "ops",
    "ipam": "pve",
    "zone": "lan",
    "subnet": "lan-10.20.0.0-24",
    "pos": "0",
    "group": "web",
    "name": "office",
    "cidr": "10.1.0.0/16",
}


@pytest.mark.parametrize("address", [a for a in ADDRESSES if a.method == "GET"], ids=lambda a: a.path)
def test_answers_have_only_declared_keys_of_the_declared_types(busy: Driver, address: Address) -> None:
    if "ha/groups" in address.path or address.path.endswith(("query-url-metadata", "exec-status")):
        return
    sample = SAMPLE | {"upid": next(reversed(busy.cluster.agenda.tasks))}
    query = {"timeframe": "hour"} if "timeframe" in address.takes else {}
    query |= {"feature": "clone"} if "feature" in address.takes else {}
    data = busy.call("GET", address.path.format(**sample), query=query)
    returns = published(address).get("returns", {})
    rows = data if isinstance(data, list) else [data]
    shape = returns.get("items", returns) if returns.get("type") == "array" else returns
    assert isinstance(data, list) == (returns.get("type") == "array")
    properties = shape.get("properties")
    if not properties:
        return
    allowed = UNDECLARED.get(address.path, set())
    for row in rows:
        unknown = {k for k in row if k not in properties and not re.fullmatch(r"(net|ide|scsi|ipconfig|serial)\d+", k)}
        assert "*" in allowed or not unknown - allowed
        for key, value in row.items():
            if key in properties and (address.path, key) not in OTHERWISE:
                assert _fits(value, properties[key].get("type")), f"{key}={value!r}"
        required = {k for k, p in properties.items() if not p.get("optional")}
        assert "*" in allowed or required <= set(row), required - set(row)


def _fits(value: Any, kind: str | None) -> bool:
    if kind == "integer":
        return type(value) is int
    if kind == "number":
        return type(value) in (int, float)
    if kind == "boolean":
        # Proxmox sends 1 and 0; `true` is read as well, a quoted number is not.
        return value in (0, 1) and type(value) is int
    return kind != "string" or isinstance(value, str)


def test_enough_of_the_api_is_served() -> None:
    """Of 680 methods that Proxmox VE 9.2 publishes (the data of fakepve 0.5.0, fetched 2026-10-19)."""
    assert sum(len(methods) for methods in schema().values()) == 680
    served = [(address.method, re.sub(r"{\w+}", "{}", address.path)) for address in ADDRESSES]
    assert len(served) == len(set(served)) >= 220


def test_an_index_names_only_what_is_answered(busy: Driver) -> None:
    for row in busy.get("/cluster/notifications/endpoints"):
        busy.get(f"/cluster/notifications/endpoints/{row['name']}")
    assert {"cluster", "nodes"}.isdisjoint(row["name"] for row in busy.get("/cluster"))
    assert {row["subdir"] for row in busy.get("/nodes/pve1/qemu/201")} >= {"config", "status", "agent", "firewall", "migrate"}


def test_what_is_asked_before_a_migration_and_of_an_agent(busy: Driver) -> None:
    asked = busy.get("/nodes/pve1/qemu/112/migrate")
    assert asked["running"] == 1 and [one["size"] for one in asked["local_disks"]] == [160 * 2**30]
    assert busy.get("/nodes/pve1/qemu/9000/migrate")["allowed_nodes"] == ["pve2", "pve3", "pve4"]
    assert busy.get("/nodes/pve1/qemu/9000/feature", feature="clone") == {"hasFeature": 1, "nodes": ["pve1", "pve2", "pve3", "pve4"]}
    assert busy.get("/nodes/pve1/qemu/201/feature", feature="clone")["hasFeature"] == 0
    assert len(busy.get("/nodes/pve1/qemu/201/agent/get-vcpus")["result"]) == 2
