"""Drafts a manifest against what is promised already, and promises its ids and names to it. Choosing belongs to the rules."""

from __future__ import annotations

from datetime import timedelta

from tools.capabilities import chain
from tools.capabilities.counter import counter_offer
from tools.pipeline.world import World
from tools.rules.plans.judging import judged
from tools.values.manifest import Manifest
from tools.values.offer import Offer, Proposal
from tools.values.requirements import Requirements
from tools.values.review import Review
from tools.values.site import Reserved
from tools.values.trouble import WorldProblem

DRAFT_MINUTES = 30
RACES_MAX = 8


def promised(world: World, parent_digest: str = "") -> Reserved:
    """What others have been promised: everything but the family's own."""
    ledger = world.ledger.reservations
    return ledger.held(world.now(), besides=ledger.family_of(parent_digest) if parent_digest else "")


def draft(
    world: World,
    requirements: Requirements,
    offer: Offer,
    proposal: Proposal,
    snapshots: chain.Snapshots,
    parent_digest: str = "",
    built: Manifest | None = None,
) -> tuple[Manifest, Review]:
    """A lost race for an id or a name only means to compose again: by then it counts as taken."""
    ledger = world.ledger.reservations
    family = ledger.family_of(parent_digest) if parent_digest else ""
    for _ in range(RACES_MAX):
        now = world.now()
        held = ledger.held(now, besides=family)
        manifest = chain.compose(requirements, offer, proposal, snapshots, world.site, held, parent_digest, built)
        by_rules = chain.review(manifest, snapshots, world.site, held)
        review = judged(by_rules, manifest, snapshots, world.site, world.policy, world.prices, spent_monthly(world), world.judges)
        until = now + timedelta(minutes=DRAFT_MINUTES)
        if ledger.reserve(family or manifest.digest, manifest.digest, promises(manifest), now, until):
            world.ledger.audit.record(
                now,
                "drafted",
                requester=manifest.requester,
                requirements=requirements.digest,
                offer=offer.digest,
                proposal=proposal.digest,
                made_by=proposal.made_by,
                manifest=manifest.digest,
                clean=review.clean,
            )
            return manifest, review
    raise WorldProblem(
        "Too many plans are being made at once.",
        f"Others took the same ids {RACES_MAX} times in a row.",
        "Ask again in a minute.",
        retryable=True,
    )


def spent_monthly(world: World) -> float:
    """What the runs that stand already cost a month, by the estimates of their plans. A changed run counts once, as it is now."""
    standing = (row for row in world.ledger.runs.rows() if row.status in ("running", "done", "stopped"))
    return sum(world.ledger.plans.kept(row.plan_digest).plan.estimate.total or 0.0 for row in standing)


def counter(world: World, requirements: Requirements, review: Review, snapshots: chain.Snapshots, parent_digest: str = "") -> str:
    """What would pass instead, when the policy refuses; empty when no single change would."""
    held = promised(world, parent_digest)
    return counter_offer(requirements, review, snapshots, world.site, held, world.policy, world.prices)


def promises(manifest: Manifest) -> Reserved:
    return chain.together(*(chain.reserves(part) for part in manifest.parts))
