"""Two tokens, as README's own lines make them: one that may only look, and one that may act in one pool only. A whole life under them."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import yaml

from cluster_sim.run import environment, world
from tests.conftest import ROOT, WORLDS, api_server

SECRET = "1ea57000-0000-4000-8000-00000000000"
READY = "berth@pve!scan"


def granted() -> dict[str, Any]:
    """What README's `pveum` lines come to, as a section of a world file. The shell itself reads them, as it does an operator's."""
    text = (ROOT / "README.md").read_text()
    block = next(one for one in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL) if "pveum role add" in one)
    shown = subprocess.run(
        ["bash", "-euc", 'pveum() { printf "%q " "$@"; echo; }\n' + block], capture_output=True, text=True, check=True
    ).stdout
    made: dict[str, Any] = {"roles": {}, "pools": {}, "users": {}, "grants": [], "ready_token": READY}
    for line in shown.splitlines():
        match shlex.split(line):
            case ["role", "add", name, "--privs", privileges]:
                made["roles"][name] = privileges.split(",")
            case ["pool", "add", name]:
                made["pools"][name] = {}
            case ["user", "add", name]:
                made["users"][name] = {"tokens": {}}
            case ["user", "token", "add", user, name, "--privsep", separate]:
                tokens = made["users"][user]["tokens"]
                tokens[name] = {"secret": f"{SECRET}{len(tokens)}", "separate": separate == "1"}
            case ["acl", "modify", path, "--users" | "--tokens", to, "--roles", role]:
                made["grants"].append({"path": path, "to": to, "role": role})
            case words:
                raise AssertionError(f"README tells a line that this test does not know: pveum {' '.join(words)}")
    return made


def test_a_whole_life_under_the_rights_that_readme_grants(tmp_path: Path) -> None:
    made = granted()
    file, site = tmp_path / "world.yaml", tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump({"based_on": str(WORLDS / "four_nodes.yaml"), "proxmox": made}))
    site.write_text(yaml.safe_dump({"pool": next(iter(made["pools"]))}))
    tokens = {name: f"berth@pve!{name}={one['secret']}" for name, one in made["users"]["berth@pve"]["tokens"].items()}
    with world([str(file)], tmp_path / "world", guests="emulated") as ready:
        given = environment(ready, tmp_path) | {
            "BERTH_HOME": str(tmp_path / "home"),
            "BERTH_SITE_FILE": str(site),
            "PROXMOX_VE_API_TOKEN": tokens["apply"],
            "BERTH_SCAN_TOKEN": tokens["scan"],
        }
        doctor = subprocess.run([ROOT / ".venv/bin/berth", "doctor"], env=given, capture_output=True, text=True, check=False)
        assert doctor.returncode == 0, doctor.stdout
        with api_server(given, tmp_path / "api_server.log") as berth:
            chat = berth.chat()
            planned = chat.say(
                "a Debian VM called least-01 with 1 core, 1 GB and 8 GB disk, storage ceph-vm, network 20, development, no key"
            )
            done = chat.say(f"approve {planned.digest}")
            assert chat.run.status == "done", done.text
            larger = chat.say("make it 2 cores")
            changed = chat.say(f"approve {larger.digest}")
            assert chat.run.status == "done", changed.text
            removal = chat.say("remove it")
            removed = chat.say(f"approve {removal.digest}")
            assert chat.run.status == "removed", removed.text
            # What the token may not do is told before anybody is asked, with the lines that would grant it.
            refused = chat.say(
                "a Debian VM called most-01 with 1 core, 1 GB and 8 GB disk, storage local-lvm, network 20, development, no key"
            )
            assert not re.search(r"approve [0-9a-f]{12}", refused.text)
            assert "pveum acl modify /storage/local-lvm --users berth@pve --tokens 'berth@pve!apply'" in refused.text
            said = (tmp_path / "api_server.log").read_text() + done.text + changed.text + removed.text + refused.text
            assert SECRET not in said
