"""A picture, the plan's table, and what other conversations are promised: one memory, counted once."""

from __future__ import annotations

import re

import pytest
from clusters import NOTHING, four_nodes, guest
from machine_chain import VM, composed, grown, offered, only, required, situation

from tools.platforms import PLATFORMS, pictures
from tools.rules.machines.capacity import Room, memory_sum
from tools.rules.machines.changes import stay
from tools.values.manifest import Manifest
from tools.values.offer import PartOffer
from tools.values.site import Environment, Reserved
from tools.values.snapshot import ClusterSnapshot

BUILT = guest(20000, "vm-01", "pve1", cpus=4, memory_gib=8, disk_gib=60)


def figures(svg: str) -> tuple[dict[str, str], dict[str, str]]:
    """Node → `taken of limit GiB`, before and after, as it is drawn: `77.0 → 81.0 of 102.4 GiB` where that differs."""
    rows = re.findall(r">(pve\d)</text>.*?>(?:([\d,.]+) → )?([\d,.]+) of ([\d,.]+ GiB)<", svg)
    return {node: f"{was or now} of {limit}" for node, was, now, limit in rows}, {node: f"{now} of {limit}" for node, _, now, limit in rows}


def told(offer: PartOffer, node: str) -> str:
    """The first candidate's sum of that node's memory, spelled as a picture spells it."""
    [found] = [one for one in offer.candidates[0].sums if one.subject == f"memory of {node}"]
    assert found.unit == "MiB"
    return f"{found.total / 1024:,.1f} of {found.limit / 1024:,.1f} GiB"


def drawn(manifest: Manifest, snapshot: ClusterSnapshot, reserved: Reserved = NOTHING) -> tuple[dict[str, str], dict[str, str]]:
    return figures(pictures(manifest, situation(snapshot, reserved))["cluster.svg"])


@pytest.mark.parametrize("reserved", [NOTHING, Reserved(memory_bytes=(("pve1", 10 * 2**30), ("pve2", 3 * 2**30)))])
def test_a_new_machine_is_drawn_by_the_sum_it_was_offered_with(reserved: Reserved) -> None:
    snapshot = four_nodes()
    manifest = composed("virtual_machine", VM, snapshot, reserved)
    node = only(manifest).machines[0].node
    before, after = drawn(manifest, snapshot, reserved)
    assert after[node] == told(offered("virtual_machine", VM, snapshot, reserved)[1].parts[0], node)
    assert {name for name in after if after[name] != before[name]} == {node}


def test_a_machine_that_grows_is_counted_once_in_the_picture_the_table_and_what_is_promised() -> None:
    said = VM | {"memory": "16 GB"}
    built = four_nodes(guests=(*four_nodes().guests, BUILT))
    old = composed("virtual_machine", VM)
    new = grown(old, said, built)
    assert isinstance(new, Manifest)
    before, after = drawn(new, built)
    assert after["pve1"] == told(stay(only(old), required("virtual_machine", said).parts[0], situation(built)), "pve1")

    # Another conversation sees the machine that is there and what is promised besides: the same memory.
    promised = PLATFORMS["proxmox"].reserves(only(new))
    room = Room.of(built, Environment(name="development"), promised)
    taken = memory_sum(room, next(node for node in built.nodes if node.name == "pve1")).total
    assert after["pve1"].startswith(f"{taken / 1024:,.1f} of "), "as others count it"
    assert before["pve1"] != after["pve1"]
