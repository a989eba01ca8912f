"""Files that a front end may show beside the words: the readable ones of a run folder, none of the secret ones, and pictures of the
cluster."""

from __future__ import annotations

import json
from pathlib import Path

from tools.pipeline.drafting import situation
from tools.pipeline.world import World
from tools.platforms import pictures
from tools.rules.request.filing import as_yaml
from tools.values.conversation import Conversation, Phase
from tools.values.shapes import kind_of, with_shape
from tools.values.value import Value

FILE_BYTES_MAX = 256 * 1024
_TYPES = {".md": "text/markdown", ".tf": "text/plain", ".json": "text/plain", ".log": "text/plain", ".hcl": "text/plain"}
_HIDDEN = ("secrets", ".terraform", "ansible", "known_hosts")
_HIDDEN_BEGINNINGS = ("tfplan", "terraform.tfstate", "errored.tfstate", "fault")
"""Plans of every kind and states hold whatever Terraform was given, and a trace of our own mistake whatever was at hand."""


def files_to_show(world: World, now: Conversation) -> dict[str, tuple[bytes, str]]:
    """(content, its type) by name: of the request, of the plan that was just made, or of the run that was just followed."""
    if now.phase in (Phase.ASKING, Phase.DRAFTING):
        return _of_request(now)
    if now.phase is Phase.AWAITING and now.plan_digest and now.snapshots is not None and now.manifest:
        seen = pictures(now.manifest, situation(world, now.snapshots, now.parent_digest))
        drawn = {name: (svg.encode(), "image/svg+xml") for name, svg in seen.items()}
        plan = world.ledger.plans.kept(now.plan_digest).plan
        return _readable(world.run_folder(plan.run_id)) | {"plan.json": _json(plan)} | _of_request(now) | drawn
    return _readable(world.run_folder(now.run_id)) if now.phase in (Phase.DONE, Phase.STOPPED) and now.run_id else {}


def _of_request(now: Conversation) -> dict[str, tuple[bytes, str]]:
    """With every quote for a program, and as a file that can be kept and applied again."""
    return {"request.json": _json(now.request), "request.yaml": (as_yaml(now.request).encode(), "text/plain")}


def _json(value: Value) -> tuple[bytes, str]:
    said = with_shape(kind_of(value), value.model_dump(mode="json"))
    return json.dumps(said, ensure_ascii=False, indent=2).encode(), _TYPES[".json"]


def _readable(folder: Path) -> dict[str, tuple[bytes, str]]:
    """As text that the web UI shows in place."""
    shown = {}
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        hidden = any(part in _HIDDEN or part.startswith(_HIDDEN_BEGINNINGS) for part in parts)
        # A link would show what stands elsewhere, under a name of ours.
        if (
            file.suffix in _TYPES
            and file.is_file()
            and file.resolve() == folder.resolve() / file.relative_to(folder)
            and not hidden
            and file.stat().st_size <= FILE_BYTES_MAX
        ):
            shown["__".join(parts)] = file.read_text(encoding="utf-8", errors="replace").encode(), _TYPES[file.suffix]
    return shown
