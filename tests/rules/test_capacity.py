"""Room on nodes and storages: the arithmetic, line by line."""

from __future__ import annotations

import pytest
from clusters import GIB, NOTHING, SITE, four_nodes, guest, node, storage

from tools.rules.machines.capacity import Room, Taking, cpu_sum, memory_sum, node_problem, storage_sum
from tools.values.offer import Sum
from tools.values.site import Environment, Held, Reserved
from tools.values.snapshot import Guest, Node

PRODUCTION, DEVELOPMENT = SITE.environment("production"), SITE.environment("development")


def room(environment: Environment = PRODUCTION, reserved: Reserved = NOTHING, **changes: object) -> Room:
    return Room.of(four_nodes(**changes), environment, reserved)


def of(room: Room, name: str) -> Node:
    found = room.snapshot.node(name)
    assert found is not None
    return found


def terms(one: Sum) -> dict[str, float]:
    return dict(one.terms)


def test_promised_memory_counts_when_it_is_more_than_was_used() -> None:
    one = memory_sum(room(), of(room(), "pve1"))
    assert terms(one) == {"promised to guests": 40 * 1024, "reserved": 0, "this request": 0}
    assert one.limit == int(128 * 1024 * 0.8)


def test_used_memory_counts_when_it_is_more_than_was_promised() -> None:
    one = memory_sum(room(), of(room(), "pve2"))
    assert terms(one) == {"used, p95": 40 * 1024, "reserved": 0, "this request": 0}


def test_what_other_plans_were_promised_counts() -> None:
    reserved = Reserved(memory_bytes=(("pve1", 10 * GIB),), cpu_count=(("pve1", 6),))
    assert terms(memory_sum(room(reserved=reserved), of(room(), "pve1")))["reserved"] == 10 * 1024
    assert terms(cpu_sum(room(reserved=reserved), of(room(), "pve1")))["reserved"] == 6


@pytest.mark.parametrize(("environment", "limit"), [(PRODUCTION, 19.2), (DEVELOPMENT, 25.6)])
def test_processors_of_production_nodes_stay_under_60_percent_others_under_80(environment: Environment, limit: float) -> None:
    one = cpu_sum(room(environment).after([Taking("pve1", "ceph-vm", 4, 8192, 40)]), of(room(), "pve1"))
    assert terms(one) == {"used, p95": 6.4, "reserved": 0, "this request": 4}
    assert (one.total, one.limit) == (10.4, limit)


def test_a_stopped_guest_counts_and_a_template_does_not() -> None:
    stopped = room(guests=(guest(1, "stopped", "pve1", running=False, memory_gib=100),))
    assert terms(memory_sum(stopped, of(stopped, "pve1")))["promised to stopped guests"] == 100 * 1024
    template = room(guests=(guest(1, "t", "pve1", memory_gib=100).model_copy(update={"template": True}),))
    assert "promised to guests" not in terms(memory_sum(template, of(template, "pve1")))


def test_a_shared_storage_is_one_storage_and_a_local_one_is_one_a_node() -> None:
    after = room().after(
        [Taking("pve1", "ceph-vm", 1, 512, 40), Taking("pve2", "ceph-vm", 1, 512, 60), Taking("pve2", "local-lvm", 1, 512, 7)]
    )
    shared = storage("ceph-vm", "pve4", shared=True, total_gib=4000, used_gib=900)
    assert terms(storage_sum(after, shared)) == {"used": 900, "this request": 100}
    assert terms(storage_sum(after, storage("local-lvm", "pve1", shared=False)))["this request"] == 0
    assert terms(storage_sum(after, storage("local-lvm", "pve2", shared=False)))["this request"] == 7


