"""A process that is killed while a playbook runs leaves the playbook behind; the next attempt ends it and starts anew."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tools.clients.ansible import PID_FILE, run_playbook

from .guests import Site
from .test_variables import a_playbook

LOOKS_MAX = 300
ATTEMPT = """
import sys
from pathlib import Path
from tools.clients.ansible import run_playbook
from tools.clients.ssh import Host
run_folder, part, folder = map(Path, sys.argv[1:])
run_playbook(run_folder, part, "echo.yml", [Host("web-01", "10.20.0.32", "ops")], {}, {}, print, folder=folder)
"""


def test_the_next_attempt_ends_what_the_killed_one_left(site: Site, tmp_path: Path) -> None:
    context = site.contexts["web_server"]
    part = tmp_path / "part"
    part.mkdir()
    # Ends at once the second time.
    wait_once = "test -e /tmp/second || { touch /tmp/second; exec sleep 60; }"
    folder = a_playbook(tmp_path, [{"name": "Take long", "ansible.builtin.command": {"argv": ["sh", "-c", wait_once]}}])
    words = [sys.executable, "-c", ATTEMPT, str(context.run_folder), str(part), str(folder)]
    killed = subprocess.Popen(words, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(LOOKS_MAX):
            if site.bodies.exec("web-01", ["test", "-e", "/tmp/second"]).returncode == 0:
                break
            time.sleep(0.1)
        left_behind = int((part / "ansible" / PID_FILE).read_text())
    finally:
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    os.kill(left_behind, 0)  # it lives
    results = run_playbook(context.run_folder, part, "echo.yml", context.hosts(), {}, {}, print, folder=folder)
    assert results["web-01"].ok == 2
    assert not Path(f"/proc/{left_behind}").exists() or "Z" in Path(f"/proc/{left_behind}/stat").read_text().split()[2]
    site.bodies.exec("web-01", ["pkill", "-f", "^sleep 60"])
