"""Three layouts that people really run, each with a database, a web server and a plain machine to the verified end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from cluster_sim.run import environment, world
from tests.conftest import WORLDS, api_server
from tests.values import opened
from tools.clients.proxmox import Proxmox
from tools.clients.settings import Settings
from tools.pipeline.provisioning import provision
from tools.values.machine import Machine
from tools.values.value import Json

AT_HOME = (
    "PostgreSQL for 10 users called db, a web server called www with 1 core and "
    "a Debian VM called lab with 1 core, 1 GB and 10 GB, development, no key"
)
FIXED = (
    "PostgreSQL for 20 users called db on VLAN 40, address 192.168.40.50/24, gateway 192.168.40.1; "
    "a web server called www on VLAN 40, address 192.168.40.51/24, gateway 192.168.40.1, and "
    "a Debian VM called lab with 2 cores, 4 GB and 30 GB on local-zfs, on node elitedesk, VLAN 50; all for development, no key"
)
AVAILABLE = (
    "PostgreSQL for 50 users called db, 2 web servers called www and a Debian VM called lab with 2 cores, 4 GB and 50 GB on ceph-hdd, "
    "a 100 GB data disk on ceph-nvme mounted at /srv/data, on VLAN 110, production, highly available, no key"
)
PROMISED = re.compile(r"`(cpu_ratio_max: [\d.]+)` for (\w+) in the site file")


@pytest.mark.systems
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("layout", "said"), [("one_node", AT_HOME), ("three_nodes_zfs", FIXED), ("five_nodes_ceph", AVAILABLE)], ids=["home", "zfs", "ceph"]
)
def test_three_things_are_made_on_it_and_verified(tmp_path: Path, layout: str, said: str) -> None:
    with world([str(WORLDS / f"{layout}.yaml")], tmp_path / "world", guests="emulated") as ready:
        given = environment(ready, tmp_path) | {"BERTH_HOME": str(tmp_path / "home")}
        cluster = Proxmox(Settings.from_environment(given))
        if layout == "one_node":  # Four threads are too few by half a thread, and the refusal says which setting lets them in.
            given |= {"BERTH_SITE_FILE": str(_site_as_advised(given, said, tmp_path))}
        with api_server(given, tmp_path / "api_server.log") as berth:
            chat = berth.chat()
            planned = chat.say(said)
            done = chat.say(f"approve {planned.digest}")
            assert chat.run.status == "done", done.text
            made = {m.name: m for part in chat.plan.manifest.parts for m in part.machines}
        if layout == "one_node":
            assert {(m.node, m.storage, m.card) for m in made.values()} == {("pve", "local-lvm", "vmbr0")}
        elif layout == "three_nodes_zfs":
            assert [made[name].address_alone for name in ("db", "www", "lab")] == ["192.168.40.50", "192.168.40.51", ""]
            assert (made["lab"].node, made["lab"].storage, made["lab"].card) == ("elitedesk", "local-zfs", "vmbr0, VLAN 50")
            assert all(_is_as_its_template(_config(cluster, m)) for m in made.values())
        else:
            assert "a rule keeps www-1 and www-2 on different nodes" in planned.text
            assert "mill-05" not in {m.node for m in made.values()}, "it is in maintenance"
            assert {f"vm:{m.vm_id}" for m in made.values()} < {one["sid"] for one in cluster.read("cluster", "ha", "resources")}
            assert made["lab"].storage == "ceph-hdd"
            assert [(disk.storage, disk.folder) for disk in made["lab"].data_disks] == [("ceph-nvme", "/srv/data")]
            assert "Mount it at /srv/data … changed" in done.text


def _site_as_advised(given: Mapping[str, str], said: str, folder: Path) -> Path:
    with opened(given) as here:
        refused = provision(said, "operator", world=here).answer
    advised = PROMISED.search(refused)
    assert advised, refused
    file = folder / "site.yaml"
    file.write_text(f"environments: [{{name: {advised[2]}, {advised[1]}}}]\n")
    return file


def _config(cluster: Proxmox, machine: Machine) -> dict[str, Json]:
    found = cluster.read("nodes", machine.node, "qemu", str(machine.vm_id), "config")
    assert isinstance(found, dict)
    return found


def _is_as_its_template(config: dict[str, Json]) -> bool:
    """It boots by UEFI from q35, with a TPM, and its cloud-init drive is where its system sees one."""
    small = all(str(config[name]).startswith("local-zfs:") for name in ("efidisk0", "tpmstate0"))
    return small and (config["bios"], config["machine"]) == ("ovmf", "q35") and "cloudinit" in str(config["scsi1"]) and "ide2" not in config