def test_a_machine_that_exists_is_not_counted_twice() -> None:
    grown = Taking("pve1", "ceph-vm", 6, 16 * 1024, 60, old_cpu_count=4, old_memory_mib=8 * 1024, old_disk_gib=40)
    own = Room.of(four_nodes(), PRODUCTION, NOTHING, frozenset({100})).after([grown])
    assert terms(memory_sum(own, of(own, "pve1"))) == {"promised to guests": 32 * 1024, "reserved": 0, "this request": 16 * 1024}
    assert terms(cpu_sum(own, of(own, "pve1")))["this request"] == 2
    assert terms(storage_sum(own, own.snapshot.storages[0]))["this request"] == 20


def stopped_guest(on_boot: bool | None) -> Guest:
    return guest(1, "stopped", "pve1", running=False, memory_gib=100).model_copy(update={"on_boot": on_boot})


STOPPED = [
    (PRODUCTION, False, 100),
    (DEVELOPMENT, True, 100),
    (DEVELOPMENT, None, 100),
    (DEVELOPMENT, False, 0),
    (Environment(name="production", stopped_guests="leave_out"), True, 0),
]


@pytest.mark.parametrize(("environment", "on_boot", "counted_gib"), STOPPED)
def test_a_stopped_guest_counts_by_the_sites_policy(environment: Environment, on_boot: bool | None, counted_gib: int) -> None:
    one = room(environment, guests=(stopped_guest(on_boot),))
    assert terms(memory_sum(one, of(one, "pve1"))).get("promised to stopped guests", 0) == counted_gib * 1024


def test_a_machine_younger_than_the_history_counts_in_full() -> None:
    held = Held(vm_id=100, node="pve9", storage="ceph-vm", cpu_count=4, memory_mib=8192, disk_gib=40, made=True)
    one = room(reserved=Reserved(machines=(held,)))
    assert terms(cpu_sum(one, of(one, "pve1"))) == {"used, p95": 6.4, "younger than the history": 4, "reserved": 0, "this request": 0}
    assert memory_sum(one, of(one, "pve1")) == memory_sum(room(), of(room(), "pve1")), "its memory is promised to a guest already"
    assert storage_sum(one, one.snapshot.storages[0]) == storage_sum(room(), one.snapshot.storages[0]), "its disk is in what is used"
    gone = room(reserved=Reserved(machines=(held.model_copy(update={"vm_id": 999}),)))
    assert cpu_sum(gone, of(gone, "pve1")) == cpu_sum(room(), of(room(), "pve1")), "what was removed is used by nobody"


def test_storage_that_other_plans_were_promised_counts() -> None:
    mine = Held(vm_id=20000, node="pve2", storage="ceph-vm", cpu_count=4, memory_mib=8192, disk_gib=40)
    local = mine.model_copy(update={"vm_id": 20001, "storage": "local-lvm", "disk_gib": 7})
    one = room(reserved=Reserved(machines=(mine, local)))
    assert terms(storage_sum(one, storage("ceph-vm", "pve4", shared=True, used_gib=900)))["reserved"] == 40
    assert terms(storage_sum(one, storage("local-lvm", "pve2", shared=False)))["reserved"] == 7
    assert "reserved" not in terms(storage_sum(one, storage("local-lvm", "pve1", shared=False)))


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (node("pve9", online=False), "not online"),
        (node("pve9", cpu=None), "Sys.Audit"),
        (node("pve9", used_gib=None), "Sys.Audit"),
        (node("pve9", threads=0), "did not tell"),
        (node("pve9"), ""),
    ],
)
def test_why_a_node_cannot_be_used(bad: Node, problem: str) -> None:
    assert problem in node_problem(bad)
    assert bool(problem) == bool(node_problem(bad))


def test_a_sum_reads_as_arithmetic() -> None:
    one = Sum(
        subject="memory of pve2",
        unit="MiB",
        terms=(("promised to guests", 8192), ("reserved", 0), ("this request", 4096)),
        total=12288,
        limit=26214,
    )
    assert one.spelt == "memory of pve2: 8 (promised to guests) + 4 (this request) = 12 of 25.6 GiB"
