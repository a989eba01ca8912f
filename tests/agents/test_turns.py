"""Messages of one conversation are taken one after another, by one process and by several machines that share a ledger."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tools.ledger.ledger import Ledger
from tools.pipeline.world import utc_now
from tools.values.trouble import WorldProblem

_spec = importlib.util.spec_from_file_location("turns", ROOT / "agents" / "provisioner" / "turns.py")
assert _spec and _spec.loader
TURNS = importlib.util.module_from_spec(_spec)  # By itself: the app that it belongs to opens a world when it is loaded.
sys.modules["turns"] = TURNS
_spec.loader.exec_module(TURNS)


async def together(places: list[Any], messages: int) -> tuple[int, int]:
    """(how many were worked on at once at most, how many were)."""
    at_once = most = done = 0

    async def take(number: int) -> None:
        nonlocal at_once, most, done
        mine = places[number % len(places)]
        await mine.take("talk", f"e-{number}")
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)
        at_once -= 1
        done += 1
        mine.give(f"e-{number}")

    await asyncio.gather(*(take(number) for number in range(messages)))
    return most, done


@pytest.mark.parametrize("machines", [1, 2, 3])
def test_one_after_another_on_as_many_machines(tmp_path: Path, machines: int) -> None:
    ledgers = [Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / f"home{n}", utc_now, shared=tmp_path) for n in range(machines)]
    places = [TURNS.Places(leases_of(ledger)) for ledger in ledgers]
    assert asyncio.run(together(places, 9)) == (1, 9)
    TURNS.AT_ONCE.submit(lambda: None).result(10)
    for ledger in ledgers:
        ledger.close()


def leases_of(ledger: Ledger) -> Callable[[], Any]:
    return lambda: ledger.leases


def test_without_a_ledger_that_is_shared_machines_do_not_wait_for_each_other() -> None:
    assert asyncio.run(together([TURNS.Places(), TURNS.Places()], 6)) == (2, 6)


def test_a_ledger_that_is_away_keeps_nobody_from_being_told_so() -> None:
    class Away:
        def take(self, name: str) -> None:
            raise WorldProblem("The ledger is away.", name, "")

    assert asyncio.run(together([TURNS.Places(Away)], 3)) == (1, 3)
