"""The data collector: scans, then offers. What could not be seen is said."""

from __future__ import annotations

from tools.capabilities import chain as values
from tools.rules.words import telling
from tools.rules.words.conversation import Event

from .. import pipeline
from ..stage import Say, Stage
from ..state import Turn


class DataCollector(Stage):
    def wanted(self, turn: Turn) -> bool:
        return turn.drafting and turn.chain.requirements is not None and turn.chain.offer is None

    def work(self, turn: Turn, say: Say) -> str:
        chain, world = turn.chain, turn.world
        assert chain.requirements is not None
        regions, names = values.places_to_look(chain.requirements, world.site)
        settings = world.settings_for(chain.requirements)
        chain.snapshots = {
            target: pipeline.scan.scan(settings, target, world.now(), regions=regions, names=names)
            for target in values.targets(chain.requirements)
        }
        for snapshot in chain.snapshots.values():
            say(telling.snapshot(snapshot))
        chain.offer = values.offer(
            chain.requirements, chain.snapshots, world.site, pipeline.drafting.promised(world, chain.parent_digest), turn.built()
        )
        if all(part.candidates for part in chain.offer.parts):
            return telling.offer(chain.offer)
        turn.handled = True
        nothing = telling.nothing_fits(chain.offer)
        chain.move(Event.NOT_CLEAN)
        chain.forget_from("snapshots")
        return nothing
