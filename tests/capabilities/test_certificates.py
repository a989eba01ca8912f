"""Every placement's certificate holds, as a checker that knows nothing of the engine sees it; and a certificate that lies is found out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from clusters import NAMES, NOTHING, SITE, facts, four_nodes, guest, node
from hypothesis import given, settings
from hypothesis import strategies as st
from machine_chain import grown, situation

from tests.certificates import problems
from tools.capabilities import chain
from tools.rules.plans.picking import pick_by_rule
from tools.values.manifest import Manifest
from tools.values.request import Item, Request
from tools.values.site import Held, Reserved
from tools.values.snapshot import ClusterSnapshot

SIZES = st.tuples(st.integers(1, 8), st.integers(1, 40), st.integers(1, 3), st.sampled_from(["production", "development"]))
GUESTS = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(1, 60), st.booleans()), max_size=8)
HELD = Held(vm_id=25000, node="pve2", storage="ceph-vm", cpu_count=4, memory_mib=8192, disk_gib=50)
PROMISED = Reserved(machines=(HELD,), memory_bytes=(("pve2", 8192 * 2**20),), cpu_count=(("pve2", 4),), vm_ids=frozenset({25000}))


def placed(sizes: list[tuple[int, int, int, str]], snapshot: ClusterSnapshot, reserved: Reserved = NOTHING) -> Manifest | None:
    items = tuple(
        Item(
            capability="virtual_machine",
            label=f"vm-{number}",
            facts=facts(
                cpu_count=str(cpu), memory=f"{memory} GB", disk="20 GB", count=str(count), network="vmbr0", environment=environment
            ),
        )
        for number, (cpu, memory, count, environment) in enumerate(sizes)
    )
    requirements, at = chain.understand(Request(items=items), SITE, "operator"), situation(snapshot, reserved)
    offer = chain.offer(requirements, at)
    proposal = pick_by_rule(offer)
    manifest = chain.compose(requirements, offer, proposal, at) if proposal else None
    return manifest if manifest and chain.review(manifest, at).clean else None


def cluster(guests: list[tuple[str, int, bool]], online: int = 4) -> ClusterSnapshot:
    there = tuple(guest(100 + i, f"g{i}", on, memory_gib=size, running=runs) for i, (on, size, runs) in enumerate(guests))
    nodes = tuple(node(name, memory_gib=96 + 32 * i, online=i < online) for i, name in enumerate(NAMES))
    return four_nodes(guests=there, nodes=nodes)


@given(st.lists(SIZES, min_size=1, max_size=3), GUESTS, st.sampled_from([NOTHING, PROMISED]))
@settings(max_examples=40)
def test_every_certificate_holds(sizes: list[tuple[int, int, int, str]], guests: list[tuple[str, int, bool]], reserved: Reserved) -> None:
    snapshot = cluster(guests)
    manifest = placed(sizes, snapshot, reserved)
    if manifest is not None:
        assert problems(manifest.model_dump(mode="json"), snapshot.model_dump(mode="json")) == []


def test_a_change_in_place_is_certified_too() -> None:
    small = {"cpu_count": "2", "memory": "4 GB", "disk": "20 GB", "network": "vmbr0", "environment": "development"}
    old = placed([(2, 4, 1, "development")], four_nodes())
    assert old is not None
    [machine] = old.parts[0].machines
    old = old.model_copy(update={"parts": (old.parts[0].model_copy(update={"label": "virtual_machine"}),)})
    built = four_nodes(guests=(*four_nodes().guests, guest(machine.vm_id, machine.name, machine.node, cpus=2, memory_gib=4, disk_gib=20)))
    new = grown(old, small | {"memory": "12 GB"}, built)
    assert isinstance(new, Manifest)
    assert problems(new.model_dump(mode="json"), built.model_dump(mode="json")) == []


def _homeless(said: dict[str, Any]) -> None:
    said["certificate"]["losses"][0]["moves"] = []


def _crowded(said: dict[str, Any]) -> None:
    for lost in said["certificate"]["losses"]:
        for move in lost["moves"]:
            move["to"] = said["certificate"]["losses"][1]["node"]


def _forgotten(said: dict[str, Any]) -> None:
    said["parts"][0]["machines"].append(said["parts"][0]["machines"][0])


def _beyond(said: dict[str, Any]) -> None:
    for row in said["certificate"]["nodes"]:
        row["memory_mib_max"] = 1


@pytest.mark.parametrize("lie", [_homeless, _crowded, _forgotten, _beyond, lambda said: said.update(certificate=None)])
def test_a_certificate_that_lies_is_found_out(lie: Callable[[dict[str, Any]], None]) -> None:
    snapshot = cluster([(name, 40, True) for name in NAMES])
    manifest = placed([(2, 4, 1, "production")], snapshot)
    assert manifest is not None
    said = manifest.model_dump(mode="json")
    lie(said)
    assert problems(said, snapshot.model_dump(mode="json"))
