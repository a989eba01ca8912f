"""Plans a recorded run again, from what was kept of it: no cluster, no cloud and no model is asked. What comes of it is compared, byte by
byte, with what was recorded.

What a manifest was composed from lies in the run's folder; that it is the same by now is told by the audit chain and by the digests that
the manifest names.
"""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import NamedTuple

from tools.capabilities import chain
from tools.clients.files import write_private
from tools.pipeline.run_folder import part_folder, with_run_key
from tools.pipeline.world import World
from tools.rules.plans.inputs import VARIABLES
from tools.rules.plans.replaying import first_difference
from tools.values.made_from import MadeFrom
from tools.values.manifest import Manifest
from tools.values.shapes import read, written
from tools.values.situation import Situation
from tools.values.snapshot import ClusterSnapshot, PlatformName, Snapshot, SubscriptionSnapshot
from tools.values.trouble import RequestProblem, WorldProblem
from tools.values.value import Json, canonical, sha256

FILE = "made-from.json.gz"
"""A JSON object a line: what it was made from, then each snapshot, in the order that it names them."""
REMEMBERED_MAX = 32
"""Drafts of this process that may still be planned."""
_KINDS: dict[PlatformName, type[ClusterSnapshot] | type[SubscriptionSnapshot]] = {"proxmox": ClusterSnapshot, "azure": SubscriptionSnapshot}


class Replayed(NamedTuple):
    manifest_digest: str
    compared: tuple[str, ...]
    """What is the same, byte by byte: the manifest, and the variables of each part."""
    difference: tuple[str, str, str] | None
    """(where, what was recorded, what comes of it now): the first one."""


def remember(world: World, manifest: Manifest, made_from: MadeFrom, snapshots: dict[PlatformName, Snapshot]) -> str:
    """Until it is planned; the hash of what is kept, for the audit."""
    text = written(made_from)
    world.made_from[manifest.digest] = (text, *(written(snapshots[platform]) for platform, _ in made_from.snapshots))
    for old in list(world.made_from)[:-REMEMBERED_MAX]:
        world.made_from.pop(old, None)
    return sha256(text.encode())


def keep(world: World, manifest: Manifest, place: Path) -> None:
    """In the folder of its run, or of its proposal."""
    if lines := world.made_from.pop(manifest.digest, None):
        write_private(place / FILE, gzip.compress("\n".join(lines).encode(), mtime=0))


def replay(world: World, run_id: str) -> Replayed:
    """Raises RequestProblem where too little was kept to say anything, and WorldProblem where what was kept was changed since."""
    kept = world.ledger.plans.kept(world.ledger.runs.row(run_id).plan_digest)
    made_from, situation = _read(world, run_id, kept.manifest)
    again = chain.compose(made_from.requirements, made_from.offer, made_from.proposal, situation, made_from.parent_digest, made_from.built)
    compared = ["manifest"]
    recorded, now = kept.manifest.said(), again.said()
    if canonical(recorded) != canonical(now):
        return Replayed(kept.manifest.digest, (), first_difference(recorded, now) or ("", "", ""))
    folder = world.run_folder(run_id)
    for part in again.parts:
        path = part_folder(folder, part) / VARIABLES
        if not path.exists():
            continue  # It was taken away since.
        variables = with_run_key(part, folder)
        text = path.read_text(encoding="utf-8", errors="replace")
        if text != json.dumps(variables, indent=2, ensure_ascii=False) + "\n":
            where = first_difference(_parsed(text), variables) or ("its spelling", "", "")
            return Replayed(kept.manifest.digest, tuple(compared), (f"{part.label}/{VARIABLES}: {where[0]}", *where[1:]))
        compared.append(f"{part.label}/{VARIABLES}")
    return Replayed(kept.manifest.digest, tuple(compared), None)


def _read(world: World, run_id: str, manifest: Manifest) -> tuple[MadeFrom, Situation]:
    path = world.run_folder(run_id) / FILE
    facts = (record.facts for record in world.ledger.audit.read())
    drafts = [(one.get("manifest"), one["made_from"]) for one in facts if one.get("action") == "drafted" and one.get("made_from")]
    its_own = {made_from for digest, made_from in drafts if digest == manifest.digest}
    if not its_own:
        raise _not_kept("it leads back from a change, or an older Berth planned it, so what its manifest was made from was never recorded")
    if not path.exists():
        raise _not_kept(f"what its manifest was made from is not at {path}: the process that drafted it ended first, or it was taken away")
    try:
        text, *seen = gzip.decompress(path.read_bytes()).decode().split("\n")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error):
        text, seen = "", []
    found = sha256(text.encode())
    if found not in its_own:
        if found in {made_from for _, made_from in drafts}:
            raise _not_kept(f"what lies at {path} is what another plan was made from, unchanged; this one's was not kept")
        raise _changed(path)
    made_from = read(MadeFrom, text, f"What {run_id} was made from")
    if len(seen) != len(made_from.snapshots):
        raise _changed(path)
    snapshots: dict[PlatformName, Snapshot] = {}
    for (platform, digest), line in zip(made_from.snapshots, seen, strict=True):
        snapshots[platform] = read(_KINDS[platform], line, "What was seen of the world")
        if snapshots[platform].digest != digest:
            raise _changed(path)
    return made_from, Situation(
        snapshots, made_from.site, made_from.reserved, made_from.prices, monitors=made_from.monitors, unwatched=made_from.unwatched
    )


def _parsed(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _not_kept(why: str) -> RequestProblem:
    """Not reproducible, which says nothing about whether anything differs."""
    return RequestProblem(
        "This run cannot be planned again.",
        f"Nothing was compared: {why}.",
        "Its record is whole all the same: `berth audit show` has it, and `berth audit verify` says whether it was changed.",
    )


def _changed(path: Path) -> WorldProblem:
    return WorldProblem(
        "A file changed after it was recorded.",
        f"{path} is not what the audit chain says was used.",
        "Put it back from a copy. `berth audit verify` says whether anything else was changed.",
    )
