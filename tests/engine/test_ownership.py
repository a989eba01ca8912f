"""Whose a machine is: tables on the pure rules. What they are asked about is in tests/engine/test_cluster.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tools.rules.machines.ownership import (
    Marks,
    Standing,
    half_made,
    left_half_made,
    recorded,
    refreshed,
    standing_in,
    strangers,
)
from tools.rules.machines.restarting import VM

from .builders import part_named

MAC, OTHER = "BC:24:11:00:00:01", "BC:24:11:00:00:02"
PART = part_named("web", Path("effects"))
"""Its only machine is web-00, VM 20000."""


def values(name: str = "web-00", vm_id: int = 20000, *macs: str) -> dict[str, Any]:
    return {"name": name, "vm_id": vm_id, "network_device": [{"mac_address": mac} for mac in macs]}


def state(key: str = "web-00", **attributes: Any) -> dict[str, Any]:
    instances = [{"index_key": key, "attributes": {**values(key, 20000, MAC), **attributes}}]
    return {"resources": [{"mode": "managed", "type": VM, "name": "machine", "instances": instances}]}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Marks(vm_id=20000, name="web-00", macs=(MAC,)), ""),
        (Marks(vm_id=20000, name="web-00", macs=(OTHER, MAC)), ""),
        (Marks(vm_id=20000, name="web-00"), ""),
        (Marks(vm_id=20001, name="another"), ""),
        (Marks(vm_id=20000, name="web-00", macs=(OTHER,)), OTHER),
        (Marks(vm_id=20000, name="another", macs=(MAC,)), "is called another, not web-00"),
        (Marks(vm_id=20000, name=""), "is called nothing"),
        (Standing(vm_id=20000, name="web-00", node="pve1", machine=False), "container or a template"),
    ],
)
def test_who_is_a_stranger(found: Marks, said: str) -> None:
    sentences = strangers(PART, recorded(state()), (found,))
    assert (said in " ".join(sentences)) if said else sentences == ()


def test_a_record_of_another_id_than_was_planned_is_a_stranger_too() -> None:
    assert "was planned as VM 20000" in strangers(PART, recorded(state(vm_id=20007)), ())[0]
    assert strangers(PART, recorded(state("from-an-earlier-manifest")), ()) == ()


def test_what_a_plan_found_is_read_from_what_was_there_before_it() -> None:
    change = {"mode": "managed", "type": VM, "address": f'{VM}.machine["web-00"]', "index": "web-00"}
    found = refreshed({"resource_changes": [{**change, "change": {"before": values("another", 20000, OTHER), "after": None}}]})
    assert [(one.key, one.name, one.vm_id, one.macs) for one in found] == [("web-00", "another", 20000, (OTHER,))]
    assert found[0].address == recorded(state())[0].address
    assert refreshed({"resource_changes": [{**change, "change": {"before": None}}]}) == ()


@pytest.mark.parametrize("line", [f"virtio={MAC},bridge=vmbr0,tag=20", f"model=virtio,macaddr={MAC.lower()},bridge=vmbr0"])
def test_what_stands_is_read_from_the_machines_own_configuration(line: str) -> None:
    row = {"vmid": 20000, "node": "pve2", "type": "qemu", "name": "an old name"}
    found = standing_in(row, {"name": "web-00", "net0": line, "lock": "clone"})
    assert found == Standing(vm_id=20000, node="pve2", name="web-00", macs=(MAC,), locked=True)
    assert not standing_in({**row, "type": "lxc"}, {}).machine
    assert not standing_in(row, {"template": 1}).machine


@pytest.mark.parametrize(
    ("name", "locked", "machine", "ours"),
    [
        ("web-00", False, True, True),
        ("web-00", True, True, True),
        ("", True, True, True),
        ("", False, True, False),
        ("another", True, True, False),
        ("web-00", False, False, False),
    ],
)
def test_what_is_certainly_half_made_by_us(name: str, locked: bool, machine: bool, ours: bool) -> None:
    wanted, found = (
        PART.machines[0],
        Standing(vm_id=20000, node="pve1", name=name, locked=locked, machine=machine),
    )
    assert half_made(wanted, found) is ours
    assert bool(left_half_made([wanted], {20000: found}, ())) is ours
    assert left_half_made([wanted], {20000: found}, [20000]) == (), "the id was given to a later run"
