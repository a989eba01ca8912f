"""One program that outlives whoever started it, at most once per place. It is not for programs whose answer is wanted at once.

The place is a folder that holds: `lock` (held while the program or this runner lives; the kernel frees it with them), `begun` (who, where
and when), `beat` (touched every few seconds), `output` (both streams, 0600) and `code` (the exit code, written whole at the end). Whoever
comes later, in whatever process, reads the same files: start() again attaches instead of starting a second time.

The place may lie in a folder that several machines share. A lock and a process's number say nothing on another machine; there the beat
tells whether the program lives, and a signal is a file, `wanted`, that the runner looks for.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

START_SECONDS_MAX = 15.0
LOOK_SECONDS = 0.05
LOCK_TRIES_MAX = 20
BEAT_SECONDS = 2.0
SILENT_SECONDS_MAX = 20.0
"""Of a program on another machine: silent for longer, it is taken for dead."""


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


def this_machine() -> str:
    """Since it was last started, and with the processes that can be seen here: a container is a machine of its own."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts += [Path("/proc/sys/kernel/random/boot_id").read_text().strip(), os.readlink("/proc/self/ns/pid")]
    return " ".join(parts)


def phase(folder: Path) -> Phase:
    if (folder / "code").exists():
        return Phase.ENDED
    alive = _locked(folder / "lock")
    # Looked at after the lock: a program that ends between the two looks has written its code before it let go.
    if (folder / "code").exists():
        return Phase.ENDED
    if not (folder / "begun").exists():
        return Phase.NEVER
    if not alive and _is_elsewhere(folder):
        alive = _silent_seconds(folder) <= SILENT_SECONDS_MAX
        # To list a folder asks the server of shared files; whether one file exists may be answered from memory.
        if not alive and "code" in os.listdir(folder):
            return Phase.ENDED
    return Phase.ALIVE if alive else Phase.DIED


def code(folder: Path) -> int:
    return int((folder / "code").read_text())


def signal_it(folder: Path, number: signal.Signals) -> None:
    """To the program's whole group, if it still lives."""
    if phase(folder) is not Phase.ALIVE:
        return
    if _is_elsewhere(folder):
        _whole(folder / "wanted", str(int(number)))
        return
    group = int(_begun(folder)["group"])
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def host(folder: Path) -> str:
    """The name of the machine where it began."""
    return str(_begun(folder).get("machine") or this_machine()).split()[0]


def begun_seconds_ago(folder: Path) -> float:
    return _seconds_since(folder, folder / "begun")


def lifetime(folder: Path) -> tuple[float, float]:
    """(when it began, when it last gave a sign), by the clock of the machine where it did; seconds since 1970. The times of files may be
    those of another machine, so only how far they are apart is taken."""
    began_at, first = float(_begun(folder)["at"]), _touched_at(folder / "begun")
    signs = (_touched_at(path) - first for path in (folder / "output", folder / "beat") if path.exists())
    return began_at, began_at + max((0.0, *signs))


def _begun(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "begun").read_text())
    return found


def _is_elsewhere(folder: Path) -> bool:
    here = this_machine()
    return bool(_begun(folder).get("machine", here) != here)


def _silent_seconds(folder: Path) -> float:
    beat = folder / "beat"
    return _seconds_since(folder, beat if beat.exists() else folder / "begun")


def _seconds_since(folder: Path, mark: Path) -> float:
    """By the clock of whoever keeps the files, so that two machines need not agree on the time."""
    looked = folder / "looked"
    looked.touch(mode=0o600)
    return _touched_at(looked) - _touched_at(mark)


def _touched_at(path: Path) -> float:
    """Opened, because that asks the server of shared files anew."""
    with path.open("rb") as file:
        return os.fstat(file.fileno()).st_mtime


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
    begun = {"group": os.getpid(), "at": time.time(), "argv": argv[:2], "machine": this_machine()}
    if not _first(folder / "begun", json.dumps(begun)):
        return 0
    over = threading.Event()
    threading.Thread(target=_beat, args=(folder, over), daemon=True).start()
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
    over.set()
    return 0


def _beat(folder: Path, ended: threading.Event) -> None:
    """Says that the program lives, and hands it the signals that others ask for."""
    while not ended.wait(BEAT_SECONDS):
        with suppress(OSError, ValueError):  # The server of the files may be away for a moment.
            (folder / "beat").touch(mode=0o600)
            wanted = folder / "wanted"
            if wanted.exists():
                number = signal.Signals(int(wanted.read_text()))
                wanted.unlink()
                os.killpg(os.getpid(), number)


def _first(path: Path, text: str) -> bool:
    """Written whole, unless it is there: of several machines one is the first, also where locks are not shared."""
    draft = path.with_suffix(f".{os.getpid()}.new")
    draft.write_text(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def _whole(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


if __name__ == "__main__":
    raise SystemExit(_main(Path(sys.argv[1]), sys.argv[2:]))
