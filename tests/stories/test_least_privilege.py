"""Two tokens, as README's pveum lines make them: one that may only look, and one that may act in one pool only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cluster_sim.run import environment
from tests.conftest import api_server

SCAN = "scan@pve!scan=5ca40000-0000-4000-8000-000000000001"
APPLY = "apply@pve!apply=a9917000-0000-4000-8000-000000000002"


def test_two_tokens_of_least_privilege_make_and_remove_a_machine(emulated_cluster: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    ready, folder = emulated_cluster
    site = tmp_path / "site.yaml"
    site.write_text("pool: berth\n")
    given = environment(ready, folder) | {
        "BERTH_HOME": str(tmp_path / "home"),
        "BERTH_SITE_FILE": str(site),
        "PROXMOX_VE_API_TOKEN": APPLY,
        "BERTH_SCAN_TOKEN": SCAN,
    }
    with api_server(given, tmp_path / "api_server.log") as berth:
        chat = berth.chat()
        planned = chat.say(
            "a Debian VM called least-01 with 1 core, 1 GB and 8 GB disk from template debian-12 on network 20, development, no key"
        )
        done = chat.say(f"approve {planned.digest}")
        assert chat.run.status == "done", done.text
        removal = chat.say("remove it")
        removed = chat.say(f"approve {removal.digest}")
        assert chat.run.status == "removed", removed.text
        said = (tmp_path / "api_server.log").read_text() + done.text + removed.text
        assert all(token.partition("=")[2] not in said for token in (SCAN, APPLY))
