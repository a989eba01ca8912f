"""Drafts a manifest against what is promised already, and promises its ids and names to it. Choosing belongs to the rules."""

from __future__ import annotations

from datetime import timedelta

from tools.capabilities import chain
from tools.pipeline.world import World
from tools.rules.costing import estimate
from tools.rules.policy import document, judge
from tools.values.manifest import Manifest
from tools.values.offer import Offer, Proposal
from tools.values.requirements import Requirements
from tools.values.review import Review, Severity
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
        review = judged(world, manifest, chain.review(manifest, snapshots, world.site, held), snapshots)
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


def judged(world: World, manifest: Manifest, review: Review, snapshots: chain.Snapshots) -> Review:
    """The review, with what the organisation's policy says of each part."""
    findings, passed, approvals = list(review.findings), list(review.passed), dict(review.approvals)
    for part in manifest.parts:
        alone = manifest.model_copy(update={"parts": (part,)})
        seen = document(part, estimate(alone, snapshots, world.prices), requester=manifest.requester, team=world.site.team)
        judgement = judge(world.policy, seen)
        findings += judgement.findings
        passed += judgement.passed
        for role, reason in judgement.approvals:
            approvals.setdefault(role, reason)
    return review.model_copy(
        update={
            "findings": tuple(sorted(findings, key=lambda f: (list(Severity).index(f.severity), f.part, f.check, f.subject))),
            "passed": tuple(sorted(passed)),
            "approvals": tuple(approvals.items()),
            "policy_version": f"{world.policy.version} {world.policy.digest[:12]}",
        }
    )


def promises(manifest: Manifest) -> Reserved:
    return chain.together(*(chain.reserves(part) for part in manifest.parts))
