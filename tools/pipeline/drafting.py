"""Drafts a manifest against what is promised already, and promises its ids and names to it. Choosing belongs to the rules."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

from tools.capabilities import chain
from tools.capabilities.counter import counter_offer
from tools.clients.prometheus import DAYS
from tools.pipeline.platforms import connected, scan
from tools.pipeline.replaying import remember
from tools.pipeline.world import World
from tools.platforms import estimate
from tools.rules.machines import watching
from tools.rules.plans.judging import judge_by_policy
from tools.rules.plans.policy import Spent
from tools.values.made_from import MadeFrom
from tools.values.manifest import Manifest, Part
from tools.values.offer import Offer, Proposal
from tools.values.request import Request
from tools.values.requirements import Requirements
from tools.values.review import Review
from tools.values.site import Reserved
from tools.values.situation import Situation
from tools.values.snapshot import PlatformName, Snapshot
from tools.values.trouble import WorldProblem
from tools.values.watched import Monitor, Watched

Snapshots = dict[PlatformName, Snapshot]

DRAFT_MINUTES = 30
HISTORY, HISTORY_OF_NODES = timedelta(days=DAYS), timedelta(days=1)
"""How far back the load of a node is looked at: by Prometheus, and by the node's own record."""
RACES_MAX = 8
STANDING = ("done", "stopped")
"""Runs in these states have made something."""
WATCHES = '"watches": true'
"""What is written of a part that watches others, and of nothing else."""


def promised(world: World, parent_digest: str = "") -> Reserved:
    """What others have been promised: everything but the family's own."""
    ledger = world.ledger.reservations
    return ledger.held(world.now(), besides=ledger.family_of(parent_digest) if parent_digest else "")


def situation(world: World, snapshots: Snapshots, parent_digest: str = "") -> Situation:
    """What a decision is made in view of now. `parent_digest` is of the manifest that is refined or changed: its promises are its own."""
    return Situation(snapshots, world.site, promised(world, parent_digest), world.prices)


def understand(world: World, request: Request, requester: str) -> Requirements:
    """What is required. Where a look at the world may settle what would be asked for, it is looked at; if it is away, it is asked for."""
    required = chain.understand(request, world.site, requester)
    snapshots: Snapshots = {}
    for platform in chain.settled_by_world(required) & set(connected(world.settings)):
        with suppress(WorldProblem):
            snapshots[platform] = scan(world, platform, needs=required.parts)
    return chain.settle(required, Situation(snapshots, world.site)) if snapshots else required


def scan_all(world: World, requirements: Requirements, built: Iterable[Part] = ()) -> Snapshots:
    """Every platform that the requirements touch, as far as they and the parts that exist depend on it. Raises WorldProblem when one cannot
    be seen at all."""
    regions, names = chain.places_to_look(requirements, world.site)
    settings, needs, parts = world.settings_for(requirements), requirements.parts, tuple(built)
    return {platform: scan(world, platform, settings, regions, names, needs, parts) for platform in chain.platforms(requirements)}


def draft(
    world: World,
    requirements: Requirements,
    offer: Offer,
    proposal: Proposal,
    snapshots: Snapshots,
    parent_digest: str = "",
    built: Manifest | None = None,
) -> tuple[Manifest, Review]:
    """A lost race for an id or a name only means to compose again: by then it counts as taken."""
    ledger = world.ledger.reservations
    family = ledger.family_of(parent_digest) if parent_digest else ""
    monitors, unwatched = seen_watching(world, requirements, built)
    for _ in range(RACES_MAX):
        now = world.now()
        held = ledger.held(now, besides=family)
        situation = Situation(snapshots, world.site, held, world.prices, monitors=monitors, unwatched=unwatched)
        manifest = chain.compose(requirements, offer, proposal, situation, parent_digest, built)
        by_rules = chain.review(manifest, situation)
        review = judge_by_policy(
            by_rules,
            manifest,
            lambda parts, situation=situation: estimate(parts, situation),  # type: ignore[misc]
            world.site,
            world.policy,
            spent(world, parent_digest),
            world.judges,
        )
        until = now + timedelta(minutes=DRAFT_MINUTES)
        # What was said to be called as another's is not its own, and the review says so: no race was lost.
        wanted = promises(manifest).besides(held)
        if ledger.reserve(family or manifest.digest, manifest.digest, wanted, now, until, held.waiting):
            made_from = MadeFrom(
                requirements=requirements,
                offer=offer,
                proposal=proposal,
                site=world.site,
                reserved=held,
                prices=world.prices,
                monitors=monitors,
                unwatched=unwatched,
                snapshots=tuple((platform, snapshots[platform].digest) for platform in sorted(snapshots)),
                parent_digest=parent_digest,
                built=built,
            )
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
                made_from=remember(world, manifest, made_from, snapshots),
            )
            return manifest, review
    raise WorldProblem(
        "Too many plans are being made at once.",
        f"Others took the same ids {RACES_MAX} times in a row.",
        "Ask again in a minute.",
        retryable=True,
    )


def seen_watching(
    world: World, requirements: Requirements, built: Manifest | None = None
) -> tuple[tuple[Monitor, ...], tuple[Watched, ...]]:
    """The monitoring that stands, besides that of the run whose manifest is `built`; and what nobody watches, where a monitoring is asked
    for."""
    asked = any(chain.footing(needs).watches for needs in requirements.parts)
    runs = world.ledger.plans.standing(STANDING, "" if asked else WATCHES)
    parts = [(run_id, part) for run_id, manifest in runs if built is None or manifest.digest != built.digest for part in manifest.parts]
    monitors = watching.monitors_of(parts, world.site)
    return monitors, watching.unwatched(parts, monitors) if asked else ()


def spent(world: World, besides: str = "") -> tuple[Spent, ...]:
    """What the runs that stand cost a month, and whose each is; the one whose manifest has the digest `besides` is about to be changed, and
    does not count."""
    standing = world.ledger.plans.costs(("running", "done", "stopped"))
    return tuple(
        Spent(str(one.wanted.get("team") or world.site.team), str(one.wanted.get("environment") or ""), one.monthly, one.currency)
        for one in standing
        if one.manifest_digest != besides
    )


def counter(world: World, requirements: Requirements, review: Review, snapshots: Snapshots, parent_digest: str = "") -> str:
    """What would pass instead, when the policy refuses; empty when no single change would."""
    at = situation(world, snapshots, parent_digest)
    return counter_offer(requirements, review, at, world.policy, spent(world, parent_digest), world.judges)


def promises(manifest: Manifest) -> Reserved:
    return chain.together(chain.reserves(part) for part in manifest.parts)


def settle_promises(world: World, run_id: str, family: str, made: Iterable[Part]) -> None:
    """What the run held is free. How busy what it has made keeps a node is known only when a history has passed: until then it counts in
    full. An address that moves between machines is kept for them as long as they stand: not every look finds it on one of them."""
    until = world.now() + (HISTORY if world.settings.prometheus_url else HISTORY_OF_NODES)
    stands = tuple(made)
    kept = Reserved(addresses=frozenset(one for part in stands for one in part.virtual_alone))
    world.ledger.release_made(family, run_id, chain.together(map(chain.made, stands)), until, kept)
