"""Many conversations at once with `berth serve`, each of its own person, who comes in by a token, against one alone: turns that need
neither a model nor Terraform."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from socket import socket

import httpx

from benchmarks.bench import Bench
from benchmarks.rows import Row, median

CONVERSATIONS, TURNS, ALONE = 50, 4, 20
PAUSE_SECONDS = 5.0
"""Between two messages of a conversation, as somebody reads and types; a little more or less each time."""
P95_MS_MAX, CPU_RATIO_MAX = 1000.0, 2.0
OFTEN = 1_000_000
UP_SECONDS_MAX, ANSWER_SECONDS_MAX = 90.0, 120.0
BEGIN = "a PostgreSQL database on network 20 for development"
EDIT = "make it {gib} GB of memory"


def load(bench: Bench) -> Iterator[Row]:
    with service(bench.folder, bench.environment) as (url, pid):
        (alone, cpu_alone), (paced, cpu_paced), (pressed, _) = asyncio.run(measure(url, pid))
    note, floor = f"{CONVERSATIONS} conversations of {TURNS} turns each", "one conversation alone"
    typed = f"a turn, {CONVERSATIONS} conversations, each a message in {PAUSE_SECONDS:.0f} s"
    yield Row(f"{typed}: p95", 1000 * statistics.quantiles(seconds_of(paced), n=20)[-1], "ms", limit=P95_MS_MAX, note=note)
    yield Row("the same, median", 1000 * median(seconds_of(paced)), "ms", 1000 * median(seconds_of(alone)), floor)
    share = f"{note}; {CONVERSATIONS} that take turns would take {CONVERSATIONS} times as long"
    most, least = 1000 * median(seconds_of(pressed)), 1000 * median(seconds_of(alone))
    yield Row("the same without a pause, median", most, "ms", least, floor, float(CONVERSATIONS), share)
    each, one = 1000 * cpu_paced / len(paced), 1000 * cpu_alone / len(alone)
    yield Row("processor time of one of them with pauses", each, "ms", one, floor, CPU_RATIO_MAX, "of the server; whoever else is at work")
    failed = sum(not fine for _, fine in (*paced, *pressed))
    yield Row("answers that failed in both", failed, "answers", limit=0)


Turns = list[tuple[float, bool]]
"""(seconds, whether it was answered by 200)."""


def seconds_of(turns: Turns) -> list[float]:
    return [seconds for seconds, _ in turns]


async def measure(url: str, pid: int, count: int = CONVERSATIONS) -> list[tuple[Turns, float]]:
    """(turns, processor time that they took the server) of one conversation alone, of many whose people pause, and of many whose do not."""
    # A server closes what was idle for 5 s: no message may go out into a connection that is just being closed.
    limits = httpx.Limits(max_connections=None, keepalive_expiry=1)
    async with httpx.AsyncClient(base_url=url, timeout=ANSWER_SECONDS_MAX, limits=limits) as client:
        await _talk(client, "first", 3)  # It loads what it needs.
        measured = []
        for talk in (_talk(client, "alone", ALONE), _many(client, "paced", count, PAUSE_SECONDS), _many(client, "pressed", count, 0)):
            before = _cpu_seconds(pid)
            measured.append((await talk, _cpu_seconds(pid) - before))
        return measured


def _cpu_seconds(pid: int) -> float:
    """Of a process and its workers."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK") + sum(_cpu_seconds(int(one)) for one in below)


async def _many(client: httpx.AsyncClient, called: str, count: int, pause_seconds: float) -> Turns:
    talks = (_talk(client, f"{called}-{number}", TURNS, pause_seconds) for number in range(count))
    return [turn for talk in await asyncio.gather(*talks) for turn in talk]


async def _talk(client: httpx.AsyncClient, person: str, turns: int, pause_seconds: float = 0) -> Turns:
    chance = Random(person)  # noqa: S311 - pauses, no secret
    await asyncio.sleep(chance.uniform(0, pause_seconds))
    await client.post("/apps/provisioner/users/user/sessions", json={"sessionId": "s1"}, headers=_by(person))
    took = [await _turn(client, person, BEGIN)]
    for number in range(1, turns):
        await asyncio.sleep(chance.uniform(0.5, 1.5) * pause_seconds)
        took.append(await _turn(client, person, EDIT.format(gib=4 + number % 2)))
    return took


async def _turn(client: httpx.AsyncClient, person: str, text: str) -> tuple[float, bool]:
    message = {"role": "user", "parts": [{"text": text}]}
    body = {"appName": "provisioner", "userId": "user", "sessionId": "s1", "newMessage": message}
    began = time.perf_counter()
    fine = False
    with suppress(httpx.HTTPError):
        fine = (await client.post("/run", json=body, headers=_by(person))).status_code == 200
    return time.perf_counter() - began, fine


def _token(person: str) -> str:
    return f"token-of-{person}"


def _by(person: str) -> dict[str, str]:
    return {"authorization": f"Bearer {_token(person)}"}


@contextmanager
def service(within: Path, environment: Mapping[str, str], count: int = CONVERSATIONS, workers: int = 1) -> Iterator[tuple[str, int]]:
    """Address and number of a `berth serve` with a home of its own, to which everybody who speaks here is known. Several workers want a
    PostgreSQL in the environment."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    url, folder = f"http://127.0.0.1:{port}", within / "load"
    folder.mkdir()
    people = ["first", "alone", *(f"{called}-{number}" for called in ("paced", "pressed") for number in range(count))]
    (folder / "tokens").write_text("".join(f"{one} {hashlib.sha256(_token(one).encode()).hexdigest()}\n" for one in people))
    (folder / "roles.yaml").write_text(json.dumps({"principals": {one: ["requester"] for one in people}}))
    limits = {"messages_a_minute": OFTEN, "requests_a_minute": OFTEN}
    said = {"address": url, "port": port, "tokens_file": str(folder / "tokens"), "workers": workers, **limits}
    (folder / "serve.yaml").write_text(json.dumps(said))
    command = [str(Path(sys.executable).with_name("berth")), "serve", str(folder / "serve.yaml")]
    given = {**environment, "BERTH_HOME": str(folder / "home"), "BERTH_ROLES_FILE": str(folder / "roles.yaml")}
    with (within / "load.log").open("wb") as out:
        process = subprocess.Popen(command, cwd=within, env=given, stdout=out, stderr=out)
        try:
            _wait_for(url)
            yield url, process.pid
        finally:
            process.terminate()
            process.wait(60)


def _wait_for(url: str) -> None:
    for _ in range(int(UP_SECONDS_MAX / 0.1)):
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    raise SystemExit(f"berth serve did not answer within {UP_SECONDS_MAX:.0f} s.")
