"""A service that people talk to without end: it answers, and grows no larger."""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from pathlib import Path

import httpx

from tests.front_ends.served import SESSIONS, berth_serve
from tests.values import opened

from .conftest import Tally

PEOPLE = [f"person-{number}" for number in range(6)]
GROWTH_MIB_MAX = 30
WARM_SHARE, WARM_SECONDS_MAX = 0.25, 300
"""What is loaded once is loaded by then."""
PAUSE_SECONDS = 0.25
TURNS_OF_A_SESSION = 12
SAID = (
    "help", "a PostgreSQL database for 100 users on network 20", "make it 8 GB", "what would 16 GB cost?", "undo", "show request",
    "two web servers and a redis", "drop the redis", "inbox", "list", "approve 0123456789ab", "no",
)  # fmt: skip


def test_it_grows_no_larger(tmp_path: Path, tally: Tally) -> None:
    tokens = {name: hashlib.sha256(name.encode()).hexdigest() for name in PEOPLE}
    (tmp_path / "tokens").write_text("".join(f"{name} {digest}\n" for name, digest in tokens.items()))
    (tmp_path / "roles.yaml").write_text("principals:\n" + "".join(f"  {name}: [requester]\n" for name in PEOPLE))
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "VIRTUAL_ENV") if name in os.environ}
    environment |= {"BERTH_HOME": str(tmp_path / "home"), "BERTH_ROLES_FILE": str(tmp_path / "roles.yaml")}
    limits = {"messages_a_minute": 10**6, "requests_a_minute": 10**6}
    seconds, answered, turn = tally.wanted("seconds of soak"), Counter[int](), 0
    with (
        berth_serve(tmp_path, environment, tokens_file=str(tmp_path / "tokens"), **limits) as served,
        httpx.Client(base_url=served.url, timeout=60, limits=httpx.Limits(keepalive_expiry=1)) as client,
    ):
        began = time.monotonic()
        warm_until, before = began + min(WARM_SHARE * seconds, WARM_SECONDS_MAX), {}
        while (now := time.monotonic()) < began + seconds:
            if now > warm_until and not before:
                before = _held(served.process.pid)
            who, number = PEOPLE[turn % len(PEOPLE)], turn // len(PEOPLE)
            session, said = f"s{number // TURNS_OF_A_SESSION}", SAID[number % len(SAID)]
            named = {"authorization": f"Bearer {who}"}
            if number % TURNS_OF_A_SESSION == 0:
                answered[client.post(SESSIONS, json={"sessionId": session}, headers=named).status_code] += 1
            message = {"sessionId": session, "newMessage": {"parts": [{"text": said}]}}
            answered[client.post("/run", json=message, headers=named).status_code] += 1
            turn += 1
            time.sleep(PAUSE_SECONDS)  # So many a second, as people type: this is no race.
        after = _held(served.process.pid)
    grown = {name: after[name] - before[name] for name in after}
    print(f"\n{turn} turns in {seconds} s, {before['MiB']} MiB when warm; since then {grown}")
    with opened(environment) as world:
        assert world.ledger.verify().holds
    assert set(answered) == {200}, answered
    assert grown["MiB"] < GROWTH_MIB_MAX and grown["files"] < 20 and grown["threads"] < 20, grown
    tally.done("seconds of soak", seconds)


def _held(pid: int) -> dict[str, int]:
    proc = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
    kib, threads = int(status["VmRSS"].split()[0]), int(status["Threads"])
    return {"MiB": kib // 1024, "files": len(list((proc / "fd").iterdir())), "threads": threads}
