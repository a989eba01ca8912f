"""`berth serve` as a process, for tests; and anything that might be sent to it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from hypothesis import strategies as st

from tests.conftest import free_port, wait_until

SESSIONS = "/apps/provisioner/users/user/sessions"


@dataclass
class Served:
    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def workers(self) -> list[int]:
        """Where it has several: the processes that answer."""
        number = self.process.pid
        below = (int(one) for one in Path(f"/proc/{number}/task/{number}/children").read_text().split())
        return [one for one in below if "spawn_main" in Path(f"/proc/{one}/cmdline").read_text()]

    def is_up(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/readyz", timeout=10).status_code == 200
        return False


@contextmanager
def berth_serve(folder: Path, given: Mapping[str, str], **said: object) -> Iterator[Served]:
    """`said`: what its file says besides its address."""
    port, log = free_port(), folder / "log"
    url = f"http://127.0.0.1:{port}"
    (folder / "serve.yaml").write_text(json.dumps({"address": url, "port": port, **said}))
    with log.open("wb") as out:
        command = [str(Path(sys.executable).with_name("berth")), "serve", str(folder / "serve.yaml")]
        served = Served(url, subprocess.Popen(command, cwd=folder, env=dict(given), stdout=out, stderr=out), log)
        try:
            wait_until(served.is_up, 90, lambda: log.read_text()[-2000:])
            yield served
        finally:
            served.process.terminate()
            assert served.process.wait(40) in (0, -15, -9), log.read_text()[-2000:]


WORDS = st.sampled_from(["help", "list", "inbox", "\ud800", "\x00", "approve 0123456789ab", "a PostgreSQL database"]) | st.text(max_size=30)
NAMES = st.sampled_from(["alice", "bob", "user", "", "..", "s1", "s-2", "\ud800", "ä", "a b"]) | st.text(max_size=12)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(WORDS, below, max_size=4),
    max_leaves=8,
)
PARTS = st.lists(st.fixed_dictionaries({"text": WORDS}), min_size=1, max_size=3)
MESSAGES = st.fixed_dictionaries({"sessionId": st.just("s1"), "newMessage": st.fixed_dictionaries({"parts": PARTS})})
TITLES = st.fixed_dictionaries({"state": st.fixed_dictionaries({"__session_metadata__": st.fixed_dictionaries({"displayName": WORDS})})})
ODD = st.fixed_dictionaries(
    {},
    optional={
        "appName": st.just("provisioner") | ANY_JSON,
        "userId": NAMES | ANY_JSON,
        "sessionId": st.just("s1") | NAMES | ANY_JSON,
        "newMessage": st.fixed_dictionaries({"parts": PARTS}) | ANY_JSON,
        "streaming": st.booleans() | ANY_JSON,
        "stateDelta": ANY_JSON,
        "events": ANY_JSON,
        "invocation_id": ANY_JSON,
        "\ud800": ANY_JSON,
    },
)
ADDRESSES = ["/", "/run", "/run_sse", "/list-apps", "/version", "/apps/provisioner/app-info", "/dev-ui/", "/metrics", "/healthz", SESSIONS]
PATHS = st.one_of(
    st.sampled_from(ADDRESSES),
    st.tuples(NAMES, NAMES).map(lambda names: f"/apps/provisioner/users/{names[0]}/sessions/{names[1]}"),
    st.tuples(NAMES, NAMES).map(lambda names: f"{SESSIONS}/s1/artifacts/{names[0]}/{names[1]}"),
    NAMES.map(lambda name: f"/dev-ui/{name}"),
    WORDS.map(lambda words: f"/{words}"),
)
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])


def _posts(paths: list[str], bodies: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, str, bytes]]:
    return st.tuples(st.just("POST"), st.sampled_from(paths), bodies.map(lambda said: json.dumps(said).encode()))


CASES = st.one_of(
    st.tuples(METHODS, PATHS, st.binary(max_size=40)),
    _posts(["/run", "/run_sse", SESSIONS, f"{SESSIONS}/s1"], ODD | ANY_JSON),
    _posts(["/run", "/run_sse"], MESSAGES),
    _posts([SESSIONS, f"{SESSIONS}/s1"], TITLES),
)
"""(method, path, body): some that ADK's web UI would send but for the words in them, some that nobody would."""
