"""One program that outlives whoever started it, at most once per place. It is not for programs whose answer is wanted at once.

The place is a folder that holds: `lock` (held while the program or this runner lives; the kernel frees it with them), `begun` (who and
when), `output`
(both streams, 0600) and `code` (the exit code, written whole at the end). Whoever comes later, in whatever process, reads the same
four files: start() again attaches instead of starting a second time.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

START_SECONDS_MAX = 15.0
LOOK_SECONDS = 0.05
LOCK_TRIES_MAX = 20


class Phase(StrEnum):
    NEVER = "never"
    """Nothing has begun."""
    ALIVE = "alive"
    ENDED = "ended"
    """`code` stands."""
    DIED = "died"
    """It began and is gone without an exit code: killed, or the machine went down."""


def start(place: Path, argv: Sequence[str], environment: Mapping[str, str], *, folder: Path) -> None:
    """Starts the program, which works in `folder`, unless it was ever begun in this place. The runner decides that under the lock, so two
    callers cannot both start it."""
    runner = [sys.executable, "-I", "-S", str(Path(__file__)), str(place), *argv]
    subprocess.Popen(
        runner,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        umask=0o077,
    )
    for _ in range(int(START_SECONDS_MAX / LOOK_SECONDS)):
        if phase(place) is not Phase.NEVER:
            return
        time.sleep(LOOK_SECONDS)


def phase(folder: Path) -> Phase:
    if (folder / "code").exists():
        return Phase.ENDED
    alive = _locked(folder / "lock")
    # Looked at after the lock: a program that ends between the two looks has written its code before it let go.
    if (folder / "code").exists():
        return Phase.ENDED
    if not (folder / "begun").exists():
        return Phase.NEVER
    return Phase.ALIVE if alive else Phase.DIED


def code(folder: Path) -> int:
    return int((folder / "code").read_text())


def signal_it(folder: Path, number: signal.Signals) -> None:
    """To the program's whole group, if it still lives."""
    if phase(folder) is not Phase.ALIVE:
        return
    group = int(json.loads((folder / "begun").read_text())["group"])
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def _locked(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _main(folder: Path, argv: list[str]) -> int:
    os.umask(0o077)
    # The group gets the signal; the program acts on it, and we stay to write down how it ended.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    # Whoever looks at the folder holds the lock for an instant; another runner holds it for good.
    for _ in range(LOCK_TRIES_MAX):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            time.sleep(LOOK_SECONDS)
    else:
        return 0
    if (folder / "begun").exists():
        return 0
    begun = {"group": os.getpid(), "at": time.time(), "argv": argv[:2]}
    _whole(folder / "begun", json.dumps(begun))
    with (folder / "output").open("wb") as output:
        try:
            # The lock is handed on: while the program lives, nobody takes it for dead, even if this runner is killed.
            ended = subprocess.run(argv, stdout=output, stderr=subprocess.STDOUT, pass_fds=(lock,), check=False)
            exit_code = ended.returncode
        except OSError as error:
            output.write(json.dumps({"@level": "error", "@message": f"{argv[0]} did not start: {error.strerror}"}).encode())
            exit_code = 127
        output.flush()
        os.fsync(output.fileno())
    _whole(folder / "code", str(exit_code))
    return 0


def _whole(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


if __name__ == "__main__":
    raise SystemExit(_main(Path(sys.argv[1]), sys.argv[2:]))
