"""What follows from the table: defaults, unknowns, and which changes make a new machine. Pure; Terraform is not asked."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from cluster_sim.mirror import planning
from cluster_sim.mirror.azapi.resource import GenericResource
from cluster_sim.mirror.provider import empty
from cluster_sim.mirror.proxmox import reading
from cluster_sim.mirror.proxmox.virtual_machine import VirtualMachine
from cluster_sim.mirror.schema import BOOL, NUMBER, STRING, Attribute, Block, Nested, one
from cluster_sim.mirror.values import UNKNOWN, dynamic
from tests.cluster_sim.mirror.harness import recorded

MACHINE = VirtualMachine(lambda: pytest.fail("planning asks the cluster nothing"))
RECORDED = recorded("bpg-proxmox")["proxmox_virtual_environment_vm"]


def machine_config() -> dict[str, Any]:
    """The recorded machine as configured: defaults are harmless to repeat, and what was unknown is left out."""
    after = copy.deepcopy(RECORDED["planned_on_create"]["after"])
    config = empty(MACHINE.schema) | after
    for block, names in {
        "cpu": ["units"],
        "disk": ["file_format", "path_in_datastore"],
        "network_device": ["mac_address"],
    }.items():
        for item in config[block]:
            item |= dict.fromkeys(names)
    for name in ("file_format", "type", "upgrade"):
        config["initialization"][0][name] = None
    for kind in ("meta", "network", "user", "vendor"):
        config["initialization"][0][f"{kind}_data_file_id"] = None
    return config


def applied(planned: Any) -> Any:
    """A plan as a state: what was unknown is found out."""
    if planned is UNKNOWN:
        return "found out"
    if isinstance(planned, dict):
        return {name: applied(value) for name, value in planned.items()}
    return [applied(value) for value in planned] if isinstance(planned, list) else planned


def changed(path: str, value: Any) -> tuple[list[planning.Path], dict[str, Any], dict[str, Any]]:
    """What a change of one setting (block.attribute) replaces, with the plan and the state before."""
    config = machine_config()
    prior = applied(planning.plan(MACHINE.schema, config, None))
    *blocks, name = path.split(".")
    place = config
    for block in blocks:
        place = place[block][0]
    place[name] = value
    planned = MACHINE.adjust(planning.plan(MACHINE.schema, config, prior), config, prior)
    return MACHINE.replacements(planned, prior), planned, prior


NEW_VALUES = {
    "node_name": "pve2",
    "vm_id": 102,
    "clone.vm_id": 9001,
    "clone.full": False,
    "name": "db-02",
    "tags": ["berth"],
    "cpu.cores": 8,
    "cpu.type": "host",
    "memory.dedicated": 16384,
    "disk.size": 60,
    "disk.datastore_id": "ceph-vm",
    "disk.interface": "scsi1",
    "network_device.vlan_id": 30,
    "network_device.bridge": "vmbr1",
    "initialization.user_account.username": "root",
    "initialization.user_account.keys": [],
    "initialization.ip_config.ipv4.address": "10.0.0.2/24",
    "agent.enabled": False,
    "stop_on_destroy": False,
}


@pytest.mark.parametrize("sentence", RECORDED["changes_that_replace"])
def test_changes_that_make_a_new_machine(sentence: str) -> None:
    path = sentence.split(" ")[0]
    replaced, _, _ = changed(path, NEW_VALUES[path])
    *blocks, name = path.split(".")
    assert replaced == [(*(step for block in blocks for step in (block, 0)), name)]


@pytest.mark.parametrize("sentence", RECORDED["changes_that_update_in_place"])
def test_changes_made_in_place(sentence: str) -> None:
    path = sentence.split(" ")[0]
    replaced, planned, prior = changed(path, NEW_VALUES[path])
    assert not replaced
    assert planned != prior, "it is a change, though"


def test_every_recorded_change_has_a_value_to_try() -> None:
    sentences = RECORDED["changes_that_replace"] + RECORDED["changes_that_update_in_place"]
    assert {re.split(r"[ (]", sentence)[0] for sentence in sentences} == set(NEW_VALUES)


def test_a_machine_that_may_migrate_moves_in_place() -> None:
    config = machine_config() | {"migrate": True}
    prior = applied(planning.plan(MACHINE.schema, config, None))
    planned = planning.plan(MACHINE.schema, config | {"node_name": "pve2"}, prior)
    assert MACHINE.replacements(planned, prior) == []


def test_the_same_configuration_again_changes_nothing() -> None:
    config = machine_config()
    prior = applied(planning.plan(MACHINE.schema, config, None))
    assert MACHINE.adjust(planning.plan(MACHINE.schema, config, prior), config, prior) == prior


def test_tags_in_another_order_are_the_same_tags() -> None:
    _, planned, prior = changed("tags", ["prod", "berth"])
    assert planned == prior


def test_addresses_are_found_out_anew_when_a_network_changes() -> None:
    _, planned, _ = changed("network_device.vlan_id", 30)
    assert planned["ipv4_addresses"] is UNKNOWN
    _, planned, prior = changed("name", "db-02")
    assert planned["ipv4_addresses"] == prior["ipv4_addresses"]


# --- what a refresh sees ----------------------------------------------------------------------------------------------

CONFIG = recorded("bpg-proxmox-calls")["answers_that_satisfied_refresh"]["GET /nodes/pve1/qemu/101/config"]["data"]


def refreshed(config: dict[str, Any], status: str = "running") -> dict[str, Any]:
    """The recorded machine's state after a look at the recorded configuration, with some of it changed by hand."""
    state = planning.without_unknowns(planning.plan(MACHINE.schema, machine_config(), None))
    there = {name: value for name, value in (CONFIG | config).items() if value is not None}
    return reading.refreshed(state, 101, "pve1", there, {"status": status}, {"scsi0": "raw"})


