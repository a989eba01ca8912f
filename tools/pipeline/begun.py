"""Where Terraform was begun for a part, and its record put right after it was killed. What it changes is in applying."""

from __future__ import annotations

from pathlib import Path

from tools.clients import detached
from tools.clients.detached import Phase
from tools.clients.terraform import Terraform
from tools.pipeline.run_folder import assert_ours, part_folder, terraform_of
from tools.pipeline.world import World
from tools.values.manifest import Part
from tools.values.trouble import RequestProblem


def begun(folder: Path) -> list[Path]:
    """Where plans of the part were begun, the latest one last."""
    return [mark.parent for mark in sorted(folder.glob(".apply/*/begun"), key=lambda path: path.stat().st_mtime_ns)]


def record_is_lost(world: World, run_id: str, part: Part) -> bool:
    """Terraform has changed the world for the part, as the ledger knows, and its record of what exists is gone."""
    folder = part_folder(world.run_folder(run_id), part)
    if world.ledger.runs.row(run_id).status == "removed":
        return False
    terraform = terraform_of(world, folder.parent, part)
    if not terraform.state_is_empty() if terraform.is_elsewhere() else (folder / "terraform.tfstate").exists():
        return False
    # One that was killed before it had written anything is no loss: what it had begun stands there.
    if any(detached.phase(place) is not Phase.ENDED or detached.code(place) != 0 for place in begun(folder)):
        return False
    records = (one.facts for one in world.ledger.audit.read(run_id))
    left = [one.get("state") for one in records if (one.get("action"), one.get("part")) == ("applied", part.label)]
    # One elsewhere that is gone is begun anew as an empty one by whoever looks for it.
    return bool(left) and terraform.record_sha256() != left[-1]


def assert_recorded(world: World, run_id: str, part: Part) -> None:
    """Raises RequestProblem where nothing can be compared with what exists."""
    if record_is_lost(world, run_id, part):
        raise RequestProblem(
            "The record of what was made is lost.",
            f"{part_folder(world.run_folder(run_id), part)} has no Terraform state any more, though {run_id} was carried out.",
            f"Put the folder back from a backup, then ask again. Or say `remove {run_id}` to plan the removal of what stands.",
        )


def mend(world: World, run_id: str, part: Part) -> str:
    """Terraform's record of the part is put right before anybody asks it what exists; a sentence when it had to be."""
    folder = part_folder(world.run_folder(run_id), part)
    assert_ours(world, world.run_folder(run_id), part)  # A planted backend would send the record elsewhere.
    places = begun(folder)
    if not places:
        return ""
    if any(detached.phase(place) is Phase.ALIVE for place in places):
        raise RequestProblem(
            "Terraform is still at work.",
            f"It is changing {part.label} of {run_id}, though nobody attends to it.",
            "Say retry to attend to it, or wait until it has ended.",
        )
    return mend_record(Terraform(world.settings_of(part), folder), places[-1])


def mend_record(terraform: Terraform, place: Path) -> str:
    """What an apply that ended badly in `place` left of Terraform's record is put right; sentences of what was done."""
    freed = terraform.free_lock(detached.host(place), *detached.lifetime(place))
    return " ".join(filter(None, (freed, terraform.mend_state(place / "state.before"))))
