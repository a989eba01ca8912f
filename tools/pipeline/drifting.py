"""Compares what a run made with what exists now. It changes nothing: Terraform plans, and the plan is thrown away."""

from __future__ import annotations

from tools.clients.terraform import Terraform
from tools.pipeline.run_folder import part_folder, secret_texts
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
        place = part_folder(world.run_folder(run_id), part)
        terraform = Terraform(world.settings_of(part), place, secret_texts(world.run_folder(run_id), part))
        if terraform.state_is_empty():
            continue
        terraform.write_configuration()
        terraform.init()
        try:
            found.append((part.label, changes(terraform.plan(DRIFT_PLAN, validate=False).json, PLATFORMS[part.platform].PROVIDER)))
        finally:
            for name in (DRIFT_PLAN, f"{DRIFT_PLAN}.json"):
                (place / name).unlink(missing_ok=True)
    return tuple(found)
