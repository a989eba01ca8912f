"""Where machines may go: who is in, who is out and why, what would fit instead, and that no placement ever breaks a sum."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from clusters import NAMES, NOTHING, SITE, four_nodes, guest, node, storage, template
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.rules.machines import placement, templates
from tools.rules.machines.capacity import Room, Taking, cpu_sum, memory_sum, storage_sum
from tools.rules.machines.counter import counter_offer
from tools.rules.machines.networks import Wish, find
from tools.rules.machines.places import Demand, places
from tools.values.offer import Candidate, Exclusion
from tools.values.snapshot import ClusterSnapshot, Guest, Network

PRODUCTION = SITE.environment("production")
DEMAND = Demand(count=1, cpu_count=2, memory_mib=4096, disk_gib=40, wish=Wish("20"))


def look(demand: Demand = DEMAND, **changes: object) -> tuple[tuple[Candidate, ...], tuple[Exclusion, ...]]:
    snapshot = four_nodes(**changes)
    found, shut = places(demand, snapshot)
    ranked, full = placement.candidates(demand, found, Room.of(snapshot, PRODUCTION, NOTHING))
    return ranked, (*shut, *full)


def ids(ranked: tuple[Candidate, ...]) -> list[str]:
    return [candidate.id for candidate in ranked]


def reason(exclusions: tuple[Exclusion, ...], subject: str) -> str:
    return next(e.reason for e in exclusions if subject in e.subject)


def test_the_place_with_most_room_left_comes_first_and_the_runner_up_is_seen() -> None:
    ranked, _ = look()
    assert ids(ranked)[:2] == ["pve1/ceph-vm", "pve2/ceph-vm"]
    assert len(ranked) == placement.CANDIDATES_MAX
    assert [c.score for c in ranked] == sorted((c.score for c in ranked), reverse=True)
    assert ranked[0].binding == "processors of pve1"
    assert "8.4 of 19.2 threads" in ranked[0].reasons[0]


def test_production_prefers_shared_storage_and_says_why() -> None:
    ranked, _ = look(replace(DEMAND, prefer_shared=True))
    assert [c.id.split("/")[1] for c in ranked[:2]] == ["ceph-vm", "ceph-vm"]
    assert any("On shared storage" in reason for reason in ranked[0].reasons)


OUT = [
    ("node", {"nodes": (node("pve1"), node("pve2", online=False))}, "pve2", "it is not online"),
    ("load", {"nodes": (node("pve1"), node("pve2", cpu=None))}, "pve2", "Sys.Audit"),
    (
        "bridge",
        {"networks": (Network(name="20", bridge="vmbr0", vlan_tag=20, nodes=("pve1",)),)},
        "pve2",
        "network 20 (vmbr0) is not there",
    ),
    ("content", {}, "pve1/nfs", "does not take machine disks"),
    (
        "inactive",
        {"storages": (storage("ceph-vm", "pve1", shared=True), storage("local-lvm", "pve2", shared=False, active=False))},
        "pve2/local-lvm",
        "not active",
    ),
    ("no cloud-init", {"templates": (template(9000, "debian-12", "pve1", cloud_init=False),)}, "pve1/ceph-vm", "no cloud-init drive"),
    ("template's node", {"nodes": (node("pve1", online=False), node("pve2"))}, "pve2/ceph-vm", "lies on pve1, which is not online"),
    ("full", {"storages": (storage("ceph-vm", "pve1", shared=True, total_gib=1000, used_gib=790),)}, "pve1/ceph-vm", "too little storage"),
    ("memory", {"nodes": (node("pve1", used_gib=100),)}, "pve1/ceph-vm", "too little memory"),
    ("processors", {"nodes": (node("pve1", cpu=0.55),)}, "pve1/ceph-vm", "too few processors"),
]


@pytest.mark.parametrize(("changes", "subject", "why"), [case[1:] for case in OUT], ids=[case[0] for case in OUT])
def test_whoever_is_out_is_told_with_the_reason(changes: dict[str, object], subject: str, why: str) -> None:
    ranked, exclusions = look(**changes)
    assert why in reason(exclusions, subject)
    assert not any(subject in c.id for c in ranked)


WRONG = [
    (replace(DEMAND, node="pev3"), "There is no node called pev3. Did you mean pve3?"),
    (replace(DEMAND, wish=Wish("21")), "There is no network called 21."),
    (replace(DEMAND, os="debain"), "There is no template called debain. Did you mean debian?"),
    (replace(DEMAND, storage="ceph-wm"), "There is no storage called ceph-wm. Did you mean ceph-vm?"),
]


@pytest.mark.parametrize(("demand", "sentence"), WRONG)
def test_names_that_the_cluster_does_not_know_are_told_with_what_was_meant(demand: Demand, sentence: str) -> None:
    ranked, exclusions = look(demand)
    assert ranked == ()
    assert sentence in exclusions[0].reason


def test_a_cluster_without_templates_says_so() -> None:
    _, exclusions = look(templates=())
    assert "no template at all" in exclusions[0].reason and "`make a Debian 12 template`" in exclusions[0].reason


def test_pins_are_kept() -> None:
    ranked, _ = look(replace(DEMAND, node="PVE3", storage="local-lvm"))
    assert ids(ranked) == ["pve3/local-lvm"]


@pytest.mark.parametrize(("word", "tag"), [("20", 20), ("VMBR0", None), ("30", 30)])
def test_a_network_is_known_by_name_tag_and_bridge(word: str, tag: int | None) -> None:
    found = find(four_nodes(), Wish(word))
    assert isinstance(found, Network)
    assert found.vlan_tag == tag


# Clone rules of Proxmox VE: (template on pve1, the storages that may take a clone on pve2)
CLONES = [
    ("all volumes shared", template(9000, "debian-12", "pve1"), {"pve2/ceph-vm"}),
    (
        "local volume",
        template(9000, "debian-12", "pve1", storages=("local-lvm",), shared=False),
        {"pve2/ceph-vm", "pve2/local-lvm"},
    ),
    (
        "cloud-init on local",
        template(9000, "debian-12", "pve1", storages=("ceph-vm", "local-lvm"), shared=False),
        {"pve2/ceph-vm", "pve2/local-lvm"},
    ),
]


@pytest.mark.parametrize(("one", "reached"), [case[1:] for case in CLONES], ids=[case[0] for case in CLONES])
def test_which_storages_a_clone_reaches_on_another_node(one, reached: set[str]) -> None:
    found, _ = places(replace(DEMAND, node="pve2"), four_nodes(templates=(one,)))
    assert {place.id for place in found} == reached


def test_a_clone_is_migrated_only_through_a_storage_of_the_same_name() -> None:
    only_there = (storage("local-lvm", "pve1", shared=False), storage("fast", "pve2", shared=False))
    local = template(9000, "debian-12", "pve1", storages=("local-lvm",), shared=False)
    found, shut = places(DEMAND, four_nodes(storages=only_there, templates=(local,)))
    assert {place.id for place in found} == {"pve1/local-lvm"}
    assert "no storage fast to clone through" in reason(shut, "pve2/fast")


def test_the_newest_template_is_taken_and_one_on_the_node_itself_before_another() -> None:
    several = (template(9000, "debian-12", "pve1"), template(9010, "debian-13", "pve1"), template(9011, "debian-13", "pve2"))
    found, _ = places(DEMAND, four_nodes(templates=several))
    assert {p.node.name: p.template.vm_id for p in found if p.storage.name == "ceph-vm"} == {
        "pve1": 9010,
        "pve2": 9011,
        "pve3": 9010,
        "pve4": 9010,
    }


def test_several_machines_are_spread_or_packed_and_each_counts_for_the_next() -> None:
    ranked, _ = look(replace(DEMAND, count=6))
    by_id = {c.id: [m.node for m in c.places] for c in ranked}
    assert sorted(by_id["spread"]) == ["pve1", "pve1", "pve2", "pve2", "pve3", "pve4"]
    assert len(set(by_id["pack"])) < 4
    assert ids(ranked)[0].startswith("spread")


@pytest.mark.parametrize(
    ("said", "vm_ids"),
    [("debian-12", {9000}), ("debian-12-local", {9002}), ("9002", {9002}), ("debian", {9000, 9002}), ("debian 12", {9000, 9002})],
)
def test_a_templates_own_name_means_just_that_one(said: str, vm_ids: set[int]) -> None:
    assert {t.vm_id for generation in templates.offered(four_nodes(), said) for t in generation} == vm_ids


def test_machines_that_do_not_fit_together_are_not_offered() -> None:
    ranked, exclusions = look(replace(DEMAND, count=20, memory_mib=20 * 1024))
    assert ranked == ()
    assert "not for all of them" in reason(exclusions, "20 machines")


COUNTER = [
    (replace(DEMAND, memory_mib=200 * 1024), "It would fit with 82.25 GiB of memory instead of 200 GiB."),
    (replace(DEMAND, cpu_count=30), "It would fit with 12 vCPU instead of 30."),
    (replace(DEMAND, disk_gib=90_000), "It would fit with a disk of 2300 GiB instead of 90000 GiB."),
    (replace(DEMAND, wish=Wish("vmbr1")), "It would fit on network vmbr0."),
    (replace(DEMAND, wish=Wish("99")), ""),
    (replace(DEMAND, node="pev3"), "It would fit on node pve3."),
    (replace(DEMAND, disk_gib=2, disk_said=True), "It would fit with a disk of 3 GiB instead of 2 GiB."),
    (replace(DEMAND, count=20, memory_mib=20 * 1024), "It would fit with 9 machines instead of 20."),
]


@pytest.mark.parametrize(("demand", "sentence"), COUNTER)
def test_the_counter_offer_names_the_smallest_change(demand: Demand, sentence: str) -> None:
    room = Room.of(four_nodes(), PRODUCTION, NOTHING)
    assert counter_offer(demand, room) == sentence


@given(st.integers(1, 64), st.integers(512, 400_000), st.integers(1, 12))
@settings(max_examples=40)
def test_a_size_that_is_offered_instead_does_fit(cpu_count: int, memory_mib: int, count: int) -> None:
    snapshot = four_nodes()
    demand = replace(DEMAND, cpu_count=cpu_count, memory_mib=memory_mib, count=count)
    room = Room.of(snapshot, PRODUCTION, NOTHING)
    found, _ = places(demand, snapshot)
    fits = bool(placement.fill(demand, found, room))
    assert fits == bool(placement.candidates(demand, found, room)[0])
    if not fits:
        assert counter_offer(demand, room).startswith("It would fit")


NODES = st.builds(
    node,
    st.sampled_from(NAMES),
    threads=st.integers(1, 64),
    memory_gib=st.integers(1, 256),
    cpu=st.floats(0, 1),
    used_gib=st.floats(0, 256),
    online=st.booleans(),
)


@st.composite
def clusters(draw: st.DrawFn) -> ClusterSnapshot:
    nodes = draw(st.lists(NODES, min_size=1, max_size=4, unique_by=lambda n: n.name))
    shared_total, used = draw(st.integers(1, 2000)), draw(st.integers(0, 2000))
    storages = [storage("ceph-vm", n.name, shared=True, total_gib=shared_total, used_gib=min(used, shared_total)) for n in nodes]
    storages += [storage("local-lvm", n.name, shared=False, total_gib=draw(st.integers(1, 500)), used_gib=0) for n in nodes]
    guests = [
        guest(i, f"g{i}", draw(st.sampled_from(nodes)).name, cpus=draw(st.integers(1, 16)), memory_gib=draw(st.integers(1, 64)))
        for i in range(draw(st.integers(0, 6)))
    ]
    return four_nodes(nodes=tuple(nodes), storages=tuple(storages), guests=tuple(guests))


@given(clusters(), st.integers(1, 8), st.integers(1, 32), st.integers(256, 65536), st.integers(1, 300))
@settings(max_examples=80)
def test_no_placement_breaks_a_sum(snapshot: ClusterSnapshot, count: int, cpu_count: int, memory_mib: int, disk_gib: int) -> None:
    demand = Demand(count=count, cpu_count=cpu_count, memory_mib=memory_mib, disk_gib=disk_gib, wish=Wish("20"))
    room = Room.of(snapshot, PRODUCTION, NOTHING)
    found, _ = places(demand, snapshot)
    ranked, _ = placement.candidates(demand, found, room)
    for candidate in ranked:
        assert all(one.holds and one.total == pytest.approx(sum(v for _, v in one.terms)) for one in candidate.sums)
        # Reckoned once more from the choice alone.
        machines = candidate.places
        assert len(machines) == count
        after = room.after(Taking(m.node, m.storage, cpu_count, memory_mib, max(disk_gib, 3)) for m in machines)
        for one in snapshot.nodes:
            if any(m.node == one.name for m in machines):
                assert memory_sum(after, one).holds
                assert cpu_sum(after, one).holds
        for place in snapshot.storages:
            if any(m.storage == place.name and (place.shared or m.node == place.node) for m in machines):
                assert storage_sum(after, place).holds


def test_on_a_large_cluster_the_fewest_fragments_are_left() -> None:
    names = tuple(f"n{i}" for i in range(8))
    # Every machine here has 8 GiB. n3 has a gap that such a machine does not fit in anyway: that is where a small one belongs.
    snapshot = four_nodes(
        nodes=tuple(node(n, used_gib=5 if n != "n3" else 98, cpu=0.1) for n in names),
        storages=tuple(storage("ceph-vm", n, shared=True, total_gib=9000) for n in names),
        guests=tuple(guest(i, f"g{i}", "n0", memory_gib=8, cpus=2) for i in range(4)),
        templates=(template(9000, "debian-12", "n0"),),
        networks=(Network(name="20", bridge="vmbr0", vlan_tag=20, nodes=names),),
    )
    demand = replace(DEMAND, cpu_count=1, memory_mib=4096)
    found, _ = places(demand, snapshot)
    ranked, _ = placement.candidates(demand, found, Room.of(snapshot, PRODUCTION, NOTHING))
    assert ranked[0].id == "n3/ceph-vm"
    assert "usual sizes" in ranked[0].reasons[1]


def equal(count: int, shared_used_gib: int, guests: tuple[Guest, ...] = (), memory_gib: int = 128) -> ClusterSnapshot:
    names = tuple(f"n{i}" for i in range(1, count + 1))
    return four_nodes(
        nodes=tuple(node(n, memory_gib=memory_gib, used_gib=0) for n in names),
        storages=tuple(storage("ceph-vm", n, shared=True, total_gib=10_000, used_gib=shared_used_gib) for n in names),
        guests=guests,
        templates=(template(9000, "debian-12", "n1"),),
        networks=(Network(name="20", bridge="vmbr0", vlan_tag=20, nodes=names),),
    )


@pytest.mark.parametrize("shared_used_gib", [500, 4000, 7000])
def test_a_full_shared_storage_is_alike_for_all_nodes_and_decides_nothing(shared_used_gib: int) -> None:
    taken: list[Taking] = []
    demand = replace(DEMAND, cpu_count=1, memory_mib=2048, disk_gib=10)
    snapshot = equal(4, shared_used_gib)
    found, _ = places(demand, snapshot)
    for _ in range(24):
        ranked, _ = placement.candidates(demand, found, Room.of(snapshot, PRODUCTION, NOTHING).after(taken))
        best = ranked[0].places[0]
        taken.append(Taking(best.node, best.storage, 1, 2048, 10))
    assert Counter(one.node for one in taken) == {"n1": 6, "n2": 6, "n3": 6, "n4": 6}


def test_of_storages_of_one_node_the_emptier_one_is_taken() -> None:
    full = (storage("fast", "pve1", shared=False, used_gib=600), storage("slow", "pve1", shared=False, used_gib=100))
    ranked, _ = look(replace(DEMAND, node="pve1"), storages=full)
    assert ids(ranked) == ["pve1/slow", "pve1/fast"]


@pytest.mark.parametrize(("apart", "nodes"), [(True, 4), (False, 1)])
def test_on_a_large_cluster_machines_are_kept_apart_where_they_have_to_be(apart: bool, nodes: int) -> None:
    # Two machines of the usual 40 GiB fit on each node but n1, where there is a gap for none.
    crowd = (guest(100, "usual", "n1", memory_gib=40), guest(101, "small", "n1", memory_gib=8), guest(102, "usual", "n2", memory_gib=40))
    snapshot = equal(8, 100, crowd, memory_gib=100)
    demand = replace(DEMAND, count=4, cpu_count=1, apart=apart)
    found, _ = places(demand, snapshot)
    ranked, _ = placement.candidates(demand, found, Room.of(snapshot, SITE.environment("development"), NOTHING))
    assert len({place.node for place in ranked[0].places}) == nodes


def test_production_goes_only_where_every_loss_can_be_carried() -> None:
    # n1 is the emptiest node, but nobody could take a machine of 40 GiB over from it or give it a home beside what is there.
    snapshot = equal(
        3, 100, (guest(100, "a", "n1", memory_gib=30), guest(101, "b", "n2", memory_gib=70), guest(102, "c", "n3", memory_gib=70))
    )
    demand = replace(DEMAND, memory_mib=62 * 1024)
    found, _ = places(demand, snapshot)
    ranked, exclusions = placement.candidates(demand, found, Room.of(snapshot, PRODUCTION, NOTHING))
    assert ranked == ()
    assert any("n1 were lost" in e.reason for e in exclusions)
    told, _ = placement.candidates(demand, found, Room.of(snapshot, SITE.environment("development"), NOTHING))
    assert ids(told) == ["n1/ceph-vm"]
