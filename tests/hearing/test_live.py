"""From what runs a message takes away only what it names, in a clause that says nothing else; and what it adds, it adds to what runs."""

from __future__ import annotations

import functools
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hearing.facts import plain
from tests.hearing.live import build, live_rows, machines, say
from tools.rules.hearing.tokens import quantities


@functools.cache
def built(*asked: str) -> Any:
    return build([*asked])


@pytest.mark.parametrize("row", live_rows(), ids=lambda row: row["say"])
def test_what_stays_of_what_runs(row: dict[str, Any]) -> None:
    request, running = built(*row["asked"])
    after = say(row["say"], request, running)
    assert machines(after.request) == row["left"]
    assert after.edits.joins is row.get("joins", False)
    if "asks" in row:
        assert [reading.text for doubt in after.edits.doubts for reading in doubt.readings] == row["asks"]
    assert [doubt.now for doubt in after.edits.doubts if doubt.now] == row.get("now", [])
    for label, facts in row.get("sets", {}).items():
        assert plain(after.request)[label].items() >= facts.items()


def test_what_takes_nothing_away_is_told() -> None:
    for row in live_rows():
        request, running = built(*row["asked"])
        after = say(row["say"], request, running)
        assert after.request != request or after.refused or not after.edits.edits, row["say"]


ASKED = "three web servers, a redis cache and a k3s cluster with 1 server and 3 workers, development, network 20"
NAMES = ("web-01", "web-02", "web-03", "redis-01", "k3s-worker-03")
PHRASES = "the web servers|the redis|the workers|web server|one worker|two web servers|the k3s cluster|2 workers|server"
THINGS = (*PHRASES.split("|"), *NAMES)
OTHERS = "not|never|don't|only|at|night|to|if|needs|is|and|,|.|for|of|production|4|more|stop|use|8 GB".split("|")  # noqa: SIM905
TAKING = ("remove", "drop", "delete", "less", "can go", "too many", "make it", "reduce", "by")


def lost(text: str) -> set[str]:
    """The labels of what runs that there is less of afterwards."""
    request, running = built(ASKED)
    left = machines(say(text, request, running).request)
    fewer = ((label, _left(left.get(label), group) < len(names)) for label, groups in running.items() for group, names in groups.items())
    return {label for label, is_less in fewer if is_less}


def _left(left: Any, group: str) -> int:
    number = left.get(group, 0) if isinstance(left, dict) else left
    return len(number) if isinstance(number, list) else number or 0


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*THINGS, *OTHERS]), max_size=8))
def test_no_message_without_a_verb_that_takes_away_takes_anything_from_what_runs(words: list[str]) -> None:
    assert lost(" ".join(words)) == set()


NAMED = {"web_server": "web", "redis": "redis", "k3s_cluster": "k3s|worker|server"}
ORDERS = re.compile(r"\b(?:remove|drop|delete|less|can go|too many|make it|reduce)\b")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*THINGS, *OTHERS, *TAKING, *TAKING]), max_size=8))
def test_what_goes_is_named_beside_a_verb_that_takes_it_away_and_nothing_denies_it(words: list[str]) -> None:
    text = " ".join(words)
    for label in lost(text):
        clauses = [one for one in re.split(r"[.]", text) if ORDERS.search(one) and re.search(NAMED[label], one)]
        assert any(not re.search(r"\b(?:not|never|don't|if|(?<!remove )(?<!drop )(?<!delete )only)\b", one) for one in clauses), text


@pytest.mark.parametrize(("words", "memory_gib"), [("8 GB more", 10), ("8 GB", 8), ("1 GB less", 1), ("2 GB more", 4)])
def test_an_answer_to_how_much_may_start_from_what_there_is(words: str, memory_gib: int) -> None:
    request, running = built("a web server with 2 GB, development, network 20")
    after = say(words, request, running, asked=(("web_server", "memory"),))
    memory = after.request.items[0].fact("memory")
    assert memory is not None and quantities.size_bytes(memory.value) == memory_gib * 2**30, memory
