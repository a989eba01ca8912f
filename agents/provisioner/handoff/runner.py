"""Follows a run in the chat, line by line. The engine carries it out: a closed browser stops nothing."""

from __future__ import annotations

from google.genai import types

from tools.rules.words import telling
from tools.rules.words.conversation import Event, Phase

from .. import pipeline
from ..stage import Say, Stage
from ..state import Turn
from .planner import run_files


class Runner(Stage):
    def wanted(self, turn: Turn) -> bool:
        return not turn.handled and turn.chain.phase is Phase.RUNNING and turn.chain.run_id is not None

    def work(self, turn: Turn, say: Say) -> str:
        chain, world = turn.chain, turn.world
        assert chain.run_id is not None
        for line in pipeline.carry_out.follow(world, chain.run_id, after=chain.line_seen):
            say(telling.progress(line))
            chain.line_seen = line.number
        run = pipeline.carry_out.run_of(world, chain.run_id)
        chain.plan_digest = None
        if run.status in ("done", "removed"):
            chain.move(Event.FINISHED)
            if run.status == "removed":
                chain.phase, chain.run_id = Phase.LISTENING, None
                chain.forget_from("heard")
                chain.typed = ()
                return telling.removed(run)
            chain.changing, chain.heard_built = False, chain.heard
            guide = (world.run_folder(run.id) / "guide.md").read_text(encoding="utf-8")
            return telling.done(run, guide)
        chain.move(Event.FAILED)
        return telling.stopped(run)

    def artifacts(self, turn: Turn) -> dict[str, types.Part]:
        if turn.chain.run_id is None:
            return {}
        return run_files(turn.world.run_folder(turn.chain.run_id))
