"""The loop of reviewer and refiner: the one place besides agent.py that builds one of ADK's deprecated workflow agents.

ADK 2.13 deprecates LoopAgent for Workflow; the customer asks for a LoopAgent. Only that warning is silenced, only here.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncGenerator

from google.adk.agents import LoopAgent
from google.adk.agents.invocation_context import InvocationContext
from google.adk.events import Event, EventActions

from tools.values.effects import Work

from ..manifest_generator.generator import Picker
from ..stage import Stage, says
from ..state import turn_of

ROUNDS_MAX = 10


class Reviewer(Stage):
    """Code, not a model: schema, capacity, policy. Ends the loop when nothing is to be refined."""

    async def _run_async_impl(self, ctx: InvocationContext) -> AsyncGenerator[Event, None]:
        turn = turn_of(ctx.invocation_id)
        if turn is None or not turn.talk.is_for(*self.works):
            return
        async for event in super()._run_async_impl(ctx):
            yield event
        if not (turn.talk.is_next(Work.REFINE) or turn.talk.is_next(Work.DRAFT)):
            yield says(self.name, ctx, "", EventActions(escalate=True))


class Refinement(LoopAgent):
    """Turns only when there is a manifest to be reviewed: of every other message it has nothing to do."""

    async def _run_async_impl(self, ctx: InvocationContext) -> AsyncGenerator[Event, None]:
        turn = turn_of(ctx.invocation_id)
        if turn is None or not turn.talk.is_for(Work.JUDGE, Work.COUNTER):
            return
        async for event in super()._run_async_impl(ctx):
            yield event


def build_loop() -> LoopAgent:
    refiner = Picker(
        "refiner",
        "Picks again from the offer, when the review found faults.",
        "fast",
        __package__,
        Work.REFINE,
        "Pick again from the offer.",
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*LoopAgent.*", category=DeprecationWarning)
        return Refinement(
            name="refinement",
            description="Reviews the manifest by code and refines it within the offer.",
            max_iterations=ROUNDS_MAX + 2,
            sub_agents=[
                Reviewer(name="reviewer", works=(Work.JUDGE, Work.COUNTER)),
                refiner,
                Stage(name="recomposer", works=(Work.DRAFT,)),
            ],
        )
