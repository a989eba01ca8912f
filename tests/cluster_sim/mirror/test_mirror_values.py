"""Terraform's wire values, and the strings and bodies of the two worlds: there and back."""

from __future__ import annotations

import json
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_sim.mirror.azapi import bodies
from cluster_sim.mirror.provider import Problem
from cluster_sim.mirror.proxmox import devices
from cluster_sim.mirror.values import UNKNOWN, Dynamic, dynamic, has_unknown, pack, type_of, unpack
from tests.cluster_sim.mirror.harness import recorded

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(JSON.filter(lambda value: value is not None))
def test_a_dynamic_value_comes_back_as_it_went(value: Any) -> None:
    sent = dynamic(value)
    assert unpack(pack(sent, "dynamic"), "dynamic") == sent


@pytest.mark.parametrize(
    ("value", "of"),
    [
        (None, "string"),
        (UNKNOWN, ["list", "string"]),
        (["a", UNKNOWN], ["list", "string"]),
        ({"a": 1, "b": None}, ["object", {"a": "number", "b": "bool"}]),
        ({"k": [1, 2]}, ["map", ["list", "number"]]),
        (["x"], ["set", "string"]),
        (["x", 1], ["tuple", ["string", "number"]]),
        (Dynamic(["map", "string"], {"a": "b"}), "dynamic"),
        (Dynamic(["object", {"a": "string"}], {"a": UNKNOWN}), "dynamic"),
    ],
)
def test_a_value_comes_back_as_it_went(value: Any, of: Any) -> None:
    assert unpack(pack(value, of), of) == value


def test_a_tenth_is_sent_as_a_tenth() -> None:
    assert msgpack.unpackb(pack(0.1, "number")) == "0.1"
    assert unpack(msgpack.packb("0.1"), "number") == 0.1
    assert msgpack.unpackb(pack(2.0, "number")) == 2


def test_every_unknown_of_terraforms_is_unknown() -> None:
    """Newer Terraforms say what they already know of an unknown value, in an extension of another number."""
    refined = msgpack.packb(msgpack.ExtType(12, b"\x81\x01\xc2"))
    assert unpack(refined, "string") is UNKNOWN
    assert has_unknown(dynamic({"a": [UNKNOWN]}))


def test_types_are_written_as_terraform_writes_them() -> None:
    assert type_of({"a": [1, "b"], "c": None}) == ["object", {"a": ["tuple", ["number", "string"]], "c": "dynamic"}]


# --- Proxmox's strings ------------------------------------------------------------------------------------------------

CONFIG = recorded("bpg-proxmox-calls")["answers_that_satisfied_refresh"]["GET /nodes/pve1/qemu/101/config"]["data"]


def test_the_recorded_disk_is_read() -> None:
    disk = devices.disk_block("scsi0", CONFIG["scsi0"], "raw", None)
    assert (disk["size"], disk["datastore_id"], disk["path_in_datastore"]) == (40, "local-lvm", "vm-101-disk-0")
    assert (disk["discard"], disk["iothread"], disk["ssd"], disk["aio"]) == ("on", True, True, "io_uring")
    written = devices.options_of(devices.disk_text(disk, "local-lvm:vm-101-disk-0"))
    read = devices.options_of(CONFIG["scsi0"])
    assert written | {"": written["file"], "size": "40G"} == read | {"file": written["file"]}


@pytest.mark.parametrize(("text", "gib"), [("2G", 2), ("3584M", 4), ("1T", 1024), ("2147483648", 2), ("4M", 1), ("0", 0), ("oddity", 0)])
def test_sizes_are_whole_gib_rounded_up(text: str, gib: int) -> None:
    assert devices.disk_block("scsi0", f"local:x,size={text}", "raw", None)["size"] == gib


@pytest.mark.parametrize(("interface", "absent"), [("sata0", "iothread"), ("virtio0", "ssd"), ("ide0", "iothread")])
def test_options_a_bus_has_not_are_not_sent(interface: str, absent: str) -> None:
    disk = devices.disk_block(interface, "local:x,size=1G", "raw", None)
    assert absent not in devices.options_of(devices.disk_text(disk, "local:x"))
    assert absent in devices.options_of(devices.disk_text(disk | {"interface": "scsi0"}, "local:x"))


@pytest.mark.parametrize(
    "text",
    [
        CONFIG["net0"],
        "e1000=BC:24:11:00:00:66,bridge=vmbr1,firewall=1,link_down=1,mtu=1400,queues=4,rate=2.5,tag=7,trunks=5;6",
    ],
)
def test_a_network_is_read_and_written(text: str) -> None:
    block = devices.network_block(text, None)
    again = devices.options_of(devices.network_text(block))
    model, mac = again.pop("model"), again.pop("macaddr")
    assert {model: mac, **again} == devices.options_of(text)


@pytest.mark.parametrize(("text", "seconds"), [("5s", 5), ("15m", 900), ("1h30m", 5400), ("500ms", 0.5)])
def test_durations_are_read(text: str, seconds: float) -> None:
    assert devices.seconds_of(text) == seconds


