"""Monitoring on real guests: it comes up, what is made after it registers itself, what stops is told, and what is removed is forgotten.

One conversation after another on one cluster, in the order of this file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from shlex import quote
from typing import Any

import pytest

from tests.conftest import Berth, Chat, wait_until
from tests.monitoring.queries import figures_of, queries
from tests.stories.pods import RUN_SECONDS_MAX, Switches, on, pods, took
from tools.pipeline.watching import catch_up, watcher_of
from tools.values.run import PartReceipt

pytestmark = [pytest.mark.systems, pytest.mark.timeout(1500)]

ALERT_SECONDS_MAX = 240.0
ELSEWHERE = ("pve_", "haproxy_", "berth_", "pg_stat_replication", "node_vmstat_oom_kill")
"""Figures of what is not part of this story: a cluster, a balancer, Berth, replicas; and of what the guests' body does not count."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Berth, Switches]]:
    with pods(tmp_path_factory.mktemp("watched")) as found:
        yield found


def approved(chat: Chat) -> str:
    """What was said while the plan on offer was carried out."""
    answer = chat.post(f"approve {chat.open_digest}", RUN_SECONDS_MAX)
    answer.raise_for_status()
    return answer.text


def asked(monitoring: Chat, path: str, **query: str) -> Any:
    """The monitoring machine's own answer, over SSH: Alertmanager listens there alone."""
    line = "curl --silent --get " + " ".join(f"--data-urlencode {quote(f'{k}={v}')}" for k, v in query.items())
    answer = on(monitoring, "monitor-01", f"{line} http://127.0.0.1:{path}", 30)
    assert answer.code == 0, answer.output
    return json.loads(answer.output)


def up(monitoring: Chat) -> dict[tuple[str, str], bool]:
    """(job, machine) of everything that the real Prometheus looks at: whether it answers."""
    found = asked(monitoring, "9090/api/v1/query", query="up")["data"]["result"]
    return {(one["metric"]["job"], one["metric"]["instance"]): one["value"][1] == "1" for one in found}


def firing(monitoring: Chat) -> set[tuple[str, str]]:
    """(alert, machine) as Alertmanager has them."""
    found = asked(monitoring, "9093/api/v2/alerts")
    return {(one["labels"]["alertname"], one["labels"].get("instance", "")) for one in found if one["status"]["state"] == "active"}


def receipts(chat: Chat) -> dict[str, PartReceipt]:
    assert chat.run.receipt is not None
    return {part.label: part for part in chat.run.receipt.parts}


@pytest.fixture(scope="module")
def monitoring(site: tuple[Berth, Switches]) -> Chat:
    chat = site[0].chat()
    chat.say("monitoring for development on network 20")
    said = approved(chat)
    assert chat.run.status == "done", said
    print(f"\nmonitoring, from approval to verified: {took(chat).total_seconds():.0f} s")
    return chat


@pytest.fixture(scope="module")
def watched(site: tuple[Berth, Switches], monitoring: Chat) -> Chat:
    """A database that is made after it."""
    chat = site[0].chat()
    chat.say("a postgres for 20 users, development, network 20")
    assert chat.part.watched_by == ("monitor-01",)
    said = approved(chat)
    assert chat.run.status == "done", said
    return chat


def test_monitoring_watches_itself_and_every_command_of_its_guide_answers(monitoring: Chat) -> None:
    itself = dict.fromkeys((("node", "monitor-01"), ("prometheus", "monitor-01"), ("alertmanager", "monitor-01")), True)
    wait_until(lambda: up(monitoring) == itself, 60)  # each is asked once in 15 seconds
    [receipt] = receipts(monitoring).values()
    assert receipt.not_verified == () and len(receipt.verified) >= len(monitoring.part.commands)


def test_what_is_made_registers_itself(monitoring: Chat, watched: Chat) -> None:
    seen = up(monitoring)
    assert {one: up for one, up in seen.items() if one[1] != "monitor-01"} == dict.fromkeys(
        (("node", "db-01"), ("postgresql", "db-01")), True
    )
    [receipt] = receipts(watched).values()
    assert receipt.not_verified == () and any("monitor-01" in line for line in receipt.verified)


def test_a_second_look_tells_it_nothing(site: tuple[Berth, Switches], watched: Chat) -> None:
    assert list(catch_up(site[0].world)) == [("monitor-01", (), ())]


def test_every_query_of_alerts_and_dashboards_is_answered_by_real_figures(monitoring: Chat, watched: Chat) -> None:
    # An alert has nothing to say while all is well, so its figures are asked for without what they are compared with.
    empty: dict[str, str] = {}

    def answer(query: str) -> list[Any]:
        found = asked(monitoring, "9090/api/v1/query", query=query)
        assert found["status"] == "success", (query, found)
        result: list[Any] = found["data"]["result"]
        return result

    wanted = "|".join(sorted({name for query in queries() for name in figures_of(query)}))
    wait_until(lambda: bool(answer('rate(node_cpu_seconds_total{instance="db-01"}[5m])')), 60)
    names = {str(one["metric"]["__name__"]) for one in answer(f'group by (__name__) ({{__name__=~"{wanted}"}})')}
    for query in queries():
        answer(query)
        for name in figures_of(query):
            if name not in names and not name.startswith(ELSEWHERE):
                empty[name] = query
    assert empty == {}


def test_a_machine_that_stops_is_told_and_one_that_is_removed_is_forgotten(
    site: tuple[Berth, Switches], monitoring: Chat, watched: Chat
) -> None:
    berth, switches = site
    switches.stop("db-01")
    wait_until(lambda: ("MachineDown", "db-01") in firing(monitoring), ALERT_SECONDS_MAX, lambda: str(firing(monitoring)))
    assert ("MachineDown", "monitor-01") not in firing(monitoring)
    watched.say("remove it")
    said = approved(watched)
    assert watched.run.status == "removed", said
    wait_until(lambda: {machine for _, machine in up(monitoring)} == {"monitor-01"}, 60, lambda: str(up(monitoring)))
    assert watcher_of(berth.world, "monitor-01").lists() == ()


def test_monitoring_that_is_away_stops_nobody_and_is_told_later(site: tuple[Berth, Switches], monitoring: Chat) -> None:
    berth, switches = site
    switches.stop("monitor-01")
    chat = berth.chat()
    chat.say("a web server, development, network 20")
    said = approved(chat)
    assert chat.run.status == "done", said
    [receipt] = receipts(chat).values()
    assert [line for line in receipt.not_verified if "berth watch" in line], receipt.not_verified
    [(_, told, owed)] = catch_up(berth.world)
    assert not told and owed
    switches.start("monitor-01")
    wait_until(lambda: not next(catch_up(berth.world))[2], 120)
    wait_until(lambda: up(monitoring).get(("node", "web-01"), False), 60, lambda: str(up(monitoring)))

    monitoring.say("remove it")
    gone = approved(monitoring)
    assert monitoring.run.status == "removed", gone
    assert list(catch_up(berth.world)) == []
    after = berth.chat()
    after.say("a web server, development, network 20")
    assert after.part.watched_by == ()
