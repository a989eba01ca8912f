"""From a clean manifest to a plan: terraform's own, shown with everything that the approval covers."""

from __future__ import annotations

from pathlib import Path

from google.genai import types

from tools.rules.machines import drawing
from tools.rules.plans.costing import estimate
from tools.rules.words import telling
from tools.rules.words.conversation import Event
from tools.values.plan import Plan
from tools.values.trouble import Trouble

from .. import pipeline
from ..stage import Say, Stage
from ..state import Turn

ARTIFACT_BYTES_MAX = 256 * 1024


class Planner(Stage):
    def wanted(self, turn: Turn) -> bool:
        chain = turn.chain
        return turn.drafting and chain.review is not None and chain.review.clean and chain.plan_digest is None

    def work(self, turn: Turn, say: Say) -> str:
        chain = turn.chain
        assert chain.manifest is not None and chain.review is not None and chain.snapshots is not None
        kind = "change" if chain.changing else "create"
        try:
            plan = pipeline.prepare.prepare(
                turn.world,
                turn.conversation,
                chain.manifest,
                chain.review,
                estimate(chain.manifest, chain.snapshots, turn.world.prices),
                kind=kind,
                run_id=chain.run_id if chain.changing else None,
                say=say,
            )
        except Trouble:
            chain.move(Event.NOT_PLANNED)
            raise
        chain.plan_digest = plan.digest
        chain.move(Event.PLANNED)
        return show(turn, plan)

    def artifacts(self, turn: Turn) -> dict[str, types.Part]:
        if turn.handled or turn.chain.plan_digest is None or turn.chain.snapshots is None or turn.chain.manifest is None:
            return {}
        plan = turn.world.ledger.plans.kept(turn.chain.plan_digest).plan
        files = run_files(turn.world.run_folder(plan.run_id))
        pictures = drawing.before_and_after(turn.chain.snapshots, turn.chain.manifest)
        return files | {
            name: types.Part.from_bytes(data=svg.encode(), mime_type="image/svg+xml") for name, svg in pictures.items()
        }


def show(turn: Turn, plan: Plan) -> str:
    """The plan as words: the table, the diagram, the arithmetic, and the one reply that approves it."""
    manifest = turn.chain.manifest if plan.kind != "remove" else None
    return telling.plan(plan, manifest, turn.chain.offer, turn.chain.review)


def run_files(folder: Path) -> dict[str, types.Part]:
    """The readable files of a run folder, none of the secret ones, as text that the web UI shows in place."""
    shown: dict[str, types.Part] = {}
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder)
        if (
            file.suffix not in _SHOWN
            or not file.is_file()
            or any(part in _HIDDEN or part.startswith(_HIDDEN_BEGINNINGS) for part in inside.parts)
            or file.stat().st_size > ARTIFACT_BYTES_MAX
        ):
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        mime_type = "text/markdown" if file.suffix == ".md" else "text/plain"
        shown["__".join(inside.parts)] = types.Part.from_bytes(data=text.encode(), mime_type=mime_type)
    return shown


_SHOWN = frozenset((".tf", ".json", ".md", ".log", ".hcl"))
_HIDDEN = ("secrets", ".terraform", "ansible", "known_hosts", "fault.log")
_HIDDEN_BEGINNINGS = ("tfplan", "terraform.tfstate", "errored.tfstate")
"""Plans of every kind and states hold whatever Terraform was given."""
