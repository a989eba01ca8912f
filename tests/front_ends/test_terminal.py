"""The demonstration, which types into `adk run` in a pseudo-terminal, cut short. All of it is what `.ci/run` runs first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import wait_until

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


@pytest.mark.parametrize("typed", ["hi\nexit\n", "hi\n"])
def test_a_talk_on_a_pipe_ends_without_a_word_of_python(tmp_path: Path, typed: str) -> None:
    given = {**os.environ, "BERTH_HOME": str(tmp_path)}
    ended = subprocess.run([BERTH, "chat"], cwd=tmp_path, env=given, input=typed, text=True, capture_output=True, timeout=120, check=False)
    assert "[reader]: " in ended.stdout
    assert not [word for word in ("Traceback", "Warning") if word in ended.stderr], ended.stderr
