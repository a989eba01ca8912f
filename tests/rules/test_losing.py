"""The loss of a node: whoever was on it is placed, one by one, and whoever finds no place is named."""

from __future__ import annotations

import pytest
from clusters import NOTHING, SITE, four_nodes, guest, node
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.rules.machines.capacity import Room, Taking
from tools.rules.machines.losing import Loss, losses, newly_homeless, proved
from tools.values.site import Environment, Held, Reserved
from tools.values.snapshot import ClusterSnapshot

PRODUCTION = SITE.environment("production")


def small(*memory_gib: int, guests: tuple[tuple[str, int], ...], used_gib: int = 0) -> ClusterSnapshot:
    """Nodes n1, n2, … with so much memory, and guests of so much on a node each."""
    return four_nodes(
        nodes=tuple(node(f"n{i}", memory_gib=size, used_gib=used_gib) for i, size in enumerate(memory_gib, start=1)),
        guests=tuple(guest(100 + i, f"g{i}", on, memory_gib=size) for i, (on, size) in enumerate(guests)),
    )


def room(snapshot: ClusterSnapshot, reserved: Reserved = NOTHING, environment: Environment = PRODUCTION) -> Room:
    return Room.of(snapshot, environment, reserved)


def homeless(found: tuple[Loss, ...]) -> dict[str, list[str]]:
    return {loss.node: [mover.what for mover in loss.homeless] for loss in found if loss.homeless}


def test_a_large_guest_has_no_place_though_the_sum_would_hold() -> None:
    # 96 GiB are free together, on two nodes with 48 each: the sum holds, and the guest of 64 GiB stays away.
    snapshot = small(64, 64, 96, guests=(("n1", 16), ("n2", 16), ("n3", 64)))
    assert homeless(losses(room(snapshot))) == {"n3": ["VM 102 g2"]}


def test_several_guests_are_placed_the_largest_first() -> None:
    found = losses(room(small(64, 64, 72, guests=(("n1", 20), ("n1", 40), ("n2", 24), ("n3", 36)))))
    n1 = next(loss for loss in found if loss.node == "n1")
    assert [(mover.what, to) for mover, to in n1.moves] == [("VM 101 g1", "n2"), ("VM 100 g0", "n3")]
    assert homeless(found) == {}


def test_what_is_promised_to_others_needs_a_place_too() -> None:
    held = Held(vm_id=500, node="n1", storage="ceph-vm", cpu_count=1, memory_mib=60 * 1024, disk_gib=1)
    reserved = Reserved(machines=(held,), memory_bytes=(("n1", 60 * 2**30),))
    snapshot = small(64, 32, 32, guests=())
    assert homeless(losses(room(snapshot))) == {}
    assert homeless(losses(room(snapshot, reserved))) == {"n1": ["VM 500 of another plan"]}


def test_only_what_a_request_makes_worse_is_held_against_it() -> None:
    snapshot = small(64, 64, 128, guests=(("n3", 96), ("n1", 8)))
    before = losses(room(snapshot))
    assert homeless(before) == {"n3": ["VM 100 g0"]}
    beside = room(snapshot).after([Taking("n1", "ceph-vm", 1, 8192, 10, name="new")])
    assert newly_homeless(before, losses(beside)) == ()
    too_much = room(snapshot).after([Taking("n3", "ceph-vm", 1, 62 * 1024, 10, name="new")])
    assert [(lost, mover.what) for lost, mover in newly_homeless(before, losses(too_much))] == []
    twice = too_much.after([Taking("n3", "ceph-vm", 1, 60 * 1024, 10, name="other")])
    assert {mover.what for _, mover in newly_homeless(before, losses(twice))} == {"other"}


@pytest.mark.parametrize(
    ("nodes", "environment", "hard"),
    [
        (2, PRODUCTION, False),
        (3, PRODUCTION, True),
        (5, PRODUCTION, True),
        (6, PRODUCTION, False),
        (3, SITE.environment("development"), False),
        (3, Environment(name="production", node_loss="tell"), False),
        (3, Environment(name="development", node_loss="refuse"), True),
    ],
)
def test_where_the_loss_of_a_node_is_refused(nodes: int, environment: Environment, hard: bool) -> None:
    assert proved(room(small(*[64] * nodes, guests=()), environment=environment)) == hard


SIZES = st.lists(st.tuples(st.sampled_from(["n1", "n2", "n3", "n4"]), st.integers(1, 48)), max_size=12)


@given(SIZES, st.lists(st.integers(16, 64), min_size=4, max_size=4))
@settings(max_examples=80)
def test_everybody_has_one_place_and_no_node_holds_more_than_it_has(guests: list[tuple[str, int]], memory: list[int]) -> None:
    snapshot = small(*memory, guests=tuple(guests))
    for loss in losses(room(snapshot)):
        gone = [size for on, size in guests if on == loss.node]
        told = [mover.memory_mib // 1024 for mover in (*(mover for mover, _ in loss.moves), *loss.homeless)]
        assert sorted(told) == sorted(gone)
        for name, size in zip(("n1", "n2", "n3", "n4"), memory, strict=True):
            moved = sum(mover.memory_mib for mover, to in loss.moves if to == name)
            held = sum(one * 1024 for on, one in guests if on == name)
            assert not moved or held + moved <= size * 1024
