"""The engine against a simulated cluster: the world is looked at again, and what a killed Terraform left half made is taken away."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster_sim.serve import Settings as ServeSettings
from cluster_sim.serve import open_world as open_cluster
from cluster_sim.world import read_world
from tools.capabilities import chain
from tools.clients import detached
from tools.clients.proxmox_removing import Removing
from tools.pipeline import carry_out, engine
from tools.pipeline.drafting import draft
from tools.pipeline.drifting import drift
from tools.pipeline.prepare import prepare, prepare_removal
from tools.pipeline.scan import scan
from tools.pipeline.steps import production
from tools.pipeline.world import MODULES, World
from tools.rules.changes import Allowed
from tools.values.heard import Ask, Fact, Heard
from tools.values.plan import Estimate, Plan

from .builders import world_at

FOUR_NODES = Path(__file__).parents[2] / "cluster_sim" / "worlds" / "four_nodes.yaml"
TIMES_FASTER = 5.0
FACTS = {
    "cpu_count": "2",
    "memory": "4 GB",
    "disk": "40 GB",
    "network": "20",
    "environment": "development",
    "public_key": "no key",
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("cluster")
        ready = open_cluster(read_world(FOUR_NODES), ServeSettings(guests="none", folder=folder, time=TIMES_FASTER), stack)
        yield {
            "BERTH_CA_FILE": str(ready["ca_file"]),
            "BERTH_PROVIDER_MIRROR": str(ready["mirror"]),
            "PROXMOX_VE_ENDPOINT": ready["proxmox"]["url"],
            "PROXMOX_VE_API_TOKEN": ready["proxmox"]["token"],
        }


@pytest.fixture
def world(tmp_path: Path, cluster: dict[str, str]) -> Iterator[World]:
    made = replace(world_at(tmp_path / "home", environment=cluster), modules=MODULES, allowed=Allowed())
    table = {**production(), **dict.fromkeys(("wait", "configure", "verify", "guide"), lambda _work: {})}
    engine.launch(made, table)
    yield made
    engine.close()
    made.ledger.close()


def a_plan(world: World, name: str) -> Plan:
    facts = tuple(Fact(name=fact, value=value, quote=value) for fact, value in {**FACTS, "name": name}.items())
    requirements = chain.understand(Heard(asks=(Ask(capability="virtual_machine", facts=facts),)), world.site, "ops")
    assert requirements.complete, requirements
    snapshots = {"proxmox": scan(world.settings, "proxmox", world.now())}
    offer = chain.offer(requirements, snapshots, world.site, world.ledger.reservations.held(world.now()))
    manifest, review = draft(world, requirements, offer, chain.settle(offer), snapshots)
    return prepare(world, name, manifest, review, Estimate())


def started(world: World, plan: Plan) -> str:
    carry_out.approve(world, plan.conversation, plan.digest, "ops", "approve it")
    return carry_out.start(world, plan.digest)


def told(world: World, run_id: str) -> list[str]:
    return [line.text for line in carry_out.follow(world, run_id)]


def vm_id_of(world: World, plan: Plan) -> int:
    return int(world.ledger.plans.kept(plan.digest).manifest.parts[0].variables["machines"][0]["vm_id"])


def test_two_conversations_are_promised_different_ids(world: World) -> None:
    first, second = a_plan(world, "one-01"), a_plan(world, "two-01")
    assert vm_id_of(world, first) != vm_id_of(world, second)


def test_a_machine_that_took_the_id_meanwhile_stops_the_run(world: World) -> None:
    plan = a_plan(world, "moved-01")
    cluster = Removing(world.settings)
    cluster._api.nodes("pve1").qemu(9000).clone.post(newid=vm_id_of(world, plan), name="somebody-elses")
    lines = told(world, started(world, plan))
    assert carry_out.run_of(world, plan.run_id).status == "stopped"
    assert any("The world has moved." in line for line in lines), lines
    assert cluster.find(vm_id_of(world, plan))["name"] == "somebody-elses"  # type: ignore[index]


def test_what_a_killed_terraform_left_half_made_is_made_whole_once(world: World) -> None:
    plan = a_plan(world, "half-01")
    vm_id, cluster = vm_id_of(world, plan), Removing(world.settings)
    run_id = started(world, plan)
    place = world.run_folder(run_id) / plan.parts[0].name / ".apply"
    until(lambda: cluster.find(vm_id) is not None)
    detached.signal_it(next(place.iterdir()), signal.SIGKILL)
    lines = told(world, run_id)
    assert any("Terraform could not finish" in line or "Terraform was killed" in line for line in lines), lines
    assert cluster.find(vm_id) is not None

    carry_out.retry(world, run_id)
    lines = told(world, run_id)
    run = carry_out.run_of(world, run_id)
    assert run.status == "done", lines
    assert any(f"half-made VM {vm_id} is removed" in line for line in lines), lines
    assert run.receipt is not None
    assert run.receipt.parts[0].providers == (("bpg/proxmox", "0.111.1+sim"),)
    assert "removing half-made" in [record["action"] for record in world.ledger.audit.read(run_id)]

    assert drift(world, run_id) == (("virtual_machine", ()),), "the second plan has no changes"
    cluster._api.nodes(str(cluster.find(vm_id)["node"])).qemu(vm_id).config.put(memory=2048)  # type: ignore[index]
    [(_, drifted)] = drift(world, run_id)
    assert [(one.action, one.details, one.restarts) for one in drifted] == [("update", ("memory.dedicated 2048 → 4096",), True)]

    removal = prepare_removal(world, plan.conversation, run_id, "ops")
    told(world, started(world, removal))
    assert carry_out.run_of(world, run_id).status == "removed"
    assert cluster.find(vm_id) is None


def until(true: Any) -> None:
    for _ in range(300):
        if true():
            return
        time.sleep(0.1)
    pytest.fail("it never came true")
