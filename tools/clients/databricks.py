"""Works inside a Databricks workspace, through a child process that runs the official SDK: what is to be there and what is there.

The SDK takes the authority to trust from the environment alone, so a child of its own gets it there. It logs in with a token that
azure-identity fetched; host, token and wishes go in by its standard input, never by its arguments.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Literal

from tools.clients.process import UTF8, end_group, no_proxy, plain
from tools.clients.settings import Settings
from tools.rules.names.foreign import theirs
from tools.values.trouble import WorldProblem
from tools.values.value import Json

SCOPE = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"
"""Azure Databricks, the same in every tenant."""
SECONDS_MAX = 1800.0
"""A first cluster takes five to ten minutes to start."""
LOOK_SECONDS = 0.5
INTERRUPT_SECONDS = 5.0
PASSED_ON = ("PATH", "LANG", "TMPDIR", "HTTPS_PROXY", "https_proxy")

Say = Callable[[str], None]


def inside(
    settings: Settings,
    host: str,
    wish: Literal["make", "look"],
    wanted: Json,
    say: Say,
    cancelled: Callable[[], bool] = lambda: False,
    seconds_max: float = SECONDS_MAX,
) -> tuple[str, ...]:
    """The sentences that the child said. `make` brings about what is wanted and waits for the cluster; `look` only tells what is there.
    Raises WorldProblem with the workspace's own words."""
    # Azure's libraries take a while to load, and a cluster's machines are configured without them.
    from tools.clients.azure import Azure

    token = Azure(settings).token(SCOPE)
    order = json.dumps({"host": host, "token": token, "wish": wish, "wanted": wanted})
    process = subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", "-m", "tools.clients.databricks_inside"],
        env={**_environment(settings), **UTF8},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    said: list[str] = []
    errors: list[bytes] = []
    assert process.stdin is not None
    secrets = (token, *settings.secret_texts())

    def listen() -> None:
        for line in process.stdout or ():
            said.append(plain(line.decode(errors="replace").strip(), secrets))
            say(said[-1])

    readers = [threading.Thread(target=listen), threading.Thread(target=lambda: errors.append(process.stderr.read()))]  # type: ignore[union-attr]
    for reader in readers:
        reader.start()
    process.stdin.write(order.encode())
    process.stdin.close()
    late = not _ended(process, cancelled, seconds_max)
    if late:
        end_group(process, INTERRUPT_SECONDS)
    for reader in readers:
        reader.join()
    if late:
        raise WorldProblem(
            "Configuring was cancelled." if cancelled() else "Configuring took too long.",
            f"The workspace was being worked on for up to {seconds_max:.0f} s; what was made there stays.",
            "Say retry to go on: what is done already is not done again.",
            retryable=True,
        )
    if process.returncode != 0:
        raise _problem(host, plain(b"".join(errors).decode(errors="replace"), secrets, 4000))
    return tuple(said)


def _ended(process: subprocess.Popen[bytes], cancelled: Callable[[], bool], seconds_max: float) -> bool:
    for _ in range(max(1, int(seconds_max / LOOK_SECONDS))):
        try:
            process.wait(LOOK_SECONDS)
            return True
        except subprocess.TimeoutExpired:
            if cancelled():
                return False
    return False


def _environment(settings: Settings) -> Mapping[str, str]:
    """Nothing of ours but the way there: a DATABRICKS_ variable or a profile of the operator's would lead the SDK elsewhere."""
    given = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    given |= {
        "HOME": str(settings.home),
        "DATABRICKS_CONFIG_FILE": os.devnull,
        "NO_PROXY": no_proxy(),
    }
    if settings.ca_file:
        given["REQUESTS_CA_BUNDLE"] = str(settings.ca_file)
    return given


def _problem(host: str, text: str) -> WorldProblem:
    """The child ends with one line of JSON; anything else is an accident of its own."""
    try:
        told = json.loads(text.strip().splitlines()[-1])
        detail, away, retryable = theirs(str(told["detail"])), bool(told["away"]), bool(told["retryable"])
    except (ValueError, KeyError, IndexError, TypeError):
        last = text.strip().splitlines()[-1:] or ["it said nothing"]
        detail, away, retryable = f"The program that works in the workspace ended: {theirs(last[0])}", False, True
    if away:
        return WorldProblem(
            "The workspace cannot be reached.",
            f"https://{host}: {detail}",
            "The workspace is closed to the internet: work from a network that is peered with its own and knows its private DNS zone, "
            "then say retry.",
            retryable=True,
        )
    return WorldProblem(
        "The workspace did not do it.", detail, "Correct what it says, then say retry: what is done stays.", retryable=retryable
    )
