"""A change of machines that exist: they stay in their places, only their growth has to fit, and no disk is lost silently."""

from __future__ import annotations

from clusters import four_nodes, guest, node
from machine_chain import VM, WEB, composed, errors, grown, offered, only, required, reviewed, situation

from tools.capabilities import chain
from tools.platforms import estimate
from tools.rules.machines.keeping import addresses_of, without
from tools.rules.plans.picking import pick_by_rule
from tools.values.manifest import Manifest, Part
from tools.values.snapshot import ClusterSnapshot


def keep(old: Part, new: Part) -> Part:
    """As the service itself keeps what exists of it."""
    keeps = chain.footing(old).keep
    assert keeps is not None
    return keeps(old, new)


def changed(said: dict[str, str], snapshot: ClusterSnapshot) -> Part:
    """The part of a change, as it is offered against the cluster without its own machine."""
    return only(composed("virtual_machine", said, without(snapshot, [20000])))


def test_a_change_keeps_the_machine_in_its_place() -> None:
    old = only(composed("virtual_machine", VM))
    built = four_nodes(guests=(*four_nodes().guests, guest(20000, "vm-01", "pve1", cpus=4, memory_gib=8, disk_gib=60)))
    kept = keep(old, changed(VM | {"cpu_count": "6", "memory": "16 GB", "disk": "80 GB"}, built))
    before, after = old.machines[0].model_dump(), kept.machines[0].model_dump()
    assert {k for k in after if after[k] != before[k]} == {"cpu_count", "memory_mib", "disk_gib"}
    assert kept.confirm == ""
    manifest = Manifest(requester="operator", made_by="rule", parts=(kept,), snapshot_digests=())
    assert errors(reviewed(manifest, built)) == []
    lines = {line.subject: line.quantity for line in estimate(manifest.parts, situation(built)).lines}
    assert lines == {"memory of vm-01": 8, "vCPUs of vm-01": 2, "disks on ceph-vm": 20}


# A node with room for its machine to grow, but not for another one like it; and a machine that makes up much of its load.
FULL = {"nodes": (node("pve1", threads=16, cpu=0.5, used_gib=20, memory_gib=64), node("pve2", online=False))}
BUILT = guest(20000, "vm-01", "pve1", cpus=4, memory_gib=8, disk_gib=60)


def test_a_change_fits_where_a_new_machine_would_not() -> None:
    old = composed("virtual_machine", VM)
    built = four_nodes(**FULL, guests=(BUILT,), templates=())
    said = VM | {"cpu_count": "6", "memory": "16 GB"}
    assert not offered("virtual_machine", said, four_nodes(**FULL, guests=(BUILT,)))[1].parts[0].candidates
    new = grown(old, said, built)
    assert isinstance(new, Manifest)
    before, after = only(old).machines[0], only(new).machines[0]
    assert after == before.model_copy(update={"cpu_count": 6, "memory_mib": 16384})
    assert errors(reviewed(new, built)) == []


def test_a_change_that_does_not_fit_says_what_would() -> None:
    old = composed("virtual_machine", VM)
    built = four_nodes(**FULL, guests=(BUILT,))
    said = grown(old, VM | {"memory": "60 GB"}, built)
    assert isinstance(said, str)
    assert "too little room to grow in place: memory of pve1" in said
    assert said.endswith("It would fit with 39 GiB of memory instead of 60 GiB.")


def test_what_is_on_a_silent_node_is_not_changed_and_not_reckoned() -> None:
    silent = four_nodes(nodes=(node("pve1", online=False), node("pve2")), guests=(BUILT,))
    assert grown(composed("virtual_machine", VM), VM | {"memory": "9 GB"}, silent) == "it is not online. Ask again when it is | "


def test_machines_are_added_beside_those_that_stay() -> None:
    old = composed("virtual_machine", VM)
    built = four_nodes(guests=(*four_nodes().guests, BUILT))
    new = grown(old, VM | {"count": "3"}, built)
    assert isinstance(new, Manifest)
    listed = only(new).machines
    assert listed[0] == only(old).machines[0]
    assert [m.name for m in listed] == ["vm-01", "vm-02", "vm-03"]
    assert len({m.vm_id for m in listed}) == 3
    assert errors(reviewed(new, built)) == []


def test_a_machine_that_was_migrated_is_changed_where_it_is_and_another_goes_elsewhere() -> None:
    old = composed("virtual_machine", VM)
    home = only(old).machines[0].node
    for away in {"pve1", "pve2", "pve3"} - {home}:
        built = four_nodes(guests=(*four_nodes().guests, guest(20000, "vm-01", away, cpus=4, memory_gib=8, disk_gib=60)))
        for said, count in ((VM | {"memory": "12 GB"}, 1), (VM | {"count": "2"}, 2)):
            requirements = required("virtual_machine", said)
            offer = chain.offer(requirements, situation(built), old)
            part = only(chain.compose(requirements, offer, pick_by_rule(offer), situation(built), old.digest, old))
            assert part.machines[0].node == away and len({m.node for m in part.machines}) == count
            assert all(home not in one.subject for one in offer.parts[0].candidates[0].sums), "sums of where it is"
            assert part.resources[0].where.startswith(away)


def test_a_disk_does_not_shrink() -> None:
    old = only(composed("virtual_machine", VM))
    built = four_nodes(guests=(*four_nodes().guests, guest(20000, "vm-01", "pve1", cpus=4, memory_gib=8, disk_gib=60)))
    kept = keep(old, changed(VM | {"disk": "40 GB"}, built))
    manifest = Manifest(requester="operator", made_by="rule", parts=(kept,), snapshot_digests=())
    assert errors(reviewed(manifest, built)) == ["disk.size"]


def test_fewer_machines_let_go_of_the_last_ones_and_of_nothing_else() -> None:
    old = only(composed("web_server", WEB))
    kept = keep(old, only(composed("web_server", WEB | {"count": "8"})))
    assert [m.name for m in kept.machines] == [f"web-{i:02d}" for i in range(1, 9)]
    assert kept.lets_go == (*addresses_of("web-09"), *addresses_of("web-10"))
    named = keep(old, only(composed("web_server", WEB | {"count": "2", "name": "web-03, web-07"})))
    assert {m.name: m.vm_id for m in named.machines} == {m.name: m.vm_id for m in old.machines if m.name in ("web-03", "web-07")}
    gone = [name for name in (m.name for m in old.machines) if name not in ("web-03", "web-07")]
    assert named.lets_go == tuple(address for name in gone for address in addresses_of(name))


def test_more_machines_keep_those_that_exist_and_add_new_ones() -> None:
    old = only(composed("web_server", WEB | {"count": "2"}))
    built = four_nodes(guests=(guest(20000, "web-01", "pve1"), guest(20001, "web-02", "pve2")))
    kept = keep(old, only(composed("web_server", WEB | {"count": "3"}, built)))
    listed = kept.machines
    assert [m.vm_id for m in listed[:2]] == [m.vm_id for m in old.machines]
    assert len({m.vm_id for m in listed}) == len({m.name for m in listed}) == 3
    assert {c.machine for c in kept.commands} <= {m.name for m in listed} | {""}
