"""Messages of one conversation are taken one after another, by one process and by several machines that share a ledger."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tools.clients.terraform import INIT_SECONDS_MAX, PLAN_SECONDS_MAX
from tools.ledger.database import LedgerAway
from tools.ledger.leases import Lease
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


class Away:
    """Leases of a ledger that is away."""

    def take(self, name: str) -> None:
        raise LedgerAway("The ledger is away.", name, "")


def is_away() -> None:
    raise LedgerAway("The ledger is away.", "", "")


@pytest.mark.parametrize("leases", [Away, is_away])
def test_without_a_ledger_nobody_has_a_turn_and_each_is_told_why(leases: Callable[[], Any]) -> None:
    """It may be back in the next instant: then two machines would have the turn."""

    async def ask() -> list[BaseException | None]:
        places = TURNS.Places(leases)
        return await asyncio.gather(*(places.take("talk", f"e-{number}") for number in range(3)), return_exceptions=True)

    assert [type(one) for one in asyncio.run(ask())] == [LedgerAway] * 3


def test_whoever_comes_first_is_first_though_the_ledger_is_slow_to_find() -> None:
    overtaken, asked, order = threading.Event(), list[int](), list[str]()

    def find() -> None:
        asked.append(1)
        if len(asked) == 1:
            overtaken.wait(0.2)

    async def take(places: Any, name: str) -> None:
        await places.take("talk", name)
        order.append(name)
        overtaken.set()
        places.give(name)

    async def both() -> None:
        places = TURNS.Places(find)
        await asyncio.gather(take(places, "first"), take(places, "second"))

    asyncio.run(both())
    assert order == ["first", "second"]


class Slow:
    """Leases of a ledger that answers when it is let."""

    def __init__(self, ledger: Ledger) -> None:
        self._leases = ledger.leases
        self.asked, self.let, self.given_back = threading.Event(), threading.Event(), threading.Event()

    def take(self, name: str) -> Lease | None:
        self.asked.set()
        assert self.let.wait(10)
        return self._leases.take(name)

    def release(self, lease: Lease) -> None:
        self._leases.release(lease)
        self.given_back.set()


def test_a_client_that_leaves_while_its_turn_is_taken_leaves_no_turn_behind(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "home", utc_now)
    slow = Slow(ledger)

    async def leave() -> None:
        waiting = asyncio.ensure_future(TURNS.Places(lambda: slow).take("talk", "e-1"))
        await asyncio.to_thread(slow.asked.wait, 10)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert waiting.cancelled()
        slow.let.set()

    asyncio.run(leave())
    assert slow.given_back.wait(10)
    assert ledger.leases.take("conversation talk") is not None
    ledger.close()


def test_a_turn_that_does_not_come_ends_in_a_sentence_and_nobody_else_waits_for_it(tmp_path: Path) -> None:
    here, there = (Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / n, utc_now, shared=tmp_path) for n in ("here", "there"))
    lease = there.leases.take("conversation talk")
    assert lease is not None

    async def wait() -> None:
        places = TURNS.Places(leases_of(here), seconds_max=2 * TURNS.LOOK_SECONDS)
        with pytest.raises(WorldProblem) as first:
            await places.take("talk", "e-1")
        with pytest.raises(WorldProblem) as again:
            await places.take("talk", "e-1")
        assert again.value is first.value
        places.give("e-1")
        there.leases.release(lease)
        await places.take("talk", "e-1")
        places.give("e-1")

    asyncio.run(wait())
    for ledger in (here, there):
        ledger.close()


def test_a_turn_is_waited_for_as_long_as_terraform_may_plan() -> None:
    assert TURNS.ELSEWHERE_SECONDS_MAX >= INIT_SECONDS_MAX + PLAN_SECONDS_MAX


class _Fails:
    """A talk whose work does not find what is always there."""

    is_slow = False

    def go_on(self, *_: object) -> None:
        next(iter(()))


def test_a_work_that_does_not_find_what_is_always_there_ends_its_turn() -> None:
    from agents.provisioner.stage import _aloud

    async def heard() -> list[str]:
        async with asyncio.timeout(20):
            return [text async for text in _aloud(_Fails(), (), "e-1")]  # type: ignore[arg-type]

    with pytest.raises(RuntimeError):
        asyncio.run(heard())
