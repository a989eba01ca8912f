"""`make eval` scores whatever model is configured: a good one is right, one that obeys everything is found out; through each protocol."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster_sim.authority import make_authority
from cluster_sim.http import Server
from tests.models.providers import Providers
from tests.models.test_backends import BACKENDS

COSTS = "how much would a second database cost?"


@pytest.mark.parametrize("backend", list(BACKENDS))
def test_a_model_is_scored_case_by_case(backend: str, tmp_path: Path) -> None:
    """The stand-in hears the same in every message, so that of the cases it is right where just that was said; and it picks well."""
    providers = Providers()
    authority = make_authority(tmp_path / "ca")
    server = Server(providers.answer, authority.server_tls("models")).start()
    trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(authority.ca_file))
    settings = {name: value.format(url=f"https://localhost:{server.port}") for name, value in BACKENDS[backend].items()}
    try:
        done = _evals(tmp_path, **trust, **settings, BERTH_HOME=str(tmp_path / "home"))
    finally:
        server.stop()
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith(("| hearing", "| refusing", "| choosing"))]
    scores = {row[0].strip("| "): row[2] for row in rows}
    assert scores == {"hearing": "1 of 8", "refusing": "5 of 6", "choosing": "2 of 4"}, done.stdout + done.stderr
    assert f"“{COSTS}”: it made add postgresql of it" in done.stdout
    assert done.returncode == 1, "what is not right is told"


def test_without_a_model_there_is_nothing_to_score(tmp_path: Path) -> None:
    done = _evals(tmp_path, BERTH_MODEL_FAST="", BERTH_MODEL_PRO="", GOOGLE_API_KEY="")
    assert (done.returncode, "No model is configured" in done.stdout) == (1, True)


def _evals(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.evals"]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=280)