def test_keys_are_read_and_written() -> None:
    keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ ops@berth"]
    assert devices.keys_text(keys) == CONFIG["sshkeys"]
    assert devices.keys_of(CONFIG["sshkeys"]) == keys
    assert devices.keys_of(devices.keys_text([*keys, "ssh-rsa B+/= b"])) == [*keys, "ssh-rsa B+/= b"]


@pytest.mark.parametrize("text", ["ip=dhcp", "ip=10.0.0.2/24,gw=10.0.0.1", "ip=dhcp,ip6=auto", "ip6=fd00::2/64,gw6=fd00::1"])
def test_addresses_are_read_and_written(text: str) -> None:
    assert devices.address_text(devices.address_block(text)) == text


def test_the_cloud_init_drive_is_known_by_its_volume() -> None:
    assert devices.cloud_init_drive(CONFIG, 101) == ("ide2", "local-lvm")
    assert devices.cloud_init_drive(CONFIG, 102) is None


# --- Azure's identifiers and bodies -----------------------------------------------------------------------------------

GROUP = "/subscriptions/s/resourceGroups/rg"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a"


@pytest.mark.parametrize(
    ("parent", "kind", "name", "expected"),
    [
        ("/subscriptions/s", "Microsoft.Resources/resourceGroups", "rg", GROUP),
        (GROUP, "Microsoft.Storage/storageAccounts", "a", ACCOUNT),
        (ACCOUNT, "Microsoft.Storage/storageAccounts/blobServices", "default", f"{ACCOUNT}/blobServices/default"),
        (
            f"{ACCOUNT}/blobServices/default",
            "Microsoft.Storage/storageAccounts/blobServices/containers",
            "raw",
            f"{ACCOUNT}/blobServices/default/containers/raw",
        ),
        (
            ACCOUNT,
            "Microsoft.Authorization/roleAssignments",
            "g",
            f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments/g",
        ),
        ("/subscriptions/s", "Microsoft.Consumption/budgets", "b", "/subscriptions/s/providers/Microsoft.Consumption/budgets/b"),
        (GROUP, "Microsoft.Insights/diagnosticSettings", "d", f"{GROUP}/providers/Microsoft.Insights/diagnosticSettings/d"),
    ],
)
def test_an_identifier_is_built_and_taken_apart(parent: str, kind: str, name: str, expected: str) -> None:
    assert bodies.build_id(parent, kind, name) == expected
    assert bodies.split_id(expected) == (parent, name)
    assert bodies.type_of_id(expected) == kind


def seen(configured: Any, answered: Any, **more: Any) -> Any:
    return bodies.seen_through(configured, answered, **{"ignore_casing": False, "ignore_missing": True, "ids": {}} | more)


@pytest.mark.parametrize(
    ("configured", "answered", "options", "expected"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, {}, {"a": 1}),
        ({"a": 1}, {"a": 2}, {}, {"a": 2}),
        ({"secret": "s"}, {}, {}, {"secret": "s"}),
        ({"secret": "s"}, {"secret": None}, {}, {"secret": "s"}),
        ({"gone": "s"}, {}, {"ignore_missing": False}, {}),
        ({"a": "Standard"}, {"a": "standard"}, {}, {"a": "standard"}),
        ({"a": "Standard"}, {"A": "standard"}, {"ignore_casing": True}, {"a": "Standard"}),
        ({"l": [1, 2]}, {"l": [1, 2, 3]}, {}, {"l": [1, 2, 3]}),
        (
            {"l": [{"name": "x", "v": 1}, {"name": "y", "v": 1}]},
            {"l": [{"name": "y", "v": 1, "more": 0}, {"name": "x", "v": 1}]},
            {},
            {"l": [{"name": "x", "v": 1}, {"name": "y", "v": 1}]},
        ),
        ({"l": [{"key": "x", "v": 1}]}, {"l": [{"key": "x", "v": 2}]}, {"ids": {"l": "key"}}, {"l": [{"key": "x", "v": 2}]}),
    ],
)
def test_only_what_was_configured_is_compared(configured: Any, answered: Any, options: Any, expected: Any) -> None:
    assert seen(configured, answered, **options) == expected


ANSWER = json.loads('{"id": "/x", "properties": {"uri": "u", "pools": [{"name": "a"}, {"name": "b", "size": 3}], "odd-name": 1}}')


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, {}),
        (["properties.uri"], {"properties": {"uri": "u"}}),
        (["properties.uri", "id"], {"properties": {"uri": "u"}, "id": "/x"}),
        (["properties.none"], {}),
        (["*"], ANSWER),
        ({"uri": "properties.uri", "none": "properties.none"}, {"uri": "u", "none": None}),
        ({"names": "properties.pools[*].name", "sizes": "properties.pools[].size"}, {"names": ["a", "b"], "sizes": [3]}),
        (
            {"second": "properties.pools[1].name", "all": "@", "odd": 'properties."odd-name"'},
            {"second": "b", "all": ANSWER, "odd": 1},
        ),
    ],
)
def test_what_is_exported(wanted: Any, expected: Any) -> None:
    assert bodies.exported(ANSWER, None if wanted is None else dynamic(wanted)) == expected


def test_a_path_that_is_not_understood_is_refused() -> None:
    with pytest.raises(Problem, match="does not understand the path"):
        bodies.find(ANSWER, "properties.pools[?name=='a']")
