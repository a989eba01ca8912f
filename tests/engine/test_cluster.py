"""The engine against a simulated cluster: the world is looked at again, and what a killed Terraform left half made is taken away."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from proxmoxer import ProxmoxAPI

from cluster_sim.serve import Settings as ServeSettings
from cluster_sim.serve import open_world as open_cluster
from cluster_sim.world import read_world
from tools.capabilities import chain
from tools.clients import detached
from tools.clients.proxmox_removing import Removing
from tools.clients.terraform import Terraform
from tools.pipeline import carry_out, engine
from tools.pipeline.drafting import draft, scan_all, situation
from tools.pipeline.drifting import drift
from tools.pipeline.prepare import prepare, prepare_removal
from tools.pipeline.reconciling import reconcile
from tools.pipeline.steps import production
from tools.pipeline.world import MODULES, World
from tools.rules.plans.changes import Allowed
from tools.rules.plans.picking import pick_by_rule
from tools.values.plan import Estimate, Plan
from tools.values.request import Fact, Item, Request
from tools.values.trouble import RequestProblem

from .builders import replaced, world_at

pytestmark = pytest.mark.systems

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
    real = ("recheck", "apply")
    engine.launch(made, tuple(step if step.name in real else replaced(step, lambda _work: {}) for step in production()))
    yield made
    engine.close()
    made.ledger.close()


def a_plan(world: World, *names: str, of: Plan | None = None, **facts: str) -> Plan:
    """Of new machines, each a part, or of a change of what a run has made."""
    asked = [_item(name, "virtual_machine" if len(names) == 1 else name, facts) for name in names]
    name, requirements = names[0], chain.understand(Request(items=tuple(asked)), world.site, "ops")
    assert requirements.complete, requirements
    snapshots = scan_all(world, requirements)
    built = world.ledger.plans.kept(of.digest).manifest if of else None
    offer = chain.offer(requirements, situation(world, snapshots), built)
    manifest, review = draft(world, requirements, offer, pick_by_rule(offer), snapshots, built=built)
    if of is None:
        return prepare(world, name, manifest, review, Estimate())
    return prepare(world, name, manifest, review, Estimate(), kind="change", run_id=of.run_id)


def _item(name: str, label: str, facts: dict[str, str]) -> Item:
    named = {**FACTS, "name": name, **facts}.items()
    said = tuple(Fact(name=fact, value=value, quote=value) for fact, value in named)
    return Item(capability="virtual_machine", label=label, facts=said)


def started(world: World, plan: Plan) -> str:
    carry_out.approve(world, plan.digest, "ops", "approve it")
    return carry_out.start(world, plan.digest)


def told(world: World, run_id: str) -> list[str]:
    return [line.text for line in carry_out.follow(world, run_id)]


def vm_id_of(world: World, plan: Plan) -> int:
    return world.ledger.plans.kept(plan.digest).manifest.parts[0].machines[0].vm_id


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


def test_what_nobody_approved_is_found_in_the_clusters_log(world: World) -> None:
    plan = a_plan(world, "seen-01")
    told(world, started(world, plan))
    vm_id, cluster = vm_id_of(world, plan), Removing(world.settings)
    before = reconcile(world)
    assert not any(one.run_id == plan.run_id for one in before.found) and before.looked_at and before.unread == ()

    place = world.settings.proxmox_endpoint.removeprefix("https://")
    root = ProxmoxAPI(place, user="root@pam", password="simulated", verify_ssl=str(world.settings.ca_file))
    root.nodes(str(cluster.find(vm_id)["node"])).qemu(vm_id).status.stop.post()  # type: ignore[index]
    strange = next(row for row in cluster.read("cluster", "resources", type="vm") if row["vmid"] != vm_id and row["status"] == "running")
    cluster._api.nodes(str(strange["node"])).qemu(strange["vmid"]).status.shutdown.post()
    found = [one for one in reconcile(world).found if one not in before.found]
    ours = world.settings.proxmox_api_token.get_secret_value().partition("=")[0]
    assert {(one.run_id, one.why, one.act.by, one.act.what, one.act.thing) for one in found} == {
        (plan.run_id, "others", "root@pam", "qmstop", str(vm_id)),
        ("", "unnamed", ours, "qmshutdown", str(strange["vmid"])),
    }


def test_what_a_killed_terraform_left_half_made_is_made_whole_once(world: World) -> None:
    plan, vm_id, cluster = killed_while_cloning(world, "half-01")
    run_id = plan.run_id

    carry_out.retry(world, run_id)
    lines = told(world, run_id)
    run = carry_out.run_of(world, run_id)
    assert run.status == "done", lines
    assert any(f"half-made VM {vm_id} is removed" in line for line in lines), lines
    assert run.receipt is not None
    assert run.receipt.parts[0].providers == (("bpg/proxmox", "0.111.1+sim"),)
    assert "removing half-made" in [record.facts["action"] for record in world.ledger.audit.read(run_id)]

    assert drift(world, run_id) == (("virtual_machine", ()),), "the second plan has no changes"
    cluster._api.nodes(str(cluster.find(vm_id)["node"])).qemu(vm_id).config.put(memory=2048)  # type: ignore[index]
    [(_, drifted)] = drift(world, run_id)
    assert [(one.action, one.details, one.restarts) for one in drifted] == [("update", ("memory.dedicated 2048 → 4096",), True)]

    removal = prepare_removal(world, plan.conversation, run_id, "ops")
    told(world, started(world, removal))
    assert carry_out.run_of(world, run_id).status == "removed"
    assert cluster.find(vm_id) is None


def test_what_a_killed_terraform_left_half_made_is_rolled_back(world: World) -> None:
    plan, vm_id, cluster = killed_while_cloning(world, "half-02")
    state = world.run_folder(plan.run_id) / plan.parts[0].label / "terraform.tfstate"
    assert "half-02" not in state.read_text(), "Terraform had recorded nothing"

    removal = prepare_removal(world, plan.conversation, plan.run_id, "ops")
    [change] = removal.parts[0].changes
    assert (change.action, change.name) == ("delete", "half-02") and f"VM {vm_id} on " in change.address
    assert carry_out.run_of(world, plan.run_id).status == "stopped", "nothing happens before the approval"
    assert cluster.find(vm_id) is not None

    lines = told(world, started(world, removal))
    assert carry_out.run_of(world, plan.run_id).status == "removed", lines
    assert cluster.find(vm_id) is None
    assert "removing half-made" in [record.facts["action"] for record in world.ledger.audit.read(plan.run_id)]
    with pytest.raises(RequestProblem, match="nothing left"):
        prepare_removal(world, plan.conversation, plan.run_id, "ops")


def test_what_is_left_half_made_is_in_the_receipt_and_can_be_removed_later(world: World) -> None:
    plan, vm_id, cluster = killed_while_cloning(world, "half-03")
    run = carry_out.leave(world, plan.run_id)
    assert run.status == "done" and run.receipt is not None
    [said] = run.receipt.parts[0].not_verified
    assert f"VM {vm_id} on " in said and f"remove {run.id}" in said and f"qm destroy {vm_id} --purge" in said
    assert said in json.loads((world.run_folder(run.id) / "receipt.json").read_text())["parts"][0]["not_verified"]
    assert said in [line.text for line in world.ledger.runs.lines(run.id)]

    told(world, started(world, prepare_removal(world, plan.conversation, run.id, "ops")))
    assert carry_out.run_of(world, run.id).status == "removed"
    assert cluster.find(vm_id) is None


def test_somebody_elses_machine_on_a_promised_id_is_not_rolled_back(world: World) -> None:
    plan, vm_id, cluster = killed_while_cloning(world, "half-04")
    removal = prepare_removal(world, plan.conversation, plan.run_id, "ops")
    someone_elses(cluster, vm_id)
    lines = told(world, started(world, removal))
    assert any("it is left alone" in line for line in lines), lines
    assert carry_out.run_of(world, plan.run_id).status == "stopped"
    assert cluster.find(vm_id)["name"] == "somebody-elses"  # type: ignore[index]
    with pytest.raises(RequestProblem, match="nothing left"):
        prepare_removal(world, plan.conversation, plan.run_id, "ops")
    cluster.remove("pve1", vm_id)


def test_a_state_that_was_saved_aside_counts_when_the_run_is_rolled_back(world: World) -> None:
    plan = a_plan(world, "aside-01")
    told(world, started(world, plan))
    folder, cluster = world.run_folder(plan.run_id) / plan.parts[0].label, Removing(world.settings)
    (folder / "terraform.tfstate").rename(folder / "errored.tfstate")
    said: list[str] = []
    removal = prepare_removal(world, plan.conversation, plan.run_id, "ops", said.append)
    assert any("taken back" in line for line in said), said
    assert [change.address for change in removal.parts[0].changes] == ['proxmox_virtual_environment_vm.machine["aside-01"]']
    told(world, started(world, removal))
    assert cluster.find(vm_id_of(world, plan)) is None


@pytest.mark.parametrize("name", ["somebody-elses", "taken-01"])
def test_a_stranger_on_the_id_is_neither_removed_nor_changed(world: World, name: str) -> None:
    """Deleted by hand, and the id given anew; also to a machine that happens to have our name."""
    plan = a_plan(world, "taken-01")
    told(world, started(world, plan))
    vm_id, cluster = vm_id_of(world, plan), Removing(world.settings)
    someone_elses(cluster, vm_id, name)
    strange = marks(cluster, vm_id)

    with pytest.raises(RequestProblem, match=f"Somebody else's machine has our id. VM {vm_id} is called") as refused:
        prepare_removal(world, plan.conversation, plan.run_id, "ops")
    with pytest.raises(RequestProblem, match="Somebody else's machine has our id"):
        bigger(world, plan)
    assert marks(cluster, vm_id) == strange

    # The way out, as the sentence says it.
    place = world.run_folder(plan.run_id) / plan.parts[0].label
    terraform = Terraform(world.settings, place)
    assert f"in {place}, type `terraform state rm`" in refused.value.remedy
    [address] = [one.address for one in plan.parts[0].changes]
    forget = [*terraform.program(), "state", "rm", address]
    subprocess.run(forget, cwd=place, env=terraform.environment(), check=True, capture_output=True, timeout=60)
    with pytest.raises(RequestProblem, match="nothing left"):
        prepare_removal(world, plan.conversation, plan.run_id, "ops")
    assert marks(cluster, vm_id) == strange
    cluster.remove("pve1", vm_id)


@pytest.mark.parametrize(("kind", "name"), [("remove", "somebody-elses"), ("change", "later-01")])
def test_a_stranger_who_took_the_id_after_the_plan_stops_the_run(world: World, kind: str, name: str) -> None:
    plan = a_plan(world, "later-01")
    told(world, started(world, plan))
    vm_id, cluster = vm_id_of(world, plan), Removing(world.settings)
    planned = prepare_removal(world, plan.conversation, plan.run_id, "ops") if kind == "remove" else bigger(world, plan)
    someone_elses(cluster, vm_id, name)
    strange = marks(cluster, vm_id)
    for go_on in (lambda: started(world, planned), lambda: again(world, plan.run_id)):
        lines = told(world, go_on())
        assert carry_out.run_of(world, plan.run_id).status == "stopped"
        assert any("Somebody else's machine has our id." in line for line in lines), lines
    assert marks(cluster, vm_id) == strange
    assert "applied" not in [record.facts["action"] for record in world.ledger.audit.read(plan.run_id)][-4:]
    cluster.remove("pve1", vm_id)


def again(world: World, run_id: str) -> str:
    carry_out.retry(world, run_id)
    return run_id


def bigger(world: World, plan: Plan) -> Plan:
    return a_plan(world, plan.conversation, of=plan, memory="6 GB")


def marks(cluster: Removing, vm_id: int) -> dict[str, Any]:
    """Everything that its configuration says of the machine."""
    return dict(cluster.read("nodes", str(cluster.find(vm_id)["node"]), "qemu", str(vm_id), "config"))  # type: ignore[index]


def killed_while_cloning(world: World, name: str) -> tuple[Plan, int, Removing]:
    """A run that stopped because its Terraform was killed in the middle of a clone, which the cluster goes on with."""
    plan = a_plan(world, name)
    vm_id, cluster = vm_id_of(world, plan), Removing(world.settings)
    run_id = started(world, plan)
    place = world.run_folder(run_id) / plan.parts[0].label / ".apply"
    until(lambda: cluster.find(vm_id) is not None)
    detached.signal_it(next(place.iterdir()), signal.SIGKILL)
    lines = told(world, run_id)
    assert any("Terraform could not finish" in line or "Terraform was killed" in line for line in lines), lines
    assert cluster.find(vm_id) is not None
    return plan, vm_id, cluster


def someone_elses(cluster: Removing, vm_id: int, name: str = "somebody-elses") -> None:
    """What had the id is deleted by hand, and somebody else's machine gets it."""
    found = cluster.find(vm_id)
    assert found is not None
    assert cluster.wait_unlocked(vm_id)
    cluster.remove(str(found["node"]), vm_id)
    cluster._api.nodes("pve1").qemu(9000).clone.post(newid=vm_id, name=name)
    until(lambda: cluster.find(vm_id) is not None)
    cluster.wait_unlocked(vm_id)


def until(true: Any) -> None:
    for _ in range(300):
        if true():
            return
        time.sleep(0.1)
    pytest.fail("it never came true")
