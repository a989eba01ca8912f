"""Child processes: each in a group of its own, with an environment handed in whole, and their words made safe to show. A process that must
outlive us goes through tools.clients.detached."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tools.rules.names.foreign import seen
from tools.values.trouble import WorldProblem

LOOK_SECONDS = 0.05
INTERRUPT_SECONDS_MAX = 60.0
TERMINATE_SECONDS_MAX = 10.0
OUTPUT_BYTES_MAX = 64 * 2**20


UTF8 = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
"""Of every child process: names and notes are in any language, whatever the terminal is set to."""


class Finished(NamedTuple):
    code: int
    out: str
    err: str


def no_proxy() -> str:
    """The operator's exceptions, by either spelling of the variable, and this machine."""
    return ",".join(filter(None, (os.environ.get("NO_PROXY"), os.environ.get("no_proxy"), "127.0.0.1,localhost,::1")))


def plain(text: str, secrets: Iterable[str] = (), length_max: int = 2_000) -> str:
    """Fit to be shown: no terminal escapes, no control or direction characters, no secret, not endless."""
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    text = seen(text)
    return text if len(text) <= length_max else text[:length_max] + " …"


def run(
    argv: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    seconds_max: float,
    cancelled: Callable[[], bool] = lambda: False,
) -> Finished:
    """Runs to the end, with both outputs kept in memory. Cancelled or late, it is interrupted, then terminated."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                list(argv),
                cwd=folder,
                env={**environment, **UTF8},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                umask=0o077,
            )
        except OSError as error:
            raise WorldProblem(
                "A program could not be started.",
                f"{argv[0]} did not start ({error.strerror}).",
                "Install it, or set the path where it is.",
            ) from error
        looks_max = max(1, int(seconds_max / LOOK_SECONDS))
        for _ in range(looks_max):
            try:
                process.wait(LOOK_SECONDS)
                break
            except subprocess.TimeoutExpired:
                if cancelled():
                    end_group(process)
                    break
        else:
            end_group(process)
            raise WorldProblem(
                "A program took too long.",
                f"{Path(argv[0]).name} {_verb(argv)} was still running after {seconds_max:.0f} seconds and was stopped.",
                "Look whether the world it talks to is slow or away, then try again.",
                retryable=True,
            )
        return Finished(process.returncode, _text(out), _text(err))


def end_group(process: subprocess.Popen[bytes], interrupt_seconds: float = INTERRUPT_SECONDS_MAX) -> None:
    """SIGINT to the whole group and time to tidy up; SIGTERM, then SIGKILL, only if it does not end."""
    for number, seconds in ((signal.SIGINT, interrupt_seconds), (signal.SIGTERM, TERMINATE_SECONDS_MAX), (signal.SIGKILL, 5.0)):
        signal_group(process.pid, number)
        try:
            process.wait(seconds)
            break
        except subprocess.TimeoutExpired:
            continue
    signal_group(process.pid, signal.SIGKILL)  # Children that took no notice of the first two.


def signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return  # It has ended meanwhile, or its number belongs to somebody else by now.


def _text(file: object) -> str:
    file.seek(0)  # type: ignore[attr-defined]
    raw: bytes = file.read(OUTPUT_BYTES_MAX)  # type: ignore[attr-defined]
    return raw.decode(errors="replace")


def _verb(argv: Sequence[str]) -> str:
    return next((word for word in argv[1:] if not word.startswith("-")), "")
