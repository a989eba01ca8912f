"""What is left running when a playbook is cut short: nothing when it is cancelled; and what a killed process leaves, the next attempt
ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.clients.ansible import run_playbook
from tools.values.trouble import WorldProblem

from .guests import Met
from .test_variables import a_playbook

LOOKS_MAX = 300
ATTEMPT = """
import sys
from pathlib import Path
from tools.clients.ansible import run_playbook
from tools.values.trouble import WorldProblem
from tools.clients.ssh import Host
run_folder, part, folder = map(Path, sys.argv[1:])
run_playbook(run_folder, part, "echo.yml", [Host("web-01", "10.20.0.32", "ops")], {}, {}, print, folder=folder)
"""


def test_the_next_attempt_ends_what_the_killed_one_left(met: Met, tmp_path: Path) -> None:
    context = met.context
    part = tmp_path / "part"
    part.mkdir()
    # Ends at once the second time.
    wait_once = "test -e /tmp/second || { touch /tmp/second; exec sleep 60; }"
    folder = a_playbook(tmp_path, [{"name": "Take long", "ansible.builtin.command": {"argv": ["sh", "-c", wait_once]}}])
    words = [sys.executable, "-c", ATTEMPT, str(context.run_folder), str(part), str(folder)]
    killed = subprocess.Popen(words, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(LOOKS_MAX):
            if met.bodies.exec("web-01", ["test", "-e", "/tmp/second"]).returncode == 0:
                break
            time.sleep(0.1)
    finally:
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    assert playbooks_of(part)
    results = run_playbook(context.run_folder, part, "echo.yml", context.hosts(), {}, {}, print, folder=folder)
    assert results["web-01"].ok == 2
    assert not playbooks_of(part)
    met.bodies.exec("web-01", ["pkill", "-f", "^sleep 60"])


def test_a_cancelled_one_leaves_nothing_running(met: Met, tmp_path: Path) -> None:
    context = met.context
    part = tmp_path / "part"
    part.mkdir()
    begin = "touch /tmp/third; exec sleep 61"
    folder = a_playbook(tmp_path, [{"name": "Take long", "ansible.builtin.command": {"argv": ["sh", "-c", begin]}}])

    def begun() -> bool:
        return met.bodies.exec("web-01", ["test", "-e", "/tmp/third"]).returncode == 0

    with pytest.raises(WorldProblem, match="cancelled"):
        run_playbook(context.run_folder, part, "echo.yml", context.hosts(), {}, {}, print, cancelled=begun, folder=folder)
    assert not playbooks_of(part)
    met.bodies.exec("web-01", ["pkill", "-f", "^sleep 61"])


def playbooks_of(part: Path) -> list[str]:
    """The processes that carry out a playbook of this part."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "stat=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if f"@{part}/ansible/variables.json" in line and not line.startswith("Z")]
