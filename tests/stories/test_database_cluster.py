"""A database that survives a machine, from a sentence to one: its primary is stopped while a client writes, a replica is added, it is put
back to what its backups have, and removed. Real PostgreSQL, Patroni, etcd, HAProxy, keepalived and pgBackRest of Debian."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import Berth, Chat, wait_until
from tests.stories.pods import Switches, approve, done, on, pods, took

pytestmark = [pytest.mark.systems, pytest.mark.timeout(1800)]

ADDRESS = "10.20.0.210"
FAILOVER_SECONDS_MAX = 120.0
"""Patroni replaces a primary that is silent for 30 s; the rest is for a machine that is busy with other things."""
BACK_SECONDS_MAX = 180.0
WRITES_SECONDS_MAX = 400
SQL = "psql --no-psqlrc --quiet --tuples-only --no-align service=database --command"
WRITE = f"""
end=$(( $(date +%s) + {WRITES_SECONDS_MAX} )); n=0; rm -f enough acknowledged; touch acknowledged
while [ ! -e enough ] && [ $(date +%s) -lt $end ]; do
  n=$((n+1)); timeout 10 {SQL} "INSERT INTO kept VALUES ($n)" 2> /dev/null && echo $n >> acknowledged
done
cat acknowledged
"""
"""A client that connects anew for each row, and keeps which of them were acknowledged."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Berth, Switches]]:
    with pods(tmp_path_factory.mktemp("database")) as found:
        yield found


def members(chat: Chat, asked: str) -> dict[str, str]:
    """Name → role of the members that run, as Patroni has them on one of the machines."""
    answer = on(chat, asked, "sudo --user postgres patronictl -c /etc/patroni/config.yml list --format json")
    rows = json.loads(answer.output) if answer.code == 0 else []
    return {row["Member"]: row["Role"] for row in rows if row["State"] in ("running", "streaming")}


def primary(chat: Chat, asked: str) -> str:
    [found] = [name for name, role in members(chat, asked).items() if role == "Leader"]
    return found


def test_a_database_loses_no_acknowledged_write_takes_a_replica_is_restored_and_goes(site: tuple[Berth, Switches]) -> None:
    berth, switches = site
    chat = berth.chat()
    approve(chat, f"a PostgreSQL database with 2 replicas called orders, 20 users, development, on network 20, virtual address {ADDRESS}")
    print(f"\ndatabase cluster, from approval to verified: {took(chat).total_seconds():.0f} s")
    assert [machine.name for machine in chat.machines] == ["orders-1", "orders-2", "orders-3"]
    assert len({machine.node for machine in chat.machines}) == 3
    assert chat.run.receipt is not None
    [made] = chat.run.receipt.parts
    assert all("from this computer" in one for one in made.not_verified), made.not_verified

    # The primary is lost while a client writes.
    first = chat.machines[0].name
    lost = primary(chat, first)
    [client, *_] = [machine.name for machine in chat.machines if machine.name != lost]
    done(chat, client, f"{SQL} 'CREATE TABLE kept (n INT PRIMARY KEY)'")

    def written() -> int:
        return int(done(chat, client, "cat acknowledged 2> /dev/null | wc -l"))

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(done, chat, client, WRITE, WRITES_SECONDS_MAX + 60)
        try:
            wait_until(lambda: written() > 20, 60)
            switches.stop(lost)
            stopped, before = time.monotonic(), written()
            wait_until(lambda: written() > before + 20, FAILOVER_SECONDS_MAX, lambda: on(chat, client, "sudo journalctl -u patroni").output)
            print(f"written again after {time.monotonic() - stopped:.0f} s")
        finally:
            done(chat, client, "touch enough")
        acknowledged = {int(line) for line in writing.result().split()}
    kept = {int(line) for line in done(chat, client, f"{SQL} 'SELECT n FROM kept'").split()}
    assert acknowledged and acknowledged - kept == set(), "what was acknowledged is there"
    assert primary(chat, client) != lost

    switches.start(lost)
    wait_until(lambda: len(members(chat, client)) == 3, BACK_SECONDS_MAX, lambda: str(members(chat, client)))
    assert members(chat, client)[lost] != "Leader", "it comes back as a replica"

    approve(chat, "make it 4 machines")
    assert chat.machines[-1].name == "orders-4"
    wait_until(lambda: len(members(chat, client)) == 4, BACK_SECONDS_MAX, lambda: str(members(chat, client)))

    # Somebody deletes what they should not have.
    now = done(chat, client, f"{SQL} 'SELECT now()'").strip()
    done(chat, client, f"{SQL} 'DELETE FROM kept'")
    done(chat, primary(chat, client), f"sudo database-restore '{now}'", 600)
    assert {int(line) for line in done(chat, client, f"{SQL} 'SELECT n FROM kept'").split()} == kept
    wait_until(lambda: len(members(chat, client)) == 4, BACK_SECONDS_MAX, lambda: str(members(chat, client)))

    approve(chat, "remove it")
    assert chat.run.status == "removed"
    assert ADDRESS not in berth.world.ledger.reservations.held(berth.world.now()).addresses
