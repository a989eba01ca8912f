"""Two tokens, as README's own lines make them: one that may only look, and one that may act in one pool only. A whole life under them, and
what README shows."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster_sim.run import environment, world
from tests.conftest import ROOT, WORLDS, api_server

SECRET = "1ea57000-0000-4000-8000-00000000000"
READY = "berth@pve!scan"
README = (ROOT / "README.md").read_text()


def block(language: str, has: str) -> str:
    """README's block of code that has these words."""
    return next(one for one in re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL) if has in one)


def granted() -> dict[str, Any]:
    """What README's `pveum` lines come to, as a section of a world file. The shell itself reads them, as it does an operator's."""
    shown = subprocess.run(
        ["bash", "-euc", 'pveum() { printf "%q " "$@"; echo; }\n' + block("sh", "pveum role add")],
        capture_output=True,
        text=True,
        check=True,
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


@contextmanager
def connected(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings as README's section has them, of a cluster with just those roles."""
    made = granted()
    file = tmp_path / "world.yaml"
    file.write_text(yaml.safe_dump({"based_on": str(WORLDS / "four_nodes.yaml"), "proxmox": made}))
    site = next(line for line in block("sh", "berth doctor").splitlines() if line.startswith("echo"))
    subprocess.run(["bash", "-euc", site], cwd=tmp_path, check=True)
    tokens = {name: f"berth@pve!{name}={one['secret']}" for name, one in made["users"]["berth@pve"]["tokens"].items()}
    with world([str(file)], tmp_path / "world", guests="emulated") as ready:
        yield environment(ready, tmp_path) | {
            "BERTH_HOME": str(tmp_path / "home"),
            "BERTH_SITE_FILE": str(tmp_path / "site.yaml"),
            "PROXMOX_VE_API_TOKEN": tokens["apply"],
            "BERTH_SCAN_TOKEN": tokens["scan"],
        }


def berth_says(given: dict[str, str], *command: str) -> str:
    done = subprocess.run([ROOT / ".venv/bin/berth", *command], env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_whole_life_under_the_rights_that_readme_grants(tmp_path: Path) -> None:
    with connected(tmp_path) as given:
        berth_says(given, "doctor")
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


@pytest.mark.systems
def test_what_readme_shows_is_made_under_the_rights_that_it_grants(tmp_path: Path) -> None:
    [sentence] = re.findall(r"^\[user\]: (I need .*)$", README, flags=re.MULTILINE)
    [template] = re.findall(r"without one, say `(.*?)`", README)
    file = tmp_path / "shop.yaml"
    file.write_text(block("yaml", "items:"))
    with connected(tmp_path) as given, api_server(given, tmp_path / "api_server.log") as berth:
        kept = re.findall(r"request-[0-9a-f]+", berth_says(given, "request", "apply", str(file)))[0]
        for said in (
            (sentence, "no key"),
            (template, "network 20, address 10.20.0.90/24, gateway 10.20.0.1"),
            (f"resume {kept}", "no key"),
        ):
            chat = berth.chat()
            replies = [chat.say(text) for text in said]
            assert replies[-1].digest, replies[-1].text
            done = chat.say(f"approve {replies[-1].digest}")
            assert chat.run.status == "done", done.text
