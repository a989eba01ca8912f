"""A cluster without a template: what is said, that it can be typed, and that machines come of it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster_sim.run import environment, world
from tests.conftest import ROOT, WORLDS, api_server
from tests.stories.test_least_privilege import granted
from tools.clients.proxmox import Proxmox
from tools.clients.settings import Settings

VM = "a Debian VM called shop with 1 core, 1 GB and 8 GB disk, development, no key"
ADVICE = "make a Debian 12 template"


def doctor(given: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / ".venv/bin/berth", "doctor"], env=given, capture_output=True, text=True, check=False)


def test_whoever_has_no_template_types_one_sentence_and_goes_on(tmp_path: Path) -> None:
    # The first conversion fails: what is done already is not done again.
    faults = [{"task": "qmtemplate", "exitstatus": "lvcreate failed", "nth": 1}]
    file = tmp_path / "world.yaml"
    changes = {"guests": {9000: None}, "faults": faults}
    file.write_text(yaml.safe_dump({"based_on": str(WORLDS / "one_node.yaml"), "proxmox": changes}))
    with world([str(file)], tmp_path / "world", guests="emulated") as ready:
        given = environment(ready, tmp_path) | {"BERTH_HOME": str(tmp_path / "home")}
        cluster = Proxmox(Settings.from_environment(given))
        examined = doctor(given)
        assert examined.returncode != 0 and f"`{ADVICE}`" in examined.stdout
        with api_server(given, tmp_path / "api_server.log") as berth:
            chat = berth.chat()
            assert f"`{ADVICE}`" in chat.say(VM).text
            asked = chat.say(ADVICE)
            assert "address" in asked.text
            planned = chat.say("address 192.168.1.60/24")
            stopped = chat.say(f"approve {planned.digest}")
            assert chat.run.status == "stopped" and "lvcreate failed" in stopped.text
            retried = chat.say("retry")
            assert chat.run.status == "done", retried.text
            assert "ssh -F" not in chat.say("how do I log in?").text, "nobody logs in to a template"
            [row] = [one for one in cluster.read("cluster", "resources", type="vm") if one.get("template")]
            config = cluster.read("nodes", "pve", "qemu", str(row["vmid"]), "config")
            assert (row["name"], row["status"], "cloudinit" in config["ide2"]) == ("debian-12", "stopped", True)

            # Its address is told by the agent that is in the template.
            other = berth.chat()
            done = other.say(f"approve {other.say(VM).digest}")
            assert other.run.status == "done", done.text
            # A machine is whole without its template.
            gone = chat.say(f"approve {chat.say('remove it').digest}")
            assert chat.run.status == "removed", gone.text
            assert [one["volid"] for one in cluster.read("nodes", "pve", "storage", "local", "content")] == []


@pytest.mark.systems
def test_a_template_and_a_machine_of_it_under_the_rights_that_readme_grants(tmp_path: Path) -> None:
    made: dict[str, Any] = granted()
    file, site = tmp_path / "world.yaml", tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump({"based_on": str(WORLDS / "four_nodes.yaml"), "proxmox": made | {"guests": {9001: None}}}))
    site.write_text(yaml.safe_dump({"pool": next(iter(made["pools"]))}))
    tokens = {name: f"berth@pve!{name}={one['secret']}" for name, one in made["users"]["berth@pve"]["tokens"].items()}
    with world([str(file)], tmp_path / "world", guests="emulated") as ready:
        given = environment(ready, tmp_path) | {
            "BERTH_HOME": str(tmp_path / "home"),
            "BERTH_SITE_FILE": str(site),
            "PROXMOX_VE_API_TOKEN": tokens["apply"],
            "BERTH_SCAN_TOKEN": tokens["scan"],
        }
        with api_server(given, tmp_path / "api_server.log") as berth:
            chat = berth.chat()
            planned = chat.say("make an Ubuntu template on node pve1, storage ceph-vm, network 20, address 10.20.0.9/24, gateway 10.20.0.1")
            done = chat.say(f"approve {planned.digest}")
            assert chat.run.status == "done", done.text
            other = berth.chat()
            machine = other.say(
                "an Ubuntu VM called u-01 with 1 core, 1 GB and 8 GB disk, storage ceph-vm, network 20, development, no key"
            )
            made_of_it = other.say(f"approve {machine.digest}")
            assert other.run.status == "done", made_of_it.text
            for one in (other, chat):
                removed = one.say(f"approve {one.say('remove it').digest}")
                assert one.run.status == "removed", removed.text
