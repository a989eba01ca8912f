"""A site with a name server and a NetBox: what both have is kept off, what is made is known to both, and nothing stays behind."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster_sim.run import environment
from tests.conftest import ROOT, api_server
from tests.registers.name_server import name_server
from tests.registers.netbox import netbox

NETWORK = {"name": "DMZ", "bridge": "vmbr0", "vlan_tag": 30, "subnet": "10.0.30.0/24", "gateway": "10.0.30.1", "dhcp": False}
ASK = "a Debian VM with 1 core, 1 GB and 8 GB disk, storage ceph-vm, network DMZ, development, no key, called reg-1"


@pytest.mark.systems
def test_what_is_made_is_in_both_registers_until_it_is_removed(emulated_cluster: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    ready, _ = emulated_cluster
    bind_folder = tmp_path / "bind"
    bind_folder.mkdir()
    with name_server(bind_folder) as bind, netbox(tmp_path, datetime.now(UTC)) as book:
        book.has("10.0.30.10/24", dns_name="printer.example.org")
        site = {
            "networks": [NETWORK | {"pool": ["10.0.30.10-10.0.30.19"]}],
            "names": bind.site.model_dump(mode="json"),
            "ipam": book.site().model_dump(mode="json"),
        }
        (tmp_path / "site.yaml").write_text(yaml.safe_dump(site))
        given = environment(ready, tmp_path) | {"BERTH_HOME": str(tmp_path / "home"), "BERTH_SITE_FILE": str(tmp_path / "site.yaml")}
        doctor = subprocess.run([ROOT / ".venv/bin/berth", "doctor"], env=given, capture_output=True, text=True, check=False)
        assert doctor.returncode == 0 and doctor.stdout.count("lets Berth") == 3, doctor.stdout
        with api_server(given, tmp_path / "api_server.log") as berth:
            chat = berth.chat()
            planned = chat.say(ASK)
            assert "**Name**: reg-1.example.org" in planned.text and "10.0.30.11/24" in planned.text
            done = chat.say(f"approve {planned.digest}")
            assert chat.run.status == "done", done.text
            assert bind.has("reg-1.example.org") == ("10.0.30.11",)
            assert bind.has("11.30.0.10.in-addr.arpa", "PTR") == ("reg-1.example.org",)
            [machine] = chat.plan.manifest.parts[0].machines
            mark = f"Berth {chat.run.id} virtual_machine: VM {machine.vm_id} (reg-1)|reg-1.example.org"
            assert book.known()["10.0.30.11/24"] == mark
            assert "reg-1.example.org" in (berth.home / "runs" / chat.run.id / "guide.md").read_text()

            more = chat.say("make it 2 machines")
            changed = chat.say(f"approve {more.digest}")
            assert chat.run.status == "done", changed.text
            _, new = chat.plan.manifest.parts[0].machines
            assert book.known()["10.0.30.11/24"] == mark and bind.has("reg-1.example.org") == ("10.0.30.11",)
            assert bind.has(f"{new.name}.example.org") == ("10.0.30.12",)
            assert list(book.known()) == ["10.0.30.10/24", "10.0.30.11/24", "10.0.30.12/24"]

            removal = chat.say("remove it")
            removed = chat.say(f"approve {removal.digest}")
            assert chat.run.status == "removed", removed.text
            assert list(book.known()) == ["10.0.30.10/24"]
            assert bind.has("reg-1.example.org") == bind.has(f"{new.name}.example.org") == bind.has("11.30.0.10.in-addr.arpa", "PTR") == ()
