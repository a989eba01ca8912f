"""A site as many are: a VLAN-aware bridge without SDN, a VLAN without DHCP, and machines that must fail over and stay apart."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from cluster_sim.run import environment, world
from tests.conftest import WORLDS, api_server
from tools.clients.proxmox import Proxmox
from tools.clients.settings import Settings

DMZ = {"subnet": "10.40.0.0/24", "gateway": "10.40.0.1", "dhcp": False}
AGENT_SECONDS = 300
"""What the provider waits for an agent's answer where an address is not known."""


def test_machines_on_a_vlan_without_dhcp_have_the_sites_addresses_fail_over_and_stay_apart(tmp_path: Path) -> None:
    file, site = tmp_path / "world.yaml", tmp_path / "site.yaml"
    networks = {"dmz": {"tag": 40, "bridge": "vmbr0", **DMZ}}
    base = WORLDS / "four_nodes.yaml"
    # Who makes HA resources may do more than any other machine needs, so a token is not given it unasked.
    roles = {"BerthAll": [*yaml.safe_load(base.read_text())["proxmox"]["roles"]["BerthAll"], "Sys.Console"]}
    file.write_text(yaml.safe_dump({"based_on": str(base), "proxmox": {"networks": networks, "roles": roles}}))
    known = {"name": "DMZ", "bridge": "vmbr0", "vlan_tag": 40, "pool": ["10.40.0.50-10.40.0.59"], **DMZ}
    site.write_text(yaml.safe_dump({"networks": [known]}))
    with world([str(file)], tmp_path / "world", guests="emulated") as ready:
        given = environment(ready, tmp_path) | {"BERTH_HOME": str(tmp_path / "home"), "BERTH_SITE_FILE": str(site)}
        cluster = Proxmox(Settings.from_environment(given))
        with api_server(given, tmp_path / "api_server.log") as berth:
            chat = berth.chat()
            planned = chat.say(
                "two Debian VMs called edge with 1 core, 1 GB and 8 GB disk in the DMZ, development, no key, "
                "must fail over, on different nodes"
            )
            assert "vmbr0, VLAN 40" in planned.text and "10.40.0.50/24" in planned.text
            assert "a rule keeps edge-1 and edge-2 on different nodes" in planned.text
            began = time.monotonic()
            done = chat.say(f"approve {planned.digest}")
            assert chat.run.status == "done", done.text
            assert time.monotonic() - began < AGENT_SECONDS
            rows = cluster.read("cluster", "resources", type="vm")
            made = next(row for row in rows if row.get("name") == "edge-1")
            config = cluster.read("nodes", made["node"], "qemu", str(made["vmid"]), "config")
            assert "bridge=vmbr0" in config["net0"] and "tag=40" in config["net0"]
            assert set(config["ipconfig0"].split(",")) == {"gw=10.40.0.1", "ip=10.40.0.50/24"}
            services = [one["sid"] for one in cluster.read("cluster", "ha", "resources")]
            assert f"vm:{made['vmid']}" in services and len(services) == 2
            [rule] = cluster.read("cluster", "ha", "rules")
            assert (rule["affinity"], sorted(rule["resources"].split(","))) == ("negative", services)
            removed = chat.say(f"approve {chat.say('remove it').digest}")
            assert chat.run.status == "removed", removed.text
            assert cluster.read("cluster", "ha", "resources") == cluster.read("cluster", "ha", "rules") == []


