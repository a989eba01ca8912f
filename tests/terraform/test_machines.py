"""The module `machines`: valid, formatted, strict about its variable, and the same on every plan after an apply."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from module_folder import ROOT, Folder

from tools.platforms import PLATFORMS, proxmox
from tools.rules.plans.changes import changes, serves
from tools.values.machine import Machine

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKjhW3RTZj0vsTBWGdhGxqRUwXyN4p1s2t3u4v5w6x7y ops@berth"


def machine(number: int = 1, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": f"web-{number:02d}",
        "vm_id": 20000 + number,
        "node": "pve1",
        "template_vm_id": 9000,
        "template_node": "pve1",
        "storage": "ceph-vm",
        "disk_interface": "scsi0",
        "disk_gib": 20,
        "cpu_count": 2,
        "memory_mib": 2048,
        "bridge": "vmbr0",
        "vlan_tag": 20,
        "user_name": "ops",
        "public_keys": (KEY,),
        "tags": ("berth", "staging"),
    }
    return Machine.model_validate(values).model_dump(mode="json") | changes


@pytest.fixture(scope="module")
def folder(make_folder: Callable[[str], Folder]) -> Folder:
    return make_folder("machines")


def test_it_is_formatted_and_valid(folder: Folder) -> None:
    folder.terraform("fmt", "-check")
    folder.give(machine())
    assert "The configuration is valid" in folder.terraform("validate")


REFUSED = [
    ([machine(), machine(2, name="web-01")], "Two machines have the same name"),
    ([machine(), machine(2, vm_id=20001)], "Two machines have the same vm_id"),
    ([machine(name='x"; rm')], "A name is made of small letters"),
    ([machine(name="${file(1)}")], "A name is made of small letters"),
    ([machine(vm_id=7)], "A vm_id is a whole number"),
    ([machine(cpu_count=0)], "1 to 1024 vCPUs"),
    ([machine(memory_mib=16)], "at least 256 MiB"),
    ([machine(disk_gib=0.5)], "at least 1 GiB"),
    ([machine(disk_interface="floppy0")], "A disk interface is one such as"),
    ([machine(data_disks=[{"interface": "scsi0", "disk_gib": 9}])], "Two disks of a machine are on one interface"),
    ([machine(data_disks=[{"interface": "ide1", "disk_gib": 9}])], "A data disk is on an interface"),
    ([machine(vlan_tag=5000)], "A VLAN tag is a number from 1 to 4094"),
    ([machine(address="somewhere")], "An address is"),
    ([machine(address="2001:db8::5/64")], "An address is"),
    ([machine(address6="10.20.0.5/24")], "An address is"),
    ([machine(address="")], "An address is"),
    ([machine(cards=[{"bridge": "vmbr0", "vlan_tag": 4095}])], "A VLAN tag is a number from 1 to 4094"),
    ([machine(rules=[{"protocol": "", "ports": "443", "source": "", "comment": "x"}])], "ports need a protocol"),
    ([machine(public_keys=[])], "at least one public SSH key"),
]


@pytest.mark.parametrize(("machines", "sentence"), REFUSED)
def test_a_wrong_machine_is_refused_in_a_whole_sentence(folder: Folder, machines: list[dict[str, Any]], sentence: str) -> None:
    folder.give(*machines)
    assert sentence in folder.terraform("plan", expect=1)


def test_a_machine_as_composed_becomes_exactly_that_resource(folder: Folder) -> None:
    folder.give(machine(dns_servers=["10.20.0.1"], pool="berth"), machine(2, vlan_tag=None, address="10.20.0.5/24", gateway="10.20.0.1"))
    planned = folder.planned()
    one = planned["web-01"]
    assert one["clone"] == [{"datastore_id": "ceph-vm", "full": True, "node_name": "pve1", "retries": 5, "vm_id": 9000}]
    assert (one["vm_id"], one["node_name"], one["pool_id"], one["tags"]) == (20001, "pve1", "berth", ["berth", "staging"])
    assert (one["cpu"][0]["cores"], one["memory"][0]["dedicated"], one["disk"][0]["size"]) == (2, 2048, 20)
    assert (one["stop_on_destroy"], one["on_boot"], one["agent"][0]["enabled"]) == (True, True, True)
    assert one["initialization"][0]["user_account"] == [{"keys": [KEY], "password": None, "username": "ops"}]
    assert one["initialization"][0]["dns"][0]["servers"] == ["10.20.0.1"]
    assert one["network_device"][0]["vlan_id"] == 20
    two = planned["web-02"]
    assert two["network_device"][0]["vlan_id"] in (0, None)
    assert two["pool_id"] is None
    assert two["initialization"][0]["ip_config"][0]["ipv4"] == [{"address": "10.20.0.5/24", "gateway": "10.20.0.1"}]
    assert two["initialization"][0]["dns"] == []


def test_every_card_has_its_bridge_and_its_addresses_and_only_the_first_a_gateway(
    make_folder: Callable[[str], Folder], world: dict[str, Any]
) -> None:
    folder = make_folder("machines")
    cards = [{"bridge": "net30", "vlan_tag": None, "address": "", "address6": "2001:db8:30::5/64"}, {"bridge": "vmbr0", "vlan_tag": 10}]
    both = {"address": "10.20.0.5/24", "gateway": "10.20.0.1", "address6": "2001:db8::5/64", "gateway6": "2001:db8::1"}
    folder.give(machine(31, **both, cards=cards))
    folder.terraform("apply", "-auto-approve")
    config = asked(world, "/nodes/pve1/qemu/20031/config")
    assert [("tag=20" in config["net0"], "bridge=net30" in config["net1"], "tag=10" in config["net2"])] == [(True, True, True)]
    told = [set(config[f"ipconfig{number}"].split(",")) for number in range(3)]
    assert told == [{"ip=10.20.0.5/24", "gw=10.20.0.1", "ip6=2001:db8::5/64", "gw6=2001:db8::1"}, {"ip6=2001:db8:30::5/64"}, {"ip=dhcp"}]
    folder.terraform("plan", "-detailed-exitcode")  # 0: a second plan finds nothing to do
    folder.terraform("destroy", "-auto-approve")


def test_data_disks_domain_and_notes_are_of_the_machine(folder: Folder) -> None:
    more = [
        {"interface": "scsi1", "disk_gib": 100},
        {"interface": "scsi2", "disk_gib": 200, "storage": "local-lvm", "serial": "berth-scsi2"},
    ]
    folder.give(machine(data_disks=more, domain="example.org", description="Needed until 2027-03-31.", on_boot=False))
    one = folder.planned()["web-01"]
    assert [(disk["interface"], disk["size"], disk["datastore_id"]) for disk in one["disk"]] == [
        ("scsi0", 20, "ceph-vm"),
        ("scsi1", 100, "ceph-vm"),
        ("scsi2", 200, "local-lvm"),
    ]
    assert [disk["serial"] for disk in one["disk"]][1:] == [None, "berth-scsi2"]
    assert one["initialization"][0]["dns"] == [{"domain": "example.org", "servers": None}]
    assert (one["description"], one["on_boot"]) == ("Needed until 2027-03-31.", False)


def test_made_changed_and_removed_with_nothing_left_to_change_in_between(make_folder: Callable[[str], Folder]) -> None:
    """Every way of cloning: beside the template, straight elsewhere, by migration to either kind of storage; one in a pool."""
    folder = make_folder("machines")
    machines = [
        machine(1, pool="berth"),
        machine(2, node="pve2"),
        machine(3, storage="local-lvm"),
        machine(4, node="pve3", storage="local-lvm", template_vm_id=9002),
        machine(5, node="pve2", storage="ceph-vm", template_vm_id=9002),
    ]
    folder.give(*machines)
    assert "5 added, 0 changed, 0 destroyed" in folder.terraform("apply", "-auto-approve")
    assert "No changes" in folder.terraform("plan", "-detailed-exitcode")
    told = json.loads(folder.terraform("output", "-json", "machines"))
    assert {name: (m["vm_id"], m["node"]) for name, m in told.items()} == {m["name"]: (m["vm_id"], m["node"]) for m in machines}
    assert all(len(m["addresses"]) == 1 and m["addresses"][0].startswith("10.20.0.") for m in told.values())

    folder.give(machine(1, pool="berth", memory_mib=4096, disk_gib=30), machine(2, node="pve2", cpu_count=4), *machines[2:])
    assert "0 to add, 2 to change, 0 to destroy" in folder.terraform("plan")
    assert "0 added, 2 changed, 0 destroyed" in folder.terraform("apply", "-auto-approve")
    assert "No changes" in folder.terraform("plan", "-detailed-exitcode")
    assert "5 destroyed" in folder.terraform("destroy", "-auto-approve")


def rule(ports: str, source: str = "") -> dict[str, str]:
    return {"protocol": "tcp", "ports": ports, "source": source, "comment": "Berth: asked for"}


def test_a_firewall_comes_and_changes_while_its_machine_runs_and_goes_with_it(
    make_folder: Callable[[str], Folder], world: dict[str, Any]
) -> None:
    folder, at = make_folder("machines"), "/nodes/pve1/qemu/20041/firewall"
    folder.give(machine(41))
    folder.terraform("apply", "-auto-approve")
    folder.give(machine(41, rules=[rule("22"), rule("443", "10.0.0.0/8")]))
    folder.terraform("plan", "-out=tfplan")
    found = changes(json.loads(folder.shown()), proxmox.PROVIDER)
    assert {(one.action, one.name, one.restarts, one.act) for one in found} == {
        ("update", "web-41", False, False),
        ("create", "firewall of web-41", False, False),
        ("create", "firewall of web-41", False, True),
    }
    folder.terraform("apply", "-auto-approve")
    assert "No changes" in folder.terraform("plan", "-detailed-exitcode")
    options = asked(world, f"{at}/options")
    assert {name: options[name] for name in ("enable", "policy_in", "dhcp", "ndp")} == {
        "enable": 1,
        "policy_in": "DROP",
        "dhcp": 1,
        "ndp": 1,
    }
    assert "firewall=1" in asked(world, "/nodes/pve1/qemu/20041/config")["net0"]

    folder.give(machine(41, rules=[rule("22"), rule("8080"), rule("443", "10.0.0.0/8")]))
    assert "0 added, 1 changed, 0 destroyed" in folder.terraform("apply", "-auto-approve")
    assert [one["dport"] for one in asked(world, f"{at}/rules")] == ["22", "8080", "443"]

    # Its firewall went with the machine, so it is set anew, too.
    folder.terraform("apply", "-auto-approve", '-replace=proxmox_virtual_environment_vm.machine["web-41"]')
    assert "No changes" in folder.terraform("plan", "-detailed-exitcode")
    assert asked(world, f"{at}/options")["enable"] == 1 and len(asked(world, f"{at}/rules")) == 3
    folder.terraform("destroy", "-auto-approve")


RESTARTS: dict[int, tuple[dict[str, Any], bool, int]] = {
    11: ({"disk_gib": 30}, False, 1),
    12: ({"disk_gib": 30, "memory_mib": 4096}, True, 2),
    13: ({"public_keys": [KEY.replace("ops@", "new@")]}, True, 2),
    14: ({"vlan_tag": 30, "tags": ["berth"]}, True, 1),
    15: ({"data_disks": [{"interface": "scsi1", "disk_gib": 10}, {"interface": "scsi2", "disk_gib": 20}]}, False, 1),
}
"""(what changes, whether the plan says that the machine is started again, its starts after Terraform) by the machine's number. For a new
network Terraform does not start it again; Berth does, after it."""


def test_the_plan_tells_of_a_restart_just_when_there_is_one(make_folder: Callable[[str], Folder], world: dict[str, Any]) -> None:
    folder = make_folder("machines")
    folder.give(*map(machine, RESTARTS))
    folder.terraform("apply", "-auto-approve")
    assert {starts(world, 20000 + number) for number in RESTARTS} == {1}
    folder.give(*(machine(number, **more) for number, (more, _, _) in RESTARTS.items()))
    folder.planned()
    planned = changes(json.loads(folder.shown()), proxmox.PROVIDER)
    told = {machine(number)["name"]: ("update", restarts) for number, (_, restarts, _) in RESTARTS.items()}
    assert {one.name: (one.action, one.restarts) for one in planned} == told
    folder.terraform("apply", "tfplan")
    assert {number: starts(world, 20000 + number) for number in RESTARTS} == {n: count for n, (_, _, count) in RESTARTS.items()}


def starts(world: dict[str, Any], vm_id: int) -> int:
    """How often a machine on pve1 was started, by the cluster's own list of tasks."""
    return [task["type"] for task in asked(world, "/nodes/pve1/tasks", vmid=vm_id)].count("qmstart")


def asked(world: dict[str, Any], path: str, **parameters: Any) -> Any:
    with httpx.Client(
        base_url=world["proxmox"]["url"],
        headers={"Authorization": f"PVEAPIToken={world['proxmox']['token']}"},
        verify=ssl.create_default_context(cafile=world["ca_file"]),
    ) as client:
        return client.get(f"/api2/json{path}", params=parameters).json()["data"]


def test_the_module_names_no_address_and_no_secret() -> None:
    text = "".join(file.read_text() for file in (ROOT / "terraform" / "machines").glob("*.tf"))
    assert "://" not in text
    assert "insecure" not in text
    low, below = PLATFORMS["proxmox"].PROVIDER.versions
    assert f'">= {low}, < {below}"' in text
    served = [serves(PLATFORMS["proxmox"].PROVIDER, version) for version in ("0.111.0", "0.111.1+sim", "0.113.9", "0.114.0")]
    assert served == [False, True, True, False]
