"""The terminal: the demonstration itself, which types into `adk run` in a pseudo-terminal and ends with a second terraform plan."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from tests.conftest import wait_until

COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


BERTH = str(Path(sys.executable).with_name("berth"))


def _demo(folder: Path) -> subprocess.Popen[str]:
    # The folder is where the demo keeps its world and run.
    return subprocess.Popen(
        [BERTH, "demo"],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.mark.slow
def test_the_demo_ends_with_a_verified_server_and_a_clean_plan(tmp_path: Path) -> None:
    demo = pexpect.spawn(BERTH, ["demo"], cwd=str(tmp_path), encoding="utf-8", timeout=280, dimensions=(50, 160))
    demo.expect(pexpect.EOF)
    screen = str(demo.before)
    demo.close()
    assert demo.exitstatus == 0, screen[-3000:]
    drawn = COLOUR.sub("", screen)
    for words in ("approve ", "is done", "It was run at", "No changes. Your infrastructure matches the configuration."):
        assert words in drawn
    assert not re.search(r"^\|-|\*\*\w", drawn, re.MULTILINE), "Markdown is drawn, never printed"
    assert _leftovers(tmp_path) == []


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_running(tmp_path: Path) -> None:
    process = _demo(tmp_path)
    assert process.stdout is not None
    seen: list[str] = []
    for line in process.stdout:
        seen.append(line)
        if "apply" in line or "Approved" in line:
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert "\x1b[" not in "".join(seen), "what goes to a file is not drawn"
    wait_until(lambda: _leftovers(tmp_path) == [], 30, lambda: "\n".join(_leftovers(tmp_path)))


def _leftovers(folder: Path) -> list[str]:
    """Processes that still have the demo's folder on their command line or as their place."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            place = os.readlink(entry / "cwd")
        except OSError:
            continue
        if str(folder) in words or place.startswith(str(folder)):
            found.append(f"{entry.name} {words[:120]}")
    return found
