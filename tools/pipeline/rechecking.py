"""Looks at the world again before anything is changed. Whether it has moved is decided by tools.rules.reviewing."""

from __future__ import annotations

import importlib

from tools.capabilities import chain
from tools.pipeline.steps import Work
from tools.values.manifest import Manifest
from tools.values.trouble import RequestProblem
from tools.values.value import Json


def recheck(work: Work) -> Json:
    """Raises RequestProblem when the plan no longer fits the world; a changed load figure alone stops nothing."""
    from tools.pipeline.scan import scan

    work.say("Looking at the world again before anything is changed.")
    world = work.world
    snapshot = scan(world.settings, work.part.target, world.now())
    promised = world.ledger.reservations.held(world.now(), besides=work.kept.family)
    # Of this part alone: its run's other parts were looked at when their turn came.
    alone = Manifest(
        requester=work.kept.manifest.requester,
        made_by=work.kept.manifest.made_by,
        parts=(work.part,),
        snapshot_digests=work.kept.manifest.snapshot_digests,
    )
    fresh = chain.review(alone, {work.part.target: snapshot}, world.site, promised)
    reviewing = importlib.import_module("tools.rules.reviewing")
    moved = tuple(reviewing.world_moved(work.part, work.kept.review, fresh))
    if moved:
        raise RequestProblem(
            "The world has moved.",
            " ".join(moved),
            "Nothing was changed. Ask for the plan again to see what fits now.",
        )
    return {"snapshot": snapshot.digest}
