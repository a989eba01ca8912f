"""Plans the way on from a run that stopped, for whoever does not want to go on: what a change had begun leads back to what was before it;
what a first plan had made is removed."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from tools.capabilities import chain
from tools.pipeline.begun import mend
from tools.pipeline.context import Say
from tools.pipeline.drafting import DRAFT_MINUTES, promises, scan_all, situation, spent
from tools.pipeline.platforms import hands
from tools.pipeline.prepare import TakenBack, prepare, prepare_removal
from tools.pipeline.world import World
from tools.platforms import estimate
from tools.rules.machines.certifying import certify
from tools.rules.plans.judging import judge_by_policy
from tools.rules.plans.returning import led_back, plan_before, way_back
from tools.rules.words.findings import sentence
from tools.values.manifest import Manifest
from tools.values.plan import Estimate, Plan
from tools.values.requirements import Requirements
from tools.values.review import Review, Severity
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
    before = plan_before(one.facts for one in world.ledger.audit.read(run_id))
    labels = led_back(kept.manifest, part) if part else ()
    if len(labels) == len(kept.manifest.parts):
        labels = ()
    is_first = kept.plan.kind != "change" or not before or before == kept.plan.digest
    if is_first and not labels:
        return WayBack(prepare_removal(world, conversation, run_id, requester, say), kept.manifest, kept.review, attempted)
    if run.status == "running":
        raise RequestProblem("The run is still going.", f"{run_id} cannot be led back while it works.", "Say cancel first, or wait.")
    for one in kept.manifest.parts:
        if mended := mend(world, run_id, one):
            say(mended)
    earlier = kept.manifest.model_copy(update={"parts": ()}) if is_first else world.ledger.plans.kept(before).manifest
    needs = {one.label: one.needs for one in (*kept.manifest.parts, *earlier.parts)}
    snapshots = scan_all(world, Requirements(requester=requester, parts=tuple(needs.values())))
    seen = snapshots.get("proxmox")
    manifest = way_back(earlier, kept.manifest, seen if isinstance(seen, ClusterSnapshot) else None, labels)
    at = situation(world, snapshots, kept.manifest.digest)
    manifest = manifest.model_copy(update={"certificate": certify(manifest.parts, at)})
    review = judge_by_policy(
        chain.review(manifest, at),
        manifest,
        lambda parts: estimate(parts, at),
        world.site,
        world.policy,
        spent(world, kept.manifest.digest),
        world.judges,
    )
    if faults := [sentence(finding) for finding in review.findings if finding.severity is Severity.ERROR]:
        raise RequestProblem(
            "What was before does not fit any more.", " ".join(faults), "Say retry to go on with the change, or leave to keep what stands."
        )
    now = world.now()
    world.ledger.reservations.reserve(kept.family, manifest.digest, promises(manifest), now, now + timedelta(minutes=DRAFT_MINUTES))
    taken_back = TakenBack(
        addresses=frozenset(
            change.address
            for one in kept.plan.parts
            for change in one.changes
            if change.action == "create" and one.label in (labels or [one.label])
        ),
        half_made={
            one.label: tuple(change for change, _ in hands(one.platform).left_half_made(world, run_id, one))
            for one in kept.manifest.parts
            if one.label in (labels or [one.label])
        },
    )
    cost = estimate(manifest.parts, at)
    plan = prepare(world, conversation, manifest, review, cost, kind="change", run_id=run_id, taken_back=taken_back)
    return WayBack(plan, manifest, review, attempted, labels)
