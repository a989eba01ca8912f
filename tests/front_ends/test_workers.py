"""Three machines share a ledger on PostgreSQL and a folder. Two of them are lost in the middle of runs; the third goes on with everything.

Each machine is a `berth serve` with a home of its own. What is lost is killed with kill -9, Terraform and all. On one machine a
`berth serve` has several processes.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from cluster_sim.run import environment, world
from tests.conftest import WORLDS, free_port, wait_until
from tests.front_ends.served import SESSIONS, Served, berth_serve
from tests.ledger.postgresql import postgresql_server, postgresql_url
from tests.values import Stored, opened
from tools.clients import detached
from tools.clients.detached import Phase
from tools.clients.proxmox_removing import Removing
from tools.ledger.database import leases
from tools.pipeline.replaying import replay
from tools.pipeline.world import World

__all__ = ["postgresql_server", "postgresql_url"]

pytestmark = [pytest.mark.systems, pytest.mark.timeout(600)]

TOKEN = "token-of-alice-0123456789"
VM = "a Debian VM called {name} with 1 core, 1 GB memory and 8 GB disk, development, network 20"


@dataclass
class Worker:
    url: str
    process: subprocess.Popen[bytes]

    def say(self, session: str, text: str) -> int:
        """The status of the answer; 0 when the machine was lost before it came."""
        message = {"appName": "provisioner", "userId": "alice", "sessionId": session, "newMessage": {"parts": [{"text": text}]}}
        with httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=300) as client:
            try:
                client.post(SESSIONS, json={"sessionId": session})
                return client.post("/run", json=message).status_code
            except httpx.HTTPError:
                return 0

    def is_up(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/readyz", timeout=10).status_code == 200
        return False


@dataclass
class Site:
    workers: Sequence[Worker]
    world: World
    before: Sequence[str]
    """Names of the machines that were there."""

    def chat(self, session: str) -> Stored:
        return Stored(self.world, f"provisioner/alice/{session}")

    def places(self, run_id: str) -> list[Path]:
        return sorted(self.world.run_folder(run_id).glob("*/.apply/*"))

    def alive(self, *run_ids: str) -> list[Path]:
        return [place for run_id in run_ids for place in self.places(run_id) if detached.phase(place) is Phase.ALIVE]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workers")


@pytest.fixture
def site(folder: Path, postgresql_url: str) -> Iterator[Site]:
    (folder / "tokens").write_text(f"alice {hashlib.sha256(TOKEN.encode()).hexdigest()}\n")
    (folder / "roles.yaml").write_text("principals:\n  alice: [requester, operator]\n")
    (folder / "shared").mkdir()
    with ExitStack() as stack:
        ready = stack.enter_context(world([str(WORLDS / "four_nodes.yaml")], folder / "world", guests="emulated"))
        given = {
            **environment(ready, folder),
            "BERTH_ROLES_FILE": str(folder / "roles.yaml"),
            "BERTH_DATABASE_URL": postgresql_url,
            "BERTH_SHARED_FOLDER": str(folder / "shared"),
        }
        workers = [stack.enter_context(_worker(folder, number, given)) for number in (1, 2, 3)]
        for worker in workers:
            wait_until(worker.is_up, 90)
        beside = stack.enter_context(opened({**given, "BERTH_HOME": str(folder / "beside")}))
        yield Site(workers, beside, _names(beside))


def _names(world: World) -> list[str]:
    there = Removing(world.settings).read("cluster", "resources")
    return [one["name"] for one in there if one["type"] == "qemu" and not one.get("template")]


class _worker(ExitStack):
    def __init__(self, folder: Path, number: int, given: dict[str, str]) -> None:
        super().__init__()
        port = free_port()
        url, file = f"http://127.0.0.1:{port}", folder / f"serve{number}.yaml"
        file.write_text(json.dumps({"address": url, "port": port, "tokens_file": str(folder / "tokens"), "messages_a_minute": 100}))
        out = self.enter_context((folder / f"log{number}").open("wb"))
        command = [str(Path(sys.executable).with_name("berth")), "serve", str(file)]
        home = {"BERTH_HOME": str(folder / f"home{number}")}
        self.worker = Worker(url, subprocess.Popen(command, cwd=folder, env={**given, **home}, stdout=out, stderr=out))
        self.callback(self._end)

    def __enter__(self) -> Worker:  # type: ignore[override]
        super().__enter__()
        return self.worker

    def _end(self) -> None:
        self.worker.process.terminate()
        self.worker.process.wait(40)


def _lost(site: Site, worker: Worker, *run_ids: str) -> None:
    """The machine is gone, with what it ran there."""
    worker.process.kill()
    worker.process.wait(10)
    for place in site.alive(*run_ids):
        detached.signal_it(place, signal.SIGKILL)


def test_three_workers_and_two_of_them_are_lost(site: Site) -> None:
    first, second, third = site.workers
    assert first.say("s1", VM.format(name="asked-01")) == second.say("s2", VM.format(name="asked-02")) == 200
    runs = [site.chat(session).plan.plan.run_id for session in ("s1", "s2")]

    # A conversation goes on at any of them, and the run is carried out by whoever takes the approval.
    said = [
        threading.Thread(target=worker.say, args=(session, f"approve {site.chat(session).open_digest}"))
        for worker, session in ((second, "s1"), (first, "s2"))
    ]
    for thread in said:
        thread.start()
    wait_until(lambda: bool(site.alive(*runs)), 90)
    assert len(site.alive(*runs)) == 1, "runs that change one world take turns, whichever machine has them"
    wait_until(lambda: {site.world.ledger.runs.row(run_id).status for run_id in runs} == {"running"}, 30)
    _lost(site, first, *runs)
    _lost(site, second, *runs)

    together = 0

    def both_done() -> bool:
        nonlocal together
        together = max(together, len(site.alive(*runs)))
        return {site.world.ledger.runs.row(run_id).status for run_id in runs} == {"done"}

    wait_until(both_done, 300, lambda: str([site.world.ledger.runs.lines(run_id)[-3:] for run_id in runs]))
    assert together <= 1
    for thread in said:
        thread.join(30)

    machines = [machine for session in ("s1", "s2") for machine in site.chat(session).machines]
    assert [machine.name for machine in machines] == ["asked-01", "asked-02"]
    assert Counter(_names(site.world)) == Counter([*site.before, "asked-01", "asked-02"]), "nothing lost, nothing doubled"
    assert all(step.status == "done" for run_id in runs for step in site.world.ledger.runs.get(run_id).steps)
    assert site.world.ledger.verify().holds
    holders = {record.facts.get("fence") for record in site.world.ledger.audit.read() if record.facts.get("action") == "applying"}
    assert len(holders) > 1, "another one had the lease by then"
    for run_id in runs:
        assert replay(site.world, run_id).difference is None, "what was recorded comes to the same bytes"
    assert third.say("s1", "status") == 200 and site.chat("s1").phase == "done"


@dataclass
class Service:
    """Of two processes."""

    served: Served
    world: World

    def say(self, text: str) -> int:
        return Worker(self.served.url, self.served.process).say("s1", text)

    @contextmanager
    def only(self, worker: int) -> Iterator[None]:
        """The others answer nothing, and have nothing in hand."""
        wait_until(lambda: not self.held(), 30)
        others = [one for one in self.served.workers() if one != worker]
        for one in others:
            os.kill(one, signal.SIGSTOP)
        try:
            yield
        finally:
            for one in others:
                os.kill(one, signal.SIGCONT)

    def answers(self, worker: int) -> bool:
        with self.only(worker), suppress(httpx.HTTPError):
            return httpx.get(f"{self.served.url}/readyz", timeout=5).status_code == 200
        return False

    def held(self) -> int:
        """How many have the conversation: its lease is given back just after the answer."""
        with self.world.ledger.database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).where(leases.c.holder != "")).scalar_one())

    def counted(self) -> float:
        """Messages that were answered, as Prometheus is told."""
        page = httpx.get(f"{self.served.url}/metrics", headers={"authorization": f"Bearer {TOKEN}"}, timeout=60).text
        read = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
        return sum(one.value for one in read if one.name == "berth_requests_total" and one.labels == {"kind": "message", "status": "200"})

    def memory(self) -> str:
        """What is asked for now."""
        return next(fact.value for fact in Stored(self.world, "provisioner/alice/s1").now.request.items[0].facts if fact.name == "memory")


@pytest.fixture
def service(tmp_path: Path, postgresql_url: str) -> Iterator[Service]:
    (tmp_path / "tokens").write_text(f"alice {hashlib.sha256(TOKEN.encode()).hexdigest()}\n")
    (tmp_path / "roles.yaml").write_text("principals:\n  alice: [requester]\n")
    given = {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "VIRTUAL_ENV") if name in os.environ}
    given |= {"BERTH_HOME": str(tmp_path / "home"), "BERTH_ROLES_FILE": str(tmp_path / "roles.yaml"), "BERTH_DATABASE_URL": postgresql_url}
    with (
        berth_serve(tmp_path, given, workers=2, tokens_file=str(tmp_path / "tokens"), messages_a_minute=100) as served,
        opened({**given, "BERTH_HOME": str(tmp_path / "beside")}) as beside,
    ):
        yield Service(served, beside)


def test_a_service_of_two_processes_is_one_service(service: Service) -> None:
    first, second = service.served.workers()
    wait_until(lambda: all(service.answers(worker) for worker in (first, second)), 90)
    assert service.say("a PostgreSQL database on network 20 for development") == 200

    # Messages of one conversation are taken one after another, whichever of them gets each.
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda gib: service.say(f"make it {gib} GB of memory"), range(20, 36)))
    assert said == [200] * 16 and service.counted() == 17, "they count together"

    # What is said to one of them, the other goes on with. One that is stopped for 20 s would be ended: both have loaded what they need.
    with service.only(first):
        assert service.say("make it 16 GB of memory") == 200
    with service.only(second):
        assert service.say("2 GB more") == 200
    assert service.memory().startswith("18") and service.counted() == 19

    # One that dies is begun again, and nothing that it counted is lost.
    os.kill(first, signal.SIGKILL)
    assert service.say("make it 12 GB of memory") == 200, "the other one answers meanwhile"
    wait_until(lambda: len(set(service.served.workers()) - {first, second}) == 1, 60)
    [third] = set(service.served.workers()) - {first, second}
    wait_until(lambda: service.answers(third), 90)
    assert service.memory().startswith("12") and service.counted() == 20

    # None of them is left over, to keep the port and go on with old settings.
    service.served.process.kill()
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in (second, third)), 60)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{service.served.url}/healthz")
