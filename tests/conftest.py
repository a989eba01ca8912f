"""What the stories share: a simulated world at its URL, and the real front ends as processes. One of each serves the whole session."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import settings

from cluster_sim.run import environment, world
from tests.certificates import problems
from tests.values import Stored, opened
from tools.pipeline.world import World

ROOT = Path(__file__).parents[1]
WORLDS = ROOT / "cluster_sim" / "worlds"
ANSWER_SECONDS_MAX = 180.0
settings.register_profile("berth", deadline=None)
settings.load_profile("berth")  # How long one example takes says more of the machine than of the code.


def pytest_configure(config: pytest.Config) -> None:
    """Where this machine has no terraform, tests that call it by its name find the copy that Berth itself runs then."""
    if shutil.which("terraform"):
        return
    folder = Path(tempfile.mkdtemp(prefix="berth-tests-"))
    config.add_cleanup(lambda: shutil.rmtree(folder))
    program = folder / "terraform"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{ROOT / "tools" / "clients" / "terraform_bundled.py"}" "$@"\n')
    program.chmod(0o700)
    os.environ["PATH"] = f"{os.environ['PATH']}:{folder}"


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are processors: a third of a story's time is waiting, for a machine that boots or a Terraform that plans. Of
    whole systems it is half: for a standby that takes over, an alert that is due."""
    processors = len(os.sched_getaffinity(0))
    return 2 * processors if config.option.markexpr == "systems" else processors + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What may take longest begins first: else the last file keeps one processor busy while the others have nothing to do."""
    longest: dict[Path, float] = {}
    for item in items:
        mark = item.get_closest_marker("timeout")
        longest[item.path] = max(longest.get(item.path, 0.0), float(mark.args[0]) if mark else 0.0)
    items.sort(key=lambda item: -longest[item.path])


@dataclass(frozen=True)
class Reply:
    """What was said in one turn."""

    events: tuple[dict[str, Any], ...]

    @property
    def text(self) -> str:
        return "\n".join(p["text"] for e in self.events for p in (e.get("content") or {}).get("parts") or () if p.get("text"))

    @property
    def digest(self) -> str:
        """Of the plan on offer: the last one shown."""
        found = re.findall(r"approve ([0-9a-f]{12})", self.text)
        assert found, self.text
        return str(found[-1])

    @property
    def run_id(self) -> str:
        found = re.findall(r"run-[0-9a-z]+", self.text)
        assert found, self.text
        return str(found[-1])

    @property
    def artifacts(self) -> tuple[str, ...]:
        return tuple(name for e in self.events for name in (e.get("actions") or {}).get("artifactDelta") or ())


@dataclass(frozen=True)
class Chat(Stored):
    """One conversation over HTTP, as adk_web.md documents it, with the values that are stored of it."""

    url: str
    session: str
    user: str

    def begin(self) -> Chat:
        httpx.post(f"{self.url}/apps/provisioner/users/{self.user}/sessions", json={"sessionId": self.session}).raise_for_status()
        return self

    def say(self, text: str) -> Reply:
        answer = self.post(text)
        answer.raise_for_status()
        reply = Reply(tuple(answer.json()))
        self._assert_certified(reply)
        return reply

    def _assert_certified(self, reply: Reply) -> None:
        """Whatever plan is on offer, its placement is true to what was seen. What an older Berth composed has no certificate."""
        now = self.now if re.search(r"approve [0-9a-f]{12}", reply.text) else None
        if now and now.manifest and now.manifest.certificate and now.snapshots and "proxmox" in now.snapshots:
            assert problems(now.manifest.model_dump(mode="json"), now.snapshots["proxmox"].model_dump(mode="json")) == []

    def post(self, text: str, seconds_max: float = ANSWER_SECONDS_MAX, **more: Any) -> httpx.Response:
        message = {"role": "user", "parts": [{"text": text}]}
        body = {"appName": "provisioner", "userId": self.user, "sessionId": self.session, "newMessage": message, **more}
        return httpx.post(f"{self.url}/run", json=body, timeout=seconds_max)


@dataclass
class Berth:
    """ADK's own API server with the provisioner, connected to a simulated world by settings."""

    url: str
    home: Path
    environment: Mapping[str, str]
    world: World = field(repr=False)
    """The same ledger and run folders, opened beside the server."""
    _count: int = 0

    def chat(self, user: str = "operator", session: str = "") -> Chat:
        self._count += 1
        session = session or f"s{self._count}"
        return Chat(self.world, f"provisioner/{user}/{session}", self.url, session, user).begin()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def api_server(given: Mapping[str, str], log: Path, host: str = "", options: Sequence[str] = ()) -> Iterator[Berth]:
    port = free_port()
    adk = str(Path(sys.executable).with_name("adk"))
    with log.open("wb") as out:
        process = subprocess.Popen(
            [adk, "api_server", "--port", str(port), *(["--host", host] if host else []), *options, "agents"],
            cwd=ROOT,
            env=dict(given),
            stdout=out,
            stderr=out,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: answers(url), 60, lambda: log.read_text()[-2000:])
            with opened(given) as world:
                yield Berth(url, Path(given["BERTH_HOME"]), given, world)
        finally:
            process.terminate()
            process.wait(30)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/list-apps", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def wait_until(true: Callable[[], bool], seconds_max: float, otherwise: Callable[[], str] = lambda: "") -> None:
    """Looks until it is so; fails with `otherwise` when it is not in time."""
    for _ in range(int(seconds_max / 0.05)):
        if true():
            return
        time.sleep(0.05)
    pytest.fail(f"not so after {seconds_max:g} s: {otherwise()}")


@pytest.fixture(scope="session")
def emulated_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], Path]]:
    """(ready line, folder): the four-node cluster, with guests that Ansible logs in to and that execute nothing."""
    folder = tmp_path_factory.mktemp("emulated")
    with world([str(WORLDS / "four_nodes.yaml")], folder / "world", guests="emulated") as ready:
        yield ready, folder


@pytest.fixture(scope="session")
def berth(emulated_cluster: tuple[dict[str, Any], Path]) -> Iterator[Berth]:
    ready, folder = emulated_cluster
    with api_server(environment(ready, folder), folder / "api_server.log") as server:
        yield server


@pytest.fixture(scope="session")
def azure_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], Path]]:
    """(ready line, folder): a simulated subscription."""
    folder = tmp_path_factory.mktemp("azure")
    with world([str(WORLDS / "azure_subscription.yaml")], folder / "world", guests="none") as ready:
        yield ready, folder