@pytest.mark.systems
@pytest.mark.parametrize(("version", "kept"), [("8.4.16", "groups"), ("9.2.2", "rules")])
def test_a_machine_that_two_nodes_alone_can_run_fails_over_between_them(tmp_path: Path, version: str, kept: str) -> None:
    """A bridge that two of five nodes have: on Proxmox VE 8 a group says so, on 9 a rule."""
    file, base = tmp_path / "world.yaml", WORLDS / "five_nodes_ceph.yaml"
    asks_agents = "VM.Monitor" if kept == "groups" else "VM.GuestAgent.Audit"
    roles = yaml.safe_load(base.read_text())["proxmox"]["roles"]
    changes = {
        "version": version,
        "roles": {name: [asks_agents if one == "VM.GuestAgent.Audit" else one for one in several] for name, several in roles.items()},
        "bridges": {"vmbr0": {"kind": "ovs"}, "vmbr7": {"nodes": ["mill-02", "mill-03"]}},
        "networks": {"lab": {"tag": None, "bridge": "vmbr7", "subnet": "10.61.70.0/24", "gateway": "10.61.70.1"}},
    }
    file.write_text(yaml.safe_dump({"based_on": str(base), "proxmox": changes}))
    with world([str(file)], tmp_path / "world", guests="emulated") as ready:
        given = environment(ready, tmp_path) | {"BERTH_HOME": str(tmp_path / "home")}
        cluster = Proxmox(Settings.from_environment(given))
        with api_server(given, tmp_path / "api_server.log") as berth:
            chat = berth.chat()
            planned = chat.say("a highly available Debian VM called lab with 1 core, 2 GB and 10 GB on vmbr7, staging, no key")
            assert "keeps it on mill-02 and mill-03" in planned.text
            done = chat.say(f"approve {planned.digest}")
            assert chat.run.status == "done", done.text
            [one] = cluster.read("cluster", "ha", kept)
            assert (one["nodes"], one["restricted" if kept == "groups" else "strict"]) == ("mill-02,mill-03", 1)
            changed = chat.say(f"approve {chat.say('make it 2 cores').digest}")
            assert chat.run.status == "done" and cluster.read("cluster", "ha", kept) == [one], changed.text
            removed = chat.say(f"approve {chat.say('remove it').digest}")
            assert chat.run.status == "removed" and cluster.read("cluster", "ha", kept) == [], removed.text


def test_a_machine_of_another_system_has_both_families_and_a_second_card(tmp_path: Path) -> None:
    """Rocky Linux, which no role knows: it is made, met, asked, and left as it is."""
    file = tmp_path / "world.yaml"
    rocky = {"name": "rocky-9", "node": "pve", "template": True, "default_user": "rocky", "memory_gib": 1, "bridge": "vmbr0"}
    rocky |= {"disks": [{"storage": "local-lvm", "size_gib": 10}], "cloud_init": "local-lvm"}
    changes = {
        "bridges": {"vmbr0": {"vlan_aware": False}, "vmbr_lan": {"vlan_aware": True}},
        "networks": {"lan": {"tag": 10, "bridge": "vmbr_lan", "subnet": "10.10.10.0/24", "gateway": "10.10.10.1", "dhcp": False}},
        "guests": {9001: rocky},
    }
    file.write_text(yaml.safe_dump({"based_on": str(WORLDS / "one_node.yaml"), "proxmox": changes}))
    with world([str(file)], tmp_path / "world", guests="emulated") as ready:
        given = environment(ready, tmp_path) | {"BERTH_HOME": str(tmp_path / "home")}
        with api_server(given, tmp_path / "api_server.log") as berth:
            chat = berth.chat()
            planned = chat.say(
                "a Rocky Linux VM called dual with 1 core, 1 GB and 12 GB on vmbr0, address 192.168.1.60/24 and 2001:db8::60/64, "
                "gateway 192.168.1.1, a second NIC on VLAN 10 on vmbr_lan with address 10.10.10.60/24, development, no key"
            )
            assert "the roles know Debian and Ubuntu alone" in planned.text
            done = chat.say(f"approve {planned.digest}")
            assert chat.run.status == "done", done.text
            [machine] = chat.plan.manifest.parts[0].machines
            config = Proxmox(Settings.from_environment(given)).read("nodes", "pve", "qemu", str(machine.vm_id), "config")
    assert set(config["ipconfig0"].split(",")) == {"gw=192.168.1.1", "ip=192.168.1.60/24", "ip6=2001:db8::60/64"}
    assert config["ipconfig1"] == "ip=10.10.10.60/24"
    assert "bridge=vmbr_lan" in config["net1"] and "tag=10" in config["net1"]
