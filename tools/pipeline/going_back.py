"""Plans the way on from a run that stopped, for whoever does not want to go on: what a change had begun leads back to what was before it;
what a first plan had made is removed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import NamedTuple

from tools.capabilities import chain
from tools.clients.terraform import Terraform
from tools.pipeline.begun import mend
from tools.pipeline.context import Say
from tools.pipeline.drafting import DRAFT_MINUTES, promises, scan_all, situation, spent
from tools.pipeline.platforms import hands
from tools.pipeline.prepare import TakenBack, prepare, prepare_removal
from tools.pipeline.run_folder import part_folder
from tools.pipeline.world import World
from tools.platforms import estimate
from tools.rules.machines.certifying import certify
from tools.rules.plans.judging import judge_by_policy
from tools.rules.plans.returning import led_back, parts_begun, plan_before, way_back
from tools.rules.words.findings import sentence
from tools.values.manifest import Manifest
from tools.values.plan import Change, Estimate, Plan
from tools.values.requirements import Requirements
from tools.values.review import Review, Severity
from tools.values.situation import Situation
from tools.values.snapshot import ClusterSnapshot
from tools.values.trouble import RequestProblem


class WayBack(NamedTuple):
    plan: Plan
    manifest: Manifest
    """What it leads back to."""
    review: Review
    attempted: tuple[Manifest, Estimate]
    labels: tuple[str, ...] = ()
    """Of the parts that are led back, where others stay as they are."""


def prepare_way_back(world: World, conversation: str, run_id: str, requester: str, say: Say, part: str = "") -> WayBack:
    """What a run that stopped had made is removed, or led back to what was before it: all of it, or the part that is called so, with those
    that need it. Raises RequestProblem when nothing of the run is called so."""
    run = world.ledger.runs.row(run_id)
    kept = world.ledger.plans.kept(run.plan_digest)
    attempted = (kept.manifest, kept.plan.estimate)
    records = [one.facts for one in world.ledger.audit.read(run_id)]
    before = plan_before(records)
    is_first = kept.plan.kind != "change" or not before or before == kept.plan.digest
    labels = led_back(kept.manifest, part) if part else ()
    if run.status == "running":
        raise RequestProblem("The run is still going.", f"{run_id} cannot be led back while it works.", "Say cancel first, or wait.")
    found = _found(world, run_id, kept.manifest, say) if labels or not is_first else Found()
    staying = found.standing.difference(labels)
    if not staying:
        labels = ()
    if is_first and not labels:
        return WayBack(prepare_removal(world, conversation, run_id, requester, say), kept.manifest, kept.review, attempted)
    untouched = {one.label for one in kept.manifest.parts} - parts_begun(records, kept.plan.digest)
    if kept.plan.kind == "remove" and (half_gone := staying - untouched):
        raise RequestProblem(
            "It was being removed, too.",
            f"The removal of {', '.join(sorted(half_gone))} was begun, so it cannot stay as it was.",
            "Say `roll back` alone for a plan that removes all that is left.",
        )
    earlier = kept.manifest.model_copy(update={"parts": ()}) if is_first else world.ledger.plans.kept(before).manifest
    needs = {one.label: one.needs for one in (*kept.manifest.parts, *earlier.parts)}
    snapshots = scan_all(world, Requirements(requester=requester, parts=tuple(needs.values())), (*kept.manifest.parts, *earlier.parts))
    seen = snapshots.get("proxmox")
    gone = needs.keys() - found.standing
    manifest = way_back(earlier, kept.manifest, seen if isinstance(seen, ClusterSnapshot) else None, labels, gone, untouched)
    at = situation(world, snapshots, kept.manifest.digest)
    # Whoever asks for the way back asked for this plan, and not who asked for what it leads back to: nobody approves their own.
    manifest = manifest.model_copy(update={"certificate": certify(manifest.parts, at), "requester": requester})
    review = _review(world, manifest, at, kept.manifest.digest)
    now = world.now()
    world.ledger.reservations.reserve(kept.family, manifest.digest, promises(manifest), now, now + timedelta(minutes=DRAFT_MINUTES))
    cost, taken_back = estimate(manifest.parts, at), _taken_back(kept.plan, found, labels)
    plan = prepare(world, conversation, manifest, review, cost, kind="change", run_id=run_id, taken_back=taken_back)
    return WayBack(plan, manifest, review, attempted, labels)


class Found(NamedTuple):
    """What the run has made, and still stands."""

    half_made: Mapping[str, tuple[Change, ...]] = {}
    """By part, of what Terraform does not know."""
    standing: frozenset[str] = frozenset()
    """Labels of the parts that exist, as a whole or half made."""


def _found(world: World, run_id: str, manifest: Manifest, say: Say) -> Found:
    half_made: dict[str, tuple[Change, ...]] = {}
    standing: set[str] = set()
    for part in manifest.parts:
        if mended := mend(world, run_id, part):
            say(mended)
        half_made[part.label] = tuple(change for change, _ in hands(part.platform).left_half_made(world, run_id, part))
        folder = part_folder(world.run_folder(run_id), part)
        if half_made[part.label] or not Terraform(world.settings_of(part), folder).state_is_empty():
            standing.add(part.label)
    return Found(half_made, frozenset(standing))


def _taken_back(attempted: Plan, found: Found, labels: Collection[str]) -> TakenBack:
    """No labels: of all parts."""
    led = [one for one in attempted.parts if one.label in (labels or [one.label])]
    return TakenBack(
        addresses={one.label: frozenset(change.address for change in one.changes if change.action == "create") for one in led},
        half_made={label: left for label, left in found.half_made.items() if label in (labels or [label])},
    )


def _review(world: World, manifest: Manifest, at: Situation, attempted: str) -> Review:
    """Raises RequestProblem when what was before does not fit any more."""
    review = judge_by_policy(
        chain.review(manifest, at),
        manifest,
        lambda parts: estimate(parts, at),
        world.site,
        world.policy,
        spent(world, attempted),
        world.judges,
    )
    if faults := [sentence(finding) for finding in review.findings if finding.severity is Severity.ERROR]:
        raise RequestProblem(
            "What was before does not fit any more.", " ".join(faults), "Say retry to go on with the change, or leave to keep what stands."
        )
    return review
