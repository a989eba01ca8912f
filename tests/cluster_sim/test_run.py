"""`berth sim` stops what it started, however it is stopped itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import wait_until


def test_who_is_told_to_stop_leaves_no_world_behind(tmp_path: Path) -> None:
    runs = [sys.executable, "-m", "cluster_sim.run", "--guests", "none", "--folder", str(tmp_path / "sim"), "four_nodes", "--"]
    up = tmp_path / "up"
    long = f"import pathlib, time; pathlib.Path({str(up)!r}).touch(); time.sleep(600)"
    with subprocess.Popen([*runs, sys.executable, "-c", long]) as running:
        try:
            wait_until(lambda: up.exists() or running.poll() is not None, 120)
        finally:
            running.terminate()
        assert running.wait(60) == 128 + 15
    # The world's folder is locked as long as it is served.
    assert subprocess.run([*runs, sys.executable, "-c", ""]).returncode == 0
