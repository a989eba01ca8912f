"""`berth hear` as a program: read by a model at the wire, and with the names of a world."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from cluster_sim.authority import make_authority
from cluster_sim.http import Server
from tests.models.providers import Providers

MESSAGE = "PostgreSQL database for 100 concurrent users in production on network 20, in the lab"
WORLD = "nodes: [{name: alpha}]\nnetworks: {lab: {tag: 30}}\n"


def test_a_model_hears_with_the_prompt_and_the_judge_of_a_conversation_and_the_world_gives_names(tmp_path: Path) -> None:
    providers = Providers()
    authority = make_authority(tmp_path / "ca")
    server = Server(providers.answer, authority.server_tls("models")).start()
    trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(authority.ca_file))
    model = {"GOOGLE_API_KEY": "k-123456", "GOOGLE_GEMINI_BASE_URL": f"https://localhost:{server.port}", "BERTH_HOME": str(tmp_path)}
    (tmp_path / "world.yaml").write_text(WORLD)
    (tmp_path / "message.txt").write_text("4 cores on alpha, a VM with 8 GB in the lab")
    (tmp_path / "database.txt").write_text(MESSAGE)
    try:
        by_rule = _hear(tmp_path, "--world", "world.yaml", "message.txt")
        by_model = _hear(tmp_path, "--model", "database.txt", **model, **trust)
        providers.mode = "invented"
        invented = _hear(tmp_path, "--model", "database.txt", **model, **trust)
    finally:
        server.stop()
    [machine] = by_rule["items"]
    assert (machine["facts"]["node"]["value"], by_rule["shared"]["network"]["value"]) == ("alpha", "lab")
    assert by_rule["shared"]["vlan"] == {"value": 30, "unit": "", "quote": by_rule["shared"]["vlan"]["quote"], "origin": "world"}
    [database] = by_model["items"]
    assert (database["label"], database["facts"]["users"]["value"]) == ("db", 100)
    assert invented["items"][0]["facts"]["users"]["value"] == 100, "what was never typed falls, and the rules read it"


def _hear(folder: Path, *words: str, **environment: str) -> dict[str, object]:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("berth")), "hear", "--json", *words],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, ""), "a model that did not answer is told there"
    return dict(json.loads(done.stdout))