def test_the_recorded_configuration_is_no_change() -> None:
    config = machine_config()
    state = refreshed({})
    planned = MACHINE.adjust(planning.plan(MACHINE.schema, config, state), config, state)
    assert {name for name in planned if planned[name] != state[name]} == set()


@pytest.mark.parametrize(
    ("config", "status", "attribute"),
    [
        ({"cores": 8}, "running", "cpu"),
        ({"cpu": "host"}, "running", "cpu"),
        ({"memory": "4096"}, "running", "memory"),
        ({"balloon": 1024}, "running", "memory"),
        ({"tags": "berth"}, "running", "tags"),
        ({"name": "other"}, "running", "name"),
        ({"onboot": 0}, "running", "on_boot"),
        ({"scsi0": "local-lvm:vm-101-disk-0,aio=io_uring,iothread=1,ssd=1,discard=on,size=20G"}, "running", "disk"),
        ({"scsi0": None}, "running", "disk"),
        ({"net0": "virtio=BC:24:11:00:00:65,bridge=vmbr0,tag=30"}, "running", "network_device"),
        ({"net1": "virtio=BC:24:11:00:00:66,bridge=vmbr0"}, "running", "network_device"),
        ({"ciuser": "someone"}, "running", "initialization"),
        ({"sshkeys": "ssh-rsa%20AAAA"}, "running", "initialization"),
        ({"ipconfig0": "ip=10.0.0.9/24"}, "running", "initialization"),
        ({"ide2": "none,media=cdrom"}, "running", "initialization"),
        ({"agent": "enabled=0"}, "running", "agent"),
        ({}, "stopped", "started"),
    ],
)
def test_a_change_made_by_hand_is_seen(config: dict[str, Any], status: str, attribute: str) -> None:
    asked, state = machine_config(), refreshed(config, status)
    planned = MACHINE.adjust(planning.plan(MACHINE.schema, asked, state), asked, state)
    assert {name for name in planned if planned[name] != state[name]} - FOUND == {attribute}


FOUND = {"ipv4_addresses", "ipv6_addresses", "mac_addresses", "network_interface_names"}


@pytest.mark.parametrize("config", [{"scsihw": "lsi"}, {"description": "from the template"}, {"tags": "prod;berth"}])
def test_what_a_template_brought_is_no_change(config: dict[str, Any]) -> None:
    asked, state = machine_config(), refreshed(config)
    planned = MACHINE.adjust(planning.plan(MACHINE.schema, asked, state), asked, state)
    assert planned == state


# --- the rules of the table, one by one -----------------------------------------------------------------------------------------

TABLE = Block(
    {
        "name": Attribute(STRING, "R", replaces=True),
        "size": Attribute(NUMBER, "O", 8),
        "found": Attribute(STRING, "C"),
        "either": Attribute(STRING, "OC"),
        "secret": Attribute(STRING, "OW"),
        "retry": Nested("single", "O", {"times": Attribute(NUMBER, "OC", 3), "why": Attribute(STRING, "R")}),
        "part": Block({"kind": Attribute(STRING, "R", replaces=True), "on": Attribute(BOOL, "O", True), "id": Attribute(STRING, "C")}),
        "screen": one({"type": Attribute(STRING, "O", "std")}, computed=True),
        "odd": Attribute(STRING, "O", "usual", refused=True),
        "exotic": one({"x": Attribute(STRING, "O")}, refused=True),
    }
)
NOTHING = {
    "odd": None,
    "name": "a",
    "size": None,
    "found": None,
    "either": None,
    "secret": None,
    "retry": None,
    "part": [],
    "screen": [],
    "exotic": [],
}


