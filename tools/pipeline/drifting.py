"""Compares what a run made with what exists now. It changes nothing: Terraform plans, and the plan is thrown away."""

from __future__ import annotations

from tools.clients.terraform import Terraform
from tools.pipeline.begun import assert_recorded
from tools.pipeline.run_folder import bench, part_folder, secret_texts, terraform_of
from tools.pipeline.world import World
from tools.platforms import PLATFORMS
from tools.rules.plans.changes import changes
from tools.values.plan import Change
from tools.values.trouble import RequestProblem

DRIFT_PLAN = "tfplan.drift"


def drift(world: World, run_id: str) -> tuple[tuple[str, tuple[Change, ...]], ...]:
    """(part, what Terraform would change to make it again as it was approved); no change anywhere: nothing has drifted."""
    run = world.ledger.runs.row(run_id)
    if run.status == "running":
        raise RequestProblem("The run is still going.", f"{run_id} is being carried out.", "Look again when it is done.")
    kept = world.ledger.plans.kept(run.plan_digest)
    found: list[tuple[str, tuple[Change, ...]]] = []
    for part in kept.manifest.parts:
        assert_recorded(world, run_id, part)
        folder = world.run_folder(run_id)
        if terraform_of(world, folder, part).state_is_empty():
            continue
        with bench(part_folder(folder, part), None) as copy:
            terraform = Terraform(world.settings_of(part), copy, secret_texts(folder, part))
            terraform.init()
            found.append((part.label, changes(terraform.plan(DRIFT_PLAN, validate=False).json, PLATFORMS[part.platform].PROVIDER)))
    return tuple(found)
