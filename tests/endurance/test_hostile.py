"""What is hostile by design: words of others in every place where they are shown, a model that calls its tool with anything, approvals that
were changed or are sent again, and one plan that many confirm at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import strategies as st

from agents.provisioner.chat_validator.listener import EditRequest
from agents.provisioner.state import Turn
from tests.engine.builders import world_at
from tests.hearing import test_properties as hearing
from tests.ledger.builders import NOON, Clock, add, approval, open_ledger, plan
from tests.ledger.postgresql import postgresql_server, postgresql_url
from tests.rules import test_foreign as foreign
from tools.capabilities import catalogue
from tools.ledger.database import approval_uses, approvals, runs
from tools.ledger.ledger import Ledger
from tools.pipeline.talk import Talk
from tools.pipeline.world import World
from tools.rules.plans import approving
from tools.rules.request.editing import apply
from tools.values.effects import Hear
from tools.values.person import Person
from tools.values.plan import Approval
from tools.values.request import Request
from tools.values.trouble import RequestProblem

from .conftest import Tally, many

__all__ = ["postgresql_server", "postgresql_url"]

KEY = b"k" * 32
SINKS = (
    foreign.test_a_line_of_theirs_is_never_one_to_be_typed,
    foreign.test_in_a_terminal_it_steers_nothing,
    foreign.test_in_a_picture_it_is_a_label,
    foreign.test_in_svg_it_is_text,
)


def test_injections_in_every_place(tally: Tally) -> None:
    places = len(foreign.PLACES) + len(SINKS)
    each = -(-tally.wanted("injections") // places)
    tried = sum(
        many(foreign.test_in_markdown_it_is_words_and_code, each, text=foreign.HOSTILE, place=st.just(place))() for place in foreign.PLACES
    )
    for sink in SINKS:
        [name] = [one for one in ("text", "said") if one in sink.hypothesis.inner_test.__annotations__]  # type: ignore[attr-defined]
        tried += many(sink, each, **{name: foreign.HOSTILE})()
    tally.done("injections", tried)


# A model that calls its tool with anything.

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | st.sampled_from(["approve", "64 GB"]),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=10), below, max_size=4),
    max_leaves=8,
)
LIKE_EDITS = st.fixed_dictionaries(
    {},
    optional={
        "do": st.sampled_from(["add", "set", "remove", "approve", "apply", "wish", "relate", "copy"]) | ANYTHING,
        "item": st.sampled_from(["", "db", "postgresql", "../x"]) | ANYTHING,
        "name": st.sampled_from([*hearing.NAMES, "approve"]) | ANYTHING,
        "value": st.sampled_from(["64 GB", "17", "approve 0123456789ab", "$(id)"]) | ANYTHING,
        "quote": st.sampled_from(["64 GB", "100 users", "a postgres database", "approve"]) | ANYTHING,
        "as": ANYTHING,
    },
)
CALLS = st.one_of(
    hearing.EDITS.map(lambda one: {"edits": [one.model_dump()]}),
    st.fixed_dictionaries({"edits": st.lists(LIKE_EDITS, max_size=4)}, optional={"asks": ANYTHING, "approve": ANYTHING, "run": ANYTHING}),
    st.dictionaries(st.sampled_from(["edits", "asks", "digest", "candidate"]) | st.text(max_size=8), ANYTHING, max_size=4),
)
MESSAGE = "a postgres database for 100 users on network 20"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = world_at(tmp_path / "home")
    yield made
    made.ledger.close()


def test_a_model_that_calls_with_anything(world: World, tally: Tally) -> None:
    taken, before = Counter[str](), len(world.ledger.audit.read())
    talk, tool = Talk(world, "talk", Person("ops"), MESSAGE), EditRequest()
    assert talk.is_next(Hear)

    def judged(call: dict[str, Any]) -> None:
        """As the tool reads a call, and on to the request."""
        turn = Turn(talk)
        try:
            heard = tool.read(turn, call).edits
            taken["taken"] += 1
        except RequestProblem:
            heard = turn.heard_partly
            taken["with a problem"] += 1
        except ValueError:
            taken["refused"] += 1
            return
        assert all(one.quote and one.quote in MESSAGE for one in heard.edits if one.do != "add"), heard
        request, _ = apply(Request(), heard, catalogue(), {}, [])
        assert all(fact.quote in MESSAGE for item in request.items for fact in item.facts), request
        assert all(wish.text in MESSAGE for wish in request.wishes), request

    tried = many(_as_property(judged), tally.wanted("hostile tool calls"), call=CALLS)()
    assert len(world.ledger.audit.read()) == before and world.ledger.runs.rows() == []
    assert taken["refused"] and taken["taken"] and taken["with a problem"], taken
    tally.done("hostile tool calls", tried)


def _as_property(judge: Any) -> Any:
    from hypothesis import given

    return given(call=CALLS)(judge)


# Approvals that were changed, or are sent again.

TEXT = st.text(max_size=30)
CHANGES = st.one_of(
    st.fixed_dictionaries({"plan_digest": st.text("0123456789abcdef", min_size=64, max_size=64)}),
    st.fixed_dictionaries({"role": st.sampled_from(["vp", "security", "OPERATOR", "operator "]) | TEXT}),
    st.fixed_dictionaries({"principal": TEXT}),
    st.fixed_dictionaries({"words": TEXT}),
    st.fixed_dictionaries({"at": st.timedeltas().map(lambda by: NOON + min(max(by, timedelta(-9999)), timedelta(9999)))}),
    st.fixed_dictionaries({"expires_at": st.timedeltas().map(lambda by: NOON + min(max(by, timedelta(-9999)), timedelta(9999)))}),
    st.fixed_dictionaries({"nonce": TEXT}),
    st.fixed_dictionaries({"override_reason": TEXT}),
    st.fixed_dictionaries({"signature": st.text("0123456789abcdef", max_size=64) | TEXT}),
)


def test_approvals_that_were_changed_or_come_again(tmp_path: Path, tally: Tally) -> None:
    ledger = open_ledger(tmp_path, Clock())
    one, other = add(ledger, plan()), add(ledger, plan("run-2", conversation="other"), family="other")
    true = approving.signed(approval(one), ledger.key)

    def changed(change: dict[str, Any], key: bytes) -> None:
        forged = true.model_copy(update=change)
        if forged == true and key == ledger.key:
            return
        for target in (one, other):
            with pytest.raises(RequestProblem):
                approving.assert_holds(target, [forged if key == ledger.key else approving.signed(forged, key)], ledger.key, NOON)

    from hypothesis import given

    keys = st.just(ledger.key) | st.binary(min_size=32, max_size=32).filter(lambda key: key != ledger.key)
    wanted = tally.wanted("mutated or replayed approvals")
    tried = many(given(change=CHANGES, key=keys)(changed), wanted - wanted // 10, change=CHANGES, key=keys)()

    ledger.plans.approve(true, NOON)
    assert ledger.runs.begin(one, [("web", "apply")], NOON)
    for number in range(wanted // 10):
        again: Approval = true if number % 2 else true.model_copy(update={"nonce": f"again {number}"})
        with suppress(RequestProblem, sa.exc.IntegrityError):
            ledger.plans.approve(approving.signed(again, ledger.key), NOON)
        assert not ledger.runs.begin(one, [("web", "apply")], NOON)
        with pytest.raises(RequestProblem):  # As whoever starts a run asks, and whoever applies it asks again.
            approving.assert_holds(other, [*ledger.plans.approvals(other.digest), again], ledger.key, NOON)
        tried += 1
    with ledger.database.read() as connection:
        counted = [connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() for table in (approvals, approval_uses, runs)]
    assert counted == [1, 1, 1] and ledger.verify().holds
    ledger.close()
    tally.done("mutated or replayed approvals", tried)


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_one_plan_confirmed_by_many_at_once(request: pytest.FixtureRequest, tmp_path: Path, backend: str, tally: Tally) -> None:
    """From as many threads as a server has for it, over two processes' worth of ledgers."""
    url = request.getfixturevalue("postgresql_url") if backend == "postgresql" else f"sqlite:///{tmp_path / 'ledger.db'}"
    shared = tmp_path / "shared"
    ledgers = [Ledger(url, tmp_path / f"home{number}", lambda: NOON, shared=shared) for number in range(2)]
    one = add(ledgers[0], plan())
    wanted, begun, given_ = tally.wanted("simultaneous confirmations") // 2, Counter[bool](), Counter[bool]()
    at_once, numbers = threading.Barrier(20), iter(range(wanted))
    guard = threading.Lock()

    def confirm() -> None:
        at_once.wait(30)
        while True:
            with guard:
                number = next(numbers, None)
            if number is None:
                return
            ledger = ledgers[number % 2]
            took = False
            with suppress(RequestProblem, sa.exc.IntegrityError):
                ledger.plans.approve(approving.signed(approval(one, nonce=f"n{number}"), ledger.key), NOON)
                took = True
            with suppress(RequestProblem):
                began = ledger.runs.begin(one, [("web", "apply")], NOON)
                with guard:
                    begun[began] += 1
            with guard:
                given_[took] += 1

    threads = [threading.Thread(target=confirm) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)
    assert given_[True] == 1 and begun[True] == 1 and sum(given_.values()) == wanted, (given_, begun)
    assert [ledger.verify().holds for ledger in ledgers] == [True, True]
    with ledgers[0].database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(approval_uses)).scalar() == 1
    for ledger in ledgers:
        ledger.close()
    tally.done("simultaneous confirmations", wanted)
