"""What a plan promises of high availability comes true: its node dies, and the cluster starts the machine on another one that has room."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from cluster_sim.proxmox.recovery import CYCLE_S, LOCK_S
from cluster_sim.run import environment
from cluster_sim.serve import Settings, open_world
from cluster_sim.world import read_world
from tests.conftest import WORLDS, api_server, wait_until
from tools.pipeline.platforms import hands
from tools.values.snapshot import ClusterSnapshot

DIES_AFTER_S = 86_400.0
LOST = "pve2"


class Ahead:
    """The time of day, so far ahead as it was told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return time.time() + self.seconds


@pytest.mark.systems
def test_a_machine_that_is_highly_available_comes_up_elsewhere_when_its_node_is_lost(tmp_path: Path) -> None:
    four = yaml.safe_load((WORLDS / "four_nodes.yaml").read_text())["proxmox"]
    # README: what is to be highly available needs Sys.Console besides.
    roles = four["roles"] | {"BerthAll": [*four["roles"]["BerthAll"], "Sys.Console"]}
    faults = [{"silent": LOST, "after_s": DIES_AFTER_S}]
    file = tmp_path / "world.yaml"
    file.write_text(yaml.safe_dump({"based_on": str(WORLDS / "four_nodes.yaml"), "proxmox": {"roles": roles, "faults": faults}}))
    clock = Ahead()
    with ExitStack() as stack:
        ready = open_world(read_world(file), Settings(guests="emulated", folder=tmp_path / "world"), stack, clock)
        berth = stack.enter_context(api_server(environment(ready, tmp_path), tmp_path / "api_server.log"))
        chat = berth.chat()
        planned = chat.say(
            "a highly available Debian VM called ha-01 with 1 core, 2 GB and 8 GB disk, storage ceph-vm, network 20, "
            f"staging, on node {LOST}, no key"
        )
        done = chat.say(f"approve {planned.digest}")
        assert chat.run.status == "done", done.text
        part = chat.plan.manifest.parts[0]
        [machine] = part.machines
        assert (machine.node, machine.high_availability) == (LOST, True)

        clock.seconds += DIES_AFTER_S
        settings, look = berth.world.settings_of(part), hands("proxmox")

        def seen() -> ClusterSnapshot:
            found = look.scan(settings, berth.world.now(), berth.world.site)
            assert isinstance(found, ClusterSnapshot)
            return found

        def where() -> tuple[str, bool]:
            return next((guest.node, guest.running) for guest in seen().guests if guest.vm_id == machine.vm_id)

        assert where() == (LOST, False), "it is fenced first: no other node starts it while the old one might still run it"
        clock.seconds += LOCK_S + CYCLE_S
        wait_until(lambda: where()[0] != LOST and where()[1], 60, lambda: str(where()))
        after, (node, _) = seen(), where()
        taken = sum(guest.memory_bytes for guest in after.guests if guest.node == node and guest.running)
        there = after.node(node)
        assert there is not None and taken <= there.memory_bytes * berth.world.site.environment("staging").memory_ratio_max
        assert look.switched_off(settings, part) == ()
        larger = chat.say("make it 2 cores")
        assert [m.node for m in chat.now.manifest.parts[0].machines] == [node], larger.text
