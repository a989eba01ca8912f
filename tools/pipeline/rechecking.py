"""Looks at the world again before anything is changed. Whether it has moved is decided by tools.rules.plans.reviewing."""

from __future__ import annotations

import math

from tools.capabilities import chain
from tools.pipeline.platforms import scan
from tools.pipeline.run_folder import terraform_of
from tools.pipeline.steps import Work
from tools.platforms import PLATFORMS
from tools.rules.plans.reviewing import world_moved
from tools.rules.words.findings import sentence
from tools.values.manifest import Manifest
from tools.values.requirements import Requirements
from tools.values.situation import Situation
from tools.values.trouble import RequestProblem
from tools.values.value import Json


def recheck(work: Work) -> Json:
    """Raises RequestProblem when the plan no longer fits the world; a changed load figure alone stops nothing."""
    work.say("Looking at the world again before anything is changed.")
    world = work.world
    terraform = terraform_of(world, work.run_folder, work.part)
    needed = Requirements(requester=work.plan.requester, parts=(work.part.needs,))
    regions, names = chain.places_to_look(needed, world.site)
    platform = work.part.platform
    settings, parts = world.settings_of(work.part), (work.part,)
    snapshot = scan(world, platform, settings, regions, names, needed.parts, parts)
    began = world.ledger.plans.used_at(work.plan.digest)
    promised = world.ledger.reservations.held(world.now(), besides=work.kept.family, before=math.inf if began is None else began)
    # What the part has made already (before a change, or in a run that is taken up again) is not in its own way.
    part = work.part.model_copy(update={"owned": PLATFORMS[platform].ids_in(terraform.state())})
    # Of this part alone: the run's other parts are looked at when their turn comes.
    alone = Manifest(
        requester=work.kept.manifest.requester,
        made_by=work.kept.manifest.made_by,
        parts=(part,),
        snapshot_digests=work.kept.manifest.snapshot_digests,
    )
    fresh = chain.review(alone, Situation({platform: snapshot}, world.site, promised, world.prices))
    moved = world_moved(part, work.kept.review, fresh)
    if moved:
        raise RequestProblem(
            "The world has moved.",
            " ".join(map(sentence, moved)),
            "Put that right, then say retry. Or say leave, and ask again to see what fits now.",
        )
    return {"snapshot": snapshot.digest}