@pytest.mark.parametrize(
    ("config", "prior", "expected"),
    [
        ({}, None, {"size": 8, "found": UNKNOWN, "either": UNKNOWN, "screen": UNKNOWN, "retry": None, "part": []}),
        ({"size": 0}, None, {"size": 0}),
        ({"size": UNKNOWN}, None, {"size": UNKNOWN}),
        ({"secret": "s"}, None, {"secret": None}),
        ({"retry": {"why": "busy", "times": None}}, None, {"retry": {"why": "busy", "times": 3}}),
        ({"part": [{"kind": "k"}]}, None, {"part": [{"kind": "k", "on": True, "id": UNKNOWN}]}),
        ({"part": UNKNOWN}, None, {"part": UNKNOWN}),
        (
            {},
            {"found": "f", "either": "e", "screen": [{"type": "vga"}]},
            {"found": "f", "either": "e", "screen": [{"type": "vga"}]},
        ),
        (
            {"part": [{"kind": "k"}, {"kind": "new"}]},
            {"part": [{"kind": "k", "on": True, "id": "1"}]},
            {"part": [{"kind": "k", "on": True, "id": "1"}, {"kind": "new", "on": True, "id": UNKNOWN}]},
        ),
        ({"part": []}, {"part": [{"kind": "k", "on": True, "id": "1"}]}, {"part": []}),
    ],
)
def test_a_plan_by_the_table(config: dict[str, Any], prior: dict[str, Any] | None, expected: dict[str, Any]) -> None:
    before = None if prior is None else NOTHING | prior
    planned = planning.plan(TABLE, NOTHING | config, before)
    assert {name: planned[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({"name": "b"}, [("name",)]),
        ({"size": 9}, []),
        ({"part": [{"kind": "other", "on": True, "id": "1"}]}, [("part", 0, "kind")]),
        ({"part": [{"kind": "k", "on": False, "id": "1"}]}, []),
        ({"part": []}, [("part",)]),
        ({"name": UNKNOWN}, [("name",)]),
    ],
)
def test_what_replaces_by_the_table(now: dict[str, Any], expected: list[planning.Path]) -> None:
    prior = NOTHING | {"part": [{"kind": "k", "on": True, "id": "1"}]}
    assert planning.replacements(TABLE, prior | now, prior) == expected


def test_what_is_known_by_name_only_are_found_out() -> None:
    assert planning.refused(TABLE, NOTHING | {"odd": "o", "exotic": [{"x": "1"}]}) == [("odd",), ("exotic", 0)]
    assert not planning.refused(TABLE, NOTHING | {"odd": "usual", "part": [{"kind": "k"}]})


# --- azapi's own rules ----------------------------------------------------------------------------------------------------------

GENERIC = GenericResource(lambda: pytest.fail("planning asks Azure nothing"))


def azure_config(**more: Any) -> dict[str, Any]:
    asked = {
        "type": "Microsoft.KeyVault/vaults@2024-11-01",
        "parent_id": "/subscriptions/s/resourceGroups/rg",
        "name": "kv",
        "location": "eastus2",
        "body": dynamic({"properties": {"sku": {"name": "standard"}}}),
    }
    return empty(GENERIC.schema) | asked | more


@pytest.mark.parametrize(
    ("change", "replaced", "written"),
    [
        ({}, [], False),
        ({"location": "East US 2"}, [], False),
        ({"location": "westeurope"}, ["location"], True),
        ({"name": "kv2"}, ["name"], True),
        ({"parent_id": UNKNOWN}, ["parent_id"], True),
        ({"type": "Microsoft.KeyVault/vaults@2025-05-01"}, [], True),
        ({"type": "Microsoft.KeyVault/managedHSMs@2024-11-01"}, ["type"], True),
        ({"tags": {"team": "ml"}}, [], True),
        ({"body": dynamic({"properties": {"sku": {"name": "premium"}}})}, [], True),
        (
            {"body": dynamic({"properties": {"sku": {"name": "premium"}}}), "replace_triggers_refs": ["properties.sku.name"]},
            ["body"],
            True,
        ),
        ({"response_export_values": dynamic(["properties.vaultUri"])}, [], True),
        ({"schema_validation_enabled": False}, [], False),
    ],
)
def test_changes_of_an_azure_resource(change: dict[str, Any], replaced: list[str], written: bool) -> None:
    config = azure_config()
    prior = applied(planning.plan(GENERIC.schema, config, None)) | {"body": config["body"], "tags": None, "output": dynamic({})}
    config |= change
    planned = GENERIC.adjust(planning.plan(GENERIC.schema, config, prior), config, prior)
    assert [path[0] for path in GENERIC.replacements(planned, prior)] == replaced
    assert (planned["output"] is UNKNOWN) == written
