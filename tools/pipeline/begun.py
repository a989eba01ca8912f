"""Where Terraform was begun for a part, and its record put right after it was killed. What it changes is in applying."""

from __future__ import annotations

from pathlib import Path

from tools.clients import detached
from tools.clients.detached import Phase
from tools.clients.terraform import Terraform
from tools.pipeline.run_folder import assert_ours, part_folder
from tools.pipeline.world import World
from tools.values.manifest import Part
from tools.values.trouble import RequestProblem


def begun(folder: Path) -> list[Path]:
    """Where plans of the part were begun, the latest one last."""
    return [mark.parent for mark in sorted(folder.glob(".apply/*/begun"), key=lambda path: path.stat().st_mtime_ns)]


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
    return Terraform(world.settings_of(part), folder).mend_state(places[-1] / "state.before")
