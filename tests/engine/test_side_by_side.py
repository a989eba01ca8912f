"""What waits for what: the order in which the parts of a plan may be done, and a bound on how many at once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.pipeline.applying import TURN_LOOK_SECONDS_MAX, TURN_SECONDS_MAX, pauses
from tools.pipeline.side_by_side import AT_ONCE_MAX, side_by_side
from tools.pipeline.steps import waits_of
from tools.values.plan import Estimate, Plan

from .builders import manifest_of, part_named


def test_a_turn_is_waited_for_calmly_and_not_for_ever() -> None:
    looks = list(pauses())
    waited = [at for at, _ in looks]
    assert waited[:3] == pytest.approx([0.0, 0.1, 0.3]) and waited == sorted(waited), "whoever waits for a moment waits no longer"
    assert max(pause for _, pause in looks) == TURN_LOOK_SECONDS_MAX and len(looks) <= TURN_SECONDS_MAX / TURN_LOOK_SECONDS_MAX + 6
    assert TURN_SECONDS_MAX <= sum(pause for _, pause in looks) <= TURN_SECONDS_MAX + TURN_LOOK_SECONDS_MAX


GRAPHS = st.integers(0, 12).flatmap(
    lambda count: st.fixed_dictionaries(
        {str(n): st.frozensets(st.sampled_from([str(m) for m in range(n)])) if n else st.just(frozenset()) for n in range(count)}
    )
)


@given(GRAPHS, st.data())
def test_each_is_done_after_what_it_waits_for_or_skipped_with_it(waits: dict[str, frozenset[str]], data: st.DataObject) -> None:
    failing = data.draw(st.frozensets(st.sampled_from(sorted(waits)))) if waits else frozenset[str]()
    guard, done, skipped = threading.Lock(), list[str](), list[str]()

    def work(name: str) -> bool:
        with guard:
            assert waits[name] <= set(done) - failing
            done.append(name)
        return name not in failing

    side_by_side(waits, work, skipped.append)
    assert sorted([*done, *skipped]) == sorted(waits)
    lost = set(failing)
    for name in sorted(waits, key=int):
        if waits[name] & lost:
            lost.add(name)
    assert set(skipped) == {name for name in waits if waits[name] & lost}


def test_what_one_raises_is_raised_when_the_others_have_ended() -> None:
    begun, ended, others = set[str](), set[str](), threading.Barrier(AT_ONCE_MAX)

    def work(name: str) -> bool:
        begun.add(name)
        others.wait(10)
        if name == "0":
            raise ZeroDivisionError
        ended.add(name)
        return True

    with pytest.raises(ZeroDivisionError):
        side_by_side({**{str(n): () for n in range(AT_ONCE_MAX)}, "late": ("0",)}, work, lambda name: None)
    assert (begun, ended) == ({"0", "1", "2", "3"}, {"1", "2", "3"})


def test_no_more_are_at_work_at_once_than_the_bound() -> None:
    """One more than that would meet here."""
    more = threading.Barrier(AT_ONCE_MAX + 1)

    def met(name: str) -> bool:
        try:
            more.wait(0.2)
        except threading.BrokenBarrierError:
            return False
        return True

    alone = list[str]()
    side_by_side(
        {**{str(n): () for n in range(AT_ONCE_MAX + 1)}, **{f"after {n}": (str(n),) for n in range(AT_ONCE_MAX + 1)}}, met, alone.append
    )
    assert len(alone) == AT_ONCE_MAX + 1, "none met the others"


DB, APP, MAIL = (
    part_named("db", Path("effects")),
    part_named("app", Path("effects"), after=("db",)),
    part_named("mail", Path("effects")),
)


@pytest.mark.parametrize(
    ("kind", "staying", "going", "waits"),
    [
        ("create", (DB, APP, MAIL), (), {"db": "", "app": "db", "mail": ""}),
        ("remove", (DB, APP, MAIL), (), {"db": "app", "app": "", "mail": ""}),
        ("change", (DB,), (APP, MAIL), {"db": "", "app": "", "mail": ""}),
        ("change", (MAIL,), (DB, APP), {"db": "app", "app": "", "mail": ""}),
        ("change", (MAIL,), (DB.model_copy(update={"let_go_by": ("mail",)}), APP), {"db": "mail app", "app": "", "mail": ""}),
        ("remove", (DB,), (APP,), {"db": "app", "app": ""}),
    ],
)
def test_what_a_part_waits_for(kind: str, staying: tuple[object, ...], going: tuple[object, ...], waits: dict[str, str]) -> None:
    manifest = manifest_of(*staying).model_copy(update={"taken_back": going})  # type: ignore[arg-type]
    plan = Plan.model_construct(kind=kind, parts=(), estimate=Estimate())
    assert waits_of(plan, manifest, waits) == {label: frozenset(names.split()) for label, names in waits.items()}
    without = {label: names for label, names in waits.items() if label != "db"}
    assert waits_of(plan, manifest, without) == {label: frozenset(names.split()) - {"db"} for label, names in without.items()}
