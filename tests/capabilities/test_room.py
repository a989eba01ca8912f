"""Little room: who counts is named, sizes that nobody asked for give way, and what would fit is verified."""

from __future__ import annotations

import pytest
from clusters import SITE, facts, four_nodes, guest, node, storage, template
from machine_chain import errors, situation

from tools.capabilities import chain
from tools.rules.plans.picking import pick_by_rule
from tools.values.offer import PartOffer
from tools.values.request import Item, Request
from tools.values.site import Site
from tools.values.snapshot import ClusterSnapshot, Network

WEB = {"network": "lan", "environment": "development"}
VM = WEB | {"cpu_count": "1", "memory": "2 GB", "disk": "10 GB"}


def home(on_boot: bool | None = False, running_gib: int = 9, stopped_gib: int = 8, threads: int = 8) -> ClusterSnapshot:
    """One node of 16 GiB, some of it running, and a guest that is off."""
    off = guest(101, "win11", "pve", running=False, memory_gib=stopped_gib).model_copy(update={"on_boot": on_boot})
    return four_nodes(
        nodes=(node("pve", threads=threads, memory_gib=16, used_gib=6),),
        storages=(storage("local-lvm", "pve", shared=False, total_gib=400),),
        guests=(guest(100, "nas", "pve", memory_gib=running_gib), off),
        templates=(template(9000, "debian-12", "pve", storages=("local-lvm",), shared=False),),
        networks=(Network(name="lan", bridge="vmbr0", vlan_tag=None, nodes=("pve",)),),
    )


def offered(capability: str, said: dict[str, str], snapshot: ClusterSnapshot, site: Site = SITE) -> PartOffer:
    requirements = chain.understand(Request(items=(Item(capability=capability, label="it", facts=facts(**said)),)), site, "operator")
    assert requirements.complete
    return chain.offer(requirements, situation(snapshot)).parts[0]


def test_a_guest_that_is_off_and_stays_off_is_in_nobodys_way() -> None:
    assert offered("virtual_machine", VM, home()).candidates
    assert not offered("virtual_machine", VM, home(on_boot=True)).candidates


def test_a_refusal_names_who_is_off_and_the_setting_with_which_it_fits() -> None:
    said = offered("virtual_machine", VM, home(on_boot=True)).counter_offer
    assert "`stopped_guests: leave_out` for development" in said
    assert "VM 101 win11 (8 GiB)" in said


@pytest.mark.parametrize(
    ("snapshot", "setting"),
    [
        (home(running_gib=11), "`memory_ratio_max: 0.85` for development in the site file, instead of 0.8"),
        (home(running_gib=15), ""),
    ],
)
def test_a_refusal_names_the_limit_that_binds_and_how_far_it_would_have_to_go(snapshot: ClusterSnapshot, setting: str) -> None:
    said = offered("virtual_machine", VM, snapshot).counter_offer
    assert setting in said
    assert ("site file" in said) == bool(setting)


def test_sizes_that_nobody_asked_for_become_smaller_before_a_refusal() -> None:
    usual = offered("web_server", WEB, home(running_gib=4))
    requirements = chain.understand(Request(items=(Item(capability="web_server", label="it", facts=facts(**WEB)),)), SITE, "operator")
    assumed = requirements.parts[0].whole("memory_mib")
    low = requirements.parts[0].field("memory_mib").low  # type: ignore[union-attr]
    assert {one.name: one.default for one in usual.ranges}["memory_mib"] == assumed > low > 0
    # There is room for a little less than what is assumed.
    tight = home(running_gib=12, stopped_gib=0).model_copy(
        update={"guests": (guest(100, "nas", "pve", memory_gib=12.8 - (assumed - 256) / 1024),)}
    )
    at = situation(tight)
    offer = chain.offer(requirements, at)
    manifest = chain.compose(requirements, offer, pick_by_rule(offer), at)
    [machine] = manifest.parts[0].machines
    assert low <= machine.memory_mib < assumed
    assert manifest.parts[0].needs.whole("memory_mib") == machine.memory_mib, "the card tells what was taken"
    assert errors(chain.review(manifest, at)) == []


def test_what_was_said_is_kept_to_the_letter() -> None:
    assert offered("virtual_machine", VM, home(running_gib=12)).candidates == ()


@pytest.mark.parametrize(("wish", "offered_on"), [({}, ["pve1"]), ({"high_availability": "yes"}, [])])
def test_whoever_is_promised_another_node_gets_one_outside_production_too(wish: dict[str, str], offered_on: list[str]) -> None:
    crowd = tuple(guest(100 + i, f"g{i}", f"pve{i}", memory_gib=size) for i, size in ((1, 30), (2, 70), (3, 70)))
    snapshot = four_nodes(nodes=tuple(node(f"pve{i}", used_gib=0) for i in (1, 2, 3)), guests=crowd)
    part = offered("virtual_machine", VM | {"network": "vmbr0", "memory": "62 GB"} | wish, snapshot)
    assert sorted({place.node for one in part.candidates for place in one.places}) == offered_on
    assert ("`node_loss: tell` for development" in part.counter_offer) == bool(wish)
